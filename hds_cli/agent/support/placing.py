"""One claim against what was read: the sentence that says it best, or why none does."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from hds_cli.agent.support.arithmetic import derived, is_quotient, product
from hds_cli.agent.support.binding import misbound
from hds_cli.agent.support.claims import Claim
from hds_cli.agent.support.contexts import exchanged, renames, swaps
from hds_cli.agent.support.denying import stand
from hds_cli.agent.support.fitting import Fitting, rivals, says_it_of_another
from hds_cli.agent.support.ground import Ground, Page, Sentence, has_word
from hds_cli.agent.support.rates import is_for_another_time, speaks_of_whole
from hds_cli.agent.support.values import Value, is_once, same
from hds_cli.agent.support.words import content_stems, is_denial, stem, words
from hds_cli.types import Level, Quote

MAX_QUOTE = 300  # characters
_NEARLY = 0.8  # share of a claim's words that a sentence on the same has
_DENIED = 3  # words of a claim without names that a sentence may deny
_MOST_INPUTS = 24  # values of a sentence
ORDER: tuple[Level, ...] = (
    "quoted",
    "computed",
    "verified",
    "together",
    "apart",
    "unsourced",
    "missing",
    "contradicted",
)


_DERIVED = re.compile(
    r"(?:\s[^\W\d]{1,20})?\s(?:more|fewer|less|larger|smaller|longer|shorter|higher|lower|taller|older|younger|earlier|later"
    r"|after|before|than)\b"
)
"""Behind a number that was worked out, `29 more games`, `twelve years after`: no page need have it. English: in other
languages such a number is compared with those of the pages."""
_OTHERS = re.compile(r"\b(?:not|no|others?|rest|remain\w*|left|without|outside)\b|n't\b", re.IGNORECASE)
"""In a claim about what is left of a whole."""


@dataclass(frozen=True)
class Judged:
    """The support of a claim.

    `unplaced`: its values that no sentence gives together with the rest; `sure`: nothing that is worked out changes it.
    """

    level: Level
    quotes: tuple[Quote, ...] = ()
    missing: tuple[str, ...] = ()
    unplaced: tuple[Value, ...] = ()
    sure: bool = False


class Placing:
    """Looks for claims in what was read.

    Args:
        queries: query -> numbers of the passages that were read for it.
        asked: stems of the question and of the queries.
        language: that of the message; None: nothing tells it.
    """

    def __init__(
        self,
        ground: Ground,
        queries: Mapping[str, Sequence[int]],
        asked: frozenset[str],
        question: str,
        language: str | None = None,
    ) -> None:
        self.ground, self.queries, self.asked = ground, queries, asked
        self.fitting = Fitting(ground, queries, question, language)
        self._is_foreign = bool(ground.read) and all(ground.is_foreign(read, language) for read in ground.read)

    def place(self, claim: Claim, may_say: Callable[[Sentence], bool] = lambda _: True) -> Judged:
        """The best sentence for a claim, and how well it says it; `may_say`: false for a sentence that is none."""
        if claim.empty:
            return Judged("unsourced")
        by_value = {number: set(self.ground.with_value(value)) for number, value in enumerate(claim.values)}
        best: tuple[tuple[int, int, float], Judged] | None = None
        said, other, renamed, against = frozenset[str](), None, None, None
        for sentence in self.ground.candidates(claim, by_value):
            level, share = self.fitting.fits(claim, sentence, by_value)
            changed = self._has_other_value(claim, sentence) or swaps(claim.text, sentence.text)
            if changed and self._is_about(claim, sentence):
                other = other or sentence
                continue
            if renames(claim.text, sentence.text):
                renamed = renamed or (sentence if self._says_all_else(claim, sentence) else None)
                continue
            if level is None or not may_say(sentence):
                told = against is None and bool(claim.values) and not speaks_of_whole(claim.text)
                about = told and self._says_all_else(claim, sentence) and self._is_about(claim, sentence)
                if about and says_it_of_another(claim, sentence.text):
                    against = sentence
                continue
            marked = self.ground.read[sentence.passage].passage.n in claim.marks
            rank = (-ORDER.index(level), int(marked), share)
            if best is None or rank > best[0]:
                best, said = (rank, Judged(level, (self.quote(sentence, claim),))), self._own(claim, sentence)
        if other is not None and (best is None or best[1].level != "quoted"):
            missing = tuple(v.text.strip() for v in claim.values if not self.ground.pages_with(v))
            return Judged("contradicted", (self.quote(other, claim),), missing, claim.values, sure=True)
        if renamed is not None and best is not None and best[1].level != "quoted":
            return Judged("apart", (self.quote(renamed, claim),), (), claim.values)
        is_better = best is not None and best[1].level == "quoted"
        if against is not None and not is_better and all(map(self.ground.has_value, claim.values)):
            return Judged("contradicted", (self.quote(against, claim),), (), claim.values)
        if best is None:
            return self._elsewhere(claim)
        may_be_denied = best[0][2] < 1 and not any(map(is_denial, words(claim.text)))
        denying = self._denying(claim, said) if may_be_denied else None
        return best[1] if denying is None else Judged("contradicted", (denying,), (), claim.values)

    def _has_other_value(self, claim: Claim, sentence: Sentence) -> bool:
        """True for a sentence that says a claim with another value, of which the claim's is not what is left."""
        found = exchanged(claim, sentence.text)
        if found is None or _is_of_no_page(found[0], claim.text):
            return False
        own, other = found
        if speaks_of_whole(claim.text) and _is_more(own, [other]):
            return False
        if is_for_another_time(claim.text, own, sentence.text, other):
            return False
        is_left = _OTHERS.search(claim.text) is not None
        if is_left and own.dimension == "%":
            return not _is_rest(own, other)
        if not is_left or own.kind != "number" or other.kind != "number" or own.number >= other.number:
            return True
        return all(not same(other, value) for value in derived(own, sentence.values[:_MOST_INPUTS], claim.text) or ())

    def _is_about(self, claim: Claim, sentence: Sentence) -> bool:
        """True for a sentence with all names of a claim, or nearly all of its words where it has no name."""
        has = sentence.words | sentence.head.words
        if claim.names:
            return all(has_word(word, has) for name in claim.names for word in name)
        return self._says_all_else(claim, sentence)

    def _says_all_else(self, claim: Claim, sentence: Sentence) -> bool:
        """True for a sentence with nearly all words of a claim that are no names."""
        return len(self._own(claim, sentence)) >= max(2, _NEARLY * (len(claim.rest) + len(claim.terms)))

    def _own(self, claim: Claim, sentence: Sentence) -> frozenset[str]:
        """The words of a claim that a sentence has by itself."""
        return sentence.stems.intersection((*claim.rest, *claim.terms))

    def quote(self, sentence: Sentence, claim: Claim) -> Quote:
        """The sentence as a quote, around the first of the claim's values where it is long."""
        passage = self.ground.read[sentence.passage].passage
        places = [v.start for v in sentence.values if any(same(stated, v) for stated in claim.values)]
        return Quote(passage.n, clip(sentence.written, places[0] if places else 0))

    # --- what no sentence says -----------------------------------------------------------------------------------

    def _elsewhere(self, claim: Claim) -> Judged:
        """A claim that no sentence says: its parts in one page, another value in their place, or nowhere."""
        ground = self.ground
        absent = [v for v in claim.values if not ground.pages_with(v)]
        pages = {url: ground.page(url) for url in ground.urls}
        missing = [v.text.strip() for v in absent] + ([] if self._is_foreign else self._missing(claim, pages))
        against = self._against(claim) or self._bound(claim)
        denying = self._denying(claim) if against is None else None
        if (told := against or denying) is not None and (absent or not missing):
            nameless = denying is not None and not claim.names  # its pieces have no name that would be missed
            return Judged("contradicted", (told,), tuple(missing), claim.values, sure=nameless)
        if missing:
            return Judged("missing", (), tuple(missing), claim.values)
        if any(self._on_page(claim, url) for url in pages):
            return Judged("apart", self._somewhere(claim), (), claim.values)
        return Judged("unsourced", (), (), claim.values)

    def _missing(self, claim: Claim, pages: Mapping[str, Page]) -> list[str]:
        """The names and terms of a claim that no page has, as they are written in it.

        None is asked for in a message in another language than all pages: nobody knows what it is called there.
        """
        missing: list[str] = []
        for name in claim.names:
            if not any(page.has_name(name) for page in pages.values()) and not self._derivative(name):
                missing.append(claim.shown.get(" ".join(name), " ".join(name)))
        lacking = (term for term in claim.terms if not any(page.has_term(term) for page in pages.values()))
        return missing + [claim.shown.get(term, term) for term in lacking]

    def _on_page(self, claim: Claim, url: str) -> bool:
        """True for a page that has every part of a claim somewhere."""
        page = self.ground.page(url)
        parts = len(claim.values) + len(claim.names) + len(claim.terms)
        return (
            (parts > 1 or (parts == 1 and not claim.rest))
            and all(url in self.ground.pages_with(v) for v in claim.values)
            and all(page.has_name(name) for name in claim.names)
            and all(page.has_term(term) for term in claim.terms)
        )

    def _derivative(self, name: tuple[str, ...]) -> bool:
        """True for a name that pages have as another word of its family: `Scottish` for `Scotland`."""
        if len(name) > 1 or len(name[0]) < 4:
            return False
        return name[0][:4] in self.ground.starts

    def _somewhere(self, claim: Claim) -> tuple[Quote, ...]:
        sentences = self.ground.candidates(claim, {})
        return (self.quote(sentences[0], claim),) if sentences else ()

    def _bound(self, claim: Claim) -> Quote | None:
        """A list that gives a value of a claim to another name, and another value to its own."""
        by_value = {number: set(self.ground.with_value(value)) for number, value in enumerate(claim.values)}
        sentences = self.ground.candidates(claim, by_value) if by_value and claim.names else ()
        return next((self.quote(s, claim) for s in sentences if misbound(claim, s.text)), None)

    def _against(self, claim: Claim) -> Quote | None:
        """A sentence that has all of a claim but another value in the place of one of its values."""
        wrong = [v for v in claim.values if not self.ground.has_value(v)] or list(claim.values)
        wrong = [v for v in wrong if not _is_of_no_page(v, claim.text)]
        if not wrong or len(claim.values) > 3:
            return None
        if not (claim.rest or claim.names):
            return self._against_bare(claim, wrong)
        for sentence in self.ground.candidates(claim, {}):
            if not all(
                has_word(w, sentence.words) or has_word(w, sentence.head.words) for name in claim.names for w in name
            ):
                continue
            share = self.fitting.share(claim, sentence)
            if not share.own or share.titled < 0.5:
                continue
            others = [v for v in sentence.values if not any(same(stated, v) for stated in claim.values)]
            given = (*sentence.values, *sentence.head.values)
            if not all(v in wrong or any(same(v, other) for other in given) for v in claim.values):
                continue
            said_here = any(same(value, v) for value in wrong for v in sentence.values)
            against = [(value, other) for value in wrong for other in others if rivals(value, other)]
            disputed = list(
                dict.fromkeys(a for a, b in against if not is_for_another_time(claim.text, a, sentence.text, b))
            )
            if speaks_of_whole(claim.text):
                disputed = [value for value in disputed if not _is_more(value, others)]
            if not said_here and any(not _worked_out(value, sentence.values, claim.text) for value in disputed):
                return self.quote(sentence, claim)
        return None

    def _denying(self, claim: Claim, beyond: frozenset[str] | None = None) -> Quote | None:
        """A sentence with the names and values of a claim that denies it, or with nearly all words of a nameless one.

        Args:
            beyond: it has one of the claim's other words that is not among these.
        """
        names = frozenset(stem(word) for name in claim.names for word in name)
        for sentence in self.ground.candidates(claim, {}):
            has = sentence.words | sentence.head.words
            if not all(has_word(word, has) for name in claim.names for word in name):
                continue
            if not names and (len(claim.rest) < _DENIED or self.fitting.share(claim, sentence).titled < _NEARLY):
                continue
            given = (*sentence.values, *sentence.head.values)
            said = all(any(same(value, other) for other in given) for value in claim.values)
            nearer = beyond is None or bool(self._own(claim, sentence) - beyond)
            if said and nearer and stand(claim.text, sentence.text, names).denies:
                return self.quote(sentence, claim)
        return None

    def _against_bare(self, claim: Claim, wrong: Sequence[Value]) -> Quote | None:
        """A sentence that has all of a query and another value than the one that was answered alone."""
        for query, numbers in self.queries.items():
            asked = set(content_stems(query))
            for number in numbers:
                read = self.ground.read[self.ground.numbers[number]]
                for sentence in (self.ground.sentences[place] for place in read.sentences):
                    if not (asked & sentence.stems and asked <= sentence.stems | sentence.head.stems):
                        continue
                    if any(rivals(value, other) for value in wrong for other in sentence.values):
                        return self.quote(sentence, claim)
        return None


