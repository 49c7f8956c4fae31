"""One claim against what was read: the sentence that says it best, or why none does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hds_cli.agent.support.claims import Claim
from hds_cli.agent.support.ground import Ground, Sentence, has_word
from hds_cli.agent.support.values import Value, same
from hds_cli.agent.support.words import is_content, stem, words
from hds_cli.types import Level, Quote

# Tuned on a set of 273 answers by hand, right and wrong, over five collections.
QUOTED = 0.6  # share of the other words of a claim that a sentence has which says it
TOGETHER = 0.34  # the same of a sentence and its neighbours
NAMES_ONLY = 0.5  # the same for a claim without values: its names may stand together for another reason
NEARLY = 0.8  # share of words beyond which a sentence that denies what is said is no ground
_SUBJECT = 5  # words at the beginning of a sentence that say what it is about
MAX_QUOTE = 300  # characters
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


@dataclass(frozen=True)
class Judged:
    """How a claim is supported; `unplaced`: its values that no sentence gives together with the rest."""

    level: Level
    quotes: tuple[Quote, ...] = ()
    missing: tuple[str, ...] = ()
    unplaced: tuple[Value, ...] = ()


@dataclass(frozen=True)
class _Share:
    """Which share of a claim's other words stands in a sentence, in it and its title, and with its neighbours."""

    own: int
    titled: float
    wide: float


