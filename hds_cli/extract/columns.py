"""The text of a PDF's page in the order of reading, where the file was written line by line across two columns."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from typing import Any, NamedTuple

MAX_RUNS = 20_000
_LEAST = 8  # lines that both columns must have
_PROSE = 18  # characters of a line of prose, at least: cells of a table are shorter
_GAP = re.compile(r"(?<=\S) {2,}(?=\S)")


class _Run(NamedTuple):
    x: float
    y: float
    length: int


def page_text(page: Any) -> str:
    """The text of a page, through pypdf; columns one after the other when they were written side by side.

    Most files hold a column after the other already: their order is kept as it is.
    """
    runs: list[_Run] = []

    def visit(operator: bytes, operands: Any, cm: Any, tm: Any) -> None:
        if operator in (b"Tj", b"TJ", b"'", b'"') and operands and len(runs) < MAX_RUNS:
            shown = operands[-1] if isinstance(operands[-1], list) else [operands[-1]]
            runs.append(_Run(tm[4] + cm[4], tm[5] + cm[5], sum(len(s) for s in shown if isinstance(s, str | bytes))))

    plain: str = page.extract_text(visitor_operand_before=visit) or ""
    if not _is_across(runs):
        return plain
    return _by_columns(page.extract_text(extraction_mode="layout", layout_mode_space_vertically=False)) or plain


def _is_across(runs: list[_Run]) -> bool:
    """True when lines of two columns of prose follow each other left, right, left, right."""
    pairs = [
        (left, right)
        for left, right in itertools.pairwise(runs)
        if abs(left.y - right.y) < 3 and right.x > left.x + 60 and min(left.length, right.length) >= _PROSE
    ]
    if len(pairs) < _LEAST or len(runs) >= MAX_RUNS or 2 * len(pairs) < 0.6 * len(runs):
        return False
    place, count = Counter(round(right.x / 12) for _, right in pairs).most_common(1)[0]
    return count >= 0.8 * len(pairs) and place > 0


def _by_columns(layout: str) -> str:
    """The lines of a page as they lie on it, left column first; a line across both ends what stands above it."""
    lines = layout.split("\n")
    places = Counter(at for line in lines for gap in _GAP.finditer(line) for at in range(gap.start(), gap.end()))
    if not places:
        return ""
    middle = max(places, key=lambda at: (places[at], -at))
    out: list[str] = []
    left: list[str] = []
    right: list[str] = []
    for line in lines:
        if line[middle : middle + 1].strip():
            out += [*left, *right, line.strip()]
            left, right = [], []
        else:
            left.append(line[:middle].strip())
            right.append(line[middle:].strip())
    return "\n".join(line for line in [*out, *left, *right] if line)
