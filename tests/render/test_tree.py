"""The tree: exact pictures on a fixed console, what folds, and that nothing overflows."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest

from hds_cli import events as e
from hds_cli.render import words
from hds_cli.render.tree import View, tree_lines
from hds_cli.run_state import RunState
from hds_cli.types import Agreement, SearchResult, Support

from . import pictures
from .conftest import fixed_console, written
from .sample import MODEL, first_turn, second_turn, whole_run


def state_of(run: list[e.Event]) -> RunState:
    state = RunState()
    for event in run:
        state.apply(event)
    return state


def drawn(run: list[e.Event], *, width: int, encoding: str = "utf-8", **view: Any) -> str:
    """The tree as a fixed console of that width writes it."""
    console = fixed_console(width, encoding=encoding)
    for line in tree_lines(state_of(run), View(width, signs=words.signs(encoding), now=2.1, **view)):
        console.print(line)
    return written(console).rstrip("\n")


@pytest.mark.parametrize(("width", "picture"), [(40, "MID_40"), (80, "MID_80"), (120, "MID_120")])
def test_tree_mid_run_is_drawn_as_pictured(width: int, picture: str) -> None:
    """Aligned columns, a spinner where something works, failures in words where they happened."""
    assert drawn(first_turn() + second_turn(), width=width) == getattr(pictures, picture).strip("\n")


@pytest.mark.parametrize(
    ("width", "encoding", "picture"),
    [(40, "ascii", "END_40_ASCII"), (80, "utf-8", "END_80"), (120, "utf-8", "END_120")],
)
def test_tree_at_the_end_is_drawn_as_pictured(width: int, encoding: str, picture: str) -> None:
    """Every branch is there, nothing spins; ASCII where the encoding has no boxes."""
    assert drawn(whole_run(), width=width, encoding=encoding, live=False) == getattr(pictures, picture).strip("\n")


def test_the_whole_tree_marks_the_weak_parts_of_the_answer_where_it_is_printed_elsewhere() -> None:
    """One line of counts, and each weak part with its mark and why; nothing where every part of one has a ground."""
    support = (
        Support("The organ is from 1762.", "quoted"), Support("It has 2,400 pipes.", "missing", missing=("2,400",)),
        Support("It was built by Ana Petrić, who came from the island with her two sons and a cart.", "contradicted"),
    )  # fmt: skip
    run = [*whole_run()[:-1], replace(whole_run()[-1], support=support)]
    assert drawn(run, width=80, live=False) == pictures.END_80.strip("\n")
    lines = drawn(run, width=80, live=False, grades=True).split("\n")
    assert [line for line in lines if "parts" in line or "[?]" in line or "[!]" in line] == [
        "   ├─ 3 parts: 1 quoted, 1 contradicted, 1 in no page",
        "   ├─ [?] It has 2,400 pipes.                                        in no page",
        "   └─ [!] It was built by Ana Petrić, who came from the island…    contradicted",
    ]
    run[-1] = replace(run[-1], support=support[:1])
    assert drawn(run, width=80, live=False, grades=True) == pictures.END_80.strip("\n")


def test_finished_branches_fold_when_there_is_no_room() -> None:
    """With 12 lines the finished make place; what runs and what failed stays."""
    assert drawn(first_turn() + second_turn(), width=80, height=12) == pictures.LOW.strip("\n")


def crowded(turns: int = 6, queries: int = 8, pages: int = 10, text: str = "capital of Bhutan") -> list[e.Event]:
    """A big run, half done: every third page failed, every fifth still on its way."""
    run: list[e.Event] = [e.RunStarted(run_id="big", question=text, sources=("web",), model=MODEL)]
    for turn in range(1, turns + 1):
        run += [e.TurnStarted(t=turn, turn=turn), e.ThoughtDelta(t=turn, turn=turn, text=text)]
        for query in range(1, queries + 1):
            at: dict[str, Any] = {"t": float(turn), "turn": turn, "query": query}
            run.append(e.QueryProposed(**at, text=text))
            run.append(e.SearchStarted(**at, source=text[:9]))
            found = tuple(SearchResult(f"https://x.example/{n}", text, text, n) for n in range(pages))
            run.append(e.SearchFinished(**at, source=text[:9], seconds=0.1, results=found))
            for n in range(pages):
                url = f"https://x.example/{turn}/{query}/{n}"
                run.append(e.PageRequested(**at, url=url, title=text))
                if turn < turns or n % 5:
                    status, reason = ("failed", text) if n % 3 == 0 else ("fetched", None)
                    run.append(e.PageFinished(**at, url=url, status=status, reason=reason, bytes=n * 999, title=text))  # type: ignore[arg-type]
        if turn < turns:
            run.append(e.TurnFinished(t=turn + 0.9, turn=turn, seconds=0.9))
    return [*run, e.Notice(level="warning", code="x", message=text), e.AnswerDelta(text=text * 20)]


@pytest.mark.parametrize("height", [1, 2, 5, 10, 23, 50])
def test_tree_never_is_higher_than_its_room(height: int) -> None:
    """However many branches, the tree fits the screen."""
    for width in (40, 80, 200):
        assert len(tree_lines(state_of(crowded()), View(width, height))) <= height


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1"])
@pytest.mark.parametrize("live", [True, False])
def test_no_line_is_wider_than_the_terminal(encoding: str, live: bool, hostile: list[str]) -> None:
    """For every width from 40 to 200, wide, hostile and foreign text included, no line overflows or wraps."""
    chance = random.Random(3)
    texts = [
        "capital of Bhutan " * 9,
        "首都はどこですか" * 12,
        "e\u0301\u0302" * 60,
        "👩‍👩‍👧" * 30,
        *chance.sample(hostile, 12),
    ]
    for place, text in enumerate(texts):
        state = state_of(crowded(2, 3, 4, text))
        for width in range(40 + place % 8, 201, 8):
            view = View(width, 20 if live else None, words.signs(encoding), now=3.3, live=live)
            for line in tree_lines(state, view):
                assert line.cell_len < width
                line.plain.encode(encoding)
                assert "\n" not in line.plain


def test_pages_are_folded_after_three_and_failures_are_shown_first() -> None:
    """Ten pages: the failed ones in words, the rest counted with what became of it."""
    text = drawn(crowded(2, 1, 10), width=80, live=False)
    assert "8 more, 2 failed" in text
    assert text.count("x.example") == 4


def test_growing_thought_shows_its_end() -> None:
    """While the model thinks, the newest words are in sight; when it is done, the first."""
    growing = [*first_turn()[:2], e.ThoughtDelta(t=0.2, turn=1, text="begin " + "middle " * 30 + "newest")]
    assert "newest" in drawn(growing, width=60)
    assert "begin" not in drawn(growing, width=60)
    done = [*growing, e.TurnFinished(t=1, turn=1, seconds=1)]
    assert "begin" in drawn(done, width=60)


def test_forced_answer_and_repeated_query_are_said() -> None:
    """What the run did on its own account is told in words."""
    run = [*whole_run()[:-1], e.TurnStarted(t=3, turn=4, forced=True)]
    text = drawn(run, width=80)
    assert "answers with what there is" in text
    assert "asked before" in text


def test_answer_is_seen_under_the_tree_while_it_is_written() -> None:
    """The streamed answer stands below, and goes when the run is over."""
    run = [event for event in whole_run() if not isinstance(event, e.RunFinished)]
    assert drawn(run, width=80).endswith("\n\nBerlin and Rome.")
    assert not drawn(whole_run(), width=80).endswith("Rome.")


def test_long_wait_says_how_long_it_can_still_be() -> None:
    """The model's text is complete, a source has not answered: the deadline of the turn is counted down, not before."""
    first = first_turn()
    start = e.RunStarted(run_id="x", question="q", sources=("web",), model=MODEL, settings={"turn_timeout": 20.0})
    waiting = [start, *first[1:12], *second_turn()]  # written at 1.3 s, drawn at 2.1 s
    assert "s more" not in drawn(waiting, width=80)
    state = state_of(waiting)
    said = "\n".join(line.plain for line in tree_lines(state, View(80, now=9.3)))
    assert "at most 12 s more" in said
    assert "s more" not in "\n".join(line.plain for line in tree_lines(state, View(80, now=9.3, live=False)))


