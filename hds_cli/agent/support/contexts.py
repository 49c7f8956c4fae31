"""A sentence said again with another value or name in its place, or with two of its names exchanged.

Examples: `five terminal buildings` for `four terminal buildings`, `Hull beat Leeds in the final` for the contrary.
"""

from __future__ import annotations

import functools
import re
from typing import NamedTuple

from hds_cli.agent.support.claims import Claim
from hds_cli.agent.support.territories import forms
from hds_cli.agent.support.values import Value, alike, same, values
from hds_cli.agent.support.words import is_content, kin, words

_LONGEST = 2000  # characters of a text
_MOST = 24  # values of a text
_BESIDE = 3  # words on each side of a value, the beginning and the end of a text among them
_EQUAL = 4  # of these that have to be equal, one at least on each side and one with a content; not tuned
_ROOM = 60  # characters in which they stand
_NAME = re.compile(r"[^\W\d_a-z][\w'’.-]*\w(?:\s+(?:(?:of|de|van|von|da|del|der)\s+)?[^\W\d_a-z][\w'’.-]*\w){0,5}")
_JOINED = frozenset("and or und oder et ou y o e und sowie both with between".split())
_MUTUAL = frozenset("married marries met meets borders bordering adjoins equals wed divorced joined".split())


class _Named(NamedTuple):
    words: tuple[str, ...]
    start: int
    end: int
    before: tuple[str, ...]
    behind: tuple[str, ...]


class _Place(NamedTuple):
    value: Value
    before: tuple[str, ...]
    behind: tuple[str, ...]


def exchanged(claim: Claim, text: str) -> tuple[Value, Value] | None:
    """A value of a claim, and the other one that a sentence has between the same words; None: it has the claim's."""
    if not claim.values or len(text) > _LONGEST or len(claim.text) > _LONGEST:
        return None
    theirs = _places(text)
    for own in _places(claim.text):
        if not any(own.value.key == value.key for value in claim.values):
            continue
        between = (other.value for other in theirs if _is_between_the_same(own, other))
        rival = next((other for other in between if alike(own.value, other) and not same(other, own.value)), None)
        if rival is not None and not any(_is_said(own, other) for other in theirs):
            return own.value, rival
    return None


def swaps(claim: str, text: str) -> bool:
    """True for a sentence that says the same of two names the other way round; of what is joined it does not matter."""
    if len(text) > _LONGEST or len(claim) > _LONGEST:
        return False
    own, theirs = _names(claim), _names(text)
    given = {other.words: other for other in theirs}
    stated = {one.words for one in own}
    for one in own:
        if (here := given.get(one.words)) is None:
            continue
        for other in theirs:
            if other.words not in stated or set(other.words) & set(one.words) or not _is_between_the_same(one, other):
                continue
            stands = any(_is_between_the_same(one, place) for place in theirs if place.words == one.words)
            if not stands and not _is_mutual(text, here, other):
                return True
    return False


def renames(claim: str, text: str) -> bool:
    """True for a sentence that has another name where a claim has one that it lacks, between the same words."""
    if len(text) > _LONGEST or len(claim) > _LONGEST:
        return False
    theirs, said = _names(text), set(words(text))
    for one in _names(claim):
        if not said.isdisjoint(one.words):
            continue
        if any(_is_between_the_same(one, other) and not _may_be_one(one.words, other.words) for other in theirs):
            return True
    return False


def _may_be_one(name: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """True for two names that may be of one thing: they share a word, one is the other's letters, or a translation."""
    if any(kin(a, b) for a in name for b in other) or not set(forms(name)).isdisjoint(forms(other)):
        return True
    initials = ["".join(word[0] for word in one if is_content(word)) for one in (name, other)]
    return "".join(name) in (initials[1], "".join(other)) or "".join(other) == initials[0]


def _is_mutual(text: str, one: _Named, other: _Named) -> bool:
    """True for two names of a list, or of what each is to the other: `Ann, Bob and Carl`, `Ann married Bob`."""
    first, second = sorted((one, other), key=lambda name: name.start)
    between = _NAME.sub(" ", text[first.end : second.start])
    said = words(between)
    return all(word in _JOINED for word in said) or (len(said) < 4 and not _MUTUAL.isdisjoint(said))


@functools.lru_cache(maxsize=4096)
def _names(text: str) -> tuple[_Named, ...]:
    out = []
    for match in _NAME.finditer(text):
        said = tuple(words(match[0]))
        if any(map(is_content, said)):
            out.append(_Named(said, match.start(), match.end(), *_beside(text, match.start(), match.end())))
    return tuple(out[:_MOST])


@functools.lru_cache(maxsize=4096)
def _places(text: str) -> tuple[_Place, ...]:
    return tuple(_Place(value, *_beside(text, value.start, value.end)) for value in values(text)[:_MOST])


def _beside(text: str, start: int, end: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The words before a place, the nearest first, and behind it, with a sign for the beginning and the end."""
    before, behind = [*words(text[max(0, start - _ROOM) : start])], [*words(text[end : end + _ROOM])]
    if start < _ROOM:
        before = ["^", *before]
    if end + _ROOM >= len(text):
        behind = [*behind, "$"]
    return tuple(before[::-1][:_BESIDE]), tuple(behind[:_BESIDE])


def _is_between_the_same(one: _Place | _Named, other: _Place | _Named) -> bool:
    left, right = _equal(one.before, other.before), _equal(one.behind, other.behind)
    matched = (*one.before[:left], *one.behind[:right])
    return bool(left and right) and len(matched) >= _EQUAL and any(len(w) > 1 and is_content(w) for w in matched)


def _is_said(own: _Place, other: _Place) -> bool:
    """True for the same value in the same place, or in a shorter text: `in the 1500s.` and `in the 1500s, and`."""
    if not same(own.value, other.value) or _of_another(own.before, other.before):
        return False
    return _equal(own.before, other.before) + _equal(own.behind, other.behind) > 1


def _of_another(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """True where the first word that differs is a number in both: `in 2010 it had` and `in 2020 it had`."""
    differing = next(((a, b) for a, b in zip(one, other, strict=False) if a != b), ("", ""))
    return all(word[:1].isdigit() for word in differing)


def _equal(one: tuple[str, ...], other: tuple[str, ...]) -> int:
    """How many words are equal from the value on."""
    count = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        count += 1
    return count


__all__ = ["exchanged", "renames", "swaps"]
