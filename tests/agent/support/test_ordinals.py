"""Ordinals in words are values: `third` is 3rd and no fifth, and no fraction, day or street."""

import pytest

from hds_cli.agent.support.attribution import attribute
from hds_cli.agent.support.values import values
from hds_cli.types import GOOD_LEVELS, Passage

ALBUMS = (
    "Night Ferry is a song by the Danish band Larkspur from their fifth studio album, Harbour Lights (2005). "
    "It is the second single of the album. The song reached the third place in Denmark."
)


def _levels(text: str) -> set[str]:
    passages = [("larkspur", Passage("m:larkspur", "Larkspur", ALBUMS, 1))]
    return {support.level for support in attribute(text, "Which album is it on?", passages)}


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("the third album", 3), ("its twenty-first season", 21), ("the fortieth day", 40), ("the third-largest city", 3),
        ("der dritte Band", 3), ("im zwölften Jahrhundert", 12), ("le troisième album", 3), ("het vierde deel", 4),
    ],
)  # fmt: skip
def test_an_ordinal_in_words_is_a_value(text: str, number: int) -> None:
    assert [(value.readings, value.dimension) for value in values(text)] == [((float(number),), "ordinal")]


@pytest.mark.parametrize(
    "text",
    [
        "a third of the votes", "two-thirds of them", "one fifth of it", "on Fifth Avenue", "in the Third World",
        "the first of all", "a second later", "sie achten darauf", "nach dem ersten Tag",
    ],
)  # fmt: skip
def test_a_fraction_a_name_and_a_beginning_are_none(text: str) -> None:
    assert values(text) == ()


@pytest.mark.parametrize(
    "text",
    [
        "Harbour Lights is the fifth album of Larkspur.",
        "Harbour Lights is the 5th studio album of Larkspur.",
        "Night Ferry is the second single.",
        "The song reached the 3rd place in Denmark.",
        "Harbour Lights ist das fünfte Album von Larkspur.",
    ],
)
def test_the_same_ordinal_is_its_ground(text: str) -> None:
    assert _levels(text) <= set(GOOD_LEVELS)


@pytest.mark.parametrize(
    "text",
    [
        "Harbour Lights is the third album of Larkspur.",
        "Harbour Lights is the 4th studio album of Larkspur.",
        "Harbour Lights is the first studio album of Larkspur.",
        "Harbour Lights is the debut studio album of Larkspur.",
        "Night Ferry is the first single.",
        "The song reached the first place in Denmark.",
    ],
)
def test_another_ordinal_for_the_same_thing_is_none(text: str) -> None:
    assert not _levels(text) & set(GOOD_LEVELS)
