"""The rules for questions that are answered by yes or no."""

from __future__ import annotations

from hds_starter import names
from hds_starter.forms import Asked, Bound, Set
from hds_starter.senses import Senses
from hds_starter.sequence import Symbols

COMPARED = ("attribute", "most", "least", "country")
"""Kinds of symbols of a comparison."""
_APART = 1000  # times, above which two ends of a range are not of one scale
_EQUAL = frozenset(
    {"at least", "no fewer than", "no less than", "not fewer than", "not less than", "at most", "no more than",
     "not more than"}
)  # fmt: skip


class YesNo(Senses):
    """The readings of a question that begins with `is` or `does`."""

    def yes_or_no(self) -> Asked | None:
        if not self.countries:
            return None
        if self.orders:
            return self._yes_in_order()
        one = Set("names", self.countries[:1])
        rest = self.countries[1:]
        if self.has("same"):
            compared = rest and len(self.keys) == 1 and not self.regions
            fits = compared and self.only("attribute", "same", "use", "both", "as", "pronoun")
            return Asked("yes", one, self.keys, rest, value="same") if fits else None
        if self.has("border") or self.has("land"):
            return self._touch() if not self.keys and not self.regions else None
        if len(self.regions) == 1 and not rest and self.only("attribute", "country") and not {*self.keys} - {"region"}:
            return Asked("yes", one, ("region",), value=self.regions[0])
        return None

    def _yes_in_order(self) -> Asked | None:
        """A comparison with numbers, with one other country, or with all of a group."""
        key = self.dimension()
        if key is None or {*self.keys} - {key}:
            return None
        one = Set("names", self.countries[:1])
        if self.has("number"):
            bounds = self.bounds()
            fits = bounds and len(self.countries) == 1 and not self.regions
            fits = fits and self.only("attribute", "most", "least", "number", "than")
            return Asked("yes", one, (key,), bounds=bounds) if fits else None
        if self.has("than"):
            first, second = self.apart("than")
            if not second.countries:
                return self._beyond_neighbours(key, first, second)
            sides = len(first.countries) == len(second.countries) == 1 and not self.regions
            if not (sides and first.orders and second.only("attribute") and first.only(*COMPARED, "or")):
                return None
            either = len(self.orders) == 2 and self.has("or") and {s.kind for s in self.orders} == {"most", "least"}
            if len(self.orders) > 1 and not either:
                return None
            return Asked("yes", one, (key,), second.countries, most=first.orders[0].kind == "most", either=either)
        return self._first_of_all(key)

    def _beyond_neighbours(self, key: str, first: Symbols, second: Symbols) -> Asked | None:
        """Is it larger than all its neighbours?"""
        own = second.only("border", "pronoun") and second.has("border") and second.has("pronoun")
        if not own or len(self.countries) != 1 or self.regions or len(self.orders) > 1 or not first.only(*COMPARED):
            return None
        best = Set("best", of=Set("within", of=Set("names", self.countries)), key=key, most=self.largest)
        return Asked("first", best, (key,), self.countries) if key != "borders" else None

    def _first_of_all(self, key: str) -> Asked | None:
        """Is it the largest country of a region?"""
        named = self.of("named")
        fits = len(self.countries) == 1 and len(self.regions) == 1 and len(self.orders) == 1 and len(named) == 2
        one = {s.text for s in self.of("country")} <= {"country", "nation", "state"} and self.has("country")
        if not fits or not one or not self.only(*COMPARED) or named[0].found is None:
            return None
        if named[0].found.kind != "country":
            return None
        best = Set("best", of=Set("region", names.regions()[self.regions[0]]), key=key, most=self.largest)
        return Asked("first", best, (key,), self.countries)

    def bounds(self) -> tuple[Bound, ...]:
        """The numbers that it is compared with, each with the order before it; () where these are not pairs."""
        said = self.of("most", "least", "number")
        orders, numbers = said[::2], said[1::2]
        pairs = all(o.kind != "number" and n.kind == "number" for o, n in zip(orders, numbers, strict=False))
        if not pairs or len(orders) != len(numbers):
            return ()
        values = [float(number.value) for number in numbers]
        if max(values) >= _APART * min(values):
            return ()  # more than 5 and less than 6 million
        return tuple(
            Bound(n.value, o.kind == "most", o.text in _EQUAL) for o, n in zip(orders, numbers, strict=True)
        )  # fmt: skip

    def _touch(self) -> Asked | None:
        """Do they border? Those before the word have a border with each of those behind it, or with one another."""
        if not self.only("border", "land", "both", "country", "count"):
            return None
        if len(self.countries) == 1:
            return Asked("touch", Set("names", self.countries)) if not self.has("both") else None
        if not self.has("border") or (self.has("country") and self.of("country")[0].text.endswith("s")):
            return None
        if self.of("border")[0].text.startswith("neighb") and any(s.text != "both" for s in self.of("both")):
            return None  # have they common neighbours?
        before, after = self.apart("border")
        if not after.countries and len(before.countries) == 2:
            return Asked("touch", Set("names", before.countries[:1]), other=before.countries[1:])
        if not before.countries or not after.countries:
            return None
        return Asked("touch", Set("names", before.countries), other=after.countries)
