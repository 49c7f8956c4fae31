"""A run of several parts, each a run of its own: one stream of events, whose turns are counted together."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hds_cli import events
from hds_cli.agent.allowance import Allowance
from hds_cli.agent.evidence import Numbers
from hds_cli.agent.loop import Stop, now
from hds_cli.agent.sections import Begun, at_turn
from hds_cli.agent.tried import Tried
from hds_cli.config import shaping
from hds_cli.desk.desk import Desk, hidden
from hds_cli.engine.base import Counter
from hds_cli.errors import HdsError, ScriptEnded
from hds_cli.types import Egress, Usage


class Joined:
    """What the whole keeps of its parts: their ends by their numbers, and the numbers of turns and passages."""

    def __init__(self, place: Desk, emit: events.Emit, stop: Stop) -> None:
        self._place, self._emit, self._stop = place, hidden(emit), stop
        self._began, self._turns = time.monotonic(), 0
        self._numbers, self._errors = Numbers(), list[HdsError]()
        self._ends: dict[int, events.RunFinished] = {}

    def _start(self, run_id: str, question: str, **kind: Any) -> None:
        """Tell what begins. `kind`: what tells such a run from another."""
        settings, place = self._place.settings, self._place
        started = events.RunStarted(
            t=0.0, run_id=run_id, question=question, sources=place.names, model=place.model.info,
            offline=settings.offline, seed=settings.seed, started_at=now(), settings=shaping(settings), **kind,
        )  # fmt: skip
        self._emit(started)  # at 0, since what is restored has the times of the run before

    def _restore(self, before: Begun | Tried) -> None:
        """Go on with a run that was stopped: what it came to happened already."""
        self._began -= before.elapsed
        self._ends |= before.ends
        self._turns = before.turns
        for event in before.events:
            self._emit(event)
        for passage in before.passages:
            self._numbers.keep(passage)

    def _share(self, count: int, at_once: int) -> Allowance | None:
        """The part of the budget for one of `count` that begins now: those that are still to come get as much."""
        budget = Allowance.of(self._place.settings.budget)
        spent = sum(end.usage.evaluated_tokens for end in self._ends.values())
        return budget and budget.share(taken=self._t, spent=spent, left=count - len(self._ends), at_once=at_once)

    def _error(self, *, failed: bool) -> HdsError | None:
        """The error of the whole: a script that is too short; or, where nothing came of it, that of its first part."""
        short = next((error for error in self._errors if isinstance(error, ScriptEnded)), None)
        return short or (self._errors[0] if self._errors and failed else None)

    def turn(self) -> int:
        """The number of the next turn."""
        self._turns += 1
        return self._turns

    def passed(self, event: events.Event) -> None:
        """An event of a part, at the time of the whole."""
        self._emit(replace(event, t=self._t))

    def ended(self, number: int, end: events.RunFinished) -> None:
        """A part has its end."""
        raise NotImplementedError

    @property
    def _t(self) -> float:
        return round(time.monotonic() - self._began, 4)

    def _notice(self, level: str, code: str, message: str) -> None:
        self._say(events.Notice, level=level, code=code, message=message)

    def _say(self, kind: Any, **values: Any) -> None:
        self._emit(kind(t=self._t, **values))


class Stream:
    """Hands the events of a part on as events of the whole: its turns counted with all others, what it notes named."""

    def __init__(self, whole: Joined, number: int, name: str) -> None:
        self._whole, self._number, self._name = whole, number, name
        self._turns: dict[int, int] = {}

    def handle(self, event: events.Event) -> None:
        match event:
            case events.RunStarted():
                return
            case events.RunFinished():
                self._whole.ended(self._number, event)
                return
            case events.TurnStarted():
                self._turns[event.turn] = self._whole.turn()
                event = replace(event, section=self._number)
            case events.Notice():
                event = replace(event, message=f"{self._name}: {event.message}")
            case events.AnswerDelta() | events.DocumentAttached():
                event = replace(event, section=self._number)
            case _:
                pass
        if (turn := getattr(event, "turn", 0)) in self._turns:
            event = at_turn(event, self._turns[turn])
        self._whole.passed(event)


def common(counter: Counter | None, egress: Sequence[Egress] = ()) -> events.RunFinished:
    """What was evaluated for all parts, as the end of one."""
    counter = counter or Counter()
    usage = Usage(counter.prompt, counter.evaluated, counter.reused, counter.generated)
    return events.RunFinished(status="answered", answer=None, explanation=None, egress=tuple(egress), usage=usage)


__all__ = ["Joined", "Stream", "common"]
