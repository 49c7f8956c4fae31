"""JSON of strangers, which is looked at before anything is made of it.

A line of `[],[],[]…` becomes twenty times its size in memory: the values are counted first.
"""

from __future__ import annotations

import io
import itertools
import json
import re
from collections.abc import Iterator
from typing import Any

MOST_VALUES = 200_000
MOST_WIDE = 8 << 20  # bytes that are not ASCII alone: each may become four
_MARK = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[,\[{]', re.DOTALL)  # a string, or where a value ends or others begin


def loads(data: bytes | bytearray, most: int = MOST_VALUES, errors: str = "strict", wide: int = MOST_WIDE) -> Any:
    """What `json.loads` makes of `data`.

    Args:
        most: values, those inside of others included; up to twice as many are let pass.
        errors: what becomes of bytes that are not UTF-8: an error, or `replace`.
        wide: bytes of text that is not ASCII alone.

    Raises:
        ValueError: it is no JSON, nested too deep, or has more values.
    """
    signs = data.count(b",") + data.count(b"[") + data.count(b"{")
    if signs > most and next(itertools.islice(_MARK.finditer(data), 2 * most, None), None):
        raise ValueError(f"more than {most} values")
    if len(data) > wide and not data.isascii():
        raise ValueError(f"more than {wide >> 20} MiB that are not ASCII alone")
    try:
        return json.loads(data.decode("utf-8", errors))
    except RecursionError as exc:
        raise ValueError("nested too deep") from exc


def lines(text: str) -> Iterator[str]:
    """The lines of JSONL. Only a line feed ends one: what else Unicode calls a line break may be part of a text."""
    return iter(io.StringIO(text, newline="\n"))
