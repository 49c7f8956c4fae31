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

CITY = Exchange("capital of norway", "Oslo")
CLAIM = Exchange("is lima the capital of peru", "Yes. The capital of Peru is Lima.")
MONEY = Exchange("currency of iran", "Iranian Rial")
BIGGEST = Exchange("what is the largest neighbour of austria", "Germany")


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
        (MONEY, "and the one of iraq", "What is the currency of Iraq?"),
        (BIGGEST, "and the smallest?", "what is the smallest neighbour of austria"),
        (BORDERS, "which of them is the largest?", "Which neighbour of Peru is the largest?"),
        (CHOICE, "and how many?", "What is the population of Benin?"),
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
        (CITY, "how many people live there?"), (CITY, "how big is it?"), (CLAIM, "and of chile?"),
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
