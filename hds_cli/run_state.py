"""A run as far as it has come: the one fold of its events. Renderers, history, reruns and the evaluation read it.

Strings are kept as they came; whoever shows them makes them safe.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from hds_cli import events
from hds_cli.events import Event
from hds_cli.types import Condition, PageStatus, Passage, SearchResult, Section

MOST_TRIES = 64  # a journal may come from anywhere
NOT_NEEDED = "not_needed"  # the reason of a try that was ended, as it could not change the answer


@dataclass
class PageState:
    """A page that was asked for; no `status` yet: it is on its way. `requested` and `ended` are seconds of the run."""

    url: str
    title: str = ""
    status: PageStatus | None = None
    reason: str | None = None
    bytes: int = 0
    seconds: float = 0.0
    requested: float = 0.0
    ended: float | None = None
    extract_seconds: float = 0.0
    held_by: str = ""
    sha256: str = ""

    @property
    def cached(self) -> bool:
        """True for a page of the web that was read before."""
        return self.status == "cached" and not self.held_by

    @property
    def ok(self) -> bool:
        return self.status in ("fetched", "cached")

    @property
    def failed(self) -> bool:
        return self.status is not None and not self.ok and self.reason != "copy"


@dataclass
class SearchState:
    """One source asked for one query; no `finished` yet: it has not answered. Times in seconds of the run."""

    source: str
    started: float
    finished: float | None = None
    error: dict[str, str] | None = None
    results: tuple[SearchResult, ...] = ()


@dataclass
class QueryState:
    """A query, the sources it went to, and what came of it; `rewords`: the number of the one it puts in other words."""

    number: int
    text: str
    repeated: bool = False
    rewords: int = 0
    proposed: float = 0.0
    searches: dict[str, SearchState] = field(default_factory=dict)
    results: list[SearchResult] = field(default_factory=list)
    pages: dict[str, PageState] = field(default_factory=dict)
    passages: tuple[Passage, ...] | None = None
    dropped: tuple[Passage, ...] = ()
    last: float = 0.0

    @property
    def searching(self) -> bool:
        return any(s.finished is None for s in self.searches.values())

    @property
    def running(self) -> bool:
        """Something is still awaited. A query that goes nowhere (repeated, or the run was stopped) is not running."""
        return self.searching or any(p.status is None for p in self.pages.values())

    @property
    def errors(self) -> list[SearchState]:
        return [s for s in self.searches.values() if s.error]

    @property
    def seconds(self) -> float:
        """The time from the first question to a source until the last source answered."""
        ends = [s.finished for s in self.searches.values() if s.finished is not None]
        return max(ends) - min(s.started for s in self.searches.values()) if ends else 0.0


@dataclass
class TurnState:
    """One call of the model. `seconds` is set when the turn is over.

    `written`: the second of the run at which its text was complete; `read`: at which its evidence was chosen. `text` is
    all that the model wrote; `cut`: it was stopped in it; `not_searched`: queries without room or time. `section`: that
    of a report which it belongs to, else 0. `seconds_left`: of the run, when the turn began. `reading`: the second at
    which the model began to read `to_read` tokens, in `read_seconds` as was expected; None: it does not read now.
    `per_second`: tokens that it writes.
    """

    number: int
    forced: bool = False
    section: int = 0
    started: float = 0.0
    thought: str = ""
    seconds: float | None = None
    written: float | None = None
    read: float | None = None
    ended: float | None = None
    text: str = ""
    cut: bool = False
    not_searched: tuple[str, ...] = ()
    queries: dict[int, QueryState] = field(default_factory=dict)
    seconds_left: float | None = None
    reading: float | None = None
    to_read: int = 0
    read_seconds: float | None = None
    per_second: float | None = None

    @property
    def passages(self) -> int:
        return sum(len(q.passages or ()) for q in self.queries.values())


@dataclass
class SectionState:
    """A section of a report; no `started` yet: it waits. Times in seconds of the run."""

    number: int
    section: Section
    started: float | None = None
    ended: float | None = None
    end: events.RunFinished | None = None
    answering: str = ""


@dataclass
class RunState:
    """Everything that is known of a run; `apply` takes in one event after the other.

    `documents` and `continued`: what the model was given before it searched; `sections`: those of a report; `tries`:
    those at one question, each a part of the run as a section is; `ledgers`: the conditions of the question as they
    stood after each turn; `received`: bytes of all pages; `now`: the second of the last event.
    """

    started: events.RunStarted | None = None
    finished: events.RunFinished | None = None
    turns: dict[int, TurnState] = field(default_factory=dict)
    notices: list[events.Notice] = field(default_factory=list)
    documents: list[events.DocumentAttached] = field(default_factory=list)
    continued: events.RunContinued | None = None
    sections: dict[int, SectionState] = field(default_factory=dict)
    tries: dict[int, SectionState] = field(default_factory=dict)
    ledgers: list[events.LedgerUpdated] = field(default_factory=list)
    received: int = 0
    answering: str = ""
    at_once: int = 0
    now: float = 0.0
    _open: int = 0

    @classmethod
    def of(cls, run: Iterable[Event]) -> RunState:
        """The state after all events of a run."""
        state = cls()
        for event in run:
            state.apply(event)
        return state

    @property
    def queries(self) -> Iterator[QueryState]:
        return (query for turn in self.turns.values() for query in turn.queries.values())

    @property
    def question(self) -> str:
        return self.started.question if self.started else ""

    @property
    def ledger(self) -> list[Condition]:
        """The conditions of the question, in order, as they stand for the answer; empty: nobody kept them."""
        return standing(self.ledgers[-1]) if self.ledgers else []

    def deadline(self, turn: TurnState) -> float | None:
        """The second of the run at which the searches of a turn are given up; None while the model writes."""
        most = self.started.settings.get("turn_timeout") if self.started else None
        if turn.written is None or turn.seconds is not None or not isinstance(most, int | float):
            return None
        return turn.written + most if any(query.running for query in turn.queries.values()) else None

    def turns_of(self, section: int) -> list[TurnState]:
        """The turns of a section of a report; 0: those before all sections."""
        return [turn for turn in self.turns.values() if turn.section == section]

    def source_of(self, url: str) -> str:
        """The source that led to a page; empty when none did (an attached document)."""
        return next((r.source for q in self.queries for r in q.results if r.url == url), "")

    @property
    def passages(self) -> Iterator[Passage]:
        """All passages that the model read: those of the queries, then those that it had before it searched."""
        return chain((p for query in self.queries for p in query.passages or ()), self._given())

    def passage(self, number: int) -> Passage | None:
        """The passage that was read under a number."""
        return next((p for p in self.passages if p.n == number), None)

    def _given(self) -> Iterator[Passage]:
        """The passages that the model had before it searched."""
        for finding in self.continued.findings if self.continued else ():
            yield from finding.passages
        for document in self.documents:
            yield from document.passages

    def apply(self, event: Event) -> None:
        self.now = max(self.now, event.t)
        match event:
            case events.RunStarted():
                self.started = event
                count = min(event.tries, MOST_TRIES)
                self.tries = {n: SectionState(n, Section(f"try {n}", event.question)) for n in range(1, count + 1)}
            case events.RunFinished():
                self.finished = event
            case events.Notice():
                self.notices.append(event)
            case events.RunContinued():
                self.continued = event
            case events.DocumentAttached():
                self.documents.append(event)
            case events.OutlineWritten():
                self.sections = {n: SectionState(n, section) for n, section in enumerate(event.sections, 1)}
            case events.SectionStarted() | events.SectionFinished():
                self._in_section(event)
            case events.TryFinished():
                if (one := self.tries.get(event.number)) is not None:
                    one.started, one.ended, one.end = one.started or 0.0, event.t, event.end
            case events.LedgerUpdated():
                self.ledgers.append(event)
            case events.AnswerDelta():
                self._answer(event)
            case events.TurnStarted():
                if (one := self.tries.get(event.section)) is not None and one.started is None:
                    one.started = event.t
                self.turns[event.turn] = TurnState(event.turn, event.forced, event.section, event.t)
                self.turns[event.turn].seconds_left = event.seconds_left
                self.answering = ""
            case events.ReadingStarted():
                turn = self._turn(event.turn)
                turn.to_read, turn.read_seconds, turn.reading = event.tokens, event.seconds, event.t
            case events.WritingMeasured():
                turn = self._turn(event.turn)
                turn.reading, turn.per_second = None, event.per_second
            case events.ThoughtDelta():
                self._turn(event.turn).thought += event.text
            case events.Thought():
                turn = self._turn(event.turn)
                turn.thought, turn.written = event.text, event.t
            case events.TurnFinished():
                turn = self._turn(event.turn)
                turn.seconds, turn.ended, turn.text, turn.cut = event.seconds, event.t, event.written, event.cut
                turn.not_searched = event.not_searched
            case _:
                self._in_query(event)

    def _answer(self, event: events.AnswerDelta) -> None:
        part = (self.tries or self.sections).get(event.section)
        if part is None:
            self.answering += event.text
        else:
            part.answering += event.text

    def _in_section(self, event: events.SectionStarted | events.SectionFinished) -> None:
        state = self.sections.get(event.section)
        if state is None:  # a journal may come from anywhere
            return
        if isinstance(event, events.SectionStarted):
            state.started, state.answering = event.t, ""
        else:
            state.ended, state.end = event.t, event.end

    def _turn(self, number: int) -> TurnState:
        return self.turns.setdefault(number, TurnState(number))

    def _in_query(
        self,
        event: events.QueryProposed
        | events.SearchStarted
        | events.SearchFinished
        | events.PageRequested
        | events.PageFinished
        | events.EvidenceSelected,
    ) -> None:
        turn = self._turn(event.turn)
        query = turn.queries.setdefault(event.query, QueryState(event.query, ""))
        match event:
            case events.QueryProposed():
                query.text, query.repeated, query.proposed = event.text, event.repeated, event.t
                query.rewords = event.rewords
            case events.SearchStarted():
                query.searches[event.source] = SearchState(event.source, event.t)
                self._open += 1
                self.at_once = max(self.at_once, self._open)
            case events.SearchFinished():
                self._search_finished(query, event)
            case events.PageRequested():
                query.pages.setdefault(event.url, PageState(event.url, event.title, requested=event.t))
            case events.PageFinished():
                self.received += event.bytes
                _page_finished(query, event)
            case events.EvidenceSelected():
                query.passages, query.dropped = event.passages, event.dropped
                turn.read = event.t if turn.read is None else turn.read
        if not isinstance(event, events.EvidenceSelected):
            query.last = event.t

    def _search_finished(self, query: QueryState, event: events.SearchFinished) -> None:
        search = query.searches.setdefault(event.source, SearchState(event.source, max(0.0, event.t - event.seconds)))
        search.finished, search.results = event.t, event.results
        search.error = _texts(event.error)
        query.results += event.results
        self._open = max(0, self._open - 1)


def standing(ledger: events.LedgerUpdated) -> list[Condition]:
    """Each condition of a ledger with its state for the candidate answer."""
    known = {(row.candidate, row.constraint): row for row in reversed(ledger.rows)}
    rows = []
    for text in ledger.conditions:
        row = known.get((ledger.candidate, text)) or known.get(("", text))
        rows.append(row or Condition(text, "unchecked", candidate=ledger.candidate))
    return rows


def _texts(error: dict[str, Any] | None) -> dict[str, str] | None:
    """An error's values as text: a journal may come from anywhere."""
    return None if error is None else {str(name): str(value) for name, value in error.items() if value is not None}


def _page_finished(query: QueryState, event: events.PageFinished) -> None:
    """Two sources may lead to one page: what came first and well is kept, unless it turns out to be a copy."""
    page = query.pages.setdefault(event.url, PageState(event.url, requested=max(0.0, event.t - event.seconds)))
    if page.ok:
        if event.reason == "copy":
            page.status, page.reason = event.status, event.reason
        return
    page.title = event.title or page.title
    page.status, page.reason, page.bytes, page.seconds = event.status, event.reason, event.bytes, event.seconds
    page.ended, page.extract_seconds = event.t, event.extract_seconds
    page.held_by, page.sha256 = event.held_by, event.sha256
