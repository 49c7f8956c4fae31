"""A question that was read by rule, worked out from the facts of pages: what to search for next, or the answer.

Every number goes through a checked step (`calculation.py`); every fact stands in the explanation with its passage.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from hds_cli.text import has_words, quote_words
from hds_cli.types import Passage
from hds_starter import calculation, names
from hds_starter.asking import MOST_PAGES, NUMERIC, Asked, Set
from hds_starter.symbols import held
from hds_starter.told import Fact, Facts, query
from hds_starter.training.facts import FACTS
from hds_starter.training.trajectory import joined

_NOUNS = {"borders": "neighbours", "provinces": "provinces or regions"}
_LONG = 5  # queries of one turn that lead to long sentences
_MOST_LONG = 45  # of them in a run
_LISTS = frozenset({"borders", "provinces"})
"""What stands in long sentences."""


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
        """True where an answer in other words gives the same values, and not many more."""
        words = quote_words(answer)
        longest = 4 + 2 * len(quote_words(self.answer).split())
        return all(has_words(words, value) for value in self.values) and len(words.split()) <= longest


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
        solution: Solution = getattr(self, "_" + asked.what)(asked)
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
        around = self._get(self._titles(of.of), ("borders",))
        if of.kind == "common":
            shared = set(around[0].values).intersection(*(fact.values for fact in around))
            return tuple(name for name in around[0].values if name in shared)
        return tuple(dict.fromkeys(name for fact in around for name in fact.values))

    def _first(self, best: Set) -> tuple[str, list[Fact]]:
        """The checked step of an order, and the facts of those that come first in it."""
        assert best.of is not None
        titles = self._titles(best.of)
        if best.of.kind == "region":
            titles = tuple(t for t in titles if best.key == "borders" or names.countries()[t].get(best.key))
        facts = self._get(titles, (best.key,))
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
            text = "; ".join(told) if asked.of.kind != "best" else f"{titles[0]}: {'; '.join(told)}"
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
        step = f"[[difference: {_entries([high, low])}"
        gap = calculation.result(step) or ""
        unit = _unit(asked.keys[0])
        return self._solution(
            f"{gap}{unit}", (gap,), step=f"{step}]] = {gap}", end=f"{high.title} has {gap}{unit} more."
        )

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
            (other,) = self._get(asked.other, asked.keys)
            if asked.value == "same":
                same = set(fact.values) & set(other.values)
                return self._verdict(bool(same), f"{fact.title}: {fact.text}; {other.title}: {other.text}")
            more = fact.number > other.number if asked.most else fact.number < other.number
            return self._verdict(more, f"{fact.title} {_said(fact)}, {other.title} {_said(other)}")
        if key in NUMERIC:
            bound = Decimal(asked.value)
            more = fact.number > bound if asked.most else fact.number < bound
            return self._verdict(more, f"{fact.title} {_said(fact)}")
        if key == "region":
            return self._verdict(fact.title in names.regions().get(asked.value, ()), fact.sentence.rstrip("."))
        return self._verdict(_holds(fact, asked.value), fact.sentence.rstrip("."))

    def _touch(self, asked: Asked) -> Solution:
        (fact,) = self._get(asked.of.names, ("borders",))
        holds = set(asked.other) <= set(fact.values) if asked.other else bool(fact.values)
        return self._verdict(holds, fact.sentence.rstrip("."))

    def _verdict(self, holds: bool, ground: str) -> Solution:
        word = "Yes" if holds else "No"
        return self._solution(f"{word}. {ground}.", (word,))


def _holds(fact: Fact, value: str) -> bool:
    """True where a country has a value; `dollar` is one of them for `US Dollar`."""
    if fact.key in ("calling", "domain"):
        return fact.text == value
    if fact.title in held().get(fact.key, {}).get(value, ()):
        return any(has_words(names.plain(v), value.split()[-1]) or has_words(value, names.plain(v)) for v in
                   (fact.values or (fact.text,))) or fact.key == "capital"  # fmt: skip
    return any(has_words(names.plain(v), value) for v in fact.values or (fact.text,))


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
