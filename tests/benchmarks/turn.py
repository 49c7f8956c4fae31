"""The network part of one turn: 6 queries of 5 pages, 300 ms each, beside one search and the slowest page.

    python tests/benchmarks/turn.py --replica ../shared/tools/replica_web.py ../shared/data/factbook_fanout

Prints what the turn took from the first search to the last page, what one search and the slowest page took by the
server's log, and the ratio without the seconds of extraction.
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

HDS = str(Path(sys.executable).with_name("hds"))
COUNTRIES = ["Germany", "Brazil", "Kenya", "Japan", "Peru", "Norway"]
BLOCK = (
    "<think>\nt\n</think>\n\n<|begin_search_queries|>\n"
    + ";\n".join(f"capital of {c}" for c in COUNTRIES)
    + "\n<|end_search_queries|>"
)
ANSWER = "x\n</think>\n\n\\boxed{Berlin}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("corpus")
    parser.add_argument("--replica", required=True, help="replica_web.py")
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ready, log, script = folder / "ready", folder / "log.jsonl", folder / "s.jsonl"
        script.write_text("\n".join(json.dumps({"text": t}) for t in (BLOCK, ANSWER)))
        server = subprocess.Popen(
            [sys.executable, args.replica, "serve", args.corpus, "--port", "0", "--ready-file", str(ready), "--log", str(log),
             "--latency-ms", "300", "--search-latency-ms", "300"], stdout=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            while not ready.exists() or not ready.read_text().endswith("\n"):
                time.sleep(0.1)
            for number in range(args.rounds):
                measure(ready.read_text().strip(), log, script, folder / f"home{number}")
        finally:
            server.terminate()


def measure(url: str, log: Path, script: Path, home: Path) -> None:
    before = len(log.read_text().splitlines()) if log.exists() else 0
    env = os.environ | {"HDS_HOME": str(home), "HDS_SEARXNG_URL": url, "HDS_FETCH_ALLOW": url.removeprefix("http://")}
    out = subprocess.run(
        [HDS, "ask", "-s", "searxng", "-e", "scripted", "-m", str(script), "--jsonl", "q"],
        env=env, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
    ).stdout  # fmt: skip
    events = [json.loads(line) for line in out.splitlines()]
    first = min(e["t"] for e in events if e["event"] == "search_started")
    last = max(e["t"] for e in events if e["event"] == "page_finished")
    extract = sum(e["extract_seconds"] for e in events if e["event"] == "page_finished")
    rows = [json.loads(line) for line in log.read_text().splitlines()[before:]]
    seconds = {kind: [r["end"] - r["start"] for r in rows if r["kind"] == kind] for kind in ("search", "page")}
    network = (min(r["start"] for r in rows), max(r["end"] for r in rows if r["kind"] == "page"))
    floor = max(seconds["search"]) + max(seconds["page"])
    print(
        f"turn {last - first:.2f} s, of it on the wire {network[1] - network[0]:.2f} s; one search + slowest page {floor:.2f} s; "
        f"wire ratio {(network[1] - network[0]) / floor:.2f}; {len(seconds['search'])} searches, {len(seconds['page'])} pages, "
        f"extraction {extract:.2f} s of two processes"
    )


if __name__ == "__main__":
    main()
