"""Which passages of its pages the model reads in a turn: the door `hds.selectors.v2`.

A selector is given all queries of a turn at once, each with its pages, so that it can weigh them against each other.
hds's own (`bm25`) goes through the same door as anyone's.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from hds_cli.plugins import PluginError, load
from hds_cli.text import quote_words
from hds_cli.types import Page, Passage

BUILTIN = "bm25"
GROUP = "hds.selectors.v2"
MARK = "…"
_LOOKED_AT = 1000
Count = Callable[[str], int]


def about_tokens(text: str) -> int:
    """Tokens of a text where nobody can count them: four characters each."""
    return len(text) // 4 + 1


@dataclass(frozen=True)
class Reading:
    """A query and its pages, in the order of the search."""

    query: str
    pages: Sequence[Page]


@dataclass(frozen=True)
class Budget:
    """How much a turn may give the model to read.

    Attributes:
        tokens: for the whole turn.
        passages: for one query; one that was shown before does not count.
        words: of a passage, at most.
        count: the tokens of a text.
        shown: address and text of the passages that the model has read in this run.
    """

    tokens: int
    passages: int = 12
    words: int = 250
    count: Count = about_tokens
    shown: Collection[tuple[str, str]] = frozenset()

    def price(self, passage: Passage) -> int:
        """The tokens that a passage takes, with its number and what stands before its text."""
        return self.count(passage.text) + self.count(f"{passage.title}: {passage.heading}") + 8


class Selector(Protocol):
    """What an entry point of `hds.selectors.v2` is."""

    def __call__(self, question: str, readings: Sequence[Reading], budget: Budget) -> Iterable[Iterable[Passage]]:
        """For each reading the passages of its pages to read, best first: url, text and maybe heading of each.

        A passage must stand in its page word for word. One that does not is left out, as is one over the budget; a
        passage that was shown before is named and not repeated, so it costs next to nothing.
        """


def selector(name: str) -> Selector:
    """The selector that `--select NAME` means.

    Raises:
        PluginError: there is none, or it does not load.
    """
    if name == BUILTIN:
        from hds_cli.agent.selectors.bm25 import choose

        return choose
    chosen: Selector = load(GROUP, name)
    return chosen


def asked(choose: Selector, question: str, readings: Sequence[Reading], budget: Budget) -> list[list[Passage]]:
    """What a selector chooses for each reading, as far as it stands in the pages; its mistakes are an error of its own.

    Raises:
        PluginError: it failed; another way of choosing is never put in its place.
    """
    try:
        lists = list(itertools.islice(choose(question, readings, budget), len(readings)))
        if len(lists) != len(readings):
            raise ValueError(f"{len(lists)} lists of passages for {len(readings)} queries")
        return [list(_standing(passages, reading.pages)) for passages, reading in zip(lists, readings, strict=True)]
    except (Exception, SystemExit) as exc:
        said = f"the selector failed: {type(exc).__name__}: {exc}"[:500]
        raise PluginError(said, hint="hds ask without --select") from exc


def _standing(passages: Iterable[Any], pages: Sequence[Page]) -> Iterator[Passage]:
    """The passages that stand in one of `pages`, with what is known of the page."""
    by_url = {page.url: page for page in pages}
    for passage in itertools.islice(passages, _LOOKED_AT):
        if not isinstance(passage, Passage):
            raise TypeError(f"{type(passage).__name__} is no passage")
        page = by_url.get(passage.url)
        if page is not None and _stands(passage.text, page.text):
            yield Passage(
                page.url, page.title, passage.text, heading=passage.heading, score=passage.score,
                fetched_at=page.fetched_at, date=page.date,
            )  # fmt: skip


def _stands(text: str, page: str) -> bool:
    """True when a text, without the marks of its cuts, is in a page; markup and line breaks do not matter."""
    inside = text.strip(f"{MARK} \n")
    if inside and inside in page:
        return True
    words = quote_words(inside)
    return bool(words) and f" {words} " in f" {quote_words(page)} "
