"""Trajectories as token ids, with a mask over what the model is to learn to write."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hds_cli.agent import protocol
from hds_cli.engine.base import Segment
from hds_cli.engine.llama.model import LlamaEngine
from hds_cli.errors import UsageError

Piece = tuple[str, bool, bool]
_RESULTS = re.compile(f"({re.escape(protocol.BEGIN_RESULTS)}.*?(?:{re.escape(protocol.END_RESULTS)}|\\Z))", re.DOTALL)


@dataclass(frozen=True)
class Row:
    """Token ids of one trajectory; `mask` is 1 where the loss counts."""

    ids: tuple[int, ...]
    mask: tuple[int, ...]


def rows(path: Path, engine: LlamaEngine, most: int) -> Iterator[Row]:
    """The trajectories of a JSONL file, those longer than `most` tokens left out.

    A line is `{"messages": [{"role", "content"}, …]}` in the searcher's format (the loss counts over what the assistant
    writes, without the results between their markers: arXiv 2508.19113), or
    `{"segments": [[text, trusted, learned], …]}`.

    Raises:
        UsageError: a line is neither.
    """
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                pieces = _pieces(json.loads(line))
            except (ValueError, KeyError, TypeError) as exc:
                raise UsageError(
                    f"{path}, line {number}: not a trajectory ({exc!r})",
                    hint='a line looks like {"messages": [{"role": "user", "content": "…"}, …]}',
                ) from exc
            row = _row(pieces, engine)
            if len(row.ids) <= most and any(row.mask):
                yield row


def _pieces(row: dict[str, Any]) -> list[Piece]:
    if "segments" in row:
        return [(str(text), bool(trusted), bool(learned)) for text, trusted, learned in row["segments"]]
    pieces: list[Piece] = []
    for message in row["messages"]:
        role, content = str(message["role"]), str(message["content"])
        pieces.append((f"{protocol.TURN_START}{role}\n", True, False))
        pieces += _spoken(content) if role == "assistant" else [(content, False, False)]
        pieces += [(protocol.TURN_END, True, role == "assistant"), ("\n", False, False)]
    return pieces


def _spoken(content: str) -> Iterable[Piece]:
    for place, part in enumerate(_RESULTS.split(content)):
        if part:
            yield part, False, place % 2 == 0


def _row(pieces: Sequence[Piece], engine: LlamaEngine) -> Row:
    ids: list[int] = []
    mask: list[int] = []
    for text, trusted, learned in pieces:
        piece = engine.tokenize([Segment(text, trusted)])
        ids += piece
        mask += [int(learned)] * len(piece)
    return Row(tuple(ids), tuple(mask))


def batches(made: Sequence[Row], most: int, seed: int) -> list[list[Row]]:
    """Trajectories of like length together, at most `most` tokens a batch with padding, in the order of `seed`."""
    filled: list[list[Row]] = [[]]
    for row in sorted(made, key=lambda r: len(r.ids)):
        if filled[-1] and (len(filled[-1]) + 1) * len(row.ids) > most:
            filled.append([])
        filled[-1].append(row)
    random.Random(seed).shuffle(filled)
    return filled
