"""When each part of a run worked: bars over seconds, a lane for the model of every turn and one for every query.

Made from the state of a run; the terminal (`gantt.py`) and the HTML report draw it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from hds_cli.render import outcomes, words
from hds_cli.run_state import PageState, QueryState, RunState, TurnState

Kind = Literal["write", "wait", "read", "search", "fetch", "extract"]

KINDS: dict[Kind, str] = {
    "write": "the model writes",
    "wait": "the model waits",
    "read": "the model reads",
    "search": "search",
    "fetch": "page on its way",
    "extract": "page turned into text",
}
_LEAST_WAIT = 0.005  # seconds
_SHORT = 0.0005  # seconds: a page that was there already is no bar


@dataclass(frozen=True)
class Bar:
    """One piece of work from `start` to `end`, in seconds of the run; `outcome` in words.

    `late`: the model waited for it.
    """

    kind: Kind
    start: float
    end: float
    what: str
    outcome: str = ""
    failed: bool = False
    late: bool = False

    @property
    def seconds(self) -> float:
        return self.end - self.start


@dataclass(frozen=True)
class Lane:
    """The bars of one query, or (`query` is None) of the model in one turn; `label` and `what` are untrusted text."""

    turn: int
    query: int | None
    label: str
    bars: tuple[Bar, ...]


@dataclass(frozen=True)
class Timeline:
    """A whole run; `waits` says for each turn in which the model waited, how long and for what."""

    seconds: float
    at_once: int
    lanes: tuple[Lane, ...]
    waits: tuple[tuple[Bar, str], ...]

    @property
    def waited(self) -> float:
        """Seconds the model had nothing to do."""
        return sum(bar.seconds for bar, _ in self.waits)


def timeline(state: RunState) -> Timeline:
    """The bars of a run as far as it has come; what is not over ends with the last event."""
    lanes: list[Lane] = []
    waits: list[tuple[Bar, str]] = []
    for turn in state.turns.values():
        branches = [
            Lane(turn.number, q.number, q.text, tuple(_branch(q, turn, state.now))) for q in turn.queries.values()
        ]
        late = [bar for lane in branches for bar in lane.bars if bar.late]
        wait = _wait(turn, late, state.now)
        if wait:
            waits.append((wait, max(late, key=lambda bar: bar.end).what))
        lanes += [Lane(turn.number, None, _model_label(turn), tuple(_model(turn, wait, state.now))), *branches]
    return Timeline(max(state.now, 1e-6), state.at_once, tuple(lanes), tuple(waits))


def ticks(seconds: float, most: int = 6) -> list[float]:
    """Round seconds from 0 up, at most `most` of them after the 0."""
    step = 0.001
    while seconds / step > most:
        step *= 2.5 if f"{step:e}"[0] == "2" else 2
    return [round(n * step, 6) for n in range(int(seconds / step) + 1)]


def packed(lane: Lane, gap: float) -> list[list[Bar]]:
    """The bars of a lane in rows in which none overlaps another, in as few rows as it takes.

    A page and its text share a row, and so does all that the model does.

    Args:
        gap: seconds that part neighbours in a row.
    """
    if lane.query is None:
        return [list(lane.bars)]
    branches: list[list[Bar]] = []
    for bar in lane.bars:
        if bar.kind == "extract" and branches:
            branches[-1].append(bar)
        elif bar.seconds >= _SHORT or bar.kind != "fetch":
            branches.append([bar])
    rows: list[list[Bar]] = []
    for branch in sorted(branches, key=lambda bars: (bars[0].start, bars[-1].end)):
        row = next((row for row in rows if row[-1].end + gap <= branch[0].start), None)
        if row is None:
            rows.append(branch)
        else:
            row += branch
    return rows


def _model_label(turn: TurnState) -> str:
    return f"turn {turn.number}" + (": must answer" if turn.forced else "")


def _wait(turn: TurnState, late: list[Bar], now: float) -> Bar | None:
    """From the end of the model's text until the last branch was there, or given up."""
    if turn.written is None or not late:
        return None
    until = next(t for t in (turn.read, turn.ended, now) if t is not None)
    return Bar("wait", turn.written, min(until, max(bar.end for bar in late)), f"turn {turn.number}")


def _model(turn: TurnState, wait: Bar | None, now: float) -> Iterator[Bar]:
    what = f"turn {turn.number}"
    ended = turn.ended if turn.ended is not None else now
    written = turn.written if turn.written is not None else ended
    yield Bar("write", turn.started, written, what, words.count(len(turn.queries), "query", "queries"))
    if wait:
        yield wait
    if turn.read is not None:
        yield Bar("read", turn.read, ended, what, words.count(turn.passages, "passage"))


def _branch(query: QueryState, turn: TurnState, now: float) -> Iterator[Bar]:
    for bar in _work(query, now):
        yield replace(bar, late=turn.written is not None and bar.end - turn.written >= _LEAST_WAIT)


def _work(query: QueryState, now: float) -> Iterator[Bar]:
    for search in query.searches.values():
        end = now if search.finished is None else search.finished
        what = f"{query.text} ({search.source})"
        yield Bar("search", search.started, end, what, outcomes.search(search), search.error is not None)
    for page in query.pages.values():
        yield from _page(page, now)


def _page(page: PageState, now: float) -> Iterator[Bar]:
    end = now if page.ended is None else page.ended
    ready = min(end, max(page.requested, end - page.extract_seconds))
    state, what = outcomes.page(page), page.title or page.url
    yield Bar("fetch", page.requested, ready, what, state, page.failed)
    if ready < end:
        yield Bar("extract", ready, end, what, state, page.failed)
