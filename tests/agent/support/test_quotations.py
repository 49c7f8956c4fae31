"""Words in quotation marks claim that a page has them so."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import repeat

import pytest

from hds_cli.agent.support.attribution import attribute
from hds_cli.agent.support.quotations import quotations
from hds_cli.agent.verifying import Odds, Text, compare
from hds_cli.types import Passage, Support

PAGE = (
    "Filter leaflet",
    "Rinse the cartridge before the first use and let two litres run through. The filter lowers the "
    "taste of chlorine - it isn't meant for water of unknown quality.\n\nDie Kartusche ist nach acht Wochen zu wechseln, auch "
    "wenn sie noch läuft.\n\nLa cartouche doit être changée toutes les huit semaines.\n\n这个滤芯每八周必须更换一次，否则水质无法保证。",
)


def graded(message: str, *, page: str = "", question: str = "") -> tuple[Support, ...]:
    passage = Passage(url="https://p.example", title=PAGE[0], text=PAGE[1], n=1)
    return attribute(message, question, [(question, passage)], lambda _: page)


@pytest.mark.parametrize(
    ("said", "changed"),
    [
        ("The leaflet says: “Rinse the cartridge before the first use” [1].", "The leaflet says: “Rinse the cartridge after the first use” [1]."),
        ('The leaflet says "the filter lowers the taste of chlorine" [1].', 'The leaflet says "the filter takes the taste of chlorine" [1].'),
        ("The leaflet says “it isn’t meant for water of unknown quality” [1].", "The leaflet says “it is never meant for water of unknown quality” [1]."),
        ("“Rinse the cartridge … and let two litres run through” [1].", "“Let two litres run … and rinse the cartridge” [1]."),
        ("“Rinse the cartridge before the first use and let two [...] run through.”",
         "“Rinse the cartridge before the first use and let three [...] run through.”"),
        ("Dort steht: „Die Kartusche ist nach acht Wochen zu wechseln“ [1].", "Dort steht: „Die Kartusche ist nach zwei Wochen zu wechseln“ [1]."),
        ("La notice dit : « La cartouche doit être changée toutes les huit semaines » [1].",
         "La notice dit : « La cartouche peut être changée toutes les huit semaines » [1]."),
        ("‘Rinse the cartridge before the first use’ is the first step [1].", "‘Boil the cartridge before the first use’ is the first step [1]."),
        ("说明书写道：「这个滤芯每八周必须更换一次」。", "说明书写道：「这个滤芯每四周必须更换一次才好」。"),
    ],
)  # fmt: skip
def test_quoted_words_stand_so_in_a_page(said: str, changed: str) -> None:
    """Quotes, dashes, blanks and what `…` leaves out may differ; another word makes the part `missing`, with the words."""
    assert not [part for s in graded(said) for part in s.missing if len(part) > 20], graded(said)
    weak = graded(changed)
    assert any(s.level in ("missing", "contradicted") and any(len(part) > 10 for part in s.missing) for s in weak), weak


def test_titles_single_words_and_the_question_are_no_quotations() -> None:
    """Quotation marks set off titles and words, and may repeat what was asked; code is left out."""
    for text in ("It is called “The Lord of the Rings: The Return of the King”.", "The “taste of chlorine” is lower.",
                 '```\necho "a line of some program that no page has"\n```'):  # fmt: skip
        assert list(quotations(text)) == []
    asked = "What does “how long may I keep it in there” mean?"
    assert not graded("“how long may I keep it in there” means the use.", question=asked)[0].missing[1:]


def test_the_rest_of_a_page_is_looked_through() -> None:
    """Words that no passage has may stand in the rest of the page."""
    said = "The leaflet says “store the spare cartridge in a dry cupboard” [1]."
    assert "“store the spare cartridge in a dry cupboard”" in graded(said)[0].missing
    assert not graded(said, page="Long. Store the spare cartridge in a dry  cupboard.")[0].missing


def test_a_word_that_the_end_of_a_line_parts_is_whole() -> None:
    """Hyphens at the end of a line are no part of a word, unless they are: `well-known`."""
    page = "The spare car-\ntridge of this well-\nknown maker is stored in a dry cup-\n  board."
    for said in ("the spare cartridge of this well-known maker", "is stored in a dry cupboard"):
        assert not graded(f"The leaflet says “{said}” [1].", page=page)[0].missing[1:]
    assert "“is stored in a wet cupboard”" in graded("It “is stored in a wet cupboard” [1].", page=page)[0].missing


class _Sure:
    """A verifier that takes everything for said."""

    sure_supported, sure_contradicted, close = 0.9, 0.9, None

    def verify(self, texts: Sequence[Text], claims: Sequence[Sequence[str]], late: object) -> list[list[Odds]]:
        return [[Odds(0.99, 0.0, 0.01) for _ in of] for of in claims]


def test_a_verifier_does_not_clear_a_quotation() -> None:
    """Whether words stand in a page is known; a verifier has no say in it."""
    passage = Passage(url="https://p.example", title=PAGE[0], text=PAGE[1], n=1)
    said = "The leaflet says “rinse the cartridge after the first use” [1]."
    support = graded(said)
    done = compare(support, [said], [passage], lambda: _Sure(), lambda: False)  # type: ignore[arg-type, return-value]
    assert done.support[0].level == support[0].level == "contradicted"  # the page says `before`


def test_many_quotation_marks_take_no_long_time() -> None:
    """Thousands of marks of each kind, opened and never closed."""
    for mark in ("“", "„a", "«", "»", '"', '" "', "‘a", "‘a’b", "「", "[", "…", "a “b c d e f g” "):
        started = time.process_time()
        list(quotations("".join(repeat(mark, 20_000))))
        assert time.process_time() - started < 3, mark
