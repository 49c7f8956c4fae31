"""One question with Ctrl-C, SIGTERM and a failing output watched."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from hds_cli import events
from hds_cli.agent.earlier import Earlier, Resumed
from hds_cli.agent.loop import Stop
from hds_cli.config import Settings
from hds_cli.desk.desk import desk, warnings
from hds_cli.engine.base import ModelSpec
from hds_cli.errors import HdsError
from hds_cli.interrupts import Interrupts
from hds_cli.types import Page


@dataclass
class Request:
    """What is asked: the question, documents along with it, and what was said before the model was loaded."""

    question: str
    attached: Sequence[Page]
    spec: ModelSpec
    notices: tuple[events.Notice, ...] = ()
    before: Earlier | Resumed | None = None


class _Gate:
    """Hands events on until the output fails; then the task is cancelled, wherever it is, and `error` says why.

    An event may come from a callback of the loop, where an exception would go to the log and not end the run.
    """

    def __init__(self, then: events.Emit) -> None:
        self._then, self._task = then, asyncio.current_task()
        self.error: OSError | None = None

    def handle(self, event: events.Event) -> None:
        if self.error is not None:
            return
        try:
            self._then(event)
        except OSError as exc:
            self.error = exc
            if self._task is not None:
                self._task.cancel()


async def research(
    request: Request, settings: Settings, emit: events.Emit, interrupts: Interrupts, run_id: str | None = None
) -> events.RunFinished:
    """Answer one question with Ctrl-C and SIGTERM watched; every event goes to `emit`, `RunFinished` last.

    Raises:
        HdsError: what stands in the way.
        OSError: from `emit`; the run is given up.
    """
    gate = _Gate(emit)
    try:
        finished = await _answered(request, settings, gate.handle, interrupts, run_id)
    except (asyncio.CancelledError, HdsError):
        if gate.error is not None:
            raise gate.error from None
        raise
    if gate.error is not None:
        raise gate.error
    return finished


async def _answered(
    request: Request, settings: Settings, emit: events.Emit, interrupts: Interrupts, run_id: str | None
) -> events.RunFinished:
    stop = Stop()

    def interrupted() -> None:
        stop.request("interrupted")
        emit(events.Notice(level="warning", code="interrupted", message="stopping; the answer so far (again: quit)"))

    async with desk(request.spec, settings) as place:
        for notice in (*request.notices, *warnings(place.model, settings)):
            emit(notice)
        with interrupts.running(interrupted):
            return await place.answer(
                request.question, emit, attached=request.attached, stop=stop, before=request.before, run_id=run_id
            )


__all__ = ["Request", "research"]
