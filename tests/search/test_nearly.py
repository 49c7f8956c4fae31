"""Names that are missed by a letter."""

from __future__ import annotations

import time

import pytest

from hds_cli.search.nearly import meant

TITLES = ["Australia", "New Zealand", "Chad", "Iran", "Iraq", "Apollo 12", "Россия", "Grace Hopper", "C++"]


@pytest.mark.parametrize(
    ("question", "written", "title"),
    [
        ("What is the capital of Austraila?", "Austraila", "Australia"),  # two exchanged
        ("capital of australa", "australa", "Australia"),  # one less
        ("Who was Grace Hoper?", "Grace Hoper", "Grace Hopper"),  # of two words
        ("How large is New Zeeland?", "New Zeeland", "New Zealand"),
        ("Столица Росия?", "Росия", "Россия"),  # another script
        ("Is Chadd in Africa?", "Chadd", "Chad"),  # one more
    ],
)
def test_a_name_that_misses_by_a_letter_is_known(question: str, written: str, title: str) -> None:
    """One letter more, less, another or two exchanged."""
    assert meant(question, TITLES) == (written, title)


@pytest.mark.parametrize(
    "question",
    ["Is Iran larger?", "capital of Wakanda", "When did Apollo 11 land?", "what that was", "", "Is Oz in Australia?"],
)
def test_another_name_is_not_a_slip(question: str) -> None:
    """A title is what it is; figures count; what is further away is something else."""
    assert meant(question, TITLES) is None


def test_a_long_question_over_many_titles_takes_a_moment() -> None:
    """The work has a limit, whatever the question and however many titles there are."""
    began = time.process_time()
    meant("Wakanda " * 50_000, (f"Title number {n} of many others that go on and on" for n in range(10**9)))
    assert time.process_time() - began < 8
