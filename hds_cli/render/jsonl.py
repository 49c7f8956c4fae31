"""`--jsonl`: one event a line, written and flushed as it happens."""

from __future__ import annotations

import json
from typing import TextIO

from hds_cli.events import Event


def line(event: Event) -> str:
    """An event as one line of ASCII, without the line's end; `event` and `t` come first."""
    return json.dumps(event.to_dict(), ensure_ascii=True)


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
