"""Processes that keep other models warm are asked to end."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

from hds_cli import locks
from hds_cli.engine.warm import place
from hds_cli.engine.warm.frames import Frames

_PAUSE = 0.02  # seconds between two looks at whether a process has ended


def retire(folder: Path, but: Path | None = None, *, seconds: float = 0.0) -> int:
    """Ask the processes whose sockets are in `folder` to end when nobody is served; returns how many were asked.

    Args:
        seconds: waits so long for the end of those that serve nobody, and with it for their memory.
    """
    asked, deadline = 0, time.monotonic() + seconds
    for path in sorted(folder.glob("*.sock")):
        if path == but or (end := place.connected(path)) is None:
            continue
        frames = Frames(end)
        with contextlib.suppress(OSError), _lock_of(path) as lock:
            frames.send({"do": "retire"})
            asked += 1
            left = deadline - time.monotonic()
            if left > 0 and not (frames.receive(left) or {}).get("busy"):
                while not locks.hold(lock) and time.monotonic() < deadline:
                    time.sleep(_PAUSE)
        frames.close()
    return asked


@contextlib.contextmanager
def _lock_of(path: Path) -> Iterator[int]:
    """The lock file of a socket, open: its process holds the lock to its end, also after the file is gone."""
    lock = os.open(path.with_suffix(".lock"), os.O_RDWR)
    try:
        yield lock
    finally:
        os.close(lock)


__all__ = ["retire"]
