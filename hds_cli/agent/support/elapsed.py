"""Ages and spans of years that no page states, worked out from its dates: `died at the age of 84`, `ten years after`.

A life is told by the dates behind a name, `(26 August 1928 – 17 July 2013)`, or by `born` and `died`. A span has a date
in the claim and one in a sentence that says most of it, or two dates of sentences that do so together.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from hds_cli.agent.support.arithmetic import days_of, says, years_between
from hds_cli.agent.support.claims import Claim
from hds_cli.agent.support.dates import Day
from hds_cli.agent.support.ground import Sentence
from hds_cli.agent.support.placing import Judged, Placing
from hds_cli.agent.support.values import Value, values
from hds_cli.agent.support.words import content_stems, is_denial, stem, words

_MOST = 8  # dates of a sentence, and sentences that are combined
_NAME = 80  # characters before a parenthesis in which the name stands, and before a date in which `born` does
_OPENING = 3  # sentences of a passage that may leave the name to its title
# Share of a claim's other words that the sentences with the dates have. Tuned on 2,400 labelled claims: with 0.4 and
# 0.6 one and two of them change.
_SHARE = 0.5
_AGE_BEFORE = re.compile(
    r"(?:\b(?:age of|aged|at age|turned|turns|alter von|âge de|edad de|età di)"
    r"|\b(?P<was>was|were|is|be|been)(?: only| just)?)\s$",
    re.IGNORECASE,
)
_BOUNDED = re.compile(
    r"\b(?:past|over|under|before|beyond|above|below|until|nearly|almost)\b[^.;]{0,16}$", re.IGNORECASE
)
_AGE_BEHIND = re.compile(
    r"[\s-]*(?:years?[\s-]old|years of age|jahre alt|ans\b)|\s(?:when|at the time|on (?:his|her))\b", re.IGNORECASE
)
_ORDER = re.compile(r"\s+(before|after)\b", re.IGNORECASE)
_DIED = frozenset(
    map(stem, "died dies dead death lived reached passed killed starb gestorben mort morte murió".split())
)
_HOW_OLD = re.compile(
    r"\b(?:how old|what age|wie alt|quel âge|qué edad|cuántos años tenía|quanti anni aveva)\b", re.IGNORECASE
)
_HOW_OLD_AT_BIRTH = re.compile(r"\b(?:born|birth|geboren|née?|naci[óo])\b", re.IGNORECASE)
_HOW_LONG = re.compile(
    r"\b(?:how many years|wie viele jahre|combien d['’]années|cuántos años|quanti anni)\b", re.IGNORECASE
)
_LIFE = re.compile(r"\(([^()]{4,160})\)")
_DASH = re.compile(r"^[^()\d]{0,60}[-–—][^()\d]{0,40}$")  # `24 October 1650, Delft – 1704`
_BORN = re.compile(r"(?:\b(?:born|b\.|geb\.|geboren|née?|nacid[oa]|nat[oa])|\*)[^();]{0,60}$", re.IGNORECASE)
_DEAD = re.compile(r"(?:\b(?:died|d\.|gest\.|gestorben|starb|mort|murió|mor[ìt]o)|†)[^();]{0,60}$", re.IGNORECASE)


@dataclass(frozen=True)
class _Life:
    """When somebody was born and died, as far as a sentence tells."""

    sentence: Sentence
    born: Day
    died: Day | None


class Elapsed:
    """Works out the ages and the spans of years that a claim states and no page does."""

    def __init__(self, placing: Placing) -> None:
        self._placing, self._ground = placing, placing.ground

    def of(self, claim: Claim) -> Judged | None:
        """The support of a claim with one such number; None: it has none, or nothing is known.

        An age that differs from what the dates of a life make is contradicted; a span is not, as there may be others.
        """
        spans = [value for value in claim.values if _is_span(value, claim.text)]
        if len(spans) != 1 or not claim.names or any(map(is_denial, words(claim.text))):
            return None
        span, rest = spans[0], tuple(v for v in claim.values if v is not spans[0])
        if not all(map(self._ground.has_value, rest)):
            return None
        dates = [day for value in rest for day in days_of(value)]
        others = [value for value in rest if not days_of(value)]
        likely = self._ground.candidates(replace(claim, values=()), {})
        if _is_age(span, claim.text):
            if _BOUNDED.search(claim.text[max(0, span.start - 24) : span.start]):
                return None
            return self._age(claim, span, dates, likely)
        if others or span.dimension != "years":
            return None
        return self._span(claim, span, dates, likely)

    def answer(self, text: str, asked: Claim) -> Judged | None:
        """The support of a short answer that is one number, `53` or `87 years`, to a question for such a one."""
        given = [value for value in values(text) if value.kind == "number" and value.readings]
        if len(given) != 1 or not asked.names or given[0].dimension not in ("", "years") or given[0].currency:
            return None
        if set(content_stems(text)) - _SPAN_WORDS - {stem(w) for w in words(given[0].text)}:
            return None
        dates = [day for value in asked.values for day in days_of(value)]
        likely = self._ground.candidates(replace(asked, values=()), {})
        if _HOW_OLD.search(asked.text):
            if not dates and _HOW_OLD_AT_BIRTH.search(asked.text) and len(asked.names) > 1:
                dates = [life.born for one in likely for life in self._lives(one, asked.names[1])][:1]
            return self._age(asked, given[0], dates, likely)
        return self._span(asked, given[0], dates, likely) if _HOW_LONG.search(asked.text) else None

    # --- ages ----------------------------------------------------------------------------------------------------

    def _age(self, claim: Claim, age: Value, dates: Sequence[Day], likely: Sequence[Sentence]) -> Judged | None:
        dies = not _DIED.isdisjoint(map(stem, words(claim.text)))
        wrong: dict[tuple[Day, Day | None], Judged | None] = {}
        for sentence in likely:
            for life in self._lives(sentence, claim.names[0]):
                ends = [life.died] if dies and life.died else [] if dies else dates
                if not ends:
                    continue
                ages = {years for end in ends for years in years_between(life.born, end)}
                ages |= {years - 1 for years in ages if any(end.month is None for end in ends) or not life.born.month}
                quotes = (self._placing.quote(sentence, claim),)
                if any(says(age, years) for years in ages):
                    return Judged("computed", quotes)
                far = not age.rounded and all(abs(years - age.readings[0]) > 1 for years in ages)
                wrong[life.born, life.died] = Judged("contradicted", quotes, (age.text.strip(),)) if far else None
        return next(iter(wrong.values())) if len(wrong) == 1 else None  # of two lives nobody knows whose is meant

    def _lives(self, sentence: Sentence, name: Sequence[str]) -> Iterator[_Life]:
        """The lives that a sentence tells of a name."""
        text, place = sentence.text, self._ground.read[sentence.passage].sentences
        dated = [(value, day) for value in sentence.values[:_MOST] for day in days_of(value)[:1]]
        titled = sentence.head.words if sentence.place < place.start + _OPENING else frozenset[str]()
        for group in _LIFE.finditer(text):
            before = set(words(text[max(0, group.start() - _NAME) : group.start()]))
            if not before.union(titled).issuperset(name):
                continue
            inside = [(v, day) for v, day in dated if group.start() <= v.start and v.end <= group.end()]
            if len(inside) >= 2 and _DASH.match(text[inside[0][0].end : inside[1][0].start]):
                yield _Life(sentence, inside[0][1], inside[1][1])
            elif inside and _BORN.search(text[group.start() : inside[0][0].start]):
                yield _Life(sentence, inside[0][1], None)
        born = [day for v, day in dated if _BORN.search(text[max(0, v.start - _NAME) : v.start])]
        if len(born) == 1 and (sentence.words | titled).issuperset(name):
            behind = [
                self._ground.sentences[n] for n in range(sentence.place, min(sentence.place + _OPENING, place.stop))
            ]
            died = [day for one in behind for day in _deaths(one)]
            yield _Life(sentence, born[0], died[0] if len(died) == 1 else None)

    # --- spans ---------------------------------------------------------------------------------------------------

    def _span(self, claim: Claim, span: Value, dates: Sequence[Day], likely: Sequence[Sentence]) -> Judged | None:
        dated = [(one, list(_days_in(one))) for one in likely if self._is_about(claim, one)]
        dated.sort(key=lambda pair: -self._share(claim, pair[0]))
        dated = [(one, days) for one, days in dated if days][:_MOST]
        for one, days in dated:
            if dates and self._share(claim, one) >= _SHARE and any(_is_apart(span, a, b) for a in dates for b in days):
                return Judged("computed", (self._placing.quote(one, claim),))
        if dates:
            return None
        for (one, first), (other, second) in itertools.combinations_with_replacement(dated, 2):
            apart = [(a, b) for a in first for b in second if _is_apart(span, a, b)]
            if self._share(claim, one, other) < _SHARE or not apart:
                continue
            if one is not other and not any(_in_order(claim.text, span, (one, a), (other, b)) for a, b in apart):
                continue
            return Judged("computed", tuple(self._placing.quote(s, claim) for s in dict.fromkeys((one, other))))
        return None

    def _is_about(self, claim: Claim, sentence: Sentence) -> bool:
        """True for a sentence that has a name of a claim, or stands under it, and one of its other words."""
        named = any(word in sentence.words or word in sentence.head.words for name in claim.names for word in name)
        return named and not sentence.stems.isdisjoint(claim.rest)

    def _share(self, claim: Claim, *sentences: Sentence) -> float:
        """The share of a claim's other words, and of its names, in sentences with their titles."""
        sought = {key for key in claim.rest if key not in _SPAN_WORDS}
        sought |= {stem(word) for name in claim.names for word in name}
        has = frozenset[str]().union(*(one.stems | one.head.stems for one in sentences))
        return len(sought & has) / max(1, len(sought))


