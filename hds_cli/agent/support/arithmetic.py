"""Results that stand in no page, worked out again from values that do: sums, differences, ratios, ages, counts."""

from __future__ import annotations

import bisect
import itertools
import re
from collections.abc import Iterable, Sequence

from hds_cli.agent.support.dates import Day
from hds_cli.agent.support.values import Value, plain, values

_MOST = 48  # values that are combined
_OPERATION = re.compile(
    r"^\s*(?:\[\d+\]\s*)*\)?\s*(\+|[-−–—]|[×x*·]|÷|/|plus|minus|times|divided by|less)\s*\(?\s*$", re.IGNORECASE
)
_EQUALS = re.compile(
    r"^\s*(?:\[\d+\]\s*)*\)?[\s%°€$£\w]{0,20}?\s*(=|≈|equals?|is about|makes|gives)\s*"
    r"(?:about|around|roughly|approximately|≈|~)?\s*$",
    re.IGNORECASE,
)
_TIMES = re.compile(
    r"\b(?:times|twice|fold|ratio|per|divided|average|mean|mal|fois|veces|volte|vezes|раз|φορές|مرة|percent|share)\b|倍|×|%|÷|/",
    re.IGNORECASE,
)


def equation(text: str) -> tuple[bool, tuple[Value, ...], Value] | None:
    """The last equation of a text: whether it is right, its inputs and its result; None: there is none.

    Example: `41 [1] − 15 [2] = 26` is right, with the inputs 41 and 15.
    """
    stated = [v for v in values(text) if v.kind == "number"]
    folded = plain(text)
    for end in range(len(stated) - 1, 0, -1):
        if not _EQUALS.match(folded[stated[end - 1].end : stated[end].start]):
            continue
        start = end - 1
        signs: list[str] = []
        while start > 0 and (sign := _OPERATION.match(folded[stated[start - 1].end : stated[start].start])):
            signs.insert(0, sign[1].lower())
            start -= 1
        if not signs:
            continue
        inputs, result = tuple(stated[start:end]), stated[end]
        total = _worked_out([v.readings[0] for v in inputs], signs)
        return total is not None and _is(result, total), inputs, result
    return None


def _worked_out(numbers: Sequence[float], signs: Sequence[str]) -> float | None:
    parts: list[float] = [numbers[0]]
    for sign, number in zip(signs, numbers[1:], strict=True):
        if sign in ("×", "x", "*", "·", "times"):
            parts[-1] *= number
        elif sign in ("÷", "/", "divided by"):
            if not number:
                return None
            parts[-1] /= number
        else:
            parts.append(number if sign in ("+", "plus") else -number)
    return sum(parts)


def _is(value: Value, number: float) -> bool:
    """True when a value says a number, to the last place that it writes."""
    return abs(value.readings[0] - number) <= _room(value, number) + 1e-12


def _room(value: Value, number: float) -> float:
    """By how much a number may differ from the one that a value says."""
    room = max(value.step / 2 if value.step < 1 or value.rounded else 0.0, 1e-9 * abs(number))
    if value.rounded or value.worded:
        room = max(room, 0.5 if abs(number) < 100 else 0.005 * abs(number))
    return room


def derived(value: Value, inputs: Sequence[Value], text: str) -> tuple[Value, ...] | None:
    """The inputs from which a value can be worked out: all of them, a pair, or two dates; None: it cannot.

    Args:
        text: what the value stands in; ratios are tried only where it speaks of one.
    """
    if value.kind != "number" or not value.readings:
        return None
    numbers = [v for v in inputs if v.kind == "number" and v.readings and v.readings != value.readings][:_MOST]
    alike = [v for v in numbers if _alike(v, value)]
    total = sum(v.readings[0] for v in alike)
    if len(alike) > 1 and (_is(value, total) or _is(value, total / len(alike))):
        return tuple(alike)
    for left_out in alike if len(alike) > 3 else ():
        if _is(value, total - left_out.readings[0]):
            return tuple(v for v in alike if v is not left_out)
    if pair := _sum_or_difference(value, alike):
        return pair
    if (_TIMES.search(text) or value.dimension == "%") and (pair := _share(value, numbers)):
        return pair
    return _years_from(value, inputs[:_MOST]) or _elapsed(value, inputs)


