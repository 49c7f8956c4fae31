"""Units that follow from others: the arithmetic is done again from values that stand in what was read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from hds_cli.agent.support.arithmetic import derived, equation
from hds_cli.agent.support.claims import Claim, is_short, listed, of_unit
from hds_cli.agent.support.ground import has_word
from hds_cli.agent.support.message import Unit
from hds_cli.agent.support.placing import Judged, Placing
from hds_cli.agent.support.values import Value, values
from hds_cli.agent.support.words import is_content, stem, words
from hds_cli.types import Quote

_COUNTABLE = 50  # more than this nobody counts in a message


class Results:
    """Works out again what the units of a message say beside what they quote."""

    def __init__(self, placing: Placing, question: str, units: Sequence[Unit], *, german: bool) -> None:
        self._placing, self._ground = placing, placing.ground
        self._units, self._german = units, german
        known = self._ground.names
        counts = {sum(u.item for u in units), sum(u.row for u in units)} | listed(question, known)
        for unit in units:
            counts |= listed(unit.marked or unit.text, known) | {len(unit.marks)}
        self._counts = counts

    def uncounted(self, claim: Claim) -> Claim:
        """A claim without the small numbers in words that only count what the message or the question lists."""
        kept = tuple(v for v in claim.values if not (v.worded and v.readings[0] <= 20 and self._is_count(v)))
        return claim if len(kept) == len(claim.values) or not (kept or claim.names) else replace(claim, values=kept)

    def of_equation(self, unit: Unit, judged: Judged) -> Judged | None:
        """A unit with an equation: computed where it is right and its inputs have grounds, contradicted where wrong."""
        computed = equation(unit.text)
        if computed is None:
            return None
        right, inputs, result = computed
        if not right:
            return Judged("contradicted", (), (result.text,))
        return Judged("computed", judged.quotes or self._quotes(inputs)) if all(map(self._stands, inputs)) else None

    def of_values(self, unit: Unit, judged: Judged) -> Judged | None:
        """A unit with a value that follows from values of the message, or of what was read; None: none does."""
        in_unit = values(unit.text)
        stated = [v for v in in_unit if v.kind == "number"]
        absent = [v for v in stated if not self._stands(v)] or [v for v in judged.unplaced if v.kind == "number"][-1:]
        if len(absent) != 1:
            return None
        result = absent[0]
        own = [
            v
            for v in in_unit
            if (v.start, v.text) != (result.start, result.text) and (self._stands(v) or self._dated(v))
        ]
        others = [v for u in self._units if u is not unit for v in values(u.text) if self._stands(v)]
        for inputs in (own, own + others):
            if used := derived(result, inputs, unit.text):
                return self._if_rest_holds(unit, result, used)
        if self._is_count(result):
            return self._if_rest_holds(unit, result, ())
        if looked_up := self._looked_up(unit, result):
            return self._if_rest_holds(unit, result, looked_up)
        return self._alone(unit, result, own) if not others and is_short(unit) else None

    def _stands(self, value: Value) -> bool:
        return self._ground.has_value(value)

    def _dated(self, value: Value) -> bool:
        """True for a date whose year stands somewhere."""
        years = (Value("number", "", 0, 0, (float(year),)) for year in value.years)
        return value.kind == "date" and any(map(self._stands, years))

    def _is_count(self, value: Value) -> bool:
        """True for a small number that is how many things the message or the question lists."""
        number = value.readings[0]
        if value.dimension or value.currency or not number.is_integer() or not 2 <= number <= _COUNTABLE:
            return False
        if 0 < value.step < 1:  # `2.0` is no count
            return False
        return int(number) in self._counts

    def _quotes(self, inputs: Sequence[Value]) -> tuple[Quote, ...]:
        places = [places[0] for value in inputs if (places := self._ground.with_value(value))]
        sentences = [self._ground.sentences[place] for place in dict.fromkeys(places)]
        return tuple(self._placing.quote(sentence, Claim("", tuple(inputs))) for sentence in sentences[:8])

    def _if_rest_holds(self, unit: Unit, result: Value, used: Sequence[Value]) -> Judged | None:
        """`computed`, if what a unit says beside its result has a ground too."""
        whole = of_unit(unit, self._ground.names, german=self._german)
        others = [v for v in whole.values if v.readings != result.readings]
        named = all(any(all(has_word(w, r.all) for w in name) for r in self._ground.read) for name in whole.names)
        return Judged("computed", self._quotes(used)) if named and all(map(self._stands, others)) else None

    # --- a result without its inputs -----------------------------------------------------------------------------

    def _looked_up(self, unit: Unit, result: Value) -> list[Value]:
        """The inputs of a result that does not name them: what was read for each query, or for each of its names."""
        ground = self._ground
        by_query = [
            self._best_value(_stems(query), frozenset(), [ground.numbers[n] for n in numbers], result)
            for query, numbers in self._placing.queries.items()
        ]
        whole = of_unit(unit, ground.names, german=self._german)
        about = {*whole.rest} or set(self._placing.asked)
        by_name = [
            self._best_value(about | set(map(stem, name)), frozenset(name), range(len(ground.read)), result)
            for name in whole.names[:12]
        ]
        for read in (by_query, by_name):
            inputs = [value for value in read if value is not None]
            if derived(result, inputs, unit.text):
                return inputs
        return []

    def _best_value(self, asked: set[str], name: frozenset[str], places: Iterable[int], result: Value) -> Value | None:
        """The value of a result's kind in the sentence that has most of what is asked."""
        best: tuple[int, Value] | None = None
        for read in (self._ground.read[place] for place in places):
            if not all(has_word(w, read.all) for w in name):
                continue
            for sentence in (self._ground.sentences[place] for place in read.sentences):
                shared = len(asked & (sentence.stems | sentence.head.stems))
                fit = shared + len(asked & sentence.stems)
                if 2 * shared <= len(asked) or (best and fit <= best[0]):
                    continue
                if not all(has_word(w, sentence.words) or has_word(w, sentence.head.words) for w in name):
                    continue
                alike = (v for v in sentence.values if v.kind == "number" and _of_a_kind(v, result))
                if value := next((v for v in alike if not v.is_year), None):
                    best = fit, value
        return best[1] if best else None

    def _alone(self, unit: Unit, result: Value, own: Sequence[Value]) -> Judged | None:
        """A result alone, without its inputs: where it may follow from what was read, nobody can tell."""
        if result.worded and result.readings[0] <= 20 and not result.dimension:
            return Judged("unsourced")  # a count of something
        for read in self._ground.read:
            inside = [v for place in read.sentences for v in self._ground.sentences[place].values]
            if derived(result, [*own, *inside[:24]], unit.text):
                return Judged("unsourced")
        every = [v for read in self._ground.read for v in read.head.values]
        every += [v for sentence in self._ground.sentences for v in sentence.values]
        return Judged("unsourced") if derived(result, every[:48], unit.text) else None


def _of_a_kind(value: Value, result: Value) -> bool:
    """True for a value that a result may be made of; a result without a unit may be of any."""
    bare = not (result.dimension or result.currency)
    return bare or (value.dimension, value.currency) == (result.dimension, result.currency)


def _stems(text: str) -> set[str]:
    return {stem(word) for word in words(text) if is_content(word)}
