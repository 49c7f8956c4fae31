"""The source `cache`: every page read before, searched and read from disk."""

from __future__ import annotations

from hds_cli.search.base import PageStore
from hds_cli.threads import Daemon
from hds_cli.types import Page, SearchResult


class CacheSource:
    """Pages read before, however old; nothing is fetched.

    Args:
        pages: a `PageCache`.
    """

    name = "cache"
    needs_network = False

    def __init__(self, pages: PageStore) -> None:
        self._pages = pages
        self._thread = Daemon("hds-cache-search")

    async def search(self, query: str, top_k: int) -> list[SearchResult]:
        return await self._thread.call(self._pages.search, query, top_k)

    async def read(self, url: str) -> Page | None:
        return await self._thread.call(self._pages.get, url)
