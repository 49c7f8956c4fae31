"""Blocking work off the event loop, in daemon threads only.

`asyncio.to_thread` is not used anywhere: the default executor is joined at exit, so one slow name look-up or a locked
database would hold the prompt (a 20 s call held it for 19.5 s; a daemon thread for 0.01 s).
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import queue
import threading
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")
_Job = tuple[Callable[[], Any], "asyncio.Future[Any]", asyncio.AbstractEventLoop]


async def in_daemon(call: Callable[..., T], *args: Any) -> T:
    """Run `call(*args)` in a thread of its own, in the caller's context (PEP 567).

    Cancelling leaves the thread behind; it cannot hold the exit.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()
    context = contextvars.copy_context()  # as `asyncio.to_thread` does
    job: _Job = (lambda: context.run(call, *args), future, loop)
    threading.Thread(target=_run, args=(job,), daemon=True, name="hds-call").start()
    return await future


class Daemon:
    """One daemon thread that runs calls in order, each in its caller's context; it starts with the first one."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._last: Callable[[], object] | None = None

    async def call(self, call: Callable[..., T], *args: Any) -> T:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, daemon=True, name=self._name)
            self._thread.start()
        context = contextvars.copy_context()
        self._jobs.put((lambda: context.run(call, *args), future, loop))
        return await future

    def close(self, last: Callable[[], object] | None = None) -> None:
        """End the thread after what is queued and `last`; does not wait for it."""
        if self._thread is not None:
            self._last = last
            self._jobs.put(None)
            self._thread = None

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            if not job[1].cancelled():  # nobody waits for it any more
                _run(job)
        if self._last is not None:
            self._last()


def _run(job: _Job) -> None:
    call, future, loop = job
    result: Any = None
    error: BaseException | None = None
    try:
        result = call()
    except BaseException as exc:  # handed to the waiting task, whatever it is
        error = exc
    with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
        loop.call_soon_threadsafe(_settle, future, result, error)


def _settle(future: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
    if future.cancelled():
        return
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(result)
