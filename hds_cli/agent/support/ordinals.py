"""Ordinals, `third`, `21st`, `dritte`, `troisième`, as the numbers they stand for, and what they are said of.

In words: English, German, French and Dutch. Every function is linear in its text.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import NamedTuple

from hds_cli.agent.support.words import content_stems
from hds_cli.text import fold

_LONGEST = 2000  # characters of a text that are looked at for what is counted
_LEAST = 3  # `first` and `second` are said of much that is not counted: `was first shown`, `a second`
_MOST = 16  # ordinals of a text that are compared
_COUNTED = 3  # words behind an ordinal among which is the one that it is said of

_ENGLISH = """
first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth
sixteenth seventeenth eighteenth nineteenth twentieth
""".split()
_ENGLISH_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_GERMAN = """
erst zweit dritt viert funft sechst siebt acht neunt zehnt elft zwolft dreizehnt vierzehnt funfzehnt sechzehnt siebzehnt
achtzehnt neunzehnt zwanzigst
""".split()
_FRENCH = """
premier deuxieme troisieme quatrieme cinquieme sixieme septieme huitieme neuvieme dixieme onzieme douzieme treizieme
quatorzieme quinzieme seizieme dix-septieme dix-huitieme dix-neuvieme vingtieme
""".split()
_DUTCH = """
eerste tweede derde vierde vijfde zesde zevende achtste negende tiende elfde twaalfde dertiende veertiende vijftiende
zestiende zeventiende achttiende negentiende twintigste
""".split()
_ENDINGS = ("e", "er", "es", "en", "em")
_OTHERS = {"debut": 1, "premiere": 1, "seconde": 2, "siebente": 7, "siebenten": 7}

_WORD = re.compile(r"(?<!\w)[^\W\d_]+(?:-[^\W\d_]+)?(?![\w'’])|(?<![\w.,])(\d{1,4})(?:st|nd|rd|th|e|ème|º|ª)\b")
_MONTHS = (
    "January|February|March|April|May|June|July|August|September|October|November|December"  # a day: `the third of May`
)
_FRACTION = re.compile(
    r"(?:\b(?:an?|one|two|three|four|five|six|seven|eight|nine|ten|per|ein|eine|einem|einen|un|une|een"
    rf"|{_MONTHS})|\d)[\s-]$",
    re.IGNORECASE,
)
_MONTH = re.compile(rf"\s+(?:of\s+)?(?:{_MONTHS})")
_NAME = re.compile(r"\s+[^\W\d_a-z]")


class _Ordinal(NamedTuple):
    """An ordinal, and the stems of the words behind it, of which one says what is counted."""

    number: int
    counted: tuple[str, ...]


def ordinal_words(text: str) -> Iterator[tuple[int, int, float]]:
    """Start, end and value of each ordinal in words from the third on that is no fraction, day or part of a name."""
    for match in _WORD.finditer(text):
        number = 0 if match[1] else _number(match[0])
        if number >= _LEAST and not _is_another(text, match.start(), match.end()):
            yield match.start(), match.end(), float(number)


def _is_another(text: str, start: int, end: int) -> bool:
    """True for a part of a fraction, a date or a name."""
    if _FRACTION.search(text[max(0, start - 12) : start]) or _MONTH.match(text, end):
        return True
    return text[start].isupper() and _NAME.match(text, end) is not None


def counts_differently(claim: str, sentence: str) -> bool:
    """True for a sentence that has another ordinal for what a claim counts: `fifth album` for `third album`."""
    own = _ordinals(claim)
    if not own:
        return False
    others = _ordinals(sentence)
    for ordinal in own:
        same = [other for other in others if set(other.counted[:_COUNTED]) & set(ordinal.counted[:1])]
        if same and all(other.number != ordinal.number for other in same):
            return True
    return False


def is_same(word: str, other: str) -> bool:
    """True for two ways to write one ordinal: `3rd` and `third`."""
    numbers = [ordinal.number for text in (word, other) for ordinal in _ordinals(text)]
    return len(numbers) == 2 and numbers[0] == numbers[1]


@functools.lru_cache(maxsize=4096)
def _ordinals(text: str) -> tuple[_Ordinal, ...]:
    """The ordinals of a text in words and figures; a fraction and a day are none."""
    out = []
    text = text[:_LONGEST]
    for match in _WORD.finditer(text):
        number = int(match[1]) if match[1] else _number(match[0])
        if number and not _is_another(text, match.start(), match.end()):
            behind = re.split(r"[,.;:()]", text[match.end() : match.end() + 60], maxsplit=1)[0]
            counted = content_stems(behind)
            out.append(_Ordinal(number, counted))
    return tuple(out[:_MOST])


@functools.cache
def _table() -> dict[str, int]:
    table = dict(_OTHERS)
    for line in (_ENGLISH, _FRENCH, _DUTCH):
        table |= {word: number for number, word in enumerate(line, 1)}
    for number, word in enumerate(_GERMAN, 1):
        table |= {word + ending: number for ending in _ENDINGS}
    for tens, word in enumerate(_ENGLISH_TENS, 2):
        table[f"{word[:-1]}ieth"] = 10 * tens
        table |= {f"{word}-{unit}": 10 * tens + number for number, unit in enumerate(_ENGLISH[:9], 1)}
    del table["achten"]  # to respect
    return table


@functools.lru_cache(maxsize=1 << 14)
def _number(word: str) -> int:
    """The number of an ordinal in words, also of the first half of `third-largest`; 0 for any other word."""
    folded = fold(word)
    return _table().get(folded) or _table().get(folded.split("-")[0], 0)


__all__ = ["counts_differently", "is_same", "ordinal_words"]
