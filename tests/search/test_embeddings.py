"""Embeddings beside BM25: with a stand-in of three directions, and with the real table where the extra is installed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hds_cli.search.embeddings import WordLlama, fused
from hds_cli.search.local import Collection
from hds_cli.types import Document

DOCS = [
    Document("1", "Garage", "The automobile stands there.", "local://c/1"),
    Document("2", "Kitchen", "Soup is cooked every day.", "local://c/2"),
    Document("3", "Barn", "The horse eats hay.", "local://c/3"),
]


class Meanings:
    """Cars, meals and animals."""

    name = "three meanings"
    _WORDS = ({"automobile", "car"}, {"soup", "meal"}, {"horse", "animal"})

    def __init__(self) -> None:
        self.made = 0

    def __call__(self, texts: Sequence[str]) -> Any:
        self.made += len(texts)
        split = [set(text.lower().replace(".", " ").split()) for text in texts]
        return np.array([[float(bool(words & meant)) for meant in self._WORDS] for words in split], dtype=np.float32)


@pytest.fixture
def collection(tmp_path: Path) -> Collection:
    made = Collection("c", tmp_path, create=True)
    made.update(DOCS, "test")
    made.embed(Meanings())
    return made


def test_what_no_word_finds_is_found_by_its_meaning(collection: Collection) -> None:
    """`car` stands nowhere; the automobile comes first all the same."""
    assert collection.search("car", 3)[0].title == "Garage"


def test_a_word_that_stands_there_comes_before_a_meaning(collection: Collection) -> None:
    """BM25 decides where it finds anything."""
    assert [r.title for r in collection.search("hay car", 2)] == ["Barn", "Garage"]


def test_only_new_passages_are_embedded_and_gone_ones_forgotten(collection: Collection) -> None:
    """An update costs its own passages, and a number that is used again has its own vector."""
    collection.update([DOCS[0], Document("3", "Barn", "The soup is for the horse.", "local://c/3")], "test")
    again = Meanings()
    assert collection.embed(again) == again.made == 1
    assert "Kitchen" not in [r.title for r in collection.search("meal", 3)]
    assert "Barn" in [r.title for r in collection.search("meal", 3)]


def test_without_the_embedder_bm25_goes_on(collection: Collection, tmp_path: Path) -> None:
    """Vectors of an embedder that is not here are not used."""
    assert [r.title for r in Collection("c", tmp_path).search("hay", 3)] == ["Barn"]


def test_ranks_without_neighbours_stay() -> None:
    """And neighbours never push a ranked document out of its place among the first."""
    assert fused([3, 1, 2], []) == [3, 1, 2]
    assert fused([3, 1, 2], [9, 2, 1])[:3] == [3, 1, 2]


def test_the_real_table_knows_that_a_car_is_an_automobile(tmp_path: Path) -> None:
    """WordLlama's weights come in its wheel; nothing is downloaded."""
    pytest.importorskip("wordllama")
    made = Collection("c", tmp_path, create=True)
    made.update(DOCS, "test")
    made.embed(WordLlama())
    assert made.search("vehicles", 1)[0].title == "Garage"
