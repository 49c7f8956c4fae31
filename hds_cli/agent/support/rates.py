"""What a value is said of: `14 euros per child`, `until 5 May`, `by 12 euros`; a sentence may give it of another thing.

Every function is linear in its texts.
"""

from __future__ import annotations

import functools
import re
from typing import NamedTuple

from hds_cli.agent.support.values import Value, same, values
from hds_cli.agent.support.words import content_stems, stem, words

_LONGEST = 2000  # characters of a text
_MOST = 16  # values of a text
_NOUNS_BEHIND = 2  # words behind a number of which one may be what is counted: `two young daughters`
_REACH = 32  # characters before a value
_NOUNS = {
    "hour": "hour hours h hr stunde std heure hora ora час часа uur", "day": "day daily tag jour dia giorno день dag",
    "night": "night nacht nuit noche notte ночь nights", "week": "week woche semaine semana settimana неделю",
    "month": "month monat mois mes mese месяц maand", "year": "year annum jahr an annee ano anno год jaar",
    "person": "person head people kopf personne persona человека adult", "child": "child kind enfant nino bambino",
    "minute": "minute min minuto минуту", "second": "second sekunde seconde s",
}  # fmt: skip
_LENGTHS = frozenset("hour day night week month year minute second".split())
_NOUN = {word: noun for noun, listed in _NOUNS.items() for word in listed.split()}
_PERIODS = rf"(?:{'|'.join(sorted((w for w in _NOUN if w.isascii()), key=len, reverse=True))}|ticket|piece|case|item)"
_RATE = re.compile(
    r"[\s,]{0,2}(?:(?:/\s?|(?:per|each|every|pro|je|par|por|à l['’]|в)\s+)(?:(?:the|der|la|le)\s+)?([^\W\d_]{1,20})"
    rf"|(?:an?|al|im|a la|in the)\s+({_PERIODS})\b|(each|apiece|jeweils|chacun|cada uno)\b)",
    re.IGNORECASE,
)
# Farther behind a value, `2.63 inches (6.7 cm) of rain each year`: a length of time alone, and no later day.
_BEHIND = re.compile(
    r"(?:\s?\([^()]{1,24}\)|\))?(?:\s(?!(?:and|or|with|to|from|at|on|for|until)\b)[^\W\d_]{2,20}){1,3}"
    rf"\s(?:per|each|every|an?)\s(?:average\s)?({_PERIODS})\b(?!\s(?:later|ago|after|before|earlier|old)\b)",
    re.IGNORECASE,
)
_EACH = re.compile(r"\b(?:each|jeder|jede|chaque|chacun|cada)\s+[^\W\d_]{2,20}\s*(?:about\s+)?$", re.IGNORECASE)
_WHOLE = frozenset(
    "total altogether both whole entire together combined sum shared insgesamt zusammen gesamt beide toute tout totale "
    "juntos ambos вместе всего".split()
)
_MEAN = frozenset("average averages mean durchschnitt schnitt moyenne promedio media".split())
_FILLED = r"\s+(?:(?:the|den|dem|le|el|about|around|only|almost|nearly)\s+){0,2}$"
# What stands before a value: where something begins or ends, or by how much, from what and to what it changed.
_BEFORE = {
    way: re.compile(rf"(?<!\w)(?:{listed}){_FILLED}", re.IGNORECASE)
    for way, listed in {
        "start": "from|since|after|starting(?: on)?|beginning(?: on)?|as of|ab|seit|nach|depuis|à partir d[ue]|desde"
        "|a partir del?|после|начиная с|dal|dopo il",
        "end": "until|till|by|before|through|to|no later than|up to|bis(?: z[um]{1,2})?|vor|jusqu['’]au|avant"
        "|hasta(?: el)?|antes del?|до|fino al|entro il|prima del",
        "by": "by|um",
        "to": "to|auf",
        "from": "from|von",
    }.items()
}
_ENDS = ("start", "end")
_CHANGES = ("by", "to", "from")
_CONTRARY = {
    "start": {"end"}, "end": {"start"}, "by": {"to", "from"}, "to": {"by", "from"}, "from": {"by", "to"},
}  # fmt: skip
_OLD_BEFORE = re.compile(
    r"(?:\bbefore:|\bpreviously|\bformerly|\binstead of|\brather than|\bdown from|\bup from|\bstatt|\bzuvor|\bbisher"
    r"|\bau lieu de|\ben lugar de)\s+(?:below\s+|above\s+|at\s+)?$",
    re.IGNORECASE,
)
_OLD_BEHIND = re.compile(r"\s+(?:before|previously|until then|so far|zuvor|vorher|bisher|auparavant|antes)\b(?!\s+\w)")
_PAST = frozenset(
    "was were had before previous previously former formerly until from used instead earlier war waren bisher zuvor "
    "vorher statt avait etait auparavant era antes был была было".split()
)


class _Said(NamedTuple):
    value: Value
    rate: str
    period: str
    way: str
    old: bool


@functools.lru_cache(maxsize=4096)
def _said(text: str) -> tuple[_Said, ...]:
    out = []
    for value in values(text)[:_MOST]:
        before = text[max(0, value.start - _REACH) : value.start]
        old = bool(_OLD_BEFORE.search(before) or _OLD_BEHIND.match(text, value.end))
        out.append(_Said(value, rate_of(text, value), period_of(text, value), _way(value, before), old))
    return tuple(out)


