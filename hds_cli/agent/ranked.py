"""Pages -> passages with a score for one query.

What a query names by its title, by initials or as a heading counts more. A page without a name of the query is lowered,
never left out: the source that ranked it may know more than its words.
"""

from __future__ import annotations

import functools
import itertools
import math
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from hds_cli.text import BM25, Cut, abbreviated, fold, named_in, plain_title, terms
from hds_cli.text.cutting import Span, cut_spans
from hds_cli.types import Page

MOST_CHARACTERS = 400_000  # of a page are cut and scored; of a longer one the stretches with the query's rarest words
MOST_ASKED = 2000  # characters of a question that passages are compared with: its beginning and its end
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
    """A passage of a page; `rank` is the page's place in the search, `place` the passage's in the page.

    It holds neither its text nor its terms: thousands are ranked, and a dozen read.
    """

    page: Page
    span: Span
    score: float
    rank: int
    place: int
    short: tuple[str, ...] = ()
    """The terms of the query that the page's title is short for."""

    @property
    def cut(self) -> Cut:
        return self.span.of(self.page.text)

    @property
    def terms(self) -> list[str]:
        return _own_terms(self.page, self.cut, self.short)


def ranked(
    query: str, question: str, pages: Sequence[Page], words: int, late: Callable[[], bool] = lambda: False
) -> list[Ranked]:
    """All passages of `pages`, best first.

    Args:
        query: of a longer one than `MOST_ASKED` its beginning and its end count, as of the question.
        words: of a passage, at most.
        late: asked before each passage; once it is true, the rest is left out.
    """
    query, question = _shortened(query), _shortened(question)
    sought = [*(asked := terms(query)), *(word for word in _spelt(asked) if word not in asked)]
    titles = {page.url: _Title(page, sought) for page in pages}
    names = [title.names for title in titles.values() if title.named]
    pool: list[tuple[Page, Span, int, int, float, bool]] = []

    def texts() -> Iterator[list[str]]:
        for rank, page in enumerate(pages):
            title = titles[page.url]
            for place, span in enumerate(cuts_of(page.text, sought, words, late)):
                cut = span.of(page.text)
                own = _own_terms(page, cut, title.short)
                factor = 1 + _TITLE * title.named + _HEADING * _section_named(cut, sought)
                other = bool(names) and not title.named and not any(map(set(own).issuperset, names))
                pool.append((page, span, rank, place, factor, other))
                yield own

    wider = terms(question)
    index = BM25(texts(), only={*sought, *wider})
    candidates = []
    scores = zip(index.scores(sought), index.scores(wider), strict=True)
    for (page, span, rank, place, factor, other), (by_query, by_question) in zip(pool, scores, strict=True):
        score = (by_query + _QUESTION * by_question) * factor
        if other:
            score *= _OTHER
        if score > 0:
            score += _RANK / (1 + rank)
        candidates.append(Ranked(page, span, score, rank, place, titles[page.url].short))
    return sorted(candidates, key=lambda one: (-one.score, one.rank, one.place))


class _Title:
    """The terms that a page's title shares with a query."""

    def __init__(self, page: Page, sought: Sequence[str]) -> None:
        self.short = tuple(abbreviated(page.title, sought))
        self.names = set(terms(plain_title(page.title)))
        self.named = bool(self.short or (self.names and self.names <= set(sought)))


def _own_terms(page: Page, cut: Cut, short: Sequence[str]) -> list[str]:
    """A passage's terms with those of its title; its heading counts twice."""
    return [*short, *terms(f"{page.title} {cut.heading} {cut.heading} {cut.text}")]


def _shortened(question: str) -> str:
    half = MOST_ASKED // 2
    return question if len(question) <= MOST_ASKED else f"{question[:half]} {question[-half:]}"


def _section_named(cut: Cut, sought: Sequence[str]) -> bool:
    """True when the query names a heading of the passage, the one it begins under or one inside of it."""
    headings = [cut.heading, *(_INNER_HEADING.findall(cut.text) if "#" in cut.text else ())]
    folded = fold("\n".join(headings))  # most passages have none of the words in any heading
    return any(term in folded for term in sought) and any(named_in(heading, sought) for heading in headings)


def _spelt(words: Sequence[str]) -> list[str]:
    """Terms in the other spelling, where names have one: `Mt Elgon` is Mount Elgon."""
    return [_SPELT.get(word, word) for word in words]


def cuts_of(text: str, sought: Sequence[str], words: int, late: Callable[[], bool] = lambda: False) -> Iterator[Span]:
    """The passages of a page, of a very long one those around the words that are sought; until it is `late`."""
    spans = iter(_spans(text, words, tuple(sought) if len(text) > MOST_CHARACTERS else None))
    end = object()
    while not late() and (span := next(spans, end)) is not end:
        if isinstance(span, Span):
            yield span


class _Spans:
    """The passages of a page, cut when they are first asked for; None stands for a step without one."""

    def __init__(self, cut: Iterator[Span | None]) -> None:
        self._cut, self._known, self._lock = cut, list[Span | None](), threading.Lock()

    def __iter__(self) -> Iterator[Span | None]:
        for place in itertools.count():
            with self._lock:
                if place == len(self._known):
                    try:
                        self._known.append(next(self._cut))
                    except StopIteration:
                        return
            yield self._known[place]


@functools.lru_cache(maxsize=64)
def _spans(text: str, words: int, sought: tuple[str, ...] | None) -> _Spans:
    # Several queries of a turn lead to one page.
    least = int(_LEAST * words)
    return _Spans(cut_spans(text, words, least) if sought is None else _around(text, words, least, sought))


def _around(text: str, words: int, least: int, sought: Sequence[str]) -> Iterator[Span | None]:
    """The passages of the beginning of a long text and of the windows with the rarest of the words, in order."""
    windows = []
    at = 0
    while at < len(text):
        end = min(len(text), at + _WINDOW)
        line = text.rfind("\n", at + _WINDOW // 2, end) if end < len(text) else -1
        end = line + 1 if line > 0 else end
        windows.append((at, end))
        at = end
    has = []
    for start, end in windows:
        folded = fold(text[start:end])
        has.append({term for term in sought if term in folded})
        yield None
    rare = {term: math.log(1 + len(windows) / (1 + sum(term in some for some in has))) for term in sought}
    worth = [sum(rare[term] for term in some) for some in has]
    order = sorted(range(1, len(windows)), key=lambda n: (-worth[n], n))
    for n in sorted([0, *order[: MOST_CHARACTERS // _WINDOW - 1]]):
        start, end = windows[n]
        for span in cut_spans(text[start:end], words, least):
            yield span.moved(start)
