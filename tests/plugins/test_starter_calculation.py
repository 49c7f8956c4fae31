"""The checked step: what the model leaves to be ordered or added is ordered and added exactly."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hds_cli.agent import protocol
from hds_cli.agent.hds import HdsDialect
from hds_starter.calculation import collected, result, stated
from hds_starter.dialect import StarterDialect
from tests.agent.test_dialects import Seen, session


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("so [[largest: Norway 5,600,000; Sweden 10,500,000", "Sweden"),
        ("[[smallest: Ghana 21.4 years; Gabon 21.8 years; Chad 16.6 years", "Chad"),
        ("[[largest: India 1.4 billion; Iceland 380 thousand", "India"),
        ("[[largest: A: $12,300; B: $9,999", "A"),
        ("[[smallest: Vostok -89.2 °C; Oymyakon −67.7 °C", "Vostok"),
        ("[[largest: Area 51 12; Apollo 11 7", "Area 51"),
        ("[[largest: A 5; B 5; C 4", "A and B"),
        ("[[sum: Ukraine 603,550; Algeria 2,381,740", "2,985,290"),
        ("[[sum: 0.1; 0.2", "0.3"),
        ("[[largest: no number at all", None),
        ("[[product: 2; 3", None),
        ("not a calculation", None),
        ("[[sum: 1; 2]] done", None),
    ],
)
def test_a_calculation_at_the_end_of_a_text_has_a_result(text: str, expected: str | None) -> None:
    """Labels and numbers are read as people write them; what is no calculation has no result."""
    assert result(text) == expected


@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=8, unique=True))
def test_order_and_sum_are_those_of_the_numbers(numbers: list[int]) -> None:
    """Whatever the numbers' lengths, the largest, the smallest and the sum are right."""
    parts = "; ".join(f"c{chr(97 + i)} {n:,}" for i, n in enumerate(numbers))
    largest, smallest = numbers.index(max(numbers)), numbers.index(min(numbers))
    assert result(f"[[largest: {parts}") == f"c{chr(97 + largest)}"
    assert result(f"[[smallest: {parts}") == f"c{chr(97 + smallest)}"
    assert result(f"[[sum: {parts}") == f"{sum(numbers):,}"


def test_the_result_is_written_behind_the_brackets_and_the_model_goes_on(tmp_path: Path) -> None:
    """A taught model stops at the brackets, reads the result and answers from it; both calls are one turn."""
    made = session(
        tmp_path, "[[largest: Chile 19; Peru 34]]never read", "\n</think>\n\nPeru has more.\n\n\\boxed{Peru}"
    )
    dialect = StarterDialect(made)
    dialect.start("q", [])
    seen = Seen()
    written = dialect.write(seen.hooks)
    assert (written.answer, written.thought) == ("Peru", "[[largest: Chile 19; Peru 34]] = Peru")
    assert "never read" not in "".join(made.text)
    assert "[[largest: Chile 19; Peru 34]] = Peru\n</think>" in "".join(made.text)


def test_queries_after_a_calculation_are_still_queries(tmp_path: Path) -> None:
    """A calculation may stand in the thought of a turn that searches."""
    block = f"\n</think>\n\n{protocol.BEGIN_QUERIES}\none;\ntwo\n{protocol.END_QUERIES}"
    made = session(tmp_path, "[[sum: 1; 2]]", block)
    dialect = StarterDialect(made)
    dialect.start("q", [])
    seen = Seen()
    assert dialect.write(seen.hooks).queries == ("one", "two")
    assert seen.queries == ["one", "two"]
    assert "]] = 3\n</think>" in "".join(made.text)


def test_a_model_that_was_not_taught_is_never_stopped_by_brackets(tmp_path: Path) -> None:
    """Without the step, double brackets are text like any other."""
    dialect = HdsDialect(session(tmp_path, "[[sum: 1; 2]] and on.\n</think>\n\nx\n\n\\boxed{x}"))
    dialect.start("q", [])
    assert dialect.write(Seen().hooks).thought == "[[sum: 1; 2]] and on."


SAID = "The capital of Italy is Rome [1]. The capital of Slovenia is Ljubljana [2]. The capital of Switzerland is Bern [3]."


