"""What a list or a key gives: a value belongs to the name beside it, and to no other.

A claim has no ground in a sentence that gives its value to another name. Every function is linear in its texts.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass

from hds_cli.agent.support.claims import YES, Claim, pieces
from hds_cli.agent.support.inputs import counts
from hds_cli.agent.support.values import Value, alike, same, values
from hds_cli.agent.support.words import content_stems, is_content, stem, words

_LONGEST = 2000  # characters of a sentence that are looked at
_ENTRY = 9  # words beside a value that may name it
_BEHIND = re.compile(r"[:：]\s+(?=[^\W\d_])")  # the names of a list stand behind what it is of
_JOINED = frozenset("of the de la and du da do des del".split())
_MOST = 200  # entries
_LABEL = re.compile(r"^(?P<key>[^\n]{2,240}?)\s*[:：]\s+(?P<value>[^:：\n]{1,80})$")
_EMPTY = frozenset(
    "had have has was were made got costs cost took takes up least most more less than about end ende early late mid "
    "anfang mitte fin debut".split()
)  # beside a value these say nothing of what it is
_YES = frozenset(map(stem, YES))


@dataclass(frozen=True)
class Entry:
    """An entry of a list: the words beside its values, whether one is a name, the values, and all of its words."""

    words: frozenset[str]
    named: bool
    values: tuple[Value, ...]
    all: frozenset[str]


@functools.lru_cache(maxsize=2048)
def entries(text: str) -> tuple[Entry, ...]:
    """The entries of a list `NAME value; NAME value`; () where a text is none."""
    out: list[Entry] = []
    for piece in pieces(text[:_LONGEST].replace("(", " ").replace(")", " "))[:_MOST]:
        if not (stated := values(piece)):
            continue
        first = next((v for v in stated if not (v.kind == "date" or v.is_year)), stated[0])  # `In 2010 Rwanda had 5`
        before = _BEHIND.split(piece[: first.start])[-1].split()[-_ENTRY:]
        beside = _name(before) or piece[stated[-1].end :].split()[:_ENTRY]
        name = frozenset(words(" ".join(_name(beside)))) - _JOINED  # `US` is a name, `us` says nothing
        if own := name or frozenset(filter(is_content, words(" ".join([*before, *beside])))):
            out.append(Entry(own, bool(name), stated, frozenset(words(piece))))
    return tuple(out) if len(out) > 1 else ()


def _name(beside: Sequence[str]) -> list[str]:
    """The last name of some words: `Congo` of `has borders with Congo for`."""
    out: list[str] = []
    for word in reversed(beside):
        if word.lstrip("\"'“„«")[:1].isupper() and any(map(is_content, words(word))):
            out.append(word)
        elif out and word not in _JOINED:
            break
    return out[::-1]


def bound_to_another(names: Sequence[tuple[str, ...]], value: Value, text: str) -> bool:
    """True where a list gives a value to another name, and to one of `names` a value of its own.

    Example: `Rwanda 315 km; Tanzania 589 km` for Tanzania and 315 km.
    """
    rows = entries(text)
    giving = [row for row in rows if any(same(value, other) for other in row.values)]
    if not giving or not names or any(all(row.all.issuperset(name) for name in names) for row in giving):
        return False
    named = [row for row in rows if any(row.words.issuperset(name) for name in names)]
    if not named or not all(row.named for row in giving) or any(row in named for row in giving):
        return False
    return any(alike(value, other) for row in named for other in row.values)


def misbound(claim: Claim, text: str, names: Sequence[tuple[str, ...]] = ()) -> bool:
    """True for a claim one of whose values a list binds to another name; `names`: of a bare value, what was asked."""
    if not claim.values or not entries(text):
        return False
    parts = [(words(part), values(part)) for part in pieces(claim.text)[:_MOST]]
    for value in claim.values:
        beside = [
            tuple(name for name in claim.names if set(name) <= set(part))
            for part, stated in parts
            if any(same(value, other) for other in stated)
        ]
        own = next((found for found in beside if found), claim.names or tuple(names))
        if bound_to_another(own, value, text):
            return True
    return False


def of_another_part(claim: Claim, text: str) -> bool:
    """True for a sentence that says all of another of its parts, and gives a value of a claim in one that it lacks.

    Example: `single ticket 4.20 euros, day ticket 9.50 euros` for `A single ticket costs 9.50 euros`.
    """
    if not claim.values or len(text) > _LONGEST:
        return False
    parts = _parts(text)
    own = _keys(claim.text, claim.values)
    for value in claim.values if len(parts) > 1 else ():
        giving = [part for part in parts if any(same(value, other) for other in part.values)]
        if not giving or any(part.all <= own for part in giving):
            continue
        for other in parts:
            apart = all(other.all - part.all and not (part.all - other.all) & own for part in giving)
            stated = any(same(mine, given) for mine in claim.values for given in other.values)
            if apart and other.all <= own and not stated and any(alike(value, given) for given in other.values):
                return True
    return False


@functools.lru_cache(maxsize=2048)
def _parts(text: str) -> tuple[Entry, ...]:
    """The parts of a sentence with a value each, and the stems of their other words."""
    out = []
    for piece in pieces(text)[:_MOST]:
        if (stated := values(piece)) and (keys := _keys(piece, stated)):
            out.append(Entry(keys, False, stated, keys))
    return tuple(out)


def _keys(text: str, stated: Sequence[Value]) -> frozenset[str]:
    """The stems of the words of a text that say something, without its values."""
    for value in sorted(stated, key=lambda value: -value.start):
        if counts(value, text):  # `§ 4` says which one
            text = f"{text[: value.start]} {text[value.end :]}"
    said = (word for word in words(text) if word.isdigit() or is_content(word))
    return frozenset(stem(word) for word in said if word not in _EMPTY)


def other_value_of_key(claim: Claim, text: str) -> bool:
    """True for a row `KEY: VALUE` that has a claim's names in its key, and nothing of what the claim says of them.

    Example: `Batting hand of Pat Burrell: Right` for `Pat Burrell batted left`.
    """
    row = _LABEL.match(text) if len(text) <= _LONGEST else None
    if row is None or not claim.names:
        return False
    key = {stem(word) for word in words(row["key"])}
    given = set(content_stems(row["value"]))
    if not given or values(row["value"]) or given <= _YES or len(pieces(row["value"])) > 2:
        return False
    named = [name for name in claim.names if {stem(word) for word in name} <= key]
    said = {*claim.rest, *claim.terms, *(stem(word) for name in claim.names for word in name)}
    return bool(named) and bool(said - key) and bool(set(claim.rest) & key) and not given & said


def is_keyed(text: str) -> bool:
    """True for a line `KEY: VALUE`."""
    return len(text) <= _LONGEST and _LABEL.match(text) is not None


def without_key(text: str) -> str:
    """What a row `KEY: VALUE` says to the rows beside it, its value; another text as it is."""
    row = _LABEL.match(text) if len(text) <= _LONGEST else None
    return row["value"] if row else text
