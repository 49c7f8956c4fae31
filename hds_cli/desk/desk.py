"""A model, the sources and the pages, opened once, for one question after another."""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from hds_cli import config, events
from hds_cli.agent.allowance import Allowance
from hds_cli.agent.dialects import Briefed, check_dialect
from hds_cli.agent.earlier import DONE, Earlier, Resumed, made_whole
from hds_cli.agent.evidence import Numbers
from hds_cli.agent.loop import Limits, Parts, Run, Stop
from hds_cli.agent.reader import ModelReader
from hds_cli.agent.selectors import setwise
from hds_cli.agent.selectors.base import Selector
from hds_cli.agent.selectors.door import BUILTIN, selector
from hds_cli.agent.verdict import Policy, policy
from hds_cli.config import Settings, shaping
from hds_cli.desk import methods
from hds_cli.desk.keeping import ledger_of
from hds_cli.desk.reading import both, reader, sparing, unread
from hds_cli.desk.speaking import Model, load
from hds_cli.desk.verifying import Verifying
from hds_cli.egress import Tally, counted_apart, summed
from hds_cli.engine.base import ModelSpec, Resumable, Segment, Session
from hds_cli.engine.files import learned, models
from hds_cli.engine.pace import Pace, Speeds, Timed, remembered
from hds_cli.errors import ConfigError, HdsError
from hds_cli.keys import hider
from hds_cli.search.base import Source, SourceContext
from hds_cli.search.checked import checked
from hds_cli.search.fanout import Fanout
from hds_cli.search.sites import sites_of
from hds_cli.threads import in_daemon
from hds_cli.types import Page

if TYPE_CHECKING:
    from hds_cli.fetch.client import Fetcher

Open = Callable[[SourceContext], Sequence[Source]]


@dataclass(frozen=True)
class Part:
    """A run that is a part of something larger.

    `session`: the one that it writes in, and closes; None: a new one. `numbers`: those of the passages, which others
    share. `judge` makes the policy of its verdict from the model's. `brief`: what the model is told below the question.
    `changes`: settings that are not the desk's. `budget`: its part of the whole's.
    """

    numbers: Numbers
    session: Session | None = None
    judge: Callable[[Policy], Policy] = lambda policy: policy
    brief: str = ""
    changes: Mapping[str, Any] = field(default_factory=dict)
    budget: Allowance | None = None

    def applied(self, parts: Parts, limits: Limits) -> tuple[Parts, Limits]:
        """The parts and limits of the run as those of a part."""
        dialect = Briefed(parts.dialect, self.brief) if self.brief else parts.dialect
        parts = replace(parts, numbers=self.numbers, judge=self.judge(parts.judge), dialect=dialect)
        return parts, replace(limits, budget=self.budget or limits.budget)


def new_run_id() -> str:
    """A short name, easy to type: six characters that cannot be mistaken for others."""
    return "".join(secrets.choice("23456789abcdefghjkmnpqrstuvwxyz") for _ in range(6))


def hidden(emit: events.Emit) -> events.Emit:
    """An `emit` that takes API keys out of every event, so that screen, output and history hold none."""
    hide = hider()
    return emit if hide is None else lambda event: emit(hide(event))


def _saying(emit: events.Emit, code: str) -> Callable[[str], None]:
    """For another thread: emits a notice of a code on the event loop, with the time since now."""
    loop, began = asyncio.get_running_loop(), time.monotonic()

    def say(message: str) -> None:
        t = round(time.monotonic() - began, 4)
        with contextlib.suppress(RuntimeError):  # the loop is closed: the run was given up
            loop.call_soon_threadsafe(emit, events.Notice(t=t, level="info", code=code, message=message))

    return say


def _let_speak(reading: ModelReader | None, chooser: Selector | None, emit: events.Emit) -> None:
    """Let the models beside the searcher say what they leave to a rule."""
    if reading is not None:
        reading.say = _saying(emit, "reader")
    if isinstance(chooser, setwise.Setwise):
        chooser.say = _saying(emit, "select")


