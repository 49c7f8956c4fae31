"""The sentences of all passages that were read, with their words and values, made once for a message."""

from __future__ import annotations

import bisect
import functools
import heapq
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from hds_cli.agent.support.claims import Claim, Names
from hds_cli.agent.support.initials import ShortForms
from hds_cli.agent.support.values import Value, plain, same, values
from hds_cli.agent.support.words import kin, negated, stem, words
from hds_cli.text import fold, in_pieces
from hds_cli.text.cutting import pieces, plain_text
from hds_cli.text.language import page_language
from hds_cli.types import Passage

_LOOKS = 64  # places of a page that are read for one value
MOST_READ = 400_000  # characters of a page that are looked through for what none of its passages has
_DIGITS = re.compile(r"\d[\d.,' ]{0,14}")
_THING = re.compile(r"\s(?!(?:more|further|full|and|or|to|of|und|bis|et|a|y|in)\b)[^\W\d_A-Z]{3,}")  # that is counted
_WHOLE = 4  # words from which on a text is a statement
_STATEMENT = 150  # words of a sentence
_NOUNS_HAVE_CAPITALS = ("de", "lb")
_CANDIDATES = 32  # sentences that are compared in full with a claim


@dataclass(frozen=True)
class Head:
    """The words and values of what a sentence stands under: the title of its page and its headings."""

    words: frozenset[str]
    stems: frozenset[str]
    values: tuple[Value, ...]

    @classmethod
    def of(cls, *titles: str) -> Head:
        text = " . ".join(filter(None, titles))
        title_words = frozenset(words(text))
        return cls(title_words, frozenset(map(stem, title_words)), values(text))


@dataclass(frozen=True)
class Sentence:
    """A sentence, row or item of a passage; `place` is its number among all, `passage` that of its passage."""

    place: int
    passage: int
    head: Head
    text: str
    words: frozenset[str]
    stems: frozenset[str]
    values: tuple[Value, ...]
    negated: bool
    written: str  # as the passage has it, where `text` has short forms of names


@dataclass(frozen=True)
class Read:
    """A passage: what it stands under, its words, and where its sentences are."""

    passage: Passage
    head: Head
    all: frozenset[str]
    sentences: range

    @functools.cached_property
    def language(self) -> str | None:
        """The language that it is written in; None: nothing tells it."""
        return page_language(self.passage.text)


