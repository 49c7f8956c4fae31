"""The text of a PDF's page in the order of reading, where the file was written line by line across two columns."""

from __future__ import annotations

import itertools
from typing import Any, NamedTuple

MAX_RUNS = 20_000
_LEAST = 8  # lines that both columns must have
_PROSE = 18  # characters of a line of prose, at least: cells of a table are shorter


class _Run(NamedTuple):
    x: float
    y: float
    size: float
    text: str


def page_text(page: Any) -> str:
    """The text of a page, through pypdf; columns one after the other when they were written side by side.

    Most files hold a column after the other already: their order is kept as it is.
    """
    runs: list[_Run] = []

    def visit(text: str, cm: Any, tm: Any, font: Any, size: float) -> None:
        if text.strip() and len(runs) < MAX_RUNS:
            runs.append(_Run(tm[4] + cm[4], tm[5] + cm[5], abs(size) or 10.0, text.strip("\n")))

    plain: str = page.extract_text(visitor_text=visit) or ""
    if len(runs) < 2 * _LEAST or len(runs) >= MAX_RUNS:
        return plain
    middle = _gutter(runs)
    return plain if middle is None else _by_columns(runs, middle)


def _gutter(runs: list[_Run]) -> float | None:
    """Where the right column begins, if lines of two columns follow each other left, right, left, right; else None."""
    pairs = 0
    lefts: list[float] = []
    rights: list[float] = []
    for left, right in itertools.pairwise(runs):
        beside = abs(left.y - right.y) < 0.4 * left.size and right.x > left.x + 0.35 * left.size * len(left.text)
        if beside and len(left.text) >= _PROSE and len(right.text) >= _PROSE:
            pairs += 1
            lefts.append(left.x)
            rights.append(right.x)
    if pairs < _LEAST or 2 * pairs < 0.6 * len(runs):
        return None
    rights.sort()
    lefts.sort()
    start = rights[len(rights) // 2]
    even = sum(1 for x in rights if abs(x - start) < 12) >= 0.8 * len(rights)
    return start - 6 if even and lefts[len(lefts) // 2] < start - 60 else None


def _by_columns(runs: list[_Run], middle: float) -> str:
    """Left, then right; a line across both (a title) ends what stands above it."""
    out: list[str] = []
    left: list[str] = []
    right: list[str] = []
    for number, run in enumerate(runs):
        alone = all(
            abs(run.y - other.y) > 0.4 * run.size for other in runs[max(0, number - 1) : number + 2] if other is not run
        )
        across = run.x < middle < run.x + 0.42 * run.size * len(run.text)
        if alone and across:
            out += [*left, *right, run.text]
            left, right = [], []
        elif run.x >= middle:
            right.append(run.text)
        else:
            left.append(run.text)
    return "\n".join([*out, *left, *right])
