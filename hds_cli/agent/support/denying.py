"""Whether a sentence denies a claim, clause by clause: `It does not remove viruses` for `It removes viruses`.

Two denials in two clauses do not cancel each other. Opposites (`refused`, `accepted`) are a denial where the rest is
the same. A closed list of words, in the languages of `words.py`; linear in the texts.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from hds_cli.agent.support.opposites import BEFORE_A_WORD, DIRECTIONS, HAVE_OPPOSITES, LIGHT, OPPOSITES
from hds_cli.agent.support.words import is_content, is_denial, negated, stem, words

_LONGEST = 2_000  # characters of a text
_MOST = 40  # clauses
_ITEM = 4  # words of an item of a list, which is denied with it
_FOCUS = 2  # words behind a denial that it denies; one before it: `entfernt nicht`
# Shares of a clause's words beyond which one with a `not` denies it: anywhere in it, and beside one of them.
_OF_IT = frozenset("of the us von der des du de la los las".split())
_ALL, _BESIDE = 0.8, 0.5
_REST = 0.6  # the same for an opposite, of the other words
_CUT = re.compile(
    r"(?P<strong>[.;:!?()—–](?=\s|$)|[()])|(?P<comma>,)(?=\s)"
    r"|(?<=\s)(?P<list>and|or|nor|und|oder|noch|et|ou|ni|y|o|e|и|или)(?=\s)"
    r"|(?<=\s)(?P<except>except(?:ing)?|excluding|unless|without|außer|ohne|sauf|sans|excepto|salvo|sin|eccetto|tranne"
    r"|senza|exceto|sem|behalve|zonder|кроме|без)(?=\s)"
    r"|(?<=\s)(?P<turn>but|yet|although|though|because|while|whereas|which|who|aber|sondern|sowie|weil|obwohl"
    r"|während"
    r"|dass|mais|parce|tandis|qui|pero|sino|porque|aunque|que|ma|però|perché|mas|maar|omdat|но|а)(?=\s)",
    re.IGNORECASE,
)
_SURE = frozenset("or nor oder noch ou ni o или".split())  # joins items that are all denied
_SMALL = frozenset("the a an any other its their der die das den ein eine keine le la les un une el los las".split())
_ONLY = frozenset("only just merely nur bloß seulement solo sólo solamente".split())
_EXAMPLE = re.compile(
    r"\W*(?:for example|for instance|e\.\s?g\.|such as|including|zum Beispiel|z\.\s?B\.|wie|par exemple|por ejemplo)\s",
    re.IGNORECASE,
)  # of what the clause before it says
_BOUNDED = re.compile(
    r"\b(?:not|never|cannot|nicht|nie)\b[^.,;:]{0,24}\b(?:exceed\w*|(?:more|less|fewer|greater|longer|larger|higher|lower"
    r"|shorter|mehr|weniger) (?:than|als))\b",
    re.IGNORECASE,
)
_NO_DENIAL = frozenset({"without", "non"})


@dataclass(frozen=True)
class Clause:
    """A clause: its words, their stems, whether it denies (None: nobody can tell), and what stands beside the `not`.

    `excepts`: it says what is left out, `without the ferry`.
    """

    words: tuple[str, ...]
    stems: frozenset[str]
    denied: bool | None
    focus: frozenset[str]
    excepts: bool = False


@functools.lru_cache(maxsize=4096)
def clauses(text: str, until: bool = True) -> tuple[Clause, ...]:
    """The clauses of a text that say something.

    Args:
        until: `not until 1950` denies nothing; False: it does, for a text that is held against `until 1950`.
    """
    out: list[Clause] = []
    pieces = list(_pieces(text[:_LONGEST]))[:_MOST]
    for number, (joined, piece) in enumerate(pieces):
        said = tuple(words(piece))
        content = [word for word in said if is_content(word)]
        places = [n for n, word in enumerate(said) if is_denial(word) and word not in _NO_DENIAL]
        if not content and not places:
            continue
        focus = frozenset(stem(said[n]) for at in places for n in _near(said, at))
        one = Clause(said, frozenset(map(stem, content)), _denies(piece, said, until), focus)
        before = pieces[number - 1][0] if number else ""
        if joined == "except":
            one = replace(one, denied=not (out and out[-1].denied), focus=one.stems, excepts=True)
        elif before == "except" and joined == "comma":
            pass  # `Without the ferry, it is 1,150 euros`
        elif out and _is_subject(out[-1], one, joined):
            out[-1] = replace(out[-1], stems=out[-1].stems | one.stems, denied=True, focus=out[-1].stems | one.focus)
        elif out and _EXAMPLE.match(piece):
            last = out[-1]
            one = replace(one, stems=one.stems | last.stems, denied=last.denied, focus=one.stems | last.focus)
        elif joined == "nor" and not one.denied and len(said) > _ITEM:
            one = replace(one, denied=True)  # `Neither Norway nor Sweden is part of it`
        elif out and joined != "strong":
            one = _continued(one, out[-1], joined, [way for way, _ in pieces[number + 1 : number + 6]])
        out.append(one)
    return tuple(out)


def _is_subject(before: Clause, one: Clause, joined: str) -> bool:
    """True for a lone name or noun that is denied with the one behind it: `Windows and mirrors are not covered`."""
    content = [word for word in before.words if is_content(word)]
    small = all(is_content(word) or word in _SMALL for word in before.words)
    return joined == "list" and bool(one.denied) and len(content) == 1 and small and not before.denied


def _continued(one: Clause, before: Clause, joined: str, behind: Sequence[str]) -> Clause:
    """A piece that continues the clause before it: an item that is denied with it, or `but no nitrate`."""
    said = one.words
    if one.denied and len(said) <= _ITEM and any(map(is_denial, said[:2])):
        return replace(one, stems=one.stems | before.stems)
    if one.denied or before.denied is False or joined == "turn":
        return one
    inherited = _inherited(joined, said, behind)
    if inherited:
        return replace(one, stems=one.stems | before.stems, denied=before.denied, focus=one.stems | before.focus)
    return one if inherited is False else replace(one, denied=None)


def _pieces(text: str) -> Iterator[tuple[str, str]]:
    """The pieces of a text, each with how it is joined to the one before it."""
    start, joined, weder = 0, "", "weder" in text.casefold()
    for match in _CUT.finditer(text):
        yield joined, text[start : match.start()]
        way = match.lastgroup or ""
        new = "or" if way == "list" and match[0].casefold() in _SURE else way
        if new == "or" and (match[0].casefold() in ("nor", "ni") or (weder and match[0].casefold() == "noch")):
            new = "nor"
        joined = (
            joined
            if not text[start : match.start()].strip() and new in ("list", "or", "nor") and joined == "strong"
            else new
        )
        start = match.start() if way == "except" else match.end()
    yield joined, text[start:]


def _denies(piece: str, said: Sequence[str], until: bool) -> bool:
    """True for a clause that denies; `not only` and `without` do not, and `ni … ni`, `neither … nor` deny once."""
    if any(is_denial(a) and b in _ONLY for a, b in itertools.pairwise(said)):
        return False
    if (until and "until" in said) or _BOUNDED.search(piece):  # `not opened until 1950`, `not more than 300`
        return False
    kept = [word for word in said if word not in _NO_DENIAL]
    if len(said) == len(kept):
        several = sum(word in ("ni", "nor", "neither") for word in said) > 1
        return several or negated(piece)
    return sum(map(is_denial, kept)) % 2 == 1


def _inherited(joined: str, said: Sequence[str], behind: Sequence[str]) -> bool | None:
    """True for an item of a list that is denied as a whole, None where nobody can tell, False for a clause."""
    small = [word for word in said if not is_content(word) and word not in _SMALL]
    if len(said) > _ITEM:
        return False
    if joined in ("or", "nor"):
        return True
    if joined == "comma":
        for way in behind:
            if way not in ("comma", "or", "nor", "list"):
                break
            if way in ("or", "nor"):
                return True
    return None if small else True


def _near(said: Sequence[str], at: int) -> list[int]:
    """The places of the words with a content that stand beside one."""
    behind = [n for n in range(at + 1, min(len(said), at + 6)) if is_content(said[n])][:_FOCUS]
    before = [n for n in range(at - 1, max(-1, at - 4), -1) if is_content(said[n])][:1]
    return [*behind, *before]


@dataclass(frozen=True)
class Stand:
    """How a sentence stands to a claim: it says the contrary, it says or denies as much, or it lacks its denial."""

    denies: bool = False
    agrees: bool = False
    lacks: bool = False


def stand(claim: str, sentence: str, names: Collection[str] = ()) -> Stand:
    """How a sentence stands to a claim.

    Args:
        names: stems of the names of the claim, for which the sentence may say `it`.
    """
    until = not all("until" in text.casefold() for text in (claim, sentence))
    theirs = clauses(sentence, until)
    agrees, known = True, False
    for own in clauses(claim, until):
        if own.excepts:
            if _is_said(_keys(own.words) - LIGHT, theirs):
                return Stand(denies=True)
            continue
        sought = {key for key in own.stems if key not in names or any(key in clause.stems for clause in theirs)}
        if (opposed := _opposite(own, theirs, sought)) is not None:
            if opposed:
                return Stand(denies=True)
            known = known or bool(own.denied)
            continue
        found = _closest(theirs, sought)
        if own.denied and not sought:
            known = known or any(clause.denied for clause in theirs)
        if own.denied is None or not sought:
            continue
        ways = {clause.denied for clause in found}
        if own.denied:
            known = known or any(clause.excepts and _keys(clause.words) - LIGHT <= sought for clause in theirs)
            known = known or True in ways
            agrees = agrees and (True in ways or not found)
        elif _contained(theirs, sought, [word for word in own.words if word.isdigit()]):
            return Stand(denies=True)
        elif ways == {True}:
            agrees = False
            if any(_strong(clause, sought) for clause in found):
                return Stand(denies=True)
    lacks = not known and any(own.denied and not own.excepts for own in clauses(claim, until))
    return Stand(agrees=agrees and not lacks, lacks=lacks)


def _is_said(keys: set[str], theirs: Sequence[Clause]) -> bool:
    """True for words that a clause has which does not deny, and no other one."""
    ways = {bool(clause.denied) for clause in theirs if keys and _keys(clause.words) >= keys}
    return ways == {False}


def _closest(theirs: Sequence[Clause], sought: Collection[str]) -> list[Clause]:
    """The clauses that have most of some words."""
    shared = [(len(clause.stems & set(sought)), clause) for clause in theirs]
    most = max((count for count, _ in shared), default=0)
    return [clause for count, clause in shared if count == most] if most else []


def _contained(theirs: Sequence[Clause], sought: Collection[str], numbers: Collection[str]) -> bool:
    """True where all that a clause denies is sought, and not all of it said elsewhere: `but not if it is reserved`."""
    said = {key for clause in theirs if not clause.denied for key in _keys(clause.words)}
    denied = ((keys := _keys(clause.words)) - LIGHT or keys for clause in theirs if clause.denied)
    return any(own <= {*sought, *numbers} and own - said for own in denied)


def _keys(said: Sequence[str]) -> set[str]:
    """The stems of the words with a content that do not deny, and the numbers."""
    return {stem(word) for word in said if word.isdigit() or (is_content(word) and not is_denial(word))}


def _strong(clause: Clause, sought: Collection[str]) -> bool:
    """True for a clause with a `not` that has nearly all words that are sought, or half of them beside it."""
    shared = clause.stems & set(sought)
    if len(sought) < 2:
        return False
    share = len(shared) / len(sought)
    return share >= _ALL or (share >= _BESIDE and bool(shared & clause.focus) and len(shared) > 1)


def _opposite(own: Clause, theirs: Sequence[Clause], sought: Collection[str]) -> bool | None:
    """True where a clause has the opposite of a word, and nearly all of the others; False where it also denies it."""
    said = set(own.words)
    if (
        _reversed(own, theirs, sought)
        or any(_before_a_word(own, clause, sought) for clause in theirs)
        or _turned(own, theirs, sought)
    ):
        return True
    for mine, other in (way for pair in OPPOSITES for way in (pair, pair[::-1])) if said & HAVE_OPPOSITES else ():
        if not said & mine or said & other:
            continue
        rest = set(sought) - set(map(stem, said & mine))
        subject = next((stem(word) for word in own.words if is_content(word)), "")
        named = any(subject in clause.stems for clause in theirs if mine & set(clause.words))
        same = max((len(rest & clause.stems) for clause in theirs if mine & set(clause.words)), default=-1)
        for clause in theirs:
            theirs_said = set(clause.words)
            if not theirs_said & other or clause.denied is None or own.denied is None:
                continue
            shared = len(rest & clause.stems)
            if shared >= max(1, same + 1, _REST * len(rest)) or (subject in clause.stems and same > 0 and not named):
                return clause.denied == own.denied
    return None


def _reversed(own: Clause, theirs: Sequence[Clause], sought: Collection[str]) -> bool:
    """True for `unlocked` beside `locked`, where a sentence has nearly all of the other words."""
    said, all_words = set(own.words), {word for clause in theirs for word in clause.words}
    stems = frozenset[str]().union(*(clause.stems for clause in theirs))
    for clause in theirs:
        for word in clause.words if clause.denied == own.denied else ():
            other = word[2:] if word[:2] in ("un", "in") and len(word) > 6 else f"un{word}"
            if other in said and word not in said and other not in all_words:
                rest = set(sought) - {stem(other)}
                return len(rest & stems) >= max(1, _REST * len(rest))
    return False


def _before_a_word(own: Clause, clause: Clause, sought: Collection[str]) -> bool:
    """True for `before the meal` beside `after the meal`."""
    if len(set(sought) & clause.stems) < max(2, _REST * len(sought)):
        return False
    return _exchanged(BEFORE_A_WORD, own.words, clause.words, _behind)


def _turned(own: Clause, theirs: Sequence[Clause], sought: Collection[str]) -> bool:
    """True for `east of the island` beside `in the bay, west of the island`: the clauses are taken together."""
    stems = frozenset[str]().union(*(clause.stems for clause in theirs))
    if len(set(sought) & stems) < max(2, _REST * len(sought)):
        return False
    return _exchanged(DIRECTIONS, own.words, [word for clause in theirs for word in (*clause.words, ",")], _of)


def _exchanged(
    pairs: Sequence[tuple[str, ...]],
    own: Sequence[str],
    theirs: Sequence[str],
    said_of: Callable[[Sequence[str], str], set[str]],
) -> bool:
    """True where one text has the other word of a pair before the same word, and never the same one."""
    mine_words, their_words = frozenset(own), frozenset(theirs)
    for pair in pairs:
        for mine, other in (pair, pair[::-1]):
            if mine not in mine_words or other not in their_words:
                continue
            here = said_of(own, mine)
            if here & said_of(theirs, other) and not here & said_of(theirs, mine):
                return True
    return False


def _of(said: Sequence[str], word: str) -> set[str]:
    """The stems of what a direction is of: `east of the island`, `Eastern Europe`."""
    out = set()
    for at, one in enumerate(said):
        if one == word:
            following = [other for other in said[at + 1 : at + 4] if other not in _OF_IT][:1]
            out |= {stem(other) for other in following if is_content(other)}
    return out


def _behind(said: Sequence[str], word: str) -> set[str]:
    """The stems of the next word with a content behind each place of a word."""
    out = set()
    for at, one in enumerate(said):
        if one == word:
            following = [other for other in said[at + 1 : at + 5] if is_content(other)]
            out |= {stem(other) for other in following[:1]}
    return out


__all__ = ["Stand", "clauses", "stand"]
