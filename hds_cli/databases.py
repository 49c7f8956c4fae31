"""SQLite files, which may come from anywhere: opened without trust, held to plain tables, and bounded in time.

A file can say that a table is a view over a query without an end, or hang a trigger on it; then the first statement
that names the table hangs. So the schema is looked at before it is used (SQLite, "Defense Against The Dark Arts").
"""

from __future__ import annotations

import os
import re
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

_STEPS = 20_000  # steps of SQLite's virtual machine between two looks at the clock
_MOST = 200  # objects of a schema
_LONGEST = 10_000  # characters of a statement
_INDEX = re.compile(r'CREATE (UNIQUE )?INDEX "?\w+"? ON "?\w+"? ?\(("?\w+"?(, ?)?)+\)( WHERE \w+)?')
_FTS5 = re.compile(r'CREATE VIRTUAL TABLE "?\w+"? USING fts5\(', re.I)
_OUTSIDE = re.compile(r"\bcontent\s*=\s*(?!''|\"\")|\bcontent_rowid\b", re.I)
_COMPUTED = re.compile(r"\b(?:CHECK|GENERATED|COLLATE|REFERENCES|SELECT)\b|\bAS\s*\(", re.I)
_LITERAL = re.compile(r"-?\d{1,18}|'[^']*'")


def connect(path: Path, *, busy: float, any_thread: bool = False) -> sqlite3.Connection:
    """A connection that trusts nothing in the file's schema; `busy`: seconds to wait for another process.

    Where the folder cannot be written it only reads, and makes no files beside. A new file is closed to others.
    """
    writable = os.access(path.parent, os.W_OK)
    if writable:
        with suppress(OSError):
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    address = f"file:{quote(os.fsencode(path))}{'' if writable else '?immutable=1'}"
    db = sqlite3.connect(address, uri=True, timeout=busy, isolation_level=None, check_same_thread=not any_thread)
    try:
        db.execute("PRAGMA trusted_schema=OFF")
        db.execute("PRAGMA cell_size_check=ON")
    except sqlite3.Error:
        db.close()
        raise
    return db


def check(db: sqlite3.Connection, needed: Mapping[str, Iterable[str]], triggers: Iterable[str] = ()) -> None:
    """Make sure that a database holds plain tables, the needed ones among them.

    Args:
        needed: the columns that each table must have.
        triggers: statements of the triggers that there may be.

    Raises:
        sqlite3.DatabaseError: a table is missing, or is a view, or something in the file computes.
    """
    objects = db.execute("SELECT type, name, sql FROM sqlite_master LIMIT ?", (_MOST + 1,)).fetchall()
    if len(objects) > _MOST:
        raise sqlite3.DatabaseError("more tables than any file of hds")
    allowed = {_plain(statement).replace('"', "") for statement in triggers}
    tables = set()
    for kind, name, sql in objects:
        if not isinstance(name, str) or not _harmless(kind, sql, allowed):
            raise sqlite3.DatabaseError(f"a {kind} that is not of hds: {str(name)[:60]}")
        if kind == "table":
            tables.add(name)
            _check_columns(db, name, virtual=_FTS5.match(_plain(sql)) is not None)
    for table, columns in needed.items():
        if table not in tables:
            raise sqlite3.DatabaseError(f"no table {table}")
        columns_of_table = {row[0] for row in db.execute("SELECT name FROM pragma_table_info(?)", (table,))}
        if missing := set(columns) - columns_of_table:
            raise sqlite3.DatabaseError(f"no column {min(missing)} in the table {table}")


def _harmless(kind: object, sql: object, triggers: set[str]) -> bool:
    """True for what only holds data: an ordinary table, an FTS5 index over nothing else, an index over columns."""
    if kind == "index" and sql is None:
        return True  # made by SQLite for a UNIQUE column
    if not isinstance(sql, str) or len(sql) > _LONGEST:
        return False
    text = _plain(sql)
    if kind == "index":
        return _INDEX.fullmatch(text) is not None
    if kind == "trigger":
        return text.replace('"', "") in triggers
    if kind != "table":
        return False
    if _FTS5.match(text):
        return not _OUTSIDE.search(text)
    return text.upper().startswith("CREATE TABLE ") and not _COMPUTED.search(text)


def _check_columns(db: sqlite3.Connection, table: str, *, virtual: bool) -> None:
    """No column may be computed, nor have a default that is more than a number or a word."""
    for hidden, default in db.execute("SELECT hidden, dflt_value FROM pragma_table_xinfo(?)", (table,)):
        if (hidden and not virtual) or (default is not None and not _LITERAL.fullmatch(str(default))):
            raise sqlite3.DatabaseError(f"a column that computes in the table {table[:60]}")


def _plain(sql: str) -> str:
    return " ".join(sql.split()).removesuffix(";")


@contextmanager
def limited(db: sqlite3.Connection, seconds: float | None) -> Iterator[None]:
    """A context whose statements end after `seconds` (None: no limit), and at a Ctrl-C even in the middle of one.

    Raises:
        sqlite3.OperationalError: the time is over.
        KeyboardInterrupt: it was stopped; SQLite would call that an error of its own.
    """
    until = time.monotonic() + seconds if seconds is not None else None
    stopped = False

    def look() -> bool:
        nonlocal stopped
        try:
            return until is not None and time.monotonic() > until
        except KeyboardInterrupt:
            stopped = True
            return True

    db.set_progress_handler(look, _STEPS)
    try:
        yield
    except sqlite3.OperationalError as exc:
        if stopped:
            raise KeyboardInterrupt from exc
        if until is not None and time.monotonic() > until:
            raise sqlite3.OperationalError(f"it took longer than {seconds:g} s") from exc
        raise
    finally:
        db.set_progress_handler(None, 0)
