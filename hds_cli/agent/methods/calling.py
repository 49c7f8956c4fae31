"""Calls the methods of a run, and leaves out for its rest one that raises or is late."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

from hds_cli import events
from hds_cli.agent.dialects import Written
from hds_cli.agent.methods.base import Method
from hds_cli.agent.notebook import Notebook
from hds_cli.agent.verdict import Verdict
from hds_cli.engine.base import Segment
from hds_cli.threads import in_daemon
from hds_cli.types import Page

T = TypeVar("T")
MOST_REOPENINGS = 2


class Methods:
    """The methods of one run, in their order.

    Args:
        say: emits an event of a kind with the run's time; also tells why a method is left out from now on.
    """

    def __init__(self, methods: Sequence[Method], say: Callable[..., None]) -> None:
        self._methods, self._say = list(methods), say
        self._reopened = 0

    def __bool__(self) -> bool:
        return bool(self._methods)

    async def began(self, question: str, book: Notebook) -> None:
        for method in tuple(self._methods):
            await self._call(method, None, method.began, question, book)

    async def searched(self, query: str, pages: Sequence[Page]) -> str | None:
        """The first other wording that a method asks for."""
        for method in tuple(self._methods):
            if wording := await self._call(method, None, method.searched, query, pages):
                return str(wording)
        return None

    async def read(self, turn: int, book: Notebook) -> list[Segment]:
        lines: list[Segment] = []
        for method in tuple(self._methods):
            lines += await self._call(method, (), method.read, turn, book)
        return lines

    async def may_end(self, written: Written, book: Notebook) -> str | None:
        """The first reason to go on; always None after `MOST_REOPENINGS` reasons."""
        if self._reopened >= MOST_REOPENINGS:
            return None
        for method in tuple(self._methods):
            if reason := await self._call(method, None, method.may_end, written, book):
                self._reopened += 1
                return str(reason)
        return None

    async def judged(self, verdict: Verdict, book: Notebook) -> Verdict:
        for method in tuple(self._methods):
            verdict = await self._call(method, verdict, method.judged, verdict, book)
        return verdict

    async def _call(self, method: Method, otherwise: T, hook: Callable[..., T], *arguments: object) -> T:
        method.say = partial(self._told, asyncio.get_running_loop(), method)
        try:
            return await asyncio.wait_for(in_daemon(hook, *arguments), method.seconds)
        except TimeoutError:
            fault = f"took longer than {method.seconds:g} s"
        except Exception as exc:  # a method is an extra: whatever it does, the run goes on without it
            fault = f"failed: {type(exc).__name__}: {exc}"
        if method not in self._methods:  # it failed for another query meanwhile, and that was said
            return otherwise
        self._methods.remove(method)
        left_out = f"{method.name} {fault}; the run goes on without it"
        self._say(events.Notice, level="warning", code="method", message=left_out)
        return otherwise

    def _told(self, loop: asyncio.AbstractEventLoop, method: Method, kind: Callable[..., Any], **values: Any) -> None:
        """Emit what a method says in its own thread; one that was left out is not heard any more."""
        if method in self._methods:
            with contextlib.suppress(RuntimeError):  # the loop is closed: the run was given up
                loop.call_soon_threadsafe(partial(self._say, kind, **values))
