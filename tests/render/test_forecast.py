"""What a moving tree says of the time to come: exact words, rounded, and only what is known."""

from __future__ import annotations

import pytest

from hds_cli import events as e
from hds_cli.render.forecast import about
from hds_cli.render.live import LiveTree
from hds_cli.render.tree import View, tree_lines
from hds_cli.run_state import RunState

from .conftest import fixed_console, written
from .sample import MODEL, QUESTION


def run(*later: e.Event, settings: dict[str, object] | None = None, left: float | None = None) -> RunState:
    """A run whose second turn began at 10 s."""
    given = {"max_turns": 10} if settings is None else settings
    return RunState.of([
        e.RunStarted(run_id="r", question=QUESTION, sources=(), model=MODEL, settings=given),
        e.TurnStarted(turn=1), e.Thought(t=8, turn=1, text="Neighbours."), e.TurnFinished(t=10, turn=1, seconds=10),
        e.TurnStarted(t=10, turn=2, seconds_left=left), *later,
    ])  # fmt: skip


def drawn(state: RunState, now: float, width: int = 80, **view: object) -> list[str]:
    return [line.plain for line in tree_lines(state, View(width, now=now, **view))]  # type: ignore[arg-type]


def test_a_turn_says_what_is_read_and_how_long_that_takes() -> None:
    state = run(e.ReadingStarted(t=10, turn=2, tokens=1240, seconds=4.2))
    assert "2  reading 1,240 tokens, 4 s" in drawn(state, 11)[-2]
    unknown = run(e.ReadingStarted(t=10, turn=2, tokens=1240))
    assert "reading 1,240 tokens  " in drawn(unknown, 11)[-2]
    few = run(e.ReadingStarted(t=10, turn=2, tokens=20, seconds=0.1))
    assert "2  thinks" in drawn(few, 11)[-2]


def test_a_turn_says_how_fast_the_model_writes() -> None:
    """No longer when its text is complete, and not in a narrow window."""
    state = run(e.ReadingStarted(t=10, turn=2, tokens=1240), e.WritingMeasured(t=14, turn=2, tokens=1, per_second=41.4))
    assert "41 tok/s" in drawn(state, 15)[-2]
    assert "reading" not in "".join(drawn(state, 15))
    assert "tok/s" not in "".join(drawn(state, 15, width=50))
    state.apply(e.WritingMeasured(t=15, turn=2, tokens=9, per_second=3.14))
    assert "3.1 tok/s" in drawn(state, 16)[-2]
    state.apply(e.Thought(t=17, turn=2, text="x"))
    assert "tok/s" not in "".join(drawn(state, 18))


def test_below_the_tree_stands_how_far_the_run_has_come() -> None:
    assert drawn(run(left=185.0), 15)[-1] == "turn 2 of at most 10, about 3 min left"
    assert drawn(run(left=45.0), 15)[-1] == "turn 2 of at most 10, about 40 s left"
    assert drawn(run(left=8.0), 15)[-1] == "turn 2 of at most 10", "it takes longer than it was thought to"
    assert drawn(run(), 15)[-1] == "turn 2 of at most 10"


def test_nothing_is_said_in_the_first_seconds_nor_at_the_end() -> None:
    first = RunState.of([e.RunStarted(run_id="r", question="?", sources=(), model=MODEL), e.TurnStarted(turn=1)])
    assert "at most" not in "".join(drawn(first, 2.5))
    assert "at most" not in "".join(drawn(run(left=90.0), 15, live=False))
    end = e.RunFinished(t=20, status="answered", answer="x", explanation=None)
    assert "at most" not in "".join(drawn(run(end, left=90.0), 21))


def test_a_journal_with_odd_settings_says_less() -> None:
    """A journal may come from anywhere."""
    for odd in ({"max_turns": "10"}, {"max_turns": None}, {}):
        assert "at most" not in "".join(drawn(run(settings=odd), 15))


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(-1, ""), (4.9, ""), (6, "about 5 s left"), (62, "about 60 s left"), (100, "about 2 min left"), (1e9, "")],
)
def test_times_to_come_are_rounded(seconds: float, said: str) -> None:
    assert about(seconds) == said


def test_a_model_that_loads_slowly_is_named_until_the_run_begins() -> None:
    waiting = View(60, now=2.0, loading="Qwen3-8B")
    (line,) = tree_lines(RunState(), waiting)
    assert line.plain.startswith("└─ loading Qwen3-8B")
    assert line.plain.endswith("2.0 s")
    assert "loading" not in "".join(t.plain for t in tree_lines(run(), waiting))


def test_a_load_that_fails_leaves_nothing_on_the_screen() -> None:
    console = fixed_console(60)
    tree = LiveTree(console)
    tree.loading("Qwen3-8B")
    tree.close()
    assert "loading" not in written(console)
