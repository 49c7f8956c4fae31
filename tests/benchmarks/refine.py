"""Rewording by rule: do queries that bring nothing new find the pages that a question needs when they are put in other
words?

    python tests/benchmarks/refine.py SHARED/data [--sets musique_train100 …] [--top-k 5]

Turn 1 searches the question itself, each later turn one gold sub-question (of sets that have them). `pages`: share of
the needed pages among all results; `searches` of a question, mean; `reworded`: share of its queries. The rule is that
of `--refine` without a model.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from statistics import fmean
from typing import Any

from hds_cli.agent.methods.refine import Refine
from hds_cli.search.local import Collection, read_jsonl
from hds_cli.types import Page

SETS = ("musique_train100", "hotpotqa_train100", "fanoutqa_synth", "factbook_fanout")


def asked(row: dict[str, Any], collection: Collection, top_k: int, method: Refine | None) -> tuple[float, int, int]:
    """The share of needed pages that were found, the searches, and how many of them are in other words."""
    titles: set[str] = set()
    searches = again = 0
    for query in dict.fromkeys([row["question"], *(step["question"] for step in row.get("decomposition") or [])]):
        results = collection.search(query, top_k)
        searches += 1
        titles |= {result.title for result in results}
        pages = [Page(result.url, title=result.title) for result in results]
        if method and (wording := method.searched(query, pages)):
            titles |= {result.title for result in collection.search(wording, top_k)}
            searches, again = searches + 1, again + 1
        if method:
            method.read(1, None)  # type: ignore[arg-type]
    wanted = set(row["supporting_titles"])
    return len(wanted & titles) / len(wanted), searches, again


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--sets", nargs="+", default=list(SETS), metavar="NAME")
    parser.add_argument("--top-k", type=int, default=5)
    args = parser.parse_args()
    print("| set | refine | pages | searches | reworded |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for name in args.sets:
            collection = Collection(name, Path(folder), create=True)
            collection.update(read_jsonl(args.data / name / "corpus.jsonl", name), "benchmark")
            rows = [json.loads(line) for line in (args.data / name / "questions.jsonl").open(encoding="utf-8")]
            for on in (False, True):
                found = [asked(row, collection, args.top_k, Refine() if on else None) for row in rows]
                pages, searches, again = (fmean(one[n] for one in found) for n in range(3))
                print(f"| {name} | {'rule' if on else 'off'} | {pages:.4f} | {searches:.2f} | {again / searches:.3f} |")


if __name__ == "__main__":
    main()
