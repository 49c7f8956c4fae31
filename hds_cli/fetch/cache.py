"""Pages on disk: diskcache for the entries, SQLite FTS5 beside it for their words. Only this file imports diskcache.

diskcache pickles by default (CVE-2025-69872) and so does its JSONDisk in places: `SafeDisk` stores bytes inline and
refuses anything else it finds in a row, a file name above all. An entry is sha256 + zlib(JSON); what does not verify is
dropped. A cache fault never ends a run: it is a miss, or a page that is not kept.
"""

from __future__ import annotations

import dataclasses
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hds_cli import paths
from hds_cli.fetch.entry import CacheInfo, Entry, key_of, pack, snippet, stamp, storable, unpack
from hds_cli.fetch.index import PageIndex, column
from hds_cli.fetch.robots_file import NAME as ROBOTS_FILE
from hds_cli.text import terms
from hds_cli.types import Page, SearchResult

if TYPE_CHECKING:
    from hds_cli.config import Settings

LOCK_SECONDS = 1.0
_BATCH = 32
_DB = "cache.db"  # diskcache's name for it
_INDEX = "index.sqlite"


def _faults() -> tuple[type[Exception], ...]:
    import diskcache

    # TypeError: a damaged row holds text where diskcache compares a number.
    return (sqlite3.Error, OSError, ValueError, TypeError, diskcache.Timeout)


def _safe_disk() -> type:
    import diskcache
    from diskcache.core import MODE_RAW, UNKNOWN

    class SafeDisk(diskcache.Disk):  # type: ignore[misc]
        """Bytes inline; no pickle, no file beside the database, whatever a row says."""

        def put(self, key: object) -> tuple[str, bool]:
            if not isinstance(key, str):
                raise ValueError("foreign key")
            return key, True

        def get(self, key: object, raw: bool) -> str:
            if not raw or not isinstance(key, str):
                raise ValueError("foreign key")
            return key

        def store(self, value: bytes, read: bool, key: object = UNKNOWN) -> tuple[int, int, None, sqlite3.Binary]:
            return len(value), MODE_RAW, None, sqlite3.Binary(value)

        def fetch(self, mode: int, filename: str | None, value: object, read: bool) -> bytes:
            if mode != MODE_RAW or filename is not None or not isinstance(value, bytes):
                raise ValueError("foreign entry")
            return value

        def filename(self, *args: object) -> tuple[str, str]:
            raise ValueError("no files here")

        def remove(self, file_path: str) -> None:
            pass  # a row may name any file; none of them is ours

    return SafeDisk


def _open(folder: Path) -> Any:
    """A diskcache.Cache that can hold nothing but bytes under text keys.

    Raises:
        sqlite3.Error, OSError: the folder or the database cannot be used.
    """
    import diskcache

    settings = {
        "eviction_policy": "none",  # evicted by us, together with the index
        "cull_limit": 0,
        "size_limit": 1 << 62,
        "statistics": 0,
        "tag_index": 0,
        "sqlite_auto_vacuum": 1,
        "sqlite_cache_size": 8192,
        "sqlite_journal_mode": "wal",
        "sqlite_journal_size_limit": 1 << 20,
        "sqlite_mmap_size": 0,  # a file that is cut while it is mapped is a SIGBUS
        "sqlite_synchronous": 1,
        "sqlite_wal_autocheckpoint": 256,
        "disk_min_file_size": 1 << 62,
        "disk_pickle_protocol": 5,
    }
    # diskcache makes pragmas and arguments of whatever rows its settings table has: ours, or it is not opened.
    counters = {"count", "size", "hits", "misses"}
    if strange := set(column(folder / _DB, "SELECT key FROM Settings")) - settings.keys() - counters:
        raise sqlite3.DatabaseError(f"a cache with strange settings: {len(strange)}")
    return diskcache.Cache(str(folder), disk=_safe_disk(), timeout=LOCK_SECONDS, **settings)


