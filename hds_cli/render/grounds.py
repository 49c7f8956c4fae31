"""Grades of an answer in words: a line of counts, a sign beside each weak part, and the reason for it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from hds_cli import code
from hds_cli.types import Level, Support

WORDS: dict[Level, str] = {
    "quoted": "quoted", "computed": "computed", "verified": "verified", "together": "in one passage",
    "apart": "in one page, not together", "contradicted": "contradicted", "missing": "in no page",
    "unsourced": "without a source",
}  # fmt: skip
_TOKEN = re.compile(r"\w+")
_MARK = re.compile(r"\[\d{1,4}\]")


class Weak(NamedTuple):
    """A weak part of a message: where it stands there, and its support."""

    start: int
    end: int
    support: Support


def counts(support: Sequence[Support]) -> str:
    """`9 parts: 7 quoted, 1 computed, 1 in no page`; empty for none."""
    if not support:
        return ""
    levels = Counter(s.level for s in support)
    parts = "1 part" if len(support) == 1 else f"{len(support)} parts"
    return f"{parts}: {', '.join(f'{levels[level]} {label}' for level, label in WORDS.items() if levels[level])}"


def sign(support: Support) -> str:
    """The sign behind a weak part: `[!]` where a page says something else, `[?]` where none says it."""
    return "[!]" if support.level == "contradicted" else "[?]"


def reason(support: Support) -> str:
    """The reason why a part is weak."""
    missing = ", ".join(support.missing)
    match support.level:
        case "contradicted":
            quotes = "; ".join(f"[{quote.n}] says “{quote.quote}”" for quote in support.quotes)
            return quotes or f"does not add up: {missing}"
        case "missing":
            return f"no page says {missing}"
        case "apart":
            return "a page has the words, but not together"
        case _:
            return "no page says this"


def weak_parts(text: str, support: Iterable[Support]) -> list[Weak]:
    """The places of the weak parts in a message; one that is not found is left out."""
    masked = code.blanked(code.changed(text, lambda part: _MARK.sub(lambda mark: " " * len(mark[0]), part)))
    coded = code.spans(text)
    tokens = [(token[0], token.start(), token.end()) for token in _TOKEN.finditer(masked)]
    weak: list[Weak] = []
    place = 0
    for part in support:
        words = _TOKEN.findall(part.text)
        at = _position(tokens, words, place)
        if at is None:
            continue
        place = at + len(words)
        if part.weak:
            end = tokens[place - 1][2]
            end = next((right for left, right in coded if left < end < right), end)
            weak.append(Weak(tokens[at][1], end, part))
    return weak


def _position(tokens: Sequence[tuple[str, int, int]], words: Sequence[str], start: int) -> int | None:
    if not words:
        return None
    for at in range(start, len(tokens) - len(words) + 1):
        if tokens[at][0] == words[0] and all(tokens[at + i][0] == word for i, word in enumerate(words)):
            return at
    return None


def signed(text: str, support: Iterable[Support]) -> str:
    """A message with a sign behind each weak part, behind its marks and before a full stop."""
    for weak in reversed(weak_parts(text, support)):
        end = weak.end
        if marks := re.compile(r"(?:[*_`”\"')%°]*\s*\[\d{1,4}\])+|[*_`”\"')%°]+").match(text, end):
            end = marks.end()
        text = f"{text[:end]} {sign(weak.support)}{text[end:]}"
    return text


def reasons(support: Iterable[Support]) -> Iterator[str]:
    """`[?] Its mayor is …: no page says …`, one for each weak part."""
    for part in support:
        if part.weak:
            yield f"{sign(part)} {part.text.rstrip('.')}: {reason(part)}"


def partial(reason: str | None) -> str:
    """The reason why an answer is not whole."""
    known = {"timeout": "stopped by the time limit", "budget": "the budget was used up before all was searched"}
    return f"Partial: {known.get(reason or '', 'stopped early')}."
