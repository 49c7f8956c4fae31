"""A report: an outline, a run for each of its sections, and one list of sources. Nothing here is in the loop of a run.

The sections are researched at once, up to `AT_ONCE`: sessions of one decoder, over the same pages, whose passages have
the same numbers. Their events become one stream, whose turns name their section.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from hds_cli import events
from hds_cli.agent import outline
from hds_cli.agent.allowance import Allowance
from hds_cli.agent.aside import Aside
from hds_cli.agent.evidence import Numbers
from hds_cli.agent.loop import Stop
from hds_cli.agent.scouting import scouted
from hds_cli.agent.sections import Begun, at_turn, composed, graded, summed
from hds_cli.agent.verdict import Verdict
from hds_cli.config import shaping
from hds_cli.desk.batch import each
from hds_cli.desk.desk import Desk, Part, hidden, limits_of, new_run_id
from hds_cli.egress import Tally, counted_apart
from hds_cli.egress import summed as hosts
from hds_cli.engine.base import Session
from hds_cli.errors import HdsError, NotUnderstood, ScriptEnded
from hds_cli.threads import in_daemon
from hds_cli.types import Page, Passage, Section, Usage

AT_ONCE = 3
MOST = 6
"""Sections of a report, unless another number is asked for."""


async def report(
    place: Desk,
    question: str,
    emit: events.Emit,
    *,
    most: int = MOST,
    attached: Sequence[Page] = (),
    stop: Stop | None = None,
    before: Begun | None = None,
    run_id: str | None = None,
) -> events.RunFinished:
    """Write a report; every event goes to `emit`, `RunFinished` last.

    Args:
        most: sections.
        before: a report that was stopped; its written sections are not asked again.
        run_id: a new one if none is given.

    Raises:
        HdsError: the model or the sources fail, for every section; or no outline can be made.
    """
    writer = _Writer(place, emit, stop or Stop(), before, most)
    return await writer.write(question, attached, run_id or new_run_id())


class _Writer:
    """Writes one report.

    Args:
        before: a report that was stopped, to go on with.
    """

    def __init__(self, place: Desk, emit: events.Emit, stop: Stop, before: Begun | None, most: int) -> None:
        self._place, self._emit, self._stop, self._before, self._most = place, hidden(emit), stop, before, most
        self._began = time.monotonic()
        self._numbers, self._turns, self._sections = Numbers(), 0, 0
        self._ends: dict[int, events.RunFinished] = dict(before.ends) if before else {}
        self._errors: list[HdsError] = []
        self._planning = Tally()
        self._root: Session | None = None
        self._running: list[Stop] = []

    async def write(self, question: str, attached: Sequence[Page], run_id: str) -> events.RunFinished:
        """Outline, sections, sources."""
        settings, place = self._place.settings, self._place
        parts_of = {"run_id": run_id, "question": question, "model": place.model.info, "offline": settings.offline}
        self._say(
            events.RunStarted, **parts_of, sources=place.names, seed=settings.seed, started_at=_now(),
            settings=shaping(settings), resumes=self._before.run_id if self._before else None, sections=self._most,
        )  # fmt: skip
        self._began -= self._before.elapsed if self._before else 0.0
        self._stop.abort = self._stop_all
        alarm = asyncio.get_running_loop().call_later(settings.timeout or 1e9, self._stop.request, "timeout")
        try:
            sections = await self._outline(question, attached)
            await self._research(question, sections, attached or (self._before.documents if self._before else ()))
        except HdsError as exc:
            self._finish(Verdict("failed", exc.exit_code, exc.error_code, explanation=exc.message))
            raise
        finally:
            alarm.cancel()
            if self._root is not None:
                self._root.close()
        verdict = composed(sections, self._ends, self._stop.reason)
        if error := self._error():
            self._finish(Verdict("failed", error.exit_code, error.error_code, explanation=error.message))
            raise error
        return self._finish(verdict)

    # --- the outline ---------------------------------------------------------------------------------------------

    async def _outline(self, question: str, attached: Sequence[Page]) -> Sequence[Section]:
        """The sections, as they were planned before or are planned now."""
        if self._before is not None and self._before.sections:
            for event in self._before.events:
                self._emit(event)
            self._turns = self._before.turns
            for passage in self._before.passages:
                self._numbers.keep(passage)
            return self._before.sections
        self._root = await self._place.session()
        child = self._child(self._root)
        limits = limits_of(self._place.model, self._place.settings)
        with counted_apart() as self._planning:
            parts = await self._place.parts(self._root, child, self._planning)
            try:
                passages, titles = await scouted(question, attached, parts, limits, self._numbers, self._say)
            finally:
                await parts.fanout.close()
        self._turns = 1
        sections = await self._planned(question, passages, titles)
        self._running.remove(child)
        if self._stop.reason is not None:
            return ()
        self._say(events.OutlineWritten, sections=tuple(sections))
        self._tell(sections)
        return sections

    async def _planned(self, question: str, passages: Sequence[Passage], titles: Sequence[str]) -> Sequence[Section]:
        """The sections by the model's own rule, or as the model writes them.

        Raises:
            NotUnderstood: the rule knows none.
        """
        model, settings = self._place.model, self._place.settings
        if model.spec.outline is not None:
            sections = list(model.spec.outline(question, titles, self._most))[: self._most]
            if not sections:
                raise NotUnderstood(
                    "this model cannot tell the sections of a report on that",
                    hint='hds ask --report "Norway and Sweden"   (countries), or another model: -m MODEL.gguf',
                )
            return sections
        assert self._root is not None
        aside = Aside(self._root, model.engine.chat_template(), seed=settings.seed)
        sections = await in_daemon(outline.outlined, aside, question, passages, self._most, settings.language)
        if not sections and self._stop.reason is None:
            self._notice("warning", "outline", "the model planned no sections; the question is answered as one")
            sections = [Section("Answer", question)]
        return sections

    def _tell(self, sections: Sequence[Section]) -> None:
        """The budget: what the report may take, and the options that change it."""
        settings = self._place.settings
        count = (
            "1 section" if len(sections) == 1 else f"{len(sections)} sections, {min(AT_ONCE, len(sections))} at once"
        )
        bound = f"{settings.timeout:g} s in all" if settings.timeout else "no time limit (--timeout)"
        bound += f", planned to fit {settings.budget}" if settings.budget else ""
        self._notice("info", "budget", f"{count}, up to {settings.max_turns} turns each; {bound}")

    # --- the sections --------------------------------------------------------------------------------------------

    async def _research(self, question: str, sections: Sequence[Section], attached: Sequence[Page]) -> None:
        """Research what is not written yet, several at once."""
        self._sections = len(sections)
        ruled = self._place.model.spec.outline is not None
        briefs = [""] * len(sections) if ruled else outline.briefs(question, sections)

        async def write(number: int) -> None:
            if self._stop.reason is None:
                await self._section(number, sections[number - 1], briefs[number - 1], attached)

        await each([n for n in range(1, len(sections) + 1) if n not in self._ends], write, AT_ONCE)

    async def _section(self, number: int, section: Section, brief: str, attached: Sequence[Page]) -> None:
        """One section: a run of its own. What goes wrong in it does not end the others."""
        session = await in_daemon(self._root.fork) if self._root is not None else await self._place.session()
        stop, half = self._child(session), self._before.halves.get(number) if self._before else None
        if half is None:
            self._say(events.SectionStarted, section=number)
        part = Part(self._numbers, session, graded, brief, budget=self._budget())
        stream = _Stream(self, number, section.title)
        try:
            await self._place.answer(
                section.question,
                stream.handle,
                attached=() if half else attached,
                stop=stop,
                before=half,
                part=part,
            )
        except HdsError as exc:
            self._errors.append(exc)
        finally:
            self._running.remove(stop)

    def _budget(self) -> Allowance | None:
        """The part of the report's budget for a section that begins now: those that are still to come get as much."""
        budget = Allowance.of(self._place.settings.budget)
        spent = sum(end.usage.evaluated_tokens for end in self._ends.values())
        left = self._sections - len(self._ends)
        return budget and budget.share(taken=self._t, spent=spent, left=left, at_once=AT_ONCE)

    def _error(self) -> HdsError | None:
        """The error of a report of which nothing could be written; or of one whose script is too short."""
        if any(isinstance(error, ScriptEnded) for error in self._errors):
            return next(error for error in self._errors if isinstance(error, ScriptEnded))
        return self._errors[0] if self._errors and all(end.status == "failed" for end in self._ends.values()) else None

    def turn(self) -> int:
        """The number of the next turn of the report."""
        self._turns += 1
        return self._turns

    def ended(self, section: int, end: events.RunFinished) -> None:
        """A section has its end."""
        self._ends[section] = end
        self._say(events.SectionFinished, section=section, end=end)

    def passed(self, event: events.Event) -> None:
        """An event of a section, at the time of the report."""
        self._emit(replace(event, t=self._t))

    def _child(self, session: Session) -> Stop:
        """A stop that stops with the report's."""
        child = Stop()
        child.abort = session.abort
        self._running.append(child)
        if self._stop.reason is not None:
            child.request(self._stop.reason)
        return child

    def _stop_all(self) -> None:
        for child in tuple(self._running):
            child.request(str(self._stop.reason))

    # --- the end -------------------------------------------------------------------------------------------------

    def _finish(self, verdict: Verdict) -> events.RunFinished:
        planning = events.RunFinished(
            status="answered",
            answer=None,
            explanation=None,
            egress=hosts([self._planning]),
            usage=self._planned_usage(),
        )
        usage, egress = summed([planning, *self._ends.values()], self._t)
        left = dict.fromkeys(query for end in self._ends.values() for query in end.not_searched)
        event = events.RunFinished(
            t=self._t, finished_at=_now(), usage=usage, egress=egress, not_searched=tuple(left), **verdict.ending()
        )
        self._emit(event)
        return event

    def _planned_usage(self) -> Usage:
        if self._root is None:
            return Usage()
        counter = self._root.counter
        return Usage(counter.prompt, counter.evaluated, counter.reused, counter.generated)

    @property
    def _t(self) -> float:
        return round(time.monotonic() - self._began, 4)

    def _notice(self, level: str, code: str, message: str) -> None:
        self._say(events.Notice, level=level, code=code, message=message)

    def _say(self, kind: Any, **values: Any) -> None:
        self._emit(kind(t=self._t, **values))


class _Stream:
    """Hands the events of a section on as events of the report: its turns counted with all others, its ends named."""

    def __init__(self, writer: _Writer, section: int, title: str) -> None:
        self._writer, self._section, self._title = writer, section, title
        self._turns: dict[int, int] = {}

    def handle(self, event: events.Event) -> None:
        match event:
            case events.RunStarted():
                return
            case events.RunFinished():
                self._writer.ended(self._section, event)
                return
            case events.TurnStarted():
                self._turns[event.turn] = self._writer.turn()
                event = replace(event, section=self._section)
            case events.Notice():
                event = replace(event, message=f"{self._title}: {event.message}")
            case events.AnswerDelta() | events.DocumentAttached():
                event = replace(event, section=self._section)
            case _:
                pass
        if (turn := getattr(event, "turn", 0)) in self._turns:
            event = at_turn(event, self._turns[turn])
        self._writer.passed(event)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


__all__ = ["AT_ONCE", "MOST", "report"]
