"""Short forms of names: where a message has `WTO` and the pages the World Trade Organization, or the other way round.

Both are written in the short form before they are compared: `UK`, `WWII` for the Second World War, `Mt.` for Mount.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from hds_cli.agent.support.message import Unit
from hds_cli.agent.support.words import words

_LETTER = "A-ZÀ-ÖØ-Þ"
_PART = rf"(?:[{_LETTER}][\w'’-]{{0,2}}\.|[{_LETTER}][\w'’-]{{0,40}})"
_LITTLE = "of|the|for|and|de|la|le|du|des|del|della|di|da|do|dos|van|von|der|den|und|et|y|e"
_NAME = re.compile(rf"(?<![\w'’-]){_PART}(?:[ -](?:(?:{_LITTLE}) ){{0,2}}(?:{_PART}|\d{{1,2}}(?!\w))){{1,7}}")
_STEP = re.compile(r"[ -]")
_SHORT = re.compile(r"(?<![\w.])(?:(?:[A-Z]\.){2,6}|[A-Z][A-Z&]{1,6}[0-9]?)(?!\w)")
_NUMERAL = re.compile(r"[IVX]+|\d+")
# Of two letters these alone: others are as often those of a person, `PM` and Paul Martin.
_TWO = {
    "uk": "united kingdom", "us": "united states", "eu": "european union", "un": "united nations", "nz": "new zealand",
    "la": "los angeles", "ny": "new york", "sf": "san francisco", "dc": "district columbia",
}  # fmt: skip
_ONE = {"usa": "us", "fww": "wwi", "ww1": "wwi", "sww": "wwii", "ww2": "wwii"}
_SPELT = {
    "Saint": "St", "Mount": "Mt", "Fort": "Ft", "Avenue": "Ave", "Street": "St", "Road": "Rd", "Boulevard": "Blvd",
}  # fmt: skip
_WORD = re.compile(rf"(?<!\w)(?:{'|'.join((*_SPELT, *set(_SPELT.values())))})(?!\w)")


class ShortForms:
    """The names that a message or the pages write in a short form where the other side has the long one."""

    def __init__(self, message: str = "", pages: Iterable[str] = ()) -> None:
        pages = list(pages)
        short, long = set(_short_forms(message)), {initials for initials, _, _ in _names(message)}
        theirs = {form for text in pages for form in _short_forms(text)} if long or short else set[str]()
        spelt = {initials for text in pages for initials, _, _ in _names(text)} if short else set[str]()
        mine, given = set(_WORD.findall(message)), {word for text in pages for word in _WORD.findall(text)}
        self._spelt = {
            word: form
            for word, form in _SPELT.items()
            if (word in mine and form in given) or (form in mine and word in given)
        }
        self._forms = frozenset((short & spelt) | (long & theirs) | (short & theirs if "us" in short else set()))

    def put(self, text: str) -> str:
        """A text with these names in their short form."""
        if self._spelt:
            text = _WORD.sub(lambda match: self._spelt.get(match[0], match[0]), text)
        if not self._forms:
            return text
        parts, done = [], 0
        longest = sorted(_names(text), key=lambda one: (one[1], -one[2]))
        for initials, start, end in longest:
            if start >= done and initials in self._forms:
                parts += [text[done:start], initials.upper()]
                done = end
        return _SHORT.sub(lambda match: _short(match[0], self._forms), "".join([*parts, text[done:]]))

    def of_unit(self, unit: Unit) -> Unit:
        """A unit of the message with these names in their short form."""
        text, marked = self.put(unit.text), self.put(unit.marked)
        return replace(unit, text=text, marked=marked, label=self.put(unit.label), context=self.put(unit.context))


def _short(form: str, forms: frozenset[str]) -> str:
    """A short form without points, and of several for one name always the same: `US` for `USA` and `U.S.`."""
    folded = _folded(form)
    return folded.upper() if folded in forms else form


def _folded(form: str) -> str:
    folded = form.replace(".", "").casefold()
    return _ONE.get(folded, folded)


def _short_forms(text: str) -> Iterator[str]:
    """The short forms of a text."""
    return (_folded(match[0]) for match in _SHORT.finditer(text))


def _names(text: str) -> Iterator[tuple[str, int, int]]:
    """The initials of the names of a text and of parts of them, with start and end."""
    for match in _NAME.finditer(text):
        parts, at = list[tuple[str, int]](), match.start()
        for part in _STEP.split(match[0]):
            if part[:1].isupper() or part[:1].isdigit():
                parts.append((part, at))
            at += len(part) + 1
        letters = [part if _NUMERAL.fullmatch(part) else part[0] for part, _ in parts]
        for first in range(len(parts) - 1):
            for last in range(first + 1, len(parts)):
                initials = _folded("".join(letters[first : last + 1]))
                named = [word for part, _ in parts[first : last + 1] for word in words(part)]
                if len(initials) > 2 or _TWO.get(initials) == " ".join(named):
                    yield initials, parts[first][1], parts[last][1] + len(parts[last][0])


__all__ = ["ShortForms"]