_OURS = "typeof(key) = 'text' AND raw = 1 AND mode = 1 AND filename IS NULL AND typeof(value) = 'blob'"
_KEYS = f"SELECT key FROM Cache WHERE {_OURS} ORDER BY rowid"


class PageCache:
    """The pages read before. Every method can be called from several threads and processes.

    Args:
        folder: where; made (0700) with the first page.
        ttl: seconds for which a page is fresh.
        limit: bytes on disk.
    """

    def __init__(self, folder: Path, ttl: float = 7 * 86400.0, limit: int = 1 << 30) -> None:
        self.folder = folder
        self.ttl = ttl
        self.limit = limit
        self._cache: Any = None
        self._index: PageIndex | None = None
        self._lock = threading.RLock()
        self._broken = False
        self._pending: list[tuple[str, Page, Page | None]] = []
        self._written = 1 << 62  # looked at with the first page, then every fiftieth of the limit
        self.fault: str | None = None

    @classmethod
    def of(cls, settings: Settings) -> PageCache:
        """The cache that the settings name."""
        return cls(settings.pages_dir, settings.cache_ttl * 86400.0, int(settings.cache_size * (1 << 20)))

    def lookup(self, url: str) -> Entry | None:
        """What is known of a URL, fresh or not; a damaged entry is dropped and is None."""
        key = key_of(url)
        with self._lock:
            try:
                cache = self._opened()
                blob = cache.get(key, retry=False) if cache is not None else None
                entry = unpack(blob) if blob is not None else None
            except (ValueError, TypeError):
                self._drop(key)
                return None
            except _faults() as exc:
                self._note(exc)
                return None
        if entry is None:
            return None
        age = time.time() - entry.stored
        return dataclasses.replace(entry, fresh=-300.0 <= age < self.ttl)

    def get(self, url: str) -> Page | None:
        """The page of a URL, however old."""
        entry = self.lookup(url)
        return entry.page if entry else None

    def put(self, page: Page, etag: str | None = None, modified: str | None = None) -> bool:
        """Keep a page that was read; a failed one is never kept. False when it could not be kept."""
        if not page.ok:
            return False
        return self._store(Entry(page, etag, modified, time.time()))

    def refresh(self, url: str) -> None:
        """The server says it has not changed: it is fresh again."""
        if (entry := self.lookup(url)) is not None:
            self._store(dataclasses.replace(entry, stored=time.time()))

    def remove(self, url: str) -> bool:
        """Drop one page; whether it was there."""
        entry = self.lookup(url)
        self._drop(key_of(url), entry.page if entry else None)
        return entry is not None

    def restore(self, entry: Entry) -> bool:
        """Keep an entry that comes from an export, with its own age."""
        return entry.page.ok and self._store(entry)

    def _store(self, entry: Entry) -> bool:
        entry = dataclasses.replace(entry, page=storable(entry.page))
        key = key_of(entry.page.url)
        with self._lock:
            try:
                cache = self._opened(create=True)
                if cache is None:
                    return False
                old = self._read(cache, key)
                blob = pack(entry)
                if not cache.set(key, blob, retry=False):
                    return False
                self._pending.append((key, entry.page, old.page if old else None))
                if len(self._pending) >= _BATCH:
                    self._flush()
                self._written += 3 * len(blob)  # with its words
                if self._written > min(self.limit // 50, 8 << 20):
                    self._written = 0
                    self._shrink(cache)
                return True
            except _faults() as exc:
                self._note(exc)
                return False

    def _flush(self) -> None:
        """Index what was stored since; a process that ends before leaves it to `_catch_up`."""
        pages, self._pending = self._pending, []
        if pages:
            self._words(lambda index: index.put_all(pages))

    def _read(self, cache: Any, key: str) -> Entry | None:
        try:
            blob = cache.get(key, retry=False)
            return unpack(blob) if blob is not None else None
        except (ValueError, TypeError):
            return None

    def _drop(self, key: str, page: Page | None = None) -> None:
        with self._lock:
            try:
                if (cache := self._opened()) is not None:
                    self._flush()
                    cache.delete(key, retry=False)
                    self._words(lambda index: index.remove(key, page))
            except _faults() as exc:
                self._note(exc)

    def search(self, query: str, top_k: int) -> list[SearchResult]:
        """The pages that fit best, best first; a page whose whole title is in the query comes first."""
        wanted = terms(query)
        found: list[tuple[float, int, Page]] = []
        with self._lock:
            self._catch_up()
            keys: list[str] = []
            self._words(lambda index: keys.extend(index.search(query, 2 * top_k + 8)), create=False)
            for place, key in enumerate(keys):
                cache = self._opened()
                entry = self._read(cache, key) if cache is not None else None
                if entry is not None and entry.page.ok:
                    named = set(terms(entry.page.title))
                    bonus = len(named) if named and named <= set(wanted) else 0
                    found.append((-bonus, place, entry.page))
        found.sort(key=lambda item: item[:2])
        return [
            SearchResult(page.url, page.title, snippet(page.text, wanted), rank, "cache")
            for rank, (_, _, page) in enumerate(found[:top_k], 1)
        ]

    def entries(self) -> Iterator[Entry]:
        """All pages, first stored first; damaged ones are left out."""
        for key in self._keys():
            with self._lock:
                try:
                    cache = self._opened()
                    entry = self._read(cache, key) if cache is not None else None
                except _faults() as exc:
                    self._note(exc)
                    return
            if entry is not None:
                yield entry

    def _keys(self) -> list[str]:
        with self._lock:
            try:
                cache = self._opened()
                return column(self.folder / _DB, _KEYS) if cache is not None else []
            except _faults() as exc:
                self._note(exc)
                return []

    def info(self) -> CacheInfo:
        """How much there is; reads counters, not pages."""
        pages, oldest, newest = 0, None, None
        with self._lock:
            try:
                if (cache := self._opened()) is not None:
                    pages = len(cache)
                    with closing(sqlite3.connect(self.folder / _DB, timeout=LOCK_SECONDS)) as db:
                        oldest, newest = db.execute("SELECT min(store_time), max(store_time) FROM Cache").fetchone()
            except _faults() as exc:
                self._note(exc)
        return CacheInfo(self.folder, pages, self.bytes_on_disk(), self.limit, stamp(oldest), stamp(newest))

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
        for key in self._keys():
            with self._lock:
                cache = self._opened()
                entry = self._read(cache, key) if cache is not None else None
            if entry is None or now - entry.stored >= self.ttl:
                self._drop(key, entry.page if entry else None)
        with self._lock:
            self._catch_up(ghosts=True)
            try:
                if (cache := self._opened()) is not None:
                    with closing(sqlite3.connect(self.folder / _DB, timeout=LOCK_SECONDS)) as db, db:
                        db.execute(f"DELETE FROM Cache WHERE NOT ({_OURS})")
                    self._shrink(cache)
            except _faults() as exc:
                self._note(exc)
        return before - self.info().pages

    def clear(self) -> int:
        """Delete every page and the files that held them; how many there were."""
        with self._lock:
            pages = self.info().pages
            self._pending = []
            self.close()
            for path in self.folder.glob("*"):
                if path.name.startswith((_DB, _INDEX, ROBOTS_FILE)):
                    path.unlink(missing_ok=True)
        return pages

    def close(self) -> None:
        """Write what is pending and let the files go; the next call opens them again."""
        with self._lock:
            self._flush()
            if self._cache is not None:
                self._cache.close()
                self._cache = None
            if self._index is not None:
                self._index.close()
                self._index = None

    def _opened(self, create: bool = False) -> Any:
        """The open cache; None when there is none, or when it cannot be used."""
        if self._cache is not None or self._broken:
            return self._cache
        if not create and not (self.folder / _DB).exists():
            return None
        try:
            self._make_folder()
            self._cache = _open(self.folder)
        except _faults() as exc:
            self._note(exc)
            if self._broken or self._cache is not None:
                return self._cache
            self._cache = _open(self.folder)  # moved away: a new one is begun
        return self._cache

    def _make_folder(self) -> None:
        made = not self.folder.exists()
        paths.private_dir(self.folder)
        status = self.folder.stat()
        if hasattr(os, "getuid") and status.st_uid != os.getuid():
            raise PermissionError(f"{self.folder} belongs to someone else")
        if status.st_mode & 0o077 and (made or (self.folder / _DB).exists() or not any(self.folder.iterdir())):
            self.folder.chmod(0o700)
        # Made here with their mode: SQLite would use 0644, and gives its log files the mode of the database.
        os.close(os.open(self.folder / _DB, os.O_CREAT | os.O_RDWR, 0o600))

    def _words(self, call: Callable[[PageIndex], None], create: bool = True) -> None:
        """Do something with the index; its faults cost search results, never a page."""
        try:
            if self._index is None and (create or (self.folder / _INDEX).exists()):
                self._index = PageIndex(self.folder / _INDEX, LOCK_SECONDS)
            if self._index is not None:
                call(self._index)
        except sqlite3.OperationalError as exc:
            self.fault = f"page index: {exc}"
        except (sqlite3.DatabaseError, OSError) as exc:
            self.fault = f"page index: {exc}"
            if self._index is not None:
                self._index.close()
                self._index = None
            self._move_away(_INDEX)  # made again from the cache by _catch_up

    def _catch_up(self, ghosts: bool = False) -> None:
        """Index what a killed process had no time to index, and forget what is no longer there."""
        try:
            self._flush()
            cache = self._opened()
            if cache is None:
                return
            sizes: list[int] = []
            self._words(lambda index: sizes.append(len(index)))
            if not ghosts and sizes == [len(cache)]:
                return
            known: set[str] = set()
            self._words(lambda index: known.update(index.keys()))
            there = set(column(self.folder / _DB, _KEYS))
            for key in there - known:
                if (entry := self._read(cache, key)) is None:
                    cache.delete(key, retry=False)
                else:
                    self._words(partial(PageIndex.put, key=key, page=entry.page))
            for key in known - there:
                self._words(partial(PageIndex.remove, key=key))
        except _faults() as exc:
            self._note(exc)

    def _shrink(self, cache: Any) -> None:
        """Evict what was stored first until the files fit, with a tenth to spare."""
        self._flush()
        for _ in range(4):
            if self.bytes_on_disk() <= self.limit or not len(cache):
                return
            self._compact()
            share = 1 - 0.9 * self.limit / max(1, self.bytes_on_disk())
            wanted = share * (self.folder / _DB).stat().st_size
            for key in column(self.folder / _DB, _KEYS):
                if wanted <= 0:
                    break
                entry = self._read(cache, key)
                cache.delete(key, retry=False)
                self._words(partial(PageIndex.remove, key=key, old=entry.page if entry else None))
                wanted -= len(pack(entry)) if entry else 4096
            self._words(PageIndex.optimize)
            self._compact()

    def _compact(self) -> None:
        with closing(sqlite3.connect(self.folder / _DB, timeout=LOCK_SECONDS)) as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._words(PageIndex.compact)

    def _note(self, exc: Exception) -> None:
        """A damaged database is moved away; with a full, locked or read-only one the run goes on without."""
        if isinstance(exc, ValueError | TypeError) and self._cache is not None:
            return  # one foreign row
        self.fault = f"page cache: {exc or type(exc).__name__}"
        damaged = isinstance(exc, sqlite3.DatabaseError | ValueError | TypeError)
        damaged = damaged and not isinstance(exc, sqlite3.OperationalError)
        if damaged:
            self.close()
            self._broken = not self._move_away(_DB)
        elif self._cache is None:
            self._broken = True

    def _move_away(self, name: str) -> bool:
        for old in self.folder.glob(f"{name}.corrupt-*"):
            old.unlink(missing_ok=True)
        try:
            os.replace(self.folder / name, self.folder / f"{name}.corrupt-{int(time.time())}")
            for suffix in ("-wal", "-shm"):
                Path(f"{self.folder / name}{suffix}").unlink(missing_ok=True)
        except OSError:
            return False
        return True