@pytest.mark.parametrize(
    ("answer", "explanation", "mended"),
    [
        ("Rome and Ljubljana", SAID, "Rome, Ljubljana and Bern"),  # one is lost
        ("Rome, Ljubljana and Ljubljana", SAID, "Rome, Ljubljana and Bern"),  # repeated
        ("Rome, Bern and Ljubljana", SAID, "Rome, Ljubljana and Bern"),  # in another order than the sources
        ("Rome, Lubljana and Bern", SAID, "Rome, Ljubljana and Bern"),  # miswritten
        ("Rome, Ljubljana and Bern", SAID, "Rome, Ljubljana and Bern"),
        ("A: x", "A: x [1]. B: y, z [2]. C: w [3].", "A: x"),  # one of three: not known to be a list of all
        ("A: x; B: y, z", "A: x [1]. B: y, z [2]. C: w [3].", "A: x; B: y, z; C: w"),
        ("Slovenia", SAID, "Slovenia"),  # a choice, not a list
        ("Italy and Slovenia", SAID, "Italy and Slovenia"),
        ("Euro and Pound", "The money of A is the Euro [1]. The money of B is the Pound [2]. The money of C is the Euro [3].",
         "Euro and Pound"),  # each once is a list of them too
        ("Rome and Bern", "Rome is large [1]. Bern is small [2]. Paris [3].", "Rome and Bern"),
        ("not found", SAID, "not found"),
    ],
)  # fmt: skip
def test_a_list_is_put_together_from_its_sentences(answer: str, explanation: str, mended: str) -> None:
    """What was said with a source is in the answer, once and in order; an answer that is no such list stays."""
    assert collected(answer, explanation) == mended


PERU, KYAT = "The people of Peru are called Peruvian [1].", "The currency of Myanmar is the Myanmar Kyat [2]."


@pytest.mark.parametrize(
    ("answer", "explanation", "queries", "mended"),
    [
        ("Peru", PERU, ["what the people of Peru are called"], "Peruvian"),  # what was asked, not what is known of it
        ("Miyarekat", KYAT, ["currency of Myanmar"], "Myanmar Kyat"),
        ("Miyarekat", f"Nothing was found on its area. {KYAT}", ["area of Myanmar", "currency of Myanmar"], "Myanmar Kyat"),
        ("Myanmar Kyat", KYAT, ["currency of Myanmar"], "Myanmar Kyat"),
        ("the Myanmar Kyat", KYAT, ["currency of Myanmar"], "the Myanmar Kyat"),
        ("Kyat", KYAT, ["currency of Myanmar"], "Kyat"),
        ("The Hague", "The seat of the court is The Hague [1].", ["seat of the court"], "The Hague"),
        ("yes", KYAT, ["currency of Myanmar"], "yes"),
        ("Peru", PERU, ["people of Peru", "people of Chile"], "Peru"),  # a choice
        ("Lima", PERU, ["capital of Peru"], "Lima"),  # not what was asked for
        ("Peru", f"{PERU} {KYAT}", ["what the people of Peru are called"], "Peru"),
        ("Peru", "No source [x].", ["what the people of Peru are called"], "Peru"),
    ],
)  # fmt: skip
def test_a_value_is_taken_from_the_one_sentence_that_states_it(
    answer: str, explanation: str, queries: list[str], mended: str
) -> None:
    """Only what was asked for, and only where the answer is without it."""
    assert stated(answer, explanation, queries) == mended


def test_who_found_nothing_is_not_answered_for(tmp_path: Path) -> None:
    """The value of a sentence takes the place of a wrong answer, not of none."""
    for said, answer in (("not found", "not found"), ("Peru", "Peruvian")):
        dialect = StarterDialect(session(tmp_path, f"So.\n</think>\n\n{PERU}\n\n\\boxed{{{said}}}"))
        dialect.start("q", [])
        dialect.read([("what the people of Peru are called", ())])
        assert dialect.write(Seen().hooks).answer == answer


def test_lists_are_mended_only_for_a_model_that_was_taught(tmp_path: Path) -> None:
    """The searcher's own answer is never touched."""
    text = f"I have it.\n</think>\n\n{SAID}\n\n\\boxed{{Rome and Ljubljana}}"
    answers = []
    for kind in (StarterDialect, HdsDialect):
        dialect = kind(session(tmp_path, text))
        dialect.start("q", [])
        answers.append(dialect.write(Seen().hooks).answer)
    assert answers == ["Rome, Ljubljana and Bern", "Rome and Ljubljana"]


@pytest.mark.parametrize(
    ("answer", "nothing"),
    [("Nothing was found on Peru; not found", True), ("Nothing was found on Peru; Chile: Santiago", False),
     ("Nothing was found in the tomb.", False), ("not found", True), (None, False)],
)  # fmt: skip
def test_the_words_it_was_taught_for_a_missing_part_are_no_answer(
    tmp_path: Path, answer: str | None, nothing: bool
) -> None:
    """One part that was found is an answer; only the taught sentence counts."""
    assert StarterDialect(session(tmp_path)).gave_up(answer) is nothing
