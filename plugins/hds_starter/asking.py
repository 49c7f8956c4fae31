"""A question over countries as what is to be looked up and what is to be done with it, read by rule.

The rules (`rules.py`) take symbols (`symbols.py`): a question with a word that is not understood, or that a rule takes
no account of, is not read.
"""

from __future__ import annotations

import re
from dataclasses import replace

from hds_starter import names
from hds_starter.cities import is_capital
from hds_starter.forms import Asked, Unread
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


def asked(question: str) -> Asked | Unread:
    """The reading of a question."""
    if len(question) > MAX_CHARS:
        return Unread("the question is long; ask for the facts alone")
    symbols = read(_IT_IS.sub("", without_courtesy(question).strip(" ,"), count=1))
    claimed = _claimed(question, symbols)
    if isinstance(claimed, Unread):
        return claimed
    rules = Rules(claimed, without_courtesy(question))
    if refusal := _refusal(rules):
        return refusal
    result = rules.reading(yes_no=_yes_no(question))
    if result is None:
        return Unread()
    return replace(result, read_as=tuple(dict.fromkeys(s.found.meant for s in symbols if s.found and s.found.meant)))


def _claimed(question: str, symbols: list[Symbol]) -> list[Symbol] | Unread:
    """A city that is no capital, where a question asks for nothing else than whether it is one, as a value.

    A city that is not known may be the capital in another spelling (Kiev): nothing is said of it.
    """
    match = _CLAIM.match(question)
    if match is None:
        return symbols
    city, countries = plain(match["city"]), [s.found for s in symbols if s.found and s.kind == "named"]
    unknown = [symbol for symbol in symbols if symbol.kind == "unknown"]
    if not {s.text for s in unknown} <= set(city.split()) or len(countries) != 1 or len(countries[0].names) != 1:
        return symbols
    (country,) = countries[0].names
    if is_capital(city, country) is None:
        return Unread(f"{city} may be its capital in another spelling, or not; ask: capital of {country}")
    return [Symbol("held", "capital", city), *(s for s in symbols if s.kind not in ("unknown", "held"))]


_CLAIM = re.compile(
    r"\s*is (?P<city>[^?,]{2,40}?) (?:really |actually )?the capital (?:city )?of [^?,]{2,40}\??\s*\Z", re.I
)


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
