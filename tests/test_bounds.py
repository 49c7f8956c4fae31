"""How much of a page there may be, counted in what it takes in memory."""

from __future__ import annotations

import sys

import pytest

from hds_cli import bounds


@pytest.mark.parametrize(
    ("text", "bytes_each"), [("plain", 1), ("café", 1), ("渤海", 2), ("Ωμέγα", 2), ("a 👩 b", 4), ("", 1)]
)
def test_the_width_of_a_text_is_what_its_letters_take(text: str, bytes_each: int) -> None:
    """As the interpreter stores it."""
    assert bounds.width(text) == bytes_each
    long = text * 1000
    assert not text or abs(sys.getsizeof(long) / len(long) - bytes_each) < 0.2


def test_one_emoji_does_not_make_a_text_four_times_as_large() -> None:
    """Of such a text half as many characters are kept; of another all that are allowed."""
    assert len(bounds.text("a" * 100, 60)) == 60
    assert len(bounds.text("é" * 100, 60)) == 60
    assert len(bounds.text("👩" + "a" * 99, 60)) == 30
    assert len(bounds.text("👩" + "a" * 20, 60)) == 21
