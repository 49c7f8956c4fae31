"""Results that stand in no page, worked out again from values that do: sums, differences, ratios, ages, days later."""

from __future__ import annotations

import bisect
import itertools
import re
from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from hds_cli.agent.support.dates import Day
from hds_cli.agent.support.values import Value, same

_MOST = 48  # values that are combined
_DAY = 86_400  # seconds
_DAYS = {"time": 1 / _DAY, "months": 365.25 / 12, "years": 365.25}  # of the units of lengths of time
_SPAN_ROOM = 0.016  # 30 days are a month, 730 two years; not tuned
_FACTORS = 12  # values that are multiplied
_TIMES = re.compile(
    r"\b(?:times|twice|fold|ratio|per|divided|average|mean|mal|fois|veces|volte|vezes|раз|φορές|مرة|percent|share)\b|倍|×|%|÷|/",
    re.IGNORECASE,
)


def says(value: Value, number: float) -> bool:
    """True when a value says a number, to the last place that it writes; a date says none."""
    return bool(value.readings) and abs(value.readings[0] - number) <= _room(value, number) + 1e-12


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
    if value.kind == "date":
        return _later(value, inputs[:_MOST])
    if value.kind != "number" or not value.readings:
        return None
    numbers = [v for v in inputs if v.kind == "number" and v.readings and v.readings != value.readings][:_MOST]
    for alike in _groups(value, numbers):
        sizes = [_size(v, value) for v in alike]
        total = sum(sizes)
        if len(alike) > 1 and (says(value, total) or says(value, total / len(alike))):
            return tuple(alike)
        for left_out, size in zip(alike, sizes, strict=True) if len(alike) > 3 else ():
            if says(value, total - size):
                return tuple(v for v in alike if v is not left_out)
        if pair := _sum_or_difference(value, alike):
            return pair
    if (_TIMES.search(text) or value.dimension == "%") and (pair := _share(value, numbers)):
        return pair
    return _years_from(value, inputs[:_MOST]) or _elapsed(value, inputs) or between(value, inputs[:_MOST])


def restates(value: Value, other: Value) -> bool:
    """True for a value that is another one in another unit: `six minutes` for 360 seconds, two years for 24 months."""
    if value.kind != "number" or other.kind != "number" or not (value.readings and other.readings):
        return False
    if value.dimension == other.dimension:
        return bool(value.dimension) and value.factor != other.factor and same(value, other)
    if value.dimension not in _DAYS or other.dimension not in _DAYS:
        return False
    a, b = (v.number * _DAYS[v.dimension] for v in (value, other))
    return abs(a - b) <= _SPAN_ROOM * max(a, b)


def total(value: Value, inputs: Sequence[Value]) -> bool:
    """True for a value that is the sum or the mean of others, all of one unit."""
    for alike in _groups(value, [v for v in inputs if v.kind == "number" and v.readings]):
        whole = sum(_size(v, value) for v in alike)
        if len(alike) > 1 and (says(value, whole) or says(value, whole / len(alike))):
            return True
    return False


def _groups(value: Value, numbers: Sequence[Value]) -> list[list[Value]]:
    """The numbers that may be added up to a value: those of its unit with bare ones, else those of one unit each.

    A year is added to nothing but another: `2024` beside `12` is no sum.
    """
    groups: dict[tuple[str, str], list[Value]] = {}
    for number in numbers:
        if number.is_year == value.is_year:
            groups.setdefault((number.dimension, number.currency), []).append(number)
    unit = (value.dimension, value.currency)
    bare = groups.get(("", ""), [])
    if unit == ("", ""):
        return [*groups.values(), *([*group, *bare] for (_, money), group in groups.items() if money and bare)]
    own = groups.get(unit, [])
    return [own] if value.dimension == "%" else [own, [*own, *bare]]  # 36 more are no 36 %


def _size(value: Value, result: Value) -> float:
    """The size of a value in the unit of a result."""
    alike = value.dimension == result.dimension and value.factor != result.factor
    return value.number / result.factor if alike else value.readings[0]


def product(value: Value, inputs: Sequence[Value]) -> tuple[Value, Value] | None:
    """A bare number and another one whose product is a value: `six at 5.10 euros are 30.60 euros`."""
    numbers = [v for v in inputs if v.kind == "number" and v.readings and not v.is_year][:_FACTORS]
    for a, b in itertools.permutations(numbers, 2):
        unit = (b.dimension, b.currency)
        if a.dimension or a.currency or unit not in ((value.dimension, value.currency), ("", "")):
            continue
        if a.readings[0] != 1 != b.readings[0] and says(value, a.readings[0] * _size(b, value)):
            return a, b
    return None


def is_quotient(value: Value, inputs: Sequence[Value]) -> bool:
    """True for a value that is one of others by a bare number, of months say: 84 euros for 3 months."""
    numbers = [v for v in inputs if v.kind == "number" and v.readings and not v.is_year][:_FACTORS]
    return any(
        says(value, _size(a, value) / b.readings[0])
        for a, b in itertools.permutations(numbers, 2)
        if b.readings[0] > 1 and not b.currency and (a.dimension, a.currency) == (value.dimension, value.currency)
    )


