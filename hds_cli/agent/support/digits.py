"""Numbers in digits, with points, commas and blanks that part thousands or decimals."""

from __future__ import annotations

import re


def readings_of(digits: str, commas: bool) -> tuple[tuple[float, ...], float]:
    """The numbers that digits with separators may mean, and the place of the last digit; none: a code, `3.13.1`."""
    groups = re.split(r"[.,٫٬'’ ]", digits)
    marks = [c for c in digits if not c.isdigit()]
    if len(digits) > 40:
        return (), 1.0
    if not marks:
        return (float(digits),), 1.0
    grouped = all(len(g) == 3 for g in groups[1:]) and len(groups[0]) <= 3
    indian = len(groups) > 2 and len(groups[-1]) == 3 and all(len(g) == 2 for g in groups[1:-1])
    whole = float("".join(groups))
    kinds = set(marks)
    decimals = 10.0 ** -len(groups[-1])
    fraction = float(f"{''.join(groups[:-1])}.{groups[-1]}")
    if len(kinds) == 1 and len(marks) == 1 and marks[0] in ".,٫":
        if len(groups[1]) == 3 and len(groups[0]) <= 3 and groups[0] != "0":
            if marks[0] == ",":
                return (whole,), 1.0
            return ((whole, fraction), 1.0) if commas else ((fraction, whole), decimals)
        return (fraction,), decimals
    if len(kinds) == 1:
        return ((whole,), 1.0) if grouped or indian or marks[0] in " '’٬" else ((), 1.0)
    if len(kinds) == 2 and marks[-1] not in marks[:-1]:
        return (fraction,), decimals
    return (), 1.0
