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
from typing import Any, TypeVar

from hds_cli import events
from hds_cli.agent import protocol
from hds_cli.agent.citations import Support, support
from hds_cli.agent.dialects import Dialect, Found, Hooks, Written, strip_numbers
from hds_cli.agent.earlier import Earlier, Resumed, fitting, only, pages
from hds_cli.agent.evidence import Budget, Evidence, turn_budget
from hds_cli.agent.select import Selector
from hds_cli.agent.told import Told
from hds_cli.engine.base import Counter
from hds_cli.errors import HdsError, NoSources
from hds_cli.search.fanout import Fanout, Gathered
from hds_cli.threads import Daemon
from hds_cli.types import Egress, Findings, ModelInfo, Page, Passage, Seconds, Usage

T = TypeVar("T")
_LEAST_ROOM = 96  # tokens below which there is no point in another search
_STALE_TURNS = 2  # turns of nothing but repeated queries before the answer is forced


@dataclass(frozen=True)
class Limits:
    """What a run may take. Times in seconds; `evidence_*` bound what the model reads in a turn and for one query."""

    max_turns: int = 10
    max_queries: int = 8
    turn_timeout: float = 20.0
    timeout: float | None = None
    evidence_tokens: int | None = None
    evidence_passages: int = 4


@dataclass
class Stop:
    """Asked for from outside (Ctrl-C, `--timeout`): no more searching, answer with what there is."""

    reason: str | None = None
    event: asyncio.Event = field(default_factory=asyncio.Event)
    abort: Callable[[], None] = lambda: None

    def request(self, reason: str) -> None:
        if self.reason is None:
            self.reason = reason
            self.event.set()
            self.abort()


