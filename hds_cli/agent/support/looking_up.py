"""The values of pages from which a result may follow that does not name them: `376 euros left`, `87 years`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from hds_cli.agent.support.arithmetic import derived
from hds_cli.agent.support.binding import entries
from hds_cli.agent.support.claims import Claim, is_short, of_unit
from hds_cli.agent.support.ground import has_word
from hds_cli.agent.support.inputs import Input, usable
from hds_cli.agent.support.message import Unit
from hds_cli.agent.support.placing import Placing
from hds_cli.agent.support.values import Value, same
from hds_cli.agent.support.words import content_stems, stem

_FEW = 4  # values of a unit that are combined


class Lookup:
    """Looks for the inputs of a result in what was read."""

    def __init__(self, placing: Placing, *, german: bool) -> None:
        self._placing, self.ground, self._german = placing, placing.ground, german

    def inputs(self, unit: Unit, result: Value) -> list[Input]:
        """The inputs of a result that does not name them: what was read for each query, or for each of its names."""
        ground = self.ground
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
        for read in (by_query, by_name, self._by_words(whole, result)):
            given = [value for value in read if value is not None]
            if used := derived(result, [one.value for one in given], unit.text):
                return [next(one for one in given if one.value is value) for value in used]
        return []

    def _by_words(self, whole: Claim, result: Value) -> list[Input]:
        """The values of a result's unit in the sentences that share most with a claim that has a unit."""
        if not (result.dimension or result.currency) or not (whole.names or whole.rest):
            return []
        about = {*whole.rest, *(stem(word) for name in whole.names for word in name)}
        found: list[tuple[int, int, Input]] = []
        for sentence in self.ground.candidates(replace(whole, values=()), {}):
            shared = len(about & (sentence.stems | sentence.head.stems))
            alike = [v for v in usable(sentence.text, True) if v.kind == "number" and _of_a_kind(v, result)]
            found += [(-shared, sentence.place, Input(v, sentence.text, (-1, 0))) for v in alike[:2] if shared]
        found.sort(key=lambda one: one[:2])
        return [one for _, _, one in found[:_FEW]]

    def _best_value(self, asked: set[str], name: frozenset[str], places: Iterable[int], result: Value) -> Input | None:
        """The value of a result's kind in the sentence that has most of what is asked."""
        best: tuple[int, Input] | None = None
        measured = bool(result.dimension or result.currency)
        for read in (self.ground.read[place] for place in places):
            if not all(has_word(w, read.all) for w in name):
                continue
            for sentence in (self.ground.sentences[place] for place in read.sentences):
                shared = len(asked & (sentence.stems | sentence.head.stems))
                fit = shared + len(asked & sentence.stems)
                if 2 * shared <= len(asked) or (best and fit <= best[0]):
                    continue
                if not all(has_word(w, sentence.words) or has_word(w, sentence.head.words) for w in name):
                    continue
                alike = _of_name(name, sentence.text, usable(sentence.text, measured))
                alike = [v for v in alike if v.kind == "number" and _of_a_kind(v, result)]
                if value := next((v for v in alike if not v.is_year), None):
                    best = fit, Input(value, " ".join(name) or sentence.text, (-1, 0))
        return best[1] if best else None

    def may_follow(self, unit: Unit, result: Value, own: Sequence[Value]) -> bool:
        """True for a result alone that may follow from what was read; whether it does, nobody can tell."""
        if not is_short(unit) or result.kind != "number":
            return False
        if result.worded and result.readings[0] <= 20 and not result.dimension:
            return True  # a count of something
        for read in self.ground.read:
            inside = [v for place in read.sentences for v in self.ground.sentences[place].values]
            if derived(result, [*own, *inside[:24]], unit.text):
                return True
        every = [v for read in self.ground.read for v in read.head.values]
        every += [v for sentence in self.ground.sentences for v in sentence.values]
        return derived(result, every[:48], unit.text) is not None


def _of_name(name: frozenset[str], text: str, stated: Sequence[Value]) -> Sequence[Value]:
    """The values that a list gives to a name; all of them where it is none."""
    rows = [row for row in entries(text) if name and row.words >= name]
    return [value for value in stated if any(same(value, other) for row in rows for other in row.values)] or stated


def _stems(query: str) -> set[str]:
    return set(content_stems(query))


def _of_a_kind(value: Value, result: Value) -> bool:
    """True for a value that a result may be made of; a result without a unit may be of any."""
    bare = not (result.dimension or result.currency)
    return bare or (value.dimension, value.currency) == (result.dimension, result.currency)
