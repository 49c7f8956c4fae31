"""Cells and rows as text, whatever file they stand in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

MAX_SPAN = 60  # columns


def joined(blocks: Iterable[str], *, as_words: bool = False) -> str:
    """The parts of a cell on one line: two numbers stay two, two paragraphs are parted as a reader would.

    Args:
        blocks: the cell's blocks, maybe of several lines.
        as_words: lines of one phrase (a heading, an address) rather than values.
    """
    text = ""
    for line in (line for block in blocks for line in block.split("\n")):
        part = " ".join(line.split()).removeprefix("- ").lstrip("# ").strip()
        if text and part:
            both_numbers = text[-1].isdigit() and part[0].isdigit()
            closed = text[-1] in ".,;:!?-–—/([" or part[0] in ",;.)(/"
            text += "; " if both_numbers or not (closed or as_words) else " "
        text += part
    return text


def rows(table: Iterable[Sequence[str]]) -> str:
    """Rows as `| a | b |`, a line each; rows without a value are left out."""
    return "\n".join(f"| {' | '.join(values)} |" for values in table if any(values))
