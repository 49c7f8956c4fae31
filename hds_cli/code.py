"""Code in a Markdown text: fenced blocks, and what stands between backticks. A mark in it is none."""

from __future__ import annotations

import re
from collections.abc import Callable

_FENCED = r"```.*?(?:```|\Z)|~~~.*?(?:~~~|\Z)"
_CODE = re.compile(rf"({_FENCED}|`[^`\n]+`)", re.DOTALL)


def has_code(text: str) -> bool:
    """True for a text in which code may stand."""
    return "`" in text or "~~~" in text


def changed(text: str, outside: Callable[[str], str], inside: Callable[[str], str] = str) -> str:
    """A text whose prose and whose code were changed each in its own way; code that is left open runs to the end."""
    if not has_code(text):
        return outside(text)
    parts = _CODE.split(text)
    return "".join(inside(part) if place % 2 else outside(part) for place, part in enumerate(parts))


def blanked(text: str) -> str:
    """A text of the same length with blanks in the place of its fenced code."""
    return changed(text, str, lambda part: part if part.startswith("`") and part[:3] != "```" else " " * len(part))


def spans(text: str) -> list[tuple[int, int]]:
    """Where code stands in a text."""
    return [match.span() for match in _CODE.finditer(text)] if has_code(text) else []
