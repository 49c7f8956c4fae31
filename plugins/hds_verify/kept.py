"""Probabilities that were read before, in memory and on disk, by verifier, passage and claim; a fault is a miss."""

from __future__ import annotations

import contextlib
import hashlib
import sqlite3
import struct
from pathlib import Path

from hds_cli import databases, paths
from hds_cli.agent.verifying import Odds, Text

MOST = 20_000  # rows on disk, about 2 MB
_TABLE = "CREATE TABLE IF NOT EXISTS verified (key BLOB PRIMARY KEY, odds BLOB)"
_FORM = "<3f"
_BUSY = 0.2  # seconds


class Kept:
    """What a verifier has read. A context: the file is open inside.

    Only checksums of texts are kept, never the texts.

    Args:
        version: of the verifier; another one has other probabilities.
        file: None: `verified.sqlite` in the folder of the cache.
        disk: False: in memory only.
    """

    def __init__(self, version: str, file: Path | None = None, *, disk: bool = True) -> None:
        self._version, self._file, self._disk = version, file, disk
        self._known: dict[bytes, Odds] = {}
        self._new: list[tuple[bytes, bytes]] = []
        self._db: sqlite3.Connection | None = None

    def __enter__(self) -> Kept:
        if self._disk:
            with contextlib.suppress(sqlite3.Error, OSError):
                self._db = self._open()
        return self

    def __exit__(self, *_: object) -> None:
        db, self._db = self._db, None
        new, self._new = self._new, []
        if db is None:
            return
        with contextlib.suppress(sqlite3.Error), contextlib.closing(db):
            if new:
                db.execute("BEGIN IMMEDIATE")
                db.executemany("INSERT OR REPLACE INTO verified (key, odds) VALUES (?, ?)", new)
                db.execute("DELETE FROM verified WHERE rowid <= (SELECT max(rowid) FROM verified) - ?", (MOST,))
                db.execute("COMMIT")

    def get(self, passage: Text, claim: str) -> Odds | None:
        """The probabilities of a claim that was read against a passage before."""
        key = self._key(passage, claim)
        if key not in self._known and self._db is not None:
            with contextlib.suppress(sqlite3.Error, struct.error, TypeError):
                row = self._db.execute("SELECT odds FROM verified WHERE key = ?", (key,)).fetchone()
                odds = Odds(*struct.unpack(_FORM, row[0])) if row else None
                if odds and all(0 <= value <= 1 for value in odds):
                    self._known[key] = odds
        return self._known.get(key)

    def put(self, passage: Text, claim: str, odds: Odds) -> None:
        """Keep what was read."""
        key = self._key(passage, claim)
        if len(self._known) < MOST:
            self._known[key] = odds
        if self._db is not None:
            self._new.append((key, struct.pack(_FORM, *odds)))

    def _open(self) -> sqlite3.Connection:
        file = self._file or paths.verified_file()
        paths.private_dir(file.parent)
        db = databases.connect(file, busy=_BUSY)
        try:
            db.execute(_TABLE)
            databases.check(db, {"verified": ("key", "odds")})
        except sqlite3.Error:
            db.close()
            raise
        return db

    def _key(self, passage: Text, claim: str) -> bytes:
        parts = (self._version, passage.title, passage.text, claim)
        return hashlib.sha256("".join(f"{len(part)}:{part}" for part in parts).encode("utf-8", "replace")).digest()
