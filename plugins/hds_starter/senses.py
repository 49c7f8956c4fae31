"""Whether the words of a question can be relied on: none in another sense, or of something else, is passed over."""

from __future__ import annotations

import re

from hds_starter.forms import NUMERIC
from hds_starter.sequence import OF, Symbols
from hds_starter.symbols import Symbol

_AROUND = frozenset({"around", "surround", "surrounds", "surrounding"})
_ORDERS = ("most", "least")
_COUNTED = frozenset(
    {"inhabitants", "residents", "area", "currency", "currencies", "population", "provinces", "province", "km2",
     "official languages", "people living", "square kilometres", "square kilometers", "square km", "sq km"}
)  # fmt: skip
_UNCOUNTED = frozenset({"currency", "language", "capital", "calling", "domain", "region", "people", "area"})
_PAID = frozenset({"pay", "pays", "paying", "buy things", "spend"})
_OTHERWISE = re.compile(
    r"\b(?:spend|pays?|paying|paid)\b.{0,20}\b(?:on|for)\b|\band (?:which|what|who|how|where)(?: ones?)?\W*\Z", re.I
)
_WHERE = frozenset("is are s the exactly in on does do can i you we find".split())
_PERSON = re.compile(
    r"\b(?:people|persons?|someone|somebody|citizens?|inhabitants?|residents?|folks|natives|locals|anyone|nationals?)\b",
    re.I,
)


