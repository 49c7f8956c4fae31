"""Search in an index that matches all words only: when too few documents have them all, some words are dropped.

The words that stand in fewest documents are kept longest (inverse document frequency, Spärck Jones 1972). Documents
with more of the words come first.
"""

from __future__ import annotations

import asyncio
import itertools
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from hds_cli.text import STOPWORDS, named_in, terms

MAX_WORDS = 8  # a longer query is cut to its rarest words: eight words have 255 subsets
MAX_SEARCHES = 12
_WORD = re.compile(r"\w+")
_NAME = re.compile(r"[A-Z\u00c0-\u00de\u0400-\u042f][\w'’.-]*(?:\s+[A-Z\u00c0-\u00de\u0400-\u042f][\w'’.-]*)*")


@dataclass(frozen=True)
class Hit:
    """A document that matched; `key` tells it from others."""

    key: str
    title: str = ""
    snippet: str = ""


class Matches(NamedTuple):
    """How many documents have all the words, about, and the best of them."""

    total: int
    hits: Sequence[Hit]


class WordIndex(Protocol):
    """An index that finds the documents with all of some words, and titles by their beginning."""

    async def matching(self, words: Sequence[str], limit: int) -> Matches: ...

    async def titled(self, start: str, limit: int) -> Sequence[Hit]: ...


async def search(index: WordIndex, query: str, top_k: int) -> list[Hit]:
    """The best `top_k` documents: those whose title the query names, those with all its words, those with most."""
    words = content_words(query)
    if not words:
        return []
    hits = {hit.key: hit for hit in await _named(index, query, max(1, top_k // 2))}
    hits |= _new(hits, (await index.matching(words, top_k)).hits)
    if len(hits) >= top_k or len(words) == 1:
        return list(hits.values())[:top_k]
    totals = await asyncio.gather(*(index.matching([word], 0) for word in words))
    weights = _weights({word: matches.total for word, matches in zip(words, totals, strict=True)})
    for kept in itertools.islice(_fewer(weights, len(words)), MAX_SEARCHES):
        hits |= _new(hits, (await index.matching(kept, top_k)).hits)
        if len(hits) >= top_k:
            break
    return list(hits.values())[:top_k]


def content_words(query: str) -> list[str]:
    """The words of a query in order, once each, without stop words (all if nothing else is left)."""
    words = list(dict.fromkeys(word.lower() for word in _WORD.findall(query)))
    return [word for word in words if word not in STOPWORDS] or words


async def _named(index: WordIndex, query: str, limit: int) -> list[Hit]:
    """The documents with a name in the query for a title, as "Norway" in "capital of Norway"."""
    starts = dict.fromkeys([query.strip(), *sorted(_NAME.findall(query), key=len, reverse=True)])
    starts = dict.fromkeys(start for start in starts if start.lower() not in STOPWORDS)
    answers = await asyncio.gather(*(index.titled(start, 2 * limit) for start in itertools.islice(starts, 4)))
    words = terms(query)
    hits = [hit for hit in itertools.chain(*answers) if named_in(hit.title, words)]
    hits.sort(key=lambda hit: -named_in(hit.title, words))
    return hits[:limit]


def _new(known: dict[str, Hit], hits: Sequence[Hit]) -> dict[str, Hit]:
    return {hit.key: hit for hit in hits if hit.key not in known}


def _weights(totals: dict[str, int]) -> dict[str, float]:
    """The weight of each word that stands anywhere: the rarest `MAX_WORDS`, in the order of the query."""
    size = sum(totals.values())
    worth = {word: math.log(1 + size / total) for word, total in totals.items() if total}
    rarest = sorted(worth, key=lambda word: -worth[word])[:MAX_WORDS]
    return {word: worth[word] for word in worth if word in rarest}


def _fewer(weights: dict[str, float], asked: int) -> Iterator[tuple[str, ...]]:
    """Subsets of the words, the weightiest first; all words together only when they were not `asked` before."""
    most = len(weights) if len(weights) < asked else len(weights) - 1
    parts = [part for size in range(1, most + 1) for part in itertools.combinations(weights, size)]
    yield from sorted(parts, key=lambda part: -sum(weights[word] for word in part))
