"""The rules that make a reading of a question's symbols: each says which kinds of symbols it takes account of."""

from __future__ import annotations

import re

from hds_starter import names
from hds_starter.cities import is_capital
from hds_starter.forms import MOST_PAGES, NUMERIC, Asked, Set
from hds_starter.symbols import held
from hds_starter.yes_no import COMPARED, YesNo

_GROUPED = ("border", "country", "both", "pronoun")
_LOOKED_UP = tuple("as attribute border both count country few from pronoun total use where".split())
_COMPARATIVE = re.compile(r"er\b|\Amore\b|\Aless\b")
_SEVERAL = ("countries", "capitals", "capital cities", "capitols")
_TAKEN = frozenset("accept accepts pay pays paying spend".split())
"""Words for money that may be taken where it is not the currency."""
_SPOKEN = frozenset("speak speaks speaking spoken talk".split())
_HOLDER = re.compile(r"\bwhose\b|\bcapital (?:city )?(?:of|for)(?: (?:what|which))?\W*\Z", re.I)


class Rules(YesNo):
    """The readings of a question, by what it does with the facts.

    A symbol that a reading takes no account of makes the question one that is not read: it may be what was asked.
    """

    def reading(self, *, yes_no: bool) -> Asked | None:
        if self.doubtful:
            return None
        if self.held:
            return self._with_value(yes_no)
        if yes_no and not (self.has("or") and not self.has("than")):
            return self.yes_or_no()
        if self.has("total") and not (self.has("count") and self.has("border")):
            return self._total()
        if len(self.countries) > 1 and any(s.text == "total area" for s in self.of("attribute")):
            return self._total()
        if self.has("gap") or self._counts_the_difference():
            return self._gap()
        if self.has("than") or self.has("number"):
            return self._beyond()
        if self.orders:
            return self._best()
        if yes_no:
            return None
        return self._counted() if self.has("count") else self._looked_up()

    # --- values ----------------------------------------------------------------------------------------------------

    def _with_value(self, yes_no: bool) -> Asked | None:
        """Of a value: which country has it, whether one has it, or something else of those that have it."""
        key, value = self.held[0].value, self.held[0].text
        others = tuple(k for k in self.keys if k != key)
        if not self.only("held", "attribute", "border", "count", "country", "use", "where", "pronoun", "or", "as"):
            return None
        if len(self.held) > 1 or self.has("or"):
            return self._capital_among()
        if self.countries and yes_no and not others and self.only("held", "attribute", "use", "pronoun"):
            if len(self.countries) > 1 or (key == "capital" and "capital" not in self.keys):
                return None
            if key == "capital" and is_capital(value, self.countries[0]) is None:
                return None
            spoken = key == "language" and not any("official" in s.text for s in self.of("attribute"))
            taken = any(s.text in _TAKEN for s in self.of("attribute", "use"))
            return Asked("yes", Set("names", self.countries), (key,), value=value, no=not (spoken or taken))
        told = key == "capital" and "capital" in self.keys and self.has("country")  # the country with the capital …
        if yes_no or (self.has("pronoun") and others and not told):
            return None
        if len(self.countries) > 1 and not (others or self.regions or self.has("border") or self.has("count")):
            return Asked("list", Set("held", self.countries, key=key, value=value)) if key != "capital" else None
        return None if self.countries else self._held_by(key, value, others)

    def _held_by(self, key: str, value: str, others: tuple[str, ...]) -> Asked | None:
        asks = key in self.keys or key in ("calling", "domain") or self.has("country") or self.has("use")
        if key == "language":
            asks = self.has("country") or self.has("where") or any(s.text in _SPOKEN for s in self.of("attribute"))
        holders = held()[key].get(value, ())
        if not asks or not holders or (key == "capital" and not self._asks_holder(others)):
            return None
        if self.regions:
            members = set(names.regions()[self.regions[0]])
            holders = tuple(name for name in holders if name in members)
        if key == "capital" and others == ("region",) and "capital" not in self.keys:
            others = ()
        of = Set("held", holders, key=key, value=value)
        if self.has("border"):
            return Asked("show" if others else "list", Set("around", of=of), others) if key == "capital" else None
        if self.has("count"):
            return Asked("count", of) if not others else None
        return Asked("show" if others else "list", of, others) if holders else None

    def _asks_holder(self, others: tuple[str, ...]) -> bool:
        """True where the country of a capital is asked for: `the capital of Berlin` has none."""
        if "capital" not in self.keys:
            return self.has("country") and not set(others) - {"region"}
        return self.has("country") or bool(_HOLDER.search(self._question))

    def _capital_among(self) -> Asked | None:
        """Which of several cities is the capital of a country."""
        if {s.value for s in self.held} != {"capital"} or self.keys != ("capital",) or len(self.countries) != 1:
            return None
        alone = self.only("held", "attribute", "or", "country") and not self.regions
        return Asked("show", Set("names", self.countries), self.keys) if alone else None

    # --- numbers ---------------------------------------------------------------------------------------------------

    def _total(self) -> Asked | None:
        key, group = self.dimension() or ("area" if self.keys == ("area",) else None), self.group()
        if {*self.keys} - {key} or self.orders or not self.only("attribute", "border", "total", *_GROUPED, "count"):
            return None
        if key in ("population", "area") and group:
            return Asked("total", group, (key,))
        if len(self.countries) == 1 and not self.has("border") and len(self.keys) == 1:
            return Asked("show", Set("names", self.countries), self.keys)  # the total area of one
        return None

    def _counts_the_difference(self) -> bool:
        """True for `how many more`: not for `how many neighbours have more`, which counts countries."""
        counted = zip(self._symbols, self._symbols[1:], strict=False)
        return self.has("than") and any(one.kind == "count" and two.kind in ("most", "least") for one, two in counted)

    def _gap(self) -> Asked | None:
        """The difference of two, where one is said to be more than the other or the word itself stands there."""
        key = self.dimension()
        compared = self.has("than") and len(self.orders) == 1
        apart = any(s.text == "difference" for s in self.of("gap"))
        by = any(s.text.startswith("by how") for s in self.of("gap")) and len(self.orders) == 1
        if len(self.countries) == 1 and self.only("gap", "attribute") and len(self.keys) == 1 and not self.regions:
            return Asked("show", Set("names", self.countries), self.keys) if not apart and not by else None
        if key is None or {*self.keys} - {key} or len(self.countries) != 2 or self.regions:
            return None
        border = ("border",) if key == "borders" else ()
        if not self.only("gap", "count", "than", "between", "or", *COMPARED, *border) or not (compared or apart or by):
            return None
        named = self.of("named")
        told = compared and named[0].found is not None and self._stands_before_than(named[0].text)
        return Asked("gap", Set("names", self.countries), (key,), most=self.largest if self.orders else True,
                     value="told" if told else "", either=self.has("or"))  # fmt: skip

    def _stands_before_than(self, text: str) -> bool:
        return any(s.text == text for s in self.apart("than")[0].of("named"))

    def _beyond(self) -> Asked | None:
        """Those of a group with more, or less, than a country or a number: which neighbours of X are larger than Y?"""
        key, number = self.dimension(), self.has("number")
        if key is None or len(self.orders) != 1 or not (number or self.has("than")):
            return None
        group, other = self.apart("number" if number else "than")
        of = group.group()
        bounds = self.bounds() if number else ()
        compared = (not other.countries if number else len(other.countries) == 1) and other.only("attribute")
        fits = group.only("border", "country", "both", "count", "than", *COMPARED) and not other.regions
        if of is None or of.kind == "within" or not (compared and fits) or (number and not bounds):
            return None
        if of.kind == "region" and not self.has("country"):
            return None
        if bounds and bounds[0].equal:
            return None
        beyond = Set("beyond", other.countries, of, key, bounds[0].value if bounds else "", self.largest)
        others = tuple(k for k in self.keys if k != key)
        if self.has("count"):
            return Asked("count", beyond) if not others else None
        return Asked("show", beyond, others) if others else Asked("list", beyond)

    def _best(self) -> Asked | None:
        """The first of an order: of named countries, of neighbours, of a region; and what else is asked of it."""
        key, group = self.dimension(), self.group()
        if key is None or group is None or len(self.orders) > 1 or group.kind == "within":
            return None
        if not self.only("or", "between", *_GROUPED, *COMPARED, *(("use",) if "currency" in self.keys else ())):
            return None
        if group.kind in ("around", "region") and _COMPARATIVE.search(self.orders[0].text):
            return None  # larger than which?
        best = Set("best", of=group, key=key, most=self.largest)
        of_first = {s.value for s in self.of("attribute") if self.is_of_first(s)}
        others = tuple(k for k in self.keys if k != key or k in of_first)
        return Asked("show", best, others) if others else Asked("best", best, (key,))

    # --- counts and look-ups ---------------------------------------------------------------------------------------

    def _counted(self) -> Asked | None:
        if not self.only("count", "attribute", "border", "country", "both", "land", "total"):
            return None
        around = self.neighbours()
        if around:
            return Asked("count", around) if not self.keys and not self.has("both") else None
        if self.has("border") and len(self.countries) == 2 and self.has("both") and not (self.keys or self.regions):
            return Asked("count", Set("common", of=Set("names", self.countries)))
        if self.countries and not self.regions and len(self.keys) == 1 and not self.has("border"):
            if self.keys[0] in NUMERIC and not self.has("country"):
                return self._looked_up()
            if self.keys[0] in ("language", "currency", "provinces") and len(self.countries) == 1:
                return Asked("count", Set("names", self.countries), self.keys)
        return None

    def _looked_up(self) -> Asked | None:
        """Facts of named countries, of neighbours or of a region."""
        keys = self.keys or (("region",) if self.has("where") else ())
        if not self.only(*_LOOKED_UP) or (self.has("where") and (keys != ("region",) or self.has("border"))):
            return None
        if self.has("from") and not {*keys} & {"people", "language", "currency"}:
            return None
        if self.regions and len(self.countries) == 1:
            members = names.regions()[self.regions[0]]  # in which region of Africa does Chad lie?
            inside = len(self.regions) == 1 and self.countries[0] in members and self.only("attribute", "where")
            return Asked("show", Set("names", self.countries), keys) if inside and keys == ("region",) else None
        if self.regions:
            group = self.group()
            listed = self.has("country") and keys and group and len(group.names) <= MOST_PAGES // 3
            return Asked("show", group, keys) if listed and group and not self.has("border") else None
        if not self.countries:
            return None
        return self._of_neighbours(keys) if self.has("border") else self._of_named(keys)

    def _of_named(self, keys: tuple[str, ...]) -> Asked | None:
        other = len(self.countries) == 1 and any(s.text in _SEVERAL for s in self.of("country", "attribute"))
        other = other or self.has("few") or any({"which", "what"} & {*s.before} for s in self.of("country"))
        both = self.has("both") and (len(self.countries) != 2 or any(s.text != "both" for s in self.of("both")))
        # `countries like Peru` are others; `the capitals of Bolivia` are more than its page has.
        return Asked("show", Set("names", self.countries), keys) if keys and not (other or both) else None

    def _of_neighbours(self, keys: tuple[str, ...]) -> Asked | None:
        if around := self.neighbours():
            if self.has("both") or (self.has("few") and keys):
                return None
            if not keys:
                return Asked("list", around) if around.kind == "around" else None
            if around.kind == "within" and self._symbols[0].kind == "attribute":
                plural = all(s.text.endswith("s") for s in self.of("attribute"))
                return Asked("show", around, keys) if plural else None  # the capitals of Peru and its neighbours
            if self._side_by_side():
                return Asked("show", Set("names", self.countries), self._in_order())
            return Asked("show", around, keys)
        named = Set("names", self.countries)
        if self.has("both"):
            common = Set("common", of=named)
            return Asked("show", common, keys) if keys else Asked("list", common)
        return Asked("show", named, ("borders",)) if not keys and self._lists_each() else None

    def _lists_each(self) -> bool:
        """True where the neighbours of each are asked for, and those alone: not which of these border France."""
        (border,) = self.of("border")
        before = self._symbols.index(border) < self._symbols.index(self.of("named")[0])
        return before and border.text.startswith("neighb") and "these" not in self._symbols[0].before

    def _side_by_side(self) -> bool:
        """True where the neighbours are one of several facts of a country: `the capital and neighbours of Peru`."""
        kinds = [s.kind for s in self._symbols if s.kind in ("attribute", "border", "and", "named", "pronoun")]
        text = " ".join(kinds)
        if "pronoun" in kinds and "border and pronoun attribute" not in text and "named and pronoun attribute" in text:
            return False  # the neighbours of Peru and their capitals
        apart = "attribute and border" in text or "border and attribute" in text
        return apart or "attribute named and" in text or "named attribute and" in text

    def _in_order(self) -> tuple[str, ...]:
        values = ["borders" if s.kind == "border" else s.value for s in self.of("attribute", "border")]
        return tuple(dict.fromkeys(values))
