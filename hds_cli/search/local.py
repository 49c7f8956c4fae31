"""Collections: documents on this machine, searched with SQLite FTS5 and BM25 over their passages.

One SQLite file a collection. A document is its own page: `read` gives back its whole text, nothing is fetched.
"""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from hds_cli import databases, jsons, paths
from hds_cli.errors import SourceError, SourceUnknown, UsageError
from hds_cli.search import embeddings, feedback, opening, ranking, renewing, schema, updating
from hds_cli.search.embeddings import Embedder
from hds_cli.search.query import Query, parse
from hds_cli.search.schema import SCHEMA_VERSION
from hds_cli.search.updating import Changes
from hds_cli.text import snippet
from hds_cli.types import Document, Page, SearchResult

__all__ = [
    "SCHEMA_VERSION",
    "Changes",
    "Collection",
    "CollectionInfo",
    "check_name",
    "local_url",
    "names",
    "read_jsonl",
]
_MAX_LINE = 64 << 20  # bytes of a line of a corpus
_NAME = re.compile(r"[\w][\w.-]{0,63}")
CACHE_KIB = 32_768
SECONDS = 15.0  # the time that a search may take
COUNT_SECONDS = 60.0


@dataclass(frozen=True)
class CollectionInfo:
    """The facts of a collection; `origin` has a line for each place, `unfinished` is the place of a stopped update."""

    name: str
    path: Path
    documents: int
    passages: int
    bytes: int
    origin: str
    unfinished: str = ""


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
        self._idle: list[sqlite3.Connection] = []
        self._embedder: Embedder | None = None
        self._vectors: tuple[object, embeddings.Vectors] | None = None
        self._renewing = renewing.Renewing(partial(self._open, None), self._alone, self._embed_missing)
        self._older = False
        self.path = (folder or paths.collections_dir()) / f"{name}.sqlite"
        if create:
            paths.private_dir(self.path.parent)
        elif not self.path.exists():
            raise SourceUnknown(f"there is no collection {name!r}", hint="hds index list")

    @contextmanager
    def _open(self, seconds: float | None = SECONDS) -> Iterator[sqlite3.Connection]:
        """A connection of this call's own; those of earlier calls are used again, their caches are warm.

        Args:
            seconds: until the call is given up; None: never.
        """
        try:
            db = self._idle.pop() if self._idle else self._connect()
            try:
                with databases.limited(db, seconds):
                    yield db
            except BaseException:
                db.close()
                raise
            self._idle.append(db)
        except sqlite3.DatabaseError as exc:
            raise opening.fault(self.name, exc) from exc

    def _connect(self) -> sqlite3.Connection:
        db = databases.connect(self.path, busy=10, any_thread=True)
        try:
            self._prepare(db)
        except BaseException:
            db.close()
            opening.leave_nothing(self.path)
            raise
        return db

    def _prepare(self, db: sqlite3.Connection) -> None:
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version == 0:
            self._initialise(db)
        schema.check(db)
        if version == 1:
            schema.upgrade(db)
        elif version == schema.RENEWED_FROM:
            self._older = True
        elif version not in (0, SCHEMA_VERSION):
            raise SourceError(
                f"collection {self.name!r} was made by a newer version of hds",
                code="version",
                hint=f"pip install --upgrade hds-cli   or   hds index remove {self.name}",
            )
        # A power cut may lose the last batch, never the file; the next run writes it again.
        db.execute("PRAGMA synchronous=NORMAL")
        db.execute(f"PRAGMA cache_size=-{CACHE_KIB}")

    def _initialise(self, db: sqlite3.Connection) -> None:
        os.chmod(self.path, 0o600)
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("BEGIN IMMEDIATE")
        if db.execute("PRAGMA user_version").fetchone()[0] == 0:
            schema.create(db)
        db.execute("COMMIT")

    def _alone(self) -> AbstractContextManager[None]:
        """Only one update at a time; searches go on meanwhile."""
        return updating.alone(self.path, self.name)

    def update(
        self,
        documents: Iterable[updating.Item],
        origin: str,
        on_document: Callable[[int], None] | None = None,
        *,
        whole: bool = True,
        batch: int = updating.BATCH_DOCUMENTS,
    ) -> Changes:
        """Make the collection hold exactly `documents`; only what changed is written, and searches see it all at once.

        Stopped anywhere, it is taken up by the next update from the same place; what was read is not lost.

        Args:
            documents: unique by `id`; of two with one id the later wins.
            origin: where they came from, shown by `hds index list`.
            on_document: called with the number of documents done.
            whole: documents from another origin go; otherwise they stay.
            batch: documents that are written in one transaction.
        """
        self._today()
        with self._open(None) as db, self._alone():
            changes = updating.Update(db, origin, whole=whole, batch=batch).run(documents, on_document)
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return changes

    def stamps(self, origin: str) -> dict[str, str]:
        """The stamps of the stored documents from `origin`, those of a stopped update included."""
        with self._open() as db:
            rows = db.execute("SELECT doc, stamp FROM docs WHERE root = ? AND stamp != '' ORDER BY pending", (origin,))
            return dict(rows.fetchall())

    def search(self, query: str, top_k: int, prf: bool = False) -> list[SearchResult]:
        """The best documents by their best passage; a title that the query names in full counts for that document.

        `"exact words"`, `title:word`, `after:2020` and `before:2021-05` narrow it down. Quoted words that stand
        nowhere are looked for as words. With `prf` a query of words alone is searched again with feedback.

        Raises:
            SourceError: the collection was never finished (`incomplete`), or its file is damaged.
        """
        parsed = parse(query)
        if not parsed.terms:
            return []
        self._renew()
        with self._open() as db:
            if prf and parsed.plain:
                first = self._nearest(db, parsed, max(feedback.DEPTH, top_k))
                candidates = feedback.widened(db, parsed, first, top_k) if first else []
            else:
                candidates = self._nearest(db, parsed, top_k) if parsed.plain else ranking.best(db, parsed, top_k)
            if not candidates and parsed.phrases:
                candidates = ranking.best(db, replace(parsed, phrases=()), top_k)
            if not candidates:
                self._check_whole(db)
        return [
            SearchResult(one.url, one.title, snippet(one.text, parsed.terms), rank, self.name)
            for rank, one in enumerate(candidates, 1)
        ]

    def embed(self, embedder: Embedder | None = None, on_passage: Callable[[int], None] | None = None) -> int:
        """Give every passage a vector; from then on searches use both. Stopped anywhere, it goes on where it was.

        Raises:
            UsageError: the extra `embed` is not installed.
        """
        self._embedder = embedder or self._embedder or embeddings.WordLlama()
        self._today()
        with self._open(None) as db, self._alone():
            number = embeddings.write(db, self._embedder, on_passage)
        self._vectors = None
        return number

    def embedded(self) -> bool:
        """True when its passages have vectors."""
        with self._open() as db:
            return _meta(db, "embedder") is not None

    def _nearest(self, db: sqlite3.Connection, query: Query, top_k: int) -> list[ranking.Candidate]:
        """The best candidates by BM25; when there are vectors, by both ranks."""
        name = _meta(db, "embedder")
        if name is None or not self._load_embedder(name):
            return ranking.best(db, query, top_k)
        stamp = db.execute("PRAGMA data_version").fetchone()[0], db.total_changes
        if self._vectors is None or self._vectors[0] != stamp:
            self._vectors = (stamp, embeddings.Vectors(db))
        ranked = {one.doc: one for one in ranking.best(db, query, 5 * top_k)}
        near = dict(self._vectors[1].nearest(self._embedder([query.text])[0], 2 * top_k))  # type: ignore[misc]
        chosen = embeddings.fused(list(ranked), list(near))[:top_k]
        return [ranked.get(doc) or ranking.passage(db, near[doc]) for doc in chosen]

    def _load_embedder(self, name: str) -> bool:
        """True when the embedder that made the vectors is installed; without it BM25 alone ranks the passages."""
        if self._embedder is None:
            try:
                self._embedder = embeddings.WordLlama()
            except UsageError:
                return False
        return self._embedder.name == name

    def _renew(self) -> None:
        """Bring an older collection to today's form in the background; a small one is done when this returns."""
        with self._open() as db:
            older = self._older or _meta(db, renewing.VECTORS) is not None
        if older:
            self._renewing.start()
            self._renewing.wait()

    def _today(self) -> None:
        """Bring an older collection to today's form before it is written."""
        with self._open() as db:
            older = self._older or _meta(db, renewing.VECTORS) is not None
        if older:
            self._renewing.finish()

    def _embed_missing(self, db: sqlite3.Connection) -> None:
        """The vectors of passages that were cut anew, where the embedder is here."""
        self._older = False
        name = _meta(db, "embedder")
        if _meta(db, renewing.VECTORS) and (name is None or self._load_embedder(name)):
            if name is not None and self._embedder is not None:
                embeddings.write(db, self._embedder)
            db.execute("DELETE FROM meta WHERE key = ?", (renewing.VECTORS,))

    def _check_whole(self, db: sqlite3.Connection) -> None:
        root = _meta(db, "unfinished")
        if root and not db.execute("SELECT 1 FROM docs WHERE pending = 0 LIMIT 1").fetchone():
            raise SourceError(
                f"collection {self.name!r} was not finished", code="incomplete", hint=f"hds index add {root}"
            )

    def read(self, url: str) -> Page | None:
        """The whole document behind `url`, if it is in this collection."""
        with self._open() as db:
            row = db.execute("SELECT title, text, date FROM docs WHERE url = ? AND pending = 0", (url,)).fetchone()
        if row is None:
            return None
        size = len(row[1].encode())
        return Page(url, url, title=row[0], text=row[1], status="cached", bytes=size, date=row[2] or None)

    def documents(self) -> Iterator[Document]:
        """All its documents, by their ids."""
        with self._open(None) as db:
            rows = db.execute("SELECT doc, title, text, url FROM docs WHERE pending = 0 ORDER BY doc")
            for doc, title, text, url in rows:
                yield Document(doc, title, text, url)

    def titles(self, most: int) -> list[str]:
        """The titles of at most so many documents."""
        with self._open() as db:
            return [str(row[0]) for row in db.execute("SELECT title FROM docs WHERE pending = 0 LIMIT ?", (most,))]

    def origin(self) -> str | None:
        """The places that its documents came from, a line each; None before the first `update` was finished."""
        with self._open() as db:
            return _meta(db, "origin")

    def info(self) -> CollectionInfo:
        with self._open(COUNT_SECONDS) as db:
            documents = db.execute("SELECT count(*) FROM docs WHERE pending = 0").fetchone()[0]
            passages = db.execute("SELECT count(*) FROM cuts").fetchone()[0]
            origin, unfinished = _meta(db, "origin") or "", _meta(db, "unfinished") or ""
        size = sum(p.stat().st_size for p in self.path.parent.glob(self.path.name + "*"))
        return CollectionInfo(self.name, self.path, documents, passages, size, origin, unfinished)

    def remove(self) -> None:
        """Delete the collection's files."""
        while self._idle:
            self._idle.pop().close()
        for suffix in ("", "-wal", "-shm", "-lock"):
            Path(f"{self.path}{suffix}").unlink(missing_ok=True)


