"""Dropping words until an index that wants every word finds something."""

from __future__ import annotations

from collections.abc import Sequence

from hds_zim import words
from hds_zim.words import Hit, Matches
from tests.fetch.conftest import run

TEXTS = {
    "a": "red apple pie recipe", "b": "green apple", "c": "red car", "d": "pie chart", "e": "red green blue", "f": "red wine",
}  # fmt: skip


class Index:
    """Finds texts with all of the words, in alphabetic order, and counts how often it was asked."""

    def __init__(self, texts: dict[str, str] = TEXTS) -> None:
        self.texts = texts
        self.asked: list[tuple[str, ...]] = []

    async def matching(self, wanted: Sequence[str], limit: int) -> Matches:
        self.asked.append(tuple(wanted))
        keys = [key for key, text in self.texts.items() if set(wanted) <= set(text.split())]
        return Matches(len(keys), [Hit(key) for key in keys[:limit]])

    async def titled(self, start: str, limit: int) -> Sequence[Hit]:
        return [Hit(key, key) for key in self.texts if key.lower().startswith(start.lower())][:limit]


def found(query: str, top_k: int = 5, texts: dict[str, str] = TEXTS) -> list[str]:
    return [hit.key for hit in run(words.search(Index(texts), query, top_k))]


def test_what_has_every_word_comes_first_and_what_has_rare_words_next() -> None:
    """`apple` and `pie` stand in two texts each, `red` in four: a text with `pie` goes before one with only `red`."""
    assert found("red apple pie")[0] == "a"
    assert set(found("red apple pie")[1:3]) == {"b", "d"}


def test_a_word_that_stands_nowhere_costs_nothing() -> None:
    """The others are searched as if it had not been there."""
    assert found("apple pie zeppelin", 1) == ["a"]


def test_words_are_not_dropped_when_enough_was_found() -> None:
    """One search, and none for single words."""
    index = Index()
    assert len(run(words.search(index, "red", 3))) == 3
    assert index.asked == [("red",)]


def test_a_name_in_the_query_finds_the_document_called_like_it() -> None:
    """Its own page stands before pages that only mention it; a page whose longer title is not named does not."""
    texts = {"x": "oslo norway fjord", "Norway": "a kingdom", "Norway spruce": "a tree"}
    assert found("capital city of Norway", 3, texts)[0] == "Norway"
    assert "Norway spruce" not in found("capital city of Norway", 3, texts)


def test_a_long_query_leads_to_few_searches() -> None:
    """Twenty words: one search for all, one a word, and `MAX_SEARCHES` with fewer."""
    index = Index({str(n): f"w{n}" for n in range(20)})
    run(words.search(index, " ".join(f"w{n}" for n in range(20)), 50))
    assert len(index.asked) <= 1 + 20 + words.MAX_SEARCHES


def test_stop_words_alone_are_searched_all_the_same() -> None:
    """ "To be or not to be" has no other words; an empty query finds nothing."""
    assert words.content_words("To be or to be") == ["to", "be", "or"]
    assert words.content_words("Where is the Oslo opera?") == ["oslo", "opera"]
    assert found("?!") == []
