"""`--prf`: a second search by what the best passages say, held to its bounds, and nothing at all where it is off."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from hds_cli.config import Settings
from hds_cli.search import feedback, ranking
from hds_cli.search.base import SourceContext
from hds_cli.search.feedback import COUNTED, TERMS, drifted, shares
from hds_cli.search.local import Collection
from hds_cli.search.query import Query
from hds_cli.types import Document
from hds_local import LocalSource

FIELDS = tuple((f"Field {n}", f"Corn number {n} grows.") for n in range(60))
HEARTS = (
    ("Infarction", "A heart attack closes a coronary artery. Troponin in the blood shows it. It was named in 1896."),
    ("Clinic", "After a heart attack troponin is measured. The coronary artery is opened."),
    ("Laboratory", "Troponin rises within hours when a coronary artery closes."),
    ("Garden", "Roses are cut in spring. Tulips are planted in autumn."),
    ("Year", "In 1896 the games were held."),
    *FIELDS,
)
WORDS = [f"{a}{b}ik" for a in "bdfg" for b in ("ara", "olo", "utu")][:9]
DRIFTING = (
    *((f"Harbour {n}", ". ".join(["The harbour", *(w.title() for w in WORDS[n::3])]) + ".") for n in range(3)),
    *((f"Quay {n}", "Ships and cranes stand and wait at this side of the harbour all day long.") for n in range(9)),
    *((f"Other {n}", f"{' '.join(WORDS)}.") for n in range(12)),
    *FIELDS,
)


def made(folder: Path, documents: tuple[tuple[str, str], ...], name: str = "c") -> Collection:
    collection = Collection(name, folder, create=True)
    collection.update([Document(t, t, text, f"local://c/{n}") for n, (t, text) in enumerate(documents)], "test")
    return collection


def titles(collection: Collection, query: str, top_k: int = 5, *, prf: bool = True) -> list[str]:
    return [result.title for result in collection.search(query, top_k, prf)]


def searched(monkeypatch: pytest.MonkeyPatch) -> list[Query]:
    """The queries that are ranked from now on."""
    asked: list[Query] = []
    best = ranking.best

    def kept(db: sqlite3.Connection, query: Query, top_k: int) -> list[ranking.Candidate]:
        asked.append(query)
        return best(db, query, top_k)

    monkeypatch.setattr(ranking, "best", kept)
    return asked


def test_a_page_is_found_that_only_shares_words_with_the_best_passages(tmp_path: Path) -> None:
    """The laboratory's page has no word of the question; it comes behind what the first search found."""
    collection = made(tmp_path, HEARTS)
    off, on = titles(collection, "heart attack", prf=False), titles(collection, "heart attack")
    assert sorted(off) == ["Clinic", "Infarction"]
    assert sorted(on[:2]) == sorted(off)
    assert on[2:] == ["Laboratory"]


def test_the_terms_are_new_and_no_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The words of the question are there once, before those of the passages; a year is none of them."""
    collection = made(tmp_path, HEARTS)
    asked = searched(monkeypatch)
    titles(collection, "heart attack")
    first, second = (query.terms for query in asked)
    assert second[: len(first)] == first == ("heart", "attack")
    assert "troponin" in second
    assert "1896" not in second
    assert len(set(second)) == len(second) <= len(first) + TERMS


def test_a_second_search_that_drifts_off_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first three pages name what a dozen others are about; without the guard these would come among the ten."""
    collection = made(tmp_path, DRIFTING)
    off = collection.search("harbour", 10)
    assert collection.search("harbour", 10, True) == off
    monkeypatch.setattr(feedback, "LEAST_OVERLAP", 0.0)
    assert any(title.startswith("Other") for title in titles(collection, "harbour", 10))


@pytest.mark.parametrize(
    ("before", "after", "drift"),
    [
        (range(10), [0, 1, *range(20, 28)], False),
        (range(10), [0, *range(20, 29)], True),
        ([1, 2], [2, *range(20, 29)], False),
        ([1, 2], range(20, 30), True),
        (range(10), [], True),
    ],
)
def test_less_than_a_fifth_in_common_is_drift(before: range, after: range, drift: bool) -> None:
    """Of a first search with fewer than ten documents, a fifth of these."""
    assert drifted(list(before), list(after)) is drift


def test_off_is_the_search_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The default settings: one ranking a query, its results as they are, and nothing of this module is called."""

    def never(*_: Any) -> list[ranking.Candidate]:
        raise AssertionError

    monkeypatch.setenv("HDS_HOME", str(tmp_path))
    collection = made(Collection.__init__.__globals__["paths"].collections_dir(), HEARTS)
    with collection._open() as db:
        plain = [one.url for one in ranking.best(db, Query("heart attack", ("heart", "attack")), 5)]
    asked = searched(monkeypatch)
    monkeypatch.setattr(feedback, "widened", never)
    source = LocalSource("c", SourceContext(Settings(), None))  # type: ignore[arg-type]
    found = asyncio.run(source.search("heart attack", 5))
    assert [result.url for result in found] == plain
    assert found == collection.search("heart attack", 5)
    assert len(asked) == 2
    with pytest.raises(AssertionError):
        asyncio.run(LocalSource("c", SourceContext(Settings(prf=True), None)).search("heart attack", 5))  # type: ignore[arg-type]


@pytest.mark.parametrize("query", ['"heart attack"', "title:clinic heart", "heart after:2000", "zebra"])
def test_operators_and_empty_results_are_not_widened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    """What a filter left out never comes in by feedback; where nothing was found there is nothing to go by."""
    collection = made(tmp_path, HEARTS)
    off = collection.search(query, 5)
    monkeypatch.setattr(feedback, "_terms", lambda *_: pytest.fail("read passages"))
    assert collection.search(query, 5, True) == off


@pytest.mark.parametrize(
    "text",
    [
        " ".join(f"word{n}." for n in range(20_000)),
        "x" * 200_000,
        "東京都の" * 20_000,
        '" OR title:* NEAR( ^ ) ' * 5_000,
        "\0" * 50_000,
        "heart " * 30_000,
    ],
    ids=["many words", "one word", "pairs", "syntax", "nul", "the query"],
)
def test_a_passage_of_any_kind_adds_at_most_ten_terms(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    """And at most forty are counted in the collection, none of more than forty letters."""
    collection = made(tmp_path, (("Long", f"heart {text}"), *HEARTS))
    counted: list[str] = []
    holding = ranking.holding
    asked = searched(monkeypatch)
    monkeypatch.setattr(ranking, "holding", lambda db, term: counted.append(term) or holding(db, term))
    assert "Infarction" in titles(collection, "heart")
    assert len(asked) <= 2
    assert len(asked[-1].terms) <= 1 + TERMS
    assert max(map(len, asked[-1].terms)) <= 40
    assert len(counted) <= 1 + COUNTED + 1 + TERMS


def test_a_second_search_that_fails_costs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its time is over, or another process holds the file: the first search stands."""
    collection = made(tmp_path, HEARTS)
    off = collection.search("heart attack", 5)

    def over(*_: Any) -> list[str]:
        raise sqlite3.OperationalError("interrupted")

    monkeypatch.setattr(feedback, "_terms", over)
    assert collection.search("heart attack", 5, True) == off


def test_shares_are_of_the_beginning_alone() -> None:
    """Terms as they are indexed; numbers and short words are none, pairs of letters without blanks are."""
    assert shares("Roses and roses 42 in ox") == {"rose": 0.5}
    assert "都の" in shares("東京都の")
    assert "late" not in shares("early " * 500 + "late")
