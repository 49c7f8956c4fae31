"""What the model writes is read while it comes: however it is cut into pieces, the same is read.

`HDS_STREAMED=100000` tries as many texts as that.
"""

from __future__ import annotations

import os
import random

from hds_cli.agent import protocol as p
from hds_cli.agent.dialects import Hooks
from hds_cli.agent.hds import _Stream

B, E = p.BEGIN_QUERIES, p.END_QUERIES
TEXTS = int(os.environ.get("HDS_STREAMED", "5000"))
PARTS = (
    B, E, B, E, f"{B}\n", f"\n\n{B}\n", f"\n{E}", f"{B} ", f"I use {B} now", f"{B}\t\r\n", p.BEGIN_RESULTS, p.END_RESULTS,
    p.THINK, p.END_THINK, p.BOX, "}", "{", "\n", "\n\n", " ", "\r\n", ";", ";\n", "; ", "a", "Q ü", "1. ", "2. ", "(1) ",
    "24: ", '"', "- ", "<", "|", "<|", "|>", "<|begin", "<|begin_search_", "<|end_search_quer", "\\box", "</thi", "word",
)  # fmt: skip


def read(pieces: list[str], *, closed: bool) -> tuple[object, ...]:
    """Everything that is read of a text that comes in these pieces."""
    queries: list[str] = []
    thought: list[str] = []
    answer: list[str] = []
    stream = _Stream(Hooks(queries.append, thought.append, answer.append))
    for piece in pieces:
        stream.feed(piece)
    stream.finish(closed=closed)
    parser = stream.parser
    assert queries == parser.queries
    return (
        queries, "".join(thought), "".join(answer), parser.begun, parser.closed, parser.thought, parser.after
    )  # fmt: skip


def test_streamed_and_whole_reading_agree() -> None:
    """Markers, halves of markers, tags, numbers and blanks in any order, in any pieces."""
    rng = random.Random(19)
    opened = several = 0
    for _ in range(TEXTS):
        text = "".join(rng.choice(PARTS) for _ in range(rng.randint(1, 24)))
        pieces, at = [], 0
        while at < len(text):
            size = rng.choice((1, 1, 2, 3, 7, 20))
            pieces.append(text[at : at + size])
            at += size
        closed = rng.random() < 0.3
        whole = read([text], closed=closed)
        assert read(pieces, closed=closed) == whole, (text, pieces)
        opened += bool(whole[3])
        several += len(whole[0]) > 1
    assert opened > TEXTS // 4  # the texts are rich enough to mean something
    assert several > TEXTS // 20
