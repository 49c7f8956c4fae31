"""Results of one sentence of a page: `28 euros a month` of 84 euros for 3 months, 15 hours of `from 7 to 22 o'clock`.

The sentence has the names of the claim and half of its other words; what it is said of each of has to fit.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from hds_cli.agent.support.arithmetic import between, derived, says
from hds_cli.agent.support.claims import Claim
from hds_cli.agent.support.denying import stand
from hds_cli.agent.support.fitting import Fitting
from hds_cli.agent.support.ground import Sentence, has_word
from hds_cli.agent.support.inputs import Input, asks_result, counts, fits_direction, inputs, names_in
from hds_cli.agent.support.placing import Judged, Placing
from hds_cli.agent.support.rates import counts_of, period_of, rate_of
from hds_cli.agent.support.values import Value, alike, same

_SENTENCES = 12  # that are looked at
_MOST = 12  # values of a sentence
_PAIRS = 5  # values of a sentence that are compared
_SHARE = 0.5  # of a claim's other words (see fitting.QUOTED)
_BESIDE = 0.2  # the same of two sentences that give a value each, and of one with two others of the claim; not tuned
_ANCHORED = 2
_IN = {("month", "year"): 12, ("day", "week"): 7, ("hour", "day"): 24, ("week", "year"): 52, ("minute", "hour"): 60}


class Working:
    """Works out what a claim states and a sentence of a page has the inputs of."""

    def __init__(self, placing: Placing, fitting: Fitting) -> None:
        self._placing, self._ground, self._fitting = placing, placing.ground, fitting

    def of(self, claim: Claim) -> Judged | None:
        """The support of a claim with one value that no page gives; None: it has none, or nothing is known."""
        absent = [v for v in claim.values if v.kind == "number" and not self._ground.has_value(v)]
        if len(absent) != 1 or claim.negated:
            return None
        rest = [value for value in claim.values if value is not absent[0]]
        likely = self._ground.candidates(claim, {})[:_SENTENCES]
        least = _SHARE if len(rest) < _ANCHORED else _BESIDE
        for sentence in likely:
            if not self._is_about(claim, sentence, rest, least):
                continue
            differs = self._differs(absent[0], claim, inputs(sentence.text, 0, measured=False))
            if (differs or _follows(absent[0], claim, sentence)) and not stand(claim.text, sentence.text).denies:
                return Judged("computed", (self._placing.quote(sentence, claim),))
        return self._between_years(absent[0], claim, rest, likely)

    def _between_years(
        self, value: Value, claim: Claim, rest: Sequence[Value], likely: Sequence[Sentence]
    ) -> Judged | None:
        """The support of what changed between two years of a claim, each with a sentence of its own."""
        if len(rest) != 2 or not all(one.is_year or one.kind == "date" for one in rest) or not asks_result(claim.text):
            return None
        found: list[tuple[Sentence, Input]] = []
        for year in rest:
            for sentence in likely:
                given = [v for v in sentence.values[:_MOST] if v.kind == "number" and v.readings and not v.is_year]
                if len(given) == 1 and self._is_about(claim, sentence, [year], 0.0 if claim.names else _BESIDE):
                    found.append((sentence, Input(given[0], f"{sentence.text} {year.text}", (len(found), 0))))
                    break
        denied = any(stand(claim.text, sentence.text).denies for sentence, _ in found)
        if len(found) == 2 and not denied and self._differs(value, claim, [one for _, one in found]):
            return Judged("computed", tuple(self._placing.quote(sentence, claim) for sentence, _ in found))
        return None

    def _differs(self, value: Value, claim: Claim, given: Sequence[Input]) -> bool:
        """True for what lies between two of some values, in the direction that a claim tells."""
        if not asks_result(claim.text):
            return False
        names = names_in(claim.text, self._ground.names)
        names = names if len(names) > 1 else []  # of one name both values are
        numbers = [one for one in given if one.value.kind == "number" and one.value.readings and not one.value.is_year]
        return any(
            derived(value, [a.value, b.value], claim.text) is not None
            and not says(value, a.value.readings[0] + b.value.readings[0])
            and fits_direction(claim.text, value, (a, b), names)
            for a, b in itertools.combinations(numbers[:_PAIRS], 2)
        )

    def _is_about(self, claim: Claim, sentence: Sentence, rest: Sequence[Value], least: float = _SHARE) -> bool:
        has = sentence.words | sentence.head.words
        given = (*sentence.values, *sentence.head.values)
        share = self._fitting.share(claim, sentence)
        return (
            all(has_word(word, has) for name in claim.names for word in name)
            and all(any(same(value, other) for other in given) for value in rest)
            and (share.own > 0 or least < _SHARE)
            and share.titled >= least
        )


def _follows(value: Value, claim: Claim, sentence: Sentence) -> bool:
    """True where two values of a sentence make the one of a claim."""
    return any(says(value, number) for number in _results(value, claim, sentence))


def _results(value: Value, claim: Claim, sentence: Sentence) -> Iterator[float]:
    text, given = sentence.text, sentence.values[:_MOST]
    own = rate_of(claim.text, value)
    parts = [one for one in given if one.kind == "number" and one.readings]
    numbers = [one for one in parts if alike(one, value)]
    for one in numbers:
        rate, size = rate_of(text, one), one.number / value.factor
        if own and not rate:
            yield from (size / count.readings[0] for count in parts if counts_of(count, own, text))
        if times := _IN.get((period_of(claim.text, value), period_of(text, one))):
            yield size / times
        if rate and own != rate:
            counted = [v for v in parts if v is not one and counts(v, text) and counts_of(v, rate, text)]
            counted += [v for v in claim.values if v is not value and counts_of(v, rate, claim.text)]
            yield from (size * v.readings[0] for v in counted)
        shares = [v for v in parts if v.dimension == "%"]
        if value.dimension != "%" and len(shares) == 1:
            yield size * shares[0].readings[0] / 100
    times_of_day = [one for one in given if one.kind == "time"]
    if len(times_of_day) == 2 and between(value, times_of_day):
        yield value.readings[0]


__all__ = ["Working"]
