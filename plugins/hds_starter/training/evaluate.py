"""Ask the starter the questions of a validation file through hds itself, and count what it plans and answers.

    python -m hds_starter.training.evaluate valid.jsonl --factbook CORPUS --questions FOLDER… --out taught.jsonl
    python -m hds_starter.training.evaluate valid.jsonl … --dialect guided --out untaught.jsonl
    python -m hds_starter.training.evaluate --report taught.jsonl untaught.jsonl

Exact: the same queries in the same turns. Enough: a passage of every needed page was read. Pages: the share of the
needed pages that the searches found, and that a search for the bare question finds. F1: of words, as SQuAD counts them.
`--without-pages` takes the needed pages away: all that is right then is "not found". `--dialect guided` asks the model
without its adapter. Intervals are 95 % bootstraps over the questions, those of differences paired.
"""

from __future__ import annotations

import argparse
import asyncio
import collections
import contextlib
import json
import re
import statistics
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from hds_cli import events
from hds_cli.agent.loop import Parts, Run, Stop
from hds_cli.config import Settings
from hds_cli.desk import speaking
from hds_cli.desk.desk import limits_of, selector_of
from hds_cli.engine.base import Segment
from hds_cli.engine.opening import find_model
from hds_cli.errors import HdsError
from hds_cli.evaluation.bootstrap import Interval, interval, paired
from hds_cli.search.fanout import Fanout
from hds_cli.search.local import Collection
from hds_cli.text import normalise
from hds_cli.threads import in_daemon
from hds_cli.types import Page, SearchResult
from hds_starter.training.facts import NOT_FOUND
from hds_starter.training.make_data import collections_of
from hds_starter.training.trajectory import titled
from hds_starter.verdict import grounded


class _Pages:
    """One collection as a source; a question's dropped queries find nothing."""

    needs_network = False

    def __init__(self, collection: Collection) -> None:
        self.name, self._collection = collection.name, collection
        self.hidden: Sequence[str] = ()

    async def search(self, query: str, top_k: int) -> list[SearchResult]:
        results = await in_daemon(self._collection.search, query, top_k)
        return [result for result in results if not any(titled(result.title, name) for name in self.hidden)]

    async def read(self, url: str) -> Page | None:
        return await in_daemon(self._collection.read, url)


async def ask(question: str, model: speaking.Model, source: _Pages, settings: Settings) -> list[events.Event]:
    """One run; its events."""
    session = model.engine.session()
    seen: list[events.Event] = []

    async def no_web(url: str) -> Page:
        return Page(url, status="blocked", reason="offline")

    parts = Parts(
        dialect=model.speak(session, settings), fanout=Fanout([source], no_web, top_k=settings.top_k),
        count=lambda text: model.engine.count([Segment(text)]), counter=session.counter, model=model.info, stop=Stop(),
        sources=(source.name,), offline=True, selector=selector_of(model.spec, settings),
        judge=grounded,
    )  # fmt: skip
    limits = replace(limits_of(model, settings), max_turns=4)
    with contextlib.suppress(HdsError):
        await Run("eval", parts, limits, seen.append).answer(question)
    session.close()
    return seen


def judge(row: dict[str, Any], seen: list[events.Event], bare: Sequence[SearchResult]) -> dict[str, Any]:
    """What one run did, by the names of the table's columns."""
    turns: dict[int, set[str]] = collections.defaultdict(set)
    titles: set[str] = set()
    read: set[str] = set()
    for event in seen:
        if isinstance(event, events.QueryProposed):
            turns[event.turn].add(normalise(event.text))
        elif isinstance(event, events.SearchFinished):
            titles |= {result.title for result in event.results}
        elif isinstance(event, events.EvidenceSelected):
            read |= {passage.title for passage in event.passages}
    finished = seen[-1]
    answer = (finished.answer if isinstance(finished, events.RunFinished) else None) or NOT_FOUND
    needed, gold = row["needed"], row["answer"]
    later = " ".join(q for step in row["steps"][1:] for q in step)
    return {
        "exact": [turns[n] for n in sorted(turns)] == [{normalise(q) for q in step} for step in row["steps"]],
        "enough": all(_any(name, read) for name in needed),
        "pages": _share(needed, titles), "bare": _share(needed, {r.title for r in bare}),
        "second": len(turns) > 1 and any(query in normalise(later) for query in turns[max(turns)]),
        "f1": word_f1(answer, gold), "right": normalise(answer) == normalise(gold),
        "gave_up": answer == NOT_FOUND, "answer": answer, "turns": len(turns),
    }  # fmt: skip


def _any(name: str, titles: Iterable[str]) -> bool:
    return any(titled(title, name) for title in titles)


def _share(needed: Sequence[str], titles: set[str]) -> float:
    return sum(_any(name, titles) for name in needed) / len(needed) if needed else 1.0


