"""Several tries at one question: runs with other seeds, and the answer on which most agree. Nothing here is in a loop.

The tries are sessions of one decoder, over the same pages, whose passages have the same numbers; the text before the
first turn is evaluated once for all. Their events become one stream, whose turns name their try. Once the rest cannot
change the answer, it ends.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from hds_cli import events
from hds_cli.agent import votes
from hds_cli.agent.allowance import Allowance
from hds_cli.agent.earlier import Earlier
from hds_cli.agent.evidence import Numbers
from hds_cli.agent.loop import Stop
from hds_cli.agent.sections import at_turn, summed
from hds_cli.agent.tried import Tried
from hds_cli.agent.verdict import unanswered
from hds_cli.config import shaping
from hds_cli.desk.batch import each
from hds_cli.desk.desk import Desk, Part, hidden, new_run_id
from hds_cli.egress import counted_apart
from hds_cli.engine.base import Counter, Session
from hds_cli.engine.beginning import Beginning
from hds_cli.errors import HdsError, ScriptEnded
from hds_cli.threads import in_daemon
from hds_cli.types import Page, Usage

AT_ONCE = 3
MOST = 16
NOT_NEEDED = "not_needed"
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


class _Trying:
    """Makes the tries at one question."""

    def __init__(
        self, place: Desk, question: str, emit: events.Emit, stop: Stop, tries: int, before: Earlier | Tried | None
    ) -> None:
        self._place, self._question, self._emit, self._stop = place, question, hidden(emit), stop
        self._count, self._before = tries, before
        self._earlier = before.continued if isinstance(before, Tried) else before
        done = before if isinstance(before, Tried) else None
        self._ends: dict[int, events.RunFinished] = dict(done.ends) if done else {}
        self._turns = done.turns if done else 0
        self._began = time.monotonic() - (done.elapsed if done else 0.0)
        self._numbers, self._errors = Numbers(), list[HdsError]()
        self._running: dict[int, tuple[Stop, Session]] = {}
        self._shared: Counter | None = None
        self._active: set[int] = set()
        self._given: list[events.Event] = []
        self._changed = asyncio.Event()
        self._enough = False

    async def answer(self, attached: Sequence[Page], run_id: str) -> events.RunFinished:
        """All tries, and the answer of most."""
        settings, place, done = self._place.settings, self._place, self._before
        self._say(
            events.RunStarted, run_id=run_id, question=self._question, sources=place.names, model=place.model.info,
            offline=settings.offline, seed=settings.seed, started_at=_now(), settings=shaping(settings),
            continues=done.run_id if isinstance(done, Earlier) else None,
            resumes=done.run_id if isinstance(done, Tried) else None, tries=self._count,
        )  # fmt: skip
        if settings.ledger != "off":
            said = "the tries go without a ledger, which watches one run"
            self._say(events.Notice, level="warning", code="ledger", message=said)
        if isinstance(done, Tried):
            for event in done.events:
                self._emit(event)
            self._given += [e for e in done.events if isinstance(e, events.RunContinued | events.DocumentAttached)]
        for passage in done.passages if done else ():
            self._numbers.keep(passage)
        attached = attached or (self._before.documents if isinstance(self._before, Tried) else ())
        self._stop.abort = self._stop_all
        alarm = asyncio.get_running_loop().call_later(settings.timeout or 1e9, self._stop.request, "timeout")
        root: Session | None = None
        try:
            root = begun = await self._place.session()
            await self._begin(begun, attached)
            at_once = min(AT_ONCE, votes.least_needed(self._count))
            left = [n for n in range(1, self._count + 1) if n not in self._ends]
            await each(left, lambda number: self._try(number, begun, attached), at_once)
        except HdsError as exc:
            self._say(
                events.RunFinished, finished_at=_now(), status="failed", answer=None, explanation=exc.message,
                exit_code=exc.exit_code, reason=exc.error_code, usage=summed([self._common()], self._t)[0],
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
            part = Part(self._numbers, session, changes=self._changes(number), budget=self._budget())
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

    def _budget(self) -> Allowance | None:
        """The part of the budget for a try that begins now: those that are still to come get as much."""
        budget = Allowance.of(self._place.settings.budget)
        spent = sum(end.usage.evaluated_tokens for end in self._ends.values())
        at_once = min(AT_ONCE, votes.least_needed(self._count))
        left = self._count - len(self._ends)
        return budget and budget.share(taken=self._t, spent=spent, left=left, at_once=at_once)

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

    def turn(self) -> int:
        """The number of the next turn."""
        self._turns += 1
        return self._turns

    def passed(self, event: events.Event) -> None:
        """An event of a try, at the time of the run."""
        self._emit(replace(event, t=self._t))

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
        usage, egress = summed([*self._ends.values(), self._common()], self._t)
        error = self._error(chosen)
        if agreed is not None:
            self._tell(agreed.agree, agreed.of, votes.others(whole, self._question))
        end = replace(chosen, t=self._t, finished_at=_now(), usage=usage, egress=egress, agreement=agreed)
        self._emit(end)
        if error is not None:
            raise error
        return end

    def _common(self) -> events.RunFinished:
        """What was evaluated for all tries, as the end of a run."""
        counter = self._shared or Counter()
        usage = Usage(counter.prompt, counter.evaluated, counter.reused, counter.generated)
        return events.RunFinished(status="answered", answer=None, explanation=None, usage=usage)

    def _error(self, chosen: events.RunFinished) -> HdsError | None:
        if short := next((error for error in self._errors if isinstance(error, ScriptEnded)), None):
            return short
        return self._errors[0] if self._errors and chosen.status == "failed" else None

    def _tell(self, agree: int, of: int, others: Sequence[str]) -> None:
        """A warning where no more than half of the tries agree."""
        if 2 * agree <= of and of > 1:
            rest = "; ".join(" ".join(other.split())[:80] for other in others[:_SHOWN])
            said = f"the tries do not agree ({agree} of {of})" + (f"; others say: {rest}" if rest else "")
            self._say(events.Notice, level="warning", code="agreement", message=said)

    @property
    def _t(self) -> float:
        return round(time.monotonic() - self._began, 4)

    def _say(self, kind: Any, **values: Any) -> None:
        self._emit(kind(t=self._t, **values))


class _Stream:
    """Hands the events of a try on as events of the run: its turns counted with all others, its end named."""

    def __init__(self, trying: _Trying, number: int) -> None:
        self._trying, self._number = trying, number
        self._turns: dict[int, int] = {}

    def handle(self, event: events.Event) -> None:
        match event:
            case events.RunStarted():
                return
            case events.RunContinued() | events.DocumentAttached():
                self._trying.given(event)
                return
            case events.RunFinished():
                self._trying.ended(self._number, event)
                return
            case events.TurnStarted():
                self._turns[event.turn] = self._trying.turn()
                event = replace(event, section=self._number)
            case events.Notice():
                if event.code == "asked_as" and self._number > 1:
                    return
                event = replace(event, message=f"try {self._number}: {event.message}")
            case events.AnswerDelta():
                event = replace(event, section=self._number)
            case _:
                pass
        if (turn := getattr(event, "turn", 0)) in self._turns:
            event = at_turn(event, self._turns[turn])
        self._trying.passed(event)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


__all__ = ["AT_ONCE", "MOST", "NOT_NEEDED", "answer"]
