"""The queries of one turn: searched as soon as they are proposed, waited for together."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from typing import Any

from hds_cli import events
from hds_cli.agent import protocol
from hds_cli.agent.accounts import Accounts
from hds_cli.agent.allowance import Allowance
from hds_cli.agent.listing import Selection, Visit, more_of, visit_of, why_lost
from hds_cli.agent.methods.calling import Methods
from hds_cli.agent.notebook import Notebook
from hds_cli.agent.reporting import SearchEvents
from hds_cli.search.fanout import Fanout, Gathered
from hds_cli.search.visits import addresses
from hds_cli.types import Page, SearchResult


@dataclass(frozen=True)
class Limits:
    """What a run may take. Times in seconds; `evidence_*` bound what the model reads in a turn and for one query."""

    max_turns: int = 10
    max_queries: int = 8
    turn_timeout: float = 20.0
    timeout: float | None = None
    budget: Allowance | None = None
    evidence_tokens: int | None = None
    evidence_passages: int = 12
    passage_words: int = 250


@dataclass
class Stop:
    """Asked for from outside (Ctrl-C, `--timeout`): no more searching, answer with what there is."""

    reason: str | None = None
    event: asyncio.Event = field(default_factory=asyncio.Event)
    abort: Callable[[], None] = lambda: None
    at: float = 0.0  # of the monotonic clock, once it was asked for

    def request(self, reason: str) -> None:
        if self.reason is None:
            self.reason, self.at = reason, time.monotonic()
            self.event.set()
            self.abort()

    def within(self, seconds: float) -> Callable[[], bool]:
        """For work that begins now: true once it has gone on for `seconds` although a stop was asked for."""
        began = time.monotonic()
        return lambda: self.reason is not None and time.monotonic() > max(self.at, began) + seconds


@dataclass(frozen=True)
class Searching:
    """The parts of a run that its searches need; `say` emits an event of a kind with the run's time."""

    fanout: Fanout
    book: Notebook
    methods: Methods
    accounts: Accounts
    limits: Limits
    stop: Stop
    say: Callable[..., None]


