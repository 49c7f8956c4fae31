"""The file of a collection: opened also where nothing can be written, and its faults told apart."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from hds_cli.errors import HdsError, OutputError, SourceError

_NO_ROOM = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR}
_ELSEWHERE = "HDS_HOME=OTHER/FOLDER, or room on the disk (hds cache prune)"


def leave_nothing(path: Path) -> None:
    """Remove the empty file of a collection that could not be begun."""
    with contextlib.suppress(OSError):
        if path.stat().st_size == 0:
            path.unlink()


def fault(name: str, exc: sqlite3.DatabaseError) -> HdsError:
    """The error for a collection that SQLite cannot use: the disk's fault, or the file's own."""
    if getattr(exc, "sqlite_errorcode", 0) & 0xFF in _NO_ROOM:
        return OutputError(f"the collection {name!r} cannot be written: {exc}", hint=_ELSEWHERE)
    return SourceError(f"collection {name!r} cannot be used: {exc}", code="collection", hint=f"hds index remove {name}")