def rate_of(text: str, value: Value) -> str:
    """What a value is said of each of: `month` for `28 euros a month`; "" where nothing says so."""
    if value.kind != "number":
        return ""
    match = _RATE.match(text, value.end)
    if match is None:
        return "each" if _EACH.search(text[max(0, value.start - _REACH) : value.start]) else ""
    noun = "".join(words(match[1] or match[2] or "")[:1])
    return _NOUN.get(noun, _NOUN.get(noun.removesuffix("s"), stem(noun))) if noun else "each"


def period_of(text: str, value: Value) -> str:
    """The length of time for which a value is said, also farther behind it; "" where there is none."""
    if (rate := rate_of(text, value)) or value.kind != "number":
        return rate if rate in _LENGTHS else ""
    match = _BEHIND.match(text, value.end)
    rate = _NOUN.get("".join(words(match[1])[:1]), "") if match else ""
    return rate if rate in _LENGTHS else ""


def is_for_another_time(claim: str, own: Value, text: str, other: Value) -> bool:
    """True for two values of which one is said of a month, and the other of a year."""
    mine, theirs = period_of(claim, own), period_of(text, other)
    return bool(mine and theirs) and mine != theirs


def _way(value: Value, before: str) -> str:
    dated = value.kind in ("date", "time") or value.is_year
    for way in _ENDS if dated else _CHANGES if value.kind == "number" else ():
        if _BEFORE[way].search(before):
            return way
    return ""


def of_another(claim: str, sentence: str, *, ends: bool = True) -> bool:
    """True for a sentence that gives a value of a claim per another thing, as another end, or as what was before.

    Args:
        ends: false where ends do not count: what is due until a day may cost more after it.
    """
    return _of_another(claim[:_LONGEST], sentence[:_LONGEST], ends)


@functools.lru_cache(maxsize=4096)
def _of_another(claim: str, sentence: str, ends: bool) -> bool:
    theirs = _said(sentence)
    told = any(other.rate or other.period or other.way or other.old for other in theirs)
    said = frozenset(words(claim))
    for own in _said(claim) if theirs else ():
        if not (told or own.rate or own.period):
            continue
        given = [other for other in theirs if same(own.value, other.value)]
        if given and (
            all(_is_of_another(own, other, sentence, said) for other in given)
            or (ends and all(other.way in _CONTRARY.get(own.way, ()) for other in given))
            or (all(other.old for other in given) and not own.old and said.isdisjoint(_PAST))
        ):
            return True
    return False


def _is_of_another(own: _Said, other: _Said, sentence: str, said: frozenset[str]) -> bool:
    if own.period and other.period:
        return own.period != other.period
    if own.rate and other.rate:
        return own.rate != other.rate and "each" not in (own.rate, other.rate)
    if other.rate:
        return not said.isdisjoint(_WHOLE)
    return bool(own.rate) and any(
        counts_of(one.value, own.rate, sentence) for one in _said(sentence) if one is not other
    )


def counts_of(value: Value, rate: str, text: str) -> bool:
    """True for a number of what a rate is said of each of: `3 months`, `four nights`; `each` is of anything."""
    if not value.readings or value.readings[0] <= 1 or value.currency or value.is_year:
        return False
    if rate == "each":
        return not value.dimension
    said = [*words(value.text)[-1:], *words(text[value.end : value.end + _REACH])[:1]]
    return any(_NOUN.get(noun, _NOUN.get(noun.removesuffix("s"), stem(noun))) == rate for noun in said)


@functools.lru_cache(maxsize=4096)
def _counted(text: str) -> tuple[tuple[Value, tuple[str, ...]], ...]:
    """The numbers of a text without a unit, each with the stems of the words behind it that may be what is counted."""
    out = []
    for value in values(text)[:_MOST]:
        bare = value.kind == "number" and not (value.dimension or value.currency or value.is_year)
        behind = re.split(r"[.,;:()]", text[value.end : value.end + _REACH], maxsplit=1)[0]
        nouns = content_stems(behind)
        out.append((value, nouns if bare else ()))
    return tuple(out)


def counts_otherwise(claim: str, sentence: str) -> bool:
    """True for a sentence that has another number of what a claim counts: `two daughters` for `three daughters`."""
    theirs = _counted(sentence[:_LONGEST])
    for value, nouns in _counted(claim[:_LONGEST]):
        given = [other for other, behind in theirs if nouns and nouns[0] in behind[:_NOUNS_BEHIND]]
        if given and not any(same(value, other) for other in given):
            return True
    return False


def speaks_of_whole(text: str) -> bool:
    """True for a text about a total."""
    return not _WHOLE.isdisjoint(words(text))


def speaks_of_mean(text: str) -> bool:
    """True for a text about an average."""
    return not _MEAN.isdisjoint(words(text))


__all__ = [
    "counts_of",
    "counts_otherwise",
    "is_for_another_time",
    "of_another",
    "rate_of",
    "speaks_of_mean",
    "speaks_of_whole",
]
