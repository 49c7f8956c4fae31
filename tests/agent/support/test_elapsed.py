"""Ages and spans of years that no page states follow from its dates."""

import pytest

from hds_cli.agent.support.attribution import attribute
from hds_cli.types import GOOD_LEVELS, Passage

PAGES = (
    ("Ada Lindqvist", "Ada Lindqvist (26 August 1928 – 17 July 2013) was a Swedish organist. She won the Harbour Prize in 1962."),
    ("Ada Lindqvist (painter)", "Ada Lindqvist (née Holm; born 6 May 1965) is a Danish painter who moved to Ribe in 1994."),
    ("Ribe Hall", "Work on Ribe Hall began in 1874. The hall was opened by the king in 1881 and sold to the town in 1944."),
    ("Otto Berg", "Otto Berg was born in Ribe on 2 March 1901. He died at sea in May 1950."),
    ("Jens Krag", "Jens Krag (9 April 1921, Ribe – 2 June 1999, Esbjerg) was an engineer."),
)  # fmt: skip


def _level(text: str, question: str = "Who was Ada Lindqvist, and how old is Ribe Hall?") -> str:
    passages = [("who", Passage(f"m:{n}", title, body, n)) for n, (title, body) in enumerate(PAGES, 1)]
    (support,) = attribute(text, question, passages)
    return support.level


@pytest.mark.parametrize(
    "text",
    [
        "Otto Berg died at the age of 49.",
        "Ada Lindqvist, the organist, died aged 84.",
        "Otto Berg was 43 years old in 1944.",
        "The engineer Jens Krag lived to the age of 78.",
        "Ribe Hall was opened seven years after the work on it began.",
        "Seventy years went by between the beginning of the work on Ribe Hall and its sale to the town.",
        "Sixty-three years after it was opened in 1881, Ribe Hall was sold to the town.",
    ],
)
def test_an_age_and_a_span_are_worked_out(text: str) -> None:
    assert _level(text) == "computed"


@pytest.mark.parametrize(
    "text",
    [
        "Otto Berg died at the age of 59.",
        "Otto Berg was 33 years old in 1944.",
        "Ada Lindqvist died aged 74.",
        "Ribe Hall was opened nine years after the work on it began.",
        "Ribe Hall was sold to the town seven years before the king opened it.",
        "Otto Berg did not die at the age of 49.",
    ],
)
def test_another_number_or_order_is_no_ground(text: str) -> None:
    assert _level(text) not in GOOD_LEVELS


def test_an_age_is_contradicted_where_one_life_is_told() -> None:
    """Of two people of one name nobody knows whose age it is."""
    assert _level("Otto Berg died at the age of 59.") == "contradicted"
    assert _level("Otto Berg died past the age of 30.") != "contradicted"
    assert _level("Ada Lindqvist was 60 in 1994.") != "contradicted"


@pytest.mark.parametrize(
    ("question", "right", "wrong"),
    [
        ("How old was Otto Berg when he died?", "49", "59"),
        ("How old was Otto Berg in 1944?", "43 years", "53 years"),
        ("How old was Otto Berg when Jens Krag was born?", "20 years old", "25 years old"),
        ("How many years after work began on Ribe Hall was it opened by the king?", "7 years", "9 years"),
    ],
)
def test_a_bare_number_answers_the_question(question: str, right: str, wrong: str) -> None:
    assert _level(right, question) == "computed"
    assert _level(wrong, question) not in GOOD_LEVELS
