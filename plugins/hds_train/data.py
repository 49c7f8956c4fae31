"""Trajectories as token ids, with a mask over what the model is to learn to write."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hds_cli.agent.seams import Piece, pieces
from hds_cli.engine.base import Segment
from hds_cli.engine.llama.model import LlamaEngine
from hds_cli.errors import UsageError


@dataclass(frozen=True)
class Row:
    """Token ids of one trajectory; `mask` is 1 where the loss counts."""

    ids: tuple[int, ...]
    mask: tuple[int, ...]


def rows(path: Path, engine: LlamaEngine, most: int) -> Iterator[Row]:
    """The trajectories of a JSONL file, those longer than `most` tokens left out.

    A line is `{"messages": [{"role", "content"}, …]}` in the searcher's format, or
    `{"segments": [[text, trusted, learned], …]}`. Their tokens are those of a run (`hds_cli.agent.seams`).

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
            row = row_of(pieces, engine)
            if len(row.ids) <= most and any(row.mask):
                yield row


def _pieces(row: dict[str, Any]) -> list[Piece]:
    if "segments" in row:
        return [Piece(str(text), bool(trusted), bool(learned)) for text, trusted, learned in row["segments"]]
    return pieces(row["messages"])


def row_of(pieces: Sequence[Piece], engine: LlamaEngine) -> Row:
    """Token ids, each piece by itself, and the mask."""
    ids: list[int] = []
    mask: list[int] = []
    for piece in pieces:
        left = piece.head
        for token in engine.tokenize([Segment(piece.text, piece.trusted)]):
            ids.append(token)
            mask.append(int(piece.learned or left > 0))
            left -= len(engine.piece(token))
    return Row(tuple(ids), tuple(mask))


def batches(rows: Sequence[Row], most: int, seed: int) -> list[list[Row]]:
    """Trajectories of like length together, at most `most` tokens a batch with padding, in the order of `seed`."""
    filled: list[list[Row]] = [[]]
    for row in sorted(rows, key=lambda r: len(r.ids)):
        if filled[-1] and (len(filled[-1]) + 1) * len(row.ids) > most:
            filled.append([])
        filled[-1].append(row)
    random.Random(seed).shuffle(filled)
    return filled
