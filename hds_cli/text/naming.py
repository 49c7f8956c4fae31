"""Names: what a title is called without its addition, and whether a query names it."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence

from hds_cli.text.folding import STOPWORDS, fold, terms, words

_MAX_TITLE = 300  # characters that are looked at


def plain_title(title: str) -> str:
    """A title without a closing `(…)`: `Jeff Austin (baseball)` -> `Jeff Austin`."""
    title = title[:_MAX_TITLE].strip()
    if title.endswith(")"):
        opening = title.find("(", title.rfind(")", 0, -1) + 1)
        if opening > 0:
            return title[:opening].rstrip()
    return title


@functools.lru_cache(maxsize=2048)
def _parts(title: str) -> tuple[frozenset[str], tuple[str, ...]]:
    """The terms of a title, and its words in order."""
    plain = plain_title(title)
    return frozenset(terms(plain)), tuple(words(fold(plain)))


def named_in(title: str, query: Iterable[str]) -> int:
    """The number of terms of a title or heading that the query names in full; a closing "(…)" need not be named."""
    named, _ = _parts(title)
    return len(named) if named and named.issubset(query) else 0


def abbreviated(title: str, query: Sequence[str]) -> list[str]:
    """The terms of a query that a title is short for, or that are short for it: `nyc` for New York City.

    Args:
        query: the query's terms in order.
    """
    _, parts = _parts(title)
    if len(parts) == 1:
        size = len(parts[0])
        starts = range(len(query) - size + 1) if 2 <= size <= 6 else ()
        runs = (list(query[start : start + size]) for start in starts)
        return next((run for run in runs if "".join(term[0] for term in run) == parts[0]), [])
    if not 2 <= len(parts) <= 8:
        return []
    small = [part for part in parts if part not in STOPWORDS]
    initials = {"".join(part[0] for part in chosen) for chosen in (parts, small) if len(chosen) > 1}
    return [term for term in query if term in initials][:1]
