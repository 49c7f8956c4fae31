"""Collections on disk."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from hds_cli.errors import SourceError, SourceUnknown, UsageError
from hds_cli.search.local import Changes, Collection, read_jsonl
from hds_cli.types import Document

DOCS = [
    Document("a", "Guinea", "The capital of Guinea is Conakry.", "local://c/a"),
    Document("b", "Equatorial Guinea", "The capital of Equatorial Guinea is Malabo.", "local://c/b"),
    Document("c", "Cafés", "A café in Paris: crème brûlée.\n\n## Prices\n\nThree euros.", "local://c/c"),
]


@pytest.fixture
def collection(tmp_path: Path) -> Collection:
    made = Collection("c", tmp_path, create=True)
    made.update(DOCS, "test")
    return made


def test_a_title_that_is_named_comes_first(collection: Collection) -> None:
    """The longer of two names that both are in the query wins."""
    assert [r.title for r in collection.search("capital of Equatorial Guinea", 2)] == ["Equatorial Guinea", "Guinea"]
    assert collection.search("capital of Guinea", 2)[0].title == "Guinea"


def test_accents_and_endings_do_not_matter(collection: Collection) -> None:
    """`creme` finds `crème`, `capitals` finds `capital`."""
    assert collection.search("creme brulee", 5)[0].title == "Cafés"
    assert collection.search("capitals", 5)


@pytest.mark.parametrize("query", ['"', "NEAR(", "a AND", "*", "title:x", "", "   ", "';--", "\x00", "AND OR NOT"])
def test_no_query_is_a_syntax_error(collection: Collection, query: str) -> None:
    """Whatever a model writes is searched as words."""
    assert isinstance(collection.search(query, 5), list)


def test_only_what_changed_is_written(collection: Collection) -> None:
    """Added, changed and removed documents are found by their content."""
    changed = Document("a", "Guinea", "Its capital is Conakry, on the coast.", "local://c/a")
    new = Document("d", "Chad", "The capital of Chad is N'Djamena.", "local://c/d")
    assert collection.update([changed, DOCS[1], new], "test") == Changes(added=1, changed=1, removed=1, unchanged=1)
    assert collection.search("coast", 5)[0].title == "Guinea"
    assert collection.search("brulee", 5) == []
    assert collection.info().documents == 3


def test_an_update_that_fails_changes_nothing(collection: Collection) -> None:
    """All or nothing."""

    def broken():
        yield Document("z", "Z", "zzz", "local://c/z")
        raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        collection.update(broken(), "test")
    assert collection.info().documents == 3
    assert collection.search("zzz", 5) == []


def test_a_document_is_read_whole(collection: Collection) -> None:
    """`read` gives the stored text back, and nothing for another's address."""
    page = collection.read("local://c/c")
    assert page is not None
    assert page.text == DOCS[2].text
    assert collection.read("local://c/none") is None


def test_a_damaged_file_is_an_error_with_what_to_type(tmp_path: Path) -> None:
    """No traceback from SQLite."""
    (tmp_path / "d.sqlite").write_bytes(b"not a database" * 100)
    with pytest.raises(SourceError) as caught:
        Collection("d", tmp_path).search("x", 5)
    assert caught.value.hint == "hds index remove d"


@pytest.mark.parametrize("name", ["../evil", "a/b", "", ".hidden", "a b"])
def test_a_name_cannot_be_a_path(tmp_path: Path, name: str) -> None:
    """A collection's name is a file name and nothing more."""
    with pytest.raises(UsageError):
        Collection(name, tmp_path, create=True)


def test_a_collection_that_is_not_there_is_said(tmp_path: Path) -> None:
    """And none is made by looking for it."""
    with pytest.raises(SourceUnknown):
        Collection("nope", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_pages_of_one_title_are_one_document(tmp_path: Path) -> None:
    """As in the question sets: rows with the same title belong together."""
    path = tmp_path / "c.jsonl"
    path.write_text(
        '{"title": "A", "text": "one"}\n\n{"title": "A", "text": "two"}\n{"title": "B", "text": "x", "source_url": "https://b.example/"}\n'
    )
    docs = list(read_jsonl(path, "c"))
    assert [(d.title, d.text, d.url) for d in docs] == [
        ("A", "one\n\ntwo", "local://c/A"),
        ("B", "x", "https://b.example/"),
    ]


def test_a_line_that_is_no_document_is_named(tmp_path: Path) -> None:
    """The error says which line and how one looks."""
    path = tmp_path / "c.jsonl"
    path.write_text('{"title": "A", "text": "one"}\n{"nothing": 1}\n')
    with pytest.raises(UsageError, match="line 2"):
        list(read_jsonl(path, "c"))


def test_the_file_is_private(collection: Collection) -> None:
    """Notes are nobody else's business."""
    assert collection.path.stat().st_mode & 0o077 == 0
    assert sqlite3.connect(collection.path).execute("PRAGMA integrity_check").fetchone() == ("ok",)
