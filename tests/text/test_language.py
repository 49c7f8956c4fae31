"""The language of a question."""

from __future__ import annotations

import pytest

from hds_cli.text.language import language_of, page_language


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Who wrote the first novel of the series?", "en"),
        ("Wie viele Boote liegen in dem Hafen?", "de"),
        ("Quelle est la hauteur de la tour ?", "fr"),
        ("¿Cuál es la altura de la torre?", "es"),
        ("Hoeveel boten liggen er in de haven?", "nl"),
        ("Gdzie jest najwyższa wieża i kto ją zbudował?", "pl"),
        ("灯塔有多高?", "zh"),
        ("灯台の高さは?", "ja"),
        ("등대의 높이는?", "ko"),
        ("Какова высота маяка?", "ru"),
        ("Яка висота маяка і хто його збудував?", "uk"),
        ("ما ارتفاع المنارة؟", "ar"),
        ("ความสูงของประภาคารคือเท่าไร", "th"),
        ("NYC population", None),
        ("", None),
        ("12345", None),
    ],
)
def test_a_question_tells_its_language(text: str, code: str | None) -> None:
    """By its script or its small words; two names do not."""
    assert language_of(text) == code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Land boundaries: total: 5,664 km\n\nThe capital of the country is Lusaka; it is in the south.", "en"),
        ("| total | 64,589 sq km (2024 est.) |\n| land | 62,249 sq km (2024 est.) |\n| water | 2,340 sq km |", None),
        ("The Nissan Leaf (日産リーフ) is a car that was made by Nissan in Japan and sold in many countries.", "en"),
        ("Der Turm ist 142 m hoch und wurde im Jahr 1951 von Ada Holt gebaut.", "de"),
    ],
)
def test_a_page_tells_its_language(text: str, code: str | None) -> None:
    """By several small words: not by `est.` in each row, nor by a name in another script."""
    assert page_language(text) == code
