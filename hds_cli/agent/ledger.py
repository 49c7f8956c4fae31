"""The ledger of a run: the conditions of its question, and what pages say of them for each candidate answer.

What a model claims is not believed here: an entry comes with a quote that was found in a page. (The ledger of
arXiv 2602.07549 does not look for its quotes.)
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hds_cli.text import has_words, quote_words, thinned
from hds_cli.types import Condition

MOST_CONDITIONS = MOST_CANDIDATES = 12
WHOLE = ""
"""The candidate of a question that has no single one: the capitals of seven countries."""
_LONG = 12  # characters from which on a name may stand within another, as in the reference
_NAMED = 5  # candidates that an answer may name
_DASHES = re.compile(r"[-_‐-―]")
_SIGNS = re.compile(r"[^\w\s]")


@dataclass(frozen=True)
class Entry:
    """A page says that a condition (from 1) holds for a candidate, or that it does not; `quote` are its words."""

    candidate: str
    condition: int
    holds: bool
    quote: str
    url: str


class Ledger:
    """The conditions of a question, the first `most`, and the entries on them; a later one replaces an earlier one."""

    def __init__(self, conditions: Sequence[str], most: int = MOST_CONDITIONS) -> None:
        self.conditions = tuple(conditions)[:most]
        self._held: dict[str, dict[int, Entry]] = {}
        self._names: dict[str, str] = {}

    @classmethod
    def restored(cls, conditions: Sequence[str], rows: Iterable[Condition]) -> Ledger:
        """The ledger that an event of an earlier run holds."""
        ledger = cls(conditions)
        numbers = {text: number for number, text in enumerate(ledger.conditions, 1)}
        for row in rows:
            if row.constraint in numbers and row.state in ("verified", "refuted"):
                entry = Entry(row.candidate, numbers[row.constraint], row.state == "verified", row.quote, row.url)
                ledger.put(entry)
        return ledger

    @property
    def candidates(self) -> list[str]:
        """The names of the candidates, in the order in which they were found."""
        return list(self._names.values())

    def put(self, entry: Entry) -> bool:
        """Take in an entry; False when there is no such condition, or no room for another candidate."""
        if not 1 <= entry.condition <= len(self.conditions):
            return False
        key = self._key(entry.candidate)
        if key not in self._held and len(self._held) >= MOST_CANDIDATES:
            return False
        self._names.setdefault(key, entry.candidate)
        self._held.setdefault(key, {})[entry.condition] = entry
        return True

    def entry(self, candidate: str, number: int) -> Entry | None:
        """What is known of a condition for a candidate, or for the answer as a whole."""
        own = self._held.get(self._key(candidate), {}).get(number)
        return own or self._held.get(WHOLE, {}).get(number)

    def open(self, candidate: str) -> list[int]:
        """The conditions of which nothing is known for a candidate."""
        return [n for n in range(1, len(self.conditions) + 1) if self.entry(candidate, n) is None]

    def refuted(self, candidate: str) -> list[int]:
        """The conditions that a page denies for a candidate."""
        entries = ((n, self.entry(candidate, n)) for n in range(1, len(self.conditions) + 1))
        return [n for n, entry in entries if entry is not None and not entry.holds]

    def verified(self, candidate: str) -> list[int]:
        """The conditions that a page says of a candidate."""
        entries = ((n, self.entry(candidate, n)) for n in range(1, len(self.conditions) + 1))
        return [n for n, entry in entries if entry is not None and entry.holds]

    def best(self) -> str:
        """The candidate with most conditions verified, one without a refuted one first."""
        names = self.candidates or [WHOLE]
        return max(names, key=lambda name: (not self.refuted(name), len(self.verified(name))))

    def named(self, answer: str, text: str = "") -> list[str]:
        """The candidates that an answer names, or else the text around it; the answer as a whole where none is."""
        for said in map(quote_words, (answer, text)):
            if names := [name for name in self.candidates if name != WHOLE and has_words(said, name)]:
                return names[:_NAMED]
        return [WHOLE]

    def rows(self) -> tuple[Condition, ...]:
        """Every entry."""
        return tuple(
            Condition(
                self.conditions[number - 1], "verified" if e.holds else "refuted", e.quote, e.url, self._names[key]
            )
            for key, entries in self._held.items()
            for number, e in sorted(entries.items())
        )

    def _key(self, candidate: str) -> str:
        """The key of a candidate: that of one whose name is the same, or stands in the other's."""
        key = name_key(candidate)
        if key in self._held or not key:
            return key
        for known in self._held:
            shorter, longer = sorted((known, key), key=len)
            if len(shorter) >= _LONG and f" {shorter} " in f" {longer} ":
                return known
        return key


def name_key(name: str) -> str:
    """A name as candidates are compared: `Saint-Étienne` and `SAINT ÉTIENNE` are one."""
    folded = unicodedata.normalize("NFKC", thinned(name)).casefold()
    return " ".join(_SIGNS.sub("", _DASHES.sub(" ", folded)).split())


__all__ = ["MOST_CANDIDATES", "MOST_CONDITIONS", "WHOLE", "Entry", "Ledger", "name_key"]
