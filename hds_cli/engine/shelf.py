"""Evaluated beginnings of prompts, kept in files from one start of the program to the next.

A file's name says of which model and parameters it is, and of which tokens; its content is looked at only when both
fit. What is damaged, too large, or not this user's own is no find. The files used last stay, as far as they fit.
"""

from __future__ import annotations

import array
import contextlib
import hashlib
import json
import os
import re
import stat
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hds_cli import paths
from hds_cli.engine import state

_NAME = re.compile(r"([0-9a-f]{16})-([0-9]{1,9})-([0-9a-f]{32})\.state")
_STALE = 3600.0  # seconds after which a file that is still being written belongs to a process that died


@dataclass(frozen=True)
class Found:
    """The state after the first `count` tokens of a text, and its file."""

    count: int
    state: bytes
    path: Path


class Shelf:
    """The files in `folder`. Every method can be called from several threads and processes; a fault is no find.

    Args:
        folder: where; made (0700) with the first file. One that is open to others is not used.
        limit: bytes on disk; one file takes half of them at most.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        self.folder, self.limit = folder, limit
        self._lock = threading.Lock()

    @classmethod
    def standard(cls, mebibytes: float) -> Shelf:
        """The one in the cache directory, of so many MiB."""
        return cls(paths.cache_dir() / "states", int(mebibytes * (1 << 20)))

    def find(self, identity: Mapping[str, Any], tokens: Sequence[int]) -> Found | None:
        """The longest beginning of `tokens` that is kept under `identity`."""
        if not paths.is_private(self.folder):
            return None
        of, data = _digest(identity), array.array("i", tokens)
        counts = [(count, name) for name, whose, count in self._names() if whose == of and count <= len(tokens)]
        for count, name in sorted(counts, reverse=True):
            if name != _name(of, data[:count]):
                continue
            path = self.folder / name
            with contextlib.suppress(OSError):
                with open(path, "rb", opener=_opened) as file:
                    if not _is_own(file.fileno(), self.limit):
                        continue
                    body = state.read_open(file, _head(identity, data[:count]))
                if body:
                    os.utime(path)
                    return Found(count, body, path)
                path.unlink()  # damaged: it would be read each time
        return None

    def put(self, identity: Mapping[str, Any], tokens: Sequence[int], body: bytes) -> Path | None:
        """Keep the state after `tokens`; None when it is too large or cannot be written."""
        data = array.array("i", tokens)
        path = self.folder / _name(_digest(identity), data)
        if len(body) > self.limit // 2:
            return None
        with self._lock, contextlib.suppress(OSError):
            if not paths.is_private(paths.private_dir(self.folder)):
                return None  # nothing would be found there
            if not path.exists():
                state.write(path, _head(identity, data), body)
                self.prune()
            return path
        return None

    def prune(self) -> int:
        """Drop the files that were not used for the longest time, beyond the limit; returns how many."""
        gone, room = 0, self.limit
        for path, size, _ in sorted(self._files(), key=lambda entry: -entry[2]):
            room -= size
            if room < 0:
                gone += _removed(path)
        return gone

    def clear(self) -> int:
        """Drop every file; returns how many."""
        return sum(_removed(path) for path, _, _ in list(self._files()))

    def size(self) -> tuple[int, int]:
        """(files, bytes)."""
        sizes = [size for _, size, _ in self._files()]
        return len(sizes), sum(sizes)

    def _names(self) -> Iterator[tuple[str, str, int]]:
        """(name, digest of the identity, tokens) of each file."""
        with contextlib.suppress(OSError):
            for name in os.listdir(self.folder):
                if match := _NAME.fullmatch(name):
                    yield name, match[1], int(match[2])

    def _files(self) -> Iterator[tuple[Path, int, float]]:
        """(path, bytes, time of its last use) of each file; what a process that died has left is removed."""
        for name, _, _ in self._names():
            with contextlib.suppress(OSError):
                known = (self.folder / name).lstat()
                yield self.folder / name, known.st_size, known.st_mtime
        for part in self.folder.glob("*.part"):
            with contextlib.suppress(OSError):
                if time.time() - part.lstat().st_mtime > _STALE:
                    part.unlink()


def _digest(identity: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:16]


def _name(of: str, tokens: array.array[int]) -> str:
    return f"{of}-{len(tokens)}-{hashlib.sha256(tokens.tobytes()).hexdigest()[:32]}.state"


def _head(identity: Mapping[str, Any], tokens: array.array[int]) -> dict[str, Any]:
    return {**identity, "tokens": hashlib.sha256(tokens.tobytes()).hexdigest()}


def _opened(path: str, flags: int) -> int:
    """An `opener` that follows no link, and waits for nobody at the other end of a pipe."""
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))


def _is_own(file: int, most: int) -> bool:
    """True for an open plain file of this user's that nobody else may write, of at most so many bytes."""
    known = os.fstat(file)
    plain = stat.S_ISREG(known.st_mode) and known.st_size <= most
    return plain and (os.name != "posix" or (known.st_uid == os.geteuid() and not known.st_mode & 0o022))


def _removed(path: Path) -> bool:
    try:
        path.unlink()
    except OSError:
        return False
    return True
