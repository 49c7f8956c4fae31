"""Recall of the supporting pages on question sets, by one collection each, beside plain BM25 over whole pages.

    python tests/benchmarks/retrieval.py SHARED/data [--embed] [--sets musique_train100 …]

A set is a folder with `corpus.jsonl` and `questions.jsonl`. `R@k`: the whole question is the query; `sub5`: the union
of the first five of each question of the decomposition. Numbers in brackets are plain BM25's, as published with the
sets. Seconds are of one process and include opening the collection.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from hds_cli.search.local import Collection, read_jsonl

PLAIN = {
    "factbook_fanout": (0.719, 0.856, 0.996), "fanoutqa_synth": (0.370, 0.519, 0.999),
    "musique_train100": (0.557, 0.647, 0.927), "hotpotqa_train100": (0.790, 0.905, None),
    "nq_oracle": (0.947, 0.962, None), "limit_small": (1.0, 1.0, None), "limit_5k": (0.971, 0.974, None),
}  # fmt: skip
MULTI_HOP = ("musique_train100", "hotpotqa_train100", "factbook_fanout", "fanoutqa_synth")


def recall(found: list[str], wanted: set[str]) -> float:
    return len(wanted & set(found)) / len(wanted)


def measure(name: str, data: Path, folder: Path, embed: bool) -> dict[str, Any]:
    collection = Collection(name, folder, create=True)
    collection.update(read_jsonl(data / name / "corpus.jsonl", name), "benchmark")
    if embed:
        collection.embed()
    questions = [json.loads(line) for line in (data / name / "questions.jsonl").open(encoding="utf-8")]
    at: dict[int, list[float]] = {2: [], 5: [], 10: []}
    seconds, sub5, all5 = [], [], []
    collection.search("warm up", 5)
    for row in questions:
        wanted = set(row["supporting_titles"])
        start = time.perf_counter()
        found = [result.title for result in collection.search(row["question"], 10)]
        seconds.append(time.perf_counter() - start)
        for k, values in at.items():
            values.append(recall(found[:k], wanted))
        if row.get("decomposition"):
            parts = [collection.search(part["question"], 5) for part in row["decomposition"]]
            sub5.append(recall([result.title for results in parts for result in results], wanted))
            all5.append(sub5[-1] == 1.0)
    return {
        "pages": collection.info().documents, "questions": len(questions),
        **{f"R@{k}": statistics.mean(values) for k, values in at.items()},
        "sub5": statistics.mean(sub5) if sub5 else None, "sub5 all": statistics.mean(all5) if all5 else None,
        "p95_ms": sorted(seconds)[int(0.95 * len(seconds))] * 1000,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--sets", nargs="+", default=list(PLAIN), metavar="NAME")
    parser.add_argument("--embed", action="store_true", help="with embeddings, fused by rank")
    args = parser.parse_args()
    print("| set | pages | R@2 | R@5 | R@10 | sub5 | all | p95 ms |\n|---|---|---|---|---|---|---|---|")
    gains: dict[str, tuple[float, float]] = {}
    below = []
    with tempfile.TemporaryDirectory() as folder:
        for name in args.sets:
            row, plain = measure(name, args.data, Path(folder), args.embed), PLAIN[name]
            now = (row["R@5"], row["R@10"], row["sub5"])
            cells = [f"{a:.3f} ({b:.3f})" if a is not None and b else "-" for a, b in zip(now, plain, strict=True)]
            whole = "-" if row["sub5 all"] is None else f"{row['sub5 all']:.3f}"
            print(
                f"| {name} | {row['pages']} | {row['R@2']:.4f} | {' | '.join(cells)} | {whole} | {row['p95_ms']:.1f} |",
                flush=True,
            )
            gains[name] = (now[0] - plain[0], now[1] - plain[1])
            below += [name for a, b in zip(now, plain, strict=True) if a is not None and b and round(a, 3) < b]
    four = [gains[name] for name in MULTI_HOP if name in gains]
    if four:
        five, ten = (100 * statistics.mean(values) for values in zip(*four, strict=True))
        print(f"\nmean gain over {len(four)} multi-hop sets: {five:+.1f} points at 5, {ten:+.1f} at 10")
    print("below plain BM25: " + (", ".join(sorted(set(below))) or "none"))


if __name__ == "__main__":
    main()
