"""The values of a text with which one may calculate, and whether a word such as `dearer` is true of two of them."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass

from hds_cli.agent.support.arithmetic import derived
from hds_cli.agent.support.claims import Names, pieces
from hds_cli.agent.support.comparatives import comparing_words
from hds_cli.agent.support.values import Value, is_once, values
from hds_cli.agent.support.words import is_content, stem, words
from hds_cli.text import fold

_LONGEST = 2_000  # characters of a text
_PLACE = re.compile(
    r"(?:\b(?:pages?|pp?\.|seiten?|s\.|página|pagina|стр\.|chapter|kapitel|chapitre|section|abschnitt|steps?|schritt"
    r"|tables?|tabelle|figure|fig\.|abb\.|versions?|release|no\.|nr\.|n°|article|artikel|art\.|lines?|zeile|port|item|punkt"
    r"|question|frage|footnote|paragraph|absatz|level|stufe|room|line|route|bus|zimmer)[\s-]|[#§\[])\s*$",
    re.IGNORECASE,
)
"""Before a number that only says where something is, or which one of several."""
_NUMBERED = re.compile(r"^[\s*_>]*\d{1,3}[.)](?=[\s*_])")
_VERSIONED = re.compile(r"(?:^|[\s(\"'“„])[A-ZÄÖÜ][\w.+#-]*[ -]v?$")
_SMALL = 100  # up to which a whole number behind a name may be its version


@dataclass(frozen=True)
class Input:
    """A value with what stands beside it, and its place: the number of the unit, then of the character."""

    value: Value
    beside: str
    place: tuple[int, int] = (0, 0)


def counts(value: Value, text: str) -> bool:
    """True for a value that says how much: no number of a page or a list, no English `once`."""
    if is_once(value, text):
        return False
    if _PLACE.search(text[max(0, value.start - 16) : value.start]):
        return False
    return not ((label := _NUMBERED.match(text)) and value.start < label.end())


def is_version(value: Value, text: str) -> bool:
    """True for a small whole number behind a name, which may be its version: `PostgreSQL 16`."""
    bare = not (value.dimension or value.currency or value.worded) and value.kind == "number"
    small = bare and value.readings[0].is_integer() and abs(value.readings[0]) < _SMALL
    return small and _VERSIONED.search(text[max(0, value.start - 40) : value.start]) is not None


@functools.lru_cache(maxsize=4096)
def usable(text: str, measured: bool) -> tuple[Value, ...]:
    """The values of a text that may be calculated with; `measured`: to a result with a unit, or in a currency."""
    text = text[:_LONGEST]
    return tuple(v for v in values(text) if counts(v, text) and not (measured and is_version(v, text)))


def inputs(text: str, number: int, *, measured: bool, row: bool = False) -> list[Input]:
    """The values of a unit that may be calculated with, each with the piece of the unit in which it stands alone."""
    usables = usable(text, measured)
    if row:
        return [Input(value, text, (number, value.start)) for value in usables]
    out, start = list[Input](), 0
    for piece in pieces(text[:_LONGEST]):
        begin = text.find(piece, start)
        start = begin + len(piece)
        inside = [value for value in usables if begin <= value.start < start]
        units = [(v.dimension, v.currency) for v in inside if v.kind == "number" and not v.is_year]
        for value in inside:
            alone = units.count((value.dimension, value.currency)) < 2
            out.append(Input(value, piece if alone else "", (number, value.start)))
    return out


def names_in(text: str, known: Names) -> list[tuple[str, ...]]:
    """The words of a text that are names in the pages, also those that only begin a sentence there."""
    capitals = (token for token in text[:_LONGEST].split() if token.lstrip("\"'“„«(*")[:1].isupper())
    found = dict.fromkeys(word for token in capitals for word in words(token)[:1])
    return [(word,) for word in found if is_content(word) and (word in known.proper or word in known.begins)]


# --- directions -------------------------------------------------------------------------------------------------------


def _folded(text: str) -> frozenset[str]:
    return frozenset(map(fold, text.split()))


_MORE = comparing_words("size", 1) | _folded(
    "older älter additional rose rise risen rises grew grow grown grows increased increase increases climbed gained up "
    "stieg gestiegen stiegen gewachsen wuchs zugenommen gestiegene augmenté augmente hausse grimpé subió subido "
    "aumentó aumentado creció aumentato salito cresciuto aumentou subiu gestegen duurder dearer"
)
_LESS = comparing_words("size", -1) | _folded(
    "younger jünger fell fall fallen falls dropped drop drops decreased decrease decreases declined decline shrank "
    "shrunk sank down lost günstiger fiel gefallen fielen gesunken sanken geschrumpft abgenommen verbilligt baissé "
    "baisse diminué recul bajó bajado disminuyó disminuido cayó diminuito sceso calato diminuiu caiu gedaald goedkoper"
)
_DIRECTIONS = _MORE | _LESS
# More or less, by what is measured.
_SPEEDS = comparing_words("speed", 1) | comparing_words("speed", -1) | _folded("sooner later earlier")
_OPERATIONS = frozenset(
    map(
        stem,
        _folded(
            "total totals sum sums altogether together combined combine difference than times ratio average mean "
            "per percent share remaining remain remains left over makes make gives give equals minus plus divided "
            "multiplied result results hence therefore thus means about approximately calculation calculated "
            "count counted amount amounts comes adds added add against compared years year months month days day "
            "weeks week hours old aged age born died geboren gestorben né née mort nació murió apart later "
            "earlier before after insgesamt zusammen summe differenz unterschied mal durchschnitt ergibt macht "
            "also daher somit demnach übrig bleiben bleibt jahre jahren tage tagen total somme ensemble "
            "différence around roughly moins fois moyenne soit donc reste ans jours suma juntos diferencia veces "
            "promedio entonces quedan queda años días totale somma differenza media quindi anni"
        ),
    )
)
_ASKS = _OPERATIONS | frozenset(map(stem, _DIRECTIONS | _SPEEDS))
_RESULTS = (
    _DIRECTIONS
    | _SPEEDS
    | _folded(
        "total totals sum altogether together combined difference times ratio average mean percent share remaining "
        "remain remains left over later earlier apart insgesamt zusammen summe differenz unterschied durchschnitt "
        "übrig bleiben bleibt später früher somme ensemble différence fois moyenne reste suma juntos juntas diferencia "
        "veces promedio quedan queda totale insieme somma differenza media"
    )
)
_EARLIER_BEHIND = re.compile(
    r"\b(?:instead of|than|als|against|versus|vs|from|compared (?:to|with)|rather than|previously|formerly|statt"
    r"|gegenüber|anstatt|zuvor|vorher|au lieu de|contre|en lugar de|frente a|antes)\b",
    re.IGNORECASE,
)
_TO = re.compile(r"\b(?:to|auf|à|a|zu|naar)\b", re.IGNORECASE)


def is_operation(key: str) -> bool:
    """True for the stem of a word that only says how a result follows: `together`, `difference`, `dearer`."""
    return key in _ASKS


def is_compared(value: Value, text: str) -> bool:
    """True for a value with a word behind it that compares: `3 minutes faster`, `60 euros dearer`."""
    behind = words(text[value.end : value.end + 40])[:2]
    return any(word in _DIRECTIONS or word in _SPEEDS for word in behind)


def asks_result(text: str) -> bool:
    """True for a text that speaks of a result: `376 euros left`, `how many more`."""
    return any(word in _RESULTS for word in words(text))


def fits_direction(text: str, result: Value, used: Sequence[Input], names: Sequence[tuple[str, ...]]) -> bool:
    """False where a text says `more` of the lesser of two values, or `dearer` of what became cheaper.

    Args:
        names: those of the text: what is compared is the one before the word, with the value that stands beside it.
    """
    if len(used) != 2 or any(one.value.kind != "number" for one in used):
        return True
    sign = _direction(text)
    a, b = (one.value.number for one in used)
    if not sign or a == b or abs(result.readings[0] * result.factor - (a + b)) < 1e-9 * abs(a + b):
        return True
    for subject in _from_word(text, names):
        own = [_has(subject, one.beside) for one in used]
        if own[0] != own[1]:
            first, second = (b, a) if own[0] else (a, b)
            return (second - first) * sign > 0
    if len(names) > 1:
        first, second = (one.value.number for one in sorted(used, key=lambda one: one.place))
        return not _is_parallel(text, used, names) or (first - second) * sign > 0
    earlier, later = _in_time(text, used)
    return (later - earlier) * sign > 0 if earlier is not None and later is not None else True


def miscompared(text: str, stated: Sequence[Input]) -> bool:
    """True for `60 euros dearer: 240 euros, now 290 euros`: the difference of the two is another one."""
    compared = [one.value for one in stated if one.value.kind == "number" and is_compared(one.value, text)]
    if len(compared) != 1 or not (compared[0].dimension or compared[0].currency):
        return False
    unit = (compared[0].dimension, compared[0].currency)
    alike = [one for one in stated if (one.value.dimension, one.value.currency) == unit]
    others = [one for one in alike if one.value is not compared[0]]
    if len(others) != 2:
        return False
    worked_out = derived(compared[0], [one.value for one in others], text) is not None
    return not (worked_out and fits_direction(text, compared[0], others, ()))


def _is_parallel(text: str, used: Sequence[Input], names: Sequence[tuple[str, ...]]) -> bool:
    """True for `A is dearer than B: 5 against 4`: the first value is that of the first name."""
    if used[0].place[0] != used[1].place[0] or used[0].place[0] < 0:
        return False
    said = list(words(text[: min(one.place[1] for one in used)]))
    at = next((place for place, word in enumerate(said) if word in _DIRECTIONS), None)
    return at is not None and all(any(n[0] in half for n in names) for half in (said[:at], said[at:]))


def _from_word(text: str, names: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Names as they may be the subject: from the word that compares to the left, then to the right."""
    said = list(words(text))
    at = next((place for place, word in enumerate(said) if word in _DIRECTIONS), 0)
    places = [(next((n for n, word in enumerate(said) if word == name[0]), at), name) for name in names]
    before = sorted((one for one in places if one[0] < at), key=lambda one: -one[0])
    return [name for _, name in [*before, *(one for one in places if one[0] >= at)]]


