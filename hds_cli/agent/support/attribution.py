"""The ground of every unit of a message: which passage says it, how well, or what is missing. Pure functions of texts.

A sentence of a page says a unit when it has all of its values and names and most of its other words. Whether it means
the same is not known here: that is a verifier's work.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from hds_cli.agent.support.absence import sought
from hds_cli.agent.support.asides import told
from hds_cli.agent.support.asked import Asked, is_lone
from hds_cli.agent.support.claims import (
    Claim,
    Names,
    claim,
    clauses,
    is_entries,
    is_phrase,
    is_short,
    is_yes,
    is_yes_or_no,
    labelled,
    of_unit,
    said_beside,
)
from hds_cli.agent.support.comparing import Comparing
from hds_cli.agent.support.denying import stand
from hds_cli.agent.support.elapsed import Elapsed
from hds_cli.agent.support.ground import Ground, Sentence
from hds_cli.agent.support.initials import ShortForms
from hds_cli.agent.support.message import Unit, units
from hds_cli.agent.support.placing import ORDER, Judged, Placing
from hds_cli.agent.support.quotations import Literal, Quotation
from hds_cli.agent.support.ranking import Ranking
from hds_cli.agent.support.results import Results
from hds_cli.agent.support.roles import crossed
from hds_cli.agent.support.totals import Totals
from hds_cli.agent.support.values import same, values
from hds_cli.agent.support.words import content_stems, is_content, nouns_have_capitals, stem, words
from hds_cli.agent.support.working import Working
from hds_cli.text.language import language_of, page_language
from hds_cli.types import GOOD_LEVELS, Level, Passage, Support

_TELLING = 5  # words that tell a language
_QUOTES = 4  # sentences of a unit that are compared with a yes
_LABEL = re.compile(r"([^:]{1,60}):\s+(\S.*)")


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
    return tuple(support for _, support in attributed(text, question, passages, page_text))


def attributed(
    text: str,
    question: str,
    passages: Sequence[tuple[str, Passage]],
    page_text: Callable[[str], str] = lambda _: "",
) -> list[tuple[Unit, Support]]:
    """The units of a message that claim something, with where they stand in it, and the support of each."""
    forms = ShortForms(text, (part for _, p in passages for part in (p.title, p.heading, p.text)))
    ground = Ground([passage for _, passage in passages], page_text, forms)
    question = forms.put(question)
    asked = frozenset(content_stems(" ".join([question, *(query for query, _ in passages)])))
    queries: dict[str, list[int]] = {}
    for query, passage in passages:
        queries.setdefault(forms.put(query), []).append(passage.n)
    against: dict[str, Sentence] = {}  # statements that the pages do not say something -> the sentence that does

    def is_said(absent: str) -> bool:
        if (sentence := _told_after_all(ground, forms.put(absent))) is not None:
            against[forms.put(absent)] = sentence
        return sentence is not None

    parts = told(units(text), question, is_said)
    kept = [forms.of_unit(part) for _, part in parts]
    language = _language(text, question)
    translates = any(ground.is_foreign(read, language) for read in ground.read)
    ground.names = replace(ground.names, translates=translates)
    german = nouns_have_capitals(text) or language == "de"
    judge = _Judge(Placing(ground, queries, asked, question, language), question, kept, against, german=german)
    judged = judge.all()
    lacking = Literal(question, [passage for _, passage in passages], page_text).lacking(text)
    judged = [_as_quoted(unit, j, lacking) for (unit, _), j in zip(parts, judged, strict=True)]
    return [
        (unit, Support(unit.text, j.level, tuple(n for n in unit.marks if n in ground.numbers), j.quotes, j.missing))
        for (unit, _), j in zip(parts, judged, strict=True)
    ]


def _language(text: str, question: str) -> str | None:
    """The language of a message, or of the question where a few words do not tell it: `Die Hard`."""
    found = (language_of(text) or page_language(text)) if len(text.split()) >= _TELLING else None
    return found or language_of(question)


def _told_after_all(ground: Ground, absent: str) -> Sentence | None:
    """The sentence that tells what is said not to be told: it has all of its words, and a name, number or date."""
    wanted = sought(absent)
    if wanted is None:
        return None
    for sentence in ground.sentences:
        if not wanted.stems <= sentence.stems or sentence.negated:
            continue
        numbers = [value for value in sentence.values if value.kind == "number" and not value.is_year]
        dated = [value for value in sentence.values if value.kind == "date" or value.is_year]
        names = claim(sentence.text, ground.names).names
        other = any(wanted.stems.isdisjoint(map(stem, name)) for name in names)
        if {"name": other, "number": bool(numbers), "date": bool(dated)}[wanted.kind]:
            return sentence
    return None


def _as_quoted(unit: Unit, judged: Judged, lacking: Sequence[Quotation]) -> Judged:
    """`missing`, with the words, for a unit that puts into quotation marks what stands so in no page."""
    missing = tuple(one.text for one in lacking if one.start < unit.end and one.end > unit.start)
    if not missing:
        return judged
    level: Level = "contradicted" if judged.level == "contradicted" else "missing"
    quotes = judged.quotes if judged.level not in GOOD_LEVELS else ()
    return replace(judged, level=level, quotes=quotes, missing=(*judged.missing, *missing))


class _Judge:
    """Judges the units of one message, first by what the pages say, then by what follows from one another."""

    def __init__(
        self, placing: Placing, question: str, parts: Sequence[Unit], against: Mapping[str, Sentence], *, german: bool
    ) -> None:
        self._placing, self._names, self._against = placing, placing.ground.names, against
        self._units, self._german = parts, german
        self._results = Results(placing, question, parts, german=german)
        self._question = question
        self._asked = Asked(placing.ground, placing.queries, question)
        self._ranking = Ranking(placing.ground, placing.queries, question)
        self._comparing = Comparing(placing, question, german=german)
        self._elapsed = Elapsed(placing)
        self._totals = Totals(placing)
        self._working = Working(placing, placing.fitting)
        self._first: list[Judged] = []

    def all(self) -> list[Judged]:
        self._first = [self._unit(unit) for unit in self._units]
        self._first = [self._with_results(number, j) for number, j in enumerate(self._first)]
        self._first = [self._as_written(unit, j) for unit, j in zip(self._units, self._first, strict=True)]
        return [self._again(number, j) for number, j in enumerate(self._first)]

    def _unit(self, unit: Unit) -> Judged:
        """The support of a unit: as a whole, else by its pieces."""
        said = self._results.uncounted(of_unit(unit, self._names, german=self._german))

        lone = is_lone(unit, self._units)
        if (beaten := self._ranking.beaten(unit, said, lone=lone)) is not None:
            return beaten
        gives = self._asked.of(said) if lone else None

        def may_say(sentence: Sentence) -> bool:
            return not crossed(said, sentence.text) and (gives is None or gives(sentence))

        if (told := self._against.get(unit.text)) is not None:
            return Judged("contradicted", (self._placing.quote(told, said),), sure=True)
        whole = self._placing.place(said, may_say)
        if whole.sure or (whole.level in GOOD_LEVELS and not is_entries(unit.text)):
            return whole
        parts = [self._results.uncounted(part) for part in self._pieces(unit)]
        if len(parts) < 2:
            return whole
        judged = [self._placing.place(part, may_say) for part in parts]
        worst = max(judged, key=lambda j: ORDER.index(j.level))
        quotes = tuple(dict.fromkeys(q for j in judged for q in j.quotes if j.level in GOOD_LEVELS or j is worst))
        missing = tuple(dict.fromkeys(m for j in judged for m in j.missing))
        unplaced = tuple(v for j in judged for v in j.unplaced)
        if worst.level not in GOOD_LEVELS and whole.level == "contradicted":
            return replace(whole, unplaced=unplaced)
        return Judged(worst.level, quotes, missing, unplaced)

    def _pieces(self, unit: Unit) -> list[Claim]:
        """The claims of the pieces of a unit; one without words of its own says what the others say."""
        known = self._names.with_names(of_unit(unit, self._names, german=self._german).names)
        pieces = [self._piece(text, marks, known) for text, marks in clauses(unit)]
        claims: list[Claim] = []
        for number, piece in enumerate(pieces):
            if not piece.rest and not piece.terms and piece.names and not piece.values:
                piece = replace(piece, rest=_lent(piece, claims, pieces[number + 1 :]))
            if piece.rest and claims and not (piece.names or piece.values or piece.terms) and len(piece.rest) > 1:
                claims.append(replace(piece, names=claims[0].names, shown=piece.shown | claims[0].shown))
            elif not (piece.names or piece.values or piece.terms) and claims:
                claims[-1] = replace(claims[-1], rest=tuple(dict.fromkeys((*claims[-1].rest, *piece.rest))))
            elif self._completes(piece, claims):  # `Shiseido is the oldest, dating from 1872`
                claims[-1] = replace(claims[-1], values=piece.values, rest=(*claims[-1].rest, *piece.rest))
            elif not piece.empty:
                claims.append(piece)
        return claims

    def _completes(self, piece: Claim, claims: Sequence[Claim]) -> bool:
        """True for a piece with a value and no name behind one with a name and no value."""
        bare = bool(piece.values) and not piece.names and not piece.marks
        return bare and bool(claims) and bool(claims[-1].names) and not claims[-1].values

    def _piece(self, text: str, marks: tuple[int, ...], known: Names) -> Claim:
        label = _LABEL.match(text)
        if label is None or len(label[1].split()) > 5:
            return claim(text, known, marks=marks, german=self._german)
        valued = claim(label[2], known, marks=marks, short=is_phrase(label[2]), german=self._german)
        named = labelled(label[1], known, german=self._german)
        return replace(
            valued, names=(*named.names, *valued.names), values=(*named.values, *valued.values),
            rest=(*valued.rest, *named.rest), shown=named.shown | valued.shown,
        )  # fmt: skip

    def _with_results(self, number: int, judged: Judged) -> Judged:
        """A unit whose value stands in no page may follow from others: the arithmetic is done again."""
        unit = self._units[number]
        if judged.sure:
            return judged
        compared = self._comparing.of(unit) if judged.level != "quoted" else None
        if compared is not None and compared.level == "contradicted":
            return compared
        worked_out = None if is_yes_or_no(unit.text) else self._results.of(number, judged, self._first)
        if (worked_out or judged).level not in GOOD_LEVELS:
            said = self._said(unit)
            worked_out = self._elapsed_of(unit) or self._working.of(said) or self._totals.of(said) or worked_out
        if worked_out is not None or compared is None:
            return worked_out or judged
        return compared if _is_better(compared, judged) else judged

    def _as_written(self, unit: Unit, judged: Judged) -> Judged:
        """A unit that is a sentence of a page to the word needs no other ground."""
        literal = None if judged.level in GOOD_LEVELS else self._placing.ground.literal(unit.text)
        return judged if literal is None else Judged("quoted", (self._placing.quote(literal, Claim("")),))

    def _elapsed_of(self, unit: Unit) -> Judged | None:
        """The support of an age or a span, of a lone number with the words of the question."""
        if is_lone(unit, self._units):
            return self._elapsed.answer(unit.text, claim(self._question, self._names))
        return self._elapsed.of(self._said(unit))

    def _said(self, unit: Unit) -> Claim:
        return of_unit(unit, self._names, german=self._german)

    def _again(self, number: int, judged: Judged) -> Judged:
        """A yes or no, and a headline that repeats a result, rest on the other units."""
        unit = self._units[number]
        answers = is_yes_or_no(unit.text)
        if answers and (denied := self._denied_answer(number)) is not None:
            return denied
        if judged.level in GOOD_LEVELS:
            return judged
        if answers:
            others = [j for u, j in zip(self._units, self._first, strict=True) if u is not unit]
            good = bool(others) and all(j.level in GOOD_LEVELS for j in others)
            return Judged("computed" if good else "unsourced")
        return self._repeated(unit, judged) or self._with_results(number, judged)

    def _denied_answer(self, number: int) -> Judged | None:
        """`contradicted` for a yes to what another unit, or the sentence that it quotes, denies."""
        said = self._units[number].text
        more = said_beside(said)
        asked = [self._question] if is_yes(said) else []
        for other, judged in enumerate(self._first):
            if other == number or judged.level not in GOOD_LEVELS:
                continue
            texts = [self._units[other].text, *(quote.quote for quote in judged.quotes[:_QUOTES])]
            if any(stand(one, text).denies for one in (*asked, more) for text in texts):
                return Judged("contradicted", judged.quotes)
        return None

    def _repeated(self, unit: Unit, own: Judged) -> Judged | None:
        """The ground of a short unit whose result another unit works out, or whose value another one states."""
        content = [w for w in words(unit.text) if is_content(w) and not w.isdigit()]
        if len(content) > 12 or not is_short(unit):
            return None
        own_values = values(unit.text)
        for other, judged in zip(self._units, self._first, strict=True):
            states = own.level == "apart" and bool(other.marks) and judged.level == "quoted"
            if other is unit or not (states or judged.level == "computed") or len(other.text) <= len(unit.text):
                continue
            own_words, stated = set(words(other.text)), values(other.text)
            if all(w in own_words for w in content) and all(any(same(v, o) for o in stated) for v in own_values):
                return judged
        return None


def _lent(piece: Claim, before: Sequence[Claim], behind: Sequence[Claim]) -> tuple[str, ...]:
    """What is said of a lone name: with the names behind it (`Ann, Bob and Carl left`), else what was said before."""
    end = next((other for other in behind if not other.names or other.rest or other.values), None)
    if end is not None and end.rest:
        unmarked = bool(piece.marks) and not (end.marks or end.names)  # `Ann [1] and Bob [2] left`
        if unmarked or (end.names and end.names[0][0] in words(end.text)[:3]):
            return end.rest
    return next((other.rest for other in [*reversed(before), *behind] if other.rest), ())


def _is_better(one: Judged, other: Judged) -> bool:
    return ORDER.index(one.level) < ORDER.index(other.level)