def _meta(db: sqlite3.Connection, key: str) -> str | None:
    row = db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return str(row[0]) if row else None


def names(folder: Path | None = None) -> list[str]:
    """The collections on disk."""
    return sorted(p.stem for p in (folder or paths.collections_dir()).glob("*.sqlite") if _NAME.fullmatch(p.stem))


def read_jsonl(path: Path, collection: str) -> Iterator[Document]:
    """The documents of a `corpus.jsonl`: objects with `title` and `text`, and maybe `id`, `url`, `source_url`, `date`.

    Pages of one title are one document, their texts in order. The file is read twice, so that memory holds its titles
    and not its texts.

    Raises:
        UsageError: a line is not such an object.
    """
    places: dict[str, list[int]] = {}
    with path.open("rb") as file:
        start = 0
        for number, line in enumerate(iter(lambda: file.readline(_MAX_LINE + 1), b""), 1):
            if len(line) > _MAX_LINE:
                raise UsageError(f"{path}, line {number}: longer than {_MAX_LINE >> 20} MiB")
            if line.strip():
                places.setdefault(_key(_row(line, path, number), number), []).append(start)
            start += len(line)
        for key, starts in places.items():
            rows = [_row(_line_at(file, start), path, 0) for start in starts]
            text = "\n\n".join(str(row["text"]) for row in rows)
            url = str(rows[0].get("source_url") or rows[0].get("url") or "")
            url = url if "://" in url else local_url(collection, key)
            yield Document(key, str(rows[0]["title"]).strip(), text, url, str(rows[0].get("date") or "")[:10])


def _line_at(file: BinaryIO, start: int) -> bytes:
    file.seek(start)
    return file.readline()


def _key(row: dict[str, Any], number: int) -> str:
    return str(row["title"]).strip() or str(row.get("id", number))


def _row(line: bytes, path: Path, number: int) -> dict[str, Any]:
    try:
        row = jsons.loads(line, errors="replace")
        return {**row, "title": row["title"], "text": row["text"]}
    except (ValueError, KeyError, TypeError) as exc:
        raise UsageError(
            f"{path}, line {number}: not an object with a title and a text ({exc!r})",
            hint='a line looks like {"id": "1", "title": "…", "text": "…", "url": "…"}',
        ) from exc


def local_url(collection: str, document: str) -> str:
    """The address of a document that has no other: `local://collection/document`."""
    from urllib.parse import quote

    return f"local://{collection}/{quote(document)}"
