"""How much time a warm model saves: `python -m tests.benchmarks.warm [TIMES]` prints seconds and ratios of one run.

The README's question is asked cold, of a warm model that was asked something else before, and of it again.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

QUESTION = "What are the capitals of the countries that border Austria?"
OTHER = "capital of Norway?"


def asked(question: str, home: str, **more: str) -> tuple[float, str]:
    """Seconds of one command, and its answer."""
    hds = str(Path(sys.executable).with_name("hds"))
    began = time.perf_counter()
    done = subprocess.run(
        [hds, "ask", "-q", "--offline", question], capture_output=True, text=True, check=True,
        env={**os.environ, "HDS_HOME": home, **more},
    )  # fmt: skip
    return time.perf_counter() - began, done.stdout


def main(times: int) -> None:
    """Ask in turns, so that what else the machine does falls on all alike."""
    seconds: dict[str, list[float]] = {"cold": [], "warm": [], "warm, again": []}
    answers = set()
    for _ in range(times):
        with tempfile.TemporaryDirectory() as home:
            asked(OTHER, home)  # what is checked once is checked
            rows = [asked(QUESTION, home)]
            asked(OTHER, home, HDS_KEEP_WARM="1m")
            rows += [asked(QUESTION, home, HDS_KEEP_WARM="1m") for _ in range(2)]
            subprocess.run([Path(sys.executable).with_name("hds"), "serve", "--stop"], check=True,
                           env={**os.environ, "HDS_HOME": home})  # fmt: skip
        for name, (took, answer) in zip(seconds, rows, strict=True):
            seconds[name].append(took)
            answers.add(answer)
    cold = statistics.median(seconds["cold"])
    for name, took in seconds.items():
        print(f"{name:12} {statistics.median(took):6.2f} s   {statistics.median(took) / cold:5.2f} x cold")
    print(f"{len(answers)} answer" + "s that differ" * (len(answers) > 1))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