class Ground:
    """The passages of a run, searched by values, names and words.

    Args:
        page_text: the text of the page of an address, "" where none is kept; asked only for what no passage has.
        forms: how names are written where they are compared.
    """

    def __init__(
        self,
        passages: Sequence[Passage],
        page_text: Callable[[str], str] = lambda _: "",
        forms: ShortForms = ShortForms(),
    ) -> None:
        unique = {p.n: p for p in passages}
        self.sentences: list[Sentence] = []
        self.read: list[Read] = []
        self._page_text, self._forms = page_text, forms
        self._pages: dict[str, Page] = {}
        self._likeliest: dict[Claim, list[Sentence]] = {}
        self._by_words: dict[tuple[str, ...], Sentence] | None = None
        self._around: dict[int, frozenset[str]] = {}
        self._with_value: dict[tuple[object, ...], list[int]] = {}
        self._stated: dict[tuple[object, ...], bool] = {}
        self._on_page: dict[tuple[object, ...], frozenset[str]] = {}
        self._by_stem: dict[str, list[int]] = defaultdict(list)
        self._by_year: dict[int, list[int]] = defaultdict(list)
        self._values: list[Value] = []
        numbers: list[tuple[float, int, int]] = []
        for passage in unique.values():
            self._add(passage, numbers)
        numbers.sort()
        self._numbers = numbers
        self.numbers = {read.passage.n: place for place, read in enumerate(self.read)}
        self.names = self._names()

    def _add(self, passage: Passage, numbers: list[tuple[float, int, int]]) -> None:
        start = len(self.sentences)
        top = Head.of(self._forms.put(passage.title), self._forms.put(passage.heading))
        everything = set(top.words)
        for head, written in self._statements(passage, top):
            text = self._forms.put(written)
            tokens = words(text)
            everything.update(tokens)
            place = len(self.sentences)
            sentence = Sentence(
                place, len(self.read), head, text, frozenset(tokens), frozenset(map(stem, tokens)), values(text),
                negated(text), written,
            )  # fmt: skip
            self.sentences.append(sentence)
            for key in sentence.stems:
                self._by_stem[key].append(place)
            for value in sentence.values:
                factors = (1.0,) if value.factor == 1.0 else (1.0, value.factor)
                numbers += [(n * f, place, len(self._values)) for n in value.readings for f in factors]
                self._values.append(value)
                for year in value.years:
                    self._by_year[year].append(place)
                for day in value.days:
                    if day.month:
                        self._by_year[-day.month].append(place)
        self.read.append(Read(passage, top, frozenset(everything), range(start, len(self.sentences))))

    def _statements(self, passage: Passage, top: Head) -> Iterator[tuple[Head, str]]:
        """The sentences, items and rows of a passage, each with what it stands under."""
        head, text = top, passage.text
        for piece in pieces(text, _STATEMENT):
            if piece.kind == "heading":
                heading = text[piece.start : piece.end].strip("# \n")
                head = Head.of(*map(self._forms.put, (passage.title, heading)))
            elif statement := plain_text(text[piece.start : piece.end], piece.kind):
                yield head, statement

    def _names(self) -> Names:
        within: set[str] = set()  # words with a capital
        small: set[str] = set()
        first_ones: set[str] = set()
        for read in self.read:
            for text, titled in (
                (self._forms.put(read.passage.title), True),
                *((self.sentences[i].text, False) for i in read.sentences),
            ):
                first = not titled
                for token in text.split():
                    letters = token.lstrip("\"'“‘(„«[¡¿*")
                    if letters[:1].isupper():
                        (first_ones if first else within).add(letters)
                    elif letters[:1].islower():
                        small.add(letters)
                    first = token.endswith((".", ":", "!", "?"))
        proper, common, begins = (
            {w for token in tokens for w in words(token)} for tokens in (within, small, first_ones)
        )
        always = set() if self.language in (None, *_NOUNS_HAVE_CAPITALS) else proper - common
        return Names(frozenset(proper), frozenset(common - proper), frozenset(begins - common), frozenset(always))

    @functools.cached_property
    def language(self) -> str | None:
        """The language of most passages; None: nothing tells it."""
        return next(iter(Counter(filter(None, (read.language for read in self.read))).most_common(1)), (None, 0))[0]

    def is_foreign(self, read: Read, language: str | None) -> bool:
        """True for a passage in another language than a message."""
        written = read.language or self.language
        return language is not None and written is not None and written != language

    def with_value(self, value: Value) -> list[int]:
        """The sentences that give a value."""
        key = value.key
        if key not in self._with_value:
            self._with_value[key] = self._search_value(value)
        return self._with_value[key]

    def _search_value(self, value: Value) -> list[int]:
        places: set[int] = set()  # of sentences that may give it
        sure: set[int] = set()
        if value.kind == "date":
            for day in value.days:
                places.update(self._by_year.get(day.year if day.year else -(day.month or 0), ()))
        else:
            for year in value.years:
                places.update(self._by_year.get(year, ()))
            for reading in value.readings:
                for number in {reading, reading * value.factor}:
                    room = (
                        abs(number) * (0.3 if value.rounded or value.dimension or value.kind == "decade" else 1e-6)
                        + 1e-9
                    )
                    left = bisect.bisect_left(self._numbers, (number - room, -1, 0))
                    right = bisect.bisect_right(self._numbers, (number + room, 1 << 60, 0))
                    near = self._numbers[left:right]
                    sure.update(place for _, place, n in near if self._gives(self.sentences[place], value, n))
            if value.kind == "code":
                places.update(s.place for s in self.sentences if any(v.kind == "code" for v in s.values))
        places = {p for p in places - sure if any(same(value, v) for v in self.sentences[p].values)}
        return sorted(sure | places)

    def _gives(self, sentence: Sentence, value: Value, number: int) -> bool:
        """True for a value of a sentence that is another one; `two spoons` are no two hours."""
        given = self._values[number]
        if not same(value, given):
            return False
        measured = bool(value.dimension) and given.worded and not (given.dimension or given.currency)
        return not measured or _THING.match(sentence.text, given.end) is None

    def literal(self, text: str) -> Sentence | None:
        """The sentence that has the words of a text, and no others."""
        if self._by_words is None:
            self._by_words = {tuple(words(sentence.text)): sentence for sentence in reversed(self.sentences)}
        said = tuple(words(text))
        return self._by_words.get(said) if len(said) >= _WHOLE else None

    def has_value(self, value: Value) -> bool:
        """True when a sentence or a title gives a value."""
        key = value.key
        if key not in self._stated:
            heads = (v for read in self.read for v in read.head.values)
            self._stated[key] = bool(self.with_value(value)) or any(same(value, v) for v in heads)
        return self._stated[key]

    def candidates(self, claim: Claim, by_value: Mapping[int, set[int]]) -> list[Sentence]:
        """The sentences that may say a claim, the likeliest first; `found`: value number -> sentences with it."""
        if any(by_value.values()):
            return self._candidates(claim, by_value)
        if claim not in self._likeliest:
            self._likeliest[claim] = self._candidates(claim, {})
        return self._likeliest[claim]

    def _candidates(self, claim: Claim, by_value: Mapping[int, set[int]]) -> list[Sentence]:
        score: dict[int, int] = defaultdict(int)
        for places in by_value.values():
            for place in places:
                score[place] += 6
        for name in claim.names:
            for word in name:
                for place in self._by_stem.get(stem(word), ()):
                    score[place] += 2
        for worth, keys in ((2, claim.terms), (1, claim.rest)):
            for key in keys:
                for place in self._by_stem.get(key, ()):
                    score[place] += worth
        for number in claim.marks:
            if (read := self.numbers.get(number)) is not None:
                for place in self.read[read].sentences:
                    score[place] += 3
        heads = [
            i for i, read in enumerate(self.read) if any(w in read.head.words for name in claim.names for w in name)
        ]
        for head in heads[:12]:
            for place in self.read[head].sentences[:20]:
                score[place] += 2
        size = len(self.sentences)
        best = heapq.nlargest(_CANDIDATES, (worth * size - place for place, worth in score.items()))
        return [self.sentences[-number % size] for number in best]

    def around(self, sentence: Sentence) -> list[Sentence]:
        """The sentences before and behind one, in its passage."""
        inside = self.read[sentence.passage].sentences
        return [self.sentences[i] for i in (sentence.place - 1, sentence.place + 1) if i in inside]

    def stems_around(self, sentence: Sentence) -> frozenset[str]:
        """The stems of the sentences before and behind one."""
        if sentence.place not in self._around:
            self._around[sentence.place] = frozenset[str]().union(*(s.stems for s in self.around(sentence)))
        return self._around[sentence.place]

    def page(self, url: str) -> Page:
        """The page of an address: what was read of it, and the rest of its text."""
        if url not in self._pages:
            read = [r for r in self.read if r.passage.url == url]
            known = frozenset().union(*(r.all for r in read))
            stated = [v for r in read for v in r.head.values]
            self._pages[url] = Page(
                self._forms.put(self._page_text(url)[:MOST_READ]), known, frozenset(map(stem, known)), stated
            )
        return self._pages[url]

    def pages_with(self, value: Value) -> frozenset[str]:
        """The addresses of the pages that give a value."""
        if value.key not in self._on_page:
            read = {self.read[self.sentences[place].passage].passage.url for place in self.with_value(value)}
            rest = (url for url in self.urls if url not in read and self.page(url).has_value(value))
            self._on_page[value.key] = frozenset((*read, *rest))
        return self._on_page[value.key]

    @functools.cached_property
    def starts(self) -> frozenset[str]:
        """The first four letters of the longer words of all passages."""
        return frozenset(word[:4] for read in self.read for word in read.all if len(word) > 4)

    @functools.cached_property
    def urls(self) -> list[str]:
        return list(dict.fromkeys(read.passage.url for read in self.read))


