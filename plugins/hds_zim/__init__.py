"""The source `zim`: ZIM files (offline Wikipedia and others), searched where they lie."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from hds_cli import config
from hds_cli.errors import SourceError
from hds_cli.search import linked
from hds_cli.search.base import Archive, Reply, SourceContext
from hds_cli.text import BM25, cut_passages, terms
from hds_cli.types import Page, SearchResult
from hds_zim import archive, words

ENDINGS = (".zim", ".zimaa")
KEPT = 64  # pages that were read for their snippets and are likely to be asked for next


class Zim:
    """Full text and titles of the ZIM files of `sources.zim.path`, or of the file linked under its name.

    Where a file has no full-text index, its titles alone are searched.

    Raises:
        ConfigError: libzim is missing, no file is named, or it is not there.
    """

    needs_network = False

    def __init__(self, name: str, context: SourceContext) -> None:
        archive.require()
        self.name = name
        self._paths = linked.files(name, context.settings, ENDINGS)
        self._extract, self._archive = context.extract, context.archive
        self._books: asyncio.Task[Archive] | None = None
        self._pages: dict[str, asyncio.Task[Page | None]] = {}

    @staticmethod
    def prepare(name: str, path: Path, tell: Callable[[int], None]) -> tuple[int, str]:
        """Open the file once, to see that it can be opened (for `hds index add FILE.zim`)."""
        archive.require()
        articles, indexed = asyncio.run(_about(path))
        note = "" if indexed else f"{path.name} has no full-text index: its titles alone are searched"
        return articles, note

    async def search(self, query: str, top_k: int) -> list[SearchResult]:
        hits = await words.search(self, query, top_k)
        pages = await asyncio.gather(*(self.read(hit.key) for hit in hits))
        return [
            SearchResult(hit.key, page.title or hit.title, snippet(page.text, query), rank, self.name)
            for rank, (hit, page) in enumerate(((h, p) for h, p in zip(hits, pages, strict=True) if p), 1)
        ]

    async def read(self, url: str) -> Page | None:
        """The article's text; None when the address is not one of these files'."""
        if not url.startswith("zim://"):
            return None
        if url not in self._pages:
            while len(self._pages) >= KEPT:
                self._pages.pop(next(iter(self._pages)))
            self._pages[url] = asyncio.ensure_future(self._read(url))
        return await asyncio.shield(self._pages[url])

    async def matching(self, terms: Sequence[str], limit: int) -> words.Matches:
        """`WordIndex`: in all files, the best of each first."""
        total, rows = (await self._call("matching", list(terms), limit)).value
        return words.Matches(total, [words.Hit(*row) for row in rows])

    async def titled(self, start: str, limit: int) -> Sequence[words.Hit]:
        """`WordIndex`: titles in all files."""
        return [words.Hit(*row) for row in (await self._call("titled", start, limit)).value]

    async def _call(self, method: str, *args: Any) -> Reply:
        """Ask the files, in a process that is started again after one that was killed."""
        if self._books is None:
            self._books = asyncio.ensure_future(self._archive("hds_zim.archive:Books", *map(str, self._paths)))
        books = self._books
        try:
            archive = await asyncio.shield(books)
            return await archive.call(method, *args)
        except (SourceError, asyncio.CancelledError) as exc:
            lost = not isinstance(exc, SourceError) or exc.error_code == "archive_killed"
            if self._books is books and (lost or not books.done() or books.exception()):
                self._books = None
            raise

    async def _read(self, url: str) -> Page | None:
        name, _, path = url.removeprefix("zim://").partition("/")
        reply = await self._call("item", unquote(name), unquote(path))
        if reply.value is None:
            return None
        title, label = reply.value
        page = await self._extract(reply.body, label, url)
        return replace(page, title=title or page.title, status="cached" if page.text else page.status)


async def _about(path: Path) -> tuple[int, bool]:
    from hds_cli.fetch.client import Fetcher

    async with Fetcher(config.load()) as fetcher:
        books = await fetcher.archive("hds_zim.archive:Books", str(path))
        articles, indexed = (await books.call("about")).value
        return int(articles), bool(indexed)


def snippet(text: str, query: str) -> str:
    """The passage of a text that fits a query best."""
    passages = [cut.text for cut in cut_passages(text[:200_000])]
    if not passages:
        return ""
    scores = BM25(passages).scores(terms(query))
    return passages[max(range(len(passages)), key=lambda n: scores[n])][:300]
