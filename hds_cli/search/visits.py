"""The addresses that a model may have read: those that a search of its run led to, and those that the user wrote.

A model's own addresses are never fetched, nor are those that stand in pages: a page could make it send away what it
has read, piece by piece in what it asks for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from hds_cli import bounds
from hds_cli.search.checked import CheckedSource, checked
from hds_cli.search.fusion import identity
from hds_cli.types import SearchResult

_ADDRESS = re.compile(r"https?://[^\s<>\"'`|\\^{}]{1,2000}", re.IGNORECASE)
_MOST = 16  # addresses of one question


class _Written:
    """The source of addresses that the user wrote: it finds nothing, and has no pages of its own."""

    name, needs_network = "question", True

    async def search(self, query: str, top_k: int) -> list[SearchResult]:
        return []


class Visits:
    """The results of a run, by any spelling of their addresses."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[CheckedSource, SearchResult]] = {}
        self._seen: set[str] = set()
        self._written = checked(_Written())

    def add(self, source: CheckedSource, results: Iterable[SearchResult]) -> None:
        """Note what a search led to."""
        for result in results:
            if result.url not in self._seen:
                self._seen.add(result.url)
                for anchors in (True, False):
                    self._known.setdefault(identity(result.url, anchors), (source, result))

    def way(self, url: str, written: Iterable[str]) -> tuple[CheckedSource, SearchResult] | None:
        """Who has the page of an address, and its address as a search or the user spelt it; None: nobody named it."""
        if len(url) > bounds.MAX_URL:
            return None
        for anchors in (True, False):
            if known := self._known.get(identity(url, anchors)):
                return known
        same = (one for one in written if identity(one) == identity(url))
        return next(((self._written, SearchResult(one, "")) for one in same), None)


def addresses(text: str) -> list[str]:
    """The web addresses that stand in a text, without the punctuation behind them."""
    found = (match[0].rstrip(".,;:!?)]*_") for match in _ADDRESS.finditer(text[: bounds.MAX_TEXT]))
    return list(dict.fromkeys(found))[:_MOST]