class Page:
    """A page: the words of its passages, the values of their titles, and its text, read where something is sought."""

    def __init__(self, text: str, known: frozenset[str], stems: frozenset[str], stated: Sequence[Value]) -> None:
        self._text, self._known, self._stems, self._stated = text, known, stems, stated
        self._found: dict[str, bool] = {}
        self._read: dict[int, tuple[Value, ...]] = {}

    def has_name(self, name: Iterable[str]) -> bool:
        return all(
            has_word(word, self._known) or self._says(word, len(word) - 2 * (not word.isascii())) for word in name
        )

    def has_term(self, term: str) -> bool:
        """True when the page has a word that begins with a stem."""
        return term in self._stems or self._says(term, len(term), most=8)

    def has_value(self, value: Value) -> bool:
        """True when a title or the text gives a value; only places with digits of its beginning are read, each once."""
        if any(same(value, other) for other in self._stated):
            return True
        digits = _first_digits(value)
        places = [place for first in digits for place in self._places.get(first, ())]
        return any(same(value, other) for place in places[:_LOOKS] for other in self._around(place))

    @functools.cached_property
    def _folded(self) -> str:
        return "".join(in_pieces(fold, self._text))

    @functools.cached_property
    def _places(self) -> dict[str, list[int]]:
        """The places of numbers by their first two digits, of each the first ones."""
        places: dict[str, list[int]] = defaultdict(list)
        for match in _DIGITS.finditer("".join(in_pieces(plain, self._text))):
            if len(some := places[_significant(match[0])]) < _LOOKS:
                some.append(match.start())
        return places

    def _around(self, place: int) -> tuple[Value, ...]:
        if place not in self._read:
            start = max(0, place - 30)
            near = values(self._text[start : place + 50])
            self._read[place] = tuple(v for v in near if v.start + start <= place + 4 and v.end + start >= place)
        return self._read[place]

    def _says(self, word: str, length: int, most: int = 3) -> bool:
        if word not in self._found:
            start = re.escape(word[: max(2, length)])
            self._found[word] = bool(re.search(rf"(?<!\w){start}\w{{0,{most}}}(?!\w)", self._folded))
        return self._found[word]


