"""Locks between processes, by flock(2); where files cannot be locked (Windows, some network disks), nobody waits."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PAUSE = 0.02  # seconds between two attempts


def hold(file: int) -> bool:
    """Lock an open file for as long as it is open; False when another process does."""
    try:
        import fcntl
    except ImportError:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


@contextmanager
def alone(path: Path, seconds: float) -> Iterator[bool]:
    """Hold the lock file `path` meanwhile; False when another process did not let it go in `seconds`.

    Raises:
        OSError: the lock file cannot be made.
    """
    file = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    deadline = time.monotonic() + seconds
    try:
        while not (held := hold(file)) and time.monotonic() < deadline:
            time.sleep(_PAUSE)
        yield held
    finally:
        os.close(file)