_SPAN_WORDS = frozenset(
    map(stem, "year years after before later earlier apart longer passed went came between full whole some".split())
)


def _is_span(value: Value, text: str) -> bool:
    if value.kind != "number" or not value.readings or value.is_year or not 0 < value.readings[0] < 1000:
        return False
    return value.dimension == "years" or _is_age(value, text)


def _is_age(value: Value, text: str) -> bool:
    """True for a number that is an age: `aged 84`, `was 24 years old`, `was thirty-one when`."""
    before = _AGE_BEFORE.search(text[max(0, value.start - 24) : value.start])
    behind = _AGE_BEHIND.match(text, value.end) or re.search(r"old\s*$", value.text)
    if before is None:
        return behind is not None and behind[0].strip()[:1].casefold() in ("-", "y")
    return before["was"] is None or behind is not None


def _deaths(sentence: Sentence) -> Iterator[Day]:
    for value in sentence.values[:_MOST]:
        if _DEAD.search(sentence.text[max(0, value.start - _NAME) : value.start]):
            yield from days_of(value)[:1]


def _in_order(text: str, span: Value, one: tuple[Sentence, Day], other: tuple[Sentence, Day]) -> bool:
    """False where a text says `ten years before` of what the sentences date ten years after."""
    word = _ORDER.match(text, span.end)
    if word is None:
        return True
    first, second = (set(map(stem, words(half))) for half in (text[: span.start], text[word.end() :]))
    fits = [len(first & s.stems) - len(second & s.stems) for s in (one[0], other[0])]
    if fits[0] == fits[1] or not (first and second):
        return True
    mine, theirs = (one[1], other[1]) if fits[0] > fits[1] else (other[1], one[1])
    is_later = (mine.year or 0, mine.month or 0) >= (theirs.year or 0, theirs.month or 0)
    return is_later == (word[1].casefold() == "after")


def _days_in(sentence: Sentence) -> Iterator[Day]:
    for value in sentence.values[:_MOST]:
        yield from days_of(value)[:1]


def _is_apart(span: Value, first: Day, last: Day) -> bool:
    return any(says(span, years) for years in years_between(first, last))


__all__ = ["Elapsed"]
