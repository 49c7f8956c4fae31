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

from hds_cli.agent.support.words import is_content, is_denial, negated, stem, words
from hds_cli.text import fold

_LONGEST = 2_000  # characters of a text
_MOST = 40  # clauses
_ITEM = 4  # words of an item of a list, which is denied with it
_FOCUS = 2  # words behind a denial that it denies; one before it: `entfernt nicht`
# Shares of a clause's words beyond which one with a `not` denies it: anywhere in it, and beside one of them.
_ALL, _BESIDE = 0.8, 0.5
_REST = 0.6  # the same for an opposite, of the other words
_CUT = re.compile(
    r"(?P<strong>[.;:!?()—–](?=\s|$)|[()])|(?P<comma>,)(?=\s)"
    r"|(?<=\s)(?P<list>and|or|nor|und|oder|noch|et|ou|ni|y|o|e|и|или)(?=\s)"
    r"|(?<=\s)(?P<turn>but|yet|although|though|because|while|whereas|which|who|except|aber|sondern|sowie|weil|obwohl"
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
_NO_DENIAL = frozenset({"without", "non"})


def _folded(text: str) -> frozenset[str]:
    return frozenset(fold(word) for word in text.split())


_OPPOSITES = [
    (_folded(first), _folded(second))
    for first, second in (
        ("refused rejected declined refuses rejects", "accepted approved granted accepts approves grants"),
        ("allowed permitted allows permits legal", "forbidden prohibited banned forbids prohibits illegal disallowed"),
        ("rises rose risen rising increases increased grew grows",
         "falls fell fallen falling decreases decreased dropped"),
        ("enabled enables activated", "disabled disables deactivated"),
        ("included includes including", "excluded excludes excluding"),
        ("mandatory required compulsory obligatory", "optional voluntary"),
        ("always", "never"), ("safe", "unsafe dangerous"), ("possible", "impossible"),
        ("open opens opened", "closed closes shut"),
        ("nobody", "everybody everyone anybody anyone"), ("niemand", "jeder alle"), ("nadie", "todos"),
        ("won", "lost"), ("minimum", "maximum"), ("successful succeeded", "unsuccessful failed"),
        ("first", "last"), ("narrow narrowly", "wide widely large"), ("easy easily", "difficult hard"),
        ("praised", "criticized criticised"), ("public publicly", "private privately"), ("male", "female"),
        ("smallest", "largest biggest"), ("shortest", "longest tallest"), ("lowest", "highest"),
        ("youngest newest", "oldest"), ("slowest", "fastest"), ("poorest", "richest"), ("worst", "best"),
        ("abgelehnt verweigert lehnte", "angenommen genehmigt bewilligt akzeptiert"),
        ("erlaubt zulässig gestattet", "verboten untersagt unzulässig"),
        ("steigt stieg gestiegen steigen", "fällt fiel gefallen sinkt sank gesunken"),
        ("aktiviert eingeschaltet", "deaktiviert ausgeschaltet"), ("immer", "nie niemals"),
        ("geöffnet offen", "geschlossen"),
        ("verpflichtend vorgeschrieben", "freiwillig"), ("gewann gewonnen", "verlor verloren"),
        ("refusé refusée rejeté rejetée", "accepté acceptée approuvé approuvée"),
        ("autorisé autorisée permis permise", "interdit interdite"),
        ("augmente augmenté hausse", "baisse baissé diminue diminué"),
        ("activé activée", "désactivé désactivée"), ("ouvert ouverte", "fermé fermée"),
        ("obligatoire", "facultatif facultative"),
        ("rechazado rechazada rechazó", "aceptado aceptada aceptó aprobado aprobada aprobó"),
        ("permitido permitida", "prohibido prohibida"), ("sube subió aumenta aumentó", "baja bajó disminuye disminuyó"),
        ("activado activada habilitado", "desactivado desactivada deshabilitado"),
        ("abierto abierta", "cerrado cerrada"),
        ("obligatorio obligatoria", "opcional"),
    )
]  # fmt: skip
_HAVE_OPPOSITES = frozenset(word for pair in _OPPOSITES for words_of in pair for word in words_of)
_BEFORE_A_WORD = [
    tuple(map(fold, pair.split()))
    for pair in ("before after", "with without", "above below", "inside outside", "vor nach", "mit ohne", "über unter",
                 "avant après", "avec sans", "con sin", "con senza", "com sem", "met zonder", "с без", "до после",
                 "left right", "upper lower", "inner outer", "few most", "few each", "few every", "few all",
                 "linken rechten")
]  # fmt: skip
_OF_IT = frozenset("of the us von der des du la de los las".split())
_DIRECTIONS = [
    tuple(map(fold, pair.split()))
    for pair in ("north south", "east west", "northeast southwest", "northwest southeast", "northern southern",
                 "eastern western", "nördlich südlich", "östlich westlich")
]  # fmt: skip


@dataclass(frozen=True)
class Clause:
    """A clause: its words, their stems, whether it denies (None: nobody can tell), and what stands beside the `not`."""

    words: tuple[str, ...]
    stems: frozenset[str]
    denied: bool | None
    focus: frozenset[str]


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
        if out and _EXAMPLE.match(piece):
            before = out[-1]
            one = replace(one, stems=one.stems | before.stems, denied=before.denied, focus=one.stems | before.focus)
        elif joined == "nor" and not one.denied and len(said) > _ITEM:
            one = replace(one, denied=True)  # `Neither Norway nor Sweden is part of it`
        elif out and joined != "strong":
            one = _continued(one, out[-1], joined, [way for way, _ in pieces[number + 1 : number + 6]])
        out.append(one)
    return tuple(out)


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
        start = match.end()
    yield joined, text[start:]


def _denies(piece: str, said: Sequence[str], until: bool) -> bool:
    """True for a clause that denies; `not only` and `without` do not, and `ni … ni`, `neither … nor` deny once."""
    if any(is_denial(a) and b in _ONLY for a, b in itertools.pairwise(said)):
        return False
    if until and "until" in said:  # `not opened until 1950`
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
            known = known or True in ways
            agrees = agrees and (True in ways or not found)
        elif _contained(theirs, sought):
            return Stand(denies=True)
        elif ways == {True}:
            agrees = False
            if any(_strong(clause, sought) for clause in found):
                return Stand(denies=True)
    lacks = not known and any(own.denied for own in clauses(claim, until))
    return Stand(agrees=agrees and not lacks, lacks=lacks)


def _closest(theirs: Sequence[Clause], sought: Collection[str]) -> list[Clause]:
    """The clauses that have most of some words."""
    shared = [(len(clause.stems & set(sought)), clause) for clause in theirs]
    most = max((count for count, _ in shared), default=0)
    return [clause for count, clause in shared if count == most] if most else []


def _contained(theirs: Sequence[Clause], sought: Collection[str]) -> bool:
    """True where all that a clause denies is sought, and said nowhere else: `but not if it is reserved`."""
    said = {key for clause in theirs if not clause.denied for key in clause.stems}
    denied = (set(map(stem, filter(is_content, clause.words))) for clause in theirs if clause.denied)
    return any(own - {""} and own <= set(sought) and not own & said for own in denied)


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
    if any(_before_a_word(own, clause, sought) for clause in theirs) or _turned(own, theirs, sought):
        return True
    for mine, other in (way for pair in _OPPOSITES for way in (pair, pair[::-1])) if said & _HAVE_OPPOSITES else ():
        if not said & mine or said & other or any(mine & set(clause.words) for clause in theirs):
            continue
        rest = set(sought) - set(map(stem, said & mine))
        for clause in theirs:
            theirs_said = set(clause.words)
            if not theirs_said & other or clause.denied is None or own.denied is None:
                continue
            if len(rest & clause.stems) >= max(1, _REST * len(rest)):
                return clause.denied == own.denied
    return None


def _before_a_word(own: Clause, clause: Clause, sought: Collection[str]) -> bool:
    """True for `before the meal` beside `after the meal`."""
    if len(set(sought) & clause.stems) < max(2, _REST * len(sought)):
        return False
    return _exchanged(_BEFORE_A_WORD, own.words, clause.words, _behind)


def _turned(own: Clause, theirs: Sequence[Clause], sought: Collection[str]) -> bool:
    """True for `east of the island` beside `in the bay, west of the island`: the clauses are taken together."""
    stems = frozenset[str]().union(*(clause.stems for clause in theirs))
    if len(set(sought) & stems) < max(2, _REST * len(sought)):
        return False
    return _exchanged(_DIRECTIONS, own.words, [word for clause in theirs for word in (*clause.words, ",")], _of)


def _exchanged(
    pairs: Sequence[tuple[str, ...]],
    own: Sequence[str],
    theirs: Sequence[str],
    said_of: Callable[[Sequence[str], str], set[str]],
) -> bool:
    """True where one text has the other word of a pair before the same word, and never the same one."""
    for pair in pairs:
        for mine, other in (pair, pair[::-1]):
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
