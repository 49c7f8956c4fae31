"""What a query asks for."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hds_cli.search.local import Collection
from hds_cli.search.query import parse, title_key
from hds_cli.text import snippet
from hds_cli.types import Document

DOCS = [
    Document("1", "Server move", "We moved the big server in May. The old one is gone.", "local://c/1", "2023-05-02"),
    Document("2", "Kitchen", "The big new server of soup stands in the kitchen.", "local://c/2", "2024-01-31"),
    Document("3", "人口", "東京都の人口は約1400万人です。", "local://c/3"),
    Document("4", "대한민국", "대한민국의 수도는 서울이다.", "local://c/4"),
    Document("5", "Ｆｕｌｌ", "ガラスの猫とカラス", "local://c/5"),
]


@pytest.fixture
def collection(tmp_path: Path) -> Collection:
    made = Collection("c", tmp_path, create=True)
    made.update(DOCS, "test")
    return made


def found(collection: Collection, query: str) -> list[str]:
    return [result.url[-1] for result in collection.search(query, 10)]


def test_quoted_words_stand_there_side_by_side(collection: Collection) -> None:
    """Alone they are a condition; where nothing has them, their words are searched."""
    assert found(collection, '"big server"') == ["1"]
    assert set(found(collection, "big server")) == {"1", "2"}
    assert set(found(collection, '"server big"')) == {"1", "2"}


def test_quoted_words_in_a_question_come_first_and_do_not_exclude(collection: Collection) -> None:
    """A question that names a song in quotation marks still finds the singer."""
    assert found(collection, 'who stands by the "big server" kitchen')[0] in "12"
    assert set(found(collection, 'the "big server" or the soup')) == {"1", "2"}


def test_a_title_can_be_asked_for(collection: Collection) -> None:
    """`title:` takes a word, or several in quotation marks."""
    assert found(collection, "title:kitchen server") == ["2"]
    assert found(collection, 'title:"server move"') == ["1"]
    assert found(collection, "title:soup") == []


@pytest.mark.parametrize(
    ("query", "urls"),
    [
        ("server after:2023", ["1", "2"]),
        ("server after:2023-05-03", ["2"]),
        ("server before:2024", ["1"]),
        ("server after:2023-05-02 before:2024-01-31", ["1"]),
        ("server before:2023-05-02", []),
        ("人口 after:1900", []),
    ],
)
def test_dates_narrow_a_search(collection: Collection, query: str, urls: list[str]) -> None:
    """`after` takes its day in, `before` does not; a document without a date is left out."""
    assert sorted(found(collection, query)) == urls


@pytest.mark.parametrize(
    ("query", "url"),
    [("人口", "3"), ("東京", "3"), ("京都の人口", "3"), ("都", "3"), ("서울", "4"), ("수도는", "4"), ("ガラス", "5"),
     ("猫", "5"), ("full", "5")],
)  # fmt: skip
def test_words_without_blanks_between_them_are_found(collection: Collection, query: str, url: str) -> None:
    """Chinese, Japanese and Korean by any part of two letters, or a single one; full-width letters as usual ones."""
    assert found(collection, query)[0] == url


def test_voicing_marks_tell_words_apart(collection: Collection) -> None:
    """ガラス (glass) is not カラス (crow): an exact quotation tells."""
    assert parse("ガラス").terms != parse("カラス").terms


@pytest.mark.parametrize(
    ("title", "key"), [("J. D. Drew", "jddrew"), ("JD Drew (baseball)", "jddrew"), ("Côte d'Ivoire", "cotedivoire")]
)
def test_ways_to_write_a_name_are_one_key(title: str, key: str) -> None:
    """Dots, blanks, accents and a closing bracket do not matter to a mention."""
    assert title_key(title) == key


@given(st.text(max_size=60))
def test_every_text_is_a_query(text: str) -> None:
    """Parsing never raises, and what is not an operator is a word."""
    assert parse(text).text is not None


def test_any_query_can_be_searched(collection: Collection) -> None:
    """Half an operator is a word, not a syntax error."""
    for query in (
        'title:"',
        'title:""',
        '"a',
        "before:x",
        "after:2020-99-99",
        'title:"(" OR',
        '"\x00"',
        "a" * 5000,
        "^x",
    ):
        assert isinstance(collection.search(query, 5), list)


def test_a_snippet_shows_the_words_of_the_query() -> None:
    """Not the beginning of a long passage but the place that matters, cut at words."""
    text = "Nothing here to see. " * 30 + "The crème brûlée costs three euros. " + "And more of nothing. " * 30
    shown = snippet(text, parse("creme brulee euros").terms)
    assert "crème brûlée costs three euros" in shown
    assert shown.startswith("… ")
    assert shown.endswith(" …")
    assert len(shown) <= 300


def test_a_short_passage_is_shown_whole() -> None:
    """No cut where none is needed."""
    assert snippet("A short one.", ["short"]) == "A short one."
