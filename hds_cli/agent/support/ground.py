"""What was read, as it is searched: every sentence of every passage with its words and values, made once for a message."""

from __future__ import annotations

import bisect
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from hds_cli.agent.support.claims import Claim, Names
from hds_cli.agent.support.sentences import spans
from hds_cli.agent.support.values import Value, plain, same, values
from hds_cli.agent.support.words import kin, negated, stem, words
from hds_cli.types import Passage

_LOOKS = 64  # places of a page that are read for one value
_CANDIDATES = 32  # sentences that are compared in full with a claim


@dataclass(frozen=True)
class Sentence:
    """A sentence of a passage; `place` is its number among all, `passage` that of its passage."""

    place: int
    passage: int
    text: str
    words: frozenset[str]
    stems: frozenset[str]
    values: tuple[Value, ...]
    negated: bool


@dataclass(frozen=True)
class Read:
    """A passage: the words and values of its title and heading, of all of it, and where its sentences are."""

    passage: Passage
    head: frozenset[str]
    head_stems: frozenset[str]
    head_values: tuple[Value, ...]
    all: frozenset[str]
    sentences: range


class Ground:
    """The passages of a run, searched by values, names and words.

    Args:
        page_text: the text of the page of an address, "" where none is kept; asked only for what no passage has.
    """

    def __init__(self, passages: Sequence[Passage], page_text: Callable[[str], str] = lambda _: "") -> None:
        unique = {p.n: p for p in passages}
        self.sentences: list[Sentence] = []
        self.read: list[Read] = []
        self._page_text = page_text
        self._pages: dict[str, _Page] = {}
        self._by_stem: dict[str, list[int]] = defaultdict(list)
        self._by_year: dict[int, list[int]] = defaultdict(list)
        numbers: list[tuple[float, int]] = []
        for passage in unique.values():
            self._add(passage, numbers)
        numbers.sort()
        self._numbers = numbers
        self.numbers = {read.passage.n: place for place, read in enumerate(self.read)}
        self.names = self._names()

    def _add(self, passage: Passage, numbers: list[tuple[float, int]]) -> None:
        start = len(self.sentences)
        head_text = " . ".join(filter(None, (passage.title, passage.heading)))
        head = words(head_text)
        everything = set(head)
        for left, right in spans(passage.text):
            text = passage.text[left:right]
            said = words(text)
            everything.update(said)
            place = len(self.sentences)
            sentence = Sentence(
                place, len(self.read), text, frozenset(said), frozenset(map(stem, said)), values(text), negated(text)
            )
            self.sentences.append(sentence)
            for key in sentence.stems:
                self._by_stem[key].append(place)
            for value in sentence.values:
                numbers += [(n * f, place) for n in value.readings for f in {1.0, value.factor}]
                for year in value.years:
                    self._by_year[year].append(place)
                for day in value.days:
                    if day.month:
                        self._by_year[-day.month].append(place)
        self.read.append(
            Read(passage, frozenset(head), frozenset(map(stem, head)), values(head_text), frozenset(everything),
                 range(start, len(self.sentences)))
        )  # fmt: skip

    def _names(self) -> Names:
        proper: set[str] = set()
        common: set[str] = set()
        for read in self.read:
            for text, titled in ((read.passage.title, True), *((self.sentences[i].text, False) for i in read.sentences)):
                first = not titled
                for token in text.split():
                    letters = token.lstrip("\"'“‘(„«[¡¿*")
                    if letters[:1].isupper() and not first:
                        proper.update(words(letters))
                    elif letters[:1].islower():
                        common.update(words(letters))
                    first = token.endswith((".", ":", "!", "?"))
        return Names(frozenset(proper), frozenset(common - proper))

    def with_value(self, value: Value) -> list[int]:
        """The sentences that give a value."""
        places: set[int] = set()
        if value.kind == "date":
            for day in value.days:
                places.update(self._by_year.get(day.year if day.year else -(day.month or 0), ()))
        else:
            for year in value.years:
                places.update(self._by_year.get(year, ()))
            for reading in value.readings:
                for number in {reading, reading * value.factor}:
                    room = abs(number) * (0.3 if value.rounded or value.dimension or value.kind == "decade" else 1e-6) + 1e-9
                    left = bisect.bisect_left(self._numbers, (number - room, -1))
                    right = bisect.bisect_right(self._numbers, (number + room, 1 << 60))
                    places.update(place for _, place in self._numbers[left:right])
            if value.kind == "code":
                places.update(s.place for s in self.sentences if any(v.kind == "code" for v in s.values))
        return sorted(p for p in places if any(same(value, v) for v in self.sentences[p].values))

    def has_value(self, value: Value) -> bool:
        """True when a sentence or a title gives a value."""
        return bool(self.with_value(value)) or any(same(value, v) for read in self.read for v in read.head_values)

    def candidates(self, claim: Claim, found: dict[int, set[int]]) -> list[Sentence]:
        """The sentences that may say a claim, the likeliest first; `found`: value number -> sentences with it."""
        score: Counter[int] = Counter()
        for places in found.values():
            score.update({place: 6 for place in places})
        for name in claim.names:
            for word in name:
                for place in self._by_stem.get(stem(word), ()):
                    score[place] += 2
        for key in (*claim.terms, *claim.rest):
            for place in self._by_stem.get(key, ()):
                score[place] += 2 if key in claim.terms else 1
        for number in claim.marks:
            if (read := self.numbers.get(number)) is not None:
                for place in self.read[read].sentences:
                    score[place] += 3
        heads = [i for i, read in enumerate(self.read) if any(w in read.head for name in claim.names for w in name)]
        for head in heads[:12]:
            for place in self.read[head].sentences[:20]:
                score[place] += 2
        best = sorted(score.items(), key=lambda item: (-item[1], item[0]))[:_CANDIDATES]
        return [self.sentences[place] for place, _ in best]

    def around(self, sentence: Sentence) -> list[Sentence]:
        """The sentences before and behind one, in its passage."""
        inside = self.read[sentence.passage].sentences
        return [self.sentences[i] for i in (sentence.place - 1, sentence.place + 1) if i in inside]

    def page(self, url: str) -> _Page:
        """The page of an address; its passages where its text is not kept."""
        if url not in self._pages:
            passages = [f"{r.passage.title} {r.passage.heading} {r.passage.text}" for r in self.read if r.passage.url == url]
            self._pages[url] = _Page("\n".join([*passages, self._page_text(url)]))
        return self._pages[url]

    @property
    def urls(self) -> list[str]:
        return list(dict.fromkeys(read.passage.url for read in self.read))


