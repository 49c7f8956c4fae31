"""The door for verifiers, and what is made of what they say: which passages a unit is compared with, and its grade.

Strings, values and names are compared before (`support/`). A verifier reads whether a passage says the same.
"""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

from hds_cli.agent.support.claims import is_short, is_yes_or_no
from hds_cli.agent.support.message import Unit
from hds_cli.agent.support.placing import clip
from hds_cli.agent.support.quotations import is_quotation
from hds_cli.text import BM25, cut_passages, overlap, sentences, terms
from hds_cli.types import Level, Passage, Quote, Support

GROUP = "hds.verifiers.v1"
BUILTIN = "small"
NEEDS = ("verify", "sure_supported", "sure_contradicted", "close")
MOST_PAIRS = 1000  # units with passages that are compared
PASSAGES_OF_UNIT = 3
WORDS = 250  # of a passage that a verifier reads, about 350 tokens
LONGEST, _BEFORE = 600, 200  # characters of a claim, and of the sentence before it
_LOOKED_AT = 2000  # passages
_REFERS = re.compile(r"(?:it|its|he|his|him|she|her|they|their|this|that|these|those)\b", re.IGNORECASE)
_LOOK = 0.05  # seconds between two looks at whether anybody still waits


class Text(NamedTuple):
    """What a verifier reads of a passage: the title of its page, and its words."""

    title: str
    text: str


class Odds(NamedTuple):
    """The probabilities that a passage says a claim, says something else in its place, or says neither."""

    supported: float
    contradicted: float
    absent: float


class Verifier(Protocol):
    """The interface of what an entry point of `hds.verifiers.v1` makes: `open(engine) -> Verifier`.

    It is called with the engine of the run (None: there is none), whose weights it may share.

    Attributes:
        sure_supported: the probability from which on a claim counts as verified.
        sure_contradicted: the same for contradicted.
    """

    sure_supported: float
    sure_contradicted: float

    def verify(
        self, passages: Sequence[Text], claims: Sequence[Sequence[str]], late: Callable[[], bool]
    ) -> list[list[Odds | None]]:
        """The probabilities of the claims that are compared with each passage, in their order.

        Args:
            late: true once nobody waits any longer; what was not compared by then is None.

        Raises:
            HdsError: the model is missing or unusable.
        """

    def close(self) -> None:
        """Give back what it holds."""


class Abortable(Protocol):
    """What works for a verifier, and can be told to end: all work ends from `abort` until `resume`."""

    def abort(self) -> None: ...

    def resume(self) -> None: ...


@contextlib.contextmanager
def heeding(late: Callable[[], bool], work: Abortable) -> Iterator[None]:
    """A context in which work ends soon after `late` says so, even in the middle of a batch."""
    done = threading.Event()

    def watch() -> None:
        while not done.wait(_LOOK):
            if late():
                work.abort()
                return

    watcher = threading.Thread(target=watch, daemon=True, name="hds-verify")
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()
        work.resume()


@dataclass(frozen=True)
class Compared:
    """The support of the units of a text after a verifier was asked, and the number of those it had no time for."""

    support: tuple[Support, ...]
    left: int = 0


def asks(support: Support) -> bool:
    """True for a unit that a verifier is asked about: neither proven by strings nor worked out."""
    return support.level not in ("quoted", "computed") and not is_yes_or_no(support.text)


def self_contained(texts: Sequence[str], question: str) -> list[str]:
    """The units of a text as claims that stand alone.

    A short answer stands behind its question; a sentence that begins with `It` or `She` behind the one before.
    """
    claims = []
    for before, text in zip(["", *texts], texts, strict=False):
        if question and is_short(Unit(text, 0, len(text))):
            text = f"{question.strip()[-2 * _BEFORE :]} {text}"
        elif before and _REFERS.match(text):
            text = f"{before[-_BEFORE:]} {text}"
        claims.append(text[:LONGEST])
    return claims


def compare(
    support: Sequence[Support],
    claims: Sequence[str],
    passages: Sequence[Passage],
    verifier: Callable[[], Verifier],
    late: Callable[[], bool],
) -> Compared:
    """Ask a verifier about the units that are not proven, and grade those it is sure of.

    Args:
        claims: what each unit says, as it is read.
        passages: all that was read; `Support.marks` are their numbers.
        verifier: opens it; called only if there is something to ask.
    """
    asked = [place for place, one in enumerate(support) if asks(one)]
    if not asked or not passages:
        return Compared(tuple(support))
    near = _Near(passages)
    wanted: dict[int, list[int]] = {}  # unit -> passages, the likeliest first
    for place in asked:
        if sum(map(len, wanted.values())) < MOST_PAIRS:
            wanted[place] = near.to(claims[place], support[place].marks)
    if not any(wanted.values()):
        return Compared(tuple(support))
    opened = verifier()
    found, missed = _read(wanted, near, claims, opened, late)
    missed.update(place for place in asked if place not in wanted)
    graded = list(support)
    for place, of_unit in found.items():
        unit = _graded(support[place], of_unit, near, claims[place], opened)
        if place not in missed or unit.level == "verified":  # another passage may still say what this one denies
            graded[place] = unit
            missed.discard(place)
    return Compared(tuple(graded), len(missed))


