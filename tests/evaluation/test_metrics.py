"""`hds_compat` is the published evaluation bit for bit; the golden vectors ran on the reference functions."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hds_cli.evaluation.metrics import (
    Compat,
    Effort,
    accumulated,
    best_compat,
    compat,
    count_calls,
    count_turns,
)  # fmt: skip

B, E = "<|begin_search_queries|>", "<|end_search_queries|>"
RB, RE = "<|begin_search_results|>", "<|end_search_results|>"


@pytest.mark.parametrize(
    ("prediction", "gold", "em", "acc", "f1"),
    [
        ("Paris", "paris", 100, 100, 100),
        ("the city of Paris", "Paris", 0, 100, 40),
        ("Paris, France", "Paris", 0, 100, 0),  # the comma stays on the token
        ("", "Paris", 0, 0, 0),
        ("date: na", None, 100, 100, 100),
    ],
)
def test_compat_scores_are_the_references(prediction: str, gold: str | None, em: float, acc: float, f1: float) -> None:
    """Golden vectors of the reference functions."""
    found = compat(prediction, gold)
    assert (found.em, found.acc) == (em, acc)
    assert found.f1 == pytest.approx(f1)


def test_fan_out_cleaning_makes_a_dictionary_comparable() -> None:
    """The same pair is right as FanOutQA and wrong as MuSiQue."""
    gold = {"A": "Right", "B": "Left"}
    assert compat("A: Right, B: Left", gold, fan_out=True).f1 == pytest.approx(100)
    assert compat("A: Right, B: Left", gold).f1 == 0


def test_square_brackets_survive_the_cleaning() -> None:
    """Only what the reference drops is dropped; the brackets of a list stay on their tokens."""
    assert compat("['x']", ["x"], fan_out=True).f1 == 100
    assert compat("x", ["x"], fan_out=True).f1 == 0


def test_alternatives_give_the_best_of_each_score() -> None:
    """MuSiQue's aliases: each score is the best over them."""
    assert best_compat("Stanley Hall", ["G. Stanley Hall", "Stanley Hall"]) == Compat(100, 100, 100)


def test_accumulated_scores_are_the_references() -> None:
    """Golden vector: three outputs, curves and areas."""
    found = accumulated([Effort(100, 3, 5, 700), Effort(50, 1, 1, 100), Effort(0, 12, 40, 5000)])
    assert found.f1 == 50
    assert [found.turns[i] for i in (1, 2)] == pytest.approx([16.667] * 2, abs=1e-3)
    assert [found.turns[i] for i in range(3, 11)] == [50] * 8
    assert found.auc_at == pytest.approx(43.333, abs=1e-3)
    assert found.auc_ac == pytest.approx(43.333, abs=1e-3)
    assert found.auc_al == pytest.approx(21666.667, abs=1e-3)


def test_calls_count_only_turns_with_a_block_of_queries() -> None:
    """A turn whose text lost its block does not count its searches."""
    history = [f"x\n{B}\na;\nb\n{E}", "no block", f"y\n{B}\nc\n{E}", "\\boxed{A}"]
    assert count_calls(history, [2, 1, 1]) == 3


def test_turns_count_distinct_texts_of_the_searching_turns() -> None:
    """Two turns alike to the letter are one; the turn that answers is none."""
    assert count_turns(["a", "a", "b", "answer"], [1, 1, 1]) == 2


# --- an independent, straightforward implementation ------------------------------------------------------------------


def _plain_f1(prediction: str, gold: str, clean: bool) -> float:
    left = prediction.lower().strip().split()
    right = gold.lower().strip().split()
    if clean:
        tables = []
        for side in (left, right):
            out = []
            for word in side:
                word = word.replace("begin{aligned}", "").replace("end{aligned}", "")
                word = "".join(c for c in word if c not in "\\&{}():\"'.,;!?")
                if word != "":
                    out.append(word)
            tables.append(out)
        left, right = tables
    a, b = Counter(left), Counter(right)
    same = sum(min(a[w], b[w]) for w in a)
    if same == 0:
        return 0.0
    p, r = same / len(left), same / len(right)
    return 2 * p * r / (p + r) * 100


_text = st.text(alphabet="ab A.,:'{}()\\& \n[];!?begindalt", max_size=30)


@given(_text, st.one_of(_text, st.dictionaries(_text, _text, max_size=3), st.lists(_text, max_size=3)), st.booleans())
def test_compat_equals_a_straightforward_implementation(prediction: str, gold: object, clean: bool) -> None:
    """On random texts, dictionaries and lists."""
    text = str(gold)
    said, meant = " ".join(prediction.lower().split()), " ".join(text.lower().split())
    found = compat(prediction, gold, fan_out=clean)
    assert found.em == (100 if said == meant else 0)
    assert found.acc == (100 if said.find(meant) >= 0 else 0)
    assert found.f1 == pytest.approx(_plain_f1(prediction, text, clean))


_efforts = st.lists(
    st.tuples(st.floats(0, 100), st.integers(0, 20), st.integers(0, 50), st.integers(0, 6000)), min_size=1, max_size=20
)


@given(_efforts)
def test_accumulation_equals_a_straightforward_implementation(rows: list[tuple[float, int, int, int]]) -> None:
    """Bin by bin, as the text of the reference says it."""
    found = accumulated([Effort(*row) for row in rows])
    n = len(rows)
    turns = {i: sum(f for f, t, _, _ in rows if min(max(t, 1), 10) <= i) / n for i in range(1, 11)}
    calls = {i: sum(f for f, _, c, _ in rows if min(max(c, 2), 16) <= i) / n for i in range(2, 17)}
    tokens = {}
    for i in (300, 600, 900, 1200, 1500):
        tokens[i] = sum(f for f, _, _, k in rows if (min(max(k, 300), 1500) // 300) * 300 <= i) / n
    assert found.turns == pytest.approx(turns)
    assert found.calls == pytest.approx(calls)
    assert found.tokens == pytest.approx(tokens)
    assert found.auc_at == pytest.approx(sum(turns.values()) / 10)
    assert found.auc_ac == pytest.approx(sum(calls.values()) / 15)
    assert found.auc_al == pytest.approx(sum(tokens.values()) / 5 * 500)
