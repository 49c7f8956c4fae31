"""Any message is judged: values of every kind beside each other end no run with an error."""

from __future__ import annotations

import random

import pytest

from hds_cli.agent.support.attribution import attribute
from hds_cli.types import Passage

VALUES = (
    "3 May 2031|14.10.2024|1951|12|four|5.10 euros|€30.60|25 %|20:15|3 km|5,664 km|2.5 million|1950s|-3 °C|±0.3 cm|twice"
    "|half|1.2.3|page 60|6 × 5.10 = 30.60 euros|2 + 3 = 5|二十|5泊|21 days after 14 February 2025|once|3rd|n/a|½|3–5|10 am"
).split("|")
WORDS = (
    "The|fair|in|Lindow|opens|on|with|stands|of|rows|Ann|and|Bob|is|longer|than|not|None|dearer|Yes,|No,|the|most|before"
    "|after|[1]|[2]|;|:|but|was|founded|by|“a|quotation|of|many|words”|left|together|`rows[1]`|\n\n|\n- |\n| a | b |\n"
).split("|")
QUESTIONS = ("", "When does the fair open?", "Which is longer, Ann or Bob?", "How much is left?", "Who founded Lindow?")


def _text(chance: random.Random) -> str:
    return " ".join(chance.choice(VALUES if chance.random() < 0.4 else WORDS) for _ in range(chance.randint(1, 40)))


@pytest.mark.parametrize("seed", range(8))
def test_every_mixture_of_values_has_its_grades(seed: int) -> None:
    """Fifty messages of each seed, over pages of the same pieces."""
    chance = random.Random(seed)
    for _ in range(50):
        pages = [
            Passage(f"https://example.org/{n}", "Lindow", _text(chance), n) for n in range(1, chance.randint(2, 5))
        ]
        question = chance.choice(QUESTIONS)
        for support in attribute(_text(chance), question, [(question, page) for page in pages]):
            assert support.level
