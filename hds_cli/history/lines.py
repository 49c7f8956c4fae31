"""The lines of a journal, before anything is known of what they say."""

from __future__ import annotations

from collections.abc import Iterable
from typing import BinaryIO

from hds_cli import jsons

SUFFIX = ".jsonl"
MAX_LINE = 16 << 20  # bytes; a longer line is damage


def parsed(raw: bytes) -> dict[str, object]:
    """The JSON object of a line.

    Raises:
        ValueError: the line is no whole JSON object.
    """
    data = jsons.loads(raw)
    if not isinstance(data, dict) or not raw.endswith(b"\n"):
        raise ValueError("not a line of a journal")
    return data


def raw_lines(stream: BinaryIO) -> Iterable[bytes]:
    """The lines of a file with their ends, cut where one is longer than any event."""
    return iter(lambda: stream.readline(MAX_LINE), b"")
