"""Dates as they stand in text: `3 December 2024`, `2024-12-03`, `March 2–3, 2012`, `2024年12月3日`."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import NamedTuple

from hds_cli.agent.support.cldr import names
from hds_cli.text import fold


class Day(NamedTuple):
    """A date as far as it is given; None: that part is not."""

    year: int | None
    month: int | None
    day: int | None


class Found(NamedTuple):
    """A stretch of text and the dates it may mean (`3/4/2024` is two); `whole`: `2–3 March` for each half of it."""

    start: int
    end: int
    days: tuple[Day, ...]
    whole: tuple[int, int]


_ORDINAL = r"(?:st|nd|rd|th|er|º|ª|η|ης|-?го|-?е|\.)?"
_JOIN = r"(?:[-–—/,&]|and|und|et|y|e|и|to|bis|και|au|al|a)"
_OF = r"(?:of|de|del|di|do|den|the|du|τον?|-)"
_LEFT = re.compile(
    rf"(?<![\d.,:/])(?:(\d{{1,2}}){_ORDINAL}\s*{_JOIN}\s*)?(?:the\s+)?(\d{{1,2}}){_ORDINAL}\s*(?:{_OF}\s+)?(?:d['’])?$"
)
_RIGHT = re.compile(
    rf"\.?\s*(?:the\s+)?(\d{{1,2}}){_ORDINAL}(?!\d|[.,:]\d|\s*[%°])(?:\s*{_JOIN}\s*(\d{{1,2}}){_ORDINAL}(?!\d|[.,:]\d))?"
)
_YEAR = re.compile(rf"\.?(?:\s*,)?\s*(?:{_OF}\s+)?(?<!\d)([12]\d{{3}})(?!\d|[.,]\d)")
_WORD = re.compile(r"[^\W\d_]{3,}(?:\.[^\W\d_]\.)?")
_ISO = re.compile(r"(?<![\w.-])([12]\d{3})-(\d{2})-(\d{2})(?![\w-]|T(?!\d))")
_PARTS = re.compile(r"(?<![\w./-])(\d{1,4})([./])(\d{1,2})\2(\d{2,4})(?![\w/]|[.]\d)")
_CJK = re.compile(
    r"(\d{1,4})\s*[年년](?:\s*(\d{1,2})\s*[月월](?:\s*(\d{1,2})\s*[日号號일])?)?(?![代间間前])|(\d{1,2})\s*[月월]\s*(\d{1,2})\s*[日号號일]"
)
_DIGIT = re.compile(r"\d")
_BUDDHIST = re.compile(r"พ\.?ศ\.?\s*(\d{4})")
_OTHER_WORDS = frozenset("march may mars mai mart marc marca marco maja maj sept sep mar jun jul dec ott paz".split())
_NEAR = 14  # characters between two dates of which the second gives the year


def dates(text: str) -> Iterator[Found]:
    """The dates of a text with ASCII digits, in order, without overlaps."""
    places = sorted([*(_numeric(text) if _DIGIT.search(text) else ()), *_worded(text)])
    out: list[Found] = []
    for place in places:
        if not out or place.start >= out[-1].end:
            out.append(place)
    for number in range(len(out) - 2, -1, -1):  # `February 28 and February 29, 2012`
        this, following = out[number], out[number + 1]
        year = following.days[0].year
        if year and following.start - this.end <= _NEAR and all(day.year is None for day in this.days):
            out[number] = this._replace(days=tuple(day._replace(year=year) for day in this.days))
    yield from out


def _numeric(text: str) -> Iterator[Found]:
    for match in _ISO.finditer(text):
        yield from _checked(match, Day(int(match[1]), int(match[2]), int(match[3])))
    for match in _PARTS.finditer(text):
        first, second, last = int(match[1]), int(match[3]), int(match[4])
        if len(match[1]) == 4:
            yield from _checked(match, Day(first, second, last))
        elif len(match[4]) == 4 and len(match[1]) < 3:
            both = [Day(last, second, first), *([Day(last, first, second)] if match[2] == "/" else [])]
            yield from _checked(match, *both)
    for match in _CJK.finditer(text):
        if match[4]:
            yield from _checked(match, Day(None, int(match[4]), int(match[5])))
        elif match[2] or len(match[1]) == 4:
            yield from _checked(match, Day(int(match[1]), *(int(part) if part else None for part in match.group(2, 3))))
    for match in _BUDDHIST.finditer(text):
        yield from _checked(match, Day(int(match[1]) - 543, None, None))


def _checked(match: re.Match[str], *days: Day) -> Iterator[Found]:
    right = tuple(dict.fromkeys(day for day in days if _possible(day)))
    if right:
        yield Found(match.start(), match.end(), right, match.span())


def _possible(day: Day) -> bool:
    return (day.month is None or 1 <= day.month <= 12) and (day.day is None or 1 <= day.day <= 31)


@functools.lru_cache(maxsize=1 << 15)
def _month(word: str) -> tuple[str, int | None]:
    folded = fold(word)
    return folded, names().months.get(folded)


def _worded(text: str) -> Iterator[Found]:
    for match in _WORD.finditer(text):
        folded, month = _month(match[0])
        if month is None:
            continue
        start, end, given = match.start(), match.end(), [None]
        days: list[str | None] = list(given)
        before = _LEFT.search(text[max(0, start - 30) : start])
        if before:
            start -= len(before[0])
            days = [before[1], before[2]] if before[1] else [before[2]]
        elif after := _RIGHT.match(text, end):
            days, end = [after[1], after[2]] if after[2] else [after[1]], after.end()
        year = _YEAR.match(text, end)
        if year:
            end = year.end()
        if days == [None] and not year and (folded in _OTHER_WORDS or len(folded) < 4):
            continue
        numbers = [Day(int(year[1]) if year else None, month, int(day) if day else None) for day in days]
        if not all(map(_possible, numbers)):
            continue
        if len(numbers) == 2:  # two days in one stretch: each half of it is one
            middle = (start + end) // 2
            yield Found(start, middle, (numbers[0],), (start, end))
            yield Found(middle, end, (numbers[1],), (start, end))
        else:
            yield Found(start, end, tuple(numbers), (start, end))
