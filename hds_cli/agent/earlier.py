"""The legacy of an earlier run, read from its events: a later run goes on where it stopped, or asks further."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from hds_cli import events
from hds_cli.agent.support.message import renumbered
from hds_cli.engine.base import Further
from hds_cli.errors import NotUnderstood
from hds_cli.run_state import RunState
from hds_cli.types import Exchange, Findings, Page, Passage

MAX_EXCHANGES = 4
MAX_REPORT = 4_000  # characters of a report that the next question is told
ATTACHED = "attached document"
DONE = ("answered", "unanswered")  # how a run ends that is not gone on with


@dataclass(frozen=True)
class Earlier:
    """A run that is continued: its questions and answers, and its evidence, cited passages first.

    `whole`: the further question as one that stands alone; empty: it is asked as it is.
    """

    run_id: str
    exchanges: tuple[Exchange, ...]
    findings: tuple[Findings, ...]
    cited: frozenset[int] = frozenset()
    whole: str = ""

    @property
    def passages(self) -> list[Passage]:
        """Every passage once, by its number."""
        by_number = {passage.n: passage for findings in self.findings for passage in findings.passages}
        return [by_number[n] for n in sorted(by_number)]


@dataclass(frozen=True)
class DoneTurn:
    """A turn that was finished: what the model wrote, its queries, the passages it read for each, what was put off."""

    written: str
    queries: tuple[str, ...]
    evidence: dict[int, tuple[Passage, ...]]
    not_searched: tuple[str, ...] = ()


@dataclass(frozen=True)
class Resumed:
    """A run that goes on after its last finished turn; `events` and `elapsed` (seconds) are of the finished part."""

    run_id: str
    question: str
    turns: tuple[DoneTurn, ...] = ()
    documents: tuple[events.DocumentAttached, ...] = ()
    continued: events.RunContinued | None = None
    events: tuple[events.Event, ...] = ()
    elapsed: float = 0.0
    answered: bool = False


def earlier(run: Iterable[events.Event]) -> Earlier:
    """The exchanges and evidence that a run leaves to its continuation, those of the runs it continued included."""
    state = RunState.of(run)
    continued, finished = state.continued, state.finished
    findings = list(continued.findings) if continued else []
    findings += [Findings(ATTACHED, document.passages) for document in state.documents]
    findings += [Findings(query.text, query.passages) for query in state.queries if query.passages]
    exchanges = list(continued.exchanges) if continued else []
    asked = (continued.whole if continued else "") or state.question
    answer = (finished.answer if finished else None) or ""
    if state.sections and len(answer) > MAX_REPORT:
        answer = f"{answer[:MAX_REPORT]} …"
    exchanges.append(Exchange(asked, renumbered(answer, {})[0]))  # its marks are of a list that is not shown again
    cited = (
        frozenset(citation.passage or citation.n for citation in finished.citations) if finished else frozenset[int]()
    )
    run_id = state.started.run_id if state.started else ""
    return Earlier(run_id, tuple(exchanges[-MAX_EXCHANGES:]), tuple(findings), cited)


def made_whole(before: Earlier, question: str, further: Further | None) -> Earlier:
    """`before` for a model that is asked every question by itself, with nothing of the run but its documents.

    Raises:
        NotUnderstood: what the further question asks cannot be told.
    """
    if further is None or not before.exchanges:
        return before
    documents = tuple(findings for findings in before.findings if findings.query == ATTACHED)
    whole = further(before.exchanges, question, [passage.title for passage in before.passages])
    if whole is None and not documents:
        raise NotUnderstood("what this further question asks cannot be told", hint="ask it in full")
    return replace(before, findings=documents, whole=whole or question)


def asked(question: str, before: Earlier | Resumed | None) -> str:
    """The question that a run researches: the user's, or that one made whole."""
    continued = before.continued if isinstance(before, Resumed) else before
    return (continued.whole if continued else "") or question


def resumed(run: Iterable[events.Event]) -> Resumed:
    """The finished turns of a run: all that were written and read before it was stopped or killed."""
    kept = list(run)
    state = RunState.of(kept)
    turns = list(_finished_turns(state))
    again = [event for event in kept if _is_emitted_again(event, len(turns))]
    return Resumed(
        run_id=state.started.run_id if state.started else "",
        question=state.question,
        turns=tuple(turns),
        documents=tuple(state.documents),
        continued=state.continued,
        events=tuple(again),
        elapsed=again[-1].t if again else 0.0,
        answered=state.finished is not None and state.finished.status in DONE,
    )


def _finished_turns(state: RunState) -> Iterator[DoneTurn]:
    """The turns from the first on, up to one that was forced, cut, without queries, or is damaged in the journal."""
    for number in itertools.count(1):
        turn = state.turns.get(number)
        if turn is None or turn.forced or turn.cut or turn.ended is None or not (turn.queries and turn.text):
            return
        evidence = {n: query.passages for n, query in turn.queries.items() if query.passages is not None}
        queries = tuple(query.text for query in turn.queries.values())
        yield DoneTurn(turn.text, queries, evidence, turn.not_searched)


def _is_emitted_again(event: events.Event, turns: int) -> bool:
    """True for an event that a resumed run emits again: what was given to the model, and its finished turns."""
    if isinstance(event, events.RunContinued | events.DocumentAttached):
        return True
    if isinstance(event, events.LedgerUpdated):
        return event.turn <= turns
    return 0 < getattr(event, "turn", 0) <= turns


def continuation(before: Earlier, tokens: int, count: Callable[[str], int], t: float) -> events.RunContinued:
    """The part of an earlier run that the model is told: as much of its evidence as there is room for.

    Args:
        t: seconds of the run that goes on from it.
    """
    price = [count(passage.full) + 8 for passage in before.passages]
    findings = only(before.findings, fitting(before, tokens, price))
    return events.RunContinued(
        t=t, run_id=before.run_id, exchanges=before.exchanges, findings=findings, whole=before.whole
    )  # fmt: skip


def fitting(earlier: Earlier, tokens: int, price: Sequence[int]) -> set[int]:
    """The numbers of the passages that fit: cited passages first, then the others in their order.

    Args:
        tokens: the room for all of them.
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
    """The findings cut down to these passages. A query that loses all its passages is left out."""
    kept = (Findings(f.query, tuple(p for p in f.passages if p.n in numbers)) for f in findings)
    return tuple(entry for entry in kept if entry.passages)


def pages(passages: Iterable[Passage]) -> dict[str, Page]:
    """The known part of each page: the passages that were cut from it when it was read."""
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


__all__ = [
    "DONE",
    "DoneTurn",
    "Earlier",
    "Resumed",
    "asked",
    "earlier",
    "fitting",
    "made_whole",
    "only",
    "pages",
    "resumed",
]
