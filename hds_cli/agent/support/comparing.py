"""Comparisons of two figures, `Zambia's border is longer: 5,664 km against 2,881 km`, worked out again.

No page says them in one sentence. Each figure has to stand beside its own name, and the word has to be true of the two.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from hds_cli.agent.support.arithmetic import derived
from hds_cli.agent.support.claims import Claim, claim, of_unit
from hds_cli.agent.support.comparatives import AGAINST, Direction, direction, without_comparison
from hds_cli.agent.support.fitting import QUOTED
from hds_cli.agent.support.ground import Ground, Sentence, has_word
from hds_cli.agent.support.message import Unit
from hds_cli.agent.support.placing import Judged, Placing
from hds_cli.agent.support.values import Value, same, values
from hds_cli.agent.support.words import content_stems, is_content, negated, stem, words
from hds_cli.types import GOOD_LEVELS

_MOST = 1_000  # characters of a unit
_NAMES = 8  # names of a unit or question that are tried
_TITLE = 4  # words of a title that is a name
_TITLES = 200
_PLACES = 8  # sentences with a figure that are looked at where no name is given
_ALIKE = 0.4  # share of their words that two sentences on the same thing have in common
Name = tuple[str, ...]

_THAN = re.compile(r"(?:\s+[^\W\d_]+){0,3}?\s+(?:than|als|que|che)\s+", re.IGNORECASE)
_ROOM = 40  # characters behind `than` in which a name has to stand
_RANKED = re.compile(r"(?:\b(?:number|no\.|nr\.|rank(?:ed)?|places?|position|platz|rang|version)\s+|#)$", re.IGNORECASE)
_IN_BRACKETS = re.compile(r"\([^()]{0,80}\)")
_OWN = re.compile(r"\s*(?:for|in|of|für|in|von|pour|en|au|para|de)\s+(?:the\s|la\s|el\s|der\s)?$", re.IGNORECASE)
_ANSWER = re.compile(r"^\s*(?:yes|no|ja|nein|oui|non|sí|si)\b[\s,.:;–—-]*", re.IGNORECASE)


@dataclass(frozen=True)
class _Named:
    """A name where it stands in a unit."""

    name: Name
    start: int
    end: int


@dataclass(frozen=True)
class _Pair:
    """The figures of a comparison, in the order in which they stand, and whose each is; None: the unit names nobody."""

    first: Value
    second: Value
    owner: Name | None
    other: Name | None


class Comparing:
    """Works out again what the units of a message compare."""

    def __init__(self, placing: Placing, question: str, *, german: bool) -> None:
        self._placing, self._german = placing, german
        self._ground: Ground = placing.ground
        titles = (tuple(filter(is_content, words(_IN_BRACKETS.sub("", r.passage.title)))) for r in self._ground.read)
        self._titles = [name for name in dict.fromkeys(titles) if 0 < len(name) <= _TITLE][:_TITLES]
        asked = (*claim(question[:_MOST], self._ground.names).names, *self._titled(question[:_MOST]))
        self._asked = [name for name in dict.fromkeys(asked) if self._is_known(name)][:_NAMES]

    def of(self, unit: Unit) -> Judged | None:
        """The support of a comparison: computed, contradicted, or apart where the second figure has no name.

        None: it is none, or a figure is not its name's.
        """
        text = unit.text
        if len(text) > _MOST or len(figures := values(text)) < 2:
            return None
        found = direction(text)
        if (found is None and not AGAINST.search(text)) or negated(_ANSWER.sub("", text, count=1)):
            return None
        stated = self._pair(figures, text)
        if stated is None:
            return None
        names = list(self._names(unit))
        if not _compares(text, stated, found, names):
            return None
        pair = _bound(*stated, names, text, found.place if found else len(text))
        own = [self._half(unit, value, name) for value, name in ((pair.first, pair.owner), (pair.second, pair.other))]
        judged = self._placed(unit, pair, own)
        if judged is None:
            half = own[0] if pair.other is None and self._ground.has_value(pair.second) else None
            return Judged("apart", half.quotes) if half is not None and _good(half) else None
        quotes = tuple(dict.fromkeys(quote for half in judged for quote in half.quotes[:1]))
        if found is None:
            return Judged("computed", quotes) if self._says_it(unit, judged) else None
        subject = _subject(names, found.place)
        first, second = (pair.second, pair.first) if pair.owner and subject == pair.other else (pair.first, pair.second)
        right = _holds(found, first, second)
        if right is None:
            return None
        return Judged("computed", quotes) if right else Judged("contradicted", quotes)

    # --- what is compared ----------------------------------------------------------------------------------------

    def _pair(self, figures: Sequence[Value], text: str) -> tuple[Value, Value] | None:
        """The two figures of one kind; any other has to stand in a page, or to be worked out from them."""
        groups: dict[tuple[object, ...], list[Value]] = {}
        for value in figures:
            if value.kind in ("number", "date") and not _is_rank(value, text):
                years = value.kind == "date" or value.is_year
                groups.setdefault((years, value.dimension, value.currency), []).append(replace(value, bound=0))
        several = [group for group in groups.values() if len(group) in (2, 3)]
        if len(several) > 1:
            several = [g for g in several if len(g) == 2 and AGAINST.search(text, g[0].end, g[1].start)]
        if len(several) != 1:
            return None
        group = several[0]
        for left_out in [None, *group] if len(group) == 3 else [None]:
            first, second, *more = [value for value in group if value is not left_out]
            rest = [
                v for v in figures if (v.start, v.end) not in ((first.start, first.end), (second.start, second.end))
            ]
            if more or same(first, second):
                continue
            if all(self._ground.has_value(v) or derived(v, (first, second), text) for v in rest):
                return first, second
        return None

    def _names(self, unit: Unit) -> Iterator[_Named]:
        """The names of a unit where they stand; in German, where every noun has a capital, those that are known."""
        text = unit.text.casefold()
        taken: set[str] = set()
        for german in (True, False) if self._german else (False,):
            whole = of_unit(unit, self._ground.names, german=german)
            for name in whole.names[:_NAMES]:
                if taken & set(name) or (self._german and not (name in self._asked or self._is_title(name))):
                    continue
                taken.update(name)
                yield from _places(name, whole.shown.get(" ".join(name), "").casefold(), text)
        for name in self._titled(unit.text):
            if not taken & set(name):
                yield from list(_places(name, " ".join(name), text)) or list(_places(name, name[0], text))[:1]

    def _titled(self, text: str) -> list[Name]:
        """The titles of pages that stand in a text, also without capitals: `a dose of naproxen`."""
        has = set(words(text))
        return [name for name in self._titles if has.issuperset(name)][:_NAMES]

    def _is_title(self, name: Name) -> bool:
        return any(all(has_word(word, read.head.words) for word in name) for read in self._ground.read)

    def _is_known(self, name: Name) -> bool:
        return any(all(has_word(word, read.all) for word in name) for read in self._ground.read)

    # --- whose the figures are -----------------------------------------------------------------------------------

    def _half(self, unit: Unit, value: Value, name: Name | None) -> Judged | None:
        """The ground of one figure with its name; None: it has no name."""
        if name is None:
            return None
        return self._placing.place(Claim("", (value,), (name,), (), _rest(unit.text), unit.marks))

    def _placed(self, unit: Unit, pair: _Pair, halves: Sequence[Judged | None]) -> tuple[Judged, Judged] | None:
        """The grounds of both figures, with the names of the question where a unit has none; None: one has none."""
        first, second = halves
        if pair.owner is None and pair.other is None:
            for owner in self._asked:
                for other in self._asked:
                    if owner != other:
                        found = self._half(unit, pair.first, owner), self._half(unit, pair.second, other)
                        if _good(found[0]) and _good(found[1]):
                            return _both(found)
            return None
        if not _good(first) if pair.owner is not None else not _good(second):
            return None
        known, lacking = (pair.owner, pair.second) if pair.owner is not None else (pair.other, pair.first)
        open_half = second if pair.owner is not None else first
        if (pair.owner is None or pair.other is None) and known is not None:
            open_half = self._of_another(unit, lacking, known, first if pair.owner is not None else second)
        found = (first, open_half) if pair.owner is not None else (open_half, second)
        return _both(found) if _good(found[0]) and _good(found[1]) else None

    def _of_another(self, unit: Unit, value: Value, name: Name, beside: Judged | None) -> Judged | None:
        """The ground of a figure without a name: with one of the question, else in a sentence like the first."""
        for other in self._asked:
            if not set(other) & set(name) and _good(half := self._half(unit, value, other)):
                return half
        if beside is None or not beside.quotes:
            return None
        like = _stems(beside.quotes[0].quote)
        for place in self._ground.with_value(value)[:_PLACES]:
            sentence = self._ground.sentences[place]
            if not self._is_about(sentence, name) and _alike(like, _stems(sentence.text)):
                return Judged("together", (self._placing.quote(sentence, Claim("", (value,))),))
        return None

    def _is_about(self, sentence: Sentence, name: Name) -> bool:
        return all(has_word(word, sentence.words) or has_word(word, sentence.head.words) for word in name)

    def _says_it(self, unit: Unit, halves: Sequence[Judged]) -> bool:
        """True where the quotes have the words of a unit that compares without saying how."""
        rest = set(_rest(unit.text)) - {stem(w) for named in self._names(unit) for w in named.name}
        quoted = [_stems(half.quotes[0].quote) for half in halves]
        return all(len(rest & has) >= QUOTED * len(rest) for has in quoted)


def _is_rank(value: Value, text: str) -> bool:
    """True for a figure that is no size: a place in an order, `number 19`, a lone `two`."""
    bare = not (value.dimension or value.currency) and value.kind == "number"
    before = text[max(0, value.start - 30) : value.start]
    return value.dimension == "ordinal" or (bare and (value.worded or _RANKED.search(before) is not None))


def _compares(text: str, stated: tuple[Value, Value], found: Direction | None, names: Sequence[_Named]) -> bool:
    """True where `against` stands before the second figure, or the comparing word has `than` and a name behind it."""
    if found is not None and (than := _THAN.match(text, found.end)):
        room = text[than.end() : than.end() + _ROOM]
        return any(than.end() <= n.start <= than.end() + len(room.split(",")[0]) for n in names)
    return AGAINST.search(text, 0, stated[1].start) is not None


def _places(name: Name, shown: str, text: str) -> Iterator[_Named]:
    place = text.find(shown) if shown else -1
    while place >= 0:
        yield _Named(name, place, place + len(shown))
        place = text.find(shown, place + len(shown))


def _bound(first: Value, second: Value, names: Sequence[_Named], text: str, word: int) -> _Pair:
    """Whose the two figures are, by where the names stand."""
    before = [n for n in sorted(names, key=lambda n: n.start) if n.start < first.start]
    between = [n for n in sorted(names, key=lambda n: n.start) if first.end <= n.start < second.start]
    after = [n for n in sorted(names, key=lambda n: n.start) if n.start >= second.end]
    owner, other = None, None
    if between and before:
        owner = before[-1].name
        apart = [n.name for n in between if n.name != owner]
        other = after[0].name if after and not apart else apart[-1] if apart else None
    elif between:
        owner = between[0].name
        rest = [n.name for n in (*between[1:], *after) if n.name != owner]
        other = rest[0] if rest else None
    elif before:
        owner = _subject(before, word) or before[0].name
        others = [n.name for n in (*after, *before) if n.name != owner]
        other = others[0] if others else None
        if after and after[0].name == owner:  # `longer than Chile: 25,148 km, against 6,435 km in Norway`
            owner, other = other, owner
    elif after:
        later = [*dict.fromkeys(n.name for n in after), None, None]
        is_second = _OWN.match(text[second.end : after[0].start]) is not None  # `41 deaths against 15 in Harlan`
        owner, other = (later[1], later[0]) if is_second else (later[0], later[1])
    return _Pair(first, second, owner, other)


def _subject(names: Sequence[_Named], word: int) -> Name | None:
    """The name that a comparing word is said of: the last one before it, else the first one behind it."""
    ordered = sorted(names, key=lambda n: n.start)
    before = [n.name for n in ordered if n.start < word]
    return before[-1] if before else ordered[0].name if ordered else None


def _holds(found: Direction, first: Value, second: Value) -> bool | None:
    """True where the word is true of the figures; None: it says nothing of such figures."""
    is_time = first.kind == "date" or first.is_year
    if is_time != (second.kind == "date" or second.is_year):
        return None
    if is_time and found.kind != "age":
        return None
    a, b = (_moment(first), _moment(second)) if is_time else ((first.number,), (second.number,))
    if a == b:
        return None
    takes = found.kind == "speed" and first.dimension in ("time", "years", "months")
    sign = -found.sign if is_time or takes else found.sign
    return (a > b) == (sign > 0)


def _moment(value: Value) -> tuple[float, ...]:
    if value.kind == "date":
        day = value.days[0]
        return (day.year or 0, day.month or 0, day.day or 0)
    return (value.years[0], 0, 0)


def _rest(text: str) -> tuple[str, ...]:
    """The stems of a unit without what compares."""
    kept = words(without_comparison(_blank(text)))
    return tuple(dict.fromkeys(stem(word) for word in kept if is_content(word)))


def _blank(text: str) -> str:
    parts, done = [], 0
    for value in values(text):
        parts.append(text[done : max(done, value.start)])
        done = max(done, value.end)
    return " ".join([*parts, text[done:]])


def _stems(text: str) -> set[str]:
    return set(content_stems(_blank(text)))


def _alike(one: set[str], other: set[str]) -> bool:
    return len(one & other) >= _ALIKE * max(1, len(one | other))


def _good(half: Judged | None) -> bool:
    return half is not None and half.level in GOOD_LEVELS and bool(half.quotes)


def _both(halves: Sequence[Judged | None]) -> tuple[Judged, Judged] | None:
    first, second = halves
    return (first, second) if first is not None and second is not None else None


__all__ = ["Comparing"]
