"""Claims: the values, names and other words of a unit that a page has to have for the unit to be supported."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from hds_cli.agent.support.asides import is_idle
from hds_cli.agent.support.message import MARK, Unit, without_marks
from hds_cli.agent.support.territories import forms
from hds_cli.agent.support.values import Value, values
from hds_cli.agent.support.words import is_content, negated, stem, words

_TOKEN = re.compile(r"[^\W\d_][\w'’&-]*\.?|\d[\w-]*|[^\w\s]")
_PARTICLES = frozenset(
    "of the de la le du des del della di da do dos van von der den zu zur am bin ibn al el y et und".split()
)
_SUFFIXES = frozenset("jr sr ii iii iv vi mr mrs ms dr prof st sir".split())
_BEGINS = re.compile(r"[.:;!?\"“„«|—–→。：；]")  # behind these a capital says nothing
_PIECES = re.compile(
    r"(?:(?<!\s)\s+)?[;；、，،؛]\s*|,\s+|(?<!\s)\s+[/|•&]\s+|(?<!\s)\s+(?:and|while|but|whereas|versus|vs\.?"
    r"|und|während|sowie|et|tandis que|y|mientras|e|mentre"
    r"|и|а|і|та|και|ενώ|en|och|og)\s+|(?<!\s)\s+و(?=\S)"
)
YES = frozenset(
    "yes no true false ja nein oui non si sí sì no да нет так ні ναι όχι نعم لا 是 不是 否 はい いいえ ใช่ ไม่ใช่".split()
)
_NO = frozenset("no false nein non não нет ні όχι لا 不是 否 いいえ ไม่ใช่".split())
_LEAD = re.compile(r"\W*(\w+)(?:[,:;]|\s[–—-])\s")
_FIRST = re.compile(r"([^\s,.;:!—–-]+)\s*([,.;:!—–-]?)")
_ALSO_NONE = frozenset({"no", "non"})  # with a noun behind it: `no page`
_SHORT = 5  # content words up to which each has to stand in the page


@dataclass(frozen=True)
class Claim:
    """The claim of a piece of a message. `terms`: stems that all have to be there; `rest`: stems that describe them."""

    text: str
    values: tuple[Value, ...] = ()
    names: tuple[tuple[str, ...], ...] = ()
    terms: tuple[str, ...] = ()
    rest: tuple[str, ...] = ()
    marks: tuple[int, ...] = ()
    negated: bool = False
    shown: dict[str, str] = field(default_factory=dict, compare=False)  # stem or name -> as it is written

    @property
    def empty(self) -> bool:
        return not (self.values or self.names or self.terms or self.rest)


@dataclass(frozen=True)
class Names:
    """Folded words as pages write them: with a capital within a sentence, without one, only at its beginning.

    `always`: those with a capital wherever they stand, where the pages write nouns without one. `translates`: False
    where the message is in the language of all pages.
    """

    proper: frozenset[str]
    common: frozenset[str]
    begins: frozenset[str] = frozenset()
    always: frozenset[str] = frozenset()
    translates: bool = True

    def is_name(self, word: str, *, label: bool) -> bool:
        """True for the first word of a sentence (`label`: of a label or a short answer) that is a name in the pages."""
        if word in self.common or not is_content(word):
            return False
        return word in self.proper or (word in self.begins if label else word[:4] in self._starts)

    def has(self, text: str) -> bool:
        """True for a word that is a name in the pages, also in the genitive, `Malawis`, and in another language."""
        has = words(text)
        return any(word in self.proper or word.removesuffix("s") in self.proper for word in has) or (
            self.written(tuple(has)) != tuple(has)
        )

    def is_noun_name(self, text: str) -> bool:
        """True for a lone word of a German text that is a name and no noun: `Berlin`, `Sambias`, not `Grenze`."""
        has = tuple(words(text))
        return any(w in self.always or w.removesuffix("s") in self.always for w in has) or self.written(has) != has

    def is_genitive(self, text: str) -> bool:
        """True for a name with the ending of a genitive, behind which a noun stands: `Malawis Grenze`."""
        word = "".join(words(text))
        return word.endswith("s") and word not in self.proper and self.has(word)

    def written(self, name: tuple[str, ...]) -> tuple[str, ...]:
        """A name as the pages write it: that of a territory in their language, where they do not have the given one."""
        if not self.translates or all(word in self.proper for word in name):
            return name
        return next((form for form in forms(name) if all(word in self.proper for word in form)), name)

    def with_names(self, names: Iterable[tuple[str, ...]]) -> Names:
        """The same, with names that the unit around a piece has."""
        return replace(self, proper=self.proper | {word for name in names for word in name})

    @functools.cached_property
    def _starts(self) -> frozenset[str]:
        """The beginnings of names: `Scotland` is one, where pages say `Scottish`."""
        return frozenset(word[:4] for word in self.proper if len(word) > 5 and word.isalpha())


def claim(text: str, known: Names, *, marks: Sequence[int] = (), short: bool = False, german: bool = False) -> Claim:
    """The claim of a text without marks; `short`: it is no sentence, all of its words count."""
    stated = tuple(v for v in values(text) if not (v.worded and v.readings[0] < 2))
    rest = _blanked(text, [(value.start, value.end) for value in stated])
    names, taken, shown = [], [], {}
    for name, start, end in _names(rest, known, german=german, short=short):
        taken.append((start, end))
        if _DENIED.search(rest, max(0, start - _DENIAL), start):
            continue  # `she is not British` need not be said of her
        name = known.written(name)
        names.append(name)
        shown[" ".join(name)] = text[start:end]
    left = _blanked(rest, taken)
    if (lead := _LEAD.match(left)) and lead[1].casefold() in YES:
        left = left[lead.end() :]  # `Yes, it is covered`
    stems: dict[str, str] = {}
    for word in words(left):
        if is_content(word):
            stems.setdefault(stem(word), word)
    hard = tuple(stems) if short and len(stems) <= _SHORT else ()
    soft = () if hard else tuple(stems)
    return Claim(
        text, stated, tuple(dict.fromkeys(names)), hard, soft, tuple(marks), negated(text), shown | stems
    )  # fmt: skip


_DENIED = re.compile(
    r"\b(?:not|no|nicht|kein|keine|pas|no es|non|не|δεν)\s+(?:(?:a|an|the|in|from|ein|eine|un|une|una)\s+)?$",
    re.IGNORECASE,
)
_DENIAL = 40  # characters before a name in which it may be denied


def _blanked(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """A text with blanks in the place of stretches of it, such as values and the words for their units."""
    parts, done = [], 0
    for start, end in sorted(spans):
        start = max(start, done)
        if end > start:
            parts += [text[done:start], " " * (end - start)]
            done = end
    return "".join([*parts, text[done:]])


def _names(text: str, known: Names, *, german: bool, short: bool) -> Iterator[tuple[tuple[str, ...], int, int]]:
    """Runs of words with capitals: their folded words, start and end; a first word counts if pages use it as a name."""
    run: list[re.Match[str]] = []
    begins = True  # the next word begins a sentence, a cell or a label
    first = False
    last_end = 0
    for token in _TOKEN.finditer(text):
        word = token[0]
        gap = text[last_end : token.start()]
        last_end = token.end()
        if len(gap) > 2 and run:
            yield from _named(run, known, first, german=german, short=short)
            run = []
        if word[0].isalpha():
            upper = word[0].isupper()
            if upper:
                if not run:
                    first = begins
                run.append(token)
                initial = word.endswith(".") and len(word) <= 4
                if word.endswith(".") and not initial:
                    yield from _named(run, known, first, german=german, short=short)
                    run = []
                begins = False
                continue
            if run and word.casefold().rstrip(".") in _PARTICLES and _capital_follows(text, token.end()):
                continue
        if run:
            yield from _named(run, known, first, german=german, short=short)
            run = []
        begins = bool(_BEGINS.fullmatch(word))
    yield from _named(run, known, first, german=german, short=short)


def _capital_follows(text: str, place: int) -> bool:
    following = re.match(r"\s(?:(?:the|la|le|der|den)\s)?(\w)", text[place : place + 8])
    return bool(following and following[1].isupper())


def _named(
    run: list[re.Match[str]], known: Names, first: bool, *, german: bool, short: bool
) -> Iterator[tuple[tuple[str, ...], int, int]]:
    if first and run:
        folded = words(run[0][0])
        lone = len(run) == 1
        acronym = _is_acronym(run[0][0])
        label = (short and not _lower_follows(run[0])) or _joined(run[0])
        is_name = bool(folded) and (is_content(folded[0]) or (acronym and folded[0] in _ALSO_WORDS)) and (
            acronym
            or known.is_name(folded[0], label=label)
            or (_is_one(run[0]) and known.is_name(folded[0], label=True))
            or bool(re.search(r"-[^\W\d_a-zß-öø-ÿ]", run[0][0]))
            or not (lone or folded[0] in known.common)
            or known.written((folded[0],)) != (folded[0],)
        )  # fmt: skip
        if not is_name:
            run = run[1:]
    while run and not any(map(_may_name, words(run[0][0]))) and not _is_acronym(run[0][0]):
        run = run[1:]
    while german and len(run) > 1 and not known.has(run[0][0]) and any(known.has(token[0]) for token in run[1:]):
        run = run[1:]  # `Berg Malawis`, `Grenze von Malawi`: a noun before a name
    if german and len(run) > 1 and known.is_genitive(run[0][0]):
        run = run[:1]  # `Malawis Grenze`
    if not run or (german and len(run) == 1 and not _is_acronym(run[0][0]) and not known.is_noun_name(run[0][0])):
        return
    name_words = [word for token in run for word in words(token[0])]
    core = tuple(w for w in name_words if len(w) > 1 and w not in _SUFFIXES) or tuple(name_words)
    if core:
        end = run[-1].end() - (run[-1][0].endswith(".") and len(run[-1][0]) > 4)
        yield core, run[0].start(), end


_ALSO_WORDS = frozenset({"us", "it", "who"})  # as acronyms they are names


def _may_name(word: str) -> bool:
    """True for a folded word that a name may begin with: no `neither`, which has a capital at the beginning."""
    return is_content(word) and word not in _NO_NAMES


_NO_NAMES = frozenset(
    "neither nor either unlike like despite whereas if besides beyond both thus hence therefore moreover overall "
    "finally additionally instead meanwhile compared only even none whether weder noch sowohl beide anders ni selon "
    "malgre contrairement segun ambos ne".split()
)


def _lower_follows(token: re.Match[str]) -> bool:
    """True for a word with a further word of a phrase behind it: `Founding years`."""
    following = re.match(r"\s([^\W\d_]+)", token.string[token.end() : token.end() + 30])
    return bool(following and following[1].islower() and is_content(words(following[1])[0]))


def _is_one(token: re.Match[str]) -> bool:
    """True for a lone word that does something: `Tobiah is`, where a noun would have an article."""
    return _ONE_DOES.match(token.string[token.end() : token.end() + 12]) is not None


def _joined(token: re.Match[str]) -> bool:
    """True for a word with another name behind it: `Jupiter and Saturn`."""
    return bool(
        re.match(r"(?:,|\s(?:and|or|und|et|y|e|и|και))\s[^\W\d_a-zß-öø-ÿ]", token.string[token.end() : token.end() + 8])
    )


_ONE_DOES = re.compile(r"\s(?:is|was|has|does|did|will|would|wants|ist|war|hat|est|était|es|fue|è)\s")


def _is_acronym(word: str) -> bool:
    """True for `NATO`, `U.S.`: the only lone capitals that are names in German, too."""
    return len(word) > 1 and word.rstrip(".").isupper()


def of_unit(unit: Unit, known: Names, *, german: bool) -> Claim:
    """The claim of a whole unit. The label of an item (`Born: …`) is context, unless it is a name."""
    if unit.row or unit.label:
        body = unit.text[len(unit.label) :].lstrip(" ;:：–—=-") if unit.text.startswith(unit.label) else unit.text
        inner = claim(body, known, marks=unit.marks, short=is_phrase(body), german=german)
        label = labelled("" if unit.label.strip(". #").isdigit() else unit.label, known, german=german)
        soft = tuple(dict.fromkeys((*inner.rest, *label.rest)))
        return replace(
            inner, text=unit.text, names=(*label.names, *inner.names), rest=soft, values=(*label.values, *inner.values),
            shown=label.shown | inner.shown,
        )  # fmt: skip
    return claim(unit.text, known, marks=unit.marks, short=is_short(unit), german=german)


def labelled(text: str, known: Names, *, german: bool) -> Claim:
    """The claim of a label: its names, and its words as words that say how; none of `Short answer`."""
    if is_idle(text):
        return Claim(text)
    value_claim = claim(text, known, short=True, german=german)
    return replace(value_claim, terms=(), rest=(*value_claim.terms, *value_claim.rest))


def is_phrase(text: str) -> bool:
    """True for what stands behind a label and is no sentence: all of its words count."""
    return len(text.split()) <= 8


def is_short(unit: Unit) -> bool:
    """True for a unit that is no sentence: `Urban landscapes`."""
    return len(unit.text.split()) <= 6 and not unit.text.rstrip().endswith((".", "!", "?", "。"))


def clauses(unit: Unit) -> list[tuple[str, tuple[int, ...]]]:
    """The pieces of a unit that may have a ground each: what stands before each mark, else the parts of a list."""
    out: list[tuple[str, tuple[int, ...]]] = []
    place = 0
    groups = list(re.finditer(r"(?:\s*\[\d{1,4}\])+", unit.marked))
    if len(groups) > 1 or (groups and unit.marked[groups[0].end() :].strip(" .;,)")):
        for group in groups:
            text = unit.marked[place : group.start()]
            if out and ";" in text:  # `Ann [1] and Bob [2] left; Carl [3] came`
                rest, _, text = text.partition(";")
                out[-1] = (out[-1][0] + rest, out[-1][1])
            out.append((text, tuple(int(n) for n in MARK.findall(group[0]))))
            place = group.end()
        if unit.marked[place:].strip(" .;,)"):
            out.append((unit.marked[place:], ()))
    elif unit.row:
        cells = unit.text.split("; ")
        out = [(cells[0], unit.marks), *((f"{cells[0]}: {cell}", unit.marks) for cell in cells[1:])]
    else:
        out = [(part, unit.marks) for part in pieces(unit.text)]
    return [(without_marks(text).strip(" ;,."), marks) for text, marks in out if any(c.isalnum() for c in text)]


def pieces(text: str) -> list[str]:
    """The parts of a sentence between commas, semicolons and `and`, none of them cut within a value."""
    stated = sorted((value.start, value.end) for value in values(text))
    out: list[str] = []
    start = place = 0
    for match in _PIECES.finditer(text):
        while place < len(stated) and stated[place][1] <= match.start():
            place += 1
        if place == len(stated) or stated[place][0] >= match.end():
            out.append(text[start : match.start()])
            start = match.end()
    return [*out, text[start:]]


def listed(text: str, known: Names) -> set[int]:
    """The number of names in each enumeration of a text: `Rome, Paris and Bern` has 3."""
    counts: set[int] = set()
    for stretch in re.split(r"[:;.()!?—]\s|\s[–-]\s|[()]", without_marks(text)):
        run = 0
        for piece in [*pieces(stretch), ""]:
            if claim(piece, known, short=True).names:
                run += 1
                continue
            counts.add(run)
            run = 0
    return counts - {0, 1}


def is_entries(text: str) -> bool:
    """True for `Norway: Oslo; Sweden: Stockholm`, which is several entries."""
    return len(re.findall(r"(?:^|[;\n])[^\S\n]*[^:;\n]{1,60}:\s", text)) > 1


def is_yes_or_no(text: str) -> bool:
    """True for `Yes`, `No, both`: an answer whose ground is in the rest of the message. `No page says it` is none."""
    first, number = _FIRST.match(text.strip().casefold()), len(text.split())
    if first is None or first[1] not in YES or number > 12:
        return False
    return first[1] not in _ALSO_NONE or bool(first[2]) or number == 1


def is_yes(text: str) -> bool:
    """True for an answer that says yes."""
    first = _FIRST.match(text.strip().casefold())
    return first is not None and first[1] in YES - _NO


def said_beside(text: str) -> str:
    """What a yes or no says beside it: `no, she is Spanish`."""
    first = _FIRST.match(text.strip())
    return text.strip()[first.end() :].strip() if first else ""
