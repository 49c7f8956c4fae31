"""The facts of structured pages, read without a model: `key: value` lines, table rows, sentences on the title.

`The capital of Norway is Oslo.`, `Norway has an area of 323,802 square kilometres.`, `| currency | krone |` and
`founded: 1901` on the page of a title are facts of it; `Norway borders 3 countries: Finland, …` names other pages.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from hds_cli.text import cut_passages

_KEY = re.compile(r"(?P<attr>[^\W\d][\w /()'-]{1,39}?):\s+(?P<value>\S.{0,119})")
_NUMBER = re.compile(r"[-+]?\d[\d,]*(?:\.\d+)?")
_ITEMS = re.compile(r";\s*|,\s+(?:and\s+)?|\s+and\s+")


@dataclass(frozen=True, slots=True)
class Fact:
    """`the {attr} of {title} {verb} {value}`."""

    title: str
    attr: str
    verb: str
    value: str

    @property
    def number(self) -> float | None:
        """The number that the value begins with; None when the value is a code (`+47`) or a word."""
        match = _NUMBER.match(self.value)
        return float(match[0].replace(",", "")) if match and self.value[0].isdigit() else None


@dataclass(frozen=True, slots=True)
class Relation:
    """`{title} {verb} … {nouns}: {items}`; `items` are what it names, titles of pages or not."""

    title: str
    verb: str
    nouns: str
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PageFacts:
    """Everything that was read off one page."""

    title: str
    facts: tuple[Fact, ...]
    relations: tuple[Relation, ...]


def read(title: str, text: str) -> PageFacts:
    """The facts of a page; of two for one attribute the first counts."""
    facts: dict[str, Fact] = {}
    relations: dict[tuple[str, str], Relation] = {}
    for fact in _statements(title, text):
        if isinstance(fact, Fact):
            facts.setdefault(fact.attr, fact)
        else:
            relations.setdefault((fact.verb, fact.nouns), fact)
    return PageFacts(title, tuple(facts.values()), tuple(relations.values()))


def _statements(title: str, text: str) -> Iterator[Fact | Relation]:
    name = re.escape(title)
    of_title = re.compile(rf"The (?P<attr>[\w -]{{2,40}}?) of {name} (?P<verb>is|are)(?: the)? (?P<value>.{{1,120}})")
    has = re.compile(rf"{name} has an? (?P<attr>[\w -]{{2,30}}?) of (?P<value>.{{1,120}})")
    names = re.compile(
        rf"{name} (?P<verb>[a-z]+) (?:\d+ |one |an? )?(?P<nouns>[a-z]+)(?: of its own)?: (?P<items>.{{2,2000}})"
    )
    for cut in cut_passages(text):
        for sentence in cut.sentences:
            line = sentence.strip().rstrip(".")
            if match := names.fullmatch(line):
                yield Relation(title, match["verb"], match["nouns"], items(match["items"]))
            elif match := of_title.fullmatch(line):
                yield Fact(title, match["attr"].strip(), match["verb"], match["value"].strip())
            elif match := has.fullmatch(line):
                yield Fact(title, match["attr"].strip(), "is", match["value"].strip())
            elif (match := _KEY.fullmatch(line)) and title not in match["attr"]:
                yield Fact(title, match["attr"].strip().lower(), "is", match["value"].strip())


def items(text: str) -> tuple[str, ...]:
    """`a, b and c` -> (a, b, c)."""
    return tuple(part.strip() for part in _ITEMS.split(text) if part.strip())
