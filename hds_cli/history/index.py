"""The index of all runs: SQLite FTS5 over the journals, made from them again whenever it is missing.

The journals are the truth. Each call looks at the folder's listing first and reads those that are new or have grown.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from hds_cli import databases, paths
from hds_cli.events import RunStarted, from_dict
from hds_cli.history.lines import parsed, raw_lines
from hds_cli.history.store import RunStore
from hds_cli.run_state import RunState

_VERSION = 1
_BATCH = 200
_SKIPPED = tuple(
    f'{{"event": "{name}"'.encode()
    for name in ("thought_delta", "answer_delta", "search_started", "search_finished", "page_requested")
)
_WEIGHTS = "4.0, 2.0, 1.0"  # question, answer, evidence
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Summary:
    """A run on one line. `status` is `stopped` when its journal has no end; `seconds` go to the last event."""

    run_id: str
    started_at: str = ""
    question: str = ""
    status: str = "stopped"
    answer: str | None = None
    model: str = ""
    sources: str = ""
    turns: int = 0
    queries: int = 0
    pages: int = 0
    seconds: float = 0.0
    continues: str | None = None
    resumes: str | None = None


_COLUMNS = [field.name for field in fields(Summary)]


@dataclass(frozen=True)
class Hit:
    """A run that a search found, and the words around what was found."""

    run: Summary
    snippet: str


class RunIndex:
    """The index of a store; kept in the cache directory, or in memory where that cannot be written.

    Args:
        progress: called with the number of new journals read so far and their total, when there are many.
    """

    def __init__(self, store: RunStore, path: Path | None = None, progress: Progress | None = None) -> None:
        self._store, self._progress = store, progress or (lambda done, total: None)
        self._path = path or paths.cache_dir() / "runs.sqlite"
        try:
            self._db = _opened(self._path)
            self._catch_up()
        except sqlite3.OperationalError:  # locked, full or read-only: this once without it
            self._in_memory()
        except (sqlite3.DatabaseError, OSError):
            self._begin_again()

    def latest(self, limit: int | None = None) -> list[Summary]:
        """The runs, the last one first."""
        select = f"SELECT {', '.join(_COLUMNS)} FROM runs ORDER BY started_at DESC, run_id LIMIT ?"
        return [Summary(*row) for row in self._db.execute(select, (-1 if limit is None else limit,))]

    def search(self, words: Sequence[str], limit: int = 20) -> list[Hit]:
        """The runs whose question, answer or evidence has all the words, best first."""
        terms = [f'"{word}"' for word in " ".join(words).replace('"', " ").split()]
        if not terms:
            return []
        columns = ", ".join(f"runs.{name}" for name in _COLUMNS)
        select = (
            f"SELECT {columns}, snippet(words, -1, '', '', '…', 14) FROM words JOIN runs ON runs.rowid = words.rowid "
            f"WHERE words MATCH ? ORDER BY bm25(words, {_WEIGHTS}) LIMIT ?"
        )
        return [Hit(Summary(*row[:-1]), row[-1]) for row in self._db.execute(select, (" ".join(terms), limit))]

    def __len__(self) -> int:
        return int(self._db.execute("SELECT count(*) FROM runs").fetchone()[0])

    def close(self) -> None:
        self._db.close()

    def _in_memory(self) -> None:
        self._db = _prepared(sqlite3.connect(":memory:"))
        self._catch_up()

    def _begin_again(self) -> None:
        """Delete an index that is damaged or of another version, and make it from the journals."""
        with suppress(OSError, AttributeError, sqlite3.Error):
            self._db.close()
        try:
            for suffix in ("", "-wal", "-shm", "-journal"):
                Path(f"{self._path}{suffix}").unlink(missing_ok=True)
            self._db = _opened(self._path)
            self._catch_up()
        except (sqlite3.Error, OSError):
            self._in_memory()

    def _catch_up(self) -> None:
        """Take in the journals that are new or have grown, and forget those that are gone."""
        known = {row[0]: row[1:3] for row in self._db.execute("SELECT run_id, size, changed FROM runs")}
        growing = {row[0] for row in self._db.execute("SELECT run_id FROM runs WHERE status = 'stopped'")}
        stamps: dict[str, tuple[int, int]] = {}
        for run_id, entry in self._store.listing():
            if run_id in known and run_id not in growing:
                stamps[run_id] = known[run_id]  # the journal of a run that came to its end does not change
                continue
            with suppress(OSError):
                status = entry.stat()
                stamps[run_id] = (status.st_size, status.st_mtime_ns)
        fresh = [run_id for run_id, stamp in stamps.items() if known.get(run_id) != stamp]
        gone = [run_id for run_id in known if run_id not in stamps]
        for start in range(0, len(fresh), _BATCH):
            self._db.execute("BEGIN IMMEDIATE")  # another process may be at the same journals
            with self._db:
                for run_id in fresh[start : start + _BATCH]:
                    self._put(run_id, stamps[run_id])
            self._progress(min(start + _BATCH, len(fresh)), len(fresh))
        if gone:
            self._db.execute("BEGIN IMMEDIATE")
            with self._db:
                for run_id in gone:
                    self._forget(run_id)

    def _put(self, run_id: str, stamp: tuple[int, int]) -> None:
        try:
            with self._store.path(run_id).open("rb") as stream:
                summary, evidence = summarise(run_id, raw_lines(stream))
        except OSError:
            return
        self._forget(run_id)
        marks = ", ".join("?" * (len(_COLUMNS) + 2))
        values = [_storable(getattr(summary, name)) for name in _COLUMNS]
        row = self._db.execute(
            f"INSERT INTO runs ({', '.join(_COLUMNS)}, size, changed) VALUES ({marks})", (*values, *stamp)
        ).lastrowid
        texts = (_storable(summary.question), _storable(summary.answer or ""), _storable(evidence))
        self._db.execute("INSERT INTO words (rowid, question, answer, evidence) VALUES (?, ?, ?, ?)", (row, *texts))

    def _forget(self, run_id: str) -> None:
        row = self._db.execute("SELECT rowid FROM runs WHERE run_id = ?", (run_id,)).fetchone()
        if row is not None:
            self._db.execute("DELETE FROM words WHERE rowid = ?", row)
            self._db.execute("DELETE FROM runs WHERE rowid = ?", row)


def summarise(run_id: str, lines: Iterable[bytes]) -> tuple[Summary, str]:
    """A journal as its summary and the words of its evidence; damaged and unknown lines are passed over."""
    state = RunState()
    for raw in lines:
        if not raw.startswith(_SKIPPED):
            with suppress(ValueError):
                state.apply(from_dict(parsed(raw)))
    started, finished, queries = state.started, state.finished, list(state.queries)
    proposed = [query for query in queries if query.text]
    pages = {page.url for query in queries for page in query.pages.values() if page.ok}
    evidence = dict.fromkeys(f"{p.title} {p.heading} {p.text}" for p in state.passages)
    summary = Summary(
        run_id=run_id,
        status=finished.status if finished else "stopped",
        answer=(finished.answer if finished else None) or None,
        turns=sum(any(query.text for query in turn.queries.values()) for turn in state.turns.values()),
        queries=len(proposed), pages=len(pages), seconds=state.now,
        **_beginning(started) if started else {},
    )  # fmt: skip
    return summary, "\n".join([*(query.text for query in proposed), *evidence])


def _beginning(started: RunStarted) -> dict[str, Any]:
    return {
        "started_at": started.started_at,
        "question": started.question,
        "model": started.model.name,
        "sources": ", ".join(started.sources),
        "continues": started.continues or None,
        "resumes": started.resumes or None,
    }


def _storable(value: Any) -> Any:
    """Lone surrogates cannot be stored as UTF-8."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


