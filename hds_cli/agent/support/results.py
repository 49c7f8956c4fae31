"""Units that follow from others: the arithmetic is done again from values that stand in what was read.

A value follows from those that its own sentence or others of the message name; a short answer, and a sentence that
speaks of a result (`376 euros left`), also from those that were read for it. What it says beside the value has to be
said by what the value follows from.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import replace

from hds_cli.agent.support.arithmetic import derived, product, restates, total
from hds_cli.agent.support.claims import Claim, is_short, listed, of_unit
from hds_cli.agent.support.equations import Equation, equations
from hds_cli.agent.support.ground import Ground, has_word
from hds_cli.agent.support.inputs import (
    Input,
    asks_result,
    counts,
    fits_direction,
    inputs,
    is_compared,
    is_operation,
    miscompared,
    names_in,
    usable,
)
from hds_cli.agent.support.looking_up import Lookup
from hds_cli.agent.support.message import Unit
from hds_cli.agent.support.placing import Judged, Placing
from hds_cli.agent.support.rates import of_another
from hds_cli.agent.support.values import Value, same, values
from hds_cli.agent.support.words import negated, stem, words
from hds_cli.types import GOOD_LEVELS, Quote

_COUNTABLE = 50  # more than this nobody counts in a message
_NEAR = 3  # units between which values are combined
_FAR = 40  # the same of units that have a name in common
_MOST_KNOWN = 64  # results of a message
_MOST_RESULTS = 4  # of a unit
_BEHIND = 40  # characters behind an equation in which a name may stand
_PLACES = 64  # sentences with a value that are looked at
_SHARE = 0.5  # of the words of a unit that have to stand beside what its result follows from (see fitting.QUOTED)
_CONSTANTS = frozenset({2.0, 7.0, 10.0, 12.0, 24.0, 52.0, 60.0, 100.0, 365.0, 1000.0, 3600.0})


class Results:
    """Works out again what the units of a message say beside what they quote."""

    def __init__(self, placing: Placing, question: str, units: Sequence[Unit], *, german: bool) -> None:
        self._placing, self._ground = placing, placing.ground
        self._units, self._german, self._question = units, german, question
        self._lookup = Lookup(placing, german=german)
        known = self._ground.names
        lists = {sum(u.item for u in units), sum(u.row for u in units)} | listed(question, known)
        for unit in units:
            lists |= listed(unit.marked or unit.text, known) | {len(unit.marks)}
        self._counts = lists
        self._inputs_of: dict[tuple[int, bool], list[Input]] = {}
        self._given: dict[tuple[object, ...], bool] = {}  # value -> whether it is an input
        self._results: list[Input] = []  # of equations and of units that were worked out
        for number, unit in enumerate(units):
            reach = 0
            for one in equations(unit.text):
                before, behind = unit.text[reach : one.start], unit.text[one.end : one.end + _BEHIND]
                reach = one.end
                if one.right and len(self._results) < _MOST_KNOWN and self._has_inputs(one):
                    beside = before if names_in(before, known) else behind
                    self._results.append(Input(one.result, beside, (number, one.result.start)))

    def uncounted(self, claim: Claim) -> Claim:
        """A claim without the small numbers in words that only count what the message or the question lists."""
        kept = tuple(v for v in claim.values if not (v.worded and v.readings[0] <= 20 and self._is_count(v)))
        return claim if len(kept) == len(claim.values) or not (kept or claim.names) else replace(claim, values=kept)

    def of(self, number: int, judged: Judged, graded: Sequence[Judged]) -> Judged | None:
        """The support of a unit whose values follow from others; None: they do not.

        Args:
            number: the place of the unit in the message.
            graded: the support of all units, as far as it is known.
        """
        unit = self._units[number]
        found = tuple(equations(unit.text))
        if wrong := [one for one in found if not one.right]:
            return Judged("contradicted", (), (wrong[0].result.text,))
        if judged.level in GOOD_LEVELS and not found:
            wrong_one = judged.level == "together" and miscompared(unit.text, self._inputs(number, measured=True))
            return Judged("apart", judged.quotes) if wrong_one else None
        if not all(map(self._has_inputs, found)):
            return None
        own, sought = self._own(number, judged, found)
        used: list[Input] = [i for one in found for i in _as_inputs(one.inputs)]
        used += [result for one in own if not self._stands(one.value) and (result := self._known_result(one))]
        worked = list[Value]()
        for value in sought[:_MOST_RESULTS]:
            parts = self._follows(number, value, own)
            if parts is None or len(sought) > _MOST_RESULTS:
                return self._alone(number, sought[0], own) if len(sought) == 1 else None
            used += parts
            worked.append(value)
            own.append(Input(value, unit.text, (number, value.start)))
        if not (found or worked or used):
            return None
        if not (judged.level in GOOD_LEVELS or self._rest_holds(number, used, graded)):
            return Judged("unsourced") if judged.level == "missing" else None
        known = [Input(value, unit.text, (number, value.start)) for value in worked]
        self._results += known if len(self._results) < _MOST_KNOWN else []
        return Judged("computed", judged.quotes if judged.level in GOOD_LEVELS else self._quotes(used))

    def _alone(self, number: int, result: Value, own: Sequence[Input]) -> Judged | None:
        """A result that a message has alone."""
        others = any(self._stands(v) for n, u in enumerate(self._units) if n != number for v in values(u.text))
        follows = not others and self._lookup.may_follow(self._units[number], result, [one.value for one in own])
        return Judged("unsourced") if follows else None

    # --- what a unit states --------------------------------------------------------------------------------------

    def _own(self, number: int, judged: Judged, found: Sequence[Equation]) -> tuple[list[Input], list[Value]]:
        """The values of a unit that stand somewhere or are known results, and those that have to follow from others."""
        unit, own, sought = self._units[number], list[Input](), list[Value]()
        last = [v for v in judged.unplaced if v.kind == "number" and not v.is_year][-1:]
        for one in self._inputs(number, measured=False):
            value = one.value
            inside = next((e for e in found if e.start <= value.start < e.end), None)
            if inside is not None:
                own += [one] if value.start == inside.result.start else []
            elif (
                self._is_known(value, found)
                or _counts_inputs(value, found)
                or (self._known_result(one) and _fits_unit(self._ground, value, found))
                or self._dated(value)
            ):
                own.append(one)
            elif value.kind in ("number", "date"):
                sought.append(value)
        if not sought and not found and last and all(self._stands(one.value) for one in own):
            compared = [one.value for one in own if is_compared(one.value, unit.text)]
            sought = compared[:1] or [one.value for one in own if same(one.value, last[0])][-1:] or last
            own = [one for one in own if one.value is not sought[0]]
        return own, [v for v in sought if not (v.worded and not counts(v, unit.text))]

    def _inputs(self, number: int, *, measured: bool) -> list[Input]:
        if (number, measured) not in self._inputs_of:
            unit = self._units[number]
            self._inputs_of[number, measured] = inputs(unit.text, number, measured=measured, row=unit.row)
        return self._inputs_of[number, measured]

    def _is_known(self, value: Value, found: Sequence[Equation]) -> bool:
        """True for a value that stands in a page, in the question, or in an equation of the unit."""
        given = (*usable(self._question, False), *(v for one in found for v in (*one.inputs, one.result)))
        if self._stands(value):
            return True
        return any(same(value, other) for other in given) and _fits_unit(self._ground, value, found)

    def _stands(self, value: Value) -> bool:
        return self._ground.has_value(value)

    def _is_input(self, value: Value) -> bool:
        """True for a value that a page or the question gives, and not as the number of a page or of a list."""
        if value.key not in self._given:
            self._given[value.key] = self._gives(value)
        return self._given[value.key]

    def _gives(self, value: Value) -> bool:
        if any(same(value, other) for other in usable(self._question, False)):
            return True
        if not self._stands(value):
            return False
        places = self._ground.with_value(value)
        if not places or len(places) > _PLACES:
            return True
        sentences = (self._ground.sentences[place].text for place in places)
        return any(same(value, other) for text in sentences for other in usable(text, False))

    def _has_ground(self, one: Input) -> bool:
        """True for a value of the message that is an input, or a result."""
        known = any(result.place == one.place for result in self._results)
        return known or self._is_input(one.value) or self._known_result(one) is not None

    def _has_inputs(self, one: Equation) -> bool:
        """True for an equation whose inputs stand in a page or the question, or are results of the message."""
        return all(
            self._is_input(value)
            or any(same(value, result.value) for result in self._results)
            or (n in one.factors and (value.readings[0] in _CONSTANTS or self._is_count(value)))
            for n, value in enumerate(one.inputs)
        )

    def _known_result(self, one: Input) -> Input | None:
        """The result of the message that a value repeats, if it is not another name's."""
        for result in self._results:
            if result.place == one.place or not same(one.value, result.value):
                continue
            here, there = (set(names_in(i.beside, self._ground.names)) for i in (one, result))
            if not here or not there or here & there:
                return result
        return None

    def _dated(self, value: Value) -> bool:
        """True for a date without a day whose year stands somewhere."""
        years = (Value("number", "", 0, 0, (float(year),)) for year in value.years)
        partly = value.kind == "date" and any(day.day is None for day in value.days)
        return partly and any(map(self._stands, years))

    def _is_count(self, value: Value) -> bool:
        """True for a small number that is how many things the message or the question lists."""
        number = value.readings[0] if value.kind == "number" else 0.5
        if value.dimension or value.currency or not number.is_integer() or not 2 <= number <= _COUNTABLE:
            return False
        if 0 < value.step < 1:  # `2.0` is no count
            return False
        return int(number) in self._counts

    # --- what a result follows from ------------------------------------------------------------------------------

    def _follows(self, number: int, value: Value, own: Sequence[Input]) -> list[Input] | None:
        """What a value follows from: values of its unit, of those beside it, of a table, or of what was read for it."""
        unit, measured = self._units[number], bool(value.dimension or value.currency)
        if again := next((one for one in own if restates(value, one.value)), None):
            return [again]
        names = names_in(unit.text, self._ground.names)
        mine = [one for one in own if not (measured and one.value not in usable(unit.text, True))]
        near = [*mine, *self._beside(number, names, measured)]
        for given in (mine, near):
            used = derived(value, [one.value for one in given], unit.text)
            if used is None and given is mine:
                used = product(value, [one.value for one in given])
            if used:
                parts = [next(one for one in given if one.value is v) for v in used]
                return parts if fits_direction(unit.text, value, _named(self._ground, parts, names), names) else None
        for column in self._columns:
            others = [one for one in column if one.place[0] != number]
            if total(value, [one.value for one in others]):
                return others
        if self._is_count(value):
            return []
        if is_short(unit) or asks_result(unit.text):
            looked_up = self._lookup.inputs(unit, value)
            if looked_up and fits_direction(unit.text, value, looked_up, names):
                return looked_up
        return None

    def _beside(self, number: int, names: Sequence[tuple[str, ...]], measured: bool) -> list[Input]:
        """The values with a ground of units near one, and of those that name what it names."""
        out = list[Input]()
        for other in range(max(0, number - _FAR), min(len(self._units), number + _FAR + 1)):
            far = abs(other - number) > _NEAR
            said = set(words(self._units[other].text)) if far else set()
            if other == number or (far and not any(said.issuperset(name) for name in names)):
                continue
            out += [i for i in self._inputs(other, measured=measured) if self._has_ground(i)]
        return out

    @functools.cached_property
    def _columns(self) -> list[list[Input]]:
        """The values of the rows and items of a message, by the place that they have in them."""
        columns: dict[tuple[bool, int], list[Input]] = {}
        for number, unit in enumerate(self._units):
            if not (unit.row or unit.item):
                continue
            stated = [one for one in self._inputs(number, measured=False) if one.value.kind == "number"]
            for place, one in enumerate(filter(self._has_ground, stated)):
                columns.setdefault((unit.row, place), []).append(one)
        return list(columns.values())

    def _quotes(self, used: Sequence[Input]) -> tuple[Quote, ...]:
        given = [one.value for one in used]
        places = [places[0] for value in given if (places := self._ground.with_value(value))]
        sentences = [self._ground.sentences[place] for place in dict.fromkeys(places)]
        return tuple(self._placing.quote(sentence, Claim("", tuple(given))) for sentence in sentences[:8])

    def _rest_holds(self, number: int, used: Sequence[Input], graded: Sequence[Judged]) -> bool:
        """True where what a unit says beside its results stands beside what they follow from."""
        unit = self._units[number]
        whole = of_unit(unit, self._ground.names, german=self._german)
        if not all(any(all(has_word(w, r.all) for w in name) for r in self._ground.read) for name in whole.names):
            return False
        if any(_is_of_another(self._ground, unit, value) for value in whole.values):
            return False
        keys = [key for key in (*whole.rest, *whole.terms) if not is_operation(key)]
        places = dict.fromkeys(p for one in used for p in self._ground.with_value(one.value)[:_NEAR])
        sentences = [self._ground.sentences[place] for place in places]
        if negated(unit.text) and used and not any(sentence.negated for sentence in sentences):
            return False
        beside = set(self._placing.asked)
        for sentence in sentences:
            beside |= sentence.stems | sentence.head.stems | self._ground.stems_around(sentence)
        for other, judged in enumerate(graded):
            if other != number and judged.level in GOOD_LEVELS:
                beside |= set(map(stem, words(self._units[other].text)))
        return sum(key in beside for key in keys) >= min(_SHARE * len(keys), len(keys) - 1)