@dataclass
class Parts:
    """What a run is made of.

    `resume` lets a stopped model write again; `counter` counts its tokens; `fault` says what is wrong with the cache;
    `selector` chooses what is read, instead of `Evidence`.
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


@dataclass
class _Turn:
    """The queries of one turn, in order; a query without a task was asked before."""

    number: int
    queries: list[str] = field(default_factory=list)
    tasks: dict[int, asyncio.Task[Gathered]] = field(default_factory=dict)
    deadline: asyncio.Event = field(default_factory=asyncio.Event)
    dropped: int = 0


class Run:
    """One question from its first turn to its answer."""

    def __init__(self, run_id: str, parts: Parts, limits: Limits, emit: events.Emit) -> None:
        self.id, self._parts, self._limits, self._emit = run_id, parts, limits, emit
        self._began = time.monotonic()
        self._spans: list[tuple[str, float, float]] = []
        self._asked: set[str] = set()
        self._read: list[tuple[str, Passage]] = []
        self._attached: dict[str, Page] = {}
        self._recorded: dict[str, Page] = {}
        self._turn: _Turn | None = None
        self._thread = Daemon("hds-model")
        self._stale = 0

    async def answer(
        self, question: str, attached: Page | None = None, before: Earlier | Resumed | None = None
    ) -> events.RunFinished:
        """Research `question`; `attached` is a document the user gave along, `before` an earlier run to go on from.

        Raises:
            HdsError: the run could not go on; a `RunFinished` with the status `failed` was emitted before.
        """
        self._evidence = Evidence(question, self._parts.count, self._parts.selector)
        self._question = question
        parts = self._parts
        self._say(
            events.RunStarted, run_id=self.id, question=question, sources=parts.sources, model=parts.model,
            offline=parts.offline, seed=parts.seed, started_at=_now(), settings=parts.settings,
            continues=before.run_id if isinstance(before, Earlier) else None,
            resumes=before.run_id if isinstance(before, Resumed) else None,
        )  # fmt: skip
        alarm = asyncio.get_running_loop().call_later(self._limits.timeout or 1e9, parts.stop.request, "timeout")
        try:
            written = await self._research(attached, before)
            if fault := self._parts.fault():
                self._notice("warning", "cache", f"{fault} (pages are not kept)")
            finished = self._finish(written)
        except HdsError as exc:
            self._say_finished("failed", reason=exc.error_code, exit_code=exc.exit_code, explanation=exc.message)
            raise
        finally:
            alarm.cancel()
            await self._parts.fanout.close()
            self._thread.close()
        return finished

    # --- turns ---------------------------------------------------------------------------------------------------

    async def _research(self, attached: Page | None, before: Earlier | Resumed | None) -> Written:
        number = await self._begin(attached, before)
        while number < self._limits.max_turns and not (number and await self._enough()):
            number += 1
            started = time.monotonic()
            written = await self._write(number)
            turn = self._turn
            if turn and turn.queries and not self._stopped:
                await self._gather(turn)
            self._say(
                events.TurnFinished, turn=number, seconds=time.monotonic() - started, generated_tokens=written.tokens,
                written=written.text, cut=self._stopped,
            )  # fmt: skip
            if written.answer is not None and not written.queries:
                return written
            if not written.queries:
                break
        return await self._force(number + 1)

    async def _enough(self) -> bool:
        """No further turn of searching: it was stopped, the model goes round in circles, or nothing more fits."""
        if self._stopped or self._stale >= _STALE_TURNS:
            return True
        if await self._model(self._parts.dialect.room) >= _LEAST_ROOM:
            return False
        self._notice("info", "context_full", "the context is full; the answer is written now")
        return True

    async def _begin(self, attached: Page | None, before: Earlier | Resumed | None) -> int:
        """Tell the model what is asked, and what is known from an earlier run; the number of turns that are done."""
        if isinstance(before, Resumed):
            return await self._resume(before)
        continued = self._recall(before) if before else None
        await self._model(self._parts.dialect.start, self._question, self._attach(attached), continued)
        return 0

    def _recall(self, before: Earlier) -> events.RunContinued:
        """Of an earlier run, what the model is told: as much evidence as one turn may read."""
        limits, room = self._limits, self._parts.dialect.room()
        budget = turn_budget(self._parts.model.n_ctx, room, limits.evidence_passages, limits.evidence_tokens)
        price = [self._parts.count(passage.full) + 8 for passage in before.passages]
        findings = only(before.findings, fitting(before, budget.tokens, price))
        self._know(findings)
        continued = events.RunContinued(
            t=round(self._now(), 4), run_id=before.run_id, exchanges=before.exchanges, findings=findings
        )
        self._emit(continued)
        return continued

    async def _resume(self, before: Resumed) -> int:
        """Put the finished turns of a run back: into the model's context and into what was asked and read."""
        self._began -= before.elapsed
        for event in before.events:
            self._emit(event)
        documents = before.document.passages if before.document else ()
        self._know([*(before.continued.findings if before.continued else ()), Findings(self._question, documents)])
        await self._model(self._parts.dialect.start, self._question, list(documents), before.continued)
        for turn in before.turns:
            self._know([Findings(turn.queries[n - 1], passages) for n, passages in turn.evidence.items()])
            self._asked |= {protocol.query_key(query) for query in turn.queries}
            self._stale = 0 if turn.evidence else self._stale + 1
            told: list[Found] = [(q, turn.evidence.get(n, protocol.REPEATED)) for n, q in enumerate(turn.queries, 1)]
            await self._model(self._parts.dialect.replay, turn.written, told)
        self._parts.fanout.answered = bool(before.turns)
        return len(before.turns)

    def _know(self, findings: Sequence[Findings]) -> None:
        """Take in what an earlier run read: it can be cited, and the page is what was kept of it."""
        passages = [passage for entry in findings for passage in entry.passages]
        self._evidence.restore(passages)
        self._read += [(entry.query, passage) for entry in findings for passage in entry.passages]
        self._recorded |= pages(p for _, p in self._read)

    def _attach(self, page: Page | None) -> list[Passage]:
        if page is None:
            return []
        self._attached[page.url] = page
        room = min(self._parts.dialect.room(), self._limits.evidence_tokens or 1 << 30)
        budget = Budget(room // 2, max(8, self._limits.evidence_passages))
        (passages,) = self._evidence.select([(self._question, [page])], budget)
        self._read += [(self._question, p) for p in passages]
        self._say(events.DocumentAttached, url=page.url, title=page.title, passages=passages)
        return list(passages)

    async def _write(self, number: int) -> Written:
        """One turn of the model; its searches run while it still writes."""
        self._turn = turn = _Turn(number)
        self._say(events.TurnStarted, turn=number)
        loop = asyncio.get_running_loop()

        def later(call: Callable[[str], None]) -> Callable[[str], None]:
            return lambda text: _from_thread(loop, call, text)

        hooks = Hooks(
            query=later(lambda text: self._propose(turn, text)),
            thought=later(lambda text: self._say(events.ThoughtDelta, turn=number, text=text)),
            answer=later(lambda text: self._say(events.AnswerDelta, text=text)),
        )
        written = await self._model(self._parts.dialect.write, hooks)
        self._say(events.Thought, turn=number, text=written.thought)
        if turn.dropped:
            self._notice("info", "queries_dropped", f"{turn.dropped} queries over the limit were not searched")
        return written

    def _propose(self, turn: _Turn, text: str) -> None:
        if len(turn.queries) >= self._limits.max_queries:
            turn.dropped += 1
            return
        turn.queries.append(text)
        number = len(turn.queries)
        key = protocol.query_key(text)
        repeated = key in self._asked
        self._asked.add(key)
        self._say(events.QueryProposed, turn=turn.number, query=number, text=text, repeated=repeated)
        if not repeated and not self._stopped:
            watch = Told(self._say, self.span, turn.number)
            work = self._parts.fanout.gather(number, text, watch, turn.deadline)
            turn.tasks[number] = asyncio.create_task(work)

    async def _gather(self, turn: _Turn) -> None:
        """Wait for the searches of a turn, choose what the model reads of them, and let it read."""
        self._stale = 0 if turn.tasks else self._stale + 1
        await self._wait(turn)
        found: dict[int, list[Page]] = {}
        for number, task in turn.tasks.items():
            found[number] = task.result().pages if not task.cancelled() else []
        if self._stopped and not any(found.values()):
            return
        if turn.tasks and not self._parts.fanout.answered and not self._read:
            raise self._unreachable()
        room = await self._model(self._parts.dialect.room)
        searched = [(turn.queries[n - 1], pages) for n, pages in found.items()]
        limits = self._limits
        budget = turn_budget(self._parts.model.n_ctx, room, limits.evidence_passages, limits.evidence_tokens)
        chosen = await self._model(self._evidence.select, searched, budget) if searched else []
        passages = dict(zip(found, chosen, strict=True))
        told: list[Found] = []
        for number, query in enumerate(turn.queries, 1):
            if number not in passages:
                told.append((query, protocol.REPEATED))
                continue
            self._say(events.EvidenceSelected, turn=turn.number, query=number, passages=passages[number])
            self._read += [(query, p) for p in passages[number]]
            told.append((query, passages[number]))
        await self._model(self._parts.dialect.read, told)

    async def _wait(self, turn: _Turn) -> None:
        if not turn.tasks:
            return
        stop = asyncio.ensure_future(self._parts.stop.event.wait())
        everything = asyncio.ensure_future(asyncio.wait(turn.tasks.values()))
        try:
            await asyncio.wait(
                {everything, stop}, timeout=self._limits.turn_timeout, return_when=asyncio.FIRST_COMPLETED
            )
            turn.deadline.set()  # whoever is late says so itself
            await everything
        finally:
            stop.cancel()

    async def _force(self, number: int) -> Written:
        """Make the model answer with what there is; a stopped run gets a bounded time for it."""
        if not self._read:
            return Written("", answer=None, reason="aborted" if self._stopped else "eos")
        self._parts.resume()
        self._say(events.TurnStarted, turn=number, forced=True)
        loop = asyncio.get_running_loop()
        hooks = Hooks(
            query=lambda _: None,
            thought=lambda _: None,
            answer=lambda text: _from_thread(loop, lambda t: self._say(events.AnswerDelta, text=t), text),
        )
        started = time.monotonic()
        grace = None
        if self._parts.stop.reason == "timeout" and self._limits.timeout:
            grace = loop.call_later(max(2.0, 0.25 * self._limits.timeout), self._parts.stop.abort)
        try:
            written = await self._model(self._parts.dialect.force, hooks)
        finally:
            if grace:
                grace.cancel()
        seconds = time.monotonic() - started
        self._say(events.TurnFinished, turn=number, seconds=seconds, generated_tokens=written.tokens)
        return written

    async def _model(self, call: Callable[..., T], *args: Any) -> T:
        started = time.monotonic()
        try:
            return await self._thread.call(call, *args)
        finally:
            self._spans.append(("model", started, time.monotonic()))

    @property
    def _stopped(self) -> bool:
        return self._parts.stop.reason is not None

    # --- the end -------------------------------------------------------------------------------------------------

    def _finish(self, written: Written) -> events.RunFinished:
        """Judge the answer: no evidence, or none of it in any page, is no answer."""
        if not self._read and not self._stopped:
            if self._asked and (self._parts.offline or not self._parts.fanout.answered):
                raise self._unreachable()
            return self._say_finished("unanswered", reason="no_evidence", exit_code=3)
        status, code = ("partial", 6) if self._stopped else ("unanswered", 3)
        if written.answer is None or written.gave_up:
            return self._say_finished(status, reason=self._parts.stop.reason or "not_found", exit_code=code)
        explanation, unknown = strip_numbers(written.explanation, {p.n for _, p in self._read})
        if unknown:
            said = ", ".join(f"[{n}]" for n in sorted(set(unknown)))
            self._notice("warning", "citation_removed", f"the model cited {said}, which no page of this run has")
        found = support(written.answer, explanation, self._question, self._read, self._page)
        if found.unsupported and found.supported:
            self._notice("warning", "unsupported", f"no page says: {', '.join(found.unsupported)}")
        if not found.supported:
            reason = self._parts.stop.reason or "unsupported"
            return self._say_finished(status, reason=reason, exit_code=code, explanation=written.explanation or None)
        if not self._stopped:
            status, code = "answered", 0
        return self._say_finished(
            status, answer=written.answer, explanation=explanation or None, found=found,
            reason=self._parts.stop.reason, exit_code=code,
        )  # fmt: skip

    def _page(self, url: str) -> Page | None:
        """A page of this run; with what an earlier run kept of it, as it may have changed since."""
        page, kept = self._attached.get(url) or self._parts.fanout.page(url), self._recorded.get(url)
        if page is None or kept is None:
            return page or kept
        return replace(page, text=f"{page.text}\n\n{kept.text}")

    def _unreachable(self) -> HdsError:
        failures = self._parts.fanout.failures
        if failures:
            what = "; ".join(f"{name}: {reason}" for name, reason in failures.items())
            return NoSources(
                f"no source could be reached ({what})", code="unreachable", hint="hds search QUERY  shows more"
            )
        return NoSources("nothing that was read or indexed on this machine matches", hint="hds index add FOLDER")

    def _say_finished(
        self,
        status: Any,
        *,
        exit_code: int,
        reason: str | None,
        answer: str | None = None,
        explanation: str | None = None,
        found: Support | None = None,
    ) -> events.RunFinished:
        event = events.RunFinished(
            t=self._now(),
            status=status,
            answer=answer,
            explanation=explanation,
            citations=found.citations if found else (),
            unsupported=found.unsupported if found else (),
            usage=self._usage(),
            egress=self._parts.egress(),
            reason=reason,
            exit_code=exit_code,
            finished_at=_now(),
        )
        self._emit(event)
        return event

    def _usage(self) -> Usage:
        counter = self._parts.counter
        sums = {
            kind: sum(e - s for k, s, e in self._spans if k == kind) for kind in ("model", "search", "fetch", "extract")
        }
        busy, end = 0.0, 0.0
        for _, start, stop in sorted(self._spans, key=lambda span: span[1]):
            busy += max(0.0, stop - max(start, end))
            end = max(end, stop)
        seconds = Seconds(total=round(self._now(), 3), overlap=round(sum(sums.values()) - busy, 3),
                          **{kind: round(value, 3) for kind, value in sums.items()})  # fmt: skip
        return Usage(counter.prompt, counter.evaluated, counter.reused, counter.generated, seconds)

    def span(self, kind: str, seconds: float, before: float = 0.0) -> None:
        """Note that something of `kind` took `seconds` and ended `before` seconds ago."""
        end = time.monotonic() - before
        self._spans.append((kind, end - seconds, end))

    def _now(self) -> float:
        return time.monotonic() - self._began

    def _notice(self, level: str, code: str, message: str) -> None:
        self._say(events.Notice, level=level, code=code, message=message)

    def _say(self, kind: Callable[..., events.Event], **values: Any) -> None:
        self._emit(kind(t=round(self._now(), 4), **values))


def _from_thread(loop: asyncio.AbstractEventLoop, call: Callable[[str], None], text: str) -> None:
    with contextlib.suppress(RuntimeError):  # the loop is closed: the run was given up
        loop.call_soon_threadsafe(call, text)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
