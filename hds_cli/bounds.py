"""The limits of a page, applied in the process that reads pages, and again where a page enters this process.

Whatever a stranger wrote passes one of these functions: the answer of a reading process, a page of a source, of the
cache, of an archive, an import.
"""

from __future__ import annotations

import dataclasses
import math
import re

from hds_cli.types import Page

MAX_URL = 8192  # characters, as are the others
MAX_TITLE = 300
MAX_HEADING = 300  # a heading is kept with every passage under it
MAX_TEXT = 4_000_000
MAX_FILE_TEXT = 20 << 20  # characters of a file that the user names
MAX_AUTHOR = 200
MAX_DATE = 40
MAX_COUNT = 1 << 53  # bytes; every reader of JSON holds integers up to here exactly
MAX_SECONDS = 30 * 86400.0  # the longest time of a run, and of anything in it

_LONG_HEADING = re.compile(rf"(?m)^#{{1,6}}[^\S\n]+(?=[^\n]{{{MAX_HEADING + 1}}})")

_WIDE, _ASTRAL = re.compile("[\u0100-\U0010ffff]"), re.compile("[\U00010000-\U0010ffff]")


def title(text: object) -> str:
    """A title on one line, cut at `MAX_TITLE`; empty for what is no text."""
    return _line(text, MAX_TITLE)


def text(value: object, most: int = MAX_TEXT) -> str:
    """The text of a page, cut at `most` characters; a heading longer than `MAX_HEADING` becomes a paragraph.

    Of a text whose characters take four bytes each, half as many are kept.
    """
    if not isinstance(value, str):
        return ""
    if 2 * len(value) > most and width(value) == 4:
        most //= 2
    return _LONG_HEADING.sub("", value[:most])


def width(text: str) -> int:
    """The bytes that each character of a text takes (PEP 393): one emoji in it makes every letter four wide."""
    if text.isascii():
        return 1
    return 4 if _ASTRAL.search(text) else 2 if _WIDE.search(text) else 1


def author(value: object) -> str | None:
    """The author of a page, on one line."""
    return _line(value, MAX_AUTHOR) or None


def date(value: object) -> str | None:
    """The date of a page, in the page's own form."""
    return _line(value, MAX_DATE) or None


def count(value: object) -> int:
    """A number of bytes from outside; 0 for what cannot be one."""
    return value if type(value) is int and 0 <= value < MAX_COUNT else 0


def seconds(value: object) -> float:
    """A number of seconds from outside; 0 for what cannot be one."""
    if type(value) not in (int, float) or not 0 <= value <= MAX_SECONDS:  # type: ignore[operator]
        return 0.0
    return float(value)  # type: ignore[arg-type]


def page(one: Page, most: int = MAX_TEXT) -> Page:
    """The page within all limits; one at an address longer than `MAX_URL` is skipped."""
    if len(one.url) > MAX_URL or len(one.final_url) > MAX_URL:
        return Page(one.url[:MAX_URL], status="skipped", reason="bad_url")
    return dataclasses.replace(
        one,
        title=title(one.title),
        text=text(one.text, most),
        author=author(one.author),
        date=date(one.date),
        bytes=count(one.bytes),
        seconds=seconds(one.seconds),
        extract_seconds=seconds(one.extract_seconds),
    )


def is_number(value: object, least: float = -math.inf, most: float = math.inf) -> bool:
    """True for a finite int or float from `least` to `most`; False for a bool."""
    if type(value) is int:
        return max(least, -MAX_COUNT) <= value <= min(most, MAX_COUNT)
    return type(value) is float and math.isfinite(value) and least <= value <= most


def _line(value: object, most: int) -> str:
    # The title is cut before it is split, because a title of megabytes has about as many words.
    return " ".join(value[: 4 * most].split())[:most].strip() if isinstance(value, str) else ""
