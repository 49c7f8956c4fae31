"""The run: turn -> queries -> searches at once -> pages at once -> evidence -> the next turn, or the answer.

Everything that happens goes out through `emit`; take every watcher away and the answer is the same. The model works
in one daemon thread, everything else on the event loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

from hds_cli import events
from hds_cli.agent import protocol
from hds_cli.agent.accounts import Accounts
from hds_cli.agent.dialects import Dialect, Hooks, QueryResult, Written
from hds_cli.agent.earlier import Earlier, Resumed, asked, continuation
from hds_cli.agent.evidence import Budget, Evidence, Numbers, turn_budget
from hds_cli.agent.methods.base import Method
from hds_cli.agent.methods.calling import Methods
from hds_cli.agent.notebook import Notebook
from hds_cli.agent.planning import Plan
from hds_cli.agent.reporting import ModelEvents
from hds_cli.agent.selectors.base import Selector
from hds_cli.agent.turn import Limits, Searching, Stop, Turn
from hds_cli.agent.verdict import Policy, Verdict, mark
from hds_cli.engine.base import Counter, Segment
from hds_cli.engine.files.learned import Learned
from hds_cli.engine.pace import Pace
from hds_cli.errors import HdsError, NoSources, ScriptEnded
from hds_cli.search.fanout import Fanout
from hds_cli.threads import Daemon, in_daemon
from hds_cli.types import Egress, Findings, ModelInfo, Page, Passage

T = TypeVar("T")
_LEAST_ROOM = 96  # tokens below which there is no point in another search
_LAST = 0.02  # seconds for which a run that was stopped still looks through pages, at each step
_STALE_TURNS = 2  # turns of nothing but repeated queries before the answer is forced


@dataclass
class Parts:
    """The parts that a run is made of.

    `resume` lets a stopped model write again; `counter` counts its tokens; `fault` says what is wrong with the cache;
    `selector` chooses the passages instead of `Evidence`; `judge` says what becomes of an answer; `methods` watch;
    `numbers` are those of the passages, where other runs share them. `pace` measures the model; `known` is what it did
    on this machine before.
    """

    dialect: Dialect
    fanout: Fanout
    count: Callable[[str], int]
    counter: Counter
    model: ModelInfo
    stop: Stop
    resume: Callable[[], None] = lambda: None
    egress: Callable[[], tuple[Egress, ...]] = lambda: ()
    fault: Callable[[], str | None] = lambda: None
    sources: tuple[str, ...] = ()
    offline: bool = False
    seed: int = 0
    settings: dict[str, Any] = field(default_factory=dict)
    selector: Selector | None = None
    judge: Policy = mark
    methods: Sequence[Method] = ()
    numbers: Numbers | None = None
    pace: Pace = field(default_factory=Pace)
    known: Learned = field(default_factory=Learned)


class Run:
    """One question from its first turn to its answer."""

    def __init__(self, run_id: str, parts: Parts, limits: Limits, emit: events.Emit) -> None:
        self.id, self._parts, self._limits, self._emit = run_id, parts, limits, emit
        self._accounts = Accounts(parts.counter)
        self.plan = Plan(limits, parts.pace, parts.counter, parts.known)
        self._methods = Methods(parts.methods, self._say)
        self._thread, self._stale = Daemon("hds-model"), 0
        self._given = Written("")  # the answer that a method gave back to the model

    async def answer(
        self, question: str, attached: Sequence[Page] = (), before: Earlier | Resumed | None = None
    ) -> events.RunFinished:
        """Research `question`; `attached` are documents the user gave along, `before` an earlier run to go on from.

        Raises:
            HdsError: the run could not go on; a `RunFinished` with the status `failed` was emitted before.
        """
        parts = self._parts
        evidence = Evidence(asked(question, before), parts.count, parts.selector, parts.numbers)
        self._book = book = Notebook(asked(question, before), evidence, parts.fanout.page)
        self._searching = Searching(
            parts.fanout, book, self._methods, self._accounts, self._limits, parts.stop, self._say
        )
        self._say(
            events.RunStarted, run_id=self.id, question=question, sources=parts.sources, model=parts.model,
            offline=parts.offline, seed=parts.seed, started_at=now(), settings=parts.settings,
            continues=before.run_id if isinstance(before, Earlier) else None,
            resumes=before.run_id if isinstance(before, Resumed) else None,
        )  # fmt: skip
        alarm = asyncio.get_running_loop().call_later(self._limits.timeout or 1e9, parts.stop.request, "timeout")
        try:
            written = await self._researched(attached, before)
            if fault := parts.fault():
                self._notice("warning", "cache", f"{fault} (pages are not kept)")
            return self._finish(await self._judge(written))
        except HdsError as exc:
            self._finish(Verdict("failed", exc.exit_code, exc.error_code, explanation=exc.message))
            raise
        finally:
            alarm.cancel()
            await parts.fanout.close()
            self._thread.close()

    # --- turns ---------------------------------------------------------------------------------------------------

    async def _researched(self, attached: Sequence[Page], before: Earlier | Resumed | None) -> Written:
        """What the model answers; where it was sent to search on and that fails, what it had answered."""
        try:
            return _kept(await self._research(attached, before), self._given)
        except HdsError as exc:
            if self._given.answer is None or isinstance(exc, ScriptEnded):
                raise
            self._notice("warning", "reopened", f"{exc.message}; the answer from before stands")
            return self._given

    async def _research(self, attached: Sequence[Page], before: Earlier | Resumed | None) -> Written:
        number = await self._begin(attached, before)
        await self._methods.began(self._book.question, self._book)
        while number < self._limits.max_turns and not (number and await self._enough()):
            number += 1
            written = await self._take_turn(number)
            if written.queries:
                continue
            if written.answer is None:
                break
            is_last = self._stopped or number == self._limits.max_turns or not self.plan.fits_turn()
            reason = None if is_last else await self._methods.may_end(written, self._book)
            if reason is None:
                return written
            self._given = _kept(written, self._given)
            await self._model(self._parts.dialect.read, (), [Segment(protocol.one_line(protocol.neutral(reason)))])
        return await self._force(number + 1)

    async def _take_turn(self, number: int) -> Written:
        """One turn: the model writes, what it asks for is searched, and it reads what was found."""
        started, turn = time.monotonic(), Turn(number, self.plan.searching(self._searching, number))
        await self._model(self.plan.tell, self._parts.dialect, self._limits.max_turns - number + 1)
        written, wrote = await self._write(turn), time.monotonic()
        if turn.queries and not self._stopped:
            await self._gather(turn)
        searched = time.monotonic() - wrote if turn.queries else None
        self.plan.took(model=wrote - started, search=searched, tokens=written.tokens)
        self._say(
            events.TurnFinished, turn=number, seconds=time.monotonic() - started, generated_tokens=written.tokens,
            written=written.text, cut=self._stopped, not_searched=turn.not_searched,
        )  # fmt: skip
        return written

    async def _enough(self) -> bool:
        """True when there is no further turn: stopped, the model goes round in circles, or nothing more fits."""
        if self._stopped or self._stale >= _STALE_TURNS:
            return True
        if self.plan.is_spent():
            self._notice("info", "budget", "no further turn fits the budget; the answer is written now")
            return True
        if await self._model(self._parts.dialect.make_room) >= _LEAST_ROOM:
            return False
        self._notice("info", "context_full", "the context is full; the answer is written now")
        return True

    async def _begin(self, attached: Sequence[Page], before: Earlier | Resumed | None) -> int:
        """Tell the model the question, and the results of an earlier run; the number of turns that are done."""
        if isinstance(before, Resumed):
            return await self._resume(before)
        continued, documents = self._recall(before) if before else None, await self._attach(attached)
        await self._model(self._parts.dialect.start, self._book.question, documents, continued)
        return 0

    def _recall(self, before: Earlier) -> events.RunContinued:
        """The part of an earlier run that the model is told: as much evidence as one turn may read."""
        budget = self._budget(self._parts.dialect.make_room())
        continued = continuation(before, budget.tokens, self._parts.count, self._accounts.t)
        self._book.know(continued.findings)
        self._emit(continued)
        return continued

    async def _resume(self, before: Resumed) -> int:
        """Put the finished turns of a run back: into the model's context and into the notebook."""
        self._accounts.started_earlier(before.elapsed)
        for event in before.events:
            self._emit(event)
        question = self._book.question
        documents = tuple(passage for document in before.documents for passage in document.passages)
        self._book.know([*(before.continued.findings if before.continued else ()), Findings(question, documents)])
        await self._model(self._parts.dialect.start, question, list(documents), before.continued)
        for turn in before.turns:
            self._stale = 0 if turn.evidence else self._stale + 1
            await self._model(self._parts.dialect.replay, turn.written, self._book.replay(turn))
        self._parts.fanout.answered = bool(before.turns)
        return len(before.turns)

    async def _attach(self, pages: Sequence[Page]) -> list[Passage]:
        """The passages of the documents that the model reads; together they get half of the room."""
        given: list[Passage] = []
        room = self._budget(self._parts.dialect.make_room() // 2, self._limits.max_turns)
        budget = replace(room, passages=max(8, room.passages), late=self._parts.stop.within(_LAST))
        for place, page in enumerate(pages):
            share = replace(budget, tokens=budget.tokens // (len(pages) - place))
            document = await in_daemon(self._book.attach, page, share)
            budget = replace(budget, tokens=budget.tokens - document.tokens)
            if document.left_out:
                self._notice("info", "document", document.left_out)
            self._say(events.DocumentAttached, url=page.url, title=page.title, passages=document.passages)
            given += document.passages
        return given

    def _budget(self, room: int, turn: int = 1) -> Budget:
        limits, left = self._limits, self._limits.max_turns - turn + 1
        bounds = limits.evidence_passages, self.plan.evidence(left, limits.evidence_tokens), limits.passage_words
        return turn_budget(self._parts.model.n_ctx, room, *bounds, turns_left=left)

    # --- the model writes ----------------------------------------------------------------------------------------

    async def _write(self, turn: Turn) -> Written:
        """The model writes one turn; its searches run while it still writes."""
        self._start_turn(turn.number)
        hooks = _hooks(
            lambda text: self._say(events.AnswerDelta, text=text),
            query=turn.propose,
            thought=lambda text: self._say(events.ThoughtDelta, turn=turn.number, text=text),
        )
        with self.plan.writing(self._parts.stop):
            written = await self._model(self._parts.dialect.write, hooks)
        self._say(events.Thought, turn=turn.number, text=written.thought)
        return written

    async def _force(self, number: int) -> Written:
        """Make the model answer with what there is; a stopped run gets a bounded time for it."""
        if not self._book.read:
            return Written("", answer=None, reason="aborted" if self._stopped else "eos")
        self._parts.resume()
        self._start_turn(number, forced=True)
        started = time.monotonic()
        with self.plan.answering(self._parts.stop):
            hooks = _hooks(lambda text: self._say(events.AnswerDelta, text=text))
            written = await self._model(self._parts.dialect.force, hooks)
        known = {"seconds": time.monotonic() - started, "generated_tokens": written.tokens, "written": written.text}
        self._say(events.TurnFinished, turn=number, **known)
        return written

    def _start_turn(self, number: int, *, forced: bool = False) -> None:
        seconds = self.plan.seconds_left(number, forced=forced)
        self._say(events.TurnStarted, turn=number, forced=forced, seconds_left=seconds)
        self._parts.pace.watch = ModelEvents(_on_loop(self._say), number)

    async def _model(self, call: Callable[..., T], *args: Any) -> T:
        with self._accounts.timed("model"):
            return await self._thread.call(call, *args)

    # --- searching and reading -----------------------------------------------------------------------------------

    async def _gather(self, turn: Turn) -> None:
        """Wait for the searches of a turn, choose its passages, and let the model read them."""
        pages = await turn.pages()
        self._stale = 0 if pages else self._stale + 1
        if self._stopped and not any(pages.values()):
            return
        if turn.searched and not self._parts.fanout.answered and not self._book.read:
            raise _unreachable(self._parts.fanout)
        room = await self._model(self._parts.dialect.make_room)
        budget = replace(self._budget(room, turn.number), late=self._parts.stop.within(_LAST))
        searched = [(turn.queries[n - 1], read) for n, read in pages.items()]
        chosen = await self._model(self._book.choose, searched, budget) if searched else []
        passages, results = dict(zip(pages, chosen, strict=True)), list[QueryResult]()
        for number, query in enumerate(turn.queries, 1):
            if number not in passages:
                results.append((query, protocol.REPEATED))
                continue
            self._say(events.EvidenceSelected, turn=turn.number, query=number, **passages[number].told)
            self._book.note(query, passages[number])
            results.append((query, turn.late.get(number) or turn.explained(number, passages[number])))
        results += [(query, protocol.NOT_SEARCHED) for query in turn.dropped]
        await self._model(self.plan.tell, self._parts.dialect, self._limits.max_turns - turn.number, results)
        await self._model(self._parts.dialect.read, results, await self._methods.read(turn.number, self._book))

    @property
    def _stopped(self) -> bool:
        return self._parts.stop.reason is not None

    # --- the end -------------------------------------------------------------------------------------------------

    async def _judge(self, written: Written) -> Verdict:
        if not self._stopped and self._given.answer is None:
            _check_reached(self._parts, self._book)
        self._book.late = self._parts.stop.within(_LAST)
        # Not on the loop: pages are read for it, and `--timeout` and Ctrl-C are heeded meanwhile.
        verdict = await in_daemon(self._parts.judge, written, self._book, self.plan.ended(self._parts.stop))
        verdict = replace(verdict, citations=tuple(map(self._book.described, verdict.citations)))
        return await self._methods.judged(verdict, self._book)

    def _finish(self, verdict: Verdict) -> events.RunFinished:
        for warning in verdict.warnings:
            self._notice("warning", warning.code, warning.message)
        if (left := self._book.not_searched) and verdict.status != "failed":
            self._notice("warning", "not_searched", f"never searched: {'; '.join(left)}")
        event = events.RunFinished(
            t=self._accounts.now, finished_at=now(), usage=self._accounts.usage(), egress=self._parts.egress(),
            not_searched=left, **verdict.ending(),
        )  # fmt: skip
        self._emit(event)
        self._emit = _unheard
        return event

    def _notice(self, level: str, code: str, message: str) -> None:
        self._say(events.Notice, level=level, code=code, message=message)

    def _say(self, kind: Callable[..., events.Event], **values: Any) -> None:
        self._emit(kind(t=self._accounts.t, **values))


def _unheard(event: events.Event) -> None:
    """What a search that outlives its run still says: nothing follows `RunFinished`."""


def _kept(written: Written, before: Written) -> Written:
    """The answer of a run that was reopened: that from before, where the model then had none."""
    lost = written.answer is None or written.gave_up
    return before if lost and before.answer is not None and not before.gave_up else written


def _check_reached(parts: Parts, book: Notebook) -> None:
    """Look at a run that read nothing.

    Raises:
        NoSources: nothing could be reached, or nothing local matches.
    """
    if book.asked and not book.read and not (book.found if parts.offline else parts.fanout.answered):
        raise _unreachable(parts.fanout)


def _unreachable(fanout: Fanout) -> HdsError:
    """The error of a run that read nothing: its sources failed, or nothing local matches."""
    if fanout.failures:
        what = "; ".join(f"{name}: {reason}" for name, reason in fanout.failures.items())
        return NoSources(
            f"no source could be reached ({what})", code="unreachable", hint="hds search QUERY  shows more"
        )
    hint = "other words, in the language of the pages; or hds index add FOLDER"
    return NoSources("nothing that was read or indexed on this machine matches", hint=hint)


def _hooks(
    answer: Callable[[str], None],
    query: Callable[[str], object] = lambda _: None,
    thought: Callable[[str], None] = lambda _: None,
) -> Hooks:
    """Hooks for the model's thread that are called on the event loop."""
    return Hooks(_on_loop(query), _on_loop(thought), _on_loop(answer))


def _on_loop(call: Callable[..., object]) -> Callable[..., None]:
    """`call` for another thread: it is called on the event loop."""
    loop = asyncio.get_running_loop()

    def called(*args: Any, **values: Any) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: the run was given up
            loop.call_soon_threadsafe(partial(call, *args, **values))

    return called


def now() -> str:
    """The time as events have it, in UTC."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


__all__ = ["Limits", "Parts", "Run", "Stop", "now"]
