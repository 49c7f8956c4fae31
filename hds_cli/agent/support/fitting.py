"""The fit of a sentence to a claim: its values, its names, and how many of its other words it has."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hds_cli.agent.support.binding import is_keyed, misbound, of_another_part, other_value_of_key, without_key
from hds_cli.agent.support.claims import Claim
from hds_cli.agent.support.claims import claim as claim_of
from hds_cli.agent.support.denying import Stand, stand
from hds_cli.agent.support.ground import Ground, Sentence, has_word
from hds_cli.agent.support.ordinals import counts_differently, is_same
from hds_cli.agent.support.qualifying import overstates
from hds_cli.agent.support.rates import counts_otherwise, of_another
from hds_cli.agent.support.roles import in_another_role, of_another_name
from hds_cli.agent.support.sequence import turned_round
from hds_cli.agent.support.values import Value, same
from hds_cli.agent.support.words import content_stems, is_content, stem, words
from hds_cli.types import Level

# Tuned on a set of 273 answers by hand, right and wrong, over five collections.
QUOTED = 0.6  # share of the other words of a claim that a sentence has which says it
TOGETHER = 0.34  # the same of a sentence and its neighbours
NAMES_ONLY = 0.5  # the same for a claim without values: its names may stand together for another reason
_ROW = re.compile(r"([^:.!?\n]{2,60}):\s[^:\n]{1,200}:\s")  # with two cells or more: what it is of is no key
_ROWS = 64  # of a passage
_SUBJECT = 5  # words at the beginning of a sentence that say what it is about


@dataclass(frozen=True)
class Share:
    """The share of a claim's other words in a sentence alone, in it and its title, and with its neighbours."""

    own: int
    titled: float
    wide: float


