"""The tables of a collection, and how an older one becomes today's."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from hds_cli import databases
from hds_cli.search import embeddings
from hds_cli.search.query import title_key
from hds_cli.text import cut_passages, indexed
from hds_cli.types import Document

SCHEMA_VERSION = 3
RENEWED_FROM = 2  # the version that `renewing` makes today's
PASSAGE_WORDS = 100  # tuned on musique, hotpotqa, fanoutqa_synth and factbook
# `passages` holds the words alone, `cuts` the text; `pending` documents belong to an update that is not finished.
_DOCUMENTS = """
CREATE TABLE docs(id INTEGER PRIMARY KEY, doc TEXT NOT NULL, pending INTEGER NOT NULL, root TEXT NOT NULL,
                  url TEXT NOT NULL, title TEXT NOT NULL, key TEXT NOT NULL, date TEXT NOT NULL, hash BLOB NOT NULL,
                  stamp TEXT NOT NULL, text TEXT NOT NULL, UNIQUE(doc, pending));
CREATE INDEX docs_url ON docs(url);
CREATE INDEX docs_key ON docs(key);
CREATE INDEX docs_pending ON docs(id) WHERE pending;
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL)
"""
# The words are folded before they go in; the tokenizer parts words, keeps the marks that belong to them, and stems.
_PASSAGES = """
CREATE TABLE cuts{0}(id INTEGER PRIMARY KEY, doc INTEGER NOT NULL, heading TEXT NOT NULL, text TEXT NOT NULL);
CREATE INDEX cuts_by_doc{1} ON cuts{0}(doc);
CREATE VIRTUAL TABLE passages{0} USING fts5(title, heading, text, content='',
    tokenize="porter unicode61 remove_diacritics 0 categories 'L* N* Co Mn Mc'")
"""


def create(db: sqlite3.Connection) -> None:
    """Make the tables, inside a transaction of the caller's."""
    for statement in _DOCUMENTS.split(";\n"):
        db.execute(statement)
    create_passages(db)
    db.execute(f"PRAGMA user_version={SCHEMA_VERSION}")


def create_passages(db: sqlite3.Connection, suffix: str = "") -> None:
    """Make the tables of the passages, under names that end in `suffix`."""
    for statement in _PASSAGES.format(suffix, SCHEMA_VERSION).split(";\n"):
        db.execute(statement)


def check(db: sqlite3.Connection) -> None:
    """Make sure that a collection of any version holds its tables, and nothing that computes.

    Raises:
        sqlite3.DatabaseError: a table is missing, or something in the file computes.
    """
    version = db.execute("PRAGMA user_version").fetchone()[0]
    needed = {"docs": ("doc", "title", "text", "url"), "passages": (), "passages_data": (), "meta": ("key", "value")}
    if version > 1:
        needed |= {"docs": ("doc", "pending", "title", "key", "text", "url"), "cuts": ("doc", "heading", "text")}
    databases.check(db, needed, (embeddings.TRIGGER,))


def upgrade(db: sqlite3.Connection) -> None:
    """Make a collection of version 1 one of today's, from the texts that it holds itself; all of it or nothing."""
    db.execute("BEGIN IMMEDIATE")
    try:
        if db.execute("PRAGMA user_version").fetchone()[0] == 1:
            row = db.execute("SELECT value FROM meta WHERE key = 'origin'").fetchone()
            _rename_old(db)
            create(db)
            for document in _old_documents(db):
                insert(db, document, row[0] if row else "", pending=False)
            db.execute("INSERT INTO meta SELECT key, value FROM old_meta")
            db.execute("DROP TABLE old_docs")
            db.execute("DROP TABLE old_meta")
        db.execute("COMMIT")
    except BaseException:
        db.execute("ROLLBACK")
        raise


def _rename_old(db: sqlite3.Connection) -> None:
    db.execute("DROP TABLE passages")
    db.execute("DROP INDEX docs_url")
    db.execute("ALTER TABLE docs RENAME TO old_docs")
    db.execute("ALTER TABLE meta RENAME TO old_meta")


def _old_documents(db: sqlite3.Connection) -> Iterator[Document]:
    for row in db.execute("SELECT doc, title, text, url FROM old_docs ORDER BY id"):
        yield Document(*row)


def digest(document: Document) -> bytes:
    """A digest of a document, which differs when the document changed."""
    import hashlib

    checksum = hashlib.sha256(
        "\0".join((document.title, document.url, document.date, "")).encode("utf-8", "surrogatepass")
    )
    for start in range(0, len(document.text), 1 << 20):  # in pieces: a text may be long
        checksum.update(document.text[start : start + (1 << 20)].encode("utf-8", "surrogatepass"))
    return checksum.digest()[:16]


def insert(
    db: sqlite3.Connection,
    document: Document,
    root: str,
    *,
    stamp: str = "",
    pending: bool = True,
) -> int:
    """Write a document and its passages; returns the document's number."""
    title, text = _writable(document.title), _writable(document.text)
    cursor = db.execute(
        "INSERT INTO docs(doc, pending, root, url, title, key, date, hash, stamp, text) VALUES(?,?,?,?,?,?,?,?,?,?)",
        (document.id, int(pending), root, document.url, title, title_key(title), document.date, digest(document),
         stamp, text),
    )  # fmt: skip
    number = int(cursor.lastrowid or 0)
    insert_passages(db, number, title, text)
    return number


def insert_passages(db: sqlite3.Connection, number: int, title: str, text: str, suffix: str = "") -> None:
    """Write the passages of a document."""
    words = indexed(title)
    for cut in cut_passages(text, PASSAGE_WORDS, longest=4 * PASSAGE_WORDS):
        row = db.execute(
            f"INSERT INTO cuts{suffix}(doc, heading, text) VALUES(?, ?, ?)", (number, cut.heading, cut.text)
        )
        db.execute(
            f"INSERT INTO passages{suffix}(rowid, title, heading, text) VALUES(?, ?, ?, ?)",
            (int(row.lastrowid or 0), words, indexed(cut.heading), indexed(cut.text)),
        )


def delete(db: sqlite3.Connection, number: int) -> None:
    """Take a document and its passages out; a contentless index wants the very words back."""
    row = db.execute("SELECT title FROM docs WHERE id = ?", (number,)).fetchone()
    for cut, heading, text in db.execute("SELECT id, heading, text FROM cuts WHERE doc = ?", (number,)).fetchall():
        db.execute(
            "INSERT INTO passages(passages, rowid, title, heading, text) VALUES('delete', ?, ?, ?, ?)",
            (cut, indexed(row[0]), indexed(heading), indexed(text)),
        )
    db.execute("DELETE FROM cuts WHERE doc = ?", (number,))
    db.execute("DELETE FROM docs WHERE id = ?", (number,))


def _writable(text: str) -> str:
    """Text that SQLite takes: lone surrogates (from file names, say) become marks."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
