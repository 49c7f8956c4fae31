"""One question from settings to its last event: model, sources, pages, signals. `ask` and others call it."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass

from hds_cli import events
from hds_cli.agent.loop import Limits, Parts, Run, Stop
from hds_cli.commands import _models
from hds_cli.config import Settings
from hds_cli.engine.base import ModelSpec, Segment
from hds_cli.search.base import SourceContext
from hds_cli.search.fanout import Fanout
from hds_cli.threads import in_daemon
from hds_cli.types import Page


@dataclass
class Request:
    """What is asked: the question, a document along with it, and what was said before the model was loaded."""

    question: str
    attached: Page | None
    spec: ModelSpec
    notices: tuple[events.Notice, ...] = ()


def new_run_id() -> str:
    """A short name, easy to type: six characters that cannot be mistaken for others."""
    return "".join(secrets.choice("23456789abcdefghjkmnpqrstuvwxyz") for _ in range(6))


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


async def research(
    request: Request, settings: Settings, emit: events.Emit, on_leave: Callable[[], None]
) -> events.RunFinished:
    """Answer the question; every event goes to `emit`, `RunFinished` last.

    Args:
        on_leave: called before the process ends because of a second Ctrl-C or SIGTERM; puts the terminal right.

    Raises:
        HdsError: what stands in the way.
    """
    from hds_cli.fetch.client import Fetcher
    from hds_cli.search.sources import open_sources

    stop = Stop()
    signals = _Signals(stop, emit, on_leave)
    signals.watch()
    async with Fetcher(settings) as fetcher:
        sources = open_sources(settings.source, SourceContext(settings, fetcher.api, fetcher.cache))
        if any(source.needs_network for source in sources):
            fetcher.warm()
        model = await in_daemon(_models.load, request.spec, settings)
        session = await in_daemon(model.engine.session)
        stop.abort = model.engine.abort
        parts = Parts(
            dialect=model.speak(session, settings),
            fanout=Fanout(sources, fetcher.fetch, top_k=settings.top_k),
            count=lambda text: model.engine.count([Segment(text)]),
            counter=session.counter,
            model=model.info,
            stop=stop,
            resume=model.engine.resume,
            egress=fetcher.egress,
            fault=lambda: fetcher.cache.fault,
            sources=tuple(source.name for source in sources),
            offline=settings.offline,
            seed=settings.seed,
        )
        for notice in (*request.notices, *_warnings(model, settings)):
            emit(notice)
        signals.running = True
        try:
            return await Run(new_run_id(), parts, _limits(model, settings), emit).answer(
                request.question, request.attached
            )
        finally:
            model.engine.abort()


def _limits(model: _models.Model, settings: Settings) -> Limits:
    return Limits(
        max_turns=settings.max_turns,
        max_queries=settings.max_queries,
        turn_timeout=settings.turn_timeout,
        timeout=settings.timeout,
        evidence_tokens=model.spec.evidence_tokens,
        evidence_passages=model.spec.evidence_passages or 4,
    )


def _warnings(model: _models.Model, settings: Settings) -> list[events.Notice]:
    said = [events.Notice(level="warning", code="prompt_file", message=warning) for warning in model.warnings]
    if settings.fetch_proxy and not settings.offline:
        message = "fetch.proxy is set: the proxy decides which addresses are reached, not hds"
        said.append(events.Notice(level="info", code="proxy", message=message))
    return said


def _leave(code: int) -> None:
    """End at once: threads in llama.cpp or in a name look-up must not hold the prompt."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            continue
    os._exit(code)


__all__ = ["Request", "research"]