class Fitting:
    """Compares sentences of what was read with claims.

    Args:
        queries: query -> numbers of the passages that were read for it.
        question: what every passage may answer: one of an earlier run was read for another question.
        language: that of the message; None: nothing tells it.
    """

    def __init__(
        self, ground: Ground, queries: Mapping[str, Sequence[int]], question: str, language: str | None = None
    ) -> None:
        self.ground, self.queries, self._language = ground, queries, language
        self._headed: dict[int, list[Sentence]] = {}
        self._stems_of = {query: set(content_stems(query)) for query in queries}
        self._question = set(content_stems(question))
        self._asked_names = claim_of(question, ground.names).names

    def fits(self, claim: Claim, sentence: Sentence, by_value: Mapping[int, set[int]]) -> tuple[Level | None, float]:
        """The fit of a sentence to a claim (None: it has none), with the share of the claim's other words in it."""
        values = self._has_values(claim, sentence, by_value)
        terms = None if values is None else self._has_terms(claim, sentence)
        names = None if terms is None else self._has_names(claim, sentence, by_value)
        if values is None or names is None or terms is None:
            return None, 0.0
        names_strict, in_body = names
        share = self.share(claim, sentence)
        stems = frozenset(stem(word) for name in claim.names for word in name)
        stood = stand(claim.text, sentence.text, stems)
        if self._denied(claim, sentence, stood, stems) or not self._says_enough(claim, sentence, share, in_body):
            return None, 0.0
        if self._substituted(claim, sentence, share) or self._binds_another(claim, sentence):
            return None, 0.0
        strict = values and names_strict and terms and stood.agrees
        if strict and (share.titled >= QUOTED or not claim.rest):
            return "quoted", share.titled
        around = [beside.text for beside in self.ground.around(sentence)]
        if any(stand(claim.text, text, stems).denies or _says_otherwise(claim.text, text) for text in around):
            return None, 0.0
        return "together", share.wide

    def _has_values(self, claim: Claim, sentence: Sentence, by_value: Mapping[int, set[int]]) -> bool | None:
        """True where a sentence or its title gives all values of a claim, False with its neighbours, None where not."""
        head = sentence.head.values
        strict = True
        for number, value in enumerate(claim.values):
            if sentence.place in by_value[number] or any(same(value, v) for v in head):
                continue
            if claim.terms and not claim.names:
                return None  # `four cats` is not said by `four rooms` beside `3 cats`
            # What a sentence names is told in the next one, not in the one before it.
            beside = [s for s in self.ground.around(sentence) if s.place > sentence.place or not claim.names]
            if _row_of(sentence.text):  # the next row is of something else, which may be compared with it
                beside = [s for s in beside if not _row_of(s.text) or _are_compared(claim, sentence, s, value)]
                beside += self._columns_of(sentence)
            if not claim.names and len(claim.values) == 1 and is_keyed(sentence.text):  # it gives its own key alone
                beside = [s for s in beside if not is_keyed(s.text)]
            near = any(s.place in by_value[number] for s in beside)
            if not near or self._has_own(value, claim, sentence) or _has_own_date(value, claim, sentence):
                return None
            strict = False
        return strict

    def _has_own(self, value: Value, claim: Claim, sentence: Sentence) -> bool:
        """True for a sentence that names what a claim is about and gives a value of its own for it."""
        if not any(has_word(w, sentence.words) for name in claim.names for w in name):
            return False
        others = (v for v in sentence.values if not any(same(stated, v) for stated in claim.values))
        return any(rivals(value, other) for other in others)

    def _has_names(self, claim: Claim, sentence: Sentence, by_value: Mapping[int, set[int]]) -> tuple[bool, int] | None:
        """True when a sentence and its title have all names, and how many it has; None: one is nowhere near."""
        read = self.ground.read[sentence.passage]
        near: frozenset[str] | None = None  # looked for only where it is needed
        strict, in_body = True, 0
        for name in claim.names:
            body = sum(has_word(w, sentence.words) for w in name)
            head = sum(has_word(w, sentence.head.words) for w in name)
            if body and all(has_word(w, read.all) for w in name):
                in_body += body > head or not head
                continue
            lacking = [w for w in name if not has_word(w, sentence.head.words) and not has_word(w, sentence.words)]
            if not lacking:
                continue
            near = self._lent(claim, sentence, by_value) if near is None else near
            if not all(has_word(w, near) for w in lacking):
                return None
            strict = False
            in_body += 1
        return strict, in_body

    def _lent(self, claim: Claim, sentence: Sentence, by_value: Mapping[int, set[int]]) -> frozenset[str]:
        """The words that the sentences beside one lend it as names: what the one before is about (`It has …`).

        A sentence lends no name that has its own value there (`Mars has 2 moons. Jupiter has 95.`), and none that it
        only mentions (`The capital of Poland is Warsaw. It borders Germany.`).
        """
        lent: set[str] = set()
        for beside in self.ground.around(sentence):
            if self._has_rival(claim, beside, by_value):
                continue
            if claim.values and any(beside.place in places for places in by_value.values()):
                lent |= beside.words
            elif beside.place < sentence.place:
                lent.update(words(without_key(beside.text))[:_SUBJECT])
        return frozenset(lent)

    def _has_rival(self, claim: Claim, sentence: Sentence, by_value: Mapping[int, set[int]]) -> bool:
        if not claim.values or not claim.names or any(sentence.place in places for places in by_value.values()):
            return False
        return any(rivals(value, other) for value in claim.values for other in sentence.values)

    def _has_terms(self, claim: Claim, sentence: Sentence) -> bool | None:
        """True where a sentence has all terms of a claim, False with its title and neighbours, None: not."""
        lacking = [term for term in claim.terms if term not in sentence.stems]
        if not lacking:
            return True
        if claim.values and self._is_foreign(sentence):
            return False
        near = self._stems_around(sentence)
        head = sentence.head.stems
        return False if all(term in near or term in head for term in lacking) else None

    def _is_foreign(self, sentence: Sentence) -> bool:
        """True for a sentence in another language than the message: only names and values can be compared."""
        return self.ground.is_foreign(self.ground.read[sentence.passage], self._language)

    def share(self, claim: Claim, sentence: Sentence) -> Share:
        near = self._stems_around(sentence)
        head = sentence.head.stems
        own = sum(key in sentence.stems for key in claim.rest)
        titled = sum(key in sentence.stems or key in head for key in claim.rest)
        wide = sum(key in sentence.stems or key in head or key in near for key in claim.rest)
        count = max(1, len(claim.rest))
        return Share(own, titled / count, wide / count)

    def _denied(self, claim: Claim, sentence: Sentence, stood: Stand, names: frozenset[str]) -> bool:
        """True for a sentence that says the contrary, or that lacks the `not` of a claim with each beside it."""
        if not stood.lacks:
            return stood.denies
        near = (f"{sentence.text} {beside.text}" for beside in self.ground.around(sentence) if beside.negated)
        return all(stand(claim.text, both, names).lacks for both in near)

    def _says_enough(self, claim: Claim, sentence: Sentence, share: Share, in_body: int) -> bool:
        """True for a sentence that has more of a claim than the name of its page."""
        if claim.rest and not (claim.values or claim.terms or in_body) and not (share.own and share.wide >= TOGETHER):
            return False
        if not (claim.values or claim.names or claim.terms):
            return len(claim.rest) > 1 and share.wide >= NAMES_ONLY and share.own >= TOGETHER * len(claim.rest)
        if not claim.values and len(claim.rest) > 1 and in_body < 3 and share.wide < NAMES_ONLY:
            return False
        if claim.values and not claim.names and self._is_foreign(sentence) and self._says_values(claim, sentence):
            return True
        return bool(claim.names) or self._says_phrase(claim, sentence) or self._on_subject(claim, sentence)

    def _says_values(self, claim: Claim, sentence: Sentence) -> bool:
        """True for a passage that a claim in another language names, if any, and a value that few things have."""
        named = [self.ground.numbers[n] for n in claim.marks if n in self.ground.numbers]
        url = self.ground.read[sentence.passage].passage.url
        if named and not any(self.ground.read[place].passage.url == url for place in named):
            return False
        return any(map(is_telling, claim.values))

    def _says_phrase(self, claim: Claim, sentence: Sentence) -> bool:
        """True for a sentence that has every word of a phrase: `four rooms`, `dark green`, but not a lone `green`."""
        return len(claim.values) + len(claim.terms) > 1 and sentence.stems.issuperset(claim.terms)

    def _on_subject(self, claim: Claim, sentence: Sentence) -> bool:
        """True for a sentence that shares a word with a bare value's own words, and half of what it was read for."""
        sentence_stems = sentence.stems | sentence.head.stems
        if claim.rest and not set(claim.rest) & sentence_stems:
            return False
        number = self.ground.read[sentence.passage].passage.n
        asked = [self._stems_of[query] for query, numbers in self.queries.items() if number in numbers]
        asked.append(self._question)
        return any(stems and 2 * len(stems & sentence_stems) >= len(stems) for stems in asked) or bool(claim.rest)

    def _binds_another(self, claim: Claim, sentence: Sentence) -> bool:
        """True for a sentence that gives a value of a claim, its key or its act to another name."""
        text = sentence.text
        names = () if claim.names else self._asked_names
        near = self.ground.around(sentence) if claim.values else ()
        return (
            self._is_of_another_row(claim, sentence)
            or any(misbound(claim, one.text, names) for one in (sentence, *near))
            or any(of_another(claim.text, one.text, ends=one is sentence) for one in (sentence, *near))
            or other_value_of_key(claim, text)
            or in_another_role(claim, text)
            or of_another_name(claim, text)
            or of_another_part(claim, text)
            or _says_otherwise(claim.text, text)
            or counts_otherwise(claim.text, text)
        )

    def _columns_of(self, sentence: Sentence) -> list[Sentence]:
        """The row with the names of the columns, which is said of each row of a table; none of a sentence."""
        if sentence.place not in self._headed:
            first = sentence.place
            begin = max(self.ground.read[sentence.passage].sentences.start, first - _ROWS)
            while first >= begin and _row_of(self.ground.sentences[first].text):
                first -= 1
            first += 1
            self._headed[sentence.place] = [self.ground.sentences[first]] if first < sentence.place else []
        return self._headed[sentence.place]

    def _stems_around(self, sentence: Sentence) -> frozenset[str]:
        return frozenset().union(self.ground.stems_around(sentence), *(row.stems for row in self._columns_of(sentence)))

    def _is_of_another_row(self, claim: Claim, sentence: Sentence) -> bool:
        """True for a row of which a claim has not a word, where it has all of another row of the passage.

        Example: `Radar from above: ±0.3 cm` beside `Pressure probe: ±0.5 cm` for `The pressure probe has ±0.3 cm`.
        """
        own = _row_of(sentence.text)
        said = {stem(word) for word in words(claim.text)}
        if not own or own & said:
            return False
        rows = (self.ground.sentences[n] for n in self.ground.read[sentence.passage].sentences[:_ROWS])
        others = [row for row in rows if (label := _row_of(row.text)) and label <= said]
        compared = any(_are_compared(claim, sentence, row, value) for row in others for value in claim.values)
        return bool(others) and not compared

    def _substituted(self, claim: Claim, sentence: Sentence, share: Share) -> bool:
        """True for a sentence that says nearly the same with one other word: `rural` for `urban landscapes`."""
        if share.titled < 0.5 or not claim.rest:
            return False
        named = {word for name in claim.names for word in name}
        claim_words, sentence_words = words(claim.text), words(sentence.text)
        following = {(a, c): b for a, b, c in zip(sentence_words, sentence_words[1:], sentence_words[2:], strict=False)}
        for a, b, c in zip(claim_words, claim_words[1:], claim_words[2:], strict=False):
            other = following.get((a, c))
            if other is None or not (is_content(b) and is_content(other)) or other in named:
                continue
            if not (is_content(a) or is_content(c) or b in named):
                continue
            if stem(b) not in sentence.stems and stem(other) not in claim.rest and not is_same(b, other):
                return True
        return False


