"""What becomes of an answer of the starter: subject and value in one sentence, a name for who, two grounds for two."""

from __future__ import annotations

from hds_cli.agent.dialects import Written
from hds_starter.verdict import grounded, judge
from tests.agent.test_verdict import HARBOUR, POLAND, SWITZERLAND, book


def test_the_starter_wants_subject_and_value_in_one_sentence() -> None:
    """A page on Poland that names Switzerland somewhere is no source for a capital of Switzerland."""
    read = book("What is the capital of Switzerland?", SWITZERLAND, POLAND)
    wrong = Written("", (), "Warsaw", "The capital of Switzerland is Warsaw [2].")
    assert grounded(wrong, read).exit_code == 3
    right = Written("", (), "Bern", "The capital of Switzerland is Bern [1].")
    assert (grounded(right, read).exit_code, grounded(right, read).answer) == (0, "Bern")


def test_the_starter_wants_a_name_for_who() -> None:
    """A question for a person is not answered by a word that is no name."""
    page = ("Emma", "Emma is a novel by Jane Austen about a young woman.")
    assert grounded(Written("", (), "novel", "Emma is a novel [1]."), book("Who wrote Emma?", page)).exit_code == 3
    assert (
        grounded(Written("", (), "Jane Austen", "Emma is by Jane Austen [1]."), book("Who wrote Emma?", page)).exit_code
        == 0
    )


def test_the_starter_wants_two_grounds_for_one_value() -> None:
    """Of two entries with the same value each needs a sentence of its own."""
    written = Written("", (), "Switzerland: Bern; Poland: Bern", "The capital of Switzerland is Bern [1].")
    verdict = grounded(written, book("Capitals of Switzerland and Poland?", SWITZERLAND, POLAND))
    assert any("Poland" in item for item in verdict.unsupported)


def test_over_other_pages_the_best_passages_stand_in_the_answers_place() -> None:
    """A right answer is not shown either; a stop keeps its own status and reason."""
    read = book("How long is the pier of Kelmar?", HARBOUR, POLAND)
    right = Written("", (), "142 metres", "The pier is 142 metres long [1].")
    verdict = judge(right, read)
    assert (verdict.status, verdict.exit_code, verdict.reason, verdict.answer) == ("unanswered", 3, "passages", None)
    assert verdict.citations[0].quote == "The pier is 142 metres long."
    assert "142 metres" in verdict.citations[0].context
    assert len(verdict.citations) <= 3
    assert verdict.raw_answer == "142 metres"  # an evaluation scores it
    assert judge(right, read, "timeout").status == "partial"
    assert grounded(right, read).answer == "142 metres"
