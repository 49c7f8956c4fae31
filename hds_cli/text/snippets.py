"""The part of a text that a result shows: around the words of the query."""

from __future__ import annotations

import functools
import re
from collections.abc import Collection
from itertools import islice

from hds_cli.text.cutting import statements
from hds_cli.text.folding import fold

WIDTH = 300
_BEGINS = r"(?:(?<!\w)|(?<=[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\U0003134f]))"


def snippet(text: str, terms: Collection[str], width: int = WIDTH) -> str:
    """At most `width` characters of `text` with as many different terms of the query as possible, whole words.

    Markup goes, lines are joined, and a cut is marked by `…`. Of equally good places the first is shown.
    """
    text = " ".join(statements(text))
    if len(text) <= width:
        return text
    room = width - 4
    hits = _hits(text, terms)
    best, most = 0, 0
    for start, _ in hits:
        low = max(0, start - room // 5)
        count = len({term for place, term in hits if low <= place and place + len(term) <= low + room})
        if count > most:
            best, most = low, count
    return _cut(text, best, room)


def _hits(text: str, sought: Collection[str]) -> list[tuple[int, str]]:
    """The places of the first hundred words that begin with a term."""
    if not sought:
        return []
    folded, places = _aligned(text)
    terms = "|".join(re.escape(term) for term in sorted(sought, key=len, reverse=True))
    # A pair of letters of a language without blanks is found inside of words too.
    hits = islice(re.finditer(rf"{_BEGINS}(?:{terms})", folded), 100)
    return [(places[hit.start()] if places else hit.start(), hit[0]) for hit in hits]


def _aligned(text: str) -> tuple[str, list[int]]:
    """The text folded, and for each of its characters the place in `text` (none where they are the same)."""
    if text.isascii():
        return text.lower(), []
    parts = [_fold_one(char) for char in text]
    return "".join(parts), [place for place, part in enumerate(parts) for _ in part]


@functools.lru_cache(maxsize=4096)
def _fold_one(char: str) -> str:
    return fold(char)


def _cut(text: str, start: int, room: int) -> str:
    if start > 0 and (blank := text.find(" ", start, start + 40)) >= 0:
        start = blank + 1
    end = min(len(text), start + room)
    if end < len(text) and (blank := text.rfind(" ", start + room // 2, end)) >= 0:
        end = blank
    return f"{'… ' if start else ''}{text[start:end].strip()}{' …' if end < len(text) else ''}"
