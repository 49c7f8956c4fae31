"""The index of the cached pages beside their entries: written late, made again when it is damaged or of an older hds.

Its faults cost search results, never a page: what is not indexed is found by `catch_up`.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from itertools import islice

from hds_cli.fetch.disk import LOCK_SECONDS, Disk, move_away
from hds_cli.fetch.index import OLDER_SCHEMA, OtherVersion, PageIndex
from hds_cli.types import Page

NAME = "index.sqlite"
_OLDER = f"{NAME}.older"  # searched until the new one has all pages
_BATCH, _BATCH_CHARACTERS = 32, 1_000_000
_PATIENCE = 1.5  # seconds for which a search waits for pages that are not indexed
_STEP = 0.2


class PageWords:
    """The words of the pages of one cache; every call is made while the entries are held (`Disk.safely`)."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self._path = disk.folder / NAME
        self._index: PageIndex | None = None
        self._pending: list[tuple[str, Page, Page | None]] = []
        self._characters = 0
        self._thread: threading.Thread | None = None

    def put(self, key: str, page: Page, old: Page | None) -> None:
        """Index a page, with others of its kind; `old` is what was stored under the key before."""
        self._pending.append((key, page, old))
        self._characters += len(page.text) + (len(old.text) if old else 0)
        if len(self._pending) >= _BATCH or self._characters > _BATCH_CHARACTERS:
            self.flush()

    def flush(self) -> None:
        """Index what was put; a process that ends before leaves it to `catch_up`."""
        pages, self._pending, self._characters = self._pending, [], 0
        if pages:
            self._do(lambda index: index.put_all(pages))

    def remove(self, key: str, page: Page | None) -> None:
        """Forget a page, whose text is needed for that."""
        self._do(partial(PageIndex.remove, key=key, old=page))

    def search(self, query: str, number: int) -> list[str]:
        """The keys of the pages that fit best; an older index is asked for what is not in the new one yet."""
        if not self.catch_up(seconds=_PATIENCE):
            self._go_on()
        keys: list[str] = []
        self._do(lambda index: keys.extend(index.search(query, number)), create=False)
        return keys + [key for key in self._older_keys(query, number) if key not in keys]

    def _older_keys(self, query: str, number: int) -> list[str]:
        path = self._path.with_name(_OLDER)
        if not path.exists():
            return []
        try:
            with closing(PageIndex(path, LOCK_SECONDS, OLDER_SCHEMA)) as older:
                return older.search(query, number)
        except (sqlite3.Error, OSError):
            return []

    def catch_up(self, ghosts: bool = False, seconds: float = 1e9) -> bool:
        """Index what no process had the time or the version for, and forget what is no longer there.

        Returns:
            True when all of it is done; False when `seconds` were over before.
        """
        until = time.monotonic() + seconds
        self.flush()
        if not self._disk.there():
            return True
        sizes: list[int] = []
        self._do(lambda index: sizes.append(len(index)))
        if not ghosts and sizes == [self._disk.count()]:
            return True
        known: set[str] = set()
        self._do(lambda index: known.update(index.keys()))
        present = set(self._disk.all_keys())
        for key in known - present:
            self._do(partial(PageIndex.remove, key=key))
        missing = iter(present - known)
        while batch := list(islice(missing, _BATCH)):
            if time.monotonic() > until:
                return False
            self._index_all(batch)
        for path in self._disk.folder.glob(f"{_OLDER}*"):
            path.unlink(missing_ok=True)
        return True

    def _index_all(self, keys: Sequence[str]) -> None:
        entries = [(key, self._disk.intact(key)) for key in keys]
        for key in [key for key, entry in entries if entry is None]:
            self._disk.delete(key)
        pages: list[tuple[str, Page, Page | None]] = [(key, entry.page, None) for key, entry in entries if entry]
        self._do(lambda index: index.put_all(pages))

    def _go_on(self) -> None:
        """Index the rest in the background; what the end of the process leaves, the next use takes up."""
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._renew, daemon=True, name="hds-pages-index")
            self._thread.start()

    def _renew(self) -> None:
        done = False
        while not done:
            done = True  # unless there is more to do: a fault ends it
            with self._disk.safely():
                done = self.catch_up(seconds=_STEP)
            time.sleep(0.01)

    def compact(self) -> None:
        """Give free space back to the disk."""
        self._do(PageIndex.compact)

    def optimize(self) -> None:
        """Let go of the words of deleted pages."""
        self._do(PageIndex.optimize)

    def drop_pending(self) -> None:
        """Forget what was put and not indexed."""
        self._pending = []

    def close(self) -> None:
        """Let the file go; the next call opens it again."""
        if self._index is not None:
            self._index.close()
            self._index = None

    def _do(self, call: Callable[[PageIndex], None], create: bool = True) -> None:
        try:
            if self._index is None and (create or self._path.exists()):
                with self._disk.opening():
                    self._index = self._opened()
            if self._index is not None:
                call(self._index)
        except sqlite3.OperationalError as exc:
            self._disk.fault = f"page index: {exc}"
        except (sqlite3.DatabaseError, OSError) as exc:
            self._disk.fault = f"page index: {exc}"
            self.close()
            move_away(self._path)  # made again from the entries by `catch_up`

    def _opened(self) -> PageIndex:
        try:
            return PageIndex(self._path, LOCK_SECONDS)
        except OtherVersion:
            older = PageIndex(self._path, LOCK_SECONDS, OLDER_SCHEMA)
            older.compact()
            older.close()
            os.replace(self._path, self._path.with_name(_OLDER))
            return PageIndex(self._path, LOCK_SECONDS)
