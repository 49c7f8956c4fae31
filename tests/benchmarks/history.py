"""`hds history` over 10,000 saved runs: how long list, search, the first reading of the journals and the ids take.

    python tests/benchmarks/history.py

Makes the journals in a temporary folder: real lines of a made-up run (the one of the renderers' tests), each with a
question and evidence of its own.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from hds_cli import events
from hds_cli.events import line
from tests.render.sample import whole_run

HDS = str(Path(sys.executable).with_name("hds"))
ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
NAMES = [
    first + second
    for first in ("Nor", "Swe", "Fin", "Den", "Ger", "Aus", "Bel", "Spa")
    for second in ("way", "den", "land", "mark", "many", "tria", "gium", "in")
]
COMMANDS = {
    "history list": ["history", "list"],
    "history list --json": ["history", "list", "--json"],
    "history list --all": ["history", "list", "--all"],
    "history search, rare word": ["history", "search", "question4711"],
    "history search, two names": ["history", "search", "Norway", "Denmark"],
    "history search, in all runs": ["history", "search", "capital"],
    "history show last -q": ["history", "show", "last", "-q"],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=7)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        os.environ["HDS_HOME"] = home
        folder = Path(home) / "data" / "runs"
        folder.mkdir(parents=True)
        size = sum(make(folder, number) for number in range(args.runs))
        print(f"{args.runs:,} journals, {size / args.runs / 1000:.1f} kB each")
        print(f"first call, which reads them all: {timed(['history', 'list']):.1f} s; index {index_size(home):.0f} MB")
        for name, command in COMMANDS.items():
            times = [timed(command) for _ in range(args.rounds)]
            print(f"{name:30} median {statistics.median(times):.3f} s, worst {max(times):.3f} s")
        code = "from hds_cli.history.store import RunStore; print(len(RunStore().ids()))"
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)
        print(f"{'all ids, for a completion':30} {time.perf_counter() - began:.3f} s with the start of Python")


def make(folder: Path, number: int) -> int:
    """Write one journal; its bytes."""
    chance = random.Random(number)
    run_id = "".join(chance.choice(ALPHABET) for _ in range(6))
    words = [chance.choice(NAMES) for _ in range(120)]
    rows = []
    for event in whole_run():
        if isinstance(event, events.RunStarted):
            started = f"2026-{number % 12 + 1:02}-{number % 28 + 1:02}T{number % 24:02}:{number % 60:02}:00Z"
            event = dataclasses.replace(
                event, run_id=run_id, question=f"question{number} on {words[0]}?", started_at=started
            )
        elif isinstance(event, events.EvidenceSelected):
            texts = (f"{passage.text} {' '.join(words)}" for passage in event.passages)
            passages = tuple(dataclasses.replace(p, text=t) for p, t in zip(event.passages, texts, strict=True))
            event = dataclasses.replace(event, passages=passages)
        rows.append(line(event) + "\n")
    text = "".join(rows)
    (folder / f"{run_id}.jsonl").write_text(text)
    return len(text)


def timed(command: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run([HDS, *command], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def index_size(home: str) -> float:
    return (Path(home) / "cache" / "runs.sqlite").stat().st_size / 1e6


if __name__ == "__main__":
    main()
