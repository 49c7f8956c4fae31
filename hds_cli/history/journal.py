"""The journal of a run: the lines that `--jsonl` prints, written as they happen. A reader skips damaged lines.

A line is one `write` to a file opened for appending: a killed process leaves whole lines and at most a half one.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from hds_cli import locks, paths
from hds_cli.events import Emit, Event, Notice, UnknownEvent, from_dict, line
from hds_cli.history.lines import SUFFIX, parsed, raw_lines


class Journal:
    """Appends the events of a run to its file, which is made (0600) when the run begins.

    What is said before waits for that: a run that never begins leaves no file. A fault ends the writing, never the
    run: `fault` then says what is wrong.
    """

    def __init__(self, run_id: str, folder: Path | None = None) -> None:
        self.run_id = run_id
        self.fault: str | None = None
        self._path = (folder or paths.runs_dir()) / f"{run_id}{SUFFIX}"
        self._file: int | None = None
        self._size = 0
        self._early: list[Event] = []

    def handle(self, event: Event) -> None:
        if self.fault is not None:
            return
        try:
            if self._file is None:
                self._early.append(event)
                if isinstance(event, Notice):
                    return
                self._file = _create(self._path)
            for one in self._early or [event]:
                self._append((line(one) + "\n").encode("ascii"))
            self._early = []
        except OSError as exc:
            self.fault = exc.strerror or type(exc).__name__
            self._leave_whole_lines()
            if self._file is not None and self._size == 0:  # an empty file would be listed as a run
                self._path.unlink(missing_ok=True)

    def close(self) -> None:
        """Let the file go: the run is over."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _append(self, data: bytes) -> None:
        assert self._file is not None
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self._file, rest) :]
        self._size += len(data)

    def _leave_whole_lines(self) -> None:
        if self._file is not None:
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, self._size)


def keep(journal: Journal, then: Emit) -> Emit:
    """An `emit` that writes every event to the journal and then hands it on; a fault is said once."""
    warned = False

    def handle(event: Event) -> None:
        nonlocal warned
        journal.handle(event)
        then(event)
        if journal.fault is not None and not warned:
            warned = True
            message = f"this run is not kept in the history: {journal.fault}"
            then(Notice(t=event.t, level="warning", code="history", message=message))

    return handle


def _create(path: Path) -> int:
    paths.private_dir(path.parent)
    if os.name == "posix" and path.parent.stat().st_mode & 0o077:
        path.parent.chmod(0o700)
    file = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND, 0o600)
    locks.hold(file)
    return file


def running(path: Path) -> bool:
    """True when the process that writes a journal is alive."""
    try:
        file = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        return not locks.hold(file)
    finally:
        os.close(file)


@dataclass(frozen=True)
class Record:
    """The events of a journal, and the numbers of its damaged lines and of lines that another version of hds wrote."""

    events: tuple[Event, ...]
    damaged: int = 0
    unknown: int = 0


def read(stream: BinaryIO) -> Record:
    """The events of a journal. Lines that are no event, or one unknown to this version, are counted and left out."""
    events: list[Event] = []
    damaged = unknown = 0
    for event in each(stream):
        if event is None:
            damaged += 1
        elif isinstance(event, UnknownEvent):
            unknown += 1
        else:
            events.append(event)
    return Record(tuple(events), damaged, unknown)


def each(stream: BinaryIO) -> Iterator[Event | UnknownEvent | None]:
    """The events of a journal one by one; None for a line that is none, the error for one of another version."""
    for raw in raw_lines(stream):
        try:
            yield from_dict(parsed(raw))
        except UnknownEvent as exc:
            yield exc
        except ValueError:
            yield None


def whole_lines(stream: BinaryIO) -> Iterator[tuple[bytes, bool]]:
    """Every line as it was written, and whether it is whole."""
    for raw in raw_lines(stream):
        try:
            parsed(raw)
        except ValueError:
            yield raw, False
        else:
            yield raw, True
