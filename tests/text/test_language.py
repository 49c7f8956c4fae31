"""The language of a question."""

from __future__ import annotations

import pytest

from hds_cli.text.language import language_of


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
