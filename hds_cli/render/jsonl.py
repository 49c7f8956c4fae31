"""`--jsonl`: one event a line, written and flushed as it happens."""

from __future__ import annotations

from typing import TextIO

from hds_cli.events import Event, line


class JsonLines:
    """Writes every event to a stream.

    Raises:
        OSError: from `handle`, when the stream is closed or full.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def handle(self, event: Event) -> None:
        self._stream.write(line(event) + "\n")
        self._stream.flush()

    def close(self) -> None:
        """Nothing is left to do: every line is out already."""
