"""Several tries that go on: with the document or the earlier run that the first ones were given."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from hds_cli import events
from hds_cli.agent.earlier import Earlier
from hds_cli.agent.hds import HdsDialect
from hds_cli.agent.loop import Stop
from hds_cli.agent.tried import tried_so_far
from hds_cli.commands._earlier import start
from hds_cli.desk import tries
from hds_cli.errors import UsageError
from hds_cli.history.journal import Journal
from hds_cli.render.report import collected
from hds_cli.types import Exchange, Findings, ModelInfo, Page, Passage
from tests.desk.test_desk import block
from tests.desk.test_tries import BROKEN, MARS, QUESTION, Open, of, opened, tried  # noqa: F401

LETTER = Page("file:letter", "file:letter", "Letter", "The planet that was looked for is Mars.", "cached")
BEFORE = Earlier(
    "r0", (Exchange("Which planet?", "Mars"),),
    (Findings("which planet", (Passage("planet:earlier", "Earlier", "Mars was looked for.", 1),)),),
)  # fmt: skip


@pytest.mark.parametrize("given", [{"attached": (LETTER,)}, {"before": BEFORE}])
def test_resumed_tries_are_given_what_the_first_ones_were(opened: Open, given: dict[str, Any]) -> None:  # noqa: F811
    """A document, or an earlier run: told once in the stream, and read by the tries that are left."""
    stop = Stop()
    seen: list[events.Event] = []
    again: list[events.Event] = []
    told: list[tuple[list[str], bool]] = []
    start = HdsDialect.start

    def starting(self: Any, question: str, documents: Sequence[Passage], continued: Any = None) -> None:
        told.append(([passage.text for passage in documents], continued is not None))
        start(self, question, documents, continued)

    def emit(event: events.Event) -> None:
        seen.append(event)
        if isinstance(event, events.TryFinished):
            stop.request("interrupted")

    async def go(emit: events.Emit, texts: dict[int, Sequence[str]], **more: Any) -> None:
        async with opened(texts, pace=20_000.0) as place:
            await asyncio.wait_for(tries.answer(place, QUESTION, emit, tries=3, **more), 30)

    slow = [block("year of Venus"), "z" * 100_000]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(HdsDialect, "start", starting)
        asyncio.run(go(emit, {0: MARS, 1: slow, 2: slow}, stop=stop, **given))
        before = tried_so_far([events.from_dict(json.loads(events.line(event))) for event in seen])
        assert before is not None
        first, made = told[0], len(told)
        asyncio.run(go(again.append, {0: [BROKEN], 1: MARS, 2: MARS}, before=before))
    assert len(told) > made
    assert all(one == first for one in told)
    kind = events.DocumentAttached if "attached" in given else events.RunContinued
    assert (len(of(kind, seen)), len(of(kind, again))) == (1, 1)
    assert of(events.RunFinished, again)[-1].answer == "687 days"
    numbers = {(passage.n, passage.text) for passage in collected(again).state.passages}
    assert len({n for n, _ in numbers}) == len(numbers)


def test_tries_stopped_before_they_were_told_of_their_earlier_run_are_not_gone_on_with(home: object) -> None:
    """Their turns are no turns of one run: that is an error, with what to type."""
    started = events.RunStarted(
        run_id="r2", question="And of Venus?", sources=("m",), model=ModelInfo("m"), continues="r0", tries=3
    )  # fmt: skip
    assert tried_so_far([started]) is None
    journal = Journal("r2")
    journal.handle(started)
    journal.close()
    with pytest.raises(UsageError, match="before anything was read"):
        start([], False, "r2")


def test_a_passage_of_an_earlier_run_keeps_its_number_though_no_try_has_room_for_it(opened: Open) -> None:  # noqa: F811
    """What a try reads anew is never called by that number."""
    long = Passage("planet:earlier", "Earlier", "Mars was looked for. " * 50_000, 1)
    run, _ = tried(opened, MARS, MARS, before=replace(BEFORE, findings=(Findings("which planet", (long,)),)))
    read = [passage.n for event in of(events.EvidenceSelected, run) for passage in event.passages]
    assert read
    assert 1 not in read
