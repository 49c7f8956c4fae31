"""Answers of several tries compared: what makes two of them one, and what keeps them apart."""

from __future__ import annotations

import pytest

from hds_cli.agent.votes import key_of


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Oslo and Bern", "Bern, Oslo", True),
        ("4,300 km", "4300 kilometres", True),
        ("31 March 1901", "March 31, 1901", True),
        ("2.5 million", "2,500,000", True),
        ("Oslo", "Bergen", False),
        ("Oslo", "not Oslo", False),
        ("Norway: Oslo; Sweden: Stockholm", "Norway: Stockholm; Sweden: Oslo", False),
        ("Red beat Blue", "Blue beat Red", False),
        ("1901", "1902", False),
        ("yes", "no", False),
        ("Norway", "Sweden", False),
        ("", "", True),
    ],
)
def test_answers_agree_by_what_they_say(one: str, other: str, same: bool) -> None:
    """Not by how it is written."""
    question = "What are the capital and the year of Norway, or is it Sweden?"
    assert (key_of(one, question) == key_of(other, question)) is same


@pytest.mark.parametrize(
    ("question", "one", "other", "same"),
    [
        ("What is the capital of Norway?", "Oslo", "The capital of Norway is Oslo [1].", True),
        ("Name the capital of Norway.", "Oslo", "The capital of Norway is Oslo.", True),
        ("When was the University of Oslo founded?", "1811", "The University of Oslo was founded in 1811.", True),
        ("How many live in New York?", "8 million", "8 million live in New York", True),
        ("Which city is larger, Oslo or Bergen?", "Oslo is bigger", "Bergen is bigger", False),
        ("Oslo or Bergen: which is larger?", "Oslo is larger", "Bergen is larger", False),
        ("Is Oslo larger than Bergen?", "Oslo has 700,000 people", "Bergen has 700,000 people", False),
        ("Which city is larger, Oslo or Bergen?", "Oslo is bigger", "oslo is bigger [1].", True),
        ("¿Cuál es la capital de Noruega?", "Oslo", "La capital de Noruega es Oslo [1].", True),
        ("Quelle est la capitale de la Norvège ?", "Oslo", "La capitale de la Norvège est Oslo.", True),
        ("¿Cuál es más grande, Oslo o Bergen?", "Oslo es más grande", "Bergen es más grande", False),
        ("How much longer is it?", "258 km (847 − 589)", "about 258 km", True),
        ("How much longer is it?", "258 km (847 − 589)", "256 km", False),
        ("Which Georgia is it?", "Georgia (country)", "Georgia (state)", False),
        ("Welche Städte sind es?", "Oslo und Bern", "Bern und Oslo", True),
    ],
)
def test_names_that_a_question_chooses_from_are_part_of_the_answer(
    question: str, one: str, other: str, same: bool
) -> None:
    """One name says what is asked for; of several one may be the answer."""
    assert (key_of(one, question) == key_of(other, question)) is same
