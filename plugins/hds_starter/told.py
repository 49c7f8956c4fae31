"""The facts that passages of the collection `world` tell: a value, the sentence that says it, and the passage's number.

Subject and value stand in one sentence of the country's own page, or there is no fact.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from hds_cli.types import Passage
from hds_starter import names
from hds_starter.training.facts import FACTS

_MAX_TEXT = 20_000  # characters of a passage
_END = r"(?<!\bSt)\.(?=\s|\Z)"
_SENTENCES = {
    "capital": r"The capital of {n} is (?P<v>.+?)" + _END,
    "population": r"The population of {n} is (?P<v>\d[\d,]*)(?: \(\d{4}\))?" + _END,
    "area": r"{n} has an area of (?P<v>\d[\d,.]*\d|\d) square kilometres" + _END,
    "currency": r"The currenc(?:y|ies) of {n} (?:is|are) the (?P<v>.+?)" + _END,
    "language": r"The official languages? of {n} (?:is|are) (?P<v>.+?)" + _END,
    "calling": r"The calling code of {n} is (?P<v>\+\d[\d-]*)" + _END,
    "domain": r"The internet domain of {n} is (?P<v>\.[\w.-]*\w)" + _END,
    "region": r"{n} lies in (?P<v>.+?)" + _END,
    "people": r"The people of {n} are called (?P<v>.+?)" + _END,
    "provinces": r"{n} has (?P<v>\d+) provinces or regions\b",
    "borders": r"{n} (?:borders (?:\d+ countries|one country): (?P<v>.+?)|has no land borders)" + _END,
}
QUERIES = {key: fact.query for key, fact in FACTS.items()} | {
    "borders": "countries that border {n}", "provinces": "provinces of {n}",
}  # fmt: skip


@dataclass(frozen=True)
class Fact:
    """What a page says of a country: `values` are the parts of `text`, one or several."""

    title: str
    key: str
    text: str
    values: tuple[str, ...]
    sentence: str
    n: int
    url: str

    @property
    def number(self) -> Decimal:
        """The value of a population or an area; how many values a list has."""
        if self.key in ("borders", "language", "currency"):
            return Decimal(len(self.values))
        return Decimal(self.text.split()[0].replace(",", ""))


class Facts:
    """The facts of the passages that were read, and what was searched for.

    Args:
        read: (query, passage), in the order in which they were read.
    """

    def __init__(self, read: Iterable[tuple[str, Passage]], searched: Iterable[str] = ()) -> None:
        self._passages: dict[str, list[Passage]] = {}
        for _, passage in read:
            self._passages.setdefault(passage.title, []).append(passage)
        self._searched = frozenset(searched)
        self._known: dict[tuple[str, str], Fact | None] = {}

    def get(self, title: str, key: str) -> Fact | None:
        """The fact, where a passage of the country's page says it."""
        if (title, key) not in self._known:
            self._known[title, key] = next(filter(None, (_fact(p, key) for p in self._passages.get(title, ()))), None)
        return self._known[title, key]

    def sought(self, title: str, key: str) -> bool:
        return query(title, key) in self._searched

    @property
    def any(self) -> bool:
        """True where a passage tells a fact at all: its page is one of the collection `world`."""
        return any(self.get(title, key) for title in self._passages for key in _SENTENCES)


def query(title: str, key: str) -> str:
    return QUERIES[key].format(n=title)


def _fact(passage: Passage, key: str) -> Fact | None:
    text = " ".join(passage.text[:_MAX_TEXT].split())
    match = _pattern(passage.title, key).search(text)
    if match is None:
        return None
    value = match["v"] or ""
    if re.search(r"\b[A-Z]\.[A-Z]\Z", value):
        value += "."  # Washington, D.C.
    values = _values(key, value)
    if key == "area":
        value = f"{value} square kilometres"
    return Fact(passage.title, key, value, values, match[0], passage.n, passage.url)


@functools.lru_cache(maxsize=4096)
def _pattern(title: str, key: str) -> re.Pattern[str]:
    return re.compile(r"(?<!\S)" + _SENTENCES[key].replace("{n}", re.escape(title[:200])))


def _values(key: str, text: str) -> tuple[str, ...]:
    if key == "borders":
        return _names_in(text)
    if key in ("language", "currency"):
        return tuple(part for part in re.split(r", | and ", text) if part)
    return (text,) if text else ()


def _names_in(text: str) -> tuple[str, ...]:
    """The countries of a list; a name may hold a comma or an `and` of its own."""
    values, rest = [], text
    titles = sorted(names.countries(), key=len, reverse=True)
    while rest:
        title = next((title for title in titles if rest.startswith(title)), "")
        if not title:
            return ()
        values.append(title)
        rest = re.sub(r"\A(?:, | and )", "", rest[len(title) :])
    return tuple(values)
