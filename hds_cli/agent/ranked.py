"""Pages -> passages with a score for one query.

What a query names by its title, by initials or as a heading counts more. A page without a name of the query is lowered,
never left out: the source that ranked it may know more than its words.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from hds_cli.text import BM25, Cut, abbreviated, cut_passages, fold, named_in, plain_title, terms
from hds_cli.types import Page

MOST_CHARACTERS = 400_000  # of a page are cut and scored; of a longer one the stretches with the query's rarest words
_WINDOW = 20_000
_LEAST = 0.6  # of a passage's size, before a heading begins another
_QUESTION, _RANK = 0.15, 0.5
_TITLE, _HEADING = 0.5, 0.5
_OTHER = 0.7  # for a page without a name that another page of the query has for a title
_INNER_HEADING = re.compile(r"^#{1,6} +(\S.*)$", re.MULTILINE)
_SHORT = {"mt": "mount", "st": "saint", "ft": "fort", "dr": "doctor"}
_SPELT = _SHORT | {long: short for short, long in _SHORT.items()}


@dataclass(frozen=True)
class Ranked:
    """A passage of a page; `rank` is the page's place in the search, `place` the passage's in the page."""

    page: Page
    cut: Cut
    score: float
    rank: int
    place: int
    terms: tuple[str, ...]


def ranked(query: str, question: str, pages: Sequence[Page], words: int) -> list[Ranked]:
    """All passages of `pages`, best first.

    Args:
        words: of a passage, at most.
    """
    sought = [*(asked := terms(query)), *(word for word in _spelt(asked) if word not in asked)]
    pool = [
        (rank, page, place, cut)
        for rank, page in enumerate(pages)
        for place, cut in enumerate(cuts_of(page.text, sought, words))
    ]
    short = {page.url: abbreviated(page.title, sought) for page in pages}
    texts = [
        short[page.url] + terms(f"{page.title} {cut.heading} {cut.heading} {cut.text}") for _, page, _, cut in pool
    ]
    index = BM25(texts)
    by_query, by_question = index.scores(sought), index.scores(terms(question))
    titles = {page.url: set(terms(plain_title(page.title))) for page in pages}
    named = {url: bool(short[url] or (names and names <= set(sought))) for url, names in titles.items()}
    names = [titles[url] for url in titles if named[url]]
    made = []
    for (rank, page, place, cut), own, by_terms, wider in zip(pool, texts, by_query, by_question, strict=True):
        score = by_terms + _QUESTION * wider
        score *= 1 + _TITLE * named[page.url] + _HEADING * _section_named(cut, sought)
        if names and not named[page.url] and not any(name <= set(own) for name in names):
            score *= _OTHER
        if score > 0:
            score += _RANK / (1 + rank)
        made.append(Ranked(page, cut, score, rank, place, tuple(own)))
    return sorted(made, key=lambda one: (-one.score, one.rank, one.place))


def _section_named(cut: Cut, sought: Sequence[str]) -> bool:
    """True when the query names a heading of the passage, the one it begins under or one inside of it."""
    headings = [cut.heading, *(_INNER_HEADING.findall(cut.text) if "#" in cut.text else ())]
    folded = fold("\n".join(headings))  # most passages have none of the words in any heading
    return any(term in folded for term in sought) and any(named_in(heading, sought) for heading in headings)


def _spelt(words: Sequence[str]) -> list[str]:
    """Terms in the other spelling, where names have one: `Mt Elgon` is Mount Elgon."""
    return [_SPELT.get(word, word) for word in words]


def cuts_of(text: str, sought: Sequence[str], words: int) -> list[Cut]:
    """The passages of a page; of a very long one those around the words that are sought."""
    if len(text) <= MOST_CHARACTERS:
        return _all_cuts(text, words)
    least = int(_LEAST * words)
    return [
        cut._replace(start=cut.start + start)
        for start, end in _stretches(text, sought)
        for cut in cut_passages(text[start:end], words, least)
    ]


@functools.lru_cache(maxsize=16)
def _all_cuts(text: str, words: int) -> list[Cut]:
    # Several queries of a turn lead to one page.
    return list(cut_passages(text, words, int(_LEAST * words)))


def _stretches(text: str, sought: Sequence[str]) -> list[tuple[int, int]]:
    """The beginning of a long text and the windows with the rarest of the words, in order."""
    windows = []
    at = 0
    while at < len(text):
        end = min(len(text), at + _WINDOW)
        line = text.rfind("\n", at + _WINDOW // 2, end) if end < len(text) else -1
        end = line + 1 if line > 0 else end
        windows.append((at, end))
        at = end
    has = [{term for term in sought if term in folded} for folded in (fold(text[a:b]) for a, b in windows)]
    rare = {term: math.log(1 + len(windows) / (1 + sum(term in some for some in has))) for term in sought}
    worth = [sum(rare[term] for term in some) for some in has]
    order = sorted(range(1, len(windows)), key=lambda n: (-worth[n], n))
    return [windows[n] for n in sorted([0, *order[: MOST_CHARACTERS // _WINDOW - 1]])]
