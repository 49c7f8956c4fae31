"""Where a quote stands in the passage it was taken from, and where an answer names its sources."""

from __future__ import annotations

import re

from hds_cli.run_state import RunState
from hds_cli.types import Citation

MOST_QUOTES = 12
_WORD = re.compile(r"\w+")
_NUMBER = re.compile(r"\[(\d{1,4})\]")


def marked(passage: str, quote: str) -> list[tuple[str, bool]]:
    """The passage in pieces, `True` for the quoted one; the quote alone when the passage does not hold it.

    Words are compared without regard to case, blanks and punctuation between them, as the check of a quote does.
    """
    words = _WORD.findall(quote)
    match = re.search(r"\W+".join(map(re.escape, words)), passage, re.IGNORECASE) if words else None
    if match is None:
        return [(quote, True)] if quote else [(passage, False)]
    start, end = match.span()
    while end < len(passage) and passage[end] in ".!?。！？…\"'”’)":  # the sentence's own end belongs to it
        end += 1
    return [
        piece for piece in ((passage[:start], False), (passage[start:end], True), (passage[end:], False)) if piece[0]
    ]


def references(text: str, numbers: set[int]) -> list[str | int]:
    """The text in pieces, an int for every `[n]` that names one of `numbers`."""
    pieces: list[str | int] = []
    at = 0
    for mark in _NUMBER.finditer(text):
        if int(mark[1]) in numbers:
            pieces += [text[at : mark.start()].rstrip(), int(mark[1])]
            at = mark.end()
    return [piece for piece in (*pieces, text[at:]) if piece != ""]


def paragraphs(text: str, numbers: set[int]) -> list[list[str | int]]:
    """The lines of a text that say something, each in the pieces of `references`."""
    return [references(line, numbers) for line in text.splitlines() if line.strip()]


def further_quotes(citation: Citation, state: RunState) -> list[str]:
    """The other quotes that a report takes from a source, which has one number in all its sections."""
    if not state.sections or state.finished is None:
        return []
    quotes = (one.quote for part in state.finished.support for one in part.quotes if one.n == citation.n)
    return [quote for quote in dict.fromkeys(quotes) if quote and quote not in citation.quote][:MOST_QUOTES]