def _is_of_no_page(value: Value, text: str) -> bool:
    """True for a number that was worked out, and for an English `once`."""
    return is_once(value, text) or (
        value.kind == "number" and not value.is_year and _DERIVED.match(text, value.end) is not None
    )


def _worked_out(value: Value, inputs: Sequence[Value], text: str) -> bool:
    """True for a value that follows from those of a sentence, such as what is left of 100 % for the others."""
    parts = [v for v in inputs if v.dimension == "%"] if value.dimension == "%" and _OTHERS.search(text) else ()
    given = inputs[:_MOST_INPUTS]
    if any(_is_rest(value, part) for part in parts) or derived(value, given, text) is not None:
        return True
    return value.kind == "number" and (product(value, given) is not None or is_quotient(value, given))


def _is_more(value: Value, parts: Sequence[Value]) -> bool:
    """True for a number that is more than each of those that may be a part of it."""
    return value.kind == "number" and all(part.number < value.number for part in parts if rivals(value, part))


def _is_rest(value: Value, other: Value) -> bool:
    return any(abs(a + b - 100) < 1e-6 for a in value.readings for b in other.readings)


def clip(quote: str, at: int) -> str:
    """At most `MAX_QUOTE` characters of whole words of a quote, around a place in it."""
    if len(quote) <= MAX_QUOTE:
        return quote
    at = max(0, at - 100)
    start = quote.rfind(" ", 0, at) + 1 if at else 0
    end = quote.rfind(" ", start, start + MAX_QUOTE)
    return quote[start : end if end > start else start + MAX_QUOTE]