def _sum_or_difference(value: Value, alike: Sequence[Value]) -> tuple[Value, Value] | None:
    """Two values whose sum or difference is a value."""
    numbers = sorted(v.readings[0] for v in alike)
    reading = value.readings[0]

    def may_be(number: float) -> bool:
        return _has_near(numbers, number, 1.02 * _room(value, reading) + 1e-6 * (abs(number) + 1))

    for place, a in enumerate(alike):
        x = a.readings[0]
        if not (may_be(x - reading) or may_be(x + reading) or may_be(reading - x)):
            continue
        for b in alike[place + 1 :]:
            y = b.readings[0]
            if _is(value, abs(x - y)) or (_is(value, x + y) and (x, y) != (0, 0)):
                return a, b
    return None


def _share(value: Value, numbers: Sequence[Value]) -> tuple[Value, Value] | None:
    """Two values whose ratio is a value: how many times, how many percent, by how many percent more."""
    sizes = sorted(v.number for v in numbers)
    times = value.readings[0] / (100 if value.dimension == "%" else 1)
    room = 1.02 * _room(value, value.readings[0]) / (100 if value.dimension == "%" else 1) + 1e-6 * (abs(times) + 1)
    for b in numbers:
        y = b.number
        if not y or not any(_has_near(sizes, y * t, abs(y) * room) for t in (times, times + 1)):
            continue
        for a in numbers:
            alike = a.dimension == b.dimension or not (a.dimension and b.dimension)
            if a is not b and alike and _ratio(value, a.number, y):
                return a, b
    return None


def _has_near(numbers: Sequence[float], number: float, room: float) -> bool:
    """True when a sorted list has a number within some room."""
    place = bisect.bisect_left(numbers, number - room)
    return place < len(numbers) and numbers[place] <= number + room


def _years_from(value: Value, inputs: Sequence[Value]) -> tuple[Value, Value] | None:
    """A year and a number of years of which a value is the year so much before or after."""
    reading = value.readings[0]
    if reading < 1000:
        return None
    spans = [(b, b.readings[0]) for b in inputs if b.kind == "number" and b.dimension in ("", "years") and b.readings]
    spans = [(b, span) for b, span in spans if 0 < span < 1000]
    for a in inputs:
        years = a.years
        for b, span in spans if years else ():
            if a is not b and any(reading in (year + span, year - span) for year in years):
                return a, b
    return None


def _ratio(value: Value, x: float, y: float) -> bool:
    if value.dimension == "%":
        return _is(value, 100 * x / y) or _is(value, 100 * (x - y) / y)
    return not value.dimension and not value.currency and _is(value, x / y)


def _alike(a: Value, value: Value) -> bool:
    return (a.dimension == value.dimension or not (a.dimension and value.dimension)) and (
        a.currency == value.currency or not (a.currency and value.currency)
    )


def _elapsed(value: Value, inputs: Iterable[Value]) -> tuple[Value, ...] | None:
    """Two dates or years between which a number of years, months or days lies."""
    if value.dimension not in ("", "years", "months", "time", "ordinal") or value.currency:
        return None
    places = [(v, day) for v in inputs for day in _days(v)][:_MOST]
    for (a, first), (b, last) in itertools.combinations(places, 2):
        if value.dimension in ("", "years", "ordinal") and any(_is(value, years) for years in _years(first, last)):
            return a, b
        if value.dimension in ("", "months") and first.month and last.month:
            span = ((last.year or 0) - (first.year or last.year or 0)) * 12 + last.month - first.month
            if any(_is(value, abs(span) + more) for more in (0, 1)):
                return a, b
        days = _day_number(last) - _day_number(first) if first.day and last.day and first.year and last.year else 0
        if value.dimension == "time" and days and _is(value, abs(days) * 86400 / value.factor):
            return a, b
    return None


def _days(value: Value) -> tuple[Day, ...]:
    return (
        value.days[:1] if value.kind == "date" else tuple(Day(year, None, None) for year in value.years if year > 999)
    )


def _years(first: Day, last: Day) -> set[int]:
    """How many years may lie between two dates: one number, or two where a month is not given."""
    if first.year is None or last.year is None:
        return set()
    if first.year > last.year or (first.year == last.year and (first.month or 0) > (last.month or 13)):
        first, last = last, first
    span = (last.year or 0) - (first.year or 0)
    if first.month and last.month and ((first.day and last.day) or first.month != last.month):
        return {span - ((last.month, last.day or 0) < (first.month, first.day or 0))}
    return {span, span - 1} if first.month or last.month else {span}


def _day_number(day: Day) -> int:
    from datetime import date

    try:
        return date(day.year or 1, day.month or 1, day.day or 1).toordinal()
    except ValueError:
        return 0
