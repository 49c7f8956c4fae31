"""Times of the day and lengths of time as they are written: `from 10 to 14 o'clock`, `half an hour`, `4 h 30 min`.

Every function is linear in its text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from hds_cli.agent.support.numerals import number_words

if TYPE_CHECKING:
    from hds_cli.agent.support.values import Value

_HALF_DAY = r"(?:a\.?m\b\.?|p\.?m\b\.?)"
_CLOCK = r"(?:o['’]clock\b|Uhr\b|uur\b)"
_HOUR, _MINUTE = r"([01]?\d|2[0-4])", r"(?:[:.]([0-5]\d))?"
_TIME = re.compile(
    rf"(?<![\d.:,]){_HOUR}{_MINUTE}\s*(?:({_HALF_DAY})|{_CLOCK})|(?<![\d.:,])([01]?\d|2[0-3]):([0-5]\d)(?![\d:])",
    re.IGNORECASE,
)
# Both ends of what is written once: `6 and 7 am`, `von 10 bis 14 Uhr`, `с 10 до 18 часов`.
_FIRST = re.compile(
    rf"(?<![\d.:,]){_HOUR}{_MINUTE}(?=\s*(?:to|until|till|and|or|bis|und|oder|tot|à|[–—-])\s*"
    rf"([01]?\d|2[0-4])(?:[:.][0-5]\d)?\s*(?:({_HALF_DAY})|{_CLOCK}))",
    re.IGNORECASE,
)
_BOTH = re.compile(
    rf"(?<!\w)(?:с|de|da|das|dalle|von)\s{_HOUR}{_MINUTE}\s(?:до|a|à|às|alle|bis)\s{_HOUR}{_MINUTE}"
    r"(?=\s(?:часов|horas|heures|h|ore)\b)",
    re.IGNORECASE,
)
_CJK = re.compile(
    r"(午後|下午|午前|上午)?\s?(\d{1,2})(?:時|时|點|点)(?!間|间|鐘|钟)(?:(\d{1,2})分|(半))?"
    r"(?:\s?(?:から|到|至|[~〜～–-])\s?(\d{1,2})(?:時|时|點|点)(?:(\d{1,2})分)?)?"
)
_UNITS = {
    "minute": ("time", 60.0), "hour": ("time", 3600.0), "day": ("time", 86400.0), "week": ("time", 604800.0),
    "month": ("months", 1.0), "year": ("years", 1.0), "dozen": ("", 12.0), "century": ("years", 100.0),
    "decade": ("years", 10.0),
}  # fmt: skip
_SMALLER = {"hour": ("minute", 60.0), "day": ("hour", 24.0), "year": ("month", 12.0)}
_UNIT = rf"({'|'.join(_UNITS)})s?\b"
_AND_HALF = re.compile(
    rf"(?<!\w)(\d{{1,3}}|[^\W\d_]{{1,12}})(?:\s{_UNIT})?\sand\s(?:a\s|one\s)?(half|quarter)\b(?:\s{_UNIT})?",
    re.IGNORECASE,
)
_PART = re.compile(rf"(?<!\w)(?:(three|3)\s)?(half|quarters?)(?:\sof)?(?:\s|-)(?:an?\s)?{_UNIT}", re.IGNORECASE)
_ARTICLES = frozenset({"a", "an", "one"})
_OTHERS = {
    "eine halbe stunde": (30.0, "minute"), "einer halben stunde": (30.0, "minute"), "halbe stunde": (30.0, "minute"),
    "ein halbes jahr": (6.0, "month"), "halbes jahr": (6.0, "month"), "eineinhalb stunden": (90.0, "minute"),
    "anderthalb stunden": (90.0, "minute"), "zweieinhalb stunden": (150.0, "minute"),
    "eineinhalb jahre": (18.0, "month"), "anderthalb jahre": (18.0, "month"), "eine viertelstunde": (15.0, "minute"),
    "une demi-heure": (30.0, "minute"), "demi-heure": (30.0, "minute"), "une heure et demie": (90.0, "minute"),
    "un an et demi": (18.0, "month"), "media hora": (30.0, "minute"), "una hora y media": (90.0, "minute"),
    "hora y media": (90.0, "minute"), "mezz'ora": (30.0, "minute"), "полчаса": (30.0, "minute"),
    "полгода": (6.0, "month"), "полтора часа": (90.0, "minute"),
}  # fmt: skip
_OTHER = re.compile(rf"(?<!\w)(?:{'|'.join(sorted(_OTHERS, key=len, reverse=True))})(?!\w)", re.IGNORECASE)
_JOINED = re.compile(r"\s?(?:,\s?)?(?:(?:and|und|et|y|e|и|en)\s)?")
_PARTED = {"time": 5, "length": 1, "mass": 1}  # characters between the parts of a measure
_LONE = re.compile(rf"(?<!\w)(?:an?|one)\s{_UNIT}\s(?:and\s)?$", re.IGNORECASE)
Length = tuple[int, int, float, float, str]
"""Start, end, number, and the factor and dimension of its unit; `three and a half years` is said of three and four."""


def clock_times(text: str) -> Iterator[tuple[int, int, float]]:
    """Start and end of each time of the day, and the minutes since midnight."""
    for match in _TIME.finditer(text):
        if match[4]:
            yield match.start(), match.end(), 60.0 * int(match[4]) + int(match[5])
        else:
            yield match.start(), match.end(), _minutes(match[1], match[2], match[3] or "")
    for match in _CJK.finditer(text):
        half = "pm" if match[1] in ("午後", "下午") else ""
        end = match.end() if match[5] is None else match.end(3) if match[3] else match.end(2) + 1
        yield match.start(2), end, _minutes(match[2], "30" if match[4] else match[3], half)
        if match[5]:
            yield match.start(5), match.end(), _minutes(match[5], match[6], half)
    for match in _FIRST.finditer(text):
        half = match[4] or ""
        if half and int(match[1]) % 12 > int(match[3]) % 12:
            half = "am" if half[:1] in "pP" else "pm"
        yield match.start(), match.end(), _minutes(match[1], match[2], half)
    for match in _BOTH.finditer(text):
        for hour, minute in ((1, 2), (3, 4)):
            end = match.end(minute) if match[minute] else match.end(hour)
            yield match.start(hour), end, _minutes(match[hour], match[minute], "")


def _minutes(hour: str, minute: str | None, half: str) -> float:
    hours = int(hour) % 12 + (12 if half[:1] in "pP" else 0) if half else int(hour)
    return 60.0 * hours + int(minute or 0)


def lengths(text: str) -> Iterator[Length]:
    """The lengths of time that are written with a half or a quarter, and half a dozen, in order."""
    reach = 0
    for one in sorted(_lengths(text)):
        if one[0] >= reach:
            reach = one[1]
            yield one


def _lengths(text: str) -> Iterator[Length]:
    for match in _AND_HALF.finditer(text):
        if unit := (match[2] or match[4] or "").casefold():
            if (whole := _whole(match[1].casefold())) is None:
                continue
            yield _length(match.start(), match.end(), whole + (0.5 if match[3].casefold() == "half" else 0.25), unit)
    for match in _PART.finditer(text):
        part = 0.5 if match[2].casefold() == "half" else 0.25
        yield _length(match.start(), match.end(), part * (3 if match[1] else 1), match[3].casefold())
    for match in _OTHER.finditer(text):
        number, unit = _OTHERS[match[0].casefold()]
        yield _length(match.start(), match.end(), number, unit)


def _whole(word: str) -> float | None:
    """The number that a word stands for, an article for one; None: it is none."""
    if word.isdigit() or word in _ARTICLES:
        return float(word) if word.isdigit() else 1.0
    return next((number for _, _, number in number_words(word)), None)


def _length(start: int, end: int, number: float, unit: str) -> Length:
    """A part of a unit in a smaller one: half a year is six months, a year and a half one and a half years."""
    smaller, times = (unit, 1.0) if unit == "year" and number > 1 else _SMALLER.get(unit, (unit, 1.0))
    dimension, factor = _UNITS[smaller]
    if unit in ("dozen", "century", "decade"):
        number, factor = number * factor, 1.0
    return start, end, number * times, factor, dimension


def joined(text: str, stated: Sequence[Value]) -> list[Value]:
    """Values of which two are one measure: `4 h 30 min`, `5 ft 7 in`, `an hour and 45 minutes`."""
    out: list[Value] = []
    for value in stated:
        before = out[-1] if out else None
        if before is not None and _is_part(text, before, value):
            whole = before.number + value.number
            out[-1] = replace(
                before, end=value.end, text=text[before.start : value.end], readings=(whole / value.factor,),
                factor=value.factor, step=value.step, worded=False,
            )  # fmt: skip
        elif value.dimension == "time" and (lone := _LONE.search(text[max(0, value.start - 20) : value.start])):
            start = value.start - len(lone[0])
            whole = _UNITS[lone[1].casefold()][1] + value.number
            reading = (whole / value.factor,) if _UNITS[lone[1].casefold()][0] == "time" else value.readings
            out.append(replace(value, start=start, text=text[start : value.end], readings=reading))
        else:
            out.append(value)
    return out


def _is_part(text: str, one: Value, other: Value) -> bool:
    """True for the smaller part of a measure right behind the larger one."""
    if one.kind != "number" or one.dimension != other.dimension or one.dimension not in _PARTED or not other.readings:
        return False
    gap = text[one.end : other.start]
    room = _PARTED[one.dimension]
    return (
        len(gap) <= room
        and _JOINED.fullmatch(gap) is not None
        and one.factor > other.factor
        and 0 <= other.number < one.factor
        and (one.worded or one.step >= 1)
    )


__all__ = ["clock_times", "joined", "lengths"]
