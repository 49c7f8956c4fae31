"""JSON of strangers, which is looked at before anything is made of it.

A line of `[],[],[]…` becomes twenty times its size in memory: the values are counted first.
"""

from __future__ import annotations

import json
import re
from typing import Any

MOST_VALUES = 200_000
MOST_WIDE = 8 << 20  # bytes that are not ASCII alone: each may become four
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)


def loads(data: bytes | bytearray, most: int = MOST_VALUES, errors: str = "strict") -> Any:
    """What `json.loads` makes of `data`.

    Args:
        most: values, those inside of others included.
        errors: what becomes of bytes that are not UTF-8: an error, or `replace`.

    Raises:
        ValueError: it is no JSON, nested too deep, or has more values.
    """
    if _marks(data) > most and _marks(_STRING.sub(b"", data)) > most:
        raise ValueError(f"more than {most} values")
    if len(data) > MOST_WIDE and not data.isascii():
        raise ValueError(f"more than {MOST_WIDE >> 20} MiB that are not ASCII alone")
    try:
        return json.loads(data.decode("utf-8", errors))
    except RecursionError as exc:
        raise ValueError("nested too deep") from exc


def _marks(data: bytes | bytearray) -> int:
    """At least as many as `data` has values."""
    return data.count(b",") + data.count(b"[") + data.count(b"{")
