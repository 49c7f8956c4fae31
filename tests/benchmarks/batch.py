"""`hds batch`: time and memory over 1,000 scripted questions, and several at once against one after another.

    python tests/benchmarks/batch.py [--questions 1000]            the scripted engine
    python tests/benchmarks/batch.py --starter [--questions 24]    --jobs 1 against --jobs 4, the starter's model

Linear: a question of the second half takes the processor as long as one before. Flat: the memory at the end is that
after a tenth. Seconds are of the processor, as other programs may be at work, but for `--starter`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

COUNTRIES = ["Norway", "Peru", "Kenya", "Japan", "Chile", "Ghana", "Nepal", "Cuba", "Oman", "Fiji", "Mali", "Laos"]
BLOCK = "<think>\nt\n</think>\n\n<|begin_search_queries|>\ncapital of Norway\nriver of Peru\n<|end_search_queries|>"
ANSWER = "x\n</think>\n\n\\boxed{Oslo}"


def batch(questions: Path, folder: Path, *more: str) -> tuple[float, list[tuple[float, int, float]]]:
    """Seconds in all, and (seconds of the processor, rows, MiB resident) as it goes."""
    hds = Path(sys.executable).with_name("hds")
    out = folder / "out.jsonl"
    environment = {**os.environ, "HDS_HOME": str(folder / "home")}
    began = time.monotonic()
    process = subprocess.Popen([hds, "batch", questions, "-o", out, "-q", *more], env=environment)
    seen: list[tuple[float, int, float]] = []
    part, size, lines = folder / "out.jsonl.part", 0, 0
    while process.poll() is None:
        time.sleep(0.1)
        try:
            with part.open("rb") as file:
                file.seek(size)
                new = file.read()
            size, lines = size + len(new), lines + new.count(b"\n")
            times = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
            used = (int(times[11]) + int(times[12])) / os.sysconf("SC_CLK_TCK")
            pages = int(Path(f"/proc/{process.pid}/statm").read_text().split()[1])
            seen.append((used, max(0, lines - 1), pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)))
        except OSError:
            pass
    assert process.returncode in (0, 3), process.returncode
    return time.monotonic() - began, seen


def scripted(count: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        script = folder / "script.jsonl"
        script.write_text("".join(json.dumps({"text": text}) + "\n" for text in (BLOCK, ANSWER)))
        questions = folder / "q.txt"
        questions.write_text("".join(f"Question {n} on {COUNTRIES[n % 12]}?\n" for n in range(count)))
        options = ("-e", "scripted", "-m", str(script), "-s", "world", "--offline", "--jobs", "4")
        seconds, seen = batch(questions, folder, *options)
        at = {share: next(s for s in seen if s[1] >= count * share) for share in (0.1, 0.5)}
        first, second = at[0.5][0] - at[0.1][0], seen[-1][0] - at[0.5][0]
        print(
            f"{count} questions in {seconds:.1f} s; ms a question: {first / count / 0.4 * 1e3:.1f} from 10 to 50 %,",
            end="",
        )
        print(f" {second / count / 0.5 * 1e3:.1f} after; MiB: {at[0.1][2]:.0f} at 10 %, {seen[-1][2]:.0f} at the end")


def starter(count: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        questions = folder / "q.txt"
        questions.write_text("".join(f"What is the capital of {COUNTRIES[n % 12]}?\n" for n in range(count)))
        taken = {}
        for jobs in ("1", "4", "4", "1"):
            seconds, _ = batch(questions, folder, "-m", "starter", "-s", "world", "--offline", "--jobs", jobs)
            taken.setdefault(jobs, []).append(seconds)
            print(f"--jobs {jobs}: {seconds:.1f} s for {count} questions", flush=True)
        print(f"ratio {sum(taken['1']) / sum(taken['4']):.2f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--questions", type=int)
    parser.add_argument("--starter", action="store_true")
    asked = parser.parse_args()
    starter(asked.questions or 24) if asked.starter else scripted(asked.questions or 1000)
