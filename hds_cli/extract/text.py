"""Readers of plain text, Markdown and JSON."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from typing import Any

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ufeff\ufffe\uffff\ud800-\udfff]")
_BLANKS = re.compile(r"(?<![ \t\u00a0])[ \t\u00a0]+\n")  # a match from the middle of a run would be quadratic
_GAPS = re.compile(r"\n{3,}")
_HEADING = re.compile(r"^\s{0,3}(#{1,6})\s+(.+?)\s*#*\s*$")
_MAX_LINES = 20_000
_MAX_PATH = 200
_SPREAD = 4  # the text has at most so many times the characters of the source: every line repeats its path


def tidy(text: str) -> str:
    """Text without control characters, at most one blank line in a row."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x0c", "\n\n")
    return _GAPS.sub("\n\n", _BLANKS.sub("\n", _CONTROL.sub("", text))).strip()


def plain(text: str, *, markdown: bool = False) -> dict[str, Any]:
    """The text as it is; the first heading of Markdown, or a short first line, is the title."""
    text = tidy(text)
    if markdown:
        text = re.sub(r"\A---\n.*?\n---\n", "", text, count=1, flags=re.S)  # front matter
    title = ""
    for line in text.split("\n", 40)[:40]:
        if heading := _HEADING.match(line):
            title = heading[2]
            break
        if line.strip() and not markdown:
            title = line.strip() if len(line.strip()) <= 120 else ""
            break
    return {"title": title[:300], "text": text}


def json_text(text: str) -> dict[str, Any]:
    """JSON as lines `path: value`, which can be searched and quoted; broken JSON is plain text."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return plain(text)
    title = ""
    if isinstance(value, dict):
        title = next((str(value[k]) for k in ("title", "name", "headline") if isinstance(value.get(k), str)), "")
    room = _SPREAD * len(text) + 10_000
    lines: list[str] = []
    for path, item in itertools.islice(_leaves(value), _MAX_LINES):
        lines.append(f"{path}: {item}" if path else str(item))
        room -= len(lines[-1])
        if room < 0:
            break
    return {"title": tidy(title)[:300], "text": tidy("\n".join(lines))}


def _leaves(value: Any) -> Iterator[tuple[str, Any]]:
    """Every value that is no list or object, with its path; one longer than `_MAX_PATH` loses its middle.

    A path is made when its value is reached: a list of a million would hold the path of what it is in a million times.
    """
    # A stack, not recursion: depth is the sender's choice.
    stack: list[Iterator[tuple[str, Any]]] = [iter([("", value)])]
    while stack:
        step = next(stack[-1], None)
        if step is None:
            stack.pop()
            continue
        path, item = step
        if isinstance(item, dict):
            stack.append(_members(path, item))
        elif isinstance(item, list):
            stack.append(_entries(path, item))
        elif item is not None and item != "":
            yield path, item


def _entries(path: str, item: list[Any]) -> Iterator[tuple[str, Any]]:
    for number, sub in enumerate(item):
        yield _shortened(f"{path}[{number}]"), sub


def _members(path: str, item: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, sub in item.items():
        yield _shortened(f"{path}.{key}" if path else key), sub


def _shortened(path: str) -> str:
    return path if len(path) <= _MAX_PATH else f"{path[: _MAX_PATH // 2]}…{path[-_MAX_PATH // 2 + 1 :]}"
