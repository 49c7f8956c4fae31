"""Ctrl-C and SIGTERM, heeded whatever the command does just then.

A signal reaches two ears: a thread that waits at the wakeup file descriptor (see Python's `signal`), for a main thread
that is inside a C call, and the handler in the main thread, for one that computes and lets no thread run. Whichever is
first takes it. Only C code that neither looks for signals nor lets threads run stays unheard.
"""

from __future__ import annotations

import contextlib
import contextvars
import os
import select
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import asyncio

_PATIENCE = 0.2  # seconds in which a loop that is not blocked has answered; asked for as long until the run ends
_FAREWELL = 0.3  # seconds for the terminal to be put right before the process ends
_farewells: list[Callable[[], object]] = []


def before_leaving(call: Callable[[], object]) -> None:
    """`call` is called when a signal ends this process, which runs no `finally`."""
    _farewells.append(call)


class Interrupts:
    """A context that watches Ctrl-C and SIGTERM; one inside another takes over until it ends.

    Args:
        raising: the first Ctrl-C raises `KeyboardInterrupt`, so that a command can put right what it has begun; else
            there is nothing to put right, and it ends the process. The second ends the process at any rate.

    Inside `running` the first Ctrl-C asks for the answer so far. On Windows nothing is watched, and Ctrl-C is the
    `KeyboardInterrupt` it always was.
    """

    def __init__(self, *, raising: bool = False) -> None:
        self._raising = raising
        self._state: Literal["idle", "run", "stopping", "held"] = "idle"
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: Callable[[], None] = lambda: None
        self._heard = threading.Event()
        self._context = contextvars.copy_context()
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Interrupts:
        if os.name == "posix" and threading.current_thread() is threading.main_thread():
            self._ear, self._mouth = os.pipe()
            for end in (self._ear, self._mouth):
                os.set_blocking(end, False)
            self._wakeup = signal.set_wakeup_fd(self._mouth, warn_on_full_buffer=False)
            watched = (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)  # the alarm: see `_interrupted`
            self._before = {number: signal.signal(number, self._in_main_thread) for number in watched}
            threading.Thread(target=self._listen, name="hds-signals", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        if not self._before:
            return
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.set_wakeup_fd(self._wakeup)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}
        os.close(self._mouth)  # the thread reads the end of the pipe, and ends

    @contextlib.contextmanager
    def leaving(self, then: Callable[[], None]) -> Iterator[None]:
        """While this context is open, `then` restores the terminal before a signal ends the process."""
        before_leaving(then)
        try:
            yield
        finally:
            _farewells.remove(then)

    @contextlib.contextmanager
    def running(self, stop: Callable[[], None]) -> Iterator[None]:
        """The first Ctrl-C calls `stop` in the present event loop, the second ends the process."""
        import asyncio

        self._loop, self._stop = asyncio.get_running_loop(), stop
        self._context = contextvars.copy_context()  # a signal may come inside a plugin's, whose prints go elsewhere
        self._heard.clear()
        self._state = "run"
        try:
            yield
        finally:
            self._state = "idle"
            if self._before:
                signal.setitimer(signal.ITIMER_REAL, 0)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Ctrl-C does nothing, for the moment that it takes to tidy up."""
        self._state = "held"
        try:
            yield
        finally:
            self._state = "idle"

    # --- the two ears

    def _listen(self) -> None:
        over = False
        while not over:
            select.select([self._ear], [], [])
            over = self._take()
        os.close(self._ear)

    def _take(self) -> bool:
        """Take the signals that nobody took yet; True when there will be no more."""
        try:
            numbers = os.read(self._ear, 64)
        except BlockingIOError:
            return False
        for number in numbers:
            if number == signal.SIGTERM:
                _leave(143)
            elif number == signal.SIGINT:
                self._interrupted()
        return not numbers

    def _in_main_thread(self, number: int, frame: FrameType | None) -> None:
        if self._before:
            self._take()
        if self._state != "stopping":
            return
        if self._loop is None:
            if not self._heard.is_set():
                self._heard.set()
                # Raised inside a task, it would be logged as an exception that nobody took, beside being raised.
                import logging

                logging.getLogger("asyncio").setLevel(logging.CRITICAL)
                raise KeyboardInterrupt
        elif self._heard.is_set():  # a search that was under way may block the loop after it has answered: ask again
            self._heard.clear()
            self._loop.call_soon_threadsafe(self._heard.set)
        elif _in_source(frame):
            from hds_cli.errors import SourceError

            raise SourceError("it was stopped while it held up everything else", code="interrupted")

    def _interrupted(self) -> None:
        if self._state == "run" and self._loop is not None:
            self._state = "stopping"
            self._loop.call_soon_threadsafe(self._asked_to_stop, context=self._context)
            # Until the run has ended, a source that blocks the loop is ended, then the next one. A thread cannot do it
            # while the main thread keeps the interpreter's lock.
            signal.setitimer(signal.ITIMER_REAL, _PATIENCE, _PATIENCE)
        elif self._state == "idle" and self._raising:
            self._state = "stopping"  # the handler raises
        elif self._state != "held":
            _leave(130)

    def _asked_to_stop(self) -> None:
        self._heard.set()
        self._stop()


def _in_source(frame: FrameType | None) -> bool:
    """True when the frame is in a source's code that a task of the loop runs: there an exception is that task's."""
    checked, loop = (sys.modules.get(name) for name in ("hds_cli.search.checked", "asyncio.events"))
    if checked is None or loop is None:
        return False
    inside = False
    while frame is not None and frame.f_code is not loop.Handle._run.__code__:
        inside = inside or frame.f_code.co_filename == checked.__file__
        frame = frame.f_back
    return inside and frame is not None


def _leave(code: int) -> None:
    """End at once: neither threads in llama.cpp or in a name look-up nor a full pipe must hold the prompt."""

    def farewell() -> None:
        for call in [*reversed(_farewells), *(stream.flush for stream in (sys.stdout, sys.stderr) if stream)]:
            with contextlib.suppress(Exception):  # the process ends, whatever is wrong with the terminal
                call()

    thread = threading.Thread(target=farewell, daemon=True)
    thread.start()
    thread.join(_FAREWELL)
    os._exit(code)


__all__ = ["Interrupts", "before_leaving"]