@dataclass
class _Page:
    """A page's words, and where its numbers are; each is made when it is first asked for, in one pass over its text."""

    text: str
    _words: frozenset[str] | None = None
    _stems: frozenset[str] = frozenset()

    @property
    def words(self) -> frozenset[str]:
        if self._words is None:
            self._words = frozenset(words(self.text))
            self._stems = frozenset(map(stem, self._words))
        return self._words

    @property
    def stems(self) -> frozenset[str]:
        return self._stems if self.words else frozenset()

    def has_value(self, value: Value) -> bool:
        """True when the page gives a value; only what stands around the same first digits is read in full."""
        digits = _first_digits(value)
        if not digits:
            return False
        reach = 0
        for count, match in enumerate(re.finditer(rf"(?<!\d)0?[.,]?0*{'[., ]?'.join(digits)}", plain(self.text))):
            if count > _LOOKS or match.start() < reach:
                continue
            start = max(0, match.start() - 40)
            reach = match.end() + 40
            if any(same(value, other) for other in values(self.text[start:reach])):
                return True
        return False

    def has_name(self, name: Iterable[str]) -> bool:
        return all(has_word(word, self.words) for word in name)


def _first_digits(value: Value) -> str:
    """The digits that a number must begin with to be this one; of a rounded number, or one with a unit, the first."""
    if value.kind == "date":
        return str(value.years[0]) if value.years else str(value.days[0].day or "")
    if not value.readings:
        return re.sub(r"\D.*", "", value.text)
    if value.kind == "time":
        return ""
    digits = f"{abs(value.readings[0]):.10g}".replace(".", "").strip("0").split("e")[0]
    return digits[:1] if value.rounded else digits[:8]


def has_word(word: str, there: frozenset[str]) -> bool:
    """True when a word of a name is there, in whatever case its language puts it."""
    if word in there or f"{word}s" in there or word.removesuffix("s") in there and len(word) > 4:
        return True
    return not word.isascii() and any(kin(word, other) for other in there)
