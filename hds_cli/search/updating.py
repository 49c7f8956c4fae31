"""Bringing a collection up to date: in batches that a kill does not lose, seen by searches all at once.

Documents are written as `pending`, a batch a transaction; no search returns a pending one. The last transaction makes
them the collection's and takes out what they replace. An update that was killed is taken up where it was: what is
pending with the same content is not written again, and what is pending but no longer there goes.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hds_cli import locks
from hds_cli.errors import SourceError
from hds_cli.search import schema
from hds_cli.types import Document

BATCH_DOCUMENTS = 1000
BATCH_CHARACTERS = 16_000_000
BATCH_SECONDS = 5.0
LOCK_SECONDS = 30.0


@dataclass(frozen=True)
class Changes:
    """The changes that `Collection.update` made."""

    added: int = 0
    changed: int = 0
    removed: int = 0
    unchanged: int = 0


@dataclass(frozen=True)
class Kept:
    """Stands for a document that is known to be as it was stored (same stamp)."""

    id: str


@dataclass(frozen=True)
class Stamped:
    """A document with what tells quickly that its file did not change (size and time)."""

    document: Document
    stamp: str


Item = Document | Stamped | Kept


@dataclass
class _Known:
    number: int
    hash: bytes
    stamp: str
    root: str


@contextmanager
def alone(path: Path, name: str) -> Iterator[None]:
    """Hold the lock of the collection at `path`.

    Raises:
        SourceError: another process holds it and does not let it go (`busy`).
    """
    with locks.alone(Path(f"{path}-lock"), LOCK_SECONDS) as held:
        if not held:
            raise SourceError(
                f"collection {name!r} is being written by another hds",
                code="busy",
                hint="wait for it, then the same command again",
            )
        yield


class Update:
    """One update of one collection; the caller holds its lock.

    Args:
        root: where the documents come from.
        whole: the collection shall hold nothing else; otherwise documents of other roots stay.
        batch: documents that are written in one transaction.
    """

    def __init__(self, db: sqlite3.Connection, root: str, *, whole: bool, batch: int = BATCH_DOCUMENTS) -> None:
        self._db, self._root, self._whole, self._batch = db, root, whole, batch
        self._live, self._pending = self._read(0), self._read(1)
        self._seen: set[str] = set()
        self._open_documents = self._open_characters = 0
        self._began = 0.0

    def _read(self, pending: int) -> dict[str, _Known]:
        rows = self._db.execute("SELECT doc, id, hash, stamp, root FROM docs WHERE pending = ?", (pending,))
        return {doc: _Known(*rest) for doc, *rest in rows}

    def run(self, items: Iterable[Item], on_document: Callable[[int], None] | None = None) -> Changes:
        """Write `items` and make the collection hold them; of two with one id the later wins."""
        try:
            self._mark()
            for done, item in enumerate(items, 1):
                self._take(item)
                if on_document:
                    on_document(done)
            return self._finish()
        except BaseException:
            # Committed batches stay for the next try.
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    def _mark(self) -> None:
        self._db.execute("INSERT OR REPLACE INTO meta VALUES('unfinished', ?)", (self._root,))

    def _take(self, item: Item) -> None:
        if isinstance(item, Kept):
            self._seen.add(item.id)
            return
        stamp = item.stamp if isinstance(item, Stamped) else ""
        document = item.document if isinstance(item, Stamped) else item
        self._seen.add(document.id)
        digest = schema.digest(document)
        live, pending = self._live.get(document.id), self._pending.get(document.id)
        if live and live.hash == digest and live.root == self._root:
            if pending:
                self._drop_pending(document.id)
            if live.stamp != stamp:
                self._begin()
                self._db.execute("UPDATE docs SET stamp = ? WHERE id = ?", (stamp, live.number))
            return
        if pending and (pending.hash, pending.stamp, pending.root) == (digest, stamp, self._root):
            return
        if pending:
            self._drop_pending(document.id)
        self._begin()
        number = schema.insert(self._db, document, self._root, stamp=stamp)
        self._pending[document.id] = _Known(number, digest, stamp, self._root)
        self._count(len(document.text))

    def _drop_pending(self, doc: str) -> None:
        self._begin()
        schema.delete(self._db, self._pending.pop(doc).number)

    def _begin(self) -> None:
        if not self._db.in_transaction:
            self._db.execute("BEGIN IMMEDIATE")
            self._open_documents = self._open_characters = 0
            self._began = time.monotonic()

    def _count(self, characters: int) -> None:
        self._open_documents += 1
        self._open_characters += characters
        if (
            self._open_documents >= self._batch
            or self._open_characters >= BATCH_CHARACTERS
            or time.monotonic() - self._began > BATCH_SECONDS
        ):
            self._db.execute("COMMIT")

    def _finish(self) -> Changes:
        """The one transaction that searches see."""
        self._begin()
        for doc in [doc for doc in self._pending if doc not in self._seen]:
            self._drop_pending(doc)
        replaced = [doc for doc in self._pending if doc in self._live]
        ours = [doc for doc, known in self._live.items() if self._whole or known.root == self._root]
        gone = [doc for doc in ours if doc not in self._seen]
        for doc in [*replaced, *gone]:
            schema.delete(self._db, self._live[doc].number)
        self._db.execute("UPDATE docs SET pending = 0 WHERE pending = 1")
        if self._whole:
            self._db.execute("UPDATE docs SET root = ? WHERE root != ?", (self._root, self._root))
        self._db.execute("DELETE FROM meta WHERE key = 'unfinished'")
        self._origin()
        self._db.execute("COMMIT")
        added = len(self._pending) - len(replaced)
        return Changes(added, len(replaced), len(gone), len(self._seen) - added - len(replaced))

    def _origin(self) -> None:
        row = self._db.execute("SELECT value FROM meta WHERE key = 'origin'").fetchone()
        roots = [self._root] if self._whole or not row else [*dict.fromkeys([*row[0].split("\n"), self._root])]
        self._db.execute("INSERT OR REPLACE INTO meta VALUES('origin', ?)", ("\n".join(roots),))
