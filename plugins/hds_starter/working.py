"""A question that was read by rule, worked out from the facts of pages: what to search for next, or the answer.

Every number goes through a checked step (`calculation.py`); every fact stands in the explanation with its passage.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from hds_cli.text import STOPWORDS, has_words, quote_words
from hds_cli.types import Passage
from hds_starter import calculation, names
from hds_starter.forms import MOST_PAGES, Asked, Bound, Set
from hds_starter.spelling import plain
from hds_starter.symbols import held
from hds_starter.told import Fact, Facts, query
from hds_starter.training.facts import FACTS
from hds_starter.training.trajectory import joined

_NAMES = re.compile(r"\b(?:[^\W_a-z]\w*|\d[\d.,]*\d)")
_NOUNS = {"borders": "neighbours", "provinces": "provinces or regions"}
_LONG = 5  # queries of one turn that lead to long sentences
_MOST_LONG = 45  # of them in a run
_LISTS = frozenset({"borders", "provinces"})
"""What stands in long sentences."""
_TITLES = {"Holy See (Vatican City State)": ("Vatican City State",)}
"""Countries that the pages of others have under another name."""


@dataclass(frozen=True)
class Need:
    """Facts that have to be looked up first, as queries."""

    queries: tuple[str, ...]
    long: bool = False

    def turn(self, most: int) -> tuple[str, ...]:
        """The queries of the next turn, `most` of them or fewer."""
        return self.queries[: min(most, _LONG) if self.long else most]


@dataclass(frozen=True)
class Solution:
    """An answer, the facts that it rests on, and the checked step, if there was one."""

    answer: str
    values: tuple[str, ...]
    facts: tuple[Fact, ...]
    step: str = ""
    end: str = ""

    @property
    def explanation(self) -> str:
        stated = [f"{fact.sentence.rstrip('.')} [{fact.n}]." for fact in self.facts]
        return " ".join([*stated, *([self.end] if self.end else [])])

    def agrees(self, answer: str) -> bool:
        """True where an answer in other words gives the same values, not many more, and no name of its own."""
        words = quote_words(answer)
        longest = 4 + 2 * len(quote_words(self.answer).split())
        told = " ".join([self.answer, *(() if self.step else (fact.title for fact in self.facts))])
        others = {quote_words(word) for word in _NAMES.findall(answer)} - {*quote_words(told).split(), *STOPWORDS}
        return all(has_words(words, value) for value in self.values) and len(words.split()) <= longest and not others


class _Lacking(Exception):
    """A page that was sought does not say what is needed."""


class _Needed(Exception):
    def __init__(self, lacking: Sequence[tuple[str, str]]) -> None:
        self.lacking = lacking


def work(asked: Asked, facts: Facts) -> Need | Solution | None:
    """The next step; None where the pages do not hold what the answer needs.

    Args:
        facts: of all passages that were read so far.
    """
    try:
        return _Work(facts).answer(asked)
    except _Needed as needed:
        queries = tuple(dict.fromkeys(query(*one) for one in needed.lacking))
        return Need(queries, any(key in _LISTS for _, key in needed.lacking))
    except _Lacking:
        return None


def solved(asked: Asked, read: Iterable[tuple[str, Passage]], searched: Iterable[str]) -> Solution | None:
    """The answer that passages hold, `searched` being all queries that were asked; None where they do not hold one."""
    step = work(asked, Facts(read, searched))
    return step if isinstance(step, Solution) else None


class _Work:
    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._used: dict[tuple[str, str], Fact] = {}

    def answer(self, asked: Asked) -> Solution:
        solution: Solution = getattr(self, "_is_first" if asked.what == "first" else "_" + asked.what)(asked)
        return solution

    # --- facts and sets ----------------------------------------------------------------------------------------------

    def _get(self, titles: Sequence[str], keys: Sequence[str], *, some: bool = False) -> list[Fact]:
        """The facts of countries; `some`: a page that does not say one is passed over."""
        found: list[Fact] = []
        lacking = []
        for title in titles:
            for key in keys:
                fact = self._facts.get(title, key)
                if fact is not None:
                    found.append(fact)
                elif not self._facts.sought(title, key):
                    lacking.append((title, key))
                elif not some:
                    raise _Lacking
        if len(titles) * len(keys) > (_MOST_LONG if _LISTS & set(keys) else MOST_PAGES):
            raise _Lacking  # more than a run has turns for
        if lacking:
            raise _Needed(lacking)
        self._used |= {(fact.title, fact.key): fact for fact in found}
        return found

    def _titles(self, of: Set) -> tuple[str, ...]:
        """The countries of a set."""
        if of.kind in ("names", "region"):
            return of.names
        if of.kind == "held":
            holding = [fact for fact in self._get(of.names, (of.key,), some=True) if _holds(fact, of.value)]
            return tuple(fact.title for fact in holding)
        assert of.of is not None
        if of.kind == "best":
            return tuple(fact.title for fact in self._first(of)[1])
        if of.kind == "beyond":
            return self._beyond(of)
        around = self._get(self._titles(of.of), ("borders",))
        if of.kind == "common":
            shared = set(around[0].values).intersection(*(fact.values for fact in around))
            return tuple(name for name in around[0].values if name in shared)
        own = self._titles(of.of) if of.kind == "within" else ()
        return tuple(dict.fromkeys([*own, *(name for fact in around for name in fact.values)]))

    def _beyond(self, of: Set) -> tuple[str, ...]:
        """Those of a set with more, or less, than a country or a number."""
        facts = self._get(self._measured(of), (of.key,))
        (bound,) = [fact.number for fact in self._get(of.names, (of.key,))] or [Decimal(of.value)]
        return tuple(fact.title for fact in facts if (fact.number > bound if of.most else fact.number < bound))

    def _measured(self, of: Set) -> tuple[str, ...]:
        """The countries of a set that is ordered: of a region those of which the number is known at all."""
        assert of.of is not None
        titles = self._titles(of.of)
        if of.of.kind == "region":
            titles = tuple(t for t in titles if of.key == "borders" or names.countries()[t].get(of.key))
        return titles

    def _first(self, best: Set) -> tuple[str, list[Fact]]:
        """The checked step of an order, and the facts of those that come first in it."""
        facts = self._get(self._measured(best), (best.key,))
        if len(facts) < 2:
            raise _Lacking
        step = f"[[{'largest' if best.most else 'smallest'}: {_entries(facts)}"
        first = (max if best.most else min)(fact.number for fact in facts)
        return f"{step}]] = {calculation.result(step)}", [fact for fact in facts if fact.number == first]

    # --- answers -----------------------------------------------------------------------------------------------------

    def _solution(self, answer: str, values: Sequence[str], *, step: str = "", end: str = "") -> Solution:
        return Solution(answer, tuple(values), tuple(self._used.values()), step, end)

    def _show(self, asked: Asked) -> Solution:
        titles = self._titles(asked.of)
        if not titles:
            raise _Lacking
        facts = self._get(titles, asked.keys, some=len(titles) > 8)
        told = [fact.text if fact.values else "no land borders" for fact in facts]
        if len(titles) == 1:
            text = "; ".join(told)
            text = f"{titles[0]}: {text}" if asked.of.kind in ("best", "common", "beyond") else text
            return self._solution(text, told)
        if len(asked.keys) == 1:
            return self._solution("; ".join(f"{f.title}: {t}" for f, t in zip(facts, told, strict=True)), told)
        rows = [", ".join(t for f, t in zip(facts, told, strict=True) if f.title == title) for title in titles]
        return self._solution("; ".join(f"{t}: {row}" for t, row in zip(titles, rows, strict=True) if row), told)

    def _list(self, asked: Asked) -> Solution:
        titles = self._titles(asked.of)
        if titles:
            return self._solution(joined(titles), titles)
        if asked.of.kind == "around" and self._used:
            (fact,) = list(self._used.values())[-1:]
            return self._solution(f"{fact.title} has no land borders", ("no land borders",))
        if asked.of.kind == "common":
            return self._solution("no country borders all of them", ("no country",))
        if asked.of.kind == "beyond":
            return self._solution("none of them", ("none",))
        raise _Lacking

    def _count(self, asked: Asked) -> Solution:
        if asked.keys:
            (fact,) = self._get(self._titles(asked.of), asked.keys)
            return self._solution(f"{fact.number:,}", (f"{fact.number:,}",))
        titles = self._titles(asked.of)
        if asked.of.kind == "held" and not titles:
            raise _Lacking
        count = str(len(titles))
        return self._solution(count, (count,), end=f"Counted: {joined(titles)}." if titles else "")

    def _total(self, asked: Asked) -> Solution:
        facts = self._get(self._titles(asked.of), asked.keys)
        step = f"[[sum: {_entries(facts)}"
        total = calculation.result(step) or ""
        return self._solution(f"{total}{_unit(asked.keys[0])}", (total,), step=f"{step}]] = {total}",
                              end=f"Together: {total}{_unit(asked.keys[0])}.")  # fmt: skip

    def _gap(self, asked: Asked) -> Solution:
        facts = self._get(self._titles(asked.of), asked.keys)
        high, low = sorted(facts, key=lambda fact: -fact.number)
        if asked.value and (facts[0].number > facts[1].number) != asked.most:
            raise _Lacking  # how much larger is the smaller one?
        step = f"[[difference: {_entries([high, low])}"
        gap = calculation.result(step) or ""
        unit = _unit(asked.keys[0])
        first = high if asked.most else low
        answer = f"{first.title}, by {gap}{unit}" if asked.either else f"{gap}{unit}"
        return self._solution(answer, (gap,), step=f"{step}]] = {gap}", end=f"{high.title} has {gap}{unit} more.")

    def _best(self, asked: Asked) -> Solution:
        step, first = self._first(asked.of)
        titles = [fact.title for fact in first]
        if len(first) > 1:
            borders = asked.of.key == "borders"
            answer = f"the same: {joined(titles)} have {_said(first[0])} each" if borders else joined(titles)
            return self._solution(answer, titles, step=step)
        return self._solution(titles[0], titles, step=step, end=f"{titles[0]} comes first with {_said(first[0])}.")

    def _yes(self, asked: Asked) -> Solution:
        key = asked.keys[0]
        (fact,) = self._get(asked.of.names, asked.keys)
        if asked.other:
            others = self._get(asked.other, asked.keys)
            return self._same([fact, *others]) if asked.value == "same" else self._compared(asked, fact, others[0])
        if asked.bounds:
            within = all(_is_beyond(fact.number, bound) for bound in asked.bounds)
            return self._verdict(within, f"{fact.title} {_said(fact)}")
        if key == "region":
            lies = names.lies_in(fact.title, asked.value)
            if lies is None:
                raise _Lacking
            return self._verdict(lies, fact.sentence.rstrip("."))
        holds = _holds(fact, asked.value)
        if not holds and not asked.no:
            raise _Lacking  # a language is spoken, and money taken, where the page does not say it
        return self._verdict(holds, fact.sentence.rstrip("."))

    def _compared(self, asked: Asked, fact: Fact, other: Fact) -> Solution:
        if fact.number == other.number and asked.either:
            raise _Lacking
        ground = f"{fact.title} {_said(fact)}, {other.title} {_said(other)}"
        if asked.either:
            words = ("Larger", "Smaller") if fact.key == "area" else ("More", "Fewer")
            word = words[fact.number < other.number]
            return self._solution(f"{word}. {ground}.", (word,))
        return self._verdict(fact.number > other.number if asked.most else fact.number < other.number, ground)

    def _same(self, facts: Sequence[Fact]) -> Solution:
        """Whether all have the same values; of several they may have some in common, which is neither yes nor no."""
        values = [set(fact.values) for fact in facts]
        same = all(value == values[0] for value in values)
        if not same and not any(one.isdisjoint(two) for one, two in itertools.combinations(values, 2)):
            raise _Lacking
        return self._verdict(same, "; ".join(f"{fact.title}: {fact.text}" for fact in facts))

    def _is_first(self, asked: Asked) -> Solution:
        step, first = self._first(asked.of)
        titles = [fact.title for fact in first]
        if len(first) > 1:
            raise _Lacking
        word = "Yes" if titles[0] in asked.other else "No"
        return self._solution(f"{word}. {titles[0]} comes first with {_said(first[0])}.", (word,), step=step)

    def _touch(self, asked: Asked) -> Solution:
        """Whether each of some has a border with each of the others: as the pages of both say, or nothing is said."""
        facts = self._get(asked.of.names, ("borders",))
        if not asked.other:
            return self._verdict(bool(facts[0].values), facts[0].sentence.rstrip("."))
        others = self._get(asked.other, ("borders",))
        holds = True
        for fact in facts:
            for other in others:
                there, back = _lists(fact, other.title), _lists(other, fact.title)
                if there != back:
                    raise _Lacking
                holds = holds and there
        return self._verdict(holds, ". ".join(fact.sentence.rstrip(".") for fact in facts))

    def _verdict(self, holds: bool, ground: str) -> Solution:
        word = "Yes" if holds else "No"
        return self._solution(f"{word}. {ground}.", (word,))


def _holds(fact: Fact, value: str) -> bool:
    """True where a country has a value; `dollar` is one of them for `US Dollar`."""
    if fact.key in ("calling", "domain"):
        return fact.text == value
    if fact.key == "capital" and plain(fact.text).replace(" ", "") == value.replace(" ", ""):
        return True
    if fact.title in held().get(fact.key, {}).get(value, ()):
        return any(has_words(plain(v), value.split()[-1]) or has_words(value, plain(v)) for v in
                   (fact.values or (fact.text,))) or fact.key == "capital"  # fmt: skip
    return any(has_words(plain(v), value) for v in fact.values or (fact.text,))


def _is_beyond(number: Decimal, bound: Bound) -> bool:
    limit = Decimal(bound.value)
    return (bound.equal and number == limit) or (number > limit if bound.most else number < limit)


def _lists(fact: Fact, title: str) -> bool:
    """True where a country's page has another one among its neighbours, by any of its pages' titles."""
    return bool({title, *_TITLES.get(title, ())} & set(fact.values))


def _entries(facts: Sequence[Fact]) -> str:
    return "; ".join(f"{fact.title} {fact.number:,}" for fact in facts)


def _said(fact: Fact) -> str:
    return f"{fact.number:,} neighbours" if fact.key == "borders" else fact.text


def _unit(key: str) -> str:
    return " square kilometres" if key == "area" else ""


def thought(asked: Asked, need: Need) -> str:
    """What the run says of its next searches."""
    keys = [FACTS[key].noun if key in FACTS else _NOUNS[key] for key in asked.keys if key in FACTS or key in _NOUNS]
    meant = f"{' and '.join(asked.read_as)} is meant. " if asked.read_as else ""
    what = f" ({', '.join(keys)})" if keys else ""
    return f"{meant}{len(need.queries)} facts to look up{what}." if len(need.queries) > 1 else f"{meant}I look this up."
