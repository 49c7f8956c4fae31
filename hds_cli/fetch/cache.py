"""Pages on disk: a database of entries, and SQLite FTS5 beside it for their words.

An entry is sha256 + zlib(JSON); what does not verify is dropped. A cache fault never ends a run: it is a miss, or a
page that is not kept.
"""

from __future__ import annotations

import dataclasses
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hds_cli.fetch.disk import LOCK_SECONDS, Disk, move_away
from hds_cli.fetch.disk import NAME as ENTRIES_FILE
from hds_cli.fetch.entry import CacheInfo, Entry, key_of, pack, stamp, storable
from hds_cli.fetch.index import OLDER_SCHEMA, OtherVersion, PageIndex
from hds_cli.fetch.robots_file import NAME as ROBOTS_FILE
from hds_cli.keys import hider
from hds_cli.text import named_in, snippet, terms
from hds_cli.types import Page, SearchResult

if TYPE_CHECKING:
    from hds_cli.config import Settings

_BATCH = 32
_INDEX = "index.sqlite"
_OLDER_INDEX = "index.sqlite.older"  # searched until the new one has all pages
_PATIENCE = 1.5  # seconds for which a search waits for pages that are not indexed
_SHOWN = 200_000  # characters of a page that are looked through for what a result shows


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
        self._index: PageIndex | None = None
        self._renewing: threading.Thread | None = None
        self._pending: list[tuple[str, Page, Page | None]] = []
        self._written = 1 << 62  # looked at with the first page, then every fiftieth of the limit

    @classmethod
    def of(cls, settings: Settings) -> PageCache:
        """The cache that the settings name."""
        return cls(settings.pages_dir, settings.cache_ttl * 86400.0, int(settings.cache_size * (1 << 20)), hider())

    @property
    def fault(self) -> str | None:
        """What went wrong last with the files."""
        return self._disk.fault

    def lookup(self, url: str) -> Entry | None:
        """What is known of a URL, fresh or not; a damaged entry is dropped and is None."""
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

    def put(self, page: Page, etag: str | None = None, modified: str | None = None, *, allowed: bool = False) -> bool:
        """Keep a page that was read; a failed one is never kept. False when it could not be kept.

        Args:
            allowed: see `Entry`.
        """
        if not page.ok:
            return False
        return self._store(Entry(page, etag, modified, time.time(), allowed=allowed))

    def refresh(self, url: str) -> None:
        """The server says it has not changed: it is fresh again."""
        if (entry := self.lookup(url)) is not None:
            self._store(dataclasses.replace(entry, stored=time.time()))

    def remove(self, url: str) -> bool:
        """Drop one page; whether it was there."""
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
            self._pending.append((key, entry.page, old.page if old else None))
            if len(self._pending) >= _BATCH:
                self._flush()
            self._written += 3 * len(blob)  # with its words
            if self._written > min(self.limit // 50, 8 << 20):
                self._written = 0
                self._shrink()
            return True
        return False

    def _flush(self) -> None:
        """Index what was stored since; a process that ends before leaves it to `_catch_up`."""
        pages, self._pending = self._pending, []
        if pages:
            self._words(lambda index: index.put_all(pages))

    def _drop(self, key: str, page: Page | None = None) -> None:
        with self._disk.safely():
            if self._disk.there():
                self._flush()
                self._disk.delete(key)
                self._words(lambda index: index.remove(key, page))

    def search(self, query: str, top_k: int) -> list[SearchResult]:
        """The pages that fit best, best first; a page whose whole title is in the query comes first."""
        wanted = terms(query)
        found: list[tuple[float, int, Page]] = []
        with self._disk.safely():
            if not self._catch_up(seconds=_PATIENCE):
                self._go_on()
            keys: list[str] = []
            self._words(lambda index: keys.extend(index.search(query, 2 * top_k + 8)), create=False)
            keys += [key for key in self._older_keys(query, 2 * top_k + 8) if key not in keys]
            for place, key in enumerate(keys):
                entry = self._disk.intact(key)
                if entry is not None and entry.page.ok:
                    found.append((-named_in(entry.page.title, wanted), place, self._hide(entry.page)))
        found.sort(key=lambda item: item[:2])
        return [
            SearchResult(page.url, page.title, snippet(page.text[:_SHOWN], wanted), rank, "cache")
            for rank, (_, _, page) in enumerate(found[:top_k], 1)
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
        """How much there is; reads counters, not pages."""
        pages, oldest, newest = 0, None, None
        with self._disk.safely():
            if self._disk.there():
                pages = self._disk.count()
                oldest, newest = map(stamp, self._disk.times())
        return CacheInfo(self.folder, pages, self.bytes_on_disk(), self.limit, oldest, newest)

    def bytes_on_disk(self) -> int:
        """Every file in the folder, the write-ahead logs too."""
        total = 0
        for path in self.folder.glob("*"):
            with suppress(OSError):
                total += path.stat().st_size if path.is_file() else 0
        return total

    def prune(self) -> int:
        """Drop what is out of date or damaged, then the oldest until the limit holds; how many pages went."""
        before, now = self.info().pages, time.time()
        for key, entry in self._all():
            if entry is None or now - entry.stored >= self.ttl:
                self._drop(key, entry.page if entry else None)
        with self._disk.safely():
            self._catch_up(ghosts=True)
            if self._disk.there():
                self._disk.delete_foreign()
                self._shrink()
        return before - self.info().pages

    def clear(self) -> int:
        """Delete every page and the files that held them; how many there were."""
        with self._disk.safely():
            pages = self.info().pages
            self._pending = []
            self.close()
            for path in self.folder.glob("*"):
                if path.name.startswith((ENTRIES_FILE, _INDEX, ROBOTS_FILE)):
                    path.unlink(missing_ok=True)
            return pages
        return 0

    def close(self) -> None:
        """Write what is pending and let the files go; the next call opens them again."""
        with self._disk.safely():
            self._flush()
            self._disk.close()
            if self._index is not None:
                self._index.close()
                self._index = None

    def _words(self, call: Callable[[PageIndex], None], create: bool = True) -> None:
        """Do something with the index; its faults cost search results, never a page."""
        path = self.folder / _INDEX
        try:
            if self._index is None and (create or path.exists()):
                self._index = self._open_index(path)
            if self._index is not None:
                call(self._index)
        except sqlite3.OperationalError as exc:
            self._disk.fault = f"page index: {exc}"
        except (sqlite3.DatabaseError, OSError) as exc:
            self._disk.fault = f"page index: {exc}"
            if self._index is not None:
                self._index.close()
                self._index = None
            move_away(path)  # made again from the cache by _catch_up

    def _open_index(self, path: Path) -> PageIndex:
        try:
            return PageIndex(path, LOCK_SECONDS)
        except OtherVersion:
            older = PageIndex(path, LOCK_SECONDS, OLDER_SCHEMA)
            older.compact()
            older.close()
            os.replace(path, self.folder / _OLDER_INDEX)
            return PageIndex(path, LOCK_SECONDS)

    def _older_keys(self, query: str, number: int) -> list[str]:
        """What an index of an earlier version finds, as long as there is one."""
        path = self.folder / _OLDER_INDEX
        if not path.exists():
            return []
        try:
            with closing(PageIndex(path, LOCK_SECONDS, OLDER_SCHEMA)) as older:
                return older.search(query, number)
        except (sqlite3.Error, OSError):
            return []

    def _catch_up(self, ghosts: bool = False, seconds: float = 1e9) -> bool:
        """Index what no process had the time or the version for, and forget what is no longer there.

        Returns:
            True when all of it is done; False when `seconds` were over before.
        """
        until = time.monotonic() + seconds
        self._flush()
        if not self._disk.there():
            return True
        sizes: list[int] = []
        self._words(lambda index: sizes.append(len(index)))
        if not ghosts and sizes == [self._disk.count()]:
            return True
        known: set[str] = set()
        self._words(lambda index: known.update(index.keys()))
        there = set(self._disk.all_keys())
        for key in known - there:
            self._words(partial(PageIndex.remove, key=key))
        missing = iter(there - known)
        while batch := list(islice(missing, _BATCH)):
            if time.monotonic() > until:
                return False
            self._index_all(batch)
        for path in self.folder.glob(_OLDER_INDEX + "*"):
            path.unlink(missing_ok=True)
        return True

    def _index_all(self, keys: Sequence[str]) -> None:
        entries = [(key, self._disk.intact(key)) for key in keys]
        for key in [key for key, entry in entries if entry is None]:
            self._disk.delete(key)
        pages: list[tuple[str, Page, Page | None]] = [(key, entry.page, None) for key, entry in entries if entry]
        self._words(lambda index: index.put_all(pages))

    def _go_on(self) -> None:
        """Index the rest in the background; what the end of the process leaves, the next use takes up."""
        if self._renewing is None or not self._renewing.is_alive():
            self._renewing = threading.Thread(target=self._renew, daemon=True, name="hds-pages-index")
            self._renewing.start()

    def _renew(self) -> None:
        done = False
        while not done:
            done = True  # unless there is more to do: a fault ends it
            with self._disk.safely():
                done = self._catch_up(seconds=0.2)
            time.sleep(0.01)

    def _shrink(self) -> None:
        """Evict what was stored first until the files fit, with a tenth to spare."""
        self._flush()
        for _ in range(4):
            if self.bytes_on_disk() <= self.limit or not self._disk.count():
                return
            self._compact()
            share = 1 - 0.9 * self.limit / max(1, self.bytes_on_disk())
            wanted = share * self._disk.path.stat().st_size
            for key in self._disk.all_keys():
                if wanted <= 0:
                    break
                entry = self._disk.intact(key)
                self._disk.delete(key)
                self._words(partial(PageIndex.remove, key=key, old=entry.page if entry else None))
                wanted -= len(pack(entry)) if entry else 4096
            self._words(PageIndex.optimize)
            self._compact()

    def _compact(self) -> None:
        self._disk.compact()
        self._words(PageIndex.compact)
