"""When each part of a run worked: the bars, what was waited for, and how a terminal draws them."""

from __future__ import annotations

import itertools
import random

import pytest

from hds_cli import events as e
from hds_cli.render import words
from hds_cli.render.gantt import timeline_lines
from hds_cli.render.timeline import Bar, Timeline, packed, ticks, timeline
from hds_cli.run_state import RunState

from . import pictures
from .conftest import fixed_console, written
from .sample import big_run, whole_run
from .test_sinks import BAD, poisoned


def of(run: list[e.Event]) -> Timeline:
    state = RunState()
    for event in run:
        state.apply(event)
    return timeline(state)


def drawn(run: list[e.Event], width: int, encoding: str = "utf-8") -> str:
    console = fixed_console(width, encoding=encoding)
    for line in timeline_lines(of(run), width, words.signs(encoding)):
        console.print(line)
    return written(console).rstrip("\n")


def bars(line: Timeline, kind: str) -> list[Bar]:
    return [bar for lane in line.lanes for bar in lane.bars if bar.kind == kind]


def test_bars_begin_and_end_when_the_events_say() -> None:
    """A search from its start to its answer, a page from its request to its text, the model while it writes and reads."""
    line = of(whole_run())
    assert line.seconds == 3.8
    germany = next(bar for bar in bars(line, "search") if bar.what == "capital of Germany (web)")
    assert (germany.start, germany.end) == (1.35, 1.4)
    berlin = next(bar for bar in bars(line, "fetch") if bar.what == "Berlin")
    assert (berlin.start, berlin.end, berlin.outcome) == (1.4, 1.72, "18 kB, 0.3 s")
    assert [(bar.start, bar.end) for bar in bars(line, "write")] == [(0.1, 0.45), (1.0, 1.3), (2.5, 3.1)]
    assert [(bar.start, bar.end) for bar in bars(line, "read")] == [(0.8, 1.0), (2.4, 2.5)]


def test_a_page_is_a_bar_of_fetching_and_one_of_extracting() -> None:
    """The time that turning a page into text took is the end of its bar."""
    run = [
        e.PageRequested(t=1.0, turn=1, query=1, url="https://a.example/"),
        e.PageFinished(t=2.0, turn=1, query=1, url="https://a.example/", status="fetched", seconds=1.0, extract_seconds=0.25),
    ]  # fmt: skip
    (fetch,), (extract,) = bars(of(run), "fetch"), bars(of(run), "extract")
    assert (fetch.start, fetch.end, extract.start, extract.end) == (1.0, 1.75, 1.75, 2.0)


def test_what_was_waited_for_is_the_branch_that_came_last() -> None:
    """The model waits from the end of its text until the last branch is there; that branch is named."""
    line = of(whole_run())
    (_, (wait, what)) = line.waits
    assert (wait.start, wait.end, what) == (1.3, 2.3, "capital of Slovenia (web)")
    assert line.waited == pytest.approx(0.01 + 1.0)


def test_searches_that_end_while_the_model_writes_are_not_waited_for() -> None:
    """The searcher's way: what is there before the text ends costs nothing."""
    run = [
        e.TurnStarted(t=0, turn=1),
        e.QueryProposed(t=1, turn=1, query=1, text="x"),
        e.SearchStarted(t=1, turn=1, query=1, source="a"),
        e.SearchFinished(t=2, turn=1, query=1, source="a", seconds=1),
        e.Thought(t=3, turn=1, text="done"),
        e.EvidenceSelected(t=3.1, turn=1, query=1, passages=()),
        e.TurnFinished(t=4, turn=1, seconds=4),
    ]
    assert of(run).waits == ()


def test_a_run_that_was_cut_off_has_bars_up_to_its_last_event() -> None:
    """What never ended ends with the run, and says so; no events at all are an empty timeline."""
    line = of(whole_run()[:25])
    assert all(bar.start <= bar.end <= line.seconds for lane in line.lanes for bar in lane.bars)
    assert "given up" in {bar.outcome for bar in bars(line, "search")}
    assert of([]).lanes == ()


def test_packed_rows_hold_every_bar_and_none_overlaps() -> None:
    """The rows of a lane: each branch once, neighbours apart."""
    for lane in of(big_run()).lanes:
        rows = packed(lane, 0.01)
        assert sorted(map(id, (bar for row in rows for bar in row))) == sorted(map(id, lane.bars))
        for row in rows:
            assert all(one.end <= other.start + 1e-9 for one, other in itertools.pairwise(row))


@pytest.mark.parametrize("seconds", [0.0004, 0.01, 0.7, 3.8, 59.0, 3600.0])
def test_ticks_are_round_and_few(seconds: float) -> None:
    """From 0 to at most the end, never more than asked for, each 1, 2 or 5 of a power of ten."""
    found = ticks(seconds, 6)
    assert found[0] == 0
    assert found[-1] <= seconds
    assert len(found) <= 7
    if len(found) > 1:
        assert f"{found[1]:e}"[0] in "125"


@pytest.mark.parametrize(
    ("width", "encoding", "picture"), [(80, "utf-8", "TIMELINE_80"), (48, "ascii", "TIMELINE_48_ASCII")]
)
def test_timeline_is_drawn_as_pictured(width: int, encoding: str, picture: str) -> None:
    """Bars under each other over the same seconds; what was waited for has its mark, in ASCII as well."""
    assert drawn(whole_run(), width, encoding) == getattr(pictures, picture).strip("\n")


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_timeline_overflows_nowhere_and_obeys_nothing(encoding: str, hostile: list[str]) -> None:
    """From 40 to 200 cells, with hostile names: every line fits, and no line holds what a terminal obeys."""
    runs = [big_run(), *(poisoned(text) for text in random.Random(5).sample(hostile, 20))]
    for width in (40, 57, 80, 200):
        for run in runs:
            for line in timeline_lines(of(run), width, words.signs(encoding)):
                assert line.cell_len < width
                assert not set(line.plain) & BAD
                line.plain.encode(encoding)
