"""What can be worked out about a claim and a passage without a model: whether values deny it, and what they order.

The work is bounded: the first `LONGEST` characters, `_SENTENCES` sentences and
`_VALUES` values of a passage are looked at, and a quarter of the characters of a claim.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple

from hds_cli.agent.support.fitting import rivals
from hds_cli.agent.support.values import Value, same, values
from hds_cli.agent.support.words import is_content, negated, stem, words
from hds_cli.agent.verifying import Odds, Text
from hds_cli.text import sentences

LONGEST = 4000  # characters
_SENTENCES = 60
_WORDS = 80  # of a claim
_VALUES = 60  # of a passage whose sums are formed
_PART = 40  # characters that a comma counts between a word and a value
_PLACES = 8  # of a word in a sentence
_NEAR = 0.6  # share of a claim's words that a sentence has which may deny it
_BOUND = re.compile(
    r"\b(?:over|under|than|least|most|exceed\w*|up to|before|after|by|since|until|magnitude|within|between|nearly"
    r"|almost|about|around|roughly|beyond|above|below)\W+(?:\w+\W+){0,3}$",
    re.IGNORECASE,
)
_BESIDES = re.compile(r"\b(?:other|others|another|further|besides|additional|remaining|rest)\b", re.IGNORECASE)
_ORDER = re.compile(
    r"\b(?:before|after|earlier than|later than|older than|younger than|prior to|(?:followed|preceded)(?: by)?)\b",
    re.IGNORECASE,
)
_LATER = ("after", "later than", "younger than", "followed", "preceded by")
_MORE = re.compile(
    r"\b(?:(more|larger|bigger|higher|longer|taller|greater|heavier|wider|richer|warmer|further|farther)"
    r"|fewer|less|smaller|lower|shorter|lighter|narrower|poorer|cooler|colder|nearer)\b[^.]{0,60}?\bthan\b",
    re.IGNORECASE,
)


class Facts(NamedTuple):
    """The counts, each of them 0 where there is nothing to count.

    Attributes:
        wrong: 1 where the sentence that is nearest to the claim gives another value in the place of one of its own,
            which stands nowhere and is no sum or difference.
        derived: 1 where a value stands nowhere, but is the sum or the difference of two that do.
        ordered: 1 where dates or numbers of the passage say what the claim compares, -1 where they say the contrary.
    """

    wrong: float
    derived: float
    ordered: float


@dataclass(frozen=True)
class _Sentence:
    text: str
    stems: frozenset[str]
    values: tuple[Value, ...]


class Read:
    """A passage, looked through once for all claims about it."""

    def __init__(self, passage: Text) -> None:
        title, text = passage.title[:200], passage.text[:LONGEST]
        self._sentences = [_sentence(one) for one in sentences(text)[:_SENTENCES]] or [_sentence(text)]
        self._values = values(f"{title} . {text}")[:_VALUES]
        self._title = frozenset(map(stem, words(title)))
        years = {float(year) for one in self._values for year in one.years[:1]}
        self._given = years.union(one.readings[0] for one in self._values if one.readings)

    def facts(self, claim: str) -> Facts:
        """What is counted about a claim."""
        claim = claim[: LONGEST // 4]
        own = words(claim)[:_WORDS]
        stems = {stem(word) for word in own if is_content(word)}
        near = max(self._sentences, key=lambda one: len(stems & one.stems))
        share = len(stems & (near.stems | self._title)) / len(stems) if stems else 0.0
        stated = [value for value in values(claim) if not (value.worded and value.readings[0] < 2)]
        absent = [value for value in stated if not _has(self._values, value)]
        derived = [value for value in absent if value.kind == "number" and self._is_derived(value)]
        wrong = [
            value for value in absent if value not in derived and not _BOUND.search(claim[: value.start][-60:])
            and any(rivals(value, other) for other in near.values)
        ]  # fmt: skip
        return Facts(
            wrong=float(bool(wrong) and share >= _NEAR and not negated(claim) and not _BESIDES.search(claim)),
            derived=float(bool(derived)),
            ordered=self._ordered(claim),
        )

    def _is_derived(self, value: Value) -> bool:
        wanted, given = value.readings[0], self._given
        return any(one - wanted in given or wanted - one in given for one in given)

    def _ordered(self, claim: str) -> float:
        """What dates or numbers say of `A before B` and `A more than B`."""
        if found := _ORDER.search(claim):
            more, years = found[0].lower() in _LATER, True
        elif found := _MORE.search(claim):
            more, years = found[1] is not None, False
        else:
            return 0.0
        sides = claim[: found.start()], claim[found.end() :]
        one = self._value_of(sides[0], sides[1], years=years)
        other = self._value_of(sides[1], sides[0], years=years)
        if one is None or other is None or one == other:
            return 0.0
        return 1.0 if (one > other) == (more != negated(claim)) else -1.0

    def _value_of(self, side: str, other: str, *, years: bool) -> float | None:
        """The value of the passage that stands nearest to the words that one side of a comparison has alone."""
        if years and (stated := [value for value in values(side) if value.years]):
            return float(stated[0].years[0])
        mine = {stem(word) for word in words(side) if is_content(word)} - {stem(word) for word in words(other)}
        best: tuple[int, float] | None = None
        for one in self._sentences:
            given = [v for v in one.values if (v.years if years else v.kind == "number" and not v.is_year)]
            shared = mine & one.stems
            if not given or len(shared) <= (best[0] if best else 0):
                continue
            places = _places(one.text, shared)
            parts = list(accumulate((_PART * (letter in ",;(") for letter in one.text), initial=0))

            def away(value: Value, at: int, parts: list[int] = parts) -> int:
                return abs(value.start - at) + abs(parts[value.start] - parts[at])

            value = min(given, key=lambda v: sum(min(away(v, at) for at in of) for of in places))
            best = len(shared), float(value.years[0]) if years else value.number
        return best[1] if best else None


# The weights of the facts were fitted on the training claims without a model, for each label. `_TRUST` in the model's
# log probabilities, the constants and the share of those weights (.69) are of the 560 held-out claims and the adapter.
_TRUST = 0.409
_CONSTANTS = (0.058, -0.014, 0.09)
_WEIGHTS = {"wrong": (-0.61, 0.45, 0.16), "derived": (0.6, -0.35, -0.25), "ordered": (0.38, -0.39, 0.01)}


def weighed(logits: Sequence[float], facts: Facts) -> Odds:
    """The probabilities of the labels, from the logits of a model and what was counted."""
    top = max(logits)
    total = math.log(sum(math.exp(value - top) for value in logits)) + top
    added = [sum(weights[n] * getattr(facts, name) for name, weights in _WEIGHTS.items()) for n in range(len(logits))]
    scores = [_TRUST * (value - total) + _CONSTANTS[n] + added[n] for n, value in enumerate(logits)]
    parts = [math.exp(score - max(scores)) for score in scores]
    return Odds(*(part / sum(parts) for part in parts))


def _sentence(text: str) -> _Sentence:
    found = words(text)
    return _Sentence(text, frozenset(map(stem, found)), values(text)[:_VALUES])


def _places(text: str, stems: Iterable[str]) -> list[list[int]]:
    """Where the words with some stems stand in a text, the first few of each."""
    found: dict[str, list[int]] = {key: [] for key in stems}
    for match in re.finditer(r"[^\W_]+", text):
        for key in map(stem, words(match[0])):
            if key in found and len(found[key]) < _PLACES:
                found[key].append(match.start())
    return [places for places in found.values() if places]


def _has(given: Sequence[Value], value: Value) -> bool:
    return any(same(value, other) or same(other, value) for other in given)
