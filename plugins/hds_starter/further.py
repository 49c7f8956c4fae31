"""A further question as one that stands alone: the adapter was taught single questions, not conversations.

A question is read through the phrasings that the adapter was taught (`training/facts.py`), as what is asked of whom. A
further question changes one of the two: "and of Peru?", "and their currencies?".
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from hds_cli.types import Exchange
from hds_starter import asking, names
from hds_starter.spelling import plain
from hds_starter.training.facts import ARTICLE, ASK, ASK_MANY, FACTS

MAX_CHARS = 300
PLURALS = {
    "capital": "capitals", "population": "populations", "area": "areas", "currency": "currencies",
    "language": "official languages", "calling": "calling codes", "domain": "internet domains",
}  # fmt: skip
FACT_NOUNS = {fact.noun: key for key, fact in FACTS.items()} | {plural: key for key, plural in PLURALS.items()} | {
    "capital city": "capital", "capital cities": "capital", "number of people": "population",
    "number of inhabitants": "population", "size": "area", "money": "currency", "language": "language",
    "languages": "language", "official language": "language", "phone code": "calling", "phone codes": "calling",
    "dialling code": "calling", "country code": "calling", "domain": "domain", "top-level domain": "domain",
    "demonyms": "people", "neighbours": "borders", "neighbors": "borders", "neighbouring countries": "borders",
    "borders": "borders", "region": "region",
}  # fmt: skip
_BORDERS = (
    "Which countries border {t}?", "Which countries does {t} border?", "What are the neighbours of {t}?",
    "Name the countries that border {t}.", "Neighbouring countries of {t}?", "countries bordering {t}",
    "List the countries that share a border with {t}.", "What countries share a border with {t}?", "Who borders {t}?",
    "neighbours of {t}", "{t}'s neighbours?",
)  # fmt: skip
_AROUND = (
    "the countries that border {t}", "the countries bordering {t}", "all countries bordering {t}",
    "all countries that border {t}", "the countries around {t}", "the countries next to {t}", "the neighbours of {t}",
    "all neighbours of {t}", "the neighbouring countries of {t}", "countries that border {t}", "{t}'s neighbours",
    "{t}'s neighbouring countries", "each country bordering {t}", "the neighbors of {t}",
)  # fmt: skip
_HOLDERS = (
    "Which country has the capital {t}?", "Whose capital is {t}?", "{t} is the capital of which country?",
    "What country is {t} the capital of?", "Of which country is {t} the capital?", "{t} is the capital of what?",
    "Name the country whose capital is {t}.", "Which country's capital is {t}?",
)  # fmt: skip
_LEADING = re.compile(
    r"(?:(?:and|but|then|now|ok|okay|so|also|what about|how about|the same for|same for)\b[\s,:]*)+", re.I
)
_ASKING = re.compile(r"(?:what(?:'s| is| are| was| were)|which (?:is|are)|tell me|name|give me|list)\s+", re.I)
_PREPOSITION = re.compile(r"(?:(?:that|those|the one|the ones)\s+)?(?:of|in|for|from)\s+", re.I)
_OF_CITIES = frozenset({"population", "area", "borders"})
_ENDS = re.compile(r"\b(?:largest|biggest|smallest)\b", re.I)
_POSSESSIVE = re.compile(r"(?:its|their|his|her)\s+", re.I)
_PRONOUNS = frozenset("it they them he she him her this that these those there".split())
_OWNERS = frozenset("its their his her theirs".split())
_SENTENCE = frozenset(
    "who whom whose what which when where why how is are was were do does did has have had can could will would "
    "should border borders than more less most least largest smallest or not".split()
)
_OTHER = re.compile(r"(?P<head>.{0,120}?\bthe (?:[\w-]+ ){1,3}(?:of|in) )(?P<t>[^?.!]+)(?P<tail>[?.!]*)\Z", re.I)


@dataclass(frozen=True)
class Asked:
    """A question: `key` of FACTS, `borders` or `holder` (whose capital it is), of `subject` or of what borders it."""

    key: str
    subject: str
    around: bool = False

    @property
    def whole(self) -> str:
        subject = self.subject
        if self.key == "borders":
            return f"Which countries border {subject}?"
        if self.key == "holder":
            return f"Which country has the capital {subject}?"
        if self.around:
            noun = PLURALS.get(self.key, f"{FACTS[self.key].noun}s")
            return f"What are the {noun} of the countries that border {subject}?"
        many = _several(subject)
        return FACTS[self.key].ask_many[0].format(l=subject) if many else FACTS[self.key].ask[0].format(t=subject)


def whole(before: Sequence[Exchange], question: str, names: Sequence[str]) -> str | None:
    """A further question as one that needs nothing before it; None where that cannot be told.

    Args:
        before: what was asked, in full, and answered; the last one is what the question goes on from.
        names: what the pages read for it are called.
    """
    plain_question = _plain(question)
    joined = _LEADING.match(plain_question) is not None
    alone = _read(_LEADING.sub("", plain_question, count=1))
    if alone is not None and alone.subject.casefold() not in _PRONOUNS:
        return alone.whole if joined else question
    last = before[-1]
    if ordered := _in_order(plain_question, last):
        return ordered
    asked = _read(_plain(last.question)) or _by_rule(last.question)
    of_a_city = asked is not None and asked.key == "capital" and not asked.around and not _several(asked.subject)
    if asked is not None and re.search(r"\b(?:it|its)\b", plain_question, re.I):
        asked = replace(asked, around=False, key=asked.key if asked.key == "holder" else "capital")
    fragment = _fragment(plain_question)
    key, known = (alone.key, True) if alone is not None else _attribute(fragment, names)
    if key is not None:
        # `how many live there?` behind `Oslo`: the city, or its country?
        unclear = of_a_city and key in _OF_CITIES and not _POSSESSIVE.match(fragment)
        return None if unclear else _of_referent(key, asked, last.answer)
    if _stands_alone(_LEADING.sub("", plain_question, count=1)):
        return question
    if around := _match(_AROUND, _PREPOSITION.sub("", fragment, count=1)):
        return Asked(asked.key, _name(around), around=True).whole if asked is not None and asked.key in FACTS else None
    if known or not fragment or set(re.findall(r"[\w']+", fragment.casefold())) & (_SENTENCE | _PRONOUNS):
        return None
    return _of_another(_PREPOSITION.sub("", fragment, count=1), asked, last.question)


def _in_order(question: str, last: Exchange) -> str | None:
    """A further question on an order: the other end of it, the first of the neighbours, or by how many it is first."""
    fragment = _fragment(question)
    ends = _ENDS.findall(last.question)
    if (match := re.fullmatch(r"(?:the )?(\w+)(?: one)?", fragment, re.I)) and _ENDS.fullmatch(match[1]):
        return _ENDS.sub(match[1].casefold(), last.question) if len(ends) == 1 else None
    if match := re.fullmatch(r"which (?:one )?of (?:them|these|those) (?P<end>(?:is|has) the .{4,60})", question, re.I):
        asked = _read(_plain(last.question))
        alone = asked is not None and asked.key == "borders" and not _several(asked.subject)
        return f"Which neighbour of {asked.subject} {match['end']}?" if asked is not None and alone else None
    reading = asking.asked(last.question) if fragment.casefold() in ("how many", "how many people") else None
    if isinstance(reading, asking.Asked) and (reading.what, reading.of.key) == ("best", "population"):
        return Asked("population", last.answer).whole if last.answer in names.countries() else None
    return None


def _several(subject: str) -> bool:
    return re.search(r",|\band\b", subject) is not None


def is_taught(question: str) -> bool:
    """True for a question in a phrasing that the adapter was taught, over names that are written right."""
    asked = _read(_plain(question))
    if asked is None or asked.key == "holder":
        return asked is not None
    parts = re.split(r",\s*(?:and\s+)?|\s+and\s+", asked.subject)
    return plain(asked.subject) in names.by_name() or all(plain(p) in names.by_name() for p in parts)


def _by_rule(question: str) -> Asked | None:
    """A look-up in words that were not taught, or misspelt ones: `whats the captial of kazakstan`."""
    reading = asking.asked(question)
    if not isinstance(reading, asking.Asked) or reading.what != "show" or reading.of.kind != "names":
        return None
    subject = " and ".join(reading.of.names)
    return Asked(reading.keys[0], subject) if len(reading.keys) == 1 and reading.keys[0] in FACTS else None


def _of_referent(key: str, asked: Asked | None, answer: str) -> str | None:
    """Something else of whom the last question was about; of its answer, where that is whom it asked for."""
    if asked is not None and asked.key in FACTS:
        return None if key == "borders" and asked.around else replace(asked, key=key).whole
    if asked is not None and asked.key == "borders":
        return None if key == "borders" else Asked(key, asked.subject, around=True).whole
    if answer and not re.search(r"\d|[;:\n]", answer) and len(answer) <= MAX_CHARS:
        return Asked(key, answer.strip(" .")).whole
    return None


def _of_another(fragment: str, asked: Asked | None, question: str) -> str | None:
    """The last question of somebody else."""
    subject = _name(re.sub(r"'s\Z", "", fragment))
    if asked is not None:
        if (asked.around or asked.key not in FACTS) and _several(subject):
            return None  # the neighbours of several were not taught
        return replace(asked, subject=subject).whole
    other = _OTHER.fullmatch(question.strip()[:MAX_CHARS])
    if re.match(r"\W*(?:is|are|does|do)\b", question, re.I):
        return None  # `and of Chile?` behind `is Lima the capital of Peru`: is it Lima there?
    if other is None or set(other["t"].casefold().split()) & _SENTENCE:
        return None
    return f"{other['head']}{subject}{other['tail']}"


def _read(text: str) -> Asked | None:
    """A question through the phrasings that were taught; None where it is none of them."""
    for key, pattern in _patterns():
        if match := pattern.fullmatch(text):
            subject = re.sub(r"\A(?:each of|all of)\s+", "", match["t"].strip(), flags=re.I)
            if around := _match(_AROUND, subject):
                return Asked(key, _name(around), around=True) if key in FACTS else None
            words = set(re.findall(r"[\w']+", subject.casefold()))
            if words & _SENTENCE or words & _OWNERS or len(subject.split()) > 12:
                continue
            return Asked(key, subject if subject.casefold() in _PRONOUNS else _name(subject))
    return None


def _attribute(fragment: str, names: Sequence[str]) -> tuple[str | None, bool]:
    """The fact that a fragment names without saying of whom, and whether it is clear that it names one."""
    fragment = re.sub(r"\Athe ones? of\b", "of", fragment, flags=re.I)
    owned = _POSSESSIVE.match(fragment)
    noun = re.sub(r"\A(?:its|their|his|her|the)\s+|\s+(?:of|in|for)\s+(?:it|them|there)\Z", "", fragment, flags=re.I)
    if key := FACT_NOUNS.get(noun.casefold()):
        return key, True
    called = {name.casefold() for name in (*names, *ARTICLE)}
    return None, bool(owned) or (fragment[:4].casefold() == "the " and noun.islower() and noun not in called)


def _fragment(text: str) -> str:
    """A further question without the words that join it to the last one."""
    for joining in (_LEADING, _ASKING):
        if match := joining.match(text):
            text = text[match.end() :]
    return text


def _stands_alone(text: str) -> bool:
    """True for a sentence that refers to nothing before it."""
    words = re.findall(r"[\w']+", text.casefold())
    return len(words) > 2 and words[0] in _SENTENCE and not set(words) & (_PRONOUNS | _OWNERS | {"one"})


def _plain(question: str) -> str:
    """The words of a question; `there` at its end is a place like any other."""
    words = re.sub(r"\s+", " ", question[:MAX_CHARS]).strip(" ?!.").replace("’", "'")
    return re.sub(
        r" (?:in )?there\Z", " in them", _LEADING.sub("", words, count=1) if words.endswith("there") else words
    )


def _name(text: str) -> str:
    """A name as it is written; one in small letters gets its capitals."""
    text = re.sub(r"\Athe\s+", "", text.strip(), flags=re.I)
    if text != text.casefold():
        return text
    return re.sub(r"[^\W\d_][\w'’]*", lambda m: m[0] if m[0] in ("and", "of", "the") else m[0].capitalize(), text)


def _match(templates: Iterable[str], text: str) -> str | None:
    for template in templates:
        if match := _pattern(template).fullmatch(text):
            return match["t"]
    return None


@functools.cache
def _pattern(template: str) -> re.Pattern[str]:
    text = re.escape(template.rstrip("?.")).replace(r"\{t\}", "(?P<t>.+)").replace(r"\{l\}", "(?P<t>.+)")
    return re.compile(text, re.I)


@functools.cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Every phrasing that was taught, those of many words first: `{t} capital` matches much."""
    templates = [("borders", text) for text in _BORDERS] + [("holder", text) for text in _HOLDERS]
    for key, fact in FACTS.items():
        templates += [(key, text) for text in (*fact.ask, *fact.ask_many)]
        nouns = [noun for noun, of in FACT_NOUNS.items() if of == key]
        frames = [frame for frame in (*ASK, *ASK_MANY) if frame != "{x} {t}"]
        frames += ["What is the {x} of {t}?", "What are the {x} of {t}?", "{x} of {t}?", "Which {x} do {t} have?",
                   "Name the {x} of {t}.", "List the {x} of {t}.", "Give me the {x} of {t}."]  # fmt: skip
        templates += [(key, frame.replace("{x}", noun)) for frame in frames for noun in nouns]
    templates.sort(key=lambda entry: -len(entry[1].split()))
    return tuple((key, _pattern(text)) for key, text in dict.fromkeys(templates))
