"""The database of cached pages. Only this file imports diskcache.

diskcache pickles by default (CVE-2025-69872) and so does its JSONDisk in places: `SafeDisk` stores bytes inline and
refuses anything else it finds in a row, a file name above all.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from hds_cli import databases, locks, paths
from hds_cli.fetch.entry import Entry, unpack
from hds_cli.fetch.index import column

LOCK_SECONDS = 1.0
NAME = "cache.db"  # diskcache's name for it
_LOCK = "lock"


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
        "sqlite_cache_size": 1024,
        "sqlite_journal_mode": "wal",
        "sqlite_journal_size_limit": 1 << 20,
        "sqlite_mmap_size": 0,  # a file that is cut while it is mapped is a SIGBUS
        "sqlite_synchronous": 1,
        "sqlite_wal_autocheckpoint": 256,
        "disk_min_file_size": 1 << 62,
        "disk_pickle_protocol": 5,
    }
    # Made here with its mode: SQLite would use 0644, and gives its log files the mode of the database.
    with suppress(FileExistsError):
        os.close(os.open(folder / NAME, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    _check(folder / NAME, settings.keys())
    return diskcache.Cache(str(folder), disk=_safe_disk(), timeout=LOCK_SECONDS, **settings)


def _check(path: Path, settings: Iterable[str]) -> None:
    """Make sure that a database is a cache of ours, or empty.

    diskcache makes pragmas and arguments of whatever rows its settings table has: ours, or it is not opened.

    Raises:
        sqlite3.DatabaseError: it is another one.
    """
    with closing(databases.connect(path, busy=LOCK_SECONDS)) as db:
        if db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0:
            return
        databases.check(db, {"Settings": ("key", "value"), "Cache": ("key", "raw", "mode", "value")}, _TRIGGERS)
        keys = {row[0] for row in db.execute("SELECT key FROM Settings LIMIT 1000")}
        if strange := keys - set(settings) - {"count", "size", "hits", "misses"}:
            raise sqlite3.DatabaseError(f"a cache with strange settings: {len(strange)}")


# diskcache counts with them.
_TRIGGERS = [
    f"CREATE TRIGGER Settings_{name}_{when} AFTER {when.upper()} ON Cache FOR EACH ROW BEGIN "
    f'UPDATE Settings SET value = value {change} WHERE key = "{name}"; END'
    for name, when, change in (
        ("count", "insert", "+ 1"),
        ("count", "delete", "- 1"),
        ("size", "insert", "+ NEW.size"),
        ("size", "update", "+ NEW.size - OLD.size"),
        ("size", "delete", "- OLD.size"),
    )
]
_OURS = "typeof(key) = 'text' AND raw = 1 AND mode = 1 AND filename IS NULL AND typeof(value) = 'blob'"
_KEYS = f"SELECT key FROM Cache WHERE {_OURS} ORDER BY rowid"


class Disk:
    """The entries on disk: opened when first needed, moved away when damaged, given up when they cannot be used.

    Nothing here is for several threads at once but `safely`.

    Args:
        folder: where; made (0700) with the first page.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / NAME
        self.fault: str | None = None
        self._cache: Any = None
        self._broken = False
        self._lock = threading.RLock()

    @contextmanager
    def safely(self) -> Iterator[None]:
        """Alone with the entries; what goes wrong is noted in `fault` and ends here."""
        with self._lock:
            try:
                yield
            except _faults() as exc:
                self._note(exc)

    def there(self) -> bool:
        """True when entries can be read."""
        return self._opened() is not None

    def read(self, key: str) -> Entry | None:
        """The entry of a key.

        Raises:
            ValueError, TypeError: it is damaged, or none of ours.
        """
        cache = self._opened()
        blob = cache.get(key, retry=False) if cache is not None else None
        return unpack(blob) if blob is not None else None

    def intact(self, key: str) -> Entry | None:
        """The entry of a key; None when it is damaged, too."""
        try:
            return self.read(key)
        except (ValueError, TypeError):
            return None

    def write(self, key: str, blob: bytes) -> bool:
        """Keep an entry; False when it could not be kept."""
        cache = self._opened(create=True)
        return cache is not None and bool(cache.set(key, blob, retry=False))

    def delete(self, key: str) -> None:
        """Drop an entry."""
        if (cache := self._opened()) is not None:
            cache.delete(key, retry=False)

    def all_keys(self) -> list[str]:
        """The keys of what may be an entry, first stored first."""
        return column(self.path, _KEYS) if self.there() else []

    def count(self) -> int:
        """The number of entries; a counter, nothing is read."""
        return len(self._cache) if self.there() else 0

    def times(self) -> tuple[object, object]:
        """When the oldest and the newest entry were stored, in seconds since 1970."""
        with self._connected() as db:
            oldest, newest = db.execute("SELECT min(store_time), max(store_time) FROM Cache").fetchone()
        return oldest, newest

    def delete_foreign(self) -> None:
        """Drop the rows that are none of ours."""
        with self._connected() as db:
            db.execute(f"DELETE FROM Cache WHERE NOT ({_OURS})")

    def size(self) -> int:
        """The bytes of every file in the folder, the write-ahead logs too."""
        total = 0
        for path in self.folder.glob("*"):
            with suppress(OSError):
                total += path.stat().st_size if path.is_file() else 0
        return total

    def compact(self) -> None:
        """Give free space back to the disk."""
        with self._connected() as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _connected(self) -> closing[sqlite3.Connection]:
        return closing(databases.connect(self.path, busy=LOCK_SECONDS))

    def close(self) -> None:
        """Let the files go; the next call opens them again."""
        with self._lock:
            if self._cache is not None:
                self._cache.close()
                self._cache = None

    def _opened(self, create: bool = False) -> Any:
        """The open cache; None when there is none, or when it cannot be used."""
        if self._cache is not None or self._broken:
            return self._cache
        if not create and not self.path.exists():
            return None
        with self.safely():
            self._make_folder()
            with self.opening():
                with self.safely():
                    self._cache = _open(self.folder)
                if self._cache is None and not self._broken:  # moved away: a new one is begun
                    self._cache = _open(self.folder)
        return self._cache

    @contextmanager
    def opening(self) -> Iterator[None]:
        """One process at a time makes the databases of the folder: it takes several steps, and none may see half."""
        if not os.access(self.folder, os.W_OK):
            yield
            return
        with locks.alone(self.folder / _LOCK, LOCK_SECONDS):
            yield

    def _make_folder(self) -> None:
        is_new = not self.folder.exists()
        paths.private_dir(self.folder)
        status = self.folder.stat()
        if hasattr(os, "getuid") and status.st_uid != os.getuid():
            raise PermissionError(f"{self.folder} belongs to someone else")
        if status.st_mode & 0o077 and (is_new or self.path.exists() or not any(self.folder.iterdir())):
            self.folder.chmod(0o700)

    def _note(self, exc: Exception) -> None:
        """A damaged database is moved away; with a full, locked or read-only one the run goes on without."""
        if isinstance(exc, ValueError | TypeError) and self._cache is not None:
            return  # one foreign row
        self.fault = f"page cache: {exc or type(exc).__name__}"
        damaged = isinstance(exc, sqlite3.DatabaseError | ValueError | TypeError)
        damaged = damaged and not isinstance(exc, sqlite3.OperationalError)
        if damaged:
            self.close()
            self._broken = not move_away(self.path)
        elif self._cache is None:
            self._broken = True


def move_away(path: Path) -> bool:
    """Put a damaged database aside, in place of one put aside before; False when that cannot be done."""
    for old in path.parent.glob(f"{path.name}.corrupt-*"):
        old.unlink(missing_ok=True)
    try:
        os.replace(path, f"{path}.corrupt-{int(time.time())}")
        for suffix in ("-wal", "-shm"):
            Path(f"{path}{suffix}").unlink(missing_ok=True)
    except OSError:
        return False
    return True
