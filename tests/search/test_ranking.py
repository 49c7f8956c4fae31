"""Which documents come first, on small collections where it can be seen why."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hds_cli.search.local import Collection, read_jsonl
from hds_cli.types import Document


def made(folder: Path, *documents: tuple[str, str]) -> Collection:
    collection = Collection("c", folder, create=True)
    collection.update([Document(t, t, text, f"local://c/{n}") for n, (t, text) in enumerate(documents)], "test")
    return collection


def titles(collection: Collection, query: str, top_k: int = 5) -> list[str]:
    return [result.title for result in collection.search(query, top_k)]


def test_a_page_that_the_best_page_names_moves_up(tmp_path: Path) -> None:
    """The question names the song alone; its page names the singer, whose page shares no word with the question."""
    collection = made(
        tmp_path,
        ("Hello Love (song)", "Hello Love is a song recorded by Hank Snow."),
        ("Hank Snow", "A Canadian artist who died in Tennessee."),
        ("Greetings", "Hello is a greeting that performers know."),
        ("Tea", "Where a live plant grows."),
    )
    assert titles(collection, "Where did the performer of the song Hello Love live?")[:2] == [
        "Hello Love (song)",
        "Hank Snow",
    ]


def test_a_short_search_brings_only_what_has_its_words(tmp_path: Path) -> None:
    """Mentions are for questions of several steps."""
    collection = made(tmp_path, ("Song", "A song by Hank Snow."), ("Hank Snow", "A Canadian artist."))
    assert titles(collection, "song") == ["Song"]


def test_a_name_of_many_documents_is_no_mention(tmp_path: Path) -> None:
    """Twenty chapters called Notes are not what "Notes" in a sentence means."""
    documents = [Document(f"n{n}", "Notes", f"chapter {n}", f"local://c/n{n}") for n in range(20)]
    collection = Collection("c", tmp_path, create=True)
    first = Document("a", "Server room", "The big old server room. See Notes.", "local://c/a")
    collection.update([*documents, first], "test")
    assert titles(collection, "the big old server room") == ["Server room"]


def test_the_form_of_a_word_decides_between_equals(tmp_path: Path) -> None:
    """`Roses` before `Rose`, the pair before its parts far from each other."""
    collection = made(
        tmp_path, ("A", "likes Rose wine, tea and maps."), ("B", "likes Roses, tea and maps."),
        ("C", "likes Rice and good Cakes."), ("D", "likes good Rice Cakes and."),
    )  # fmt: skip
    assert titles(collection, "Who likes Roses?")[0] == "B"
    assert titles(collection, "Who likes Rice Cakes?")[0] == "D"


def test_words_of_many_passages_only_add_to_those_of_few(tmp_path: Path) -> None:
    """With more passages than are looked at, the page with the rare and the common word still comes first."""
    filler = [(f"Page {n}", f"common word {n}" if n < 7000 else f"other thing {n}") for n in range(16_000)]
    collection = made(tmp_path, *filler, ("X", "zebra alone here"), ("Y", "zebra common word"))
    assert titles(collection, "common zebra word")[:2] == ["Y", "X"]


def test_the_same_collection_and_query_give_the_same_order(tmp_path: Path) -> None:
    """Equal scores are parted by the address, not by the order of writing."""
    pages = [Document(str(n), f"T{n}", "same words here", f"local://c/{n}") for n in range(30)]
    one, two = Collection("one", tmp_path, create=True), Collection("two", tmp_path, create=True)
    one.update(pages, "x")
    two.update(reversed(pages), "x")
    assert [r.url for r in one.search("same words", 10)] == [r.url for r in two.search("same words", 10)]


@pytest.mark.parametrize(("name", "at5", "at10"), [("musique_train100", 0.557, 0.647), ("limit_small", 1.0, 1.0)])
def test_recall_is_not_below_plain_bm25(shared: Path, tmp_path: Path, name: str, at5: float, at10: float) -> None:
    """Two of the shared sets; the benchmark prints all of them."""
    collection = Collection(name, tmp_path, create=True)
    collection.update(read_jsonl(shared / "data" / name / "corpus.jsonl", name), "test")
    rows = [json.loads(line) for line in (shared / "data" / name / "questions.jsonl").open()][:300]
    sums = {5: 0.0, 10: 0.0}
    for row in rows:
        found = titles(collection, row["question"], 10)
        for k in sums:
            sums[k] += len({*found[:k]} & {*row["supporting_titles"]}) / len(row["supporting_titles"])
    assert sums[5] / len(rows) >= at5
    assert sums[10] / len(rows) >= at10
