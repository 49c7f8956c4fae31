"""The words of the cached pages: an FTS5 index that holds no text, beside the cache that does.

Contentless, so the pages are not stored twice; an entry leaves it by handing the text back (`'delete'`), which must be
the very text that was indexed, so its hash is kept. Where it cannot be (the entry was damaged), the row stays as
garbage that no search returns.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from hds_cli import databases
from hds_cli.text import in_pieces, indexed, lone_letter, terms
from hds_cli.types import Page

_SCHEMA = 2
OLDER_SCHEMA = 1
_PIECE = 1 << 18  # characters that are hashed at once
SECONDS = 15.0  # that one call may take
_TABLES = """
CREATE TABLE pages(id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT UNIQUE NOT NULL, hash BLOB NOT NULL);
CREATE VIRTUAL TABLE words USING fts5(title, text, content='',
    tokenize="porter unicode61 remove_diacritics 0 categories 'L* N* Co Mn Mc'");
"""
_SEARCH = """
SELECT pages.key, bm25(words, 4.0, 1.0) AS score FROM words JOIN pages ON pages.id = words.rowid
WHERE words MATCH ? ORDER BY score LIMIT ?
"""


class OtherVersion(sqlite3.DatabaseError):
    """The index was made by another version of hds."""


class PageIndex:
    """One SQLite file; calls may come from any thread.

    Args:
        busy: seconds to wait for another process.
        schema: the version it must have; an older one can be searched, not written.
    """

    def __init__(self, path: Path, busy: float = 1.0, schema: int = _SCHEMA) -> None:
        self.path, self._schema = path, schema
        self._lock = threading.Lock()
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        self._db = databases.connect(path, busy=busy, any_thread=True)
        try:
            self._prepare()
            databases.check(self._db, {"pages": ("id", "key", "hash"), "words": (), "words_data": ()})
        except sqlite3.Error:
            self._db.close()
            raise

    def _prepare(self) -> None:
        if self._db.execute("PRAGMA user_version").fetchone()[0] == 0:
            self._db.execute("PRAGMA auto_vacuum=FULL")
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("BEGIN IMMEDIATE")
            if self._db.execute("PRAGMA user_version").fetchone()[0] == 0:
                for statement in _TABLES.split(";\n"):
                    if statement.strip():
                        self._db.execute(statement)
                self._db.execute(f"PRAGMA user_version={_SCHEMA}")
            self._db.execute("COMMIT")
        if self._db.execute("PRAGMA user_version").fetchone()[0] != self._schema:
            raise OtherVersion("an index of another version")
        for pragma in ("synchronous=NORMAL", "wal_autocheckpoint=256", "journal_size_limit=1048576"):
            self._db.execute(f"PRAGMA {pragma}")

    def put(self, key: str, page: Page, old: Page | None = None) -> None:
        """Index a page under its cache key; `old` is what the cache held under it before."""
        self.put_all([(key, page, old)])

    def put_all(self, pages: Sequence[tuple[str, Page, Page | None]]) -> None:
        """Index pages in one transaction: FTS5 writes a segment for each, so many at once cost a third."""
        with self._alone(None):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                for key, page, old in pages:
                    self._put(key, page, old)
                self._db.execute("COMMIT")
            except BaseException:
                self._undo()
                raise

    def _put(self, key: str, page: Page, old: Page | None) -> None:
        digest = _hash(page)
        row = self._db.execute("SELECT id, hash FROM pages WHERE key = ?", (key,)).fetchone()
        if row is not None and row[1] == digest:
            return
        if row is not None:
            self._forget(row[0], row[1], old)
        cursor = self._db.execute("INSERT INTO pages(key, hash) VALUES(?, ?)", (key, digest))
        self._db.execute(
            "INSERT INTO words(rowid, title, text) VALUES(?, ?, CAST(? AS TEXT))",
            (cursor.lastrowid, indexed(page.title), _indexed(page.text)),
        )

    def remove(self, key: str, old: Page | None = None) -> None:
        """Forget a page."""
        with self._alone(None):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                row = self._db.execute("SELECT id, hash FROM pages WHERE key = ?", (key,)).fetchone()
                if row is not None:
                    self._forget(row[0], row[1], old)
                self._db.execute("COMMIT")
            except BaseException:
                self._undo()
                raise

    def _undo(self) -> None:
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")

    def _forget(self, number: int, digest: bytes, old: Page | None) -> None:
        self._db.execute("DELETE FROM pages WHERE id = ?", (number,))
        if old is not None and _hash(old) == digest:
            self._db.execute(
                "INSERT INTO words(words, rowid, title, text) VALUES('delete', ?, ?, CAST(? AS TEXT))",
                (number, indexed(old.title), _indexed(old.text)),
            )

    def search(self, query: str, number: int) -> list[str]:
        """Keys of the pages with any of the query's terms, best first."""
        words = list(dict.fromkeys(terms(query)))[:64]
        if not words:
            return []
        quoted = (term.replace('"', '""') for term in words)
        match = " OR ".join(f'"{term}"*' if lone_letter(term) else f'"{term}"' for term in quoted)
        with self._alone():
            return [row[0] for row in self._db.execute(_SEARCH, (match, number))]

    def keys(self) -> set[str]:
        with self._alone():
            return {row[0] for row in self._db.execute("SELECT key FROM pages")}

    def __len__(self) -> int:
        with self._alone():
            return int(self._db.execute("SELECT count(*) FROM pages").fetchone()[0])

    def optimize(self) -> None:
        """Merge the index into one: FTS5 keeps the words of deleted pages until then."""
        with self._alone(None):
            self._db.execute("INSERT INTO words(words) VALUES('optimize')")

    def compact(self) -> None:
        """Give free space back to the disk."""
        with self._alone(None):
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        with self._lock:
            self._db.close()

    @contextmanager
    def _alone(self, seconds: float | None = SECONDS) -> Iterator[None]:
        """One call at a time; one that only reads is given up after `seconds`."""
        with self._lock, databases.limited(self._db, seconds):
            yield


def _indexed(text: str) -> bytes:
    """The words of a text in UTF-8: with one emoji in it, a str takes four bytes a letter."""
    return b"".join(piece.encode("utf-8", "replace") for piece in in_pieces(indexed, text))


def _hash(page: Page) -> bytes:
    checksum = hashlib.sha256(f"{page.title}\0".encode("utf-8", "surrogatepass"))
    for at in range(0, len(page.text), _PIECE):
        checksum.update(page.text[at : at + _PIECE].encode("utf-8", "surrogatepass"))
    return checksum.digest()[:16]


def column(path: Path, query: str) -> list[Any]:
    """The first column of a query on a diskcache database."""
    with closing(databases.connect(path, busy=1.0)) as db, databases.limited(db, SECONDS):
        return [row[0] for row in db.execute(query)]
