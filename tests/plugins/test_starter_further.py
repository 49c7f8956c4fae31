"""A further question of the starter's: it is asked in full, or not at all."""

from __future__ import annotations

import time

import pytest

from hds_cli.types import Exchange
from hds_starter.further import whole

AROUND = Exchange("What are the capitals of the countries that border Chad?", "Tripoli, Khartoum and Abuja")
TYPO = Exchange("whats the captial of kazakstan", "Nur-Sultan")
ONE = Exchange("population of ghana", "25,904,598")
SEVERAL = Exchange("What are the capitals of Peru, Chile and Ecuador?", "Lima, Santiago and Quito")
BORDERS = Exchange("Which countries border Peru?", "Bolivia, Brazil and Chile")
HOLDER = Exchange("Whose capital is Lima?", "Peru")
CHOICE = Exchange("Which has more people, Togo or Benin?", "Benin")
OTHER = Exchange("What is the life expectancy of Japan?", "84 years")


@pytest.mark.parametrize(
    ("before", "question", "asked"),
    [
        (AROUND, "and their currencies?", "What are the currencies of the countries that border Chad?"),
        (AROUND, "what are their populations", "What are the populations of the countries that border Chad?"),
        (AROUND, "and of niger?", "What are the capitals of the countries that border Niger?"),
        (AROUND, "and its population?", "What is the population of Chad?"),
        (ONE, "and new zealand?", "What is the population of New Zealand?"),
        (ONE, "What about Togo's?", "What is the population of Togo?"),
        (ONE, "How big is it?", "What is the area of Ghana?"),
        (ONE, "and Togo and Benin", "What are the populations of Togo and Benin?"),
        (ONE, "and the countries that border Togo?", "What are the populations of the countries that border Togo?"),
        (SEVERAL, "and their currencies", "What are the currencies of Peru, Chile and Ecuador?"),
        (BORDERS, "and their capitals?", "What are the capitals of the countries that border Peru?"),
        (BORDERS, "and Bhutan?", "Which countries border Bhutan?"),
        (HOLDER, "and its population?", "What is the population of Peru?"),
        (CHOICE, "and its capital?", "What is the capital of Benin?"),
        (OTHER, "and of Italy?", "What is the life expectancy of Italy?"),
        (TYPO, "and its population?", "What is the population of Kazakhstan?"),
        (ONE, "What is the capital of Nepal?", "What is the capital of Nepal?"),
        (ONE, "Who wrote Hamlet?", "Who wrote Hamlet?"),
    ],
)
def test_a_further_question_is_made_whole(before: Exchange, question: str, asked: str) -> None:
    """Somebody else is asked the same, or the same something else, in a phrasing that the adapter was taught."""
    assert whole([before], question, ["Ghana"]) == asked


@pytest.mark.parametrize(
    ("before", "question"),
    [
        (ONE, "and the president?"), (ONE, "why?"), (ONE, "are you sure about that"), (CHOICE, "and Mali?"),
        (AROUND, "and the largest?"), (AROUND, "and Togo and Benin?"), (OTHER, "and their currencies?"), (ONE, ""),
    ],
)  # fmt: skip
def test_what_cannot_be_told_is_not_guessed(before: Exchange, question: str) -> None:
    """No question is better than one about something else."""
    assert whole([before], question, []) is None


@pytest.mark.parametrize("text", ["of the " * 9000, "a's " * 9000, "and " * 9000, "the x of " * 9000])
def test_a_long_text_takes_no_longer(text: str) -> None:
    """A question or an answer of any length is read in a moment."""
    whole([ONE], "warm up", [])
    began = time.process_time()
    whole([Exchange(text, text)], text, [text])
    whole([Exchange(text, text)], "and its capital?", [])
    assert time.process_time() - began < 0.5
