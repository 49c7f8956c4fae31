"""How long `hds --version`, `hds --help` and completing a run's id among 10,000 take beside `python -c "import typer"`, side by side in one run.

python tests/benchmarks/startup.py [--llm PATH]

With `--llm` the same of the command `llm` (PyPI): its version, its help, and the completion of one of its commands.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROUNDS = 15
RUNS = 10_000
HDS = str(Path(sys.executable).with_name("hds"))
COMMANDS = {
    "import typer": [sys.executable, "-c", "import typer"],
    "hds --version": [HDS, "--version"],
    "hds --help": [HDS, "--help"],
    "a run's id": [HDS, "__complete", "zsh", "hds", "history", "show", "7"],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--llm", metavar="PATH", help="the command llm, in an environment of its own")
    args = parser.parse_args()
    if args.llm:
        complete = ["env", "_LLM_COMPLETE=bash_complete", "COMP_WORDS=llm lo", "COMP_CWORD=1", args.llm]
        COMMANDS.update({"llm --version": [args.llm, "--version"], "llm --help": [args.llm, "--help"],
                         "llm completion": complete})  # fmt: skip
    with tempfile.TemporaryDirectory() as home:
        runs = Path(home) / "data" / "runs"
        runs.mkdir(parents=True)
        for number in range(RUNS):
            (runs / f"{number:06x}.jsonl").touch()
        os.environ["HDS_HOME"] = home
        _measure()


def _measure() -> None:
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(ROUNDS):
        for name, command in COMMANDS.items():
            began = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            times[name].append(time.perf_counter() - began)
    base = statistics.median(times["import typer"])
    for name, values in times.items():
        middle = statistics.median(values)
        print(f"{name:16} {middle * 1000:6.0f} ms   {middle / base:.2f} x")


if __name__ == "__main__":
    main()
