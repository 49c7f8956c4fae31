"""The symbols of a question together: what they name, and what they ask for."""

from __future__ import annotations

from collections.abc import Sequence

from hds_starter import names
from hds_starter.forms import NUMERIC, Set
from hds_starter.symbols import Symbol

_SENSES = frozenset({"how large", "how big", "how small", "size"})
"""Words of an area that say nothing of it before a population: `how large is the population`."""


OF = frozenset({"of", "in", "does", "do"})
"""Words between a fact and whose it is: the capital of the largest country."""


class Symbols:
    """The symbols of a question by kind.

    Args:
        symbols: in the question's order.
        question: the text that they are of.
    """

    def __init__(self, symbols: Sequence[Symbol], question: str = "") -> None:
        self._symbols = [s for n, s in enumerate(symbols) if not _says_nothing(s, symbols[n + 1 : n + 2])]
        self._question = question
        found = [s.found for s in self.of("named") if s.found]
        self.countries = tuple(dict.fromkeys(n for f in found if f.kind in ("country", "group") for n in f.names))
        self.regions = tuple(dict.fromkeys(n for f in found if f.kind == "region" for n in f.names))
        called = [s for s in self.of("attribute") if s.text in ("call", "called")]
        others = {s.value for s in self.of("attribute") if s not in called}
        folk = [s for s in self.of("attribute") if s.text in ("inhabitants", "inhabitant", "residents")]
        # `what is the currency called` asks for no demonym, `what are the inhabitants called` for no number.
        if called and others:
            unsaid = folk if folk and others == {"population"} else called
            self._symbols = [s for s in self._symbols if s not in unsaid]
        keys = tuple(dict.fromkeys(s.value for s in self.of("attribute")))
        self.keys = keys
        self.held = self.of("held")

    def of(self, *kinds: str) -> list[Symbol]:
        return [symbol for symbol in self._symbols if symbol.kind in kinds]

    def has(self, kind: str) -> bool:
        return any(symbol.kind == kind for symbol in self._symbols)

    def only(self, *kinds: str) -> bool:
        """True where a reading that takes account of these kinds, and of names, leaves no symbol out."""
        return all(symbol.kind in ("named", "and", *kinds) for symbol in self._symbols)

    def word_before(self, symbol: Symbol) -> str:
        """The word just before a symbol: `guinea` of `guinea bisau`."""
        place = self._symbols.index(symbol)
        return " ".join(symbol.before[-1:]) or (self._symbols[place - 1].text if place else "")

    def apart(self, kind: str) -> tuple[Symbols, Symbols]:
        """What stands before the first symbol of a kind, and what stands behind it."""
        place = next(n for n, symbol in enumerate(self._symbols) if symbol.kind == kind)
        return Symbols(self._symbols[:place], self._question), Symbols(self._symbols[place + 1 :], self._question)

    @property
    def known(self) -> bool:
        """True where a word says what is asked for."""
        return bool(self.keys or self.of("border", "most", "least", "held"))

    @property
    def orders(self) -> list[Symbol]:
        return self.of("most", "least")

    @property
    def largest(self) -> bool:
        """True where the most is asked for: of `fewer`, `most` the last one says it."""
        return self.orders[-1].kind == "most"

    # --- what it is about ------------------------------------------------------------------------------------------

    def neighbours(self) -> Set | None:
        """The neighbours of the one country that is named; `and its neighbours`: those and itself."""
        if not self.has("border") or len(self.countries) != 1 or len(self.of("named")) > 1:
            return None
        kinds = " ".join(s.kind for s in self._symbols)
        return Set("within" if "named and pronoun border" in kinds else "around", of=Set("names", self.countries))

    def group(self) -> Set | None:
        """The countries that an order, a sum or a list is over."""
        if around := self.neighbours():
            return around
        if self.has("border") and len(self.countries) < 2 and self.dimension() != "borders":
            return None  # the neighbours of a region, or of what comes first
        several = len(self.countries) > 1
        if several and self.has("border") and self.dimension() != "borders":
            return Set("common", of=Set("names", self.countries)) if self.has("both") and not self.regions else None
        if several and not self.has("border") and len(self.regions) == 1 and self.has("country"):
            members = set(names.regions()[self.regions[0]])  # which European country is larger, Spain or Sweden?
            return Set("names", self.countries) if members.issuperset(self.countries) else None
        if several and not self.regions:
            return Set("names", self.countries)
        if len(self.regions) == 1 and not self.countries and not self.has("both"):
            return Set("region", names.regions()[self.regions[0]])
        return None

    def dimension(self) -> str | None:
        """The number that an order or a sum is of."""
        numeric = [s for s in self.of("attribute") if s.value in NUMERIC and not self.is_of_first(s)]
        keys = {s.value for s in numeric}
        values = {s.value for s in self.orders} - {""}
        if len(keys) == 1:
            (key,) = keys
            return key if values <= {key, "area"} else None
        if keys:
            return None
        one = len(self.countries) == 1 and not self.regions
        if self.has("border") and not one and not values and not (self.has("both") and len(self.countries) > 1):
            return "borders"
        return values.pop() if len(values) == 1 else None

    def is_of_first(self, symbol: Symbol) -> bool:
        """True where a fact of what comes first is meant: the population of the largest, the largest and its area."""
        place = next(n for n, one in enumerate(self._symbols) if one is symbol)
        earlier = [s for s in self._symbols[:place] if s.kind != "pronoun"]
        ordered = any(s.kind in ("most", "least") for s in earlier)
        measured = any(s.kind == "attribute" and s.value in NUMERIC for s in earlier)  # in area and population
        if ordered and earlier[-1].text == "and" and not measured:
            return True
        rest = self._symbols[place + 1 :]
        while rest and (rest[0].kind == "attribute" or rest[0].text == "and"):
            rest = rest[1:]
        owner = bool(rest) and rest[0].kind == "named" and not OF.isdisjoint(rest[0].before)
        order, after = rest[owner : owner + 1], rest[owner + 1 : owner + 2]
        if not order or order[0].kind not in ("most", "least") or (after and after[0].kind in ("number", "than")):
            return False  # a population of more than 5 million
        if owner:
            return bool(after) and after[0].kind in ("border", "country")
        return symbol.text.startswith("how ") or not OF.isdisjoint(order[0].before)


def _says_nothing(symbol: Symbol, after: Sequence[Symbol]) -> bool:
    if symbol.kind != "attribute" or symbol.text not in _SENSES:
        return False
    return any(s.kind == "attribute" and s.value == "population" for s in after)