def says_it_of_another(claim: Claim, text: str) -> bool:
    """True for a sentence that gives a value of a claim of another thing, or with a limit or an order that it lacks."""
    return (
        of_another(claim.text, text)
        or of_another_part(claim, text)
        or _says_otherwise(claim.text, text)
        or counts_otherwise(claim.text, text)
    )


def _says_otherwise(claim: str, text: str) -> bool:
    """True for a sentence with another ordinal, a limit that a claim lacks, or the contrary order."""
    return counts_differently(claim, text) or overstates(claim, text) or turned_round(claim, text)


def _has_own_date(value: Value, claim: Claim, sentence: Sentence) -> bool:
    """True for a line with a day of its own, where a claim has the day of the line beside it."""
    others = (v for v in sentence.values if v.kind == "date" and not any(same(stated, v) for stated in claim.values))
    return value.kind == "date" and any(rivals(value, other) for other in others)


@functools.lru_cache(maxsize=4096)
def _row_of(text: str) -> frozenset[str]:
    """The stems of what a row is of: `Radar from above: ±0.3 cm`; none of a sentence."""
    label = _ROW.match(text)
    return frozenset(content_stems(label[1])) if label else frozenset()


def _are_compared(claim: Claim, row: Sentence, other: Sentence, value: Value) -> bool:
    """True where another row has a value in the column in which a row has another value of the claim."""
    columns = {_column(row, stated) for stated in claim.values if not same(stated, value)} - {None}
    return _column(other, value) in columns


def _column(row: Sentence, value: Value) -> int | None:
    """The column of a row in which a value stands; None: in none."""
    place = next((own.start for own in row.values if same(value, own)), None)
    return None if place is None else row.text.count(": ", 0, place)


def is_telling(value: Value) -> bool:
    """True for a value that few things have: with a unit, a date, a year, three digits, decimals."""
    if value.kind != "number" or value.dimension or value.currency:
        return True
    return not value.worded and (value.step < 1 or any(abs(reading) >= 100 for reading in value.readings))


def rivals(value: Value, other: Value) -> bool:
    """True for two values of one kind, of which only one can be right in one place."""
    if value.kind != other.kind:
        return "date" in (value.kind, other.kind) and all(v.kind == "date" or v.is_year for v in (value, other))
    if value.kind != "number":
        return True
    if value.is_year != other.is_year or value.worded != other.worded:
        return False
    return (value.dimension, bool(value.currency)) == (other.dimension, bool(other.currency))
