"""The ground of every unit of a message: which passage says it, how well, or what is missing. Pure functions of texts.

A sentence of a page says a unit when it has all of its values and names and most of its other words. Whether it means
the same is not known here: that is a verifier's work.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from hds_cli.agent.support.arithmetic import derived, equation
from hds_cli.agent.support.claims import Claim, claim, clauses, is_entries, is_short, is_yes_or_no, labelled, listed, of_unit
from hds_cli.agent.support.ground import Ground, Sentence, has_word
from hds_cli.agent.support.message import Unit, units
from hds_cli.agent.support.values import Value, same, values
from hds_cli.agent.support.words import is_content, nouns_have_capitals, stem, words
from hds_cli.types import GOOD_LEVELS, Level, Passage, Quote, Support

_QUOTED, _TOGETHER = 0.6, 0.34  # share of the other words of a claim that a sentence has
_NAMES_ONLY = 0.5  # the same for a claim without values, whose names may stand together for another reason
_MAX_QUOTE = 300  # characters
_ORDER: tuple[Level, ...] = ("quoted", "computed", "verified", "together", "apart", "unsourced", "missing", "contradicted")


@dataclass(frozen=True)
class _Judged:
    """How a claim is supported; `unplaced`: its values that no sentence gives together with the rest."""

    level: Level
    quotes: tuple[Quote, ...] = ()
    missing: tuple[str, ...] = ()
    unplaced: tuple[Value, ...] = ()


def attribute(
    text: str,
    question: str,
    passages: Sequence[tuple[str, Passage]],
    page_text: Callable[[str], str] = lambda _: "",
) -> tuple[Support, ...]:
    """The support of each unit of a message.

    Args:
        text: the message, LaTeX unwrapped, with `[n]` of this run.
        passages: (query, passage) in the order they were read.
        page_text: the text of the page of an address.
    """
    ground = Ground([passage for _, passage in passages], page_text)
    asked = frozenset(map(stem, filter(is_content, words(" ".join([question, *(query for query, _ in passages)])))))
    queries: dict[str, list[int]] = {}
    for query, passage in passages:
        queries.setdefault(query, []).append(passage.n)
    return _Judge(text, question, ground, asked, queries).all()


class _Judge:
    def __init__(self, text: str, question: str, ground: Ground, asked: frozenset[str], queries: dict[str, list[int]]) -> None:
        self._ground, self._asked, self._queries, self._question = ground, asked, queries, question
        self._lists: list[set[int]] | None = None
        self._listed_anywhere: set[int] = set()
        self._german = nouns_have_capitals(text)
        self._units = units(text)
        self._done: list[_Judged] = []

    def all(self) -> tuple[Support, ...]:
        self._done = [self._unit(unit) for unit in self._units]
        self._done = [self._again(unit, judged) for unit, judged in zip(self._units, self._done, strict=True)]
        known = self._ground.numbers
        return tuple(
            Support(unit.text, judged.level, tuple(n for n in unit.marks if n in known), judged.quotes, judged.missing)
            for unit, judged in zip(self._units, self._done, strict=True)
        )

    def _unit(self, unit: Unit) -> _Judged:
        """What the pages say of a unit: as a whole, else of its pieces."""
        whole_claim = self._uncounted(unit, of_unit(unit, self._ground.names, german=self._german))
        whole = self._place(whole_claim, unit)
        entries = is_entries(unit.text)
        if whole.level in GOOD_LEVELS and not entries:
            return whole
        parts = [self._uncounted(unit, part) for part in self._pieces(unit)]
        if len(parts) < 2:
            return whole
        judged = [self._place(part, unit) for part in parts]
        worst = max(judged, key=lambda j: _ORDER.index(j.level))
        quotes = tuple(dict.fromkeys(q for j in judged for q in j.quotes if j.level in GOOD_LEVELS or j is worst))
        missing = tuple(dict.fromkeys(m for j in judged for m in j.missing))
        unplaced = tuple(v for j in judged for v in j.unplaced)
        if worst.level not in GOOD_LEVELS and whole.level == "contradicted":
            return replace(whole, unplaced=unplaced)
        return _Judged(worst.level, quotes, missing, unplaced)

    def _pieces(self, unit: Unit) -> list[Claim]:
        """The claims of the pieces of a unit; one without words of its own says what the others say."""
        names, german = self._ground.names, self._german
        pieces = [(text, marks, claim(text, names, marks=marks, german=german)) for text, marks in clauses(unit)]
        made: list[Claim] = []
        for number, (text, marks, piece) in enumerate(pieces):
            label = re.match(r"([^:]{1,60}):\s+(\S.*)", text)
            if label and len(label[1].split()) <= 5:
                valued = claim(label[2], names, marks=marks, short=True, german=german)
                named = labelled(label[1], names, german=german)
                piece = replace(valued, names=(*named.names, *valued.names), values=(*named.values, *valued.values),
                                rest=(*valued.rest, *named.rest), shown=named.shown | valued.shown)  # fmt: skip
            elif not piece.rest and (piece.names or piece.values):
                later = next((p for _, m, p in pieces[number + 1 :] if p.rest), None)
                before = next((p for p in reversed(made) if p.rest), None)
                lending = before or later
                if lending and not piece.values:
                    piece = replace(piece, rest=lending.rest)
            if not (piece.names or piece.values) and made and len(piece.rest) < 4:
                made[-1] = replace(made[-1], rest=tuple(dict.fromkeys((*made[-1].rest, *piece.rest))))
            elif piece.values and not piece.names and made and not marks and made[-1].names and not made[-1].values:
                made[-1] = replace(made[-1], values=piece.values, rest=(*made[-1].rest, *piece.rest))
            elif not piece.empty:
                made.append(piece)
        return made

    # --- one claim -----------------------------------------------------------------------------------------------

    def _place(self, claim: Claim, unit: Unit) -> _Judged:
        """The best sentence for a claim, and how well it says it."""
        if claim.empty:
            return _Judged("unsourced")
        found = {number: set(self._ground.with_value(value)) for number, value in enumerate(claim.values)}
        best: tuple[tuple[int, int, float], _Judged] | None = None
        for sentence in self._ground.candidates(claim, found):
            level, share = self._fits(claim, sentence, found, unit)
            if level is None:
                continue
            marked = self._ground.read[sentence.passage].passage.n in claim.marks
            rank = (-_ORDER.index(level), int(marked), share)
            if best is None or rank > best[0]:
                best = rank, _Judged(level, (self._quote(sentence, claim),))
        if best is not None:
            return best[1]
        return self._elsewhere(claim, found, unit)

    def _fits(self, claim: Claim, sentence: Sentence, found: dict[int, set[int]], unit: Unit) -> tuple[Level | None, float]:
        """How well a sentence says a claim (None: not), and the share of the claim's other words it has."""
        read = self._ground.read[sentence.passage]
        near = self._ground.around(sentence)
        strict = True
        for number, value in enumerate(claim.values):
            if sentence.place in found[number] or any(same(value, v) for v in read.head_values):
                continue
            if not any(s.place in found[number] for s in near) or self._rival_in(value, claim, sentence):
                return None, 0.0
            strict = False
        # A name of the sentence before counts, unless it has a value of its own there: `Mars has 2 moons. Jupiter has 95.`
        near_words = frozenset().union(*(s.words for s in near if not self._has_rival(claim, s, found)))
        in_body = 0
        for name in claim.names:
            body = sum(has_word(w, sentence.words) for w in name)
            head = sum(has_word(w, read.head) for w in name)
            if body and all(has_word(w, sentence.words) or has_word(w, read.head) or has_word(w, read.all) for w in name):
                in_body += body > head or not head
                continue
            if all(has_word(w, read.head) or has_word(w, sentence.words) for w in name):
                continue
            if not all(has_word(w, near_words) or has_word(w, sentence.words) or has_word(w, read.head) for w in name):
                return None, 0.0
            strict = False
            in_body += 1
        near_stems = frozenset().union(*(s.stems for s in near))
        for term in claim.terms:
            if term not in sentence.stems:
                if term not in near_stems and term not in read.head_stems:
                    return None, 0.0
                strict = False
        own = sum(key in sentence.stems for key in claim.rest)
        share = sum(key in sentence.stems or key in read.head_stems for key in claim.rest) / max(1, len(claim.rest))
        wide = sum(key in sentence.stems or key in read.head_stems or key in near_stems for key in claim.rest)
        wide_share = wide / max(1, len(claim.rest))
        if claim.negated != sentence.negated:
            strict = False
            if share >= 0.8 and len(claim.rest) > 1 or (claim.negated and (share >= 0.5 or not claim.rest)):
                return None, 0.0
        said_here = bool(claim.values or claim.terms or in_body)
        if not said_here and claim.rest and not (own and wide_share >= _TOGETHER):
            return None, 0.0
        if not (claim.values or claim.names or claim.terms) and (len(claim.rest) < 2 or wide_share < 0.5):
            return None, 0.0
        if claim.values and not claim.names and not claim.terms and not self._on_subject(claim, sentence):
            return None, 0.0
        if not claim.values and len(claim.rest) > 1 and in_body < 3 and wide_share < _NAMES_ONLY:
            return None, 0.0
        if self._substituted(claim, sentence, share):
            return None, share
        if strict and (share >= _QUOTED or not claim.rest):
            return "quoted", share
        return "together", wide_share

    def _has_rival(self, claim: Claim, sentence: Sentence, found: dict[int, set[int]]) -> bool:
        if not claim.values or not claim.names or any(sentence.place in places for places in found.values()):
            return False
        return any(_rivals(value, other) for value in claim.values for other in sentence.values)

    def _rival_in(self, value: Value, claim: Claim, sentence: Sentence) -> bool:
        """True for a sentence that names what a claim is about and gives a value of its own for it."""
        if not any(has_word(w, sentence.words) for name in claim.names for w in name):
            return False
        others = (v for v in sentence.values if not any(same(said, v) for said in claim.values))
        return any(_rivals(value, other) for other in others)

    def _on_subject(self, claim: Claim, sentence: Sentence) -> bool:
        """True for a sentence that shares a word with a bare value's own words, or with what was asked."""
        read = self._ground.read[sentence.passage]
        there = sentence.stems | read.head_stems
        about = {*claim.rest} or self._asked
        return bool(about & there) or bool(self._asked & there)

    def _substituted(self, claim: Claim, sentence: Sentence, share: float) -> bool:
        """True for a sentence that says nearly the same with another word in one place: `rural` for `urban landscapes`."""
        if share < 0.5 or not claim.rest:
            return False
        said, there = words(claim.text), words(sentence.text)
        following = {(a, c): b for a, b, c in zip(there, there[1:], there[2:], strict=False)}
        for a, b, c in zip(said, said[1:], said[2:], strict=False):
            other = following.get((a, c))
            if other and is_content(b) and is_content(other) and stem(b) not in sentence.stems and stem(other) not in claim.rest:
                if is_content(a) or is_content(c):
                    return True
        return False

    # --- what no sentence says -----------------------------------------------------------------------------------

    def _elsewhere(self, claim: Claim, found: dict[int, set[int]], unit: Unit) -> _Judged:
        """A claim that no sentence says: its parts in one page, another value in their place, or nowhere."""
        against = self._against(claim, found)
        pages = {url: self._ground.page(url) for url in self._ground.urls}
        missing_values = tuple(v for v in claim.values if not self._ground.pages_with(v))
        missing = [v.text.strip() for v in missing_values]
        for name in claim.names:
            if not any(page.has_name(name) for page in pages.values()) and not self._derivative(name):
                missing.append(claim.shown.get(" ".join(name), " ".join(name)))
        missing += [claim.shown.get(term, term) for term in claim.terms if not any(page.has_term(term) for page in pages.values())]
        unplaced = tuple(v for n, v in enumerate(claim.values))
        if against is not None and (missing_values or not missing):
            return _Judged("contradicted", (against,), tuple(missing), unplaced)
        if missing:
            return _Judged("missing", (), tuple(missing), unplaced)
        if claim.values or claim.names or claim.terms:
            for url, page in pages.items():
                if (
                    all(url in self._ground.pages_with(v) for v in claim.values)
                    and all(page.has_name(name) for name in claim.names)
                    and all(page.has_term(term) for term in claim.terms)
                    and (claim.values or claim.terms or len(claim.names) > 1 or not claim.rest)
                ):
                    return _Judged("apart", self._somewhere(claim), (), unplaced)
        return _Judged("unsourced", (), (), unplaced)

    def _derivative(self, name: tuple[str, ...]) -> bool:
        """True for a name that pages have as another word of its family: `Scottish` for `Scotland`."""
        if len(name) > 1 or len(name[0]) < 5:
            return False
        start = name[0][:4]
        return any(word.startswith(start) for read in self._ground.read for word in read.all if len(word) > 4)

    def _somewhere(self, claim: Claim) -> tuple[Quote, ...]:
        sentences = self._ground.candidates(claim, {})
        return (self._quote(sentences[0], claim),) if sentences else ()

    def _against(self, claim: Claim, found: dict[int, set[int]]) -> Quote | None:
        """A sentence that has all of a claim but another value in the place of one of its values."""
        lacking = [v for n, v in enumerate(claim.values) if not found[n]]
        wrong = lacking or list(claim.values)
        if not wrong or len(claim.values) > 3:
            return None
        if not (claim.rest or claim.names):
            return self._against_bare(claim, wrong)
        about = claim.rest
        for sentence in self._ground.candidates(replace(claim, rest=about), {}):
            read = self._ground.read[sentence.passage]
            there, stems = sentence.words | read.head, sentence.stems | read.head_stems
            if not all(all(has_word(w, there) for w in name) for name in claim.names):
                continue
            shared = sum(key in stems for key in about)
            own = sum(key in sentence.stems for key in about)
            if not own or (claim.rest and shared < 0.5 * len(about)) or (not claim.rest and shared < 2):
                continue
            others = [v for v in sentence.values if not any(same(said, v) for said in claim.values)]
            if any(_rivals(value, other) for value in wrong for other in others):
                if not any(same(value, v) for value in wrong for v in sentence.values):
                    return self._quote(sentence, claim)
        return None

    def _against_bare(self, claim: Claim, wrong: Sequence[Value]) -> Quote | None:
        """A sentence that has all of a query and another value than the one that was answered alone."""
        for query, numbers in self._queries.items():
            asked = {stem(word) for word in words(query) if is_content(word)}
            for number in numbers:
                read = self._ground.read[self._ground.numbers[number]]
                for place in read.sentences:
                    sentence = self._ground.sentences[place]
                    if not (asked & sentence.stems and asked <= sentence.stems | read.head_stems):
                        continue
                    if any(_rivals(value, other) for value in wrong for other in sentence.values):
                        return self._quote(sentence, claim)
        return None

    # --- what follows from the rest ------------------------------------------------------------------------------

    def _again(self, unit: Unit, judged: _Judged) -> _Judged:
        """A unit whose value stands in no page may follow from others: the arithmetic is done again."""
        if made := equation(unit.marked):
            right, inputs, result = made
            if not right:
                return _Judged("contradicted", (), (result.text,))
            if all(self._grounded(v) for v in inputs):
                return _Judged("computed", judged.quotes or self._quotes_of(inputs))
        if judged.level in GOOD_LEVELS:
            return judged
        if is_yes_or_no(unit.text):
            others = [j for u, j in zip(self._units, self._done, strict=True) if u is not unit]
            good = bool(others) and all(j.level in GOOD_LEVELS for j in others)
            return _Judged("computed" if good else "unsourced", judged.quotes if good else ())
        repeated = self._repeated(unit)
        if repeated is not None:
            return repeated
        return self._computed(unit, judged) or judged

    def _grounded(self, value: Value) -> bool:
        return self._ground.has_value(value)

    def _dated(self, value: Value) -> bool:
        """True for a date whose year stands somewhere."""
        return value.kind == "date" and any(self._grounded(Value("number", "", 0, 0, (float(y),))) for y in value.years)

    def _uncounted(self, unit: Unit, claim: Claim) -> Claim:
        """A claim without the small numbers in words that only count what the message or the question lists."""
        kept = tuple(v for v in claim.values if not (v.worded and v.readings[0] <= 20 and self._counts(unit, v)))
        return claim if len(kept) == len(claim.values) or not (kept or claim.names) else replace(claim, values=kept)

    def _quotes_of(self, inputs: Sequence[Value]) -> tuple[Quote, ...]:
        places = [places[0] for value in inputs if (places := self._ground.with_value(value))]
        sentences = [self._ground.sentences[place] for place in dict.fromkeys(places)]
        return tuple(self._quote(sentence, Claim("", tuple(inputs))) for sentence in sentences[:8])

    def _repeated(self, unit: Unit) -> _Judged | None:
        """The ground of a short unit that another unit says in full: the headline behind its reasons."""
        said = [w for w in words(unit.text) if is_content(w) or w.isdigit()]
        if not said or len(said) > 12 or not is_short(unit):
            return None
        wanted = values(unit.text)
        for other, judged in zip(self._units, self._done, strict=True):
            if other is unit or judged.level != "computed" or len(other.text) <= len(unit.text):
                continue
            there = set(words(other.text))
            stated = values(other.text)
            if all(w in there or w.isdigit() for w in said) and all(any(same(v, o) for o in stated) for v in wanted):
                return judged
        return None

    def _computed(self, unit: Unit, judged: _Judged) -> _Judged | None:
        """A unit one of whose values follows from grounded values of the message, or of what was read."""
        stated = [v for v in values(unit.text) if v.kind == "number"]
        absent = [v for v in stated if not self._grounded(v)] or [v for v in judged.unplaced if v.kind == "number"][-1:]
        if len(absent) != 1:
            return None
        result = absent[0]
        own = [v for v in values(unit.text) if not (v.start == result.start and v.text == result.text)]
        own = [v for v in own if self._grounded(v) or self._dated(v)]
        others = [v for u in self._units if u is not unit for v in values(u.text) if self._grounded(v)]
        for inputs in (own, own + others):
            if used := derived(result, inputs, unit.text):
                return self._rest_holds(unit, result, used)
        if self._counts(unit, result):
            return self._rest_holds(unit, result, ())
        if found := self._looked_up(unit, result):
            return self._rest_holds(unit, result, found)
        if not others and is_short(unit):
            return self._bare(unit, result, own)
        return None

    def _looked_up(self, unit: Unit, result: Value) -> list[Value]:
        """The inputs of a result that does not name them: what was found for each query, or for each name in the unit."""
        ground = self._ground
        by_query = [
            self._best_value({stem(w) for w in words(query) if is_content(w)}, frozenset(), map(ground.numbers.__getitem__, numbers), result)
            for query, numbers in self._queries.items()
        ]
        named = of_unit(unit, ground.names, german=self._german)
        about = {*named.rest} or set(self._asked)
        by_name = [self._best_value(about | set(map(stem, name)), frozenset(name), range(len(ground.read)), result) for name in named.names[:12]]
        lists = [[v for v in found if v is not None] for found in (by_query, by_name)]
        return next((found for found in lists if derived(result, found, unit.text)), [])

    def _best_value(self, asked: set[str], name: frozenset[str], places: Iterable[int], result: Value) -> Value | None:
        """The value of a result's kind in the sentence that has most of what is asked."""
        best: tuple[int, Value] | None = None
        for place in places:
            read = self._ground.read[place]
            if name and not all(has_word(w, read.all) for w in name):
                continue
            for number in read.sentences:
                sentence = self._ground.sentences[number]
                if name and not all(has_word(w, sentence.words) or has_word(w, read.head) for w in name):
                    continue
                own = len(asked & sentence.stems)
                shared = len(asked & (sentence.stems | read.head_stems))
                if 2 * shared <= len(asked) or (best and own + shared <= best[0]):
                    continue
                alike = (v for v in sentence.values if v.kind == "number" and (v.dimension, v.currency) == (result.dimension, result.currency))
                if value := next((v for v in alike if not v.years), None):
                    best = own + shared, value
        return best[1] if best else None

    def _counts(self, unit: Unit, value: Value) -> bool:
        """True for a small number that is how many things the unit, the message or the question lists."""
        number = value.readings[0]
        if value.dimension or value.currency or not number.is_integer() or not 2 <= number <= 50:
            return False
        if self._lists is None:
            self._lists = [self._listed(u.marked or u.text) | {len(u.marks)} for u in self._units]
            items = {sum(u.item for u in self._units), sum(u.row for u in self._units)}
            self._listed_anywhere = items | self._listed(self._question) | set().union(*self._lists)
        return int(number) in self._listed_anywhere

    def _listed(self, text: str) -> set[int]:
        return listed(text, self._ground.names)

    def _rest_holds(self, unit: Unit, result: Value, used: Sequence[Value]) -> _Judged | None:
        """`computed`, if what a unit says beside its result has a ground too."""
        whole = of_unit(unit, self._ground.names, german=self._german)
        left = replace(whole, values=tuple(v for v in whole.values if v.readings != result.readings), terms=())
        names_there = all(any(all(has_word(w, r.all) for w in name) for r in self._ground.read) for name in left.names)
        if not names_there or not all(self._grounded(v) for v in left.values):
            return None
        return _Judged("computed", self._quotes_of(used))

    def _bare(self, unit: Unit, result: Value, own: Sequence[Value]) -> _Judged | None:
        """A result alone, without its inputs: it may follow from what was read, which nobody can tell."""
        for read in self._ground.read:
            inside = [v for i in read.sentences for v in self._ground.sentences[i].values]
            if derived(result, [*own, *inside[:24]], unit.text):
                return _Judged("unsourced")
        if result.worded and result.readings[0] <= 20 and not result.dimension:
            return _Judged("unsourced")  # a count of something
        every = [v for r in self._ground.read for v in r.head_values] + [v for s in self._ground.sentences for v in s.values]
        every = every[:48]
        return _Judged("unsourced") if derived(result, every, unit.text) else None

    def _quote(self, sentence: Sentence, claim: Claim) -> Quote:
        passage = self._ground.read[sentence.passage].passage
        places = [v.start for v in sentence.values if any(same(said, v) for said in claim.values)]
        return Quote(passage.n, clip(sentence.text, places[0] if places else 0))


def _rivals(value: Value, other: Value) -> bool:
    """True for two values of one kind, of which only one can be right in one place."""
    if value.kind != other.kind:
        return "date" in (value.kind, other.kind) and bool(value.years and other.years)
    if value.kind != "number":
        return True
    if bool(value.years) != bool(other.years) or value.worded != other.worded:
        return False
    return (value.dimension, bool(value.currency)) == (other.dimension, bool(other.currency))


def clip(quote: str, at: int) -> str:
    """At most `_MAX_QUOTE` characters of whole words of a quote, around a place in it."""
    if len(quote) <= _MAX_QUOTE:
        return quote
    at = max(0, at - 100)
    start = quote.rfind(" ", 0, at) + 1 if at else 0
    end = quote.rfind(" ", start, start + _MAX_QUOTE)
    return quote[start : end if end > start else start + _MAX_QUOTE]