class Placing:
    """Looks for claims in what was read.

    Args:
        queries: query -> numbers of the passages that were read for it.
        asked: stems of the question and of the queries.
    """

    def __init__(self, ground: Ground, queries: Mapping[str, Sequence[int]], asked: frozenset[str]) -> None:
        self.ground, self.queries, self.asked = ground, queries, asked

    def place(self, claim: Claim) -> Judged:
        """The best sentence for a claim, and how well it says it."""
        if claim.empty:
            return Judged("unsourced")
        found = {number: set(self.ground.with_value(value)) for number, value in enumerate(claim.values)}
        best: tuple[tuple[int, int, float], Judged] | None = None
        for sentence in self.ground.candidates(claim, found):
            level, share = self._fits(claim, sentence, found)
            if level is None:
                continue
            marked = self.ground.read[sentence.passage].passage.n in claim.marks
            rank = (-ORDER.index(level), int(marked), share)
            if best is None or rank > best[0]:
                best = rank, Judged(level, (self.quote(sentence, claim),))
        return best[1] if best is not None else self._elsewhere(claim)

    def quote(self, sentence: Sentence, claim: Claim) -> Quote:
        """The sentence as a quote, around the first of the claim's values where it is long."""
        passage = self.ground.read[sentence.passage].passage
        places = [v.start for v in sentence.values if any(same(said, v) for said in claim.values)]
        return Quote(passage.n, clip(sentence.text, places[0] if places else 0))

    # --- a sentence that says it ---------------------------------------------------------------------------------

    def _fits(self, claim: Claim, sentence: Sentence, found: Mapping[int, set[int]]) -> tuple[Level | None, float]:
        """How well a sentence says a claim (None: not), and the share of the claim's other words it has."""
        values = self._has_values(claim, sentence, found)
        names = self._has_names(claim, sentence, found)
        terms = self._has_terms(claim, sentence)
        if values is None or names is None or terms is None:
            return None, 0.0
        names_strict, in_body = names
        share = self._share(claim, sentence)
        if self._denied(claim, sentence, share) or not self._says_enough(claim, sentence, share, in_body):
            return None, 0.0
        if self._substituted(claim, sentence, share):
            return None, 0.0
        strict = values and names_strict and terms and claim.negated == sentence.negated
        if strict and (share.titled >= QUOTED or not claim.rest):
            return "quoted", share.titled
        return "together", share.wide

    def _has_values(self, claim: Claim, sentence: Sentence, found: Mapping[int, set[int]]) -> bool | None:
        """True where a sentence or its title gives all values of a claim, False with its neighbours, None where not."""
        head = self.ground.read[sentence.passage].head_values
        strict = True
        for number, value in enumerate(claim.values):
            if sentence.place in found[number] or any(same(value, v) for v in head):
                continue
            # What a sentence names is told in the next one, not in the one before it.
            beside = [s for s in self.ground.around(sentence) if s.place > sentence.place or not claim.names]
            near = any(s.place in found[number] for s in beside)
            if not near or self._has_own(value, claim, sentence):
                return None
            strict = False
        return strict

    def _has_own(self, value: Value, claim: Claim, sentence: Sentence) -> bool:
        """True for a sentence that names what a claim is about and gives a value of its own for it."""
        if not any(has_word(w, sentence.words) for name in claim.names for w in name):
            return False
        others = (v for v in sentence.values if not any(same(said, v) for said in claim.values))
        return any(rivals(value, other) for other in others)

    def _has_names(self, claim: Claim, sentence: Sentence, found: Mapping[int, set[int]]) -> tuple[bool, int] | None:
        """Whether a sentence or its title has all names, and how many the sentence has; None: one is nowhere near."""
        read = self.ground.read[sentence.passage]
        near = self._lent(claim, sentence, found)
        strict, in_body = True, 0
        for name in claim.names:
            body = sum(has_word(w, sentence.words) for w in name)
            head = sum(has_word(w, read.head) for w in name)
            if body and all(has_word(w, read.all) for w in name):
                in_body += body > head or not head
            elif all(has_word(w, read.head) or has_word(w, sentence.words) for w in name):
                continue
            elif all(has_word(w, near) or has_word(w, sentence.words) or has_word(w, read.head) for w in name):
                strict = False
                in_body += 1
            else:
                return None
        return strict, in_body

    def _lent(self, claim: Claim, sentence: Sentence, found: Mapping[int, set[int]]) -> frozenset[str]:
        """The words that the sentences beside one lend it as names: what the one before is about (`It has …`).

        A sentence lends no name that has its own value there (`Mars has 2 moons. Jupiter has 95.`), and none that it
        only mentions (`The capital of Poland is Warsaw. It borders Germany.`).
        """
        lent: set[str] = set()
        for beside in self.ground.around(sentence):
            if self._has_rival(claim, beside, found):
                continue
            if claim.values and any(beside.place in places for places in found.values()):
                lent |= beside.words
            elif beside.place < sentence.place:
                lent.update(words(beside.text)[:_SUBJECT])
        return frozenset(lent)

    def _has_rival(self, claim: Claim, sentence: Sentence, found: Mapping[int, set[int]]) -> bool:
        if not claim.values or not claim.names or any(sentence.place in places for places in found.values()):
            return False
        return any(rivals(value, other) for value in claim.values for other in sentence.values)

    def _has_terms(self, claim: Claim, sentence: Sentence) -> bool | None:
        """True where a sentence has all terms of a claim, False with its title and neighbours, None: not."""
        lacking = [term for term in claim.terms if term not in sentence.stems]
        if not lacking:
            return True
        near = frozenset[str]().union(*(s.stems for s in self.ground.around(sentence)))
        head = self.ground.read[sentence.passage].head_stems
        return False if all(term in near or term in head for term in lacking) else None

    def _share(self, claim: Claim, sentence: Sentence) -> _Share:
        near = frozenset[str]().union(*(s.stems for s in self.ground.around(sentence)))
        head = self.ground.read[sentence.passage].head_stems
        own = sum(key in sentence.stems for key in claim.rest)
        titled = sum(key in sentence.stems or key in head for key in claim.rest)
        wide = sum(key in sentence.stems or key in head or key in near for key in claim.rest)
        count = max(1, len(claim.rest))
        return _Share(own, titled / count, wide / count)

    def _denied(self, claim: Claim, sentence: Sentence, share: _Share) -> bool:
        """True for a sentence that says the contrary: one of the two has a `not` and they have the same words."""
        if claim.negated == sentence.negated:
            return False
        if claim.negated:
            return not any(s.negated for s in self.ground.around(sentence))
        return share.titled >= NEARLY and len(claim.rest) > 1

    def _says_enough(self, claim: Claim, sentence: Sentence, share: _Share, in_body: int) -> bool:
        """True for a sentence that has more of a claim than the name of its page."""
        if claim.rest and not (claim.values or claim.terms or in_body) and not (share.own and share.wide >= TOGETHER):
            return False
        if not (claim.values or claim.names or claim.terms):
            return len(claim.rest) > 1 and share.wide >= NAMES_ONLY
        if not claim.values and len(claim.rest) > 1 and in_body < 3 and share.wide < NAMES_ONLY:
            return False
        return bool(not claim.values or claim.names or claim.terms) or self._on_subject(claim, sentence)

    def _on_subject(self, claim: Claim, sentence: Sentence) -> bool:
        """True for a sentence that shares a word with a bare value's own words, or with what was asked."""
        there = sentence.stems | self.ground.read[sentence.passage].head_stems
        return bool(set(claim.rest) & there) or bool(self.asked & there)

    def _substituted(self, claim: Claim, sentence: Sentence, share: _Share) -> bool:
        """True for a sentence that says nearly the same with one other word: `rural` for `urban landscapes`."""
        if share.titled < 0.5 or not claim.rest:
            return False
        named = {word for name in claim.names for word in name}
        said, there = words(claim.text), words(sentence.text)
        following = {(a, c): b for a, b, c in zip(there, there[1:], there[2:], strict=False)}
        for a, b, c in zip(said, said[1:], said[2:], strict=False):
            other = following.get((a, c))
            if other is None or not (is_content(b) and is_content(other)) or other in named:
                continue
            if not (is_content(a) or is_content(c) or b in named):
                continue
            if stem(b) not in sentence.stems and stem(other) not in claim.rest:
                return True
        return False

    # --- what no sentence says -----------------------------------------------------------------------------------

    def _elsewhere(self, claim: Claim) -> Judged:
        """A claim that no sentence says: its parts in one page, another value in their place, or nowhere."""
        ground = self.ground
        absent = [v for v in claim.values if not ground.pages_with(v)]
        missing = [v.text.strip() for v in absent]
        pages = {url: ground.page(url) for url in ground.urls}
        for name in claim.names:
            if not any(page.has_name(name) for page in pages.values()) and not self._derivative(name):
                missing.append(claim.shown.get(" ".join(name), " ".join(name)))
        missing += [claim.shown.get(t, t) for t in claim.terms if not any(page.has_term(t) for page in pages.values())]
        against = self._against(claim)
        if against is not None and (absent or not missing):
            return Judged("contradicted", (against,), tuple(missing), claim.values)
        if missing:
            return Judged("missing", (), tuple(missing), claim.values)
        if any(self._on_page(claim, url) for url in pages):
            return Judged("apart", self._somewhere(claim), (), claim.values)
        return Judged("unsourced", (), (), claim.values)

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
        start = name[0][:4]
        return any(word.startswith(start) for read in self.ground.read for word in read.all if len(word) > 4)

    def _somewhere(self, claim: Claim) -> tuple[Quote, ...]:
        sentences = self.ground.candidates(claim, {})
        return (self.quote(sentences[0], claim),) if sentences else ()

    def _against(self, claim: Claim) -> Quote | None:
        """A sentence that has all of a claim but another value in the place of one of its values."""
        wrong = [v for v in claim.values if not self.ground.with_value(v)] or list(claim.values)
        if not wrong or len(claim.values) > 3:
            return None
        if not (claim.rest or claim.names):
            return self._against_bare(claim, wrong)
        for sentence in self.ground.candidates(claim, {}):
            read = self.ground.read[sentence.passage]
            if not all(has_word(w, sentence.words) or has_word(w, read.head) for name in claim.names for w in name):
                continue
            share = self._share(claim, sentence)
            if not share.own or share.titled < 0.5:
                continue
            others = [v for v in sentence.values if not any(same(said, v) for said in claim.values)]
            said_here = any(same(value, v) for value in wrong for v in sentence.values)
            if not said_here and any(rivals(value, other) for value in wrong for other in others):
                return self.quote(sentence, claim)
        return None

    def _against_bare(self, claim: Claim, wrong: Sequence[Value]) -> Quote | None:
        """A sentence that has all of a query and another value than the one that was answered alone."""
        for query, numbers in self.queries.items():
            asked = {stem(word) for word in words(query) if is_content(word)}
            for number in numbers:
                read = self.ground.read[self.ground.numbers[number]]
                for sentence in (self.ground.sentences[place] for place in read.sentences):
                    if not (asked & sentence.stems and asked <= sentence.stems | read.head_stems):
                        continue
                    if any(rivals(value, other) for value in wrong for other in sentence.values):
                        return self.quote(sentence, claim)
        return None


def rivals(value: Value, other: Value) -> bool:
    """True for two values of one kind, of which only one can be right in one place."""
    if value.kind != other.kind:
        return "date" in (value.kind, other.kind) and bool(value.years and other.years)
    if value.kind != "number":
        return True
    if value.is_year != other.is_year or value.worded != other.worded:
        return False
    return (value.dimension, bool(value.currency)) == (other.dimension, bool(other.currency))


def clip(quote: str, at: int) -> str:
    """At most `MAX_QUOTE` characters of whole words of a quote, around a place in it."""
    if len(quote) <= MAX_QUOTE:
        return quote
    at = max(0, at - 100)
    start = quote.rfind(" ", 0, at) + 1 if at else 0
    end = quote.rfind(" ", start, start + MAX_QUOTE)
    return quote[start : end if end > start else start + MAX_QUOTE]