class Desk:
    """A model, the sources and the pages, opened once, for one question after another or several at once.

    Each run has a session, a stop and a count of the hosts it contacts; model, sources, their breakers, host limits
    and pages are shared.
    """

    def __init__(
        self, settings: Settings, fetcher: Fetcher, sources: Sequence[Source], model: Model, session: Session
    ) -> None:
        self.settings, self._fetcher, self.model = settings, fetcher, model
        self._sites = sites_of(settings)
        self._sources = [checked(source, self._sites) for source in sources]  # breakers last over all questions
        self._first: Session | None = session
        self._verifying = Verifying(settings, model)
        self._running, self._shared = 0, False  # runs at work; the model is shared, so none shows how fast it is

    async def answer(
        self,
        question: str,
        emit: events.Emit,
        *,
        attached: Sequence[Page] = (),
        stop: Stop | None = None,
        before: Earlier | Resumed | None = None,
        run_id: str | None = None,
        resumable: bool = False,
        part: Part | None = None,
    ) -> events.RunFinished:
        """Research one question; every event goes to `emit`, `RunFinished` last.

        Args:
            before: the run to go on from. `run_id`: a new one if none is given.
            resumable: the run is kept, so what was evaluated for it is kept until its end where the engine can.

        Raises:
            HdsError: the model, a source or the run's files fail.
        """
        if isinstance(before, Earlier):
            before = self._made_whole(before, question, emit)
        session = await self.session() if part is None or part.session is None else part.session
        stop, reading, ledger = stop or Stop(), None, None
        kept = session if resumable and isinstance(session, Resumable) else None
        stop.abort = session.abort
        settings = replace(self.settings, **(part.changes if part is not None else {}))
        self._running, self._shared = self._running + 1, self._shared or self._running > 0
        try:
            if kept is not None:
                await in_daemon(kept.keep)
            if reading := await in_daemon(reader, self.model, session, settings):
                stop.abort = both(session.abort, reading.abort)
            if part is None and self.settings.ledger != "off":
                ledger = await in_daemon(ledger_of, self.model, session, self.settings, self._verifying, before)
                stop.abort = both(stop.abort, ledger.abort)
            with counted_apart() as contacted:
                parts = await self.parts(session, stop, contacted, reading, settings)
                limits = limits_of(self.model, settings)
                if ledger is not None:
                    ledger.affords = partial(_affords, parts.pace)
                    parts = replace(parts, methods=(*parts.methods, ledger))
                if part is not None:
                    parts, limits = part.applied(parts, limits)
                run = Run(run_id or new_run_id(), parts, limits, hidden(emit))
                _let_speak(reading, parts.selector, hidden(emit))
                finished = await run.answer(question, attached, before)
                if finished.status in DONE:
                    whole = not isinstance(before, Resumed) and not remembered(session.counter)
                    await self._done(run, kept, whole=whole)
                return finished
        finally:
            self._running -= 1
            self._shared = self._shared and self._running > 0
            session.close()  # the model's thread may still be writing in it; closing ends that
            for beside in (reading, ledger):
                if beside is not None:
                    beside.close()

    def _made_whole(self, before: Earlier, question: str, emit: events.Emit) -> Earlier:
        """`before` for this model, which may be asked another question than the user's; that is told."""
        before = made_whole(before, question, self.model.spec.further)
        if before.whole not in ("", question):
            emit(events.Notice(level="info", code="asked_as", message=f"asked as: {before.whole}"))
        return before

    async def _done(self, run: Run, kept: Resumable | None, *, whole: bool) -> None:
        """A run has come to its end: what it kept is dropped, and how it went is remembered.

        Args:
            whole: the model did it all now, no part of it in an earlier run.
        """
        if kept is not None:
            with contextlib.suppress(HdsError):  # a warm model has died since: the answer is whole without it
                await in_daemon(kept.drop)
        if whole and not self._shared:
            info = self.model.info
            await in_daemon(learned.learn, learned.key(info.sha256, info.lora, engine=info.engine), run.plan.learned())

    @property
    def names(self) -> tuple[str, ...]:
        """The sources, as they are named."""
        return tuple(source.name for source in self._sources)

    async def session(self) -> Session:
        """A session that holds nothing yet; the first one was opened with the model."""
        session, self._first = self._first, None
        return await in_daemon(self.model.engine.session) if session is None else session

    async def parts(
        self, session: Session, stop: Stop, contacted: Tally, reading: ModelReader | None = None,
        settings: Settings | None = None,
    ) -> Parts:  # fmt: skip
        """The parts of a run that writes in `session`; `settings`: others than the desk's."""
        settings, fetcher, model = dated(settings or self.settings), self._fetcher, self.model
        info = model.info
        known = await in_daemon(learned.known, learned.key(info.sha256, info.lora, engine=info.engine))
        pace = Pace(Speeds(known.reading, known.writing))
        spared = sparing(reading, pace) if reading is not None else None
        beside = methods.Beside(lambda: stop.reason is not None, partial(_affords, pace), session.counter)
        # The dialect's beginning is counted, maybe by a server, and its template rendered: not on the loop.
        dialect = await in_daemon(model.speak, Timed(session, pace), settings, spared)
        return Parts(
            dialect=dialect,
            fanout=Fanout(
                self._sources,
                fetcher.fetch,
                top_k=settings.top_k,
                keep=fetcher.keep,
                since=since(settings),
                sites=self._sites,
            ),
            count=lambda text: model.engine.count([Segment(text)]),
            counter=session.counter,
            model=model.info,
            stop=stop,
            resume=session.resume,
            egress=lambda: summed([contacted]),
            fault=lambda: fetcher.cache.fault,
            sources=self.names,
            offline=settings.offline,
            seed=settings.seed,
            settings=shaping(settings),
            selector=methods.selecting(model, settings, beside) or selector_of(model.spec, settings),
            judge=policy(settings.verdict or model.spec.verdict),
            methods=(*self._verifying.methods(), *methods.chosen(model, settings, beside)),
            pace=pace,
            known=known,
        )

    def close(self) -> None:
        """Give back what was opened for the verifier."""
        self._verifying.close()


