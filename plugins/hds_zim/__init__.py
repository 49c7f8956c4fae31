"""The source `zim`: ZIM files (offline Wikipedia and others), searched where they lie."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote, unquote

from hds_cli.search import linked
from hds_cli.search.base import SourceContext
from hds_cli.text import BM25, cut_passages, terms
from hds_cli.threads import Daemon
from hds_cli.types import Page, SearchResult
from hds_zim import archive, words
from hds_zim.archive import ZimFile
from hds_zim.article import marked

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
        self._extract = context.extract
        self._thread = Daemon("hds-zim")  # libzim's searches must not run side by side
        self._files: dict[str, ZimFile] = {}
        self._pages: dict[str, asyncio.Task[Page | None]] = {}

    @staticmethod
    def prepare(name: str, path: Path, tell: Callable[[int], None]) -> tuple[int, str]:
        """Open the file once, to see that it can be; what `hds index add FILE.zim` does."""
        archive.require()
        file = ZimFile(path)
        note = "" if file.indexed else f"{path.name} has no full-text index: its titles alone are searched"
        return file.articles, note

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

    async def matching(self, wanted: Sequence[str], limit: int) -> words.Matches:
        """`WordIndex`: in all files, the best of each first."""
        total, found = await self._thread.call(self._matching, wanted, limit)
        return words.Matches(total, found)

    async def titled(self, start: str, limit: int) -> Sequence[words.Hit]:
        """`WordIndex`: titles in all files."""
        return await self._thread.call(self._titled, start, limit)

    def _matching(self, wanted: Sequence[str], limit: int) -> tuple[int, list[words.Hit]]:
        answers = [(file, *file.matching(wanted, limit)) for file in self._opened()]
        ranked = sorted((rank, place) for place, answer in enumerate(answers) for rank in range(len(answer[2])))
        hits = (self._hit(answers[place][0], answers[place][2][rank]) for rank, place in ranked)
        return sum(total for _, total, _ in answers), list(hits)

    def _titled(self, start: str, limit: int) -> list[words.Hit]:
        return [self._hit(file, path, title) for file in self._opened() for path, title in file.titled(start, limit)]

    def _hit(self, file: ZimFile, path: str, title: str = "") -> words.Hit:
        final = file.canonical(path)
        return words.Hit(f"zim://{quote(file.name)}/{quote(final)}", title or file.title(final) or "")

    def _opened(self) -> list[ZimFile]:
        if not self._files:
            opened = [ZimFile(path) for path in self._paths]
            self._files = {file.name: file for file in opened}
        return list(self._files.values())

    async def _read(self, url: str) -> Page | None:
        name, _, path = url.removeprefix("zim://").partition("/")
        item = await self._thread.call(self._item, unquote(name), unquote(path))
        if item is None:
            return None
        page = await self._extract(marked(item.body), item.label, url)
        return replace(page, title=item.title or page.title, status="cached" if page.text else page.status)

    def _item(self, name: str, path: str) -> archive.Item | None:
        self._opened()
        return self._files[name].item(path) if name in self._files else None


def snippet(text: str, query: str) -> str:
    """The passage of a text that fits a query best."""
    passages = [cut.text for cut in cut_passages(text[:200_000])]
    if not passages:
        return ""
    scores = BM25(passages).scores(terms(query))
    return passages[max(range(len(passages)), key=lambda n: scores[n])][:300]
