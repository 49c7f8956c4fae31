"""A question over countries as what is to be looked up and what is to be done with it, read by rule.

The rules take symbols (`symbols.py`): a question with a word that is not understood is not read, and the model asks and
answers it by itself.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from hds_starter import names
from hds_starter.symbols import Symbol, held, read

NUMERIC = frozenset({"population", "area", "borders"})
MOST_PAGES = 60  # of one question
_YES_NO = re.compile(
    r"(?:(?:please|hey|hi|hello|so|and|but|ok|okay|then|if|whether|that|,)\s+)*(?:is|are|does|do|has|have|can|could)\b",
    re.I,
)
_IT_IS = re.compile(
    r"(?:is it (?:true|right|correct) that|(?:(?:can|could) you )?tell me (?:if|whether)|do you know (?:if|whether)|"
    r"i wonder (?:if|whether))\b",
    re.I,
)


@dataclass(frozen=True)
class Set:
    """Countries: by name, those of a region, those that border one, those that have a value, or the first of an order.

    `kind`: names, region, around (all of `of`'s neighbours), common (of each of `of`), held, best.
    """

    kind: str
    names: tuple[str, ...] = ()
    of: Set | None = None
    key: str = ""
    value: str = ""
    most: bool = True


@dataclass(frozen=True)
class Asked:
    """A question: what is done with facts of countries.

    `what`: show, list, count, total, gap, best, yes, touch (do they border?).

    `keys` are attributes, or `borders`; `other` and `value` are what a yes-or-no question compares with.
    """

    what: str
    of: Set
    keys: tuple[str, ...] = ()
    other: tuple[str, ...] = ()
    value: str = ""
    most: bool = True
    read_as: tuple[str, ...] = ()


@dataclass(frozen=True)
class Unread:
    """A question that the rules do not read, and the line that says why (`hint`), where that can be told."""

    hint: str = ""
    unknown: tuple[str, ...] = ()


def asked(question: str) -> Asked | Unread:
    """The reading of a question."""
    symbols = _claimed(question, read(question))
    sorted_ = _Symbols(symbols, bool(_yes_no(question)))
    if refusal := _refusal(question, sorted_):
        return refusal
    result = sorted_.reading()
    if result is None:
        return Unread()
    return replace(result, read_as=tuple(dict.fromkeys(s.found.meant for s in symbols if s.found and s.found.meant)))


def _claimed(question: str, symbols: list[Symbol]) -> list[Symbol]:
    """A city that is no capital, where a question asks for nothing else than whether it is one, as a value."""
    match = re.match(
        r"\s*is (?P<city>[^?,]{2,40}?) (?:really |actually )?the capital (?:city )?of [^?,]{2,40}\??\s*\Z",
        question,
        re.I,
    )
    unknown = [symbol for symbol in symbols if symbol.kind == "unknown"]
    if match is None or not unknown or not {s.text for s in unknown} <= set(names.plain(match["city"]).split()):
        return symbols
    city = Symbol("held", "capital", names.plain(match["city"]))
    return [city, *(symbol for symbol in symbols if symbol.kind != "unknown")]


def _yes_no(question: str) -> bool:
    text = question.strip()[:200]
    if _IT_IS.match(text):
        return True
    match = _YES_NO.match(text)
    if match is None:
        return False
    return not text[match.end() :].strip().casefold().startswith("you ")


def _refusal(question: str, symbols: _Symbols) -> Unread | None:
    """Why a question is not read: words that say nothing here, a name that is none, or one of several."""
    for symbol in symbols.of("named"):
        if symbol.found and symbol.found.kind == "several":
            return Unread(f"did you mean {' or '.join(symbol.found.names)}?")
    unknown = tuple(symbol.text for symbol in symbols.of("unknown"))
    if not unknown:
        return Unread() if symbols.of("refused") else None
    near = {word: similar for word in unknown if (similar := names.similar(word))}
    if near and symbols.known:
        return Unread("; ".join(f"{word}: did you mean {name}?" for word, name in near.items()), unknown)
    return Unread(unknown=unknown)


class _Symbols:
    """The symbols of a question by kind, and the rules that make a reading of them."""

    def __init__(self, symbols: Sequence[Symbol], yes_no: bool) -> None:
        self._symbols, self._yes_no = symbols, yes_no
        found = [s.found for s in self.of("named") if s.found]
        self.countries = tuple(dict.fromkeys(n for f in found if f.kind in ("country", "group") for n in f.names))
        self.regions = tuple(dict.fromkeys(n for f in found if f.kind == "region" for n in f.names))
        keys = tuple(dict.fromkeys(s.value for s in self.of("attribute")))
        # `what is the currency called` asks for no demonym.
        called = all(s.text in ("call", "called") for s in self.of("attribute") if s.value == "people")
        self.keys = tuple(key for key in keys if key != "people" or len(keys) == 1 or not called)
        self.held = self.of("held")

    def of(self, *kinds: str) -> list[Symbol]:
        return [symbol for symbol in self._symbols if symbol.kind in kinds]

    def has(self, kind: str) -> bool:
        return any(symbol.kind == kind for symbol in self._symbols)

    @property
    def known(self) -> bool:
        """True where a word says what is asked for."""
        return bool(self.keys or self.of("border", "most", "least", "held"))

    def reading(self) -> Asked | None:
        if self.held:
            return self._with_value()
        if self._yes_no and (answer := self._yes_or_no()):
            return answer
        if self._yes_no and not self._orders:
            return None
        if self.has("total") or (len(self.countries) > 1 and any(s.text == "total area" for s in self.of("attribute"))):
            return self._total()
        if (self.has("gap") or (self.has("count") and self.has("than"))) and len(self.countries) == 2:
            return self._gap()
        if self._orders:
            return self._best()
        if self.has("same") or self.has("than") or self.has("number"):
            return None
        return self._counted() if self.has("count") else self._looked_up()

    # --- parts -----------------------------------------------------------------------------------------------------

    @property
    def _orders(self) -> bool:
        return bool(self.of("most", "least"))

    def _neighbours(self) -> Set | None:
        """The neighbours of the one country that is named."""
        if self.has("border") and len(self.countries) == 1 and not self.regions:
            return Set("around", of=Set("names", self.countries))
        return None

    def _group(self) -> Set | None:
        """The countries that an order, a sum or a list is over."""
        if around := self._neighbours():
            return around
        if len(self.countries) > 1 and not self.regions:
            return Set("names", self.countries)
        if len(self.regions) == 1 and not self.countries:
            return Set("region", names.regions()[self.regions[0]])
        return None

    def _dimension(self) -> str | None:
        """The number that an order or a sum is of."""
        numeric = [key for key in self.keys if key in NUMERIC]
        if len(numeric) == 1:
            return numeric[0]
        values = {s.value for s in self.of("most", "least")} - {""}
        if numeric or "population" in values:
            return "population" if values == {"population"} and not numeric else None
        if self.has("border") and not (len(self.countries) == 1 and not self.regions) and not values - {"area"}:
            return "borders"
        return values.pop() if len(values) == 1 else None

    # --- kinds -----------------------------------------------------------------------------------------------------

    def _with_value(self) -> Asked | None:
        """Of a value: which country has it, whether one has it, or something else of those that have it."""
        symbol = self.held[0]
        key, value = symbol.value, symbol.text
        others = tuple(k for k in self.keys if k != key)
        if len(self.held) > 1 or self._orders or self.has("total") or self.has("number") or self.has("gap"):
            return None
        if self.countries and self._yes_no and not others and not self.has("border"):
            if len(self.countries) > 1 or (key == "capital" and "capital" not in self.keys):
                return None
            return Asked("yes", Set("names", self.countries), (key,), value=value)
        asks = key in self.keys or key in ("calling", "domain") or self.has("country") or self.has("use")
        holders = held()[key].get(value, ())
        if self.countries or not asks or not holders or (key == "capital" and key not in self.keys and others):
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

    def _yes_or_no(self) -> Asked | None:
        one = Set("names", self.countries[:1])
        rest = self.countries[1:]
        if not self.countries or (self.has("or") and not self.has("number")):
            return None
        if self._orders:
            most = self._largest()
            if self.has("number") and len(self.countries) == 1 and (key := self._dimension()):
                return Asked("yes", one, (key,), value=self.of("number")[0].value, most=most)
            if len(self.countries) == 2 and self.has("than") and (key := self._dimension()):
                return Asked("yes", one, (key,), rest, most=most)
            return None
        if self.has("same") and len(self.countries) == 2 and len(self.keys) == 1:
            return Asked("yes", one, self.keys, rest, value="same")
        if self.keys not in ((), ("region",)) or self.has("number"):
            return None
        if not rest and (self.has("land") or (self.has("border") and not self.regions)):
            return Asked("touch", one)
        if self.has("border") and rest:
            return Asked("touch", one, (), rest)
        if len(self.regions) == 1 and not rest and not self.has("border"):
            return Asked("yes", one, ("region",), value=self.regions[0])
        return None

    def _largest(self) -> bool:
        """True where the most is asked for: of `fewer`, `most` the last one says it."""
        return self.of("most", "least")[-1].kind == "most"

    def _total(self) -> Asked | None:
        key, group = self._dimension() or ("area" if self.keys == ("area",) else None), self._group()
        if key in ("population", "area") and group and not self._orders:
            return Asked("total", group, (key,))
        if len(self.countries) == 1 and not self.has("border") and not self._orders and len(self.keys) == 1:
            return Asked("show", Set("names", self.countries), self.keys)  # the total area of one
        return None

    def _gap(self) -> Asked | None:
        key = self._dimension()
        return Asked("gap", Set("names", self.countries), (key,)) if key else None

    def _best(self) -> Asked | None:
        """The first of an order: of named countries, of neighbours, of a region; and what else is asked of it."""
        key, group = self._dimension(), self._group()
        if key is None or group is None or self.has("number") or self.has("count") or len(self.of("most", "least")) > 1:
            return None
        best = Set("best", of=group, key=key, most=self._largest())
        others = tuple(k for k in self.keys if k != key)
        return Asked("show", best, others) if others else Asked("best", best, (key,))

    def _counted(self) -> Asked | None:
        if around := self._neighbours():
            return Asked("count", around) if not self.keys else None
        if self.has("border") and len(self.countries) == 2 and self.has("both"):
            return Asked("count", Set("common", of=Set("names", self.countries)))
        if self.countries and not self.regions and len(self.keys) == 1:
            if self.keys[0] in NUMERIC:
                return self._looked_up()
            if self.keys[0] in ("language", "currency", "provinces") and len(self.countries) == 1:
                return Asked("count", Set("names", self.countries), self.keys)
        return None

    def _looked_up(self) -> Asked | None:
        """Facts of named countries, of neighbours or of a region."""
        keys = self.keys or (("region",) if self.has("where") else ())
        if self.regions:
            group = self._group()
            listed = self.has("country") and keys and group and len(group.names) <= MOST_PAGES // 3
            return Asked("show", group, keys) if listed and group and not self.has("border") else None
        if not self.countries:
            return None
        named = Set("names", self.countries)
        if not self.has("border"):
            other = len(self.countries) == 1 and any(s.text == "countries" for s in self.of("country"))
            return Asked("show", named, keys) if keys and not other else None  # `countries like Peru` are others
        if len(self.countries) == 1:
            if not keys:
                return Asked("list", Set("around", of=named))
            if self._side_by_side():
                return Asked("show", named, self._in_order())
            return Asked("show", Set("around", of=named), keys)
        if self.has("both") and not keys:
            return Asked("list", Set("common", of=named))
        return Asked("show", named, ("borders",)) if not keys else None

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
