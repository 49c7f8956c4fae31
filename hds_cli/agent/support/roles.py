"""Who does what in a sentence: names bound to acts, roles, places and parts of names, by the order of words.

A claim has no ground in a sentence that binds its act to another name. English where it looks for acts. Every function
is linear in its texts.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from hds_cli.agent.support.claims import Claim
from hds_cli.agent.support.words import is_content, stem, words

_LONGEST = 2000  # characters of a sentence that are looked at
_MOST = 400  # words of a sentence
_WORD = re.compile(r"[^\W_]+(?:['’.-][^\W_]+)*|[,;:()]")
_AUXILIARY = frozenset("is was are were be been being".split())
_ADVERBS = frozenset("also then later first originally had has have who still now only soon".split())
_ARTICLES = frozenset("the a an sir its his her their".split())
_JOINED = frozenset(", and of de von van der the da di".split())
_BEFORE_NAMES = frozenset("of in at by for from with to on near under over after against between and or".split())
_IN = frozenset("in at on near".split())
_TIMES = frozenset(
    "january february march april may june july august september october november december summer winter spring autumn"
    " monday tuesday wednesday thursday friday saturday sunday"
    " jan feb mar apr jun jul aug sep sept oct nov dec mon tue tues wed thu thur thurs fri sat sun".split()
)
_PAST = frozenset(
    "won wrote led made built sang drew gave got took beat sold bought shot taught found became ran held met fought"
    " written sung drawn given taken beaten".split()
)
_TITLES = frozenset(
    map(
        stem,
        "president chair chairwoman treasurer ceo cfo editor dean rector chairman chancellor premier minister mayor"
        " governor senator king queen emperor empress prince princess pope bishop director coach captain general"
        " admiral secretary judge chief head leader founder author".split(),
    )
)
_PARTING = frozenset(", ; : ( ) and while whereas but".split())
_PARTED, _FEW, _PIECES = 6, 6, 8  # words that such a one counts for; places of a word; pieces of a claim
_SAID_APART = re.compile(
    r";|\b(?:and|while|whereas|but|versus|und|während|sowie|aber|et|tandis que|mais|y|mientras|pero|e|mentre|ma|и|а|en"
    r"|och|og)\b"
)
_REACH = 12  # words behind an act in which its place is looked for


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
        capital = match[0][0].isupper() and folded not in _TIMES
        out.append(_Token(folded, stem(folded), capital, match[0].endswith("ed") or folded in _PAST))
    return tuple(out)


def _run(tokens: Sequence[_Token], place: int) -> frozenset[str]:
    """The words of the names that begin at a place, those joined to them too: `Mark Twain, Bret Harte and others`."""
    while place < len(tokens) and tokens[place].word in _ARTICLES:
        place += 1
    out: set[str] = set()
    while place < len(tokens) and (tokens[place].capital or (out and tokens[place].word in _JOINED)):
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
    place -= place >= 0 and tokens[place].word in _ARTICLES
    if place >= 0 and tokens[place].word in _BEFORE_NAMES:
        return frozenset()
    return frozenset(out)


def _did(tokens: Sequence[_Token], place: int) -> frozenset[str]:
    """Who did what the word at a place says: `founded by Ann`, `Ann founded`; none where it is not beside it."""
    if not (tokens[place].past or _is_doing(tokens, place)):
        return frozenset()
    after = tokens[place + 1].word if place + 1 < len(tokens) else ""
    if after == "by":
        return _run(tokens, place + 2)
    before = place - 1
    while before >= 0 and tokens[before].word in _ADVERBS:
        before -= 1
    return _run_before(tokens, before) if before >= 0 and tokens[before].capital else frozenset()


def _is_doing(tokens: Sequence[_Token], place: int) -> bool:
    """True for a verb between two names: `Ann succeeds Bob`."""
    inside = 0 < place < len(tokens) - 1 and tokens[place].word.endswith("s") and not tokens[place].capital
    return inside and tokens[place - 1].capital and tokens[place + 1].capital


def _holds(tokens: Sequence[_Token], place: int) -> frozenset[str]:
    """Who has the role that a word names: `President Ann`, `Ann was president`, `Ann (chair)`."""
    after = place + 1
    if place > 1 and tokens[place - 1].word == "(" and after < len(tokens) and tokens[after].word in (")", ","):
        return _run_before(tokens, place - 2)
    if after < len(tokens) and tokens[after].word in _AUXILIARY | {":"}:
        after += 1
    if after < len(tokens) and tokens[after].capital:
        return _run(tokens, after)
    before = _auxiliary_before(tokens, place)
    if before > 0 and tokens[place].stem in _TITLES:
        return _run_before(tokens, before - 1)
    return frozenset()


def _auxiliary_before(tokens: Sequence[_Token], place: int) -> int:
    """The place of the verb in `Ann was the first president`; -1 where there is none."""
    before = place - 1
    while before >= 0 and tokens[before].word in _ARTICLES | _ADVERBS:
        before -= 1
    return before if before >= 0 and tokens[before].word in _AUXILIARY else -1


def _where(tokens: Sequence[_Token], place: int) -> frozenset[str]:
    """Where what the word at a place says happened: `filmed in 2015 in Oslo`."""
    for at in range(place + 1, min(len(tokens) - 1, place + _REACH)):
        if tokens[at].word in (";", "(", ")"):
            break
        if tokens[at].word in _IN and (names := _run(tokens, at + 1)):
            return names
    return frozenset()


def _as(tokens: Sequence[_Token], place: int) -> frozenset[str]:
    """The words of a job or a part that the word at a place names: `plays as a striker`."""
    words_after = tokens[place + 1 : place + 6]
    if len(words_after) < 3 or words_after[0].word != "as" or words_after[1].word not in ("a", "an", "the"):
        return frozenset()
    out: list[str] = []
    for token in words_after[2:]:
        if token.capital or not is_content(token.word) or not token.word[0].isalpha():
            break
        out.append(token.stem)
    return frozenset(out)


_READINGS = {"did": _did, "is": _holds, "in": _where, "as": _as}


@dataclass(frozen=True)
class Bound:
    """The names that a text binds to a word: `kind` is who did it, who is it, where or as what; `act` its stem.

    `stated`: said in so many words, not by standing beside it alone. `place`: the number of the word in the text.
    """

    kind: str
    act: str
    names: frozenset[str]
    stated: bool = True
    place: int = 0

    @property
    def referred(self) -> bool:
        """True where a pronoun stands for the name: `She`."""
        return not any(map(is_content, self.names))


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
                stated = kind != "is" or following in _AUXILIARY | {":"} or _auxiliary_before(tokens, place) > 0
                out.append(Bound(kind, token.stem, names, stated, place))
    return tuple(out)


def is_title(key: str) -> bool:
    """True for the stem of a word for what somebody is: `president`, `chair`."""
    return key in _TITLES


def in_another_role(claim: Claim, text: str) -> bool:
    """True where a sentence binds an act, a role or a place to another name than a claim does.

    Example: `developed by Atari, published by Midway` for `Midway developed it`.
    """
    return any(contrary(one, text) for one in bound_names(claim.text) if one.stated and not one.referred)


def contrary(said: Bound, text: str) -> bool:
    """True where a sentence binds what is said of a name to another one, and never to that."""
    others = [one for one in bound_names(text) if (one.kind, one.act) == (said.kind, said.act)]
    others = [one for one in others if not one.referred or _comes_later(said.names, text, one.place)]
    return bool(others) and not any(said.names & one.names for one in others)


def _comes_later(names: frozenset[str], text: str, place: int) -> bool:
    """True for names that a sentence has only behind a word, whose pronoun does not stand for them then."""
    places = [n for n, token in enumerate(_tokens(text)) if token.word in names]
    return bool(places) and min(places) > place


@dataclass(frozen=True)
class Part:
    """A part of a name that is asked for or stated: the word beside it, and whether it stands before that."""

    beside: str
    first: bool


_KIND = r"(?:(first|given|christian)|last|family|sur)[ -]?name\b"
_PART = re.compile(
    rf"([^\W\d_]{{2,30}})['’]s\s(?:\w{{1,12}}\s)?{_KIND}"
    rf"|\b{_KIND}\sof\s(?:[^\W\d_]{{1,12}}\.?\s){{0,2}}?([^\W\d_]{{2,30}})(?=[\s,.?]|$)",
    re.IGNORECASE,
)


def part_of_name(text: str) -> Part | None:
    """The part of a name that a text is about: `What is Mr. Smith's first name?`"""
    match = _PART.search(text[:_LONGEST])
    if match is None:
        return None
    return Part("".join(words(match[1] or match[4])[:1]), bool(match[2] or match[3]))


def says_part(part: Part, said: Sequence[str], text: str) -> bool:
    """True for a text with a part of a name right beside the other part: `Jefferson Smith`."""
    found = [token.word for token in _tokens(text)]
    pairs = pairwise(found)
    return any(
        (a, b) == (one, part.beside) if part.first else (b, a) == (one, part.beside) for a, b in pairs for one in said
    )


def of_another_name(claim: Claim, text: str) -> bool:
    """True for a claim of a part of a name which stands beside another part in a sentence."""
    part = part_of_name(claim.text)
    said = [word for name in claim.names for word in name if part is not None and word != part.beside]
    return part is not None and bool(said) and not says_part(part, said, text)


def crossed(claim: Claim, text: str) -> bool:
    """True for a claim of two names, where a sentence has the words of each nearer to the other name.

    Example: `Iraq and North Korea: a monarchy such as Iraq, dictatorships such as North Korea` for `Iraq is a
    dictatorship, and North Korea a monarchy`.
    """
    if len(claim.names) < 2:
        return False
    parts = [[stem(word) for word in words(part)] for part in _SAID_APART.split(claim.text[:_LONGEST])[:_PIECES]]
    said = [(subject, frozenset(part) - subject) for part in parts if (subject := _subject(claim, part))]
    if len(said) < 2:
        return False
    places = _places(text)
    for number, (first, of_first) in enumerate(said):
        for second, of_second in said[number + 1 :]:
            if first & second:
                continue
            own, other = (
                filter(_tells, keys) for keys in (of_first - of_second - second, of_second - of_first - first)
            )
            if _nearer(places, own, first, second) < 0 > _nearer(places, other, second, first):
                return True
    return False


def _tells(key: str) -> bool:
    return is_content(key) or key.isdigit()


def _subject(claim: Claim, part: Sequence[str]) -> frozenset[str]:
    """The stems of the first name of a part of a claim."""
    names = [[stem(word) for word in name] for name in claim.names]
    inside = [name for name in names if set(name) <= set(part)]
    return frozenset(min(inside, key=lambda name: part.index(name[0]), default=()))


def _nearer(places: Mapping[str, Sequence[int]], keys: Iterable[str], own: Iterable[str], other: Iterable[str]) -> int:
    """How many words stand nearer to a name than to another, less those that stand nearer to the other."""
    votes = 0
    for key in keys:
        mine, its = _distance(places, key, own), _distance(places, key, other)
        votes += math.inf not in (mine, its) and (mine < its) - (its < mine)
    return votes


def _distance(places: Mapping[str, Sequence[int]], key: str, names: Iterable[str]) -> float:
    away = (abs(a - b) for name in names for a in places.get(key, ()) for b in places.get(name, ()))
    return min(away, default=math.inf)


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
