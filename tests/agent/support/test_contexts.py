"""A sentence of a page with another value in its place is contradicted, whatever the value is elsewhere."""

import pytest

from hds_cli.agent.support.attribution import attribute
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
