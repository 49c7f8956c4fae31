"""What a sentence binds to what: a value to the name beside it in a list, a value to its key, an act to who did it.

A claim has no ground in a sentence that binds its value, or its act, to another name. All of it is read from the order
of words: English where it looks for acts, any language for lists and keys. Every function is linear in its texts.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from hds_cli.agent.support.claims import YES, Claim, pieces
from hds_cli.agent.support.values import Value, same, values
from hds_cli.agent.support.words import is_content, stem, words

_LONGEST = 2000  # characters of a sentence that are looked at
_ENTRY = 9  # words of an entry of a list
_MOST = 400  # entries, and words of a sentence
_LABEL = re.compile(r"^(?P<key>[^\n]{2,240}?)\s*[:：]\s+(?P<value>[^:：\n]{1,80})$")
_WORD = re.compile(r"[^\W_]+(?:['’.-][^\W_]+)*|[,;:()]")
_AUXILIARY = frozenset("is was are were be been being".split())
_ADVERBS = frozenset("also then later first originally had has have who still now only soon".split())
_ARTICLES = frozenset("the a an then-president sir its his her their".split())
_JOINED = frozenset("and of de von van the der da di".split())
_BEFORE_NAMES = frozenset("of in at by for from with to on near under over after against between and or".split())
_IN = frozenset("in at on near".split())
_MONTHS = frozenset(
    "january february march april may june july august september october november december summer winter spring autumn"
    " monday tuesday wednesday thursday friday saturday sunday".split()
)
_YES = frozenset(map(stem, YES))
_PAST = frozenset(
    "won wrote led made built sang drew gave got took beat sold bought shot taught found became ran held met wed fought"
    " written led made built sung drawn given taken beaten sold bought shot taught founded run held fought made".split()
)
_TITLES = frozenset(
    map(
        stem,
        "president chairman chancellor premier minister mayor governor senator king queen emperor empress prince princess"
        " pope bishop director coach captain general admiral secretary judge chief head leader founder author".split(),
    )
)
_PARTING = frozenset(", ; : ( ) and while whereas but".split())
_PARTED, _FEW, _PIECES = 6, 6, 8  # words that such a one counts for; places of a word; pieces of a claim
_REACH = 12  # words behind an act in which its place is looked for


# --- values of lists and keys -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Entry:
    """An entry of a list: the words beside its values, whether one is a name, and the values."""

    words: frozenset[str]
    named: bool
    values: tuple[Value, ...]


@functools.lru_cache(maxsize=2048)
def entries(text: str) -> tuple[Entry, ...]:
    """The entries of a list `NAME value; NAME value`; () where a text is none."""
    if len(text) > _LONGEST:
        text = text[:_LONGEST]
    out: list[Entry] = []
    for piece in pieces(text.replace("(", " ").replace(")", " "))[:_MOST]:
        piece = piece.rpartition(":")[2] if re.search(r":\s*[^\W\d_]", piece) else piece
        stated = values(piece)
        own = [word for word in words(piece) if is_content(word)]
        if stated and own and len(piece.split()) <= _ENTRY:
            out.append(Entry(frozenset(own), any(token.capital for token in _tokens(piece)), stated))
    return tuple(out) if len(out) > 1 else ()


def bound_to_another(names: Sequence[tuple[str, ...]], value: Value, text: str) -> bool:
    """True where a list gives a value to another name, and to one of `names` a value of its own.

    Example: `Rwanda 315 km; Tanzania 589 km` for Tanzania and 315 km.
    """
    rows = entries(text)
    giving = [row for row in rows if any(same(value, other) for other in row.values)]
    if not giving or not names:
        return False
    named = [row for row in rows if any(row.words.issuperset(name) for name in names)]
    if not named or not all(row.named for row in giving) or any(row in named for row in giving):
        return False
    return any(_alike(value, other) for row in named for other in row.values)


def _alike(value: Value, other: Value) -> bool:
    return (value.kind, value.dimension, value.currency, value.is_year) == (
        other.kind, other.dimension, other.currency, other.is_year,
    )  # fmt: skip


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


def other_value_of_key(claim: Claim, text: str) -> bool:
    """True for a row `KEY: VALUE` that has a claim's names in its key, and nothing of what the claim says of them.

    Example: `Batting hand of Pat Burrell: Right` for `Pat Burrell batted left`.
    """
    row = _LABEL.match(text) if len(text) <= _LONGEST else None
    if row is None or not claim.names:
        return False
    key = {stem(word) for word in words(row["key"])}
    given = {stem(word) for word in words(row["value"]) if is_content(word)}
    if not given or values(row["value"]) or given <= _YES or len(pieces(row["value"])) > 2:
        return False
    named = [name for name in claim.names if {stem(word) for word in name} <= key]
    said = {*claim.rest, *claim.terms, *(stem(word) for name in claim.names for word in name)}
    return bool(named) and bool(said - key) and bool(set(claim.rest) & key) and not given & said


# --- who did what -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Token:
    word: str
    stem: str
    capital: bool
    past: bool


@functools.lru_cache(maxsize=2048)
def _tokens(text: str) -> tuple[_Token, ...]:
    out = []
    for match in list(_WORD.finditer(text[:_LONGEST]))[:_MOST]:
        folded = "".join(words(match[0])[:1]) if match[0][0].isalnum() else match[0]
        capital = match[0][0].isupper() and folded not in _MONTHS
        out.append(_Token(folded, stem(folded), capital, match[0].endswith("ed") or folded in _PAST))
    return tuple(out)


def _run(tokens: Sequence[_Token], place: int) -> frozenset[str]:
    """The words of the names that begin at a place, those joined to them too: `Mark Twain, Bret Harte and others`."""
    while place < len(tokens) and tokens[place].word in _ARTICLES:
        place += 1
    out: set[str] = set()
    while place < len(tokens) and (tokens[place].capital or (out and tokens[place].word in _JOINED | {","})):
        if tokens[place].capital:
            out.add(tokens[place].word)
        place += 1
    return frozenset(out)


def _run_before(tokens: Sequence[_Token], place: int) -> frozenset[str]:
    """The words of the names that end at a place, none where a preposition stands before them."""
    out: set[str] = set()
    while place >= 0 and (tokens[place].capital or (out and tokens[place].word in ("and", ","))):
        if tokens[place].capital:
            out.add(tokens[place].word)
        place -= 1
    if place >= 0 and tokens[place].word in _BEFORE_NAMES:
        return frozenset()
    return frozenset(out)


def _did(tokens: Sequence[_Token], place: int) -> frozenset[str]:
    """Who did what the word at a place says: `founded by Ann`, `Ann founded`; none where it is not beside it."""
    if not tokens[place].past:
        return frozenset()
    after = tokens[place + 1].word if place + 1 < len(tokens) else ""
    if after == "by":
        return _run(tokens, place + 2)
    before = place - 1
    while before >= 0 and tokens[before].word in _ADVERBS:
        before -= 1
    return _run_before(tokens, before) if before >= 0 and tokens[before].capital else frozenset()


def _holds(tokens: Sequence[_Token], place: int) -> frozenset[str]:
    """Who has the role that the word at a place names: `President Ann`, `its president was Ann`, `president: Ann`."""
    after = place + 1
    if after < len(tokens) and tokens[after].word in _AUXILIARY | {":"}:
        after += 1
    if after < len(tokens) and tokens[after].capital:
        return _run(tokens, after)
    return frozenset()


def _where(tokens: Sequence[_Token], place: int) -> frozenset[str]:
    """Where what the word at a place says happened: `filmed in 2015 in Oslo`."""
    for at in range(place + 1, min(len(tokens) - 1, place + _REACH)):
        if tokens[at].word in (";", "(", ")"):
            break
        if tokens[at].word in _IN and (names := _run(tokens, at + 1)):
            return names
    return frozenset()


_READINGS = {"did": _did, "is": _holds, "in": _where}


@dataclass(frozen=True)
class Bound:
    """The names that a text binds to a word: `kind` is who did it, who is it, or where; `act` its stem.

    `stated`: said in so many words, not by standing beside it alone.
    """

    kind: str
    act: str
    names: frozenset[str]
    stated: bool = True


@functools.lru_cache(maxsize=4096)
def bound_names(text: str) -> tuple[Bound, ...]:
    """The names that a text binds to words, in the order of the words."""
    tokens = _tokens(text)
    out = []
    for place, token in enumerate(tokens):
        if not is_content(token.word) or not token.word[0].isalpha():
            continue
        following = tokens[place + 1].word if place + 1 < len(tokens) else ""
        for kind, reading in _READINGS.items():
            may = not token.capital or (token.stem in _TITLES if kind == "is" else kind == "did" and following == "by")
            if may and (names := reading(tokens, place)):
                out.append(Bound(kind, token.stem, names, kind != "is" or following in _AUXILIARY | {":"}))
    return tuple(out)


def in_another_role(claim: Claim, text: str) -> bool:
    """True where a sentence binds an act, a role or a place to another name than a claim does.

    Example: `developed by Atari, published by Midway` for `Midway developed it`.
    """
    return any(contrary(one, text) for one in bound_names(claim.text) if one.stated)


def contrary(said: Bound, text: str) -> bool:
    """True where a sentence binds what is said of a name to another one, and never to that."""
    others = [one.names for one in bound_names(text) if (one.kind, one.act) == (said.kind, said.act)]
    return bool(others) and not any(said.names & names for names in others)


# --- what is said of two --------------------------------------------------------------------------------------------


def crossed(claim: Claim, text: str) -> bool:
    """True for a claim of two names, where a sentence has the words of each nearer to the other name.

    Example: `Iraq and North Korea: a monarchy such as Iraq, dictatorships such as North Korea` for `Iraq is a
    dictatorship, and North Korea a monarchy`.
    """
    if len(claim.names) < 2:
        return False
    of_names = {stem(word) for name in claim.names for word in name}
    parts = [{stem(w) for w in words(part) if is_content(w) or w.isdigit()} for part in pieces(claim.text)[:_PIECES]]
    if len(parts) < 2:
        return False
    places = _places(text)
    for number, one in enumerate(parts):
        for other in parts[number + 1 :]:
            first, second = (one - other) & of_names, (other - one) & of_names
            if not first or not second:
                continue
            if _nearer(places, one - other - first, first, second) < 0 > _nearer(places, other - one - second, second, first):
                return True
    return False


def _nearer(places: Mapping[str, Sequence[int]], keys: Iterable[str], own: Iterable[str], other: Iterable[str]) -> int:
    """How many words stand nearer to a name than to another, less those that stand nearer to the other."""
    votes = 0
    for key in keys:
        away = [_distance(places, key, names) for names in (own, other)]
        if None not in away:
            votes += (away[0] < away[1]) - (away[1] < away[0])
    return votes


def _distance(places: Mapping[str, Sequence[int]], key: str, names: Iterable[str]) -> int | None:
    return min((abs(a - b) for name in names for a in places.get(key, ()) for b in places.get(name, ())), default=None)


@functools.lru_cache(maxsize=1024)
def _places(text: str) -> Mapping[str, Sequence[int]]:
    """Where the stems of a text stand, the first few of each; what parts two clauses counts as several words."""
    places: dict[str, list[int]] = {}
    at = 0
    for token in _tokens(text):
        at += _PARTED if token.word in _PARTING else 1
        if len(some := places.setdefault(token.stem, [])) < _FEW:
            some.append(at)
    return places