def _is_of_another(ground: Ground, unit: Unit, value: Value) -> bool:
    """True for a value that every sentence gives of another thing: `by 7,049` for `to 7,049`."""
    places = ground.with_value(value)[:_NEAR]
    return bool(places) and all(of_another(unit.text, ground.sentences[place].text) for place in places)


def _named(ground: Ground, parts: Sequence[Input], names: Sequence[tuple[str, ...]]) -> list[Input]:
    """Inputs with the sentence of a page beside them where their own piece has no name."""
    out = list[Input]()
    for one in parts:
        bare = not any(set(name) <= set(words(one.beside)) for name in names)
        places = ground.with_value(one.value) if bare else ()
        beside = ground.sentences[places[0]].text if len(places) == 1 else ""
        out.append(replace(one, beside=f"{one.beside} {beside}") if beside else one)
    return out


def _fits_unit(ground: Ground, value: Value, found: Sequence[Equation]) -> bool:
    """False for `350 minutes` beside `290 + 60 = 350`, where the pages give both numbers in euros alone."""
    unit = (value.dimension, value.currency)
    for one in found:
        if unit == ("", "") or one.factors or not same(value, one.result):
            continue
        places = [place for v in one.inputs for place in ground.with_value(v)[:_NEAR]]
        given = [v for place in places for v in ground.sentences[place].values if any(same(v, i) for i in one.inputs)]
        if given and all((v.dimension, v.currency) not in (unit, ("", "")) for v in given):
            return False
    return True


def _counts_inputs(value: Value, found: Sequence[Equation]) -> bool:
    """True for a number in words that is how many numbers an equation adds up: `two years: 240 + 290 = 530`."""
    return value.worded and any(value.readings == (float(len(one.inputs)),) for one in found)


def _as_inputs(given: Sequence[Value]) -> list[Input]:
    return [Input(value, "") for value in given]