def word_f1(answer: str, gold: str) -> float:
    """F1 of the words of two answers, normalised as in SQuAD (Rajpurkar et al. 2016)."""
    drop = re.compile(r"\b(a|an|the)\b|[^\w\s]")
    a, b = (collections.Counter(drop.sub(" ", text.casefold().replace(",", "")).split()) for text in (answer, gold))
    same = sum((a & b).values())
    return 2 * same / (a.total() + b.total()) if same else float(not a and not b)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("rows", type=Path, nargs="?", metavar="VALID.jsonl")
    parser.add_argument("--per-kind", type=int, default=1000, help="questions of each kind of each set, at most")
    parser.add_argument("--dialect", choices=["hds", "guided"])
    parser.add_argument("--factbook", type=Path)
    parser.add_argument("--questions", type=Path, nargs="*", default=[])
    parser.add_argument("--lora", type=Path, help="an adapter to try in place of the shipped one")
    parser.add_argument("--threads", type=int, help="for the model; unset: one per core")
    parser.add_argument("--without-pages", action="store_true", help="take the needed pages away")
    parser.add_argument("--out", type=Path, help="a line for each question")
    parser.add_argument(
        "--report", type=Path, nargs="+", metavar="OUT.jsonl", help="only count; the second is compared"
    )
    args = parser.parse_args()
    if args.report and len(args.report) > 2:
        parser.error("--report takes one file, or two to compare")
    if args.report:
        report(*([json.loads(line) for line in path.open(encoding="utf-8")] for path in args.report))
        return
    if args.rows is None:
        parser.error("VALID.jsonl or --report is needed")
    rows = _sample([json.loads(line) for line in args.rows.open(encoding="utf-8")], args.per_kind)
    report(list(_judged(rows, args)))


def _sample(rows: Iterable[dict[str, Any]], most: int) -> list[dict[str, Any]]:
    """The first `most` of each kind, without those that were made to miss a page."""
    counts: collections.Counter[tuple[str, str]] = collections.Counter()
    chosen = []
    for row in rows:
        kind = row["set"], row["kind"]
        if not row["dropped"] and counts[kind] < most:
            counts[kind] += 1
            chosen.append(row)
    return chosen


def _judged(rows: Sequence[dict[str, Any]], args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    settings = Settings(dialect=args.dialect, n_threads=args.threads)
    spec = find_model(settings)
    model = speaking.load(replace(spec, lora=args.lora) if args.lora else spec, settings)
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        out = stack.enter_context(args.out.open("w", encoding="utf-8")) if args.out else None
        sources = {c.name: _Pages(c) for c in collections_of(args, Path(folder))}
        for row in rows:
            if row["set"] not in sources or (args.without_pages and not row["needed"]):
                continue
            source, began = sources[row["set"]], time.monotonic()
            source.hidden = row["needed"] if args.without_pages else ()
            seen = asyncio.run(ask(row["question"], model, source, settings))
            bare = asyncio.run(source.search(row["question"], settings.top_k))
            got = {"set": row["set"], "kind": row["kind"], "question": row["question"], "wanted": row["answer"]}
            got |= judge(row, seen, bare) | {"seconds": round(time.monotonic() - began, 2)}
            if out:
                out.write(json.dumps(got, ensure_ascii=False) + "\n")
                out.flush()
            yield got


COLUMNS = ("exact", "enough", "pages", "bare", "second", "right", "f1", "gave_up")


def report(judged: Sequence[dict[str, Any]], other: Sequence[dict[str, Any]] = ()) -> None:
    """A table by set and kind; with `other`, what the same questions gave there, and the difference in F1."""
    by_question = {(row["set"], row["question"]): row for row in other}
    if other:
        judged = [row for row in judged if (row["set"], row["question"]) in by_question]
    groups: dict[tuple[str, str], list[dict[str, Any]]] = collections.defaultdict(list)
    for row in judged:
        groups[row["set"], row["kind"]].append(row)
        groups[row["set"], "all"].append(row)
    more = ["F1 of the other", "difference"] if other else []
    print(f"| {' | '.join(['set', 'kind', 'questions', *COLUMNS, 'F1, 95 %', 'turns', *more])} |")
    print("|---" * (len(COLUMNS) + 5 + len(more)) + "|")
    for (name, kind), rows in sorted(groups.items(), key=lambda item: (item[0][0], item[0][1] == "all", item[0][1])):
        cells = [f"{statistics.fmean(row[column] for row in rows):.2f}" for column in COLUMNS]
        cells += [
            _bounds(interval([row["f1"] for row in rows])),
            f"{statistics.median(row['turns'] for row in rows):g}",
        ]
        if other:
            theirs = [by_question[name, row["question"]]["f1"] for row in rows]
            cells += [f"{statistics.fmean(theirs):.2f} {_bounds(interval(theirs))}",
                      _bounds(paired(theirs, [row["f1"] for row in rows]))]  # fmt: skip
        print(f"| {name} | {kind} | {len(rows)} | {' | '.join(cells)} |")
    print(f"{statistics.median(row['seconds'] for row in judged):.1f} s a question (median)")


def _bounds(interval: Interval) -> str:
    return f"{interval.low:.2f} to {interval.high:.2f}"


if __name__ == "__main__":
    main()
