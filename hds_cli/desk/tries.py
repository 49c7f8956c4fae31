"""Several tries at one question: runs with other seeds, and the answer on which most agree. Nothing here is in a loop.

The tries are sessions of one decoder, over the same pages, whose passages have the same numbers; the text before the
first turn is evaluated once for all. Their events become one stream, whose turns name their try. Once the rest cannot
change the answer, it ends.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hds_cli import events
from hds_cli.agent import votes
from hds_cli.agent.earlier import Earlier
from hds_cli.agent.loop import Stop, now
from hds_cli.agent.sections import summed
from hds_cli.agent.tried import Tried
from hds_cli.agent.verdict import unanswered
from hds_cli.desk.batch import each
from hds_cli.desk.desk import Desk, Part, new_run_id
from hds_cli.desk.joined import Joined, Stream, common
from hds_cli.egress import counted_apart
from hds_cli.engine.base import Counter, Session
from hds_cli.engine.beginning import Beginning
from hds_cli.errors import HdsError
from hds_cli.run_state import NOT_NEEDED
from hds_cli.threads import in_daemon
from hds_cli.types import Page

AT_ONCE = 3
MOST = 16
_WARM = 0.7  # temperature of the tries after the first where the model takes the likeliest word: they would be equal
_APART = 100_000  # between the seeds of two tries: each turn of a try has the next seed
_SHOWN = 3  # other answers that are named


async def answer(
    place: Desk,
    question: str,
    emit: events.Emit,
    *,
    tries: int,
    attached: Sequence[Page] = (),
    stop: Stop | None = None,
    before: Earlier | Tried | None = None,
    run_id: str | None = None,
) -> events.RunFinished:
    """Answer a question by the majority of several tries; every event goes to `emit`, `RunFinished` last.

    Args:
        tries: at most so many; those that cannot change the answer are not made.
        before: a run to go on from, or one of several tries that was stopped: those that ended are not made again.
        run_id: a new one if none is given.

    Raises:
        HdsError: no try came to an end without an error.
    """
    trying = _Trying(place, question, emit, stop or Stop(), tries, before)
    return await trying.answer(attached, run_id or new_run_id())


class _Trying(Joined):
    """Makes the tries at one question."""

    def __init__(
        self, place: Desk, question: str, emit: events.Emit, stop: Stop, tries: int, before: Earlier | Tried | None
    ) -> None:
        super().__init__(place, emit, stop)
        self._question, self._count, self._before = question, tries, before
        self._at_once = min(AT_ONCE, votes.least_needed(tries))
        self._earlier = before.continued if isinstance(before, Tried) else before
        self._running: dict[int, tuple[Stop, Session]] = {}
        self._shared: Counter | None = None  # of what all tries begin with
        self._active: set[int] = set()
        self._given: list[events.Event] = []
        self._changed = asyncio.Event()
        self._enough = False

    async def answer(self, attached: Sequence[Page], run_id: str) -> events.RunFinished:
        """All tries, and the answer of most."""
        settings, before = self._place.settings, self._before
        self._start(
            run_id, self._question, continues=before.run_id if isinstance(before, Earlier) else None,
            resumes=before.run_id if isinstance(before, Tried) else None, tries=self._count,
        )  # fmt: skip
        if settings.ledger != "off":
            self._notice("warning", "ledger", "the tries go without a ledger, which watches one run")
        if isinstance(before, Tried):
            self._restore(before)
            self._given += [e for e in before.events if isinstance(e, events.RunContinued | events.DocumentAttached)]
            attached = attached or before.documents
        elif before is not None:
            for passage in before.passages:
                self._numbers.keep(passage)
        self._stop.abort = self._stop_all
        alarm = asyncio.get_running_loop().call_later(settings.timeout or 1e9, self._stop.request, "timeout")
        root: Session | None = None
        try:
            root = begun = await self._place.session()
            await self._begin(begun, attached)
            left = [n for n in range(1, self._count + 1) if n not in self._ends]
            await each(left, lambda number: self._try(number, begun, attached), self._at_once)
        except HdsError as exc:
            self._say(
                events.RunFinished, finished_at=now(), status="failed", answer=None, explanation=exc.message,
                exit_code=exc.exit_code, reason=exc.error_code, usage=summed([common(self._shared)], self._t)[0],
            )  # fmt: skip
            raise
        finally:
            alarm.cancel()
            if root is not None:
                root.close()
        return self._finish()

    async def _begin(self, root: Session, attached: Sequence[Page]) -> None:
        """Read the common beginning of the tries into the session that they begin from; none where more is read."""
        if attached or self._earlier is not None or self._place.model.info.engine != "llama_cpp":
            return
        self._stop.abort = root.abort
        if self._stop.reason is not None:
            return
        with counted_apart() as contacted:
            parts = await self._place.parts(root, self._stop, contacted)
        await in_daemon(parts.dialect.start, self._question, [])
        await in_daemon(lambda: root.generate(max_tokens=1))
        self._shared = root.counter
        self._stop.abort = self._stop_all

    async def _try(self, number: int, root: Session, attached: Sequence[Page]) -> None:
        """One try: a run of its own. What goes wrong in it does not end the others."""
        await self._needed()
        if self._enough or self._stop.reason is not None:
            return
        self._active.add(number)
        stream = _Stream(self, number)
        try:
            fork = await in_daemon(root.fork)
            if self._enough or self._stop.reason is not None:  # it was not among the running ones that are stopped
                fork.close()
                return
            session: Session = fork if self._shared is None else Beginning(fork)
            stop = Stop()
            self._running[number] = stop, session
            part = Part(
                self._numbers, session, changes=self._changes(number), budget=self._share(self._count, self._at_once)
            )
            await self._place.answer(
                self._question, stream.handle, attached=attached, stop=stop, before=self._earlier, part=part
            )
        except HdsError as exc:
            self._errors.append(exc)
            failed = events.RunFinished(
                status="failed", answer=None, explanation=exc.message, exit_code=exc.exit_code, reason=exc.error_code
            )
            self.ended(number, failed)
        finally:
            self._running.pop(number, None)
            self._active.discard(number)
            self._changed.set()

    async def _needed(self) -> None:
        """Until another try is needed beside those that are made: all of them together may decide, or not."""
        while not self._enough and self._stop.reason is None:
            ranked = votes.groups(self._ends, self._question)
            wanted = votes.least_needed(self._count) - (len(ranked[0]) if ranked else 0)
            if len(self._active) < max(1, wanted):
                return
            self._changed.clear()
            await self._changed.wait()

    def _changes(self, number: int) -> dict[str, Any]:
        """The settings of a try that are not those of the first: its seed, and a temperature that lets it differ."""
        settings, spec = self._place.settings, self._place.model.spec
        changes: dict[str, Any] = {"seed": self._seed(number), "timeout": None}
        if number > 1 and settings.temperature is None and spec.temperature == 0:
            changes["temperature"] = _WARM
        return changes

    def _seed(self, number: int) -> int:
        """The seed of a try: that of the settings for the first, and none that another's turns have."""
        return self._place.settings.seed + _APART * (number - 1)

    # --- what the tries say --------------------------------------------------------------------------------------

    def given(self, event: events.RunContinued | events.DocumentAttached) -> None:
        """What a try was given before its first turn, which is told once; a document again where it was cut anew."""
        is_known = any(
            isinstance(known, events.RunContinued)
            if isinstance(event, events.RunContinued)
            else replace(known, t=event.t) == event
            for known in self._given
        )
        if not is_known:
            self._given.append(event)
            self.passed(event)

    def ended(self, number: int, end: events.RunFinished) -> None:
        """A try has its end; those that are still made are ended when they cannot change the answer."""
        if number in self._ends:
            return
        self._ends[number] = end
        self._say(events.TryFinished, number=number, seed=self._seed(number), end=end)
        left = self._count - len(self._ends)
        if not self._enough and votes.decided(self._ends, self._question, left):
            self._enough = True
            self._end_the_rest(NOT_NEEDED)

    def _end_the_rest(self, reason: str) -> None:
        """End what is still being tried, without an answer of its own."""
        for stop, session in tuple(self._running.values()):
            stop.request(reason)
            session.close()

    def _stop_all(self) -> None:
        """Stop: with an answer that has a ground nothing more is written, else every try answers with what it has."""
        reason = str(self._stop.reason)
        self._changed.set()
        if votes.groups(self._ends, self._question):
            self._end_the_rest(reason)
        for stop, _ in tuple(self._running.values()):
            stop.request(reason)

    # --- the end -------------------------------------------------------------------------------------------------

    def _finish(self) -> events.RunFinished:
        """The end of the run.

        Raises:
            HdsError: every try failed, or the script of a scripted model is too short.
        """
        whole = {n: end for n, end in self._ends.items() if end.reason != NOT_NEEDED}
        agreed = votes.agreement(whole, self._question, self._count)
        stopped = self._stop.reason
        chosen = whole[agreed.shown] if agreed else votes.first_end(whole.values())
        if chosen is None:
            status, code = unanswered(stopped)
            chosen = events.RunFinished(status=status, answer=None, explanation=None, exit_code=code, reason=stopped)
        elif stopped:
            chosen = replace(chosen, status="partial", exit_code=6, reason=stopped)
        usage, egress = summed([*self._ends.values(), common(self._shared)], self._t)
        error = self._error(failed=chosen.status == "failed")
        if agreed is not None:
            self._tell(agreed.agree, agreed.of, votes.others(whole, self._question))
        end = replace(chosen, t=self._t, finished_at=now(), usage=usage, egress=egress, agreement=agreed)
        self._emit(end)
        if error is not None:
            raise error
        return end

    def _tell(self, agree: int, of: int, others: Sequence[str]) -> None:
        """A warning where no more than half of the tries agree."""
        if 2 * agree <= of and of > 1:
            rest = "; ".join(" ".join(other.split())[:80] for other in others[:_SHOWN])
            said = f"the tries do not agree ({agree} of {of})" + (f"; others say: {rest}" if rest else "")
            self._notice("warning", "agreement", said)


class _Stream(Stream):
    """Of a try: what it was given is told once, and so is what the question was asked as."""

    def __init__(self, trying: _Trying, number: int) -> None:
        super().__init__(trying, number, f"try {number}")
        self._trying = trying

    def handle(self, event: events.Event) -> None:
        if isinstance(event, events.RunContinued | events.DocumentAttached):
            self._trying.given(event)
        elif not (isinstance(event, events.Notice) and event.code == "asked_as" and self._number > 1):
            super().handle(event)


__all__ = ["AT_ONCE", "MOST", "NOT_NEEDED", "answer"]
