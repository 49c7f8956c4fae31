"""The fenced block by which a model in the dialect `chat` searches: a query a line.

Its fence is labelled `search`. Models leave the label out: one without is a search too, where it ends the turn, each of
its lines looks like a query, and nothing above it is an answer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import NamedTuple

from hds_cli.agent import protocol
from hds_cli.agent.headline import FENCE, is_labelled
from hds_cli.agent.listing import more_of

_LABELLED = re.compile(r"```[ \t]*(?:web[_ ]?)?(?:search(?:_?quer(?:y|ies))?|quer(?:y|ies))[ \t]*\n", re.IGNORECASE)
_BARE = re.compile(r"(?<![^\n])(```[ \t]*(?:text|txt|plain(?:text)?)?[ \t]*\n)", re.IGNORECASE)
_CODE = re.compile(r"[{}<>|=\\$`~^;]|\(\)|\[\d{1,4}\]|://|--\w|^\s*(?:#|//|/|\.|\$)|[.!]\s*$|:\s*$")
_SENTENCE = re.compile(r"\[\d{1,4}\]")
_MOST_LINES, _MOST_LEAD = 12, 600  # lines of a block without a label, and characters above it


class Block(NamedTuple):
    """A block of queries from `start` on; `end`: behind its last fence, None while it is open."""

    start: int
    body: int
    end: int | None = None

    def lines(self, text: str) -> list[str]:
        """Its lines; of one that is open, those that are complete are all but the last."""
        return text[self.body : None if self.end is None else self.end - len(FENCE)].split("\n")


def find_block(text: str, begin: int = 0, *, ended: bool = False) -> Block | None:
    """The first block of queries behind `begin`.

    Args:
        ended: no more text comes, so that a block without a label ends the turn.
    """
    opening = _LABELLED.search(text, begin)
    if opening is not None:
        end = text.find(FENCE, opening.end())
        return Block(opening.start(), opening.end(), None if end < 0 else end + len(FENCE))
    bare = open_fence(text, begin)
    if bare is None:
        return None
    end = text.find(FENCE, bare.body)
    closed = end >= 0 and (ended or text[end:].startswith(f"{FENCE}\n"))
    if not (closed or (ended and end < 0)) or (end >= 0 and text[end + len(FENCE) :].strip()):
        return None
    block = Block(bare.start, bare.body, end + len(FENCE) if end >= 0 else None)
    return block if _searches(text[begin : bare.start], block.lines(text)) else None


def open_fence(text: str, begin: int = 0) -> Block | None:
    """A fence without a label behind `begin`, which may turn out to be a block of queries; without its end."""
    bare = _BARE.search(text, begin)
    return Block(bare.start(1), bare.end()) if bare else None


def _searches(above: str, lines: Sequence[str]) -> bool:
    """True where lines look like queries, and what stands above them is no answer."""
    body = [line.strip() for line in lines if line.strip()]
    if len(above) > _MOST_LEAD or _SENTENCE.search(above) or any(map(is_labelled, above.split("\n"))):
        return False
    return 0 < len(body) <= _MOST_LINES and all(map(_is_query, body))


def _is_query(line: str) -> bool:
    """True for a line that could be typed into a search box: two words or more, no code, no sentence."""
    if more_of(line) is not None:
        return True
    words = line.split()
    return 2 <= len(words) <= 24 and len(line) <= protocol.MAX_QUERY_CHARS and not _CODE.search(line)


def queries_of(lines: Sequence[str]) -> list[str]:
    """The queries in the lines of a block, cleaned, each once; a list in JSON counts as one."""
    body = "\n".join(lines)
    try:
        values = json.loads(body) if body.lstrip().startswith("[") else None
    except (ValueError, RecursionError):
        values = None
    stated = [str(value) for value in values] if isinstance(values, list) else lines
    cleaned = [query for line in stated if (query := protocol.clean_query(line.strip().rstrip(",")))]
    return list({protocol.query_key(query): query for query in reversed(cleaned)}.values())[::-1]


def without_blocks(text: str) -> str:
    """A text without its blocks of queries."""
    while (block := find_block(text, ended=True)) is not None:
        text = text[: block.start] + ("" if block.end is None else text[block.end :])
    return text.strip()
