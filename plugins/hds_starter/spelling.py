"""Misspelt words: how far two words are apart, which slips are those of a typist, and which words name other places."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterable

from hds_starter import world

FEW = 4  # letters below which nothing is taken for a misspelling
_SWAPPED = 5  # letters in which two that changed places are a slip of the typist
_DROPPED = 6  # letters in which one that is left out, or doubled, is a slip of the typist
_PART = 5  # letters of a word that stands for a place by itself: `columbia` of `British Columbia`
_WORDS = frozenset("alania cameron hungry iberia romana romani styria tunisi".split())
"""Words that name something else and are near to a country all the same."""


def plain(text: str) -> str:
    """A text in small letters without accents and marks, its words apart by one blank."""
    letters = unicodedata.normalize("NFKD", text.replace("ı", "i").replace("’", "'"))
    kept = "".join(c for c in letters if not unicodedata.combining(c)).casefold().replace("'", "")
    return " ".join(re.findall(r"[^\W_]+", kept))


@functools.cache
def places() -> frozenset[str]:
    """Names of other places than countries, and the long words of such names: provinces, capitals, cities with a clock.

    No list has all of them: it is a second guard, behind the kinds of slips that are read at all.
    """
    from babel.core import get_global

    known = {name.rpartition("/")[2].replace("_", " ") for name in get_global("zone_territories")}
    for info in world.countries().values():
        known |= {str(province) for province in info.get("provinces") or []} | {str(info.get("capital") or "")}
    names = {plain(name) for name in known} - {""}
    return frozenset(names | {part for name in names for part in name.split() if len(part) >= _PART}) | _WORDS


def typed(word: str, meant: str, few: int = _DROPPED) -> bool:
    """True where a word is another one with a slip of the typist: two letters swapped, one left out, or one doubled.

    `kazakstan`, `belguim`, `morroco`; a letter put in or changed makes another word as often: Lagos, Granada.

    Args:
        few: letters below which one that is left out or doubled makes another word as often.
    """
    if word[:1] != meant[:1] or word == meant or len(word) < _SWAPPED:
        return False
    if len(word) == len(meant):
        apart = [n for n, (a, b) in enumerate(zip(word, meant, strict=True)) if a != b]
        if len(apart) == 2 and apart[1] == apart[0] + 1 and word[apart[0]] == meant[apart[1]]:
            return word[apart[1]] == meant[apart[0]]
    left_out = len(word) + 1 == len(meant) and any(word == meant[:n] + meant[n + 1 :] for n in range(len(meant)))
    return len(word) >= few and (left_out or _single(word) == _single(meant))


def _single(word: str) -> str:
    return re.sub(r"(.)\1", r"\1", word)


def resembles(word: str, name: str) -> bool:
    """True where a word is a name with few other letters, or with the same ones in another order: `lybia`."""
    if len(word) < FEW or word[0] != name[0]:
        return False
    return slips(word, name, 1 + (len(word) > 7)) <= 1 + (len(word) > 7) or sorted(word) == sorted(name)


def closest(word: str, known: Iterable[str], most: int | None = None) -> list[str]:
    """Those of `known` that are nearest to a word, as near as its length allows: one slip, or two in nine letters."""
    allowed = most if most is not None else 0 if len(word) < FEW else 1 if len(word) < 9 else 2
    near = [(slips(word, name, allowed), name) for name in known if abs(len(name) - len(word)) <= allowed + 1]
    if len(word) == FEW:
        near = [(count, name) for count, name in near if len(name) > FEW]
    least = min((count for count, _ in near), default=allowed + 1)
    return [name for count, name in near if count == least <= allowed]


def slips(a: str, b: str, most: int) -> int:
    """Letters to add, take away, change or swap between two words (optimal string alignment); `most` + 1: more."""
    if a == b:
        return 0
    if _single(a) == _single(b):
        return 1  # a letter doubled in the wrong place: `morroco`
    if most == 0 or len(a) > 40 or len(b) > 40:
        return most + 1
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, letter in enumerate(a, 1):
        older, before, row = before, row, [i]
        for j, other in enumerate(b, 1):
            cost = min(row[j - 1] + 1, before[j] + 1, before[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == b[j - 2] and a[i - 2] == other:
                cost = min(cost, older[j - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
    return row[-1]