class Turn:
    """The queries of one turn, in order; one that was asked before has no task."""

    def __init__(self, number: int, run: Searching) -> None:
        self.number, self._run = number, run
        self.queries: list[str] = []
        self.tasks: dict[int, asyncio.Task[Gathered]] = {}
        self.dropped: list[str] = []
        self.searched = False  # True when a source was asked
        self.late: dict[int, str] = {}
        """The results block of the queries that no source answered in time."""
        self.why: dict[int, str] = {}
        """By query: the reason why it brought nothing, or less than there may be."""
        self._keys: set[str] = set()  # of queries that an earlier turn put off
        self._read_on: dict[int, int] = {}  # queries that read on in a page, and from which passage
        self._deadline = asyncio.Event()

    @property
    def not_searched(self) -> tuple[str, ...]:
        """The queries that there was no time or room for."""
        return (*(self.queries[number - 1] for number in sorted(self.late)), *self.dropped)

    def propose(self, text: str, *, reworded: int = 0) -> asyncio.Task[Gathered] | None:
        """Take a query, and search it unless it was asked before; None when it is not searched.

        Args:
            reworded: the number of the query that it puts in other words; 0: the model wrote it.
        """
        run = self._run
        if not reworded and not self.queries:
            self._resume()
        if protocol.query_key(text) in self._keys and not reworded:
            return None
        if len(self.queries) >= run.limits.max_queries:
            if reworded:
                return None
            self.dropped.append(text)
            run.book.put_off(text)
            return None
        return self._search_new(text, reworded)

    def _resume(self) -> None:
        """Queries that earlier turns had no room or time for come first."""
        for query in self._run.book.waiting[: self._run.limits.max_queries]:
            self._keys.add(protocol.query_key(query))
            self._search_new(query, 0)

    def _search_new(self, text: str, reworded: int) -> asyncio.Task[Gathered] | None:
        run = self._run
        self.queries.append(text)
        number = len(self.queries)
        new = run.book.is_new(text)
        run.say(
            events.QueryProposed, turn=self.number, query=number, text=text, repeated=not new, rewords=reworded
        )  # fmt: skip
        if new and run.stop.reason is not None:
            run.book.put_off(text)
        if not new or run.stop.reason is not None:
            return None
        if (passage := more_of(text)) is not None:
            self._read_on[number] = passage
            return None
        visit = visit_of(text)
        work = self._visit(number, visit) if visit else self._search(number, text, reworded)
        self.searched = self.searched or visit is None
        self.tasks[number] = asyncio.create_task(work)
        return self.tasks[number]

    async def _visit(self, number: int, visit: Visit) -> Gathered:
        """Read one page that came with the question, that a search led to, or that the question names."""
        run = self._run
        watch = SearchEvents(run.say, run.accounts.span, self.number)
        if (page := run.book.kept(visit.url)) is not None and page.ok:
            watch.page_requested(number, SearchResult(page.url, page.title))
            watch.page_finished(number, replace(page, status="cached", bytes=0, seconds=0.0, extract_seconds=0.0))
            return Gathered([page], True)
        return await run.fanout.visit(number, visit.url, addresses(run.book.question), watch, self._deadline)

    async def _search(self, number: int, query: str, reworded: int) -> Gathered:
        """Search a query and read its pages; a method may have it searched once more in other words."""
        run = self._run
        if run.stop.reason is not None:  # it came between the query and this: a source that blocks would not hear it
            return Gathered([], False, late=True)
        watch = SearchEvents(run.say, run.accounts.span, self.number)
        gathered = await run.fanout.gather(number, query, watch, self._deadline)
        if run.methods and not reworded and gathered.answered and not self._deadline.is_set():
            wording = await self._in_time(run.methods.searched(query, gathered.pages))
            again = self.propose(wording, reworded=number) if wording else None
            if again:
                await asyncio.wait({again})
        return gathered

    async def _in_time(self, asked: Coroutine[Any, Any, str | None]) -> str | None:
        """Another wording of a query; None where there is none before the time of the turn is over."""
        wording, over = asyncio.ensure_future(asked), asyncio.ensure_future(self._deadline.wait())
        try:
            await asyncio.wait({wording, over}, return_when=asyncio.FIRST_COMPLETED)
            return wording.result() if wording.done() else None
        finally:
            wording.cancel()
            over.cancel()

    def explained(self, number: int, read: Selection) -> Selection:
        """The passages that are read for a query, with the reason why there are not more."""
        return Selection(read, read.of, read.why or self.why.get(number, ""), read.dropped)

    async def pages(self) -> dict[int, list[Page]]:
        """The pages of each query that was searched; waits until all are there, the time is over or the run stops."""
        if self.dropped:
            message = f"over the limit of a turn, not searched yet: {'; '.join(self.dropped)}"
            self._run.say(events.Notice, level="warning", code="queries_dropped", message=message)
        known = {number: self._run.book.page_of(passage) for number, passage in self._read_on.items()}
        if not self.tasks:
            return known
        stop = asyncio.ensure_future(self._run.stop.event.wait())
        everything = asyncio.ensure_future(asyncio.wait(self.tasks.values()))
        try:
            seconds = self._run.limits.turn_timeout
            await asyncio.wait({everything, stop}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            self._deadline.set()  # whoever is late says so itself
            await everything
        finally:
            stop.cancel()
        for number, task in self.tasks.items():
            gathered = Gathered([], False, late=True) if task.cancelled() else task.result()
            known[number] = gathered.pages
            self.why[number] = why_lost(gathered.reasons, gathered.lost)
            if gathered.late:
                due = self._run.book.put_off(self.queries[number - 1], late=True)
                self.late[number] = protocol.NO_TIME if due else protocol.NO_TIME_AGAIN
            elif not gathered.pages and any(page.reason == "deadline" for page in gathered.lost):
                self._run.book.forget(self.queries[number - 1])
        if self.late:
            message = f"no answer in the time of a turn: {'; '.join(self.queries[n - 1] for n in sorted(self.late))}"
            self._run.say(events.Notice, level="warning", code="queries_late", message=message)
        return dict(sorted(known.items()))


__all__ = ["Limits", "Searching", "Stop", "Turn"]