def test_colours_can_be_read_on_dark_and_on_light() -> None:
    """Words are in the terminal's own colour, dim, bold or red; cyan, pale on white, is for spinners and bars alone."""
    for line in tree_lines(state_of(first_turn() + second_turn()), View(80, now=2.1)):
        for span in line.spans:
            assert str(span.style) in {"", "dim", "bold", "red", "cyan"}
            if str(span.style) == "cyan":
                assert set(line.plain[span.start : span.end].strip()) <= set("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏")


def test_a_journal_with_conditions_and_grades_but_no_turn_is_drawn() -> None:
    """A journal may come from anywhere: its grades then hang below the only line there is."""
    ledger = e.LedgerUpdated(turn=1, conditions=("borders Austria",))
    graded = (Support("It borders Austria.", "missing"), Support("It has a sea.", "missing"))
    end = e.RunFinished(status="answered", answer="Italy", explanation=None, support=graded)
    started = e.RunStarted(run_id="r", question="q", sources=("m",), model=MODEL)
    lines = [line.plain for line in tree_lines(state_of([started, ledger, end]), View(80, live=False, grades=True))]
    assert any("It has a sea." in line for line in lines)


def with_tries(shown: int | None) -> list[e.Event]:
    """Three tries of a turn each; the last two were made after the one that is shown."""
    run: list[e.Event] = [e.RunStarted(run_id="r", question="q", sources=("m",), model=MODEL, tries=3)]
    for number in (1, 2, 3):
        end = e.RunFinished(status="answered", answer=f"Town {number}", explanation=None)
        run += [
            e.TurnStarted(turn=number, section=number),
            e.TurnFinished(turn=number, seconds=1.0, generated_tokens=9),
            e.TryFinished(number=number, seed=number, end=end),
        ]  # fmt: skip
    support = (Support("It is Town 1.", "quoted"), Support("It has 9 gates.", "missing", missing=("9",)))
    agreement = Agreement(1, 3, 3, shown) if shown else None
    end = e.RunFinished(status="answered", answer="Town", explanation=None, support=support, agreement=agreement)
    return [*run, end]


def test_the_grades_of_an_answer_hang_below_the_try_that_gave_it() -> None:
    """Not below the last one; where none is named they are a line of their own."""
    lines = drawn(with_tries(1), width=80, live=False, grades=True).split("\n")
    at = {word: next(n for n, line in enumerate(lines) if word in line) for word in ("try 1", "2 parts", "try 2")}
    assert at["try 1"] < at["2 parts"] < at["try 2"]
    assert drawn(with_tries(None), width=80, live=False, grades=True).split("\n")[-2:] == [
        "└─ 2 parts: 1 quoted, 1 in no page",
        "   └─ [?] It has 9 gates.                                            in no page",
    ]


def test_a_notice_is_whole_at_the_end() -> None:
    """Its end says what to type; while the tree moves each has one line."""
    told = "using the starter (facts on countries only); a larger model: hds model suggest, or one of your own files"
    run = [*whole_run()[:1], e.Notice(level="warning", code="starter", message=told), *whole_run()[1:]]
    assert " ".join(drawn(run, width=80, live=False).split("\n")[-2:]) == f"! {told}"
    assert "! using the starter (facts on countries only); a larger model: hds model sugge…" in (
        drawn(run, width=80, live=False, height=60).split("\n")
    )
