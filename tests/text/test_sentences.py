"""Where sentences end: one rule for pages and answers, over a stretch of a text, in one pass."""

from __future__ import annotations

import time

import pytest

from hds_cli.text import sentences, statements
from hds_cli.text.sentences import spans


@pytest.mark.parametrize(
    "parts",
    [
        ["The mill of J. Kos stands at No. 4.", "It is red."],
        ["It is 86 m.", "It was built by Dr. Ana Petrić of the U.S. Army."],
        ["Open from 7 a.m. to 3 p.m. on weekdays.", "Closed on May 1."],
        ["Er wurde am 3. Dezember 1912 geboren, z.B. in Köln.", "Er starb dort."],
        ["Он жил в г. Перми.", "Там стоит его дом."],
        ["塔は高い。", "橋は長い！", "船は速い。"],
        ["बोट नीली है।", "वह तेज़ है।"],
        ["هل هو قديم؟", "نعم، جدا."],
        ["Version 3.14 came out at example.org.", "It is free."],
        ["He asked why... nobody knew!", "“It was late.”", "So it was."],
        ["It has three belts.[3]", "It stands in the mill. [4][5]", "It works."],
    ],
)
def test_sentences_end_where_a_reader_ends_them(parts: list[str]) -> None:
    """Abbreviations, initials, units, days and numbers end none; the marks behind one are its own."""
    text = ("" if "。" in parts[0] else " ").join(parts)
    assert sentences(text) == parts
    assert list(statements(text)) == parts


def test_a_stretch_of_a_text_is_read_by_itself() -> None:
    """What stands before and behind it changes nothing."""
    text = "no. 4 The boat is blue. It sails. and on"
    assert [text[a:b] for a, b in spans(text, 6, 33)] == ["The boat is blue.", "It sails."]


@pytest.mark.parametrize(
    "piece", [".", ". ", "1. ", "A. ", "e.g. ", ".[1]", ". [", "。", "86 m. ", '."', "a.\u00a0\u00a0"]
)
def test_splitting_is_linear(piece: str) -> None:
    """A long run of what may end a sentence takes as long as it is."""
    started = time.process_time()
    list(spans(piece * (200_000 // len(piece)) + "a"))
    assert time.process_time() - started < 5
