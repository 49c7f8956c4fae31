"""Names that a question misses by a letter: `Austraila` is no title of a collection, and Australia is one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from hds_cli.text import STOPWORDS, normalise

MOST_TITLES = 50_000  # that are compared
_MOST_CHARS, _MOST_WORDS = 400, 4  # of a question, of a name
_LEAST, _LONGEST = 4, 60  # letters of a name
_WORD = re.compile(r"\w+(?:[-'’.]\w+)*")


class Meant(NamedTuple):
    """`written`, as it stands in the question, is nearly `title`."""

    written: str
    title: str


def meant(question: str, titles: Iterable[str]) -> Meant | None:
    """The name of a question that is one letter away from a title (one more, one less, another, or two exchanged).

    A name that is a title is what it is; where the question has capitals, only its capitalised names are compared.

    Args:
        titles: at most `MOST_TITLES` of them are looked at.
    """
    names = {normalise(name): name for name in _names(question[:_MOST_CHARS])}
    keys: dict[str, list[str]] = {}
    for folded in names:
        for key in _shortened(folded):
            keys.setdefault(key, []).append(folded)
    near: dict[str, str] = {}
    for _, title in zip(range(MOST_TITLES), titles, strict=False):
        folded_title = normalise(title[: _LONGEST + 1])
        names.pop(folded_title, None)
        if not _LEAST <= len(folded_title) <= _LONGEST:
            continue
        for folded in {name for key in _shortened(folded_title) for name in keys.get(key, ())}:
            if folded not in near and _is_one_off(folded, folded_title):
                near[folded] = title
    return next((Meant(name, near[folded]) for folded, name in names.items() if folded in near), None)


def _names(question: str) -> Iterator[str]:
    """Candidates for names: runs of words that do not begin or end with a small word, the longest first."""
    words = list(_WORD.finditer(question))
    capitals = [word[0][:1].isupper() for word in words]
    cased = any(capitals[1:])
    for length in range(_MOST_WORDS, 0, -1):
        for at in range(len(words) - length + 1):
            first, last = words[at], words[at + length - 1]
            ends = {first[0].casefold(), last[0].casefold()}
            text = question[first.start() : last.end()]
            if ends & STOPWORDS or not _LEAST <= len(text) <= _LONGEST or (cased and not capitals[at]):
                continue
            yield text


def _shortened(text: str) -> set[str]:
    """The text, and the text without any one of its letters: two that are one letter apart have one in common."""
    return {text, *(text[:at] + text[at + 1 :] for at in range(len(text)))}


def _is_one_off(one: str, other: str) -> bool:
    if one == other or abs(len(one) - len(other)) > 1 or _digits(one) != _digits(other):
        return False
    if len(one) != len(other):
        short, long = sorted((one, other), key=len)
        return any(long[:at] + long[at + 1 :] == short for at in range(len(long)))
    apart = [at for at, (a, b) in enumerate(zip(one, other, strict=True)) if a != b]
    if len(apart) == 1:
        return True
    return (
        len(apart) == 2
        and apart[1] == apart[0] + 1
        and one[apart[0]] + one[apart[1]] == other[apart[1]] + other[apart[0]]
    )


def _digits(text: str) -> str:
    """The figures of a name: Apollo 11 is not nearly Apollo 12."""
    return "".join(c for c in text if c.isdigit())
