"""One way of folding for queries and indexes, in every script."""

from __future__ import annotations

import re
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hds_cli.text import fold, has_words, indexed, normalise, quote_words, terms
from hds_cli.text.folding import _MARKS

ALIKE = [
    ("Straße", "STRASSE"),
    ("Fluß", "fluss"),
    ("новый Йод", "НОВЫИ иод"),
    ("ёлка", "елка"),
    ("Αθήνα", "ΑΘΗΝΑ"),
    ("λόγος", "ΛΟΓΟΣ"),
    ("كِتَابٌ", "كتاب"),
    ("أحمد وإيمان", "احمد وايمان"),
    ("مدرسة", "مدرسه"),
    ("شָלוֹם"[1:], "שלום"[1:]),
    ("har\u00adbour", "harbour"),
    ("ＡＢＣ１２", "abc12"),
    ("İstanbul", "istanbul"),
    ("Łódź", "lodz"),
    ("København", "kobenhavn"),
    ("œuvre", "oeuvre"),
    ("١٢٣", "123"),
    ("१९४७", "1947"),
    ("e\u0301te\u0301", "été"),
]
PART_OF = [
    ("東京都の人口", "京都"),
    ("서울특별시", "특별"),
    ("กรุงเทพมหานคร", "เทพ"),
    ("ភ្នំពេញ", "ពេញ"),
    ("ນະຄອນຫຼວງວຽງຈັນ", "ວຽງ"),
    ("ရန်ကုန်မြို့", "ကုန်"),
]


@pytest.mark.parametrize(("a", "b"), ALIKE)
def test_spellings_that_a_reader_takes_for_one_are_one(a: str, b: str) -> None:
    """Case, accents, points, width and forms of a letter make no difference, in a query or in an index."""
    assert fold(a) == fold(b)
    assert terms(a) == terms(b)


@pytest.mark.parametrize(("text", "part"), PART_OF)
def test_a_word_inside_a_text_without_blanks_is_found(text: str, part: str) -> None:
    """Every term of the part is one of the whole, and every pair of a text is indexed."""
    assert set(terms(part)) <= set(terms(text))
    assert set(terms(part)) <= set(indexed(text).split())


def test_one_letter_of_a_text_without_blanks_begins_an_indexed_term() -> None:
    """So that a search for it by its beginning finds it, the last one too."""
    assert all(any(term.startswith(letter) for term in indexed("三毛猫").split()) for letter in "三毛猫")


@pytest.mark.parametrize("word", ["हिन्दी", "தமிழ்", "বাংলা", "ქართული", "አማርኛ", "עברית", "فارسی"])
def test_a_word_stays_whole(word: str) -> None:
    """Vowel signs do not part a word into letters."""
    assert len(terms(word)) == 1


def test_kana_keep_their_voicing_marks() -> None:
    """`ハ` and `バ` are two letters, `ﾊﾞ` and `バ` one."""
    assert fold("ハス") != fold("バス")
    assert fold("ﾊﾞｽ") == fold("バス")


@given(st.text(max_size=60))
def test_folding_twice_is_folding_once(text: str) -> None:
    """What is folded is as it is compared."""
    assert fold(fold(text)) == fold(text)


def test_every_mark_belongs_to_its_word() -> None:
    """The ranges leave no combining mark of the basic plane out."""
    inside = re.compile(f"[{_MARKS}\\w]")
    marks = (chr(n) for n in range(0x300, 0x10000) if unicodedata.category(chr(n))[0] == "M")
    # A newer Unicode than that of Python 3.11 may have some more.
    assert sum(not inside.match(mark) for mark in marks) <= (0 if sys.version_info < (3, 12) else 40)


def test_quotes_are_found_in_texts_without_blanks() -> None:
    """A name in the middle of a Chinese sentence stands there word for word."""
    assert has_words(quote_words("凯尔马港的市长是李明。"), "李明")
    assert has_words(quote_words("全市人口12345人"), "12345人")
    assert not has_words(quote_words("全市人口112345人"), "12345人")


@pytest.mark.parametrize("text", ["\u0316\u0300" * 50_000, "a" + "\u0301" * 100_000, "\u1dc0\u0315\u0328" * 30_000])
def test_piles_of_marks_cost_no_more_than_letters(text: str) -> None:
    """Normalisation orders marks in time that grows with their square; here most of them are gone before."""
    assert len(fold(text)) < 50
    assert len(normalise(text)) < 50
