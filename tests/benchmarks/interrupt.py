"""Ctrl-C at random moments of a run with the real starter: how soon the prompt is back, and what is left behind.

    python tests/benchmarks/interrupt.py --moments 50
    python tests/benchmarks/interrupt.py --moments 50 --hostile
    python tests/benchmarks/interrupt.py --moments 50 --hostile --timeouts

With `--hostile` the run has a scripted model and reads pages of every hostile family from a web on loopback.

With `--timeouts` the runs are stopped by `--timeout` at random seconds instead: measured is how long after that the
process ends. Each run is a process group of its own with a terminal as stderr. SIGINT goes to the group at a random moment, and once
more 10 ms later, as a run that has begun answers at the first one. Measured is the time from the stopping one to the
end of the process; each end must be 130 (or the run's own end, when it was over before), without a traceback, and the
cursor shown.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import pty
import random
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # the tests' own pages

from tests.hostile import script_of, serving, web_pages

HDS = str(Path(sys.executable).with_name("hds"))
QUESTION = "What are the capitals of Norway, Sweden and Finland?"
BETWEEN = 0.01


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--moments", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--earliest", type=float, default=0.1, help="seconds; before that Python itself starts")
    parser.add_argument("--latest", type=float, default=1e9, help="seconds; at most nine tenths of a whole run")
    parser.add_argument("--hostile", action="store_true", help="with hostile pages in the run")
    parser.add_argument("--timeouts", action="store_true", help="stop by --timeout, not by Ctrl-C")
    args = parser.parse_args()
    chance = random.Random(args.seed)
    with tempfile.TemporaryDirectory() as home, hostile(Path(home)) if args.hostile else usual() as command:
        os.environ["HDS_HOME"] = home
        interrupt(command, 1e9)  # builds the collection
        began = time.monotonic()
        interrupt(command, 1e9)
        length = time.monotonic() - began
        latest = min(args.latest, 0.9 * length)
        if args.timeouts:
            report([late(command, chance.uniform(args.earliest, latest)) for _ in range(args.moments)])
            return
        found = [interrupt(command, chance.uniform(args.earliest, latest)) for _ in range(args.moments)]
    waits = sorted(wait for wait, _, _ in found)
    codes = [code for _, code, _ in found]
    dirty = [text for _, _, text in found if "Traceback" in text or text.rfind("\x1b[?25l") > text.rfind("\x1b[?25h")]
    print(f"a whole run takes {length:.1f} s; {len(found)} moments from {args.earliest} s to {latest:.1f} s")
    print(
        f"prompt back: median {waits[len(waits) // 2]:.3f} s, p95 {waits[int(0.95 * (len(waits) - 1))]:.3f} s, worst {waits[-1]:.3f} s"
    )
    print(
        f"exit codes: { {code: codes.count(code) for code in sorted(set(codes))} }; tracebacks or a hidden cursor: {len(dirty)}"
    )
    for text in dirty[:3]:
        print(repr(text[-1500:]))


def report(runs: list[tuple[float, int]]) -> None:
    """Print how long after their deadlines runs ended, and with which codes."""
    over = sorted(seconds for seconds, _ in runs)
    codes = [code for _, code in runs]
    print(
        f"over the deadline: median {over[len(over) // 2]:.3f} s, p95 {over[int(0.95 * (len(over) - 1))]:.3f} s, "
        f"worst {over[-1]:.3f} s; exit codes: { {code: codes.count(code) for code in sorted(set(codes))} }"
    )


def late(command: list[str], seconds: float) -> tuple[float, int]:
    """Seconds from the deadline of a run to the end of its process (0: it was over before), and the exit code."""
    process = subprocess.Popen(
        [*command, "--jsonl", "--timeout", f"{seconds:.3f}"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    began = 0.0
    for line in process.stdout or ():
        if not began and '"run_started"' in line:
            began = time.monotonic()
    code = process.wait()
    return max(0.0, time.monotonic() - began - seconds), code


@contextlib.contextmanager
def usual() -> Iterator[list[str]]:
    """A run of the starter over its own collection."""
    yield [HDS, "ask", "--offline", QUESTION]


@contextlib.contextmanager
def hostile(home: Path) -> Iterator[list[str]]:
    """A run of a scripted model whose pages are hostile, each another family, and never cached."""
    script = home / "script.jsonl"
    script.write_text(script_of([f"walrus {number}" for number in range(8)], forced=True))
    with serving(web_pages()) as web:
        os.environ |= {"HDS_SEARXNG_URL": web.url, "HDS_FETCH_ALLOW": web.host, "HDS_CACHE_TTL": "0"}
        yield [HDS, "ask", "-s", "searxng", "-e", "scripted", "-m", str(script), "where does the walrus sleep?"]


def interrupt(command: list[str], after: float) -> tuple[float, int, str]:
    """Seconds from the stopping Ctrl-C to the end, the exit code, and what stderr was given."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=slave, start_new_session=True
    )  # fmt: skip
    os.close(slave)
    said = bytearray()
    watch(process, master, said, after)
    stopped = time.monotonic()
    for _ in range(2):
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)
            stopped = time.monotonic()
            watch(process, master, said, BETWEEN)
    watch(process, master, said, 60)
    ended = time.monotonic()
    with contextlib.suppress(OSError):
        while select.select([master], [], [], 0)[0]:
            said += os.read(master, 65536)
    if process.poll() is None:
        process.kill()
    code = process.wait()
    os.close(master)
    return ended - stopped, code, said.decode("utf-8", "replace")


def watch(process: subprocess.Popen[bytes], master: int, said: bytearray, seconds: float) -> None:
    """Take in what comes until the process ends or the time is over."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        if select.select([master], [], [], min(left, 0.005))[0]:
            try:
                said += os.read(master, 65536)
            except OSError:  # the last writer has closed it
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(max(0.0, left))
        if process.poll() is not None:
            return


if __name__ == "__main__":
    main()