def _sum_or_difference(value: Value, alike: Sequence[Value]) -> tuple[Value, Value] | None:
    """Two values whose sum or difference is a value."""
    sizes = [_size(v, value) for v in alike]
    numbers = sorted(sizes)
    reading = value.readings[0]

    def may_be(number: float) -> bool:
        return _has_near(numbers, number, 1.02 * _room(value, reading) + 1e-6 * (abs(number) + 1))

    for place, (a, x) in enumerate(zip(alike, sizes, strict=True)):
        if not (may_be(x - reading) or may_be(x + reading) or may_be(reading - x)):
            continue
        for b, y in zip(alike[place + 1 :], sizes[place + 1 :], strict=True):
            if says(value, abs(x - y)) or (says(value, x + y) and (x, y) != (0, 0)):
                return a, b
    return None


def _share(value: Value, numbers: Sequence[Value]) -> tuple[Value, Value] | None:
    """Two values whose ratio is a value: how many times, how many percent, by how many percent more."""
    sizes = sorted(v.number for v in numbers)
    times = value.readings[0] / (100 if value.dimension == "%" else 1)
    room = 1.02 * _room(value, value.readings[0]) / (100 if value.dimension == "%" else 1) + 1e-6 * (abs(times) + 1)
    for b in numbers:
        y = b.number
        if not y or not any(_has_near(sizes, y * t, abs(y) * room) for t in (times, 1 + times, 1 - times)):
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
        return any(says(value, 100 * share) for share in (x / y, (x - y) / y, (y - x) / y))
    return not value.dimension and not value.currency and says(value, x / y)


def _elapsed(value: Value, inputs: Iterable[Value]) -> tuple[Value, ...] | None:
    """Two dates or years between which a number of years, months or days lies."""
    if value.dimension not in ("", "years", "months", "time", "ordinal") or value.currency:
        return None
    places = [(v, day) for v in inputs for day in days_of(v)][:_MOST]
    for (a, first), (b, last) in itertools.combinations(places, 2):
        if value.dimension in ("", "years", "ordinal") and any(
            says(value, years) for years in years_between(first, last)
        ):
            return a, b
        if value.dimension in ("", "months") and first.month and last.month:
            span = ((last.year or 0) - (first.year or last.year or 0)) * 12 + last.month - first.month
            if any(says(value, abs(span) + more) for more in (0, 1)):
                return a, b
        days = _day_number(last) - _day_number(first) if first.day and last.day and first.year and last.year else 0
        if value.dimension == "time" and days and says(value, abs(days) * 86400 / value.factor):
            return a, b
    return None


def between(value: Value, inputs: Sequence[Value]) -> tuple[Value, Value] | None:
    """Two times of the day between which a length of time lies, the next day's among them."""
    times = [v for v in inputs if v.kind == "time"] if value.dimension == "time" else []
    for a, b in itertools.combinations(times, 2):
        apart = abs(a.readings[0] - b.readings[0])
        if any(says(value, 60 * minutes / value.factor) for minutes in (apart, 1440 - apart)):
            return a, b
    return None


def days_of(value: Value) -> tuple[Day, ...]:
    return (
        value.days[:1] if value.kind == "date" else tuple(Day(year, None, None) for year in value.years if year > 999)
    )


def years_between(first: Day, last: Day) -> set[int]:
    """How many years may lie between two dates: one number, or two where a month is not given."""
    if first.year is None or last.year is None:
        return set()
    if first.year > last.year or (first.year == last.year and (first.month or 0) > (last.month or 13)):
        first, last = last, first
    span = (last.year or 0) - (first.year or 0)
    if first.month and last.month and ((first.day and last.day) or first.month != last.month):
        return {span - ((last.month, last.day or 0) < (first.month, first.day or 0))}
    return {span, span - 1} if first.month or last.month else {span}


def _later(value: Value, inputs: Sequence[Value]) -> tuple[Value, Value] | None:
    """A day and a number of days, weeks, months or years of which a date is the day so much before or after."""
    sought = {day for day in value.days if day.month}
    starts = [(v, day) for v in inputs if v.kind == "date" and v.days != value.days for day in v.days if _is_whole(day)]
    for span in (v for v in inputs if v.kind == "number" and v.readings and v.dimension in ("time", "months", "years")):
        for start, day in starts:
            if any(_said_by(later, other) for later in _moved(day, span) for other in sought):
                return start, span
    return None


def _is_whole(day: Day) -> bool:
    return None not in day


def _said_by(day: date, stated: Day) -> bool:
    return all(part in (None, own) for part, own in zip(stated, (day.year, day.month, day.day), strict=True))


def _moved(day: Day, span: Value) -> Iterable[date]:
    """The days that lie a span before and after a day, where there are such."""
    number = span.readings[0]
    for sign in (1, -1):
        try:
            if span.dimension == "time":
                if span.number % _DAY == 0:
                    start = date(day.year or 1, day.month or 1, day.day or 1)
                    yield start + timedelta(days=sign * int(span.number // _DAY))
            elif number.is_integer():
                months = (
                    (day.year or 1) * 12
                    + (day.month or 1)
                    - 1
                    + sign * int(number) * (12 if span.dimension == "years" else 1)
                )
                yield date(months // 12, months % 12 + 1, day.day or 1)
        except (ValueError, OverflowError):
            continue


def _day_number(day: Day) -> int:
    try:
        return date(day.year or 1, day.month or 1, day.day or 1).toordinal()
    except ValueError:
        return 0


__all__ = ["between", "days_of", "derived", "is_quotient", "product", "restates", "says", "total", "years_between"]