def _significant(digits: str) -> str:
    return re.sub(r"\D", "", digits).strip("0")[:2] or "0"


def _first_digits(value: Value) -> list[str]:
    """The first two digits that a number may have where it is this value."""
    if value.kind == "date":
        return [_significant(str(year)) for year in value.years] or [
            _significant(str(day.day or 0)) for day in value.days
        ]
    if not value.readings:
        return [_significant(value.text.split(".")[0])]
    if value.kind == "time":
        return [_significant(str(int(value.readings[0] // 60 - offset))) for offset in (0, 12)]
    first = _significant(f"{abs(value.readings[0]):.6g}".split("e")[0])
    if not value.rounded:
        return [first]
    number = int(first.ljust(2, "0"))
    return [_significant(str(n)) for n in range(max(10, number - 1), min(99, number + 1) + 1)]


def has_word(word: str, known: frozenset[str]) -> bool:
    """True when a word of a name is there, in whatever case its language puts it."""
    if word in known or f"{word}s" in known or (word.removesuffix("s") in known and len(word) > 4):
        return True
    return not word.isascii() and any(kin(word, other) for other in _by_start(known).get(word[:3], ()))


@functools.lru_cache(maxsize=2048)
def _by_start(stems: frozenset[str]) -> dict[str, list[str]]:
    """Words by their first three letters, which kin words share."""
    by_start: dict[str, list[str]] = defaultdict(list)
    for word in stems:
        if not word.isascii():
            by_start[word[:3]].append(word)
    return by_start