def _affords(pace: Pace, tokens: int) -> bool:
    """True when the budget of a run has room for one call that reads so many tokens; asked once its plan is made."""
    return pace.affords(tokens, 1)


@contextlib.asynccontextmanager
async def desk(
    spec: ModelSpec,
    settings: Settings,
    own: Sequence[Source] | Open | None = None,
    *,
    jobs: int | None = None,
    apart: bool = True,
) -> AsyncIterator[Desk]:
    """Open the sources and load the model.

    Args:
        jobs: questions that will be asked at once.
        apart: each of these is to be answered as it would be alone; else they share the model's batches, which is
            quicker, and may move a choice that was close.
        own: sources, or what opens them, instead of those that the settings name.

    Raises:
        HdsError: a source or the model is missing or unusable.
    """
    from hds_cli.fetch.client import Fetcher
    from hds_cli.search.sources import open_sources

    selector_of(spec, settings)  # an unknown selector is an error before the model is loaded
    check_dialect(settings.dialect)
    policy(settings.verdict or spec.verdict)
    async with Fetcher(settings) as fetcher:
        context = fetcher.context
        sources = own(context) if callable(own) else own
        if sources is None:
            sources = open_sources(settings.source, context)
        if any(source.needs_network for source in sources):
            fetcher.warm()
        model = await in_daemon(partial(load, spec, settings, jobs, apart=apart))
        place = Desk(settings, fetcher, sources, model, await in_daemon(model.engine.session))
        try:
            yield place
        finally:
            place.close()


def dated(settings: Settings) -> Settings:
    """The settings with the day on which a run begins; a run that is asked again has its own.

    Raises:
        ConfigError: the setting is not a day.
    """
    try:
        day = date.fromisoformat(settings.today) if settings.today else date.today()
    except ValueError:
        raise ConfigError(f"today must be a day, not {settings.today!r}", hint="such as 2026-11-25") from None
    return replace(settings, today=day.isoformat())


_DAYS = {"day": 1, "week": 7, "month": 31, "year": 366}


def since(settings: Settings) -> str:
    """The first day of pages that are read under `--recent`; empty: pages may be of any age."""
    day = date.fromisoformat(str(dated(settings).today))
    return (day - timedelta(_DAYS[settings.recent])).isoformat() if settings.recent else ""


def limits_of(model: Model, settings: Settings) -> Limits:
    """The limits of a run: the user's settings first, then those that the model was made for."""
    return Limits(
        max_turns=settings.max_turns,
        max_queries=settings.max_queries,
        turn_timeout=settings.turn_timeout,
        timeout=settings.timeout,
        budget=Allowance.of(settings.budget),
        evidence_tokens=settings.evidence_tokens or model.spec.evidence_tokens,
        evidence_passages=settings.evidence_passages or model.spec.evidence_passages or Limits.evidence_passages,
        passage_words=settings.passage_words or model.spec.passage_words or Limits.passage_words,
    )


def options(settings: Settings) -> dict[str, Any]:
    """The settings that differ from the defaults and that answers depend on, as JSON has them."""
    default = Settings()
    given = {f.name: getattr(settings, f.name) for f in config.fields() if f.name not in config.INDIFFERENT}
    changed = {name: value for name, value in given.items() if value != getattr(default, name)}
    return dict(json.loads(json.dumps(changed, default=str)))


def selector_of(spec: ModelSpec, settings: Settings) -> Selector:
    """The selector that the user chose, or the one that suits the model.

    Raises:
        PluginError: there is none of that name, or it does not load.
    """
    name = methods.selects(spec, settings)
    return selector(BUILTIN if name == setwise.NAME else name)  # that one asks the model: see `methods.selecting`


def warnings(model: Model, settings: Settings) -> list[events.Notice]:
    notices = [events.Notice(level="warning", code="prompt_file", message=warning) for warning in model.warnings]
    if model.dialect == "hds" and model.why not in ("", models.MADE_FOR, models.NAMED):
        message = f"{model.info.name} is spoken to in the dialect hds: {model.why}"
        notices.append(events.Notice(level="info", code="dialect", message=message))
    for note in getattr(model.engine, "notes", ()):
        notices.append(events.Notice(level="info", code="fit", message=note))
    if reason := unread(model.info, settings):
        notices.append(events.Notice(level="warning", code="reader", message=reason))
    if settings.fetch_proxy and not settings.offline:
        message = "fetch.proxy is set: the proxy decides which addresses are reached, not hds"
        notices.append(events.Notice(level="info", code="proxy", message=message))
    if settings.engine == "openai":
        from hds_cli.engine.remote.opening import is_elsewhere

        if host := is_elsewhere(settings):
            message = f"the model is on {host}: the question and what is read go there"
            notices.append(events.Notice(level="info", code="remote_model", message=message))
    return notices


__all__ = ["Desk", "Part", "desk", "hidden", "limits_of", "new_run_id", "options", "selector_of", "warnings"]
