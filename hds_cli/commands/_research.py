"""One question from settings to its last event: model, sources, pages, signals. `ask` and others call it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import signal
import sys
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hds_cli import events
from hds_cli.agent.earlier import Earlier, Resumed
from hds_cli.agent.loop import Limits, Parts, Run, Stop
from hds_cli.agent.select import selector
from hds_cli.commands import _models
from hds_cli.commands._earlier import shaping
from hds_cli.config import Settings
from hds_cli.engine.base import ModelSpec, Segment, Session
from hds_cli.errors import HdsError
from hds_cli.keys import hider
from hds_cli.search.base import Source, SourceContext
from hds_cli.search.checked import checked
from hds_cli.search.fanout import Fanout
from hds_cli.threads import in_daemon
from hds_cli.types import Egress, Page

if TYPE_CHECKING:
    from hds_cli.fetch.client import Fetcher


Open = Callable[[SourceContext], Sequence[Source]]


@dataclass
class Request:
    """What is asked: the question, a document along with it, and what was said before the model was loaded."""

    question: str
    attached: Page | None
    spec: ModelSpec
    notices: tuple[events.Notice, ...] = ()
    before: Earlier | Resumed | None = None


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


def _hidden(emit: events.Emit) -> events.Emit:
    """`emit` without the keys: what is shown, printed and kept is the same, and has none."""
    hide = hider()
    return emit if hide is None else lambda event: emit(hide(event))


class Desk:
    """A model, the sources and the pages, opened once, for one question after another."""

    def __init__(
        self, settings: Settings, fetcher: Fetcher, sources: Sequence[Source], model: _models.Model, session: Session
    ) -> None:
        self._settings, self._fetcher, self.model = settings, fetcher, model
        self._sources = [checked(source) for source in sources]  # their breakers last over all questions
        self._first: Session | None = session

    async def answer(
        self,
        question: str,
        emit: events.Emit,
        *,
        attached: Page | None = None,
        stop: Stop | None = None,
        before: Earlier | Resumed | None = None,
        run_id: str | None = None,
    ) -> events.RunFinished:
        """Research one question; every event goes to `emit`, `RunFinished` last.

        Args:
            before: the run to go on from.
            run_id: a new one if none is given.

        Raises:
            HdsError: what stands in the way.
        """
        session, self._first = self._first, None
        if session is None:
            session = await in_daemon(self.model.engine.session)
        stop = stop or Stop()
        stop.abort = self.model.engine.abort
        if stop.reason is None:
            self.model.engine.resume()
        try:
            parts, limits = self._parts(session, stop), _limits(self.model, self._settings)
            run = Run(run_id or new_run_id(), parts, limits, _hidden(emit))
            finished = await run.answer(question, attached, before)
        finally:
            self.model.engine.abort()
        session.close()  # not after a run that was cut short: the model's thread may still be in it
        return finished

    def _parts(self, session: Session, stop: Stop) -> Parts:
        settings, fetcher, model = self._settings, self._fetcher, self.model
        before = fetcher.egress()
        return Parts(
            dialect=model.speak(session, settings),
            fanout=Fanout(self._sources, fetcher.fetch, top_k=settings.top_k, keep=fetcher.keep),
            count=lambda text: model.engine.count([Segment(text)]),
            counter=session.counter,
            model=model.info,
            stop=stop,
            resume=model.engine.resume,
            egress=lambda: _since(before, fetcher.egress()),
            fault=lambda: fetcher.cache.fault,
            sources=tuple(source.name for source in self._sources),
            offline=settings.offline,
            seed=settings.seed,
            settings=shaping(settings),
            selector=selector(settings.select),
        )


@contextlib.asynccontextmanager
async def desk(spec: ModelSpec, settings: Settings, own: Sequence[Source] | Open | None = None) -> AsyncIterator[Desk]:
    """Open the sources and load the model.

    Args:
        own: sources, or what opens them, instead of those that the settings name.

    Raises:
        HdsError: a source or the model is missing or unusable.
    """
    from hds_cli.fetch.client import Fetcher
    from hds_cli.search.sources import open_sources

    selector(settings.select)  # one that is not there is said before the model is loaded
    async with Fetcher(settings) as fetcher:
        context = SourceContext(settings, fetcher.api, fetcher.cache, fetcher.extract, fetcher.fetch)
        sources = own(context) if callable(own) else own
        if sources is None:
            sources = open_sources(settings.source, context)
        if any(source.needs_network for source in sources):
            fetcher.warm()
        model = await in_daemon(_models.load, spec, settings)
        yield Desk(settings, fetcher, sources, model, await in_daemon(model.engine.session))


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
        for notice in (*request.notices, *_warnings(place.model, settings)):
            emit(notice)
        signals.running = True
        return await place.answer(
            request.question, emit, attached=request.attached, stop=stop, before=request.before, run_id=run_id
        )


def _since(before: tuple[Egress, ...], now: tuple[Egress, ...]) -> tuple[Egress, ...]:
    """What was contacted after `before` was taken."""
    old = {host.host: host for host in before}
    grown = (
        replace(h, requests=h.requests - old[h.host].requests, bytes=h.bytes - old[h.host].bytes)
        if h.host in old
        else h
        for h in now
    )
    return tuple(host for host in grown if host.requests)


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


__all__ = ["Desk", "Request", "desk", "hold_interrupts", "new_run_id", "quit_on_interrupt", "research"]
