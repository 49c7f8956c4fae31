"""Ask the starter the questions of a validation file through hds itself, and count what it plans and answers.

    python -m hds_starter.training.evaluate valid.jsonl --limit 100

Exact query plan: the same queries in the same turns. Exact answer: the same text. `--dialect guided` asks the model
without its adapter.
"""

from __future__ import annotations

import argparse
import asyncio
import collections
import contextlib
import json
import tempfile
import time
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
from hds_starter import world


class _World:
    """The collection as a source, in a folder of its own."""

    name = "world"
    needs_network = False

    def __init__(self, folder: Path) -> None:
        self._collection = Collection("world", folder, create=True)
        self._collection.update(world.documents(), "evaluation")

    async def search(self, query: str, top_k: int) -> list[SearchResult]:
        return await in_daemon(self._collection.search, query, top_k)

    async def read(self, url: str) -> Page | None:
        return await in_daemon(self._collection.read, url)


async def ask(question: str, model: _models.Model, source: _World, settings: Settings) -> list[events.Event]:
    """One run; its events."""
    session = model.engine.session()
    seen: list[events.Event] = []

    async def no_web(url: str) -> Page:
        return Page(url, status="blocked", reason="offline")

    parts = Parts(
        dialect=model.speak(session, settings), fanout=Fanout([source], no_web, top_k=settings.top_k),
        count=lambda text: model.engine.count([Segment(text)]), counter=session.counter, model=model.info, stop=Stop(),
        sources=("world",), offline=True,
    )  # fmt: skip
    limits = Limits(
        evidence_tokens=model.spec.evidence_tokens, evidence_passages=model.spec.evidence_passages or 4, max_turns=4
    )
    with contextlib.suppress(HdsError):
        await Run("eval", parts, limits, seen.append).answer(question)
    session.close()
    return seen


def judge(row: dict[str, Any], seen: list[events.Event]) -> tuple[bool, bool, str]:
    """(exact plan, right answer, what was answered)."""
    turns: dict[int, set[str]] = collections.defaultdict(set)
    for event in seen:
        if isinstance(event, events.QueryProposed):
            turns[event.turn].add(normalise(event.text))
    plan = [turns[n] for n in sorted(turns)] == [{normalise(q) for q in step} for step in row["steps"]]
    finished = seen[-1]
    answer = (finished.answer if isinstance(finished, events.RunFinished) else None) or "not found"
    return plan, normalise(answer) == normalise(row["answer"]), answer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("questions", type=Path)
    parser.add_argument("--limit", type=int, default=100)
    parser.add_argument("--dialect", choices=["hds", "guided"])
    parser.add_argument("--show", type=int, default=12, help="wrong answers to print")
    args = parser.parse_args()
    settings = Settings(dialect=args.dialect)
    model = _models.load(_models.check(settings), settings)
    rows = [json.loads(line) for line in args.questions.open(encoding="utf-8")]
    rows = [row for row in rows if row["kind"] != "factbook"][: args.limit]
    counts: dict[str, list[int]] = collections.defaultdict(lambda: [0, 0, 0])
    wrong = []
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        source = _World(Path(folder))
        for row in rows:
            plan, right, answer = judge(row, asyncio.run(ask(row["question"], model, source, settings)))
            for name in (row["kind"], "all"):
                counts[name][0] += 1
                counts[name][1] += plan
                counts[name][2] += right
            if not right:
                wrong.append((row["kind"], row["question"], answer, row["answer"]))
    print("| kind | questions | exact plan | right answer |\n|---|---|---|---|")
    for name, (n, plans, answers) in sorted(counts.items(), key=lambda item: (item[0] == "all", item[0])):
        print(f"| {name} | {n} | {plans} | {answers} |")
    print(f"{(time.monotonic() - began) / len(rows):.1f} s a question")
    for item in wrong[: args.show]:
        print(*item, sep=" | ")


if __name__ == "__main__":
    main()
