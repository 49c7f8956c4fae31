"""The source `warc`: the pages of WARC files (web crawls, archives of the page cache), extracted once and indexed."""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter, deque
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

from hds_cli import config, paths
from hds_cli.errors import SourceError
from hds_cli.search import linked
from hds_cli.search.base import Extract, OpenArchive, SourceContext
from hds_cli.search.local import Collection
from hds_cli.threads import in_daemon
from hds_cli.types import Document, Page, SearchResult
from hds_warc import records

T = TypeVar("T")
ENDINGS = (".warc", ".warc.gz", ".wet.gz")
AHEAD, AHEAD_BYTES = 16, 16 << 20  # pages, and their bytes, that are extracted while one is indexed


class Warc:
    """The pages of the WARC files of `sources.warc.path`, or of the file linked under its name; nothing is fetched.

    An index of each file is kept beside the page cache and made anew when the file has changed. A large file is
    better indexed once, by `hds index add FILE.warc.gz`.

    Raises:
        ConfigError: warcio is missing, no file is named, or it is not there.
    """

    needs_network = False

    def __init__(self, name: str, context: SourceContext) -> None:
        records.require()
        self.name = name
        self._paths = linked.files(name, context.settings, ENDINGS)
        self._extract, self._archive = context.extract, context.archive
        self._indexes: asyncio.Task[list[Collection]] | None = None

    @staticmethod
    def prepare(name: str, path: Path, tell: Callable[[int], None]) -> tuple[int, str]:
        """Extract and index the file; what `hds index add FILE.warc.gz` does."""
        from hds_cli.fetch.client import Fetcher

        records.require()
        broken: list[str] = []

        async def build() -> int:
            async with Fetcher(config.load()) as fetcher:
                collection = await indexed(path, fetcher.archive, fetcher.extract, tell, broken.append)
                return collection.info().documents

        documents = asyncio.run(build())
        return documents, "; ".join(broken)

    async def search(self, query: str, top_k: int) -> list[SearchResult]:
        lists = [await in_daemon(index.search, query, top_k) for index in await self._opened()]
        ranked = sorted((r for results in lists for r in results), key=lambda r: r.rank)
        return [SearchResult(r.url, r.title, r.snippet, rank, self.name) for rank, r in enumerate(ranked[:top_k], 1)]

    async def read(self, url: str) -> Page | None:
        """The page as the archive holds it; None when it is in none of the files."""
        for index in await self._opened():
            if page := await in_daemon(index.read, url):
                return page
        return None

    async def _opened(self) -> list[Collection]:
        if self._indexes is None or (self._indexes.done() and (self._indexes.cancelled() or self._indexes.exception())):
            self._indexes = asyncio.ensure_future(self._open())
        return await asyncio.shield(self._indexes)

    async def _open(self) -> list[Collection]:
        return [await indexed(path, self._archive, self._extract) for path in self._paths]


def folder() -> Path:
    """Where the indexes lie; they can be made again, so it is safe to delete."""
    return paths.cache_dir() / "warc"


async def indexed(
    path: Path,
    archive: OpenArchive,
    extract: Extract,
    tell: Callable[[int], None] | None = None,
    broken: Callable[[str], None] | None = None,
) -> Collection:
    """The index of a WARC file, made first if there is none of the file as it is now.

    Args:
        tell: called with the number of pages done.
        broken: called with a sentence on the part of the file that is not in the index, and why.

    Raises:
        SourceError: `warc_broken`, no page can be read from it.
    """
    pages = _Pages(path, archive, extract, broken or (lambda line: None))
    return await in_daemon(_indexed, pages, tell)


def _indexed(pages: _Pages, tell: Callable[[int], None] | None) -> Collection:
    state = pages.path.stat()
    origin = f"{pages.path} {state.st_size} {state.st_mtime_ns}"
    collection = Collection(hashlib.sha256(str(pages.path).encode()).hexdigest()[:24], folder(), create=True)
    if collection.origin() != origin:
        collection.update(pages.documents(), origin, tell)
    return collection


class _Pages:
    """The pages of a file, read and extracted by processes of the loop that it is made on, for a thread beside it."""

    def __init__(self, path: Path, archive: OpenArchive, extract: Extract, broken: Callable[[str], None]) -> None:
        self.path = path.resolve()
        self._open, self._extract, self._broken = archive, extract, broken
        self._loop = asyncio.get_running_loop()
        self._unread: Counter[str] = Counter()

    def documents(self) -> Iterator[Document]:
        """Each page as a document; some pages are extracted ahead."""
        waiting: deque[tuple[int, Future[Page]]] = deque()
        count = 0
        try:
            for count, (body, page) in enumerate(self._pages(), 1):  # noqa: B007
                waiting.append((body, page))
                while len(waiting) >= AHEAD or sum(size for size, _ in waiting) > AHEAD_BYTES:
                    yield from self._document(waiting.popleft()[1].result())
        except SourceError as exc:
            if not count:
                raise
            self._broken(f"{exc.message}; what comes before it is indexed")
        while waiting:
            yield from self._document(waiting.popleft()[1].result())
        if self._unread:
            total, kinds = self._unread.total(), ", ".join(f"{why} {n}" for why, n in self._unread.most_common(8))
            self._broken(f"{total} page{'s' if total > 1 else ''} could not be read: {kinds}")

    def _document(self, page: Page) -> Iterator[Document]:
        if page.ok:
            yield Document(page.url, page.title, page.text, page.url, page.date or "")
        else:
            self._unread[(page.reason or page.status).replace("_", " ")] += 1

    def _pages(self) -> Iterator[tuple[int, Future[Page]]]:
        """The size of each page in the file, and the page as it will be extracted."""
        archive = self._wait(self._open("hds_warc.records:Reader", str(self.path)))
        try:
            while (reply := self._wait(archive.call("next"))).value is not None:
                if reply.value:
                    url, label = reply.value
                    page = self._extract(reply.body, label, url)
                    yield len(reply.body), asyncio.run_coroutine_threadsafe(page, self._loop)
            self._unread.update(self._wait(archive.call("unread")).value)
        finally:
            self._loop.call_soon_threadsafe(archive.close)

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()
