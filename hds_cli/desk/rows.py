"""Rows on disk that a kill cannot take: one JSON object a line, appended and flushed, found again by their place.

The first line says how they are made. What was killed leaves whole lines and maybe a torn last one, which is cut off.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Hashable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from types import TracebackType
from typing import Any

from hds_cli import jsons, locks, paths
from hds_cli.config import Settings
from hds_cli.errors import OutputError, UsageError
from hds_cli.types import ModelInfo

Row = dict[str, Any]
_BLOCK = 1 << 16


def of_model(info: ModelInfo, settings: Settings) -> Row:
    """The model as a head has it: what was chosen by the memory that was free is another thing at the next start.

    The checksum identifies the file.
    """
    said = asdict(replace(info, file=None))
    chosen = {"n_ctx": settings.n_ctx is None, "n_gpu_layers": settings.n_gpu_layers < 0, "kv": True, "n_batch": True}
    return {name: value for name, value in said.items() if not chosen.get(name)}


class Rows:
    """A file of rows, of which only the places are kept in memory.

    Args:
        path: the file; its folder is made.
        head: how the rows are made; rows of another head are not gone on with.
        key: the fields of a row that say which it is.
    """

    def __init__(self, path: Path, head: Row, key: tuple[str, ...]) -> None:
        self.path, self._head, self._key = path, head, key
        self._places: dict[Hashable, tuple[int, int]] = {}
        self._file: io.BufferedRandom | None = None

    def open(self, *, resume: bool) -> Rows:
        """Begin, or go on with what is there.

        Raises:
            UsageError: the rows were made in another way, or another process is at them.
            OutputError: the file cannot be written.
        """
        try:
            paths.folder_of(self.path)
            file = os.fdopen(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600), "rb+")
        except OSError as exc:
            raise OutputError(f"cannot write {self.path}: {exc.strerror}", hint="-o FILE") from exc
        self._file = file
        if not locks.hold(file.fileno()):
            raise UsageError(f"another process is writing {self.path}", hint="wait for it, or -o OTHER-FILE")
        if resume:
            cut_torn_line(self.path)
        if resume and file.seek(0, os.SEEK_END):
            self._find()
        else:
            file.truncate(0)
            self._write(json.dumps(self._head).encode())
        return self

    def _find(self) -> None:
        """Note where each row lies.

        Raises:
            UsageError: the head is another one, or a line is no row.
        """
        assert self._file is not None
        self._file.seek(0)
        line = self._file.readline()
        agree(self.path, _object(self.path, 1, line), self._head)
        for number, line in enumerate(iter(self._file.readline, b""), 2):
            row = _object(self.path, number, line)
            self._places[tuple(row.get(name) for name in self._key)] = (self._file.tell() - len(line), len(line))

    def append(self, row: Row) -> None:
        """Keep a row; it is in the file when this returns.

        Raises:
            OutputError: the disk is full, or the like.
        """
        line = json.dumps(row, ensure_ascii=True).encode()
        self._places[tuple(row.get(name) for name in self._key)] = (self._write(line), len(line) + 1)

    def _write(self, line: bytes) -> int:
        """Append a line; returns where it begins."""
        assert self._file is not None
        at = self._file.seek(0, os.SEEK_END)
        try:
            self._file.write(line + b"\n")
            self._file.flush()
        except OSError as exc:
            raise OutputError(f"cannot write {self.path}: {exc.strerror}", hint="-o FILE on another disk") from exc
        return at

    def __contains__(self, key: Hashable) -> bool:
        return key in self._places

    def line(self, key: Hashable) -> bytes:
        """The row as it lies in the file, with its line end."""
        assert self._file is not None
        at, size = self._places[key]
        self._file.seek(at)
        return self._file.read(size)

    def remove(self) -> None:
        """Take the file away: its rows are elsewhere by now."""
        self.path.unlink(missing_ok=True)

    def __enter__(self) -> Rows:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()


def agree(path: Path, was: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Compare the head of a file with that of a run that would go on with it.

    Raises:
        UsageError: they differ.
    """
    for key in sorted({*was, *now}):
        if was.get(key) != now.get(key):
            raise UsageError(
                f"{path} was made with another {key}: {_short(was.get(key))}, not {_short(now.get(key))}",
                hint="the same command with --resume, or another file, or --overwrite",
            )


def cut_torn_line(path: Path) -> None:
    """Drop what a killed process left behind the last whole line."""
    if not path.exists():
        return
    with path.open("rb+") as file:
        end = file.seek(0, os.SEEK_END)
        while end:
            start = max(0, end - _BLOCK)
            file.seek(start)
            at = file.read(end - start).rfind(b"\n")
            if at >= 0:
                end = start + at + 1
                break
            end = start
        file.truncate(end)


def _object(path: Path, number: int, line: bytes) -> Row:
    try:
        row = jsons.loads(line)
    except ValueError:
        row = None
    if not isinstance(row, dict):
        raise UsageError(f"{path}, line {number}: not a row of hds", hint="--overwrite, or another file")
    return row


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 120 else text[:117] + "…"


__all__ = ["Row", "Rows", "agree", "cut_torn_line", "of_model"]
