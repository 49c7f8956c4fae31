"""One question with Ctrl-C, SIGTERM and a failing output watched."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass

from hds_cli import events
from hds_cli.agent.earlier import Earlier, Resumed
from hds_cli.agent.loop import Stop
from hds_cli.config import Settings
from hds_cli.desk.desk import desk, warnings
from hds_cli.engine.base import ModelSpec
from hds_cli.errors import HdsError
from hds_cli.types import Page


@dataclass
class Request:
    """What is asked: the question, a document along with it, and what was said before the model was loaded."""

    question: str
    attached: Page | None
    spec: ModelSpec
    notices: tuple[events.Notice, ...] = ()
    before: Earlier | Resumed | None = None


class _Signals:
    """Ctrl-C and SIGTERM while a run goes on: the first Ctrl-C asks for the answer so far, all else ends at once."""

    def __init__(self, stop: Stop, emit: events.Emit, on_leave: Callable[[], None]) -> None:
        self._stop, self._emit, self._on_leave = stop, emit, on_leave
        self.running = False  # before the run there is no answer to give

    def watch(self) -> None:
        if os.name != "posix":
            return  # KeyboardInterrupt it is, on Windows
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGINT, self._interrupt)
        loop.add_signal_handler(signal.SIGTERM, self._leave, 143)

    def _interrupt(self) -> None:
        if self._stop.reason is not None or not self.running:
            self._leave(130)
        self._stop.request("interrupted")
        self._emit(
            events.Notice(level="warning", code="interrupted", message="stopping; the answer so far (again: quit)")
        )

    def _leave(self, code: int) -> None:
        self._on_leave()
        _leave(code)


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
    request: Request, settings: Settings, emit: events.Emit, on_leave: Callable[[], None], run_id: str | None = None
) -> events.RunFinished:
    """Answer one question with Ctrl-C and SIGTERM watched; every event goes to `emit`, `RunFinished` last.

    Args:
        on_leave: called before the process ends because of a second Ctrl-C or SIGTERM; puts the terminal right.

    Raises:
        HdsError: what stands in the way.
        OSError: from `emit`; the run is given up.
    """
    gate = _Gate(emit)
    try:
        finished = await _answered(request, settings, gate.handle, on_leave, run_id)
    except (asyncio.CancelledError, HdsError):
        if gate.error is not None:
            raise gate.error from None
        raise
    if gate.error is not None:
        raise gate.error
    return finished


async def _answered(
    request: Request, settings: Settings, emit: events.Emit, on_leave: Callable[[], None], run_id: str | None
) -> events.RunFinished:
    stop = Stop()
    signals = _Signals(stop, emit, on_leave)
    signals.watch()
    async with desk(request.spec, settings) as place:
        for notice in (*request.notices, *warnings(place.model, settings)):
            emit(notice)
        signals.running = True
        return await place.answer(
            request.question, emit, attached=request.attached, stop=stop, before=request.before, run_id=run_id
        )


def hold_interrupts() -> None:
    """Ctrl-C does nothing, for the moment that it takes to tidy up."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def quit_on_interrupt() -> None:
    """Ctrl-C ends the process at once, as long as no run watches for it: nothing is lost, and nothing is traced."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, lambda *_: _leave(130))


def _leave(code: int) -> None:
    """End at once: threads in llama.cpp or in a name look-up must not hold the prompt."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            continue
    os._exit(code)


__all__ = ["Request", "hold_interrupts", "quit_on_interrupt", "research"]
