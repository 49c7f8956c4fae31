"""An older collection becomes today's while it is searched: its passages are cut and folded again, a batch at a time.

The new tables grow beside the old ones, which searches use until one transaction puts the new ones in their place.
Stopped anywhere, the next use goes on where it was.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress

from hds_cli.search import schema
from hds_cli.search.query import title_key

STEP_SECONDS = 0.2
PATIENCE = 1.5  # seconds that a search waits, so that a small collection is today's at once
_AT, VECTORS = "renewed", "vectors_missing"
_SUFFIX = "_new"


def step(db: sqlite3.Connection, seconds: float = STEP_SECONDS) -> bool:
    """Renew documents for about `seconds`, in one transaction; True when the whole collection is today's.

    The caller holds the collection's lock.
    """
    db.execute("BEGIN IMMEDIATE")
    try:
        if db.execute("PRAGMA user_version").fetchone()[0] != schema.RENEWED_FROM:
            db.execute("COMMIT")
            return True
        done = _renew(db, time.monotonic() + seconds)
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
    return done


def _renew(db: sqlite3.Connection, until: float) -> bool:
    row = db.execute("SELECT value FROM meta WHERE key = ?", (_AT,)).fetchone()
    if row is None:
        schema.create_passages(db, _SUFFIX)
    at = int(row[0]) if row else 0
    while time.monotonic() < until:
        document = db.execute("SELECT id, title, text FROM docs WHERE id > ? ORDER BY id LIMIT 1", (at,)).fetchone()
        if document is None:
            _replace(db)
            return True
        at, title, text = document
        schema.insert_passages(db, at, title, text, _SUFFIX)
    db.execute("INSERT OR REPLACE INTO meta VALUES(?, ?)", (_AT, str(at)))
    return False


def _replace(db: sqlite3.Connection) -> None:
    for table in ("passages", "cuts"):
        db.execute(f"DROP TABLE {table}")
        db.execute(f"ALTER TABLE {table}{_SUFFIX} RENAME TO {table}")
    db.execute("DELETE FROM meta WHERE key = ?", (_AT,))
    if db.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'vectors'").fetchone():
        db.execute("DELETE FROM vectors")  # vectors of the old passages
        db.execute("INSERT OR REPLACE INTO meta VALUES(?, '1')", (VECTORS,))
    for number, title, key in db.execute("SELECT id, title, key FROM docs").fetchall():
        if (today := title_key(title)) != key:
            db.execute("UPDATE docs SET key = ? WHERE id = ?", (today, number))
    db.execute(f"PRAGMA user_version={schema.SCHEMA_VERSION}")


class Renewing:
    """Renews one collection in a daemon thread.

    Args:
        opened: a connection to it, for one use.
        alone: holds the collection's lock.
        after: what is done with the finished collection.
    """

    def __init__(
        self,
        opened: Callable[[], AbstractContextManager[sqlite3.Connection]],
        alone: Callable[[], AbstractContextManager[None]],
        after: Callable[[sqlite3.Connection], None],
    ) -> None:
        self._opened, self._alone, self._after = opened, alone, after
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin, or go on; a collection that cannot be written stays as it is."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, daemon=True, name="hds-renew")
            self._thread.start()

    def wait(self, seconds: float | None = PATIENCE) -> None:
        """Wait for the end of it, at most some seconds."""
        if self._thread is not None:
            self._thread.join(seconds)

    def finish(self) -> None:
        """Renew the whole collection before returning.

        Raises:
            SourceError, sqlite3.Error, OSError: it cannot be written.
        """
        self.wait(None)
        self._go_through()

    def _go_through(self) -> None:
        done = False
        while not done:
            with self._opened() as db, self._alone():
                done = step(db)
                if done:
                    self._after(db)

    def _work(self) -> None:
        with suppress(Exception):  # a full or read-only disk: searches go on with what there is
            self._go_through()
