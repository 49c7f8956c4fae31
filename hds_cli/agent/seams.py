"""A finished conversation, cut into the pieces that a run appends one by one.

Text is tokenized piece by piece, so other seams give other tokens. A model trained on rows with other seams would read
at work what it never saw in training. `protocol` makes the pieces of a run; these are the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from hds_cli.agent import protocol as p


class Piece(NamedTuple):
    """Text, whether it may form special tokens, and whether it is what the model writes."""

    text: str
    trusted: bool = False
    learned: bool = False

    @property
    def head(self) -> int:
        """Characters at its beginning that the model writes, where the rest is not what it writes."""
        return len(p.END_QUERIES) if self.trusted and self.text.startswith(p.END_QUERIES) else 0


# The end of a block of queries stands in one piece with the blank lines behind it (`>\n\n` is one token of Qwen3).
# A block of results without a run's beginning and end is cut at its markers.
_RESULTS = re.compile(
    rf"((?:{re.escape(p.END_QUERIES)})?(?:\n\n)?{re.escape(p.BEGIN_RESULTS)}\n?)(.*?)"
    rf"({re.escape(p.END_RESULTS)}(?:\n\n{p.THINK}\n)?|\Z)",
    re.DOTALL,
)


def pieces(messages: Sequence[Mapping[str, Any]]) -> list[Piece]:
    """The pieces of `{"role", "content"}` messages in the searcher's format.

    What the assistant writes is learned, without the results between their markers (arXiv 2508.19113). No word of a
    message forms a chat token.

    Raises:
        KeyError: a message without role or content.
    """
    result: list[Piece] = []
    before = ""
    for message in messages:
        role, content = str(message["role"]), str(message["content"])
        opening = f"{before}{p.TURN_START}{role}\n"
        if role == "assistant":
            result += [Piece(opening, True), *_written(content), Piece(p.TURN_END, True, True)]
            before = "\n"
        else:
            result += _asked(opening, content)
            before = f"{p.TURN_END}\n"
    return [piece for piece in result if piece.text]


def _asked(opening: str, content: str) -> list[Piece]:
    """The pieces of a user's turn. The protocol's words around the question are trusted, the question is not."""
    head, ask, question = content.partition(p.ASK)
    text = head
    for marker in p.MARKERS:
        text = text.replace(marker, "")
    if ask and "<|" not in text:
        return [Piece(opening + head + ask[:-1], True), Piece(f" {question}")]
    return [Piece(opening, True), Piece(content)]


def _written(content: str) -> Iterator[Piece]:
    """The pieces of an assistant's turn: the model's text, and the results that the run put in between."""
    end = 0
    for block in _RESULTS.finditer(content):
        yield Piece(content[end : block.start()], learned=True)
        yield from (Piece(block[1], True), Piece(block[2]), Piece(block[3], True))
        end = block.end()
    yield Piece(content[end:], learned=True)
