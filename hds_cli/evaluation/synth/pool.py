"""The pages that questions are made from: their facts, the facts that tell them apart, the pages they name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hds_cli.evaluation.synth import facts
from hds_cli.evaluation.synth.facts import Fact, PageFacts, Relation
from hds_cli.text import fold, terms
from hds_cli.types import Document

_MAX_WORDS = 5  # the most words in a value that describes a page
_SHARED = 4  # letters that two words share: `Norwegian` gives `Norway` away
_COMMON = 0.2  # an attribute is asked for when so large a share of the pages has it


@dataclass(frozen=True)
class Pool:
    """Pages by title; `describing`: the facts that no other page has; `numbers`: attributes to compare by.

    `noun` is what the pages are called by the pages themselves (`borders 3 countries` -> country).
    """

    pages: Mapping[str, PageFacts]
    describing: Mapping[str, tuple[Fact, ...]]
    numbers: tuple[str, ...]
    relations: tuple[tuple[str, str], ...]
    noun: str

    def value(self, title: str, attr: str) -> Fact | None:
        """The fact on `attr` of a page."""
        return next((fact for fact in self.pages[title].facts if fact.attr == attr), None)

    def relation(self, title: str, kind: tuple[str, str]) -> Relation | None:
        """The relation of a kind that a page states."""
        return next((r for r in self.pages[title].relations if (r.verb, r.nouns) == kind), None)


def make(documents: Iterable[Document]) -> Pool:
    """Read the pages; two pages of one title are both left out."""
    read = [facts.read(d.title, d.text) for d in documents if d.title.strip()]
    seen = Counter(page.title for page in read)
    pages = {page.title: page for page in sorted(read, key=lambda p: p.title) if seen[page.title] == 1}
    owners = Counter((f.attr, f.value.casefold()) for page in pages.values() for f in page.facts)
    describing = {
        title: tuple(f for f in page.facts if owners[f.attr, f.value.casefold()] == 1 and _describes(f))
        for title, page in pages.items()
    }
    relations = _relations(pages)
    nouns = Counter(kind[1] for kind in relations)
    noun = _singular(nouns.most_common(1)[0][0]) if nouns else "entry"
    return Pool(pages, {t: f for t, f in describing.items() if f}, _numbers(pages), relations, noun)


def _describes(fact: Fact) -> bool:
    """True for a fact that can describe its page: short, no quantity, and not a name close to the title."""
    if fact.number is not None or len(fact.value.split()) > _MAX_WORDS:
        return False
    return not alike(fact.value, fact.title)


def alike(text: str, title: str) -> bool:
    """True when a word of `text` begins like a word of `title`, which would give the name away."""
    stems = {word[:_SHARED] for word in terms(text)}
    return any(word[:_SHARED] in stems for word in terms(title)) or fold(text) in fold(title)


def _numbers(pages: Mapping[str, PageFacts]) -> tuple[str, ...]:
    counted = Counter(f.attr for page in pages.values() for f in page.facts if f.number is not None)
    return tuple(sorted(attr for attr, n in counted.items() if n >= max(2, _COMMON * len(pages))))


def _relations(pages: Mapping[str, PageFacts]) -> tuple[tuple[str, str], ...]:
    """The kinds of relations between pages: more than half of the items of such a kind are titles of pages."""
    named: Counter[tuple[str, str]] = Counter()
    known: Counter[tuple[str, str]] = Counter()
    for page in pages.values():
        for relation in page.relations:
            named[relation.verb, relation.nouns] += len(relation.items)
            known[relation.verb, relation.nouns] += sum(item in pages for item in relation.items)
    return tuple(sorted(kind for kind, n in named.items() if known[kind] * 2 > n))


def _singular(noun: str) -> str:
    if noun.endswith("ies"):
        return noun[:-3] + "y"
    return noun.removesuffix("s")
