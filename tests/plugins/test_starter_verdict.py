"""What becomes of an answer of the starter: subject and value in one sentence, a name for who, two grounds for two."""

from __future__ import annotations

from hds_cli.agent.dialects import Written
from hds_starter.verdict import refuse
from tests.agent.test_verdict import POLAND, SWITZERLAND, book


def test_refuse_wants_subject_and_value_in_one_sentence() -> None:
    """A page on Poland that names Switzerland somewhere is no source for a capital of Switzerland."""
    read = book("What is the capital of Switzerland?", SWITZERLAND, POLAND)
    wrong = Written("", (), "Warsaw", "The capital of Switzerland is Warsaw [2].")
    assert refuse(wrong, read).exit_code == 3
    right = Written("", (), "Bern", "The capital of Switzerland is Bern [1].")
    assert (refuse(right, read).exit_code, refuse(right, read).answer) == (0, "Bern")


def test_refuse_wants_a_name_for_who() -> None:
    """A question for a person is not answered by a word that is no name."""
    page = ("Emma", "Emma is a novel by Jane Austen about a young woman.")
    assert refuse(Written("", (), "novel", "Emma is a novel [1]."), book("Who wrote Emma?", page)).exit_code == 3
    assert (
        refuse(Written("", (), "Jane Austen", "Emma is by Jane Austen [1]."), book("Who wrote Emma?", page)).exit_code
        == 0
    )


def test_refuse_wants_two_grounds_for_one_value() -> None:
    """Of two entries with the same value each needs a sentence of its own."""
    written = Written("", (), "Switzerland: Bern; Poland: Bern", "The capital of Switzerland is Bern [1].")
    verdict = refuse(written, book("Capitals of Switzerland and Poland?", SWITZERLAND, POLAND))
    assert any("Poland" in item for item in verdict.unsupported)
