"""A sentence said again with another value in its place: `five terminal buildings` for `four terminal buildings`."""

from __future__ import annotations

import functools
from typing import NamedTuple

from hds_cli.agent.support.claims import Claim
from hds_cli.agent.support.values import Value, same, values
from hds_cli.agent.support.words import is_content, words

_LONGEST = 2000  # characters of a text
_MOST = 24  # values of a text
_BESIDE = 3  # words on each side of a value, the beginning and the end of a text among them
_EQUAL = 4  # of these that have to be equal, one at least on each side, and one at least with a content
_ROOM = 60  # characters in which they stand


class _Place(NamedTuple):
    value: Value
    before: tuple[str, ...]
    behind: tuple[str, ...]


def exchanges(claim: Claim, text: str) -> bool:
    """True for a sentence that has another value where a claim has one, between the same words, and not the claim's."""
    if not claim.values or len(text) > _LONGEST or len(claim.text) > _LONGEST:
        return False
    theirs = _places(text)
    for own in _places(claim.text):
        if not any(own.value.key == value.key for value in claim.values):
            continue
        alike = [other.value for other in theirs if _is_between_the_same(own, other)]
        if any(_rivals(own.value, other) for other in alike) and not any(_is_said(own, other) for other in theirs):
            return True
    return False


@functools.lru_cache(maxsize=4096)
def _places(text: str) -> tuple[_Place, ...]:
    out = []
    for value in values(text)[:_MOST]:
        before = ("^", *words(text[:_ROOM][: value.start])) if value.start < _ROOM else words(_cut(text, value.start))
        behind = words(text[value.end : value.end + _ROOM])
        if value.end + _ROOM >= len(text):
            behind = (*behind, "$")
        out.append(_Place(value, tuple(before[::-1][:_BESIDE]), tuple(behind[:_BESIDE])))
    return tuple(out)


def _cut(text: str, end: int) -> str:
    return text[end - _ROOM : end]


def _is_between_the_same(one: _Place, other: _Place) -> bool:
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


def _rivals(value: Value, other: Value) -> bool:
    """True for two values of one kind and unit, written in words or not."""
    return (value.kind, value.dimension, value.currency, value.is_year) == (
        other.kind, other.dimension, other.currency, other.is_year,
    ) and not same(other, value)  # fmt: skip


__all__ = ["exchanges"]
