"""Ask the starter the questions of a validation file through hds itself, and count what it plans and answers.

    python -m hds_starter.training.evaluate valid.jsonl --factbook CORPUS --questions FOLDER… --limit 100

Plan: the same queries in the same turns. Retrieved: share of the needed queries' pages that were read. F1: of words, as
SQuAD counts them. "not found" is right where the pages were kept from the model. `--dialect guided` asks the model
without its adapter.
"""

from __future__ import annotations

import argparse
import asyncio
import collections
import contextlib
import json
import re
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from hds_cli import events
from hds_cli.agent.loop import Limits, Parts, Run, Stop
from hds_cli.commands import _models
from hds_cli.config import Settings
from hds_cli.engine.base import Segment
from hds_cli.errors import HdsError
from hds_cli.search.fanout import Fanout
from hds_cli.search.local import Collection
from hds_cli.text import normalise
from hds_cli.threads import in_daemon
from hds_cli.types import Page, SearchResult
from hds_starter.training.facts import NOT_FOUND
from hds_starter.training.make_data import collections_of


class _Pages:
    """One collection as a source; a question's dropped queries find nothing."""

    needs_network = False

    def __init__(self, collection: Collection) -> None:
        self.name, self._collection = collection.name, collection
        self.hidden: set[str] = set()

    async def search(self, query: str, top_k: int) -> list[SearchResult]:
        found = await in_daemon(self._collection.search, query, top_k)
        return [result for result in found if result.title not in self.hidden]

    async def read(self, url: str) -> Page | None:
        return await in_daemon(self._collection.read, url)


async def ask(question: str, model: _models.Model, source: _Pages, settings: Settings) -> list[events.Event]:
    """One run; its events."""
    session = model.engine.session()
    seen: list[events.Event] = []

    async def no_web(url: str) -> Page:
        return Page(url, status="blocked", reason="offline")

    parts = Parts(
        dialect=model.speak(session, settings), fanout=Fanout([source], no_web, top_k=settings.top_k),
        count=lambda text: model.engine.count([Segment(text)]), counter=session.counter, model=model.info, stop=Stop(),
        sources=(source.name,), offline=True,
    )  # fmt: skip
    limits = Limits(
        evidence_tokens=model.spec.evidence_tokens, evidence_passages=model.spec.evidence_passages or 4, max_turns=4
    )
    with contextlib.suppress(HdsError):
        await Run("eval", parts, limits, seen.append).answer(question)
    session.close()
    return seen


def judge(row: dict[str, Any], seen: list[events.Event]) -> dict[str, Any]:
    """What one run did: plan, F1, whether it gave up, its answer and its turns of searching."""
    turns: dict[int, set[str]] = collections.defaultdict(set)
    for event in seen:
        if isinstance(event, events.QueryProposed):
            turns[event.turn].add(normalise(event.text))
    plan = [turns[n] for n in sorted(turns)] == [{normalise(q) for q in step} for step in row["steps"]]
    finished = seen[-1]
    answer = (finished.answer if isinstance(finished, events.RunFinished) else None) or NOT_FOUND
    wanted = row["answer"]
    return {"plan": plan, "f1": word_f1(answer, wanted), "right": normalise(answer) == normalise(wanted),
            "gave_up": answer == NOT_FOUND, "answer": answer, "turns": len(turns)}  # fmt: skip


def word_f1(answer: str, wanted: str) -> float:
    """F1 of the words of two answers, normalised as in SQuAD (Rajpurkar et al. 2016)."""
    drop = re.compile(r"\b(a|an|the)\b|[^\w\s]")
    a, b = (collections.Counter(drop.sub(" ", text.casefold().replace(",", "")).split()) for text in (answer, wanted))
    same = sum((a & b).values())
    return 2 * same / (a.total() + b.total()) if same else float(not a and not b)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("rows", type=Path, metavar="VALID.jsonl")
    parser.add_argument("--limit", type=int, default=100)
    parser.add_argument("--dialect", choices=["hds", "guided"])
    parser.add_argument("--factbook", type=Path)
    parser.add_argument("--questions", type=Path, nargs="*", default=[])
    parser.add_argument("--lora", type=Path, help="an adapter to try in place of the shipped one")
    parser.add_argument("--show", type=int, default=12, help="wrong answers to print")
    args = parser.parse_args()
    settings = Settings(dialect=args.dialect)
    spec = _models.check(settings)
    model = _models.load(replace(spec, lora=args.lora, calculates=True) if args.lora else spec, settings)
    rows = [json.loads(line) for line in args.rows.open(encoding="utf-8")][: args.limit]
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        sources = {c.name: _Pages(c) for c in collections_of(args, Path(folder))}
        judged = [
            (row, judge(row, asyncio.run(ask(row["question"], model, sources[row["set"]], settings))))
            for row in rows
            if row["set"] in sources and not row["dropped"]
        ]
    report(judged)
    print(f"{(time.monotonic() - began) / max(1, len(judged)):.1f} s a question")
    for row, got in [pair for pair in judged if pair[1]["f1"] < 0.5][: args.show]:
        print(row["set"], row["kind"], row["question"], got["answer"], row["answer"], sep=" | ")


def report(judged: list[tuple[dict[str, Any], dict[str, Any]]]) -> None:
    """A table: by set and kind."""
    groups: dict[tuple[str, str], list[dict[str, Any]]] = collections.defaultdict(list)
    for row, got in judged:
        groups[row["set"], row["kind"]].append(got)
        groups[row["set"], "all"].append(got)
    print("| set | kind | questions | exact plan | right | F1 | not found |\n|---|---|---|---|---|---|---|")
    for (name, kind), items in sorted(groups.items(), key=lambda item: (item[0][0], item[0][1] == "all", item[0][1])):
        n = len(items)
        cells = [sum(i["plan"] for i in items), sum(i["right"] for i in items)]
        f1 = sum(i["f1"] for i in items) / n
        print(f"| {name} | {kind} | {n} | {cells[0]} | {cells[1]} | {f1:.2f} | {sum(i['gave_up'] for i in items)} |")


if __name__ == "__main__":
    main()
