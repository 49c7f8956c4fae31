"""One question with Ctrl-C, SIGTERM and a failing output watched."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from hds_cli import events
from hds_cli.agent.earlier import Earlier, Resumed
from hds_cli.agent.loop import Stop
from hds_cli.agent.sections import Begun
from hds_cli.agent.tried import Tried
from hds_cli.config import Settings
from hds_cli.desk import tries
from hds_cli.desk.desk import Desk, desk, warnings
from hds_cli.desk.report import AT_ONCE, report
from hds_cli.engine.base import ModelSpec
from hds_cli.errors import HdsError
from hds_cli.interrupts import Interrupts
from hds_cli.types import Page


@dataclass
class Request:
    """A request: the question, its documents, and the notices from before the model was loaded.

    `sections`: a report of at most so many; 0: an answer. `tries`: more than one, and the answer is that of most. A
    report or tries that were stopped are gone on with at any rate.
    """

    question: str
    attached: Sequence[Page]
    spec: ModelSpec
    notices: tuple[events.Notice, ...] = ()
    before: Earlier | Resumed | Begun | Tried | None = None
    sections: int = 0
    tries: int = 1


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
    """Open a desk and answer one question at it, see `answer_at`.

    Raises:
        HdsError: what stands in the way.
        OSError: from `emit`; the run is given up.
    """
    async with desk(request.spec, settings, jobs=_jobs(request)) as place:
        return await answer_at(place, request, settings, emit, interrupts, run_id)


async def answer_at(
    place: Desk,
    request: Request,
    settings: Settings,
    emit: events.Emit,
    interrupts: Interrupts,
    run_id: str | None = None,
) -> events.RunFinished:
    """Answer one question with Ctrl-C and SIGTERM watched; every event goes to `emit`, `RunFinished` last.

    Args:
        run_id: of the journal that keeps the run; None: none does.

    Raises:
        HdsError: what stands in the way.
        OSError: from `emit`; the run is given up.
    """
    gate, stop = _Gate(emit), Stop()

    def interrupted() -> None:
        stop.request("interrupted")
        gate.handle(
            events.Notice(level="warning", code="interrupted", message="stopping; the answer so far (again: quit)")
        )

    try:
        for notice in (*request.notices, *warnings(place.model, settings)):
            gate.handle(notice)
        with interrupts.running(interrupted):
            finished = await _written(place, request, gate.handle, stop, run_id)
    except (asyncio.CancelledError, HdsError):
        if gate.error is not None:
            raise gate.error from None
        raise
    if gate.error is not None:
        raise gate.error
    return finished


def _jobs(request: Request) -> int | None:
    """Runs at once, for a model so small that what else is in a batch changes its answers; None: it is able."""
    if request.spec.outline is None:
        return None
    if request.sections or isinstance(request.before, Begun):
        return AT_ONCE
    return tries.AT_ONCE + 1 if request.tries > 1 or isinstance(request.before, Tried) else None  # one they begin from


async def _written(
    place: Desk, request: Request, emit: events.Emit, stop: Stop, run_id: str | None
) -> events.RunFinished:
    """The answer, or the report that was asked for."""
    before = request.before
    if isinstance(before, Begun):
        return await report(
            place, request.question, emit, most=before.most, attached=request.attached, stop=stop, before=before,
            run_id=run_id,
        )  # fmt: skip
    if request.sections:
        return await report(
            place, request.question, emit, most=request.sections, attached=request.attached, stop=stop, run_id=run_id
        )
    if isinstance(before, Tried) or request.tries > 1:
        count = before.tries if isinstance(before, Tried) else request.tries
        assert not isinstance(before, Resumed)
        return await tries.answer(
            place,
            request.question,
            emit,
            tries=count,
            attached=request.attached,
            stop=stop,
            before=before,
            run_id=run_id,
        )
    return await place.answer(
        request.question, emit, attached=request.attached, stop=stop, before=before, run_id=run_id,
        resumable=run_id is not None,
    )  # fmt: skip


def notices(spec: ModelSpec, settings: Settings) -> tuple[events.Notice, ...]:
    """The notice of a model that is used without having been chosen."""
    if spec.notice and settings.model is None:
        return (events.Notice(level="warning", code=spec.name, message=spec.notice),)
    return ()


__all__ = ["Request", "answer_at", "notices", "research"]