def _read(
    wanted: Mapping[int, Sequence[int]],
    near: _Near,
    claims: Sequence[str],
    verifier: Verifier,
    late: Callable[[], bool],
) -> tuple[dict[int, list[tuple[int, Odds]]], set[int]]:
    """The probabilities of each unit by passage, and the units whose passages were not all read.

    The likeliest passage of each unit is read first, with all units that want it; one that says a unit ends its search.
    """
    found: dict[int, list[tuple[int, Odds]]] = {}
    open_units = {place: list(numbers) for place, numbers in wanted.items()}
    missed: set[int] = set()
    while open_units := {place: numbers for place, numbers in open_units.items() if numbers}:
        turn = list(dict.fromkeys(numbers[0] for numbers in open_units.values()))
        places = [[place for place, numbers in open_units.items() if number in numbers] for number in turn]
        texts = [near.text(number, [claims[place] for place in of]) for number, of in zip(turn, places, strict=True)]
        answers = verifier.verify(texts, [[claims[place] for place in of] for of in places], late)
        for number, of, odds in zip(turn, places, answers, strict=True):
            for place, one in zip(of, odds, strict=True):
                open_units[place].remove(number)
                if one is None:
                    missed.add(place)
                    continue
                found.setdefault(place, []).append((number, one))
        for place, of_unit in found.items():
            if place in open_units and any(one.supported >= verifier.sure_supported for _, one in of_unit):
                open_units[place] = []
    return found, missed


def _graded(
    support: Support, found: Sequence[tuple[int, Odds]], near: _Near, claim: str, verifier: Verifier
) -> Support:
    """The grade of a unit by the passage that says it most surely, or the one that says another thing."""
    for_it, said = max(found, key=lambda one: one[1].supported)
    against, unsaid = max(found, key=lambda one: one[1].contradicted)
    level: Level = support.level
    quotes = support.quotes
    if said.supported >= verifier.sure_supported and _may_rise(support):
        level, quotes = "verified", (near.quote(for_it, claim),)
    elif unsaid.contradicted >= verifier.sure_contradicted and said.supported < 0.5:
        level, quotes = "contradicted", (near.quote(against, claim),)
    return replace(
        support, level=level, quotes=quotes, probability=round(said.supported, 4),
        missing=() if level == "verified" else support.missing,
    )  # fmt: skip


def _may_rise(support: Support) -> bool:
    """False where values or quoted words stand nowhere, or others stand in their place: they prove more."""
    if support.level == "contradicted" or any(map(is_quotation, support.missing)):
        return False
    return not any(character.isdigit() for part in support.missing for character in part)


class _Near:
    """The passages of a run by the words that they share with a claim."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        self._passages = list({p.n: p for p in passages}.values())[:_LOOKED_AT]
        self._places = {passage.n: place for place, passage in enumerate(self._passages)}
        self._index = BM25([f"{p.title} {p.heading} {p.text}" for p in self._passages])

    def to(self, claim: str, marks: Sequence[int]) -> list[int]:
        """The numbers of the passages to compare a claim with: those it names, then those that share its words."""
        scores = self._index.scores(terms(claim))
        order = sorted(range(len(scores)), key=lambda place: -scores[place])
        named = [n for n in marks if n in self._places]
        sharing = [self._passages[place].n for place in order[:PASSAGES_OF_UNIT] if scores[place] > 0]
        return list(dict.fromkeys([*named, *sharing]))[: max(PASSAGES_OF_UNIT, min(len(named), 2 * PASSAGES_OF_UNIT))]

    def text(self, number: int, claims: Sequence[str]) -> Text:
        """What is read of a passage: all of it, or the part that shares most words with the claims."""
        passage = self._passages[self._places[number]]
        sought = set(terms(" ".join(claims)))
        parts = [cut.text for cut in cut_passages(passage.text, WORDS)] or [passage.text]
        best = max(parts, key=lambda part: len(sought & set(terms(part))))
        return Text(passage.title, best.strip())

    def quote(self, number: int, claim: str) -> Quote:
        """The sentence of a passage that shares most with a claim."""
        text = self._passages[self._places[number]].text
        sought = terms(claim)
        best = max(sentences(text) or [text], key=lambda sentence: overlap(terms(sentence), sought))
        return Quote(number, clip(best, 0))


__all__ = ["BUILTIN", "GROUP", "Compared", "Odds", "Text", "Verifier", "asks", "compare", "self_contained"]