class Senses(Symbols):
    """The symbols of a question, and whether a rule may take each for what it says by itself."""

    @property
    def doubtful(self) -> bool:
        """True where a word may be meant in another sense, or of something else, than a reading would take it."""
        pairs = list(zip(self._symbols, self._symbols[1:], strict=False))
        return (
            any(_apart(one, two) for one, two in pairs)
            or self._beside()
            or self._mixed()
            or self._of_a_part()
            or self._in_another_sense()
        )

    def _beside(self) -> bool:
        """Two names with nothing between that joins them: `people from Poland in Germany`, `Georgia, USA`."""
        named = self.of("named")
        kinds = [s.kind for s in self._symbols]
        if len(named) != 2 or self.orders or self.of("total", "gap", "both", "between", "border"):
            return False
        first = kinds.index("named")
        comma = self._symbols[first + 1 : first + 3]
        if [s.kind for s in comma] == ["and", "named"] and comma[0].text == ",":
            return not any(s.text.endswith("s") for s in self.of("attribute"))
        return kinds[first + 1 : first + 2] == ["named"] and not self.regions

    def _mixed(self) -> bool:
        """Facts that are each of another country, or of another fact: nothing but `and` joins two of one country."""
        kinds = [s for s in self._symbols if s.kind in ("attribute", "named", "and", "country", "held", "border")]
        last: Symbol | None = None
        joined = False
        for symbol in kinds:
            if symbol.kind == "attribute":
                if last is not None and last.value != symbol.value and not joined:
                    return True
                last, joined = symbol, False
            joined = joined or symbol.kind in ("and", "country", "border")
            joined = joined or (symbol.kind == "held" and last is not None and last.value == symbol.value == "capital")
        blocks = re.sub(r"(.)\1+", r"\1", "".join({"attribute": "a", "named": "n"}.get(s.kind, "") for s in kinds))
        if self.orders or self.held or self.has("border") or len(self.countries) < 2:
            return False
        return blocks not in ("an", "na", "a", "n", *(("ana",) if len(self.keys) == 1 else ()))

    def _of_a_part(self) -> bool:
        """A number that may be one of the capital: `its capital and how many live there`, `the largest Asian one`."""
        kinds = [s.kind for s in self._symbols]
        for one, two, three in zip(self._symbols, self._symbols[1:], self._symbols[2:], strict=False):
            if one.kind in ("most", "least") and two.kind == "named" and _apart(one, three):
                return True
            if two.text == "with" and one.kind == "attribute" and one.value not in NUMERIC and three.kind in _ORDERS:
                return True  # the capital with the most people
        capital = next((n for n, s in enumerate(self._symbols) if s.kind == "attribute" and s.value == "capital"), None)
        if capital is None or (self.held and self.has("country")):
            return False  # of the country with a capital: that one is named
        later = self._symbols[capital + 1 :]
        number = any(s.kind == "attribute" and s.value in NUMERIC for s in later)
        return number and "pronoun" in kinds[capital:]

    def _in_another_sense(self) -> bool:
        return (
            self.has("refused")
            or self._states()
            or self._border_words()
            or self._counts_something_else()
            or self._from_or_as()
            or self._people_of_a_language()
            or self._asks_otherwise()
            or ("people" in self.keys and not self._people())
            or ("provinces" in self.keys and not self.has("count"))
        )

    def _states(self) -> bool:
        """The states of a country, or countries in one: `US states`, `states in the US`."""
        for one, two in zip(self._symbols, self._symbols[1:], strict=False):
            if one.kind == "named" and two.kind == "country" and one.found and one.found.kind == "country":
                return True
            inside = set(two.before) & {"of", "in", "within", "inside"} and one.text not in ("country", "nation")
            if one.kind == "country" and inside and two.found and two.found.kind == "country":
                return True
        return False

    def _border_words(self) -> bool:
        """Words of a border that say it of something else: `around 5 people`, `neighbours of neighbours`."""
        border = self.of("border")
        if len(border) > 1:
            return True
        for place, symbol in enumerate(self._symbols):
            before, after = self._symbols[:place][-1:], self._symbols[place + 1 :][:1]
            if symbol.text in ("border", "borders") and "the" in symbol.before:
                return [s.kind for s in after] != ["country"]  # what is spoken at the border
            if symbol.kind == "border" and symbol.text in _AROUND:
                plural = bool(before) and before[0].kind == "country" and before[0].text.endswith(("ies", "s"))
                if not plural or not after or after[0].kind != "named":
                    return True
        return bool(border) and any(s.text in ("lies", "lie", "located", "situated") for s in self.of("attribute"))

    def _counts_something_else(self) -> bool:
        """`How many coins`, `how much money`, `how many people speak`: none of these is a fact of the pages."""
        attributes = self.of("attribute")
        if self.has("count") and any(s.text not in _COUNTED and s.value in _UNCOUNTED for s in attributes):
            return not self.held
        if self.has("gap") and not any(s.text == "difference" for s in self.of("gap")):
            return any(s.value not in NUMERIC for s in attributes)
        for one, two in zip(self._symbols, self._symbols[1:], strict=False):
            if one.kind == "attribute" and one.value == "population" and two.kind in ("use", "held"):
                return True
        return False

    def _from_or_as(self) -> bool:
        """Words that join in more than one way: `people from Poland`, `as large as`."""
        for place, symbol in enumerate(self._symbols):
            after = self._symbols[place + 1 :][:1]
            fact = [s for s in self._symbols[place + 1 :][:2] if s.kind != "pronoun"][:1]
            told = bool(fact) and fact[0].kind == "attribute" and fact[0].value in ("currency", "language", "capital")
            if symbol.kind == "as" and not (told or self.has("same")):
                return True
            region = bool(after) and after[0].found is not None and after[0].found.kind == "region"
            alone = len(self.countries) == 1 and {*self.keys} <= {"people", "language", "currency"}
            if symbol.kind == "from" and not (region or (alone and not self.orders and not self.held)):
                return True
        return False

    def _people_of_a_language(self) -> bool:
        """`Which language do the French speak` is no question for those who speak French."""
        for place, symbol in enumerate(self._symbols):
            asks = symbol.kind == "attribute" and symbol.value != "capital" and {"what", "which"} & {*symbol.before}
            if asks and any(held.value == symbol.value for held in self.held):
                return True
            after = self._symbols[place + 1 :][:1]
            named = not after or after[0].text not in ("language", "languages", "official language")
            if (symbol.kind, symbol.value) == ("held", "language") and symbol.before[-1:] == ("the",) and named:
                return True
        return False

    def _asks_otherwise(self) -> bool:
        """`Who is on the coins`, `how is the capital`, `where do people live`: no question for what these are."""
        if _OTHERWISE.search(self._question):
            return True
        listed = [
            s for one, s in zip(self._symbols, self._symbols[1:], strict=False) if one.text == "," and not s.before
        ]
        if any(s.value == "area" for s in self.orders) and any(s.value == "population" for s in listed):
            return True  # the largest country, population
        for symbol in self.of("attribute"):
            who = "who" in symbol.before and not self.held and not self.orders
            how = "how" in symbol.before and symbol.text not in _PAID and symbol.value not in ("population", "people")
            how = how and "called" not in self._question
            if who or how or (symbol.value == "currency" and "on" in symbol.before):
                return True
        named = self.of("named")
        return self.has("where") and not self.keys and bool(named) and not _WHERE.issuperset(named[0].before)

    def _people(self) -> bool:
        said = [s.text for s in self.of("attribute") if s.value == "people"]
        return any(text not in ("call", "called") for text in said) or bool(_PERSON.search(self._question))


def _apart(one: Symbol, two: Symbol) -> bool:
    """True where two neighbouring symbols say something else than each by itself."""
    if one.kind == "and" and one.text != "with" and two.kind == "count":
        return True  # which countries are they, and how many?
    if one.kind in ("most", "least"):
        return _is_of_several(one, two) or (two.kind == "attribute" and two.value not in NUMERIC)
    if one.kind == "attribute" and one.value not in NUMERIC and two.kind in ("most", "least"):
        return not OF & {*two.before}  # whose capital is larger
    if one.kind == two.kind == "named" and one.found and two.found:
        if one.found.demonym or two.found.demonym:
            return True
        return "region" not in (one.found.kind, two.found.kind) and bool(set(two.before) - {"the"})
    return False


def _is_of_several(order: Symbol, symbol: Symbol) -> bool:
    """True for `the largest countries` and `the biggest neighbours`, of which no rule gives the first few."""
    several = symbol.kind == "country" or (symbol.kind == "border" and order.value and symbol.text.startswith("neighb"))
    return bool(several) and symbol.text.endswith("s") and not {"of", "among"} & {*symbol.before}
