"""A report: an outline, a run for each of its sections, and one list of sources. Nothing here is in the loop of a run.

The sections are researched at once, up to `AT_ONCE`: sessions of one decoder, over the same pages, whose passages have
the same numbers. Their events become one stream, whose turns name their section.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from hds_cli import events
from hds_cli.agent import outline
from hds_cli.agent.aside import Aside
from hds_cli.agent.loop import Stop, now
from hds_cli.agent.scouting import scouted
from hds_cli.agent.sections import Begun, composed, graded, summed
from hds_cli.agent.verdict import Verdict
from hds_cli.desk.batch import each
from hds_cli.desk.desk import Desk, Part, limits_of, new_run_id
from hds_cli.desk.joined import Joined, Stream, common
from hds_cli.egress import Tally, counted_apart
from hds_cli.egress import summed as hosts
from hds_cli.engine.base import Session
from hds_cli.errors import HdsError, NotUnderstood
from hds_cli.threads import in_daemon
from hds_cli.types import Page, Passage, Section

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


class _Writer(Joined):
    """Writes one report.

    Args:
        before: a report that was stopped, to go on with.
    """

    def __init__(self, place: Desk, emit: events.Emit, stop: Stop, before: Begun | None, most: int) -> None:
        super().__init__(place, emit, stop)
        self._before, self._most, self._sections = before, most, 0
        self._planning = Tally()
        self._root: Session | None = None
        self._running: list[Stop] = []

    async def write(self, question: str, attached: Sequence[Page], run_id: str) -> events.RunFinished:
        """Outline, sections, sources."""
        before = self._before
        self._start(run_id, question, resumes=before.run_id if before else None, sections=self._most)
        if before is not None:
            self._restore(before)
        self._stop.abort = self._stop_all
        most = self._place.settings.timeout or 1e9
        alarm = asyncio.get_running_loop().call_later(most, self._stop.request, "timeout")
        try:
            sections = await self._outline(question, attached)
            await self._research(question, sections, attached or (before.documents if before else ()))
        except HdsError as exc:
            self._finish(Verdict("failed", exc.exit_code, exc.error_code, explanation=exc.message))
            raise
        finally:
            alarm.cancel()
            if self._root is not None:
                self._root.close()
        verdict = composed(sections, self._ends, self._stop.reason)
        if error := self._error(failed=all(end.status == "failed" for end in self._ends.values())):
            self._finish(Verdict("failed", error.exit_code, error.error_code, explanation=error.message))
            raise error
        return self._finish(verdict)

    # --- the outline ---------------------------------------------------------------------------------------------

    async def _outline(self, question: str, attached: Sequence[Page]) -> Sequence[Section]:
        """The sections, as they were planned before or are planned now."""
        if self._before is not None and self._before.sections:
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
        part = Part(self._numbers, session, graded, brief, budget=self._share(self._sections, AT_ONCE))
        stream = Stream(self, number, section.title)
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

    def ended(self, number: int, end: events.RunFinished) -> None:
        """A section has its end."""
        self._ends[number] = end
        self._say(events.SectionFinished, section=number, end=end)

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
        planning = common(self._root.counter if self._root else None, hosts([self._planning]))
        usage, egress = summed([planning, *self._ends.values()], self._t)
        left = dict.fromkeys(query for end in self._ends.values() for query in end.not_searched)
        event = events.RunFinished(
            t=self._t, finished_at=now(), usage=usage, egress=egress, not_searched=tuple(left), **verdict.ending()
        )
        self._emit(event)
        return event


__all__ = ["AT_ONCE", "MOST", "report"]
