"""Questions for the highest or the least: the values of what is compared, and whether an answer is the first of them.

Only pages that a query or the question names are compared, by one value each, in the sentence that has most words of
what is compared. Where fewer than two have one, nothing is said.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from hds_cli.agent.support.claims import Claim
from hds_cli.agent.support.ground import Ground, Sentence
from hds_cli.agent.support.message import Unit
from hds_cli.agent.support.placing import Judged, clip
from hds_cli.agent.support.values import Value, same, values
from hds_cli.agent.support.words import is_content, stem, words
from hds_cli.types import Quote

_LONGEST = 600  # characters of a question, or of a claim
_PASSAGES = 500  # that are looked at
_ALIKE = 0.03  # share by which two values differ that are told apart: those of two years often do
_NEAR = 8  # words on each side of `most` that may say of what
_RANK = re.compile(
    r"\b(?:(?P<most>most|largest|biggest|highest|greatest|longest|tallest|widest|deepest|heaviest)"
    r"|least|fewest|smallest|lowest|shortest|lightest|narrowest)\b(?!\s(?:recent|common|popular|important|famous|of)\b)",
    re.IGNORECASE,
)
_OF = {"longest": "length", "shortest": "length", "tallest": "height", "widest": "width", "deepest": "depth"}
_OTHER = re.compile(r"\b(?:second|third|fourth|fifth|2nd|3rd|not|one of|among the|than)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Placed:
    """What is compared: the words of its name, its value, and the sentence that gives it."""

    name: frozenset[str]
    value: Value
    sentence: Sentence


class Ranking:
    """What was read for a question, by the value that the question orders.

    Args:
        queries: query -> numbers of the passages that were read for it.
    """

    def __init__(self, ground: Ground, queries: Mapping[str, Sequence[int]], question: str) -> None:
        self._ground = ground
        match = _RANK.search(question[:_LONGEST])
        self._placed: list[Placed] = []
        self._sought: frozenset[str] = frozenset()
        self._most, self._listed = bool(match and match["most"]), False
        ways = {found["most"] is None for found in _RANK.finditer(question[:_LONGEST])}
        if match is None or len(ways) > 1 or _OTHER.search(question[:_LONGEST]):
            return
        self._sought = self._ordered(question, match, queries)
        if self._sought:
            self._placed = self._values(question, queries)

    def beaten(self, unit: Unit, claim: Claim, *, lone: bool) -> Judged | None:
        """The grade of an answer before which another one comes; None: none does, or it says nothing of an order.

        Args:
            lone: it is a short answer to the question.
        """
        if len(self._placed) < 2 or not (lone or self._ranks(unit.text)):
            return None
        near = claim.text if lone else self._subject(unit.text)
        present = set(words(near))
        said = [one for one in self._placed if one.name <= present]
        if lone and not said:
            said = [one for one in self._placed if any(same(value, one.value) for value in claim.values)]
        best = (max if self._most else min)(self._placed, key=lambda one: one.value.number)
        if len(said) != 1 or not self._comes_before(best.value.number, said[0].value.number):
            return None
        quotes = tuple(self._quote(one) for one in (best, *said))
        return Judged("contradicted" if self._listed else "apart", quotes)

    def _quote(self, one: Placed) -> Quote:
        passage = self._ground.read[one.sentence.passage].passage
        return Quote(passage.n, clip(one.sentence.written, one.value.start))

    def _comes_before(self, one: float, other: float) -> bool:
        return abs(one - other) > _ALIKE * max(abs(one), abs(other)) and (one > other) == self._most

    def _ranks(self, text: str) -> bool:
        """True for a text that says the same of something: `Ann has the most`, for a question for the most."""
        match = _RANK.search(text[:_LONGEST])
        if match is None or (match["most"] is not None) != self._most or _OTHER.search(text[: match.start()]):
            return False
        return bool(self._sought & {stem(word) for word in words(text[:_LONGEST])})

    def _subject(self, text: str) -> str:
        """The part of a sentence before `the most` that says what has it, else the part behind."""
        match = _RANK.search(text[:_LONGEST])
        if match is None:
            return ""
        before = re.split(r"[,;:]", text[: match.start()])[-1]
        named = set(words(before))
        return before if any(one.name <= named for one in self._placed) else re.split(r"[,;:]", text[match.end() :])[0]

    def _ordered(self, question: str, match: re.Match[str], queries: Iterable[str]) -> frozenset[str]:
        """The stems of what is compared: those near `most` that some query has too."""
        after = [word for word in words(question[match.end() :].split("?")[0])[:_NEAR] if is_content(word)]
        near = {stem(word) for word in after}
        near |= {stem(_OF[word]) for word in words(match[0]) if word in _OF}
        asked = [{stem(word) for word in words(query)} for query in queries]
        return frozenset(key for key in near if sum(key in one for one in asked) > 1)

    def _values(self, question: str, queries: Iterable[str]) -> list[Placed]:
        """The values of the pages whose titles are named, in sentences that say it with the same words."""
        in_question = set(words(question[:_LONGEST]))
        asking = [own for own in (set(words(query)) for query in queries) if self._sought & set(map(stem, own))]
        rows: dict[frozenset[str], dict[frozenset[str], Placed]] = defaultdict(dict)
        years = {year for value in values(question[:_LONGEST]) for year in value.years}
        for read in self._ground.read[:_PASSAGES]:
            title = frozenset(word for word in words(read.passage.title.split("(")[0]) if is_content(word))
            if not title or not (title <= in_question or any(title <= own for own in asking)):
                continue
            for sentence in (self._ground.sentences[place] for place in read.sentences):
                if not self._sought <= sentence.stems | (sentence.head.stems - set(map(stem, title))):
                    continue
                given = {year for value in sentence.values for year in value.years}
                if (value := _value(sentence)) and not (years and given and not years & given):
                    key = frozenset(map(stem, words(sentence.text[: value.start]))) - set(map(stem, title))
                    rows[key].setdefault(title, Placed(title, value, sentence))
        return self._compared(rows, in_question)

    def _compared(
        self, rows: Mapping[frozenset[str], Mapping[frozenset[str], Placed]], in_question: set[str]
    ) -> list[Placed]:
        """The row of most names; one that the question names stands in it only where it names several."""
        key = max(
            rows, key=lambda one: (len(rows[one]) > 1, -len(one - self._sought), len(rows[one])), default=frozenset()
        )
        placed = list(rows.get(key, {}).values())
        named = [one for one in placed if one.name <= in_question]
        self._listed = len(named) > 1
        placed = named if self._listed else [one for one in placed if one not in named]
        kinds = [(one.value.dimension, one.value.currency) for one in placed]
        return [one for one, kind in zip(placed, kinds, strict=True) if kind == max(kinds, key=kinds.count)]


def _value(sentence: Sentence) -> Value | None:
    """The first number of a sentence that is no year and no ordinal."""
    numbers = (v for v in sentence.values if v.kind == "number" and not v.is_year and v.dimension != "ordinal")
    return next(numbers, None)
