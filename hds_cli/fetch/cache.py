"""Pages on disk: a database of entries, and SQLite FTS5 beside it for their words.

An entry is sha256 + zlib(JSON); what does not verify is dropped. A cache fault never ends a run: it is a miss, or a
page that is not kept.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hds_cli.fetch.disk import NAME as ENTRIES_FILE
from hds_cli.fetch.disk import Disk
from hds_cli.fetch.entry import CacheInfo, Entry, key_of, pack, stamp, storable
from hds_cli.fetch.robots_file import NAME as ROBOTS_FILE
from hds_cli.fetch.words import NAME as WORDS_FILE
from hds_cli.fetch.words import PageWords
from hds_cli.keys import hider
from hds_cli.text import named_in, snippet, terms
from hds_cli.types import Page, SearchResult

if TYPE_CHECKING:
    from hds_cli.config import Settings

_SHOWN = 200_000  # characters of a page that are searched for a result's snippet


class PageCache:
    """The pages read before. Every method can be called from several threads and processes.

    Args:
        folder: where; made (0700) with the first page.
        ttl: seconds for which a page is fresh.
        limit: bytes on disk.
        hide: what puts `***` for keys; an API may echo one into the address of a result.
    """

    def __init__(
        self, folder: Path, ttl: float = 7 * 86400.0, limit: int = 1 << 30, hide: Callable[[Any], Any] | None = None
    ) -> None:
        self.folder = folder
        self.ttl = ttl
        self.limit = limit
        self._hide = hide or (lambda value: value)
        self._disk = Disk(folder)
        self._words = PageWords(self._disk)
        self._written = 1 << 62  # the size is checked with the first page, then after every fiftieth of the limit

    @classmethod
    def of(cls, settings: Settings) -> PageCache:
        """The cache that the settings name."""
        return cls(settings.pages_dir, settings.cache_ttl * 86400.0, int(settings.cache_size * (1 << 20)), hider())

    @property
    def fault(self) -> str | None:
        """The last fault of the files; None: no fault."""
        return self._disk.fault

    def lookup(self, url: str) -> Entry | None:
        """The entry of a URL, fresh or not; None when there is none. A damaged entry is dropped."""
        key = key_of(self._hide(url))
        entry = None
        with self._disk.safely():
            try:
                entry = self._disk.read(key)
            except (ValueError, TypeError):
                self._drop(key)
        if entry is None:
            return None
        age = time.time() - entry.stored
        return dataclasses.replace(entry, page=self._hide(entry.page), fresh=-300.0 <= age < self.ttl)

    def get(self, url: str) -> Page | None:
        """The page of a URL, however old."""
        entry = self.lookup(url)
        return entry.page if entry else None

    def put(self, page: Page, etag: str | None = None, modified: str | None = None, allowed: bool = False) -> bool:
        """Keep a page that was read; a failed one is never kept. False when it could not be kept."""
        if not page.ok:
            return False
        return self._store(Entry(page, etag, modified, time.time(), allowed=allowed))

    def refresh(self, url: str) -> None:
        """Make a page fresh again: its server says that it has not changed."""
        if (entry := self.lookup(url)) is not None:
            self._store(dataclasses.replace(entry, stored=time.time()))

    def remove(self, url: str) -> bool:
        """Drop one page; True when it was there."""
        entry = self.lookup(url)
        self._drop(key_of(self._hide(url)), entry.page if entry else None)
        return entry is not None

    def restore(self, entry: Entry) -> bool:
        """Keep an entry that comes from an export, with its own age."""
        return entry.page.ok and self._store(entry)

    def _store(self, entry: Entry) -> bool:
        entry = dataclasses.replace(entry, page=self._hide(storable(entry.page)))
        key = key_of(entry.page.url)
        with self._disk.safely():
            old = self._disk.intact(key)
            blob = pack(entry)
            if not self._disk.write(key, blob):
                return False
            self._words.put(key, entry.page, old.page if old else None)
            self._written += 3 * len(blob)  # about the size with the page's words in the index
            if self._written > min(self.limit // 50, 8 << 20):
                self._written = 0
                self._shrink()
            return True
        return False

    def _drop(self, key: str, page: Page | None = None) -> None:
        with self._disk.safely():
            if self._disk.there():
                self._words.flush()
                self._disk.delete(key)
                self._words.remove(key, page)

    def search(self, query: str, top_k: int) -> list[SearchResult]:
        """The pages that fit best, best first; a page whose whole title is in the query comes first."""
        words = terms(query)
        hits: list[tuple[float, int, Page]] = []
        with self._disk.safely():
            for place, key in enumerate(self._words.search(query, 2 * top_k + 8)):
                entry = self._disk.intact(key)
                if entry is not None and entry.page.ok:
                    hits.append((-named_in(entry.page.title, words), place, self._hide(entry.page)))
        hits.sort(key=lambda item: item[:2])
        return [
            SearchResult(page.url, page.title, snippet(page.text[:_SHOWN], words), rank, "cache")
            for rank, (_, _, page) in enumerate(hits[:top_k], 1)
        ]

    def entries(self) -> Iterator[Entry]:
        """All pages, first stored first; damaged ones are left out."""
        for _, entry in self._all():
            if entry is not None:
                yield dataclasses.replace(entry, page=self._hide(entry.page))

    def _all(self) -> Iterator[tuple[str, Entry | None]]:
        """Every key with its entry, None for a damaged one; it ends where the files cannot be read on."""
        keys: list[str] = []
        with self._disk.safely():
            keys = self._disk.all_keys()
        for key in keys:
            read = False
            with self._disk.safely():
                entry, read = self._disk.intact(key), True
            if not read:
                return
            yield key, entry

    def info(self) -> CacheInfo:
        """The number of pages and their size, read from counters, not pages."""
        pages, oldest, newest = 0, None, None
        with self._disk.safely():
            if self._disk.there():
                pages = self._disk.count()
                oldest, newest = map(stamp, self._disk.times())
        return CacheInfo(self.folder, pages, self.bytes_on_disk(), self.limit, oldest, newest)

    def bytes_on_disk(self) -> int:
        """Every file in the folder, the write-ahead logs too."""
        return self._disk.size()

    def prune(self) -> int:
        """Drop what is out of date or damaged, then the oldest until the limit holds; returns the number dropped."""
        before, now = self.info().pages, time.time()
        for key, entry in self._all():
            if entry is None or now - entry.stored >= self.ttl:
                self._drop(key, entry.page if entry else None)
        with self._disk.safely():
            self._words.catch_up(ghosts=True)
            if self._disk.there():
                self._disk.delete_foreign()
                self._shrink()
        return before - self.info().pages

    def clear(self) -> int:
        """Delete every page and the files that held them; returns the number of pages."""
        with self._disk.safely():
            pages = self.info().pages
            self._words.drop_pending()
            self.close()
            for path in self.folder.glob("*"):
                if path.name.startswith((ENTRIES_FILE, WORDS_FILE, ROBOTS_FILE)):
                    path.unlink(missing_ok=True)
            return pages
        return 0

    def close(self) -> None:
        """Write what is pending and let the files go; the next call opens them again."""
        with self._disk.safely():
            self._words.flush()
            self._disk.close()
            self._words.close()

    def _shrink(self) -> None:
        """Evict what was stored first until the files fit, with a tenth to spare."""
        self._words.flush()
        for _ in range(4):
            if self.bytes_on_disk() <= self.limit or not self._disk.count():
                return
            self._compact()
            share = 1 - 0.9 * self.limit / max(1, self.bytes_on_disk())
            excess = share * self._disk.path.stat().st_size
            for key in self._disk.all_keys():
                if excess <= 0:
                    break
                entry = self._disk.intact(key)
                self._disk.delete(key)
                self._words.remove(key, entry.page if entry else None)
                excess -= len(pack(entry)) if entry else 4096
            self._words.optimize()
            self._compact()

    def _compact(self, *, merge: bool = False) -> None:
        self._disk.compact()
        self._words.compact()
