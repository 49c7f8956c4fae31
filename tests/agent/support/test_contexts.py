"""A sentence of a page with another value in its place is contradicted, whatever the value is elsewhere."""

import pytest

from hds_cli.agent.support.attribution import attribute
from hds_cli.agent.support.contexts import renames
from hds_cli.types import GOOD_LEVELS, Passage

PAGE = (
    "Ilmari Airport has four terminal buildings, which were opened between 1971 and 1976. In 2010 it handled 513,319 "
    "parcels, and in 2020 it handled 273,282 parcels. Of the five airlines that left, two were bought and three closed. "
    "Explorers came to the islands in the 1500s, and traders came to the islands in the 1600s."
)


def _levels(text: str, page: str = PAGE) -> list[str]:
    passages = [("airport", Passage("m:1", "Ilmari Airport", page, 1))]
    return [support.level for support in attribute(text, "What is Ilmari Airport?", passages)]


@pytest.mark.parametrize(
    "text",
    [
        "Ilmari Airport has five terminal buildings, which were opened between 1971 and 1976.",
        "Ilmari Airport has 5 terminal buildings.",
        "In 2010 it handled 273,282 parcels.",
        "Of the five airlines that left, two were bought and five closed.",
    ],
)
def test_another_value_between_the_same_words_is_no_ground(text: str) -> None:
    """Not even where it follows from others (1976 - 1971), or stands in the sentence in another place."""
    assert not set(_levels(text)) <= set(GOOD_LEVELS)


@pytest.mark.parametrize(
    "text",
    [
        "Ilmari Airport has 4 terminal buildings, which were opened between 1971 and 1976.",
        "In 2010 it handled 513,319 parcels.",
        "In 2020 it handled 273,282 parcels.",
        "Explorers came to the islands in the 1500s.",
        "Traders came to the islands in the 1600s.",
        "Of the five airlines that left, two were bought.",
    ],
)
def test_a_part_of_a_sentence_is_said_by_it(text: str) -> None:
    assert set(_levels(text)) <= set(GOOD_LEVELS)


def test_a_page_that_says_it_is_a_ground_beside_one_that_says_otherwise() -> None:
    """Pages differ; the one that has the value is quoted."""
    other = f"{PAGE} In a later year Ilmari Airport has five terminal buildings, and one is closed."
    assert set(_levels("Ilmari Airport has five terminal buildings, and one is closed.", other)) <= set(GOOD_LEVELS)


MATCH = (
    "Hull Rovers defeated Leeds Wanderers in the final of 1966. Anna Berg and Jens Krag founded the club in Ribe. Anna Berg "
    "married Jens Krag in the church of Ribe. The trophy was made by Otto Holm for the city of Hull, not for the city of Leeds."
)


@pytest.mark.parametrize(
    "text",
    [
        "Leeds Wanderers defeated Hull Rovers in the final of 1966.",
        "The trophy was made by Otto Holm for the city of Leeds, not for the city of Hull.",
    ],
)
def test_two_names_that_are_exchanged_are_no_ground(text: str) -> None:
    assert not set(_levels(text, MATCH)) <= set(GOOD_LEVELS)


@pytest.mark.parametrize(
    "text",
    [
        "Hull Rovers defeated Leeds Wanderers in the final of 1966.",
        "Jens Krag and Anna Berg founded the club in Ribe.",
        "Jens Krag married Anna Berg in the church of Ribe.",
    ],
)
def test_the_order_of_a_list_and_of_a_couple_does_not_matter(text: str) -> None:
    assert set(_levels(text, MATCH)) <= set(GOOD_LEVELS)


@pytest.mark.parametrize(
    "text",
    [
        "The trophy was made by Jens Krag for the city of Hull.",
        "Hull Rovers defeated Otto Holm in the final of 1966.",
        "Anna Berg married Jens Krag in the church of Leeds.",
    ],
)
def test_another_name_between_the_same_words_is_no_ground(text: str) -> None:
    """Though the page has it somewhere, beside what is said."""
    assert not set(_levels(text, MATCH)) <= set(GOOD_LEVELS)


@pytest.mark.parametrize(
    ("name", "other", "expected"),
    [
        ("the UK", "the United Kingdom", False), ("Berg", "Anna Berg", False), ("Myanmar", "Burma", False),
        ("Otto Holm", "Anna Berg", True), ("the Board of Hull", "the United Kingdom", True),
    ],
)  # fmt: skip
def test_one_thing_may_have_two_names(name: str, other: str, expected: bool) -> None:
    """A part of a name, its letters, or a country's name in use elsewhere."""
    assert renames(f"It was signed by {name} in the spring.", f"It was signed by {other} in the spring.") is expected