def _direction(text: str) -> int:
    said = set(words(text))
    more, less = bool(said & _MORE), bool(said & _LESS)
    return 0 if more == less else 1 if more else -1


def _has(name: Sequence[str], text: str) -> bool:
    return set(name) <= set(words(text))


def _in_time(text: str, used: Sequence[Input]) -> tuple[float, float] | tuple[None, None]:
    """The earlier and the later of two values: by their years, by the word between them, or as they stand."""
    years = [sorted({y for v in values(one.beside) if v.is_year or v.kind == "date" for y in v.years}) for one in used]
    if all(len(found) == 1 for found in years) and years[0] != years[1]:
        first, second = sorted(zip(years, used, strict=True), key=lambda pair: pair[0])
        return first[1].value.number, second[1].value.number
    if any(one.place[0] < 0 for one in used):  # of a page: which was first, nobody knows
        return None, None
    first_one, second_one = sorted(used, key=lambda one: one.place)
    if first_one.place[0] == second_one.place[0]:
        between = text[first_one.value.end : second_one.value.start]
        if _EARLIER_BEHIND.search(between) and not _TO.search(between):
            first_one, second_one = second_one, first_one
    return first_one.value.number, second_one.value.number


__all__ = [
    "Input", "asks_result", "counts", "fits_direction", "inputs", "is_compared", "is_operation", "miscompared",
    "names_in", "usable",
]  # fmt: skip
