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
from hds_cli.text.cutting import MAX_HEADING, Span, cut_spans
from hds_cli.types import Page

MOST_CHARACTERS = 400_000  # of a page are cut and scored; of a longer one the stretches with the query's rarest words
MOST_ASKED = 2000  # characters of a question that passages are compared with: its beginning and its end
_WINDOW = 20_000
_LEAST = 0.6  # of a passage's size, before a heading begins another
_QUESTION, _RANK = 0.15, 0.5
_TITLE, _HEADING = 0.5, 0.5
_OTHER = 0.7  # for a page without a name that another page of the query has for a title
_BARE = 0.5  # share of the score of a passage without a sentence: where no other has as much, it stays; not tuned
_INNER_HEADING = re.compile(r"^#{1,6} +(\S.*)$", re.MULTILINE)
_NUMBERED = re.compile(r"\A(?:[-*+•] {1,8})?(?:\d{1,3}(?:\.\d{1,3}){0,4}[.)]? {1,8})?")
_LEADER = re.compile(r"[.…·][.…· ]{1,80}\d{0,4}\Z")
_CONTENTS = frozenset(
    "contents|table of contents|toc|outline|inhalt|inhaltsverzeichnis|sommaire|table des matieres|indice|contenido"
    "|contenidos|sommario|sumario|inhoud|inhoudsopgave|innehall|indhold|innhold|spis tresci|obsah|содержание|оглавление"
    "|目次|目录".split("|")
)
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
    bare: set[tuple[int, int]] = set()

    def texts() -> Iterator[list[str]]:
        for rank, page in enumerate(pages):
            title, outline = titles[page.url], _Outline(page.text)
            for place, span in enumerate(cuts_of(page.text, sought, words, late)):
                cut = span.of(page.text)
                own = _own_terms(page, cut, title.short)
                factor = 1 + _TITLE * title.named + _HEADING * _section_named(cut, sought)
                other = bool(names) and not title.named and not any(map(set(own).issuperset, names))
                pool.append((page, span, rank, place, factor, other))
                if outline.holds(cut):
                    bare.add((rank, place))
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
    best = max((one.score for one in candidates if (one.rank, one.place) not in bare), default=0.0)
    candidates = [one for one in candidates if (one.rank, one.place) not in bare or best < _BARE * one.score]
    return sorted(candidates, key=lambda one: (-one.score, one.rank, one.place))


class _Outline:
    """The headings of a page, which a table of contents repeats."""

    def __init__(self, text: str) -> None:
        self._text, self._headings = text[:MOST_CHARACTERS], frozenset[str]()

    def holds(self, cut: Cut) -> bool:
        """True for a passage of nothing but headings, or of a table of contents."""
        at, text, is_contents = 0, cut.text, _entry(cut.heading[:MAX_HEADING]) in _CONTENTS
        while at < len(text):
            end = text.find("\n", at, at + MAX_HEADING + 1)
            end = end if end >= 0 else len(text)
            if end - at > MAX_HEADING:
                return False
            line = text[at:end].strip()
            if heading := _INNER_HEADING.match(line):
                is_contents = is_contents or _entry(heading[1]) in _CONTENTS
            elif line and not (is_contents and self._names(line)):
                return False
            at = end + 1
        return True

    def _names(self, line: str) -> bool:
        """True for a line that says again what a heading of the page says."""
        if not self._headings:
            self._headings = frozenset(_entry(h[:MAX_HEADING]) for h in _INNER_HEADING.findall(self._text)) | {""}
        return _entry(line) in self._headings


def _entry(line: str) -> str:
    """A heading as a table of contents has it, without bullet, number and page: `parts` of `1.2 Parts ..... 7`."""
    return fold(_LEADER.sub("", _NUMBERED.sub("", line.strip(" #"), count=1))).strip()


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
