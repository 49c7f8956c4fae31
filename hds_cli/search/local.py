"""Collections: documents on this machine, searched with SQLite FTS5 and BM25 over their passages.

One SQLite file a collection. A document is its own page: `read` gives back its whole text, nothing is fetched.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from hds_cli import paths
from hds_cli.errors import SourceError, SourceUnknown, UsageError
from hds_cli.text import cut_passages, named_in, terms
from hds_cli.types import Document, Page, SearchResult

SCHEMA_VERSION = 1
_NAME = re.compile(r"[\w][\w.-]{0,63}")
_TABLES = """
CREATE TABLE docs(id INTEGER PRIMARY KEY, doc TEXT UNIQUE NOT NULL, url TEXT NOT NULL, title TEXT NOT NULL,
                  text TEXT NOT NULL, hash TEXT NOT NULL);
CREATE INDEX docs_url ON docs(url);
CREATE VIRTUAL TABLE passages USING fts5(title, heading, text, doc UNINDEXED,
                                        tokenize='porter unicode61 remove_diacritics 2');
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL);
"""
_SEARCH = """
SELECT docs.url, docs.title, passages.text, bm25(passages, 4.0, 2.0, 1.0) AS score
FROM passages JOIN docs ON docs.id = passages.doc
WHERE passages MATCH ? ORDER BY score LIMIT ?
"""


@dataclass(frozen=True)
class Changes:
    """What `Collection.update` did."""

    added: int = 0
    changed: int = 0
    removed: int = 0
    unchanged: int = 0


@dataclass(frozen=True)
class CollectionInfo:
    name: str
    path: Path
    documents: int
    passages: int
    bytes: int
    origin: str


def check_name(name: str) -> str:
    """`name`, if it can be a collection's.

    Raises:
        UsageError: it cannot: it would be a path, or hard to type.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} cannot be the name of a collection", hint="use letters, digits, '.', '_' and '-': --name NAME"
        )
    return name


class Collection:
    """One collection on disk. Opening one that is not there is an error; `create=True` makes it."""

    def __init__(self, name: str, folder: Path | None = None, *, create: bool = False) -> None:
        self.name = check_name(name)
        self.path = (folder or paths.collections_dir()) / f"{name}.sqlite"
        if create:
            paths.private_dir(self.path.parent)
        elif not self.path.exists():
            raise SourceUnknown(f"there is no collection {name!r}", hint="hds index list")

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(self.path, timeout=10, isolation_level=None)) as db:
                version = db.execute("PRAGMA user_version").fetchone()[0]
                if version == 0:
                    self._initialise(db)
                elif version != SCHEMA_VERSION:
                    raise SourceError(f"collection {self.name!r} was made by another version of hds", code="version")
                yield db
        except sqlite3.DatabaseError as exc:
            raise SourceError(
                f"collection {self.name!r} cannot be used: {exc}",
                code="collection",
                hint=f"hds index remove {self.name}",
            ) from exc

    def _initialise(self, db: sqlite3.Connection) -> None:
        os.chmod(self.path, 0o600)
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("BEGIN IMMEDIATE")
        if db.execute("PRAGMA user_version").fetchone()[0] == 0:
            for statement in _TABLES.split(";\n"):
                if statement.strip():
                    db.execute(statement)
            db.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
        db.execute("COMMIT")

    def update(
        self, documents: Iterable[Document], origin: str, on_document: Callable[[int], None] | None = None
    ) -> Changes:
        """Make the collection hold exactly `documents`; only what changed is written, all of it or nothing.

        Args:
            documents: unique by `id`; of two with one id the later wins.
            origin: where they came from, shown by `hds index list`.
            on_document: called with the number of documents done.
        """
        with self._open() as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                changes = self._write(db, documents, on_document)
                db.execute("INSERT OR REPLACE INTO meta VALUES('origin', ?)", (origin,))
                db.execute("COMMIT")
            except BaseException:
                db.execute("ROLLBACK")
                raise
        return changes

    def _write(
        self, db: sqlite3.Connection, documents: Iterable[Document], on_document: Callable[[int], None] | None
    ) -> Changes:
        known: dict[str, tuple[int, str]] = {d: (i, h) for i, d, h in db.execute("SELECT id, doc, hash FROM docs")}
        seen: set[str] = set()
        added = changed = unchanged = 0
        for done, document in enumerate(documents, 1):
            seen.add(document.id)
            digest = hashlib.sha256("\0".join((document.title, document.url, document.text)).encode()).hexdigest()
            old = known.get(document.id)
            if old and old[1] == digest:
                unchanged += 1
            else:
                if old:
                    _delete(db, old[0])
                known[document.id] = (_insert(db, document, digest), digest)
                added, changed = added + (old is None), changed + (old is not None)
            if on_document:
                on_document(done)
        gone = [i for doc, (i, _) in known.items() if doc not in seen]
        for number in gone:
            _delete(db, number)
        return Changes(added, changed, len(gone), unchanged)

    def search(self, query: str, top_k: int) -> list[SearchResult]:
        """The best documents by their best passage; a title that the query names in full counts for that document."""
        wanted = list(dict.fromkeys(terms(query)))
        if not wanted:
            return []
        match = " OR ".join(f'"{term}"' for term in wanted)
        with self._open() as db:
            rows = db.execute(_SEARCH, (match, 40 * top_k)).fetchall()
        best: dict[str, tuple[float, str, str]] = {}
        for url, title, text, score in rows:
            rank = -score + 4.0 * named_in(title, wanted)
            if url not in best or rank > best[url][0]:
                best[url] = (rank, title, text)
        order = sorted(best.items(), key=lambda item: (-item[1][0], item[0]))[:top_k]
        return [
            SearchResult(url=url, title=title, snippet=text[:300], rank=rank, source=self.name)
            for rank, (url, (_, title, text)) in enumerate(order, 1)
        ]

    def read(self, url: str) -> Page | None:
        """The whole document behind `url`, if it is in this collection."""
        with self._open() as db:
            row = db.execute("SELECT title, text FROM docs WHERE url = ?", (url,)).fetchone()
        if row is None:
            return None
        return Page(url=url, final_url=url, title=row[0], text=row[1], status="cached", bytes=len(row[1].encode()))

    def origin(self) -> str | None:
        """Where its documents came from; None before the first `update`."""
        with self._open() as db:
            row = db.execute("SELECT value FROM meta WHERE key = 'origin'").fetchone()
        return str(row[0]) if row else None

    def info(self) -> CollectionInfo:
        with self._open() as db:
            documents = db.execute("SELECT count(*) FROM docs").fetchone()[0]
            passages = db.execute("SELECT count(*) FROM passages_content").fetchone()[0]
        size = sum(p.stat().st_size for p in self.path.parent.glob(self.path.name + "*"))
        return CollectionInfo(self.name, self.path, documents, passages, size, self.origin() or "")

    def remove(self) -> None:
        """Delete the collection's files."""
        for suffix in ("", "-wal", "-shm"):
            Path(f"{self.path}{suffix}").unlink(missing_ok=True)


