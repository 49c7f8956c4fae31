"""robots.txt kept across runs: one small file beside the pages, so that a host is not asked for it by every run."""

from __future__ import annotations

import contextlib
import json
import os
import time
from pathlib import Path

from hds_cli import paths

NAME = "robots.json"
SECONDS = 86_400.0  # RFC 9309 2.4: no longer than a day
LIMIT = 500 << 10


class RobotsFile:
    """Kept robots.txt: origin -> the time and the text (empty: none there). Of two runs at once, the later is kept.

    A file that is damaged, or cannot be read or written, counts as empty: robots.txt is asked for again.

    Args:
        path: where; made (0600) by `save`.
        limit: bytes of the file; what was read first goes first.
    """

    def __init__(self, path: Path, limit: int = LIMIT) -> None:
        self._path = path
        self._limit = limit
        self._known: dict[str, tuple[float, str]] | None = None
        self._new: dict[str, tuple[float, str]] = {}

    def get(self, origin: str) -> str | None:
        """The text that `origin` gave less than a day ago."""
        if self._known is None:
            self._known = self._read()
        known = self._known.get(origin)
        return known[1] if known else None

    def put(self, origin: str, text: str) -> None:
        """Keep what `origin` said just now; on disk with `save`."""
        self._new[origin] = (time.time(), text)

    def save(self) -> None:
        """Write what is new."""
        if not self._new:
            return
        entries = sorted((self._read() | self._new).items(), key=lambda entry: -entry[1][0])
        left = self._limit - 2
        kept: list[str] = []
        for origin, value in entries:
            line = f"{json.dumps(origin)}: {json.dumps(value)}"
            left -= len(line) + 2
            if left < 0:
                break
            kept.append(line)
        self._new = {}
        part = self._path.with_name(f".{NAME}.{os.getpid()}.part")
        with contextlib.suppress(OSError):
            paths.private_dir(self._path.parent)
            with open(os.open(part, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "w", encoding="ascii") as file:
                file.write("{" + ",\n".join(kept) + "}")
            os.replace(part, self._path)
        with contextlib.suppress(OSError):
            part.unlink()

    def _read(self) -> dict[str, tuple[float, str]]:
        now = time.time()
        try:
            if self._path.stat().st_size > self._limit:
                return {}
            table = json.loads(self._path.read_bytes())
            entries = {str(origin): (float(when), str(text)) for origin, (when, text) in table.items()}
        except (OSError, ValueError, TypeError, AttributeError, RecursionError):
            return {}
        return {origin: entry for origin, entry in entries.items() if -300.0 <= now - entry[0] < SECONDS}
