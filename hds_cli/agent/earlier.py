"""What an earlier run leaves to a later one, read from its events: to go on where it stopped, or to ask further."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from hds_cli import events
from hds_cli.types import Exchange, Findings, Page, Passage

MAX_EXCHANGES = 4


@dataclass(frozen=True)
class Earlier:
    """A run that is continued: what was asked and answered, and the evidence, what was cited first."""

    run_id: str
    exchanges: tuple[Exchange, ...]
    findings: tuple[Findings, ...]
    cited: frozenset[int] = frozenset()

    @property
    def passages(self) -> list[Passage]:
        """Every passage once, by its number."""
        found = {passage.n: passage for findings in self.findings for passage in findings.passages}
        return [found[n] for n in sorted(found)]


@dataclass(frozen=True)
class DoneTurn:
    """A turn that was finished: what the model wrote, its queries, and the passages it read for each."""

    written: str
    queries: tuple[str, ...]
    evidence: dict[int, tuple[Passage, ...]]


@dataclass(frozen=True)
class Resumed:
    """A run that goes on after its last finished turn; `events` are those of what was finished, `elapsed` seconds."""

    run_id: str
    question: str
    turns: tuple[DoneTurn, ...] = ()
    document: events.DocumentAttached | None = None
    continued: events.RunContinued | None = None
    events: tuple[events.Event, ...] = ()
    elapsed: float = 0.0
    answered: bool = False


def earlier(run: Iterable[events.Event]) -> Earlier:
    """What a run leaves to one that continues it; the exchanges and evidence of those it continued itself among it."""
    run_id = question = answer = ""
    exchanges: list[Exchange] = []
    findings: list[Findings] = []
    cited: set[int] = set()
    queries: dict[tuple[int, int], str] = {}
    for event in run:
        match event:
            case events.RunStarted():
                run_id, question = event.run_id, event.question
            case events.RunContinued():
                exchanges, findings = list(event.exchanges), list(event.findings)
            case events.DocumentAttached():
                findings.append(Findings("attached document", event.passages))
            case events.QueryProposed():
                queries[event.turn, event.query] = event.text
            case events.EvidenceSelected() if event.passages:
                findings.append(Findings(queries.get((event.turn, event.query), ""), event.passages))
            case events.RunFinished():
                answer = event.answer or ""
                cited = {citation.n for citation in event.citations}
    exchanges.append(Exchange(question, answer))
    return Earlier(run_id, tuple(exchanges[-MAX_EXCHANGES:]), tuple(findings), frozenset(cited))


def resumed(run: Iterable[events.Event]) -> Resumed:
    """The finished turns of a run: all that were written and read before it was stopped or killed."""
    reading = _Reading()
    for event in run:
        reading.take(event)
    return Resumed(
        reading.run_id, reading.question, tuple(reading.turns), reading.document, reading.continued,
        tuple(reading.done), reading.done[-1].t if reading.done else 0.0, reading.answered,
    )  # fmt: skip


@dataclass
class _Reading:
    """Takes in the events of a run; those of a turn count when the turn is finished."""

    run_id: str = ""
    question: str = ""
    document: events.DocumentAttached | None = None
    continued: events.RunContinued | None = None
    turns: list[DoneTurn] = field(default_factory=list)
    done: list[events.Event] = field(default_factory=list)
    answered: bool = False
    _open: list[events.Event] = field(default_factory=list)
    _over: bool = False

    def take(self, event: events.Event) -> None:
        match event:
            case events.RunStarted():
                self.run_id, self.question = event.run_id, event.question
            case events.RunContinued():
                self.continued = event
                self.done.append(event)
            case events.DocumentAttached():
                self.document = event
                self.done.append(event)
            case events.RunFinished():
                self.answered = event.status in ("answered", "unanswered")
            case events.TurnStarted():
                self._open, self._over = [event], self._over or event.forced
            case events.TurnFinished():
                self._finish(event)
            case events.Notice() | events.AnswerDelta():
                pass
            case _:
                self._open.append(event)

    def _finish(self, event: events.TurnFinished) -> None:
        proposed = [e for e in self._open if isinstance(e, events.QueryProposed)]
        gap = event.turn != len(self.turns) + 1  # lines of a turn before are damaged
        self._over = self._over or gap or event.cut or not proposed or not event.written
        if self._over:
            return
        self.done += [*self._open, event]
        evidence = {e.query: e.passages for e in self._open if isinstance(e, events.EvidenceSelected)}
        self.turns.append(DoneTurn(event.written, tuple(e.text for e in proposed), evidence))


def fitting(earlier: Earlier, tokens: int, price: Sequence[int]) -> set[int]:
    """The numbers of the passages that fit: what was cited first, then in their order.

    Args:
        tokens: how much there is room for.
        price: the tokens of each of `earlier.passages`.
    """
    chosen: set[int] = set()
    entries = sorted(zip(earlier.passages, price, strict=True), key=lambda entry: entry[0].n not in earlier.cited)
    for passage, cost in entries:
        if cost <= tokens:
            tokens -= cost
            chosen.add(passage.n)
    return chosen


def only(findings: Iterable[Findings], numbers: set[int]) -> tuple[Findings, ...]:
    """The findings with none but these passages; a query that is left without any is left out."""
    kept = (Findings(f.query, tuple(p for p in f.passages if p.n in numbers)) for f in findings)
    return tuple(entry for entry in kept if entry.passages)


def pages(passages: Iterable[Passage]) -> dict[str, Page]:
    """What is known of each page: the passages as they were cut from it when it was read."""
    texts: dict[str, list[str]] = {}
    first: dict[str, Passage] = {}
    for passage in passages:
        first.setdefault(passage.url, passage)
        heading = f"## {passage.heading}\n\n" if passage.heading else ""
        texts.setdefault(passage.url, []).append(heading + passage.text)
    return {
        url: Page(url, url, p.title, "\n\n".join(dict.fromkeys(texts[url])), "cached", fetched_at=p.fetched_at)
        for url, p in first.items()
    }


__all__ = ["DoneTurn", "Earlier", "Resumed", "earlier", "fitting", "only", "pages", "resumed"]
