"""Equations that stand in a text, `(41 + 15) / 2 = 28`, worked out again."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hds_cli.agent.support.arithmetic import says
from hds_cli.agent.support.values import Value, plain, values

_MOST = 24  # numbers of an equation
_DEEPEST = 4  # brackets within brackets
_NOUN = r"(?:[^\W\d_]{1,20}\.?\s+){0,2}"  # `6 nights × 80 euros`
_OPERATION = re.compile(
    rf"^\s*{_NOUN}(?P<close>[)\s]*)(?P<sign>\+|[-−–—]|[×x*·]|÷|/|plus|minus|times|divided by|less|mal|durch|fois|por)"
    r"(?P<open>[(\s]*)$",
    re.IGNORECASE,
)
_EQUALS = re.compile(
    r"^(?P<close>[)\s]*)[\s%°€$£\w]{0,20}?\s*(=|≈|equals?|is about|makes|gives|ergibt|macht)\s*"
    r"(?:about|around|roughly|approximately|≈|~)?\s*$",
    re.IGNORECASE,
)
_SIGNS = {
    "+": "+", "plus": "+", "×": "*", "x": "*", "*": "*", "·": "*", "times": "*", "mal": "*", "fois": "*", "por": "*",
    "÷": "/", "/": "/", "divided by": "/", "durch": "/",
}  # fmt: skip


@dataclass(frozen=True)
class Equation:
    """An equation where it stands, from `start` to `end`: whether it is right, its inputs and its result.

    `factors`: those of the inputs that are multiplied, or divided by.
    """

    start: int
    end: int
    right: bool
    inputs: tuple[Value, ...]
    factors: frozenset[int]
    result: Value


def equations(text: str) -> Iterator[Equation]:
    """The equations of a text without marks, in order: `41 − 15 = 26` is right, with the inputs 41 and 15."""
    stated = [v for v in values(text) if v.kind == "number"]
    folded = plain(text)
    gaps = [folded[a.end : b.start] for a, b in itertools.pairwise(stated)]
    for place, gap in enumerate(gaps):
        if len(gap) > 60 or not (equals := _EQUALS.match(gap)):
            continue
        start, signs = place, list[re.Match[str]]()
        while start > 0 and len(signs) < _MOST and len(gaps[start - 1]) < 60:
            if (sign := _OPERATION.match(gaps[start - 1])) is None:
                break
            signs.insert(0, sign)
            start -= 1
        if not signs:
            continue
        inputs, result = stated[start : place + 1], stated[place + 1]
        opened = len(folded[: inputs[0].start]) - len(folded[: inputs[0].start].rstrip("( "))
        before = folded[inputs[0].start - opened : inputs[0].start].count("(")
        parsed = _parts([v.readings[0] for v in inputs], signs, before, equals["close"].count(")"))
        total = _result(parsed)
        factors = frozenset(
            n for n, _ in enumerate(inputs)
            if any(_sign(signs[at]) in "*/" for at in (n - 1, n) if 0 <= at < len(signs))
        )  # fmt: skip
        yield Equation(
            inputs[0].start, result.end, total is not None and says(result, total), tuple(inputs), factors, result
        )


def _sign(match: re.Match[str]) -> str:
    return _SIGNS.get(match["sign"].lower(), "-")


def _parts(numbers: Sequence[float], signs: Sequence[re.Match[str]], before: int, behind: int) -> list[float | str]:
    """The numbers, signs and brackets of an equation; without brackets where they do not fit."""
    out: list[float | str] = ["("] * before
    for number, sign in zip(numbers, signs, strict=False):
        out += [number, *")" * sign["close"].count(")"), _sign(sign), *"(" * sign["open"].count("(")]
    out += [numbers[-1], *")" * behind]
    depth = lowest = deepest = 0
    for part in out:
        depth += (part == "(") - (part == ")")
        lowest, deepest = min(lowest, depth), max(deepest, depth)
    return out if depth == lowest == 0 and deepest <= _DEEPEST else [part for part in out if part not in ("(", ")")]


def _result(parts: list[float | str]) -> float | None:
    """The result of what stands before the first bracket that closes; the parts that were read are removed."""
    terms: list[float] = []
    sign = "+"
    while parts:
        part = parts.pop(0)
        if part == ")":
            break
        if isinstance(part, str) and part != "(":
            sign = part
            continue
        number = _result(parts) if part == "(" else float(part)
        if number is None or (sign == "/" and not number):
            return None
        if sign in "*/" and terms:
            terms[-1] = terms[-1] * number if sign == "*" else terms[-1] / number
        else:
            terms.append(-number if sign == "-" else number)
    return sum(terms)


__all__ = ["Equation", "equations"]
