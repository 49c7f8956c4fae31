"""The source `local`, and every collection by its own name."""

from __future__ import annotations

import asyncio

from hds_cli.errors import SourceError
from hds_cli.search import collections
from hds_cli.search.base import SourceContext
from hds_cli.search.local import Collection
from hds_cli.threads import in_daemon
from hds_cli.types import Page, SearchResult


class LocalSource:
    """All collections but outside plugins' (`local`), or the one called `name`; bundled ones are built when used."""

    needs_network = False

    def __init__(self, name: str, context: SourceContext) -> None:
        self.name = name
        every = [one for one in collections.available() if one not in collections.outside()]
        self._names = every if name == "local" else [name]
        self._prf = context.settings.prf
        self._open: list[Collection] | None = None
        self._lock = asyncio.Lock()

    async def search(self, query: str, top_k: int) -> list[SearchResult]:
        lists, errors = [], []
        for collection in await self._collections():
            try:
                lists.append(await in_daemon(collection.search, query, top_k, self._prf))
            except SourceError as exc:  # a damaged or unfinished collection costs its own results
                errors.append(exc)
        if errors and not any(lists):
            raise errors[0]
        # Several collections: best of each first, then the seconds; scores of two collections cannot be compared.
        ranked = sorted((r for results in lists for r in results), key=lambda r: r.rank)
        return ranked[:top_k]

    async def read(self, url: str) -> Page | None:
        for collection in await self._collections():
            if page := await in_daemon(collection.read, url):
                return page
        return None

    async def _collections(self) -> list[Collection]:
        async with self._lock:
            if self._open is None:
                self._open = await in_daemon(lambda: [collections.open_one(name) for name in self._names])
        if not self._open:
            raise SourceError("there is no collection yet", code="no_collections", hint="hds index add FOLDER")
        return self._open
