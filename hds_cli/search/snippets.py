"""The part of a passage that a result shows: around the words of the query."""

from __future__ import annotations

import re
from collections.abc import Collection

from hds_cli.text import fold

WIDTH = 300


def snippet(text: str, wanted: Collection[str], width: int = WIDTH) -> str:
    """At most `width` characters of `text` with as many different terms of the query as possible, whole words.

    A cut is marked by `…`. Of equally good places the first is shown.
    """
    if len(text) <= width:
        return text
    room = width - 4
    hits = _hits(text, wanted)
    best, most = 0, 0
    for start, _ in hits:
        low = max(0, start - room // 5)
        count = len({term for place, term in hits if low <= place and place + len(term) <= low + room})
        if count > most:
            best, most = low, count
    return _cut(text, best, room)


def _hits(text: str, wanted: Collection[str]) -> list[tuple[int, str]]:
    """Where words begin with a term, the first hundred."""
    if not wanted:
        return []
    terms = "|".join(re.escape(term) for term in sorted(wanted, key=len, reverse=True))
    # A pair of letters of a language without blanks is found inside of words too.
    found = re.finditer(rf"(?:(?<!\w)|(?<=[\u3040-\U0003134f]))(?:{terms})", _aligned(text))
    return [(hit.start(), hit[0]) for hit, _ in zip(found, range(100), strict=False)]


def _aligned(text: str) -> str:
    """The text folded character by character, so that places stay the same."""
    return text.lower() if text.isascii() else "".join((fold(c) or c)[0] for c in text)


def _cut(text: str, start: int, room: int) -> str:
    if start > 0 and (blank := text.find(" ", start, start + 40)) >= 0:
        start = blank + 1
    end = min(len(text), start + room)
    if end < len(text) and (blank := text.rfind(" ", start + room // 2, end)) >= 0:
        end = blank
    return f"{'… ' if start else ''}{text[start:end].strip()}{' …' if end < len(text) else ''}"
