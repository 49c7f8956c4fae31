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


async def research(
    request: Request, settings: Settings, emit: events.Emit, on_signal: Callable[[], None]
) -> events.RunFinished:
    """Answer the question; every event goes to `emit`, `RunFinished` last.

    Args:
        on_signal: called before the process ends because of a second Ctrl-C or SIGTERM; puts the terminal right.

    Raises:
        HdsError: what stands in the way.
    """
    from hds_cli.fetch.client import Fetcher
    from hds_cli.search.sources import open_sources

    stop = Stop()
    started = False

    def interrupt() -> None:
        if stop.reason is not None or not started:
            on_signal()
            _leave(130)
        stop.request("interrupted")
        emit(events.Notice(level="warning", code="interrupted", message="stopping; the answer so far (again: quit)"))

    def terminate() -> None:
        on_signal()
        _leave(143)

    loop = asyncio.get_running_loop()
    if hasattr(signal, "SIGTERM") and os.name == "posix":
        loop.add_signal_handler(signal.SIGINT, interrupt)
        loop.add_signal_handler(signal.SIGTERM, terminate)
    async with Fetcher(settings) as fetcher:
        sources = open_sources(settings.source, SourceContext(settings, fetcher.api, fetcher.cache))
        if any(source.needs_network for source in sources):
            fetcher.warm()
        model = await in_daemon(_models.load, request.spec, settings)
        stop.abort = model.engine.abort
        session = model.engine.session()
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
        limits = Limits(
            max_turns=settings.max_turns,
            max_queries=settings.max_queries,
            turn_timeout=settings.turn_timeout,
            timeout=settings.timeout,
            evidence_tokens=model.spec.evidence_tokens,
            evidence_passages=model.spec.evidence_passages or 4,
        )
        for notice in request.notices:
            emit(notice)
        for warning in model.warnings:
            emit(events.Notice(level="warning", code="prompt_file", message=warning))
        if settings.fetch_proxy and not settings.offline:
            said = "fetch.proxy is set: the proxy decides which addresses are reached, not hds"
            emit(events.Notice(level="info", code="proxy", message=said))
        started = True
        try:
            return await Run(new_run_id(), parts, limits, emit).answer(request.question, request.attached)
        finally:
            model.engine.abort()


def _leave(code: int) -> None:
    """End at once: threads in llama.cpp or in a name look-up must not hold the prompt."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            continue
    os._exit(code)


__all__ = ["Request", "research"]
