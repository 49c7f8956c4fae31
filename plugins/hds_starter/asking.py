"""A question over countries as what is to be looked up and what is to be done with it, read by rule.

The rules (`rules.py`) take symbols (`symbols.py`): a question with a word that is not understood, or that a rule takes
no account of, is not read.
"""

from __future__ import annotations

import re
from dataclasses import replace

from hds_starter import names
from hds_starter.cities import is_capital
from hds_starter.forms import Asked, Set, Unread
from hds_starter.rules import Rules
from hds_starter.spelling import plain
from hds_starter.symbols import MAX_CHARS, Symbol, read, without_courtesy

__all__ = ["Asked", "Unread", "asked"]

_YES_NO = re.compile(
    r"(?:(?:please|hey|hi|hello|so|and|but|ok|okay|then|if|whether|that|,)\s+)*(?:is|are|does|do|has|have|can|could)\b",
    re.I,
)
_IT_IS = re.compile(
    r"(?:is it (?:true|right|correct) that|(?:(?:can|could) you )?tell me (?:if|whether)|do you know (?:if|whether)|"
    r"i wonder (?:if|whether))\b",
    re.I,
)


_CLAIM = re.compile(
    r"\s*is (?P<city>[^?,]{2,40}?) (?:really |actually )?the capital (?:city )?of [^?,]{2,40}\??\s*\Z", re.I
)


def asked(question: str) -> Asked | Unread:
    """The reading of a question."""
    if len(question) > MAX_CHARS:
        return Unread("the question is long; ask for the facts alone")
    symbols = read(_IT_IS.sub("", without_courtesy(question).strip(" ,"), count=1))
    rules = Rules(symbols, without_courtesy(question))
    result = _claim(question, symbols) or _refusal(rules) or rules.reading(yes_no=_yes_no(question)) or Unread()
    if isinstance(result, Unread):
        return result
    return replace(result, read_as=tuple(dict.fromkeys(s.found.meant for s in symbols if s.found and s.found.meant)))


def _claim(question: str, symbols: list[Symbol]) -> Asked | Unread | None:
    """Whether a city is a capital, or which of two is: of a city that no list has as well.

    One that is not known may be the capital in another spelling (Kiev): nothing is said of it.
    """
    match = _CLAIM.match(question)
    named = [s.found for s in symbols if s.found and s.kind == "named"]
    if match is None or len(named) != 1 or len(named[0].names) != 1 or named[0].kind != "country":
        return None
    if [s.kind for s in symbols if s.kind not in ("unknown", "held", "named", "or")] != ["attribute"]:
        return None  # it asks for something else as well
    city, (country,) = plain(match["city"]), named[0].names
    if not {s.text for s in symbols if s.kind == "unknown"} <= set(city.split()):
        return None
    cities = city.split(" or ")
    of, known = Set("names", (country,)), [is_capital(one, country) for one in cities]
    if len(cities) > 1 and True in known:
        return Asked("show", of, ("capital",))
    if len(cities) > 1 or known[0] is None:
        return Unread(f"{city} may be its capital in another spelling, or not; ask: capital of {country}")
    return Asked("yes", of, ("capital",), value=city)


def _yes_no(question: str) -> bool:
    text = without_courtesy(question).strip(" ,")[:200]
    if _IT_IS.match(text):
        return True
    match = _YES_NO.match(text)
    if match is None:
        return False
    return not text[match.end() :].strip().casefold().startswith("you ")


def _refusal(symbols: Rules) -> Unread | None:
    """Why a question is not read: words that say nothing here, a name that is none, or one of several."""
    for symbol in symbols.of("named"):
        if symbol.found and symbol.found.kind == "several":
            return Unread(f"did you mean {' or '.join(symbol.found.names)}?")
    unknown = tuple(symbol.text for symbol in symbols.of("unknown"))
    if not unknown:
        return Unread() if symbols.of("refused") else None
    before = {s.text: symbols.word_before(s) for s in symbols.of("unknown")}
    near = {word: names.similar(f"{before[word]} {word}") or names.similar(word) for word in unknown}
    near = {word: similar for word, similar in near.items() if similar}
    if near and symbols.known:
        return Unread("; ".join(f"{word}: did you mean {name}?" for word, name in near.items()), unknown)
    return Unread(unknown=unknown)