def _insert(db: sqlite3.Connection, document: Document, digest: str) -> int:
    cursor = db.execute(
        "INSERT INTO docs(doc, url, title, text, hash) VALUES(?, ?, ?, ?, ?)",
        (document.id, document.url, document.title, document.text, digest),
    )
    number = int(cursor.lastrowid or 0)
    db.executemany(
        "INSERT INTO passages(title, heading, text, doc) VALUES(?, ?, ?, ?)",
        [(document.title, cut.heading, cut.text, number) for cut in cut_passages(document.text)],
    )
    return number


def _delete(db: sqlite3.Connection, number: int) -> None:
    db.execute("DELETE FROM passages WHERE doc = ?", (number,))
    db.execute("DELETE FROM docs WHERE id = ?", (number,))


def names(folder: Path | None = None) -> list[str]:
    """The collections on disk."""
    return sorted(p.stem for p in (folder or paths.collections_dir()).glob("*.sqlite") if _NAME.fullmatch(p.stem))


def read_jsonl(path: Path, collection: str) -> Iterator[Document]:
    """The documents of a `corpus.jsonl`: objects with `title` and `text`, and maybe `id`, `source_url` or `url`.

    Pages of one title are one document, their texts in order.

    Raises:
        UsageError: a line is not such an object.
    """
    merged: dict[str, Document] = {}
    with path.open(encoding="utf-8", errors="replace") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
                title, text = str(row["title"]).strip(), str(row["text"])
            except (ValueError, KeyError, TypeError) as exc:
                raise UsageError(
                    f"{path}, line {number}: not an object with a title and a text ({exc!r})",
                    hint='a line looks like {"id": "1", "title": "…", "text": "…", "url": "…"}',
                ) from exc
            key = title or str(row.get("id", number))
            if key in merged:
                merged[key] = Document(key, title, merged[key].text + "\n\n" + text, merged[key].url)
                continue
            url = str(row.get("source_url") or row.get("url") or "")
            merged[key] = Document(key, title, text, url if "://" in url else local_url(collection, key))
    yield from merged.values()


def local_url(collection: str, document: str) -> str:
    """The address of a document that has no other: `local://collection/document`."""
    from urllib.parse import quote

    return f"local://{collection}/{quote(document)}"
