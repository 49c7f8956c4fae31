"""Names: what a title is called without its addition, and whether a query names it."""

from __future__ import annotations

from collections.abc import Collection, Iterable

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


def named_in(title: str, query: Iterable[str]) -> int:
    """How many terms a title or heading has, when the query names it in full; a closing "(…)" need not be named."""
    named = set(terms(plain_title(title)))
    return len(named) if named and named <= set(query) else 0


def abbreviated_in(title: str, query: Collection[str]) -> bool:
    """True when the query has a title's initials (`NYC`: New York City), or the title is those of words in the query.

    Args:
        query: the query's terms in order.
    """
    parts = words(fold(plain_title(title)))
    if len(parts) == 1:
        return 2 <= len(parts[0]) <= 6 and parts[0] in _initials(query)
    if not 2 <= len(parts) <= 8:
        return False
    known = set(query)
    small = [part for part in parts if part not in STOPWORDS]
    return any(len(chosen) > 1 and "".join(p[0] for p in chosen) in known for chosen in (parts, small))


def _initials(query: Iterable[str]) -> set[str]:
    """The initials of two to six words in a row."""
    letters = "".join(term[0] for term in query)[:64]
    return {letters[start : start + n] for n in range(2, 7) for start in range(len(letters) - n + 1)}
