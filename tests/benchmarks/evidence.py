"""Evidence recall: do the pages that a question needs, and its answers, reach the model?

    python tests/benchmarks/evidence.py SHARED/data [--sets musique_train100 …] [--n-ctx 32768] [--select NAME] [--model GGUF]
        [--limit N]

A set is a folder with `corpus.jsonl` and `questions.jsonl`. The queries are the questions of the decomposition, eight a
turn, or the question itself where there is none; five results of each are read. `pages`: share of the needed pages that
have a passage among those read; `of found`: of those that the search found; `answers`: share of questions whose gold
answer stands in the passages read (of each step that has one; yes, no and counts aside); `tokens`: median of a turn, at
four characters each; `passages`: median of a query; `ms`: median for choosing a turn's. With `--select set` the model of `--model` chooses.
"""

from __future__ import annotations

import argparse
import inspect
import itertools
import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hds_cli.agent.evidence import Evidence, turn_budget
from hds_cli.search.local import Collection, read_jsonl
from hds_cli.text import quote_words

SETS = ("musique_train100", "hotpotqa_train100", "fanoutqa_synth", "factbook_fanout")
TURN = 8


def answers(row: dict[str, Any]) -> Iterator[list[str]]:
    """For each thing to be found, the strings of which one must be read."""
    steps = [step for step in row.get("decomposition") or [] if step.get("answer")]
    for step in steps:
        given = step["answer"]
        for one in given if isinstance(given, list) else [given]:
            yield [str(one)]
    if not steps:
        yield [str(answer) for answer in row["answers"]]


def read(row: dict[str, Any], found: list[tuple[str, list[Any]]], n_ctx: int, select: Any) -> tuple[Any, ...]:
    """The passages of a question by query, and what each turn took: tokens and seconds."""
    chooser: dict[str, Any] = {}
    if select:
        chooser = {"choose": select}
    evidence = Evidence(row["question"], lambda text: len(text) // 4 + 1, **chooser)
    room, passages, tokens, seconds = n_ctx - n_ctx // 8, [], [], []
    for turn, start in enumerate(range(0, len(found), TURN)):
        more = {"turns_left": 10 - turn} if "turns_left" in inspect.signature(turn_budget).parameters else {}
        begun = time.perf_counter()
        chosen = evidence.select(found[start : start + TURN], turn_budget(n_ctx, room, **more))
        seconds.append(time.perf_counter() - begun)
        tokens.append(sum(len(p.full) // 4 + 8 for p in {p.n: p for ps in chosen for p in ps}.values()))
        room = max(0, room - tokens[-1])
        passages += chosen
    return passages, tokens, seconds


def measure(name: str, data: Path, folder: Path, n_ctx: int, select: Any, limit: int | None) -> list[float]:
    collection = Collection(name, folder, create=True)
    collection.update(read_jsonl(data / name / "corpus.jsonl", name), "benchmark")
    pages, of_found, said, tokens, number, seconds = [], [], [], [], [], []
    for line in itertools.islice((data / name / "questions.jsonl").open(encoding="utf-8"), limit):
        row = json.loads(line)
        queries = list(dict.fromkeys(step["question"] for step in row.get("decomposition") or [])) or [row["question"]]
        found = [(query, [collection.read(result.url) for result in collection.search(query, 5)]) for query in queries]
        chosen, cost, took = read(row, found, n_ctx, select)
        titles = {p.title for ps in chosen for p in ps}
        wanted = set(row["supporting_titles"])
        there = wanted & {page.title for _, some in found for page in some}
        pages.append(len(wanted & titles) / len(wanted))
        of_found += [len(there & titles) / len(there)] if there else []
        text = f" {' '.join(quote_words(p.full) for ps in chosen for p in ps)} "
        said += [
            any(f" {quote_words(one)} " in text for one in options)
            for options in answers(row)
            if not {one.casefold() for one in options} & {"yes", "no"}
        ]
        tokens += cost
        number += [len(ps) for ps in chosen]
        seconds += took
    return [
        statistics.mean(pages), statistics.mean(of_found), statistics.mean(said), statistics.median(tokens),
        statistics.median(number), statistics.median(seconds) * 1000,
    ]  # fmt: skip


def chooser(name: str, model: str | None) -> Any:
    """The selector of a name; `set` with the model that it asks."""
    if name != "set":
        from hds_cli.agent.selectors.door import selector

        return selector(name)
    from hds_cli import config
    from hds_cli.desk import methods, speaking
    from hds_cli.engine.opening import find_model

    settings = config.load({"model": model, "select": name, "n_ctx": 6144, "offline": True})
    return methods.selecting(speaking.load(find_model(settings), settings), settings)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--sets", nargs="+", default=list(SETS), metavar="NAME")
    parser.add_argument("--n-ctx", type=int, default=32768)
    parser.add_argument("--select", metavar="NAME")
    parser.add_argument("--model", metavar="GGUF")
    parser.add_argument("--limit", type=int)
    args = parser.parse_args()
    select = chooser(args.select, args.model) if args.select else None
    print("| set | pages | of found | answers | tokens | passages | ms |\n|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for name in args.sets:
            row = measure(name, args.data, Path(folder), args.n_ctx, select, args.limit)
            print(
                f"| {name} | {' | '.join(f'{v:.4f}' for v in row[:3])} | {' | '.join(f'{v:.0f}' for v in row[3:])} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