def _opened(path: Path) -> sqlite3.Connection:
    """The database, made (0600) when it is not there.

    Raises:
        sqlite3.Error, OSError: it cannot be used.
    """
    try:
        paths.private_dir(path.parent)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as exc:
        raise sqlite3.OperationalError(str(exc)) from exc
    return _prepared(databases.connect(path, busy=2.0))


def _prepared(db: sqlite3.Connection) -> sqlite3.Connection:
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if version not in (0, _VERSION):
        raise sqlite3.DatabaseError("of another version")
    if version == 0:
        kinds = {"turns": "INTEGER", "queries": "INTEGER", "pages": "INTEGER", "seconds": "REAL"}
        columns = ", ".join(f"{name} {kinds.get(name, 'TEXT')}" for name in _COLUMNS)
        db.executescript(
            f"BEGIN; CREATE TABLE runs ({columns}, size INTEGER, changed INTEGER);"
            "CREATE UNIQUE INDEX by_id ON runs (run_id); CREATE INDEX by_time ON runs (started_at);"
            "CREATE VIRTUAL TABLE words USING fts5(question, answer, evidence, "
            "tokenize = 'unicode61 remove_diacritics 2');"
            f"PRAGMA user_version = {_VERSION}; COMMIT;"
        )
    databases.check(db, {"runs": (*_COLUMNS, "size", "changed"), "words": (), "words_data": (), "words_content": ()})
    db.execute("PRAGMA secure_delete = ON")
    return db


__all__ = ["Hit", "RunIndex", "Summary", "summarise"]
