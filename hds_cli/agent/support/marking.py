"""Marks that name a passage which does not say it, put right: the grade is of what the pages say, not of the mark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hds_cli.agent.support.message import Unit, marks_in
from hds_cli.types import Support


def corrected(
    text: str, attributed: Sequence[tuple[Unit, Support]]
) -> tuple[str, list[Support], list[tuple[int, int]]]:
    """A message with the marks of the passages that say it, its support, and (mark, passage) of what was put right.

    Only a unit that other passages say, word for word or in several sentences, and none of its own, is changed; one
    with a mark of no passage that was read keeps what it has.
    """
    graded: list[Support] = []
    changes: list[tuple[int, int]] = []
    out, place = [], 0
    for unit, support in attributed:
        right = tuple(dict.fromkeys(quote.n for quote in support.quotes))
        said = support.level in ("quoted", "together")
        if not said or not support.marks or not right or set(right) & set(support.marks):
            graded.append(support)
            continue
        source = text[unit.start : unit.end]
        marks = [match for match in marks_in(source) if int(match[1]) in support.marks]
        if unit.start < place or not marks:
            graded.append(support)
            continue
        named = "".join(f"[{n}]" for n in right)
        for number, match in enumerate(marks):
            out += [text[place : unit.start + match.start()], "" if number else named]
            place = unit.start + match.end()
        changes += [(mark, right[0]) for mark in support.marks]
        graded.append(replace(support, marks=right))
    return "".join([*out, text[place:]]), graded, changes


__all__ = ["corrected"]
