"""The words of a question over countries as symbols: what is named, what is asked for, and what is done with it.

A word that is none of these makes the question one that is not read by rule: it may be what the question is about.
"""

from __future__ import annotations

import functools
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from hds_starter import names, world
from hds_starter.spelling import places, plain, typed
from hds_starter.words import ATTRIBUTES, BORDERS, FILLERS, LEAST, MOST, OTHERS, phrases

MAX_CHARS = 400
_LONGEST = 5  # words of a phrase
_UNKNOWN = 6  # words behind which a question is read no further


@dataclass(frozen=True)
class Symbol:
    """One stretch of a question.

    `kind`: named (`found`), attribute, border, held (a value that a country has), most, least, number, unknown, or
    one of `words.OTHERS`. `before`: the words just before it that say nothing.
    """

    kind: str
    value: str = ""
    text: str = ""
    found: names.Found | None = None
    before: tuple[str, ...] = ()


_COURTESY = re.compile(
    r"\b(?:i was (?:just )?wondering|(?:do|would) you happen to|so kind as to|excuse me|at the moment|right now|"
    r"(?:does|do|can|could|would|will) (?:any|some)(?:one|body)(?: here| please)? (?:know|tell (?:me|us))|"
    r"(?:i|we)(?:'d| would|d) like(?: to (?:know|see|find out|hear|have|ask))?|let(?:'s| us) see|find out|look up|"
    r"out(?= of\b)|"
    r"who (?:knows|can tell me)|(?<=\bare )there|(?<=\bis )there|"
    r"these days|of (?:the|these) (?:two|three|four|five)|"
    r"(?:when|if|before) (?:i|we|you) (?:travel|go|fly|visit|am|are|come)\b(?: there)?|in your opinion|"
    r"(?:i|we) (?:have|need|want|ought) to know|as far as you know|good (?:morning|evening|afternoon|day)|"
    r"my (?:\w+ )?(?:son|daughter|friend|wife|husband|boss|kids?|teacher|mother|father|mom|mum|dad|brother|sister|"
    r"colleague) (?:asks?|asked|wants?|wanted)(?: me| to know)*|(?:can|could) you help(?: me)?(?: out)?|"
    r"for (?:a|an|my|our|the) (?:\w+ )?(?:quiz|homework|project|trip|test|exam|class|school|lesson|essay|"
    r"presentation|game|crossword|holiday|vacation|journey|report))\b",
    re.I,
)
_ALIASES = {
    "us dollars": "us dollar", "american dollar": "us dollar", "pound sterling": "british pound", "rouble": "ruble",
    "cfa franc": "franc", "renminbi": "yuan", "euros": "euro", "dollars": "dollar", "zlotys": "zloty",
}  # fmt: skip
_USES = frozenset("use uses used using accept accepts".split())
_TOLD = frozenset("tell give show let help remind teach inform send for to with".split())
_COUNTRY_OF = frozenset("the of in does do is are has than and or".split())
_FOLK = frozenset("people inhabitants residents citizens persons folks".split())
_MOST_FOLK = frozenset(f"most {word}" for word in _FOLK)
_SPEAKERS = frozenset("the has have with having country countries".split())
"""Words before `most people`, where that is an order: not in `what most people speak`."""


@functools.cache
def _phrases() -> Mapping[str, Symbol]:
    known: dict[str, Symbol] = {}
    for kind, texts in OTHERS.items():
        known |= {text: Symbol(kind, "", text) for text in phrases(texts)}
    for key, texts in ATTRIBUTES.items():
        known |= {text: Symbol("attribute", key, text) for text in phrases(texts)}
    known |= {text: Symbol("border", "", text) for text in phrases(BORDERS)}
    for kind, by_key in (("most", MOST), ("least", LEAST)):
        for key, texts in by_key.items():
            known |= {text: Symbol(kind, key, text) for text in phrases(texts)}
    return known


@functools.cache
def _slippery() -> tuple[str, ...]:
    """The words of which a misspelling is read: those of five letters or more, and the common ones."""
    return tuple(sorted({word for word in _phrases() if len(word) > 4 and " " not in word} | {"which", "there"}))


@functools.cache
def held() -> Mapping[str, Mapping[str, tuple[str, ...]]]:
    """The countries that have a value, by attribute and by the value in plain letters: `capital`, `lima`."""
    known: dict[str, dict[str, list[str]]] = {
        key: defaultdict(list) for key in ("capital", "currency", "language", "calling", "domain")
    }
    for title, info in names.countries().items():
        if title in ("Burma", "Vatican City State", "Serbia and Montenegro", "Antilles néerlandaises"):
            continue
        values = {
            "capital": [capital := str(info.get("capital") or ""), capital.removesuffix("'s")],  # as `words_of` cuts it
            "language": world.languages_of(dict(info)),
            "calling": [f"+{code}" for code in (info.get("callingCodes") or [])[:1]],
            "domain": (info.get("tld") or [])[:1],
        }
        for key, texts in values.items():
            for text in texts:
                known[key][plain(text) if key in ("capital", "language") else text].append(title)
        for currency in world._named(info.get("currencies"), "currencies"):
            words = plain(currency).split()
            for part in {" ".join(words), words[-1]}:
                known["currency"][part].append(title)
    for name, of in _ALIASES.items():
        known["currency"].setdefault(name, known["currency"].get(of, []))
    known["capital"] |= {"washington": ["United States"], "washington dc": ["United States"], "astana": []}
    return {key: {v: tuple(dict.fromkeys(t)) for v, t in texts.items() if v and t} for key, texts in known.items()}


def without_courtesy(question: str) -> str:
    """A question without the phrases that ask for nothing."""
    return _COURTESY.sub(" ", question[:MAX_CHARS].replace("’", "'"))


def words_of(question: str) -> list[str]:
    """The words of a question in plain letters; `+977`, `.fi` and a comma are words of their own."""
    text = re.sub(r"'s\b|s'(?=\s)", lambda m: "" if m[0] == "'s" else "s", without_courtesy(question), flags=re.I)
    tokens = re.findall(r"\+\d{1,4}\b|(?<![\w.])\.[A-Za-z]{2,3}\b|\d[\d.,]*\d|\w+(?:'\w+)?|,|;|&", text)
    parts = [token if token[0] in "+.,;" or token[0].isdigit() else plain(token) for token in tokens]
    words = [part for token in parts for part in ("and" if token == "&" else token.casefold()).split() if part]
    capitals = "US" in tokens and text != text.upper()
    return words if capitals else [_us(words, place) if word == "us" else word for place, word in enumerate(words)]


def _us(words: Sequence[str], place: int) -> str:
    """`us` as the country, as those who ask (`me`), or as what cannot be told."""
    before = words[place - 1] if place else "the"
    return "us" if before in _COUNTRY_OF or before == "," else "me" if before in _TOLD else "us?"


def read(question: str) -> list[Symbol]:
    """The symbols of a question, in order; an unknown word is one of its own."""
    words = words_of(question)[: names.MAX_WORDS]
    text = f" {' '.join(words)} "
    asked = {
        symbol.value for phrase, symbol in _phrases().items() if symbol.kind == "attribute" and f" {phrase} " in text
    }
    asked |= {"currency"} if set(words) & _USES else set()
    symbols: list[Symbol] = []
    skipped: list[str] = []
    before = ""
    while words and sum(symbol.kind == "unknown" for symbol in symbols) < _UNKNOWN:
        count, symbol = _next(words, asked)
        if symbol is None and words[0] in _FOLK and symbols and symbols[-1].kind == "number" and not skipped:
            symbol = Symbol("attribute", "population", words[0])  # 8 million people
        if symbol is not None and symbol.text in _MOST_FOLK and before and before not in _SPEAKERS:
            symbol = Symbol("refused", "", symbol.text)
        if symbol is not None:
            symbols.append(replace(symbol, before=tuple(skipped)))
        skipped = [*skipped, words[0]] if symbol is None else []
        before = words[count - 1]
        words = words[count:]
    return symbols


def _next(words: Sequence[str], attributes: set[str]) -> tuple[int, Symbol | None]:
    """How many words the next symbol takes, and that symbol; None for words that say nothing."""
    phrase = next((n for n in range(min(_LONGEST, len(words)), 0, -1) if " ".join(words[:n]) in _phrases()), 0)
    found = names.find(words)
    value = _held(words, attributes)
    folk = found is not None and not _FOLK.isdisjoint(words[found.words : found.words + 1])
    if value and value[1].value == "language" and folk:
        value = None  # what French people speak
    if value and value[0] >= phrase and (not found or value[0] > found.words or _is_language(value[1], found)):
        return value
    if found and found.words >= phrase:
        return found.words, Symbol("named", found.kind, " ".join(words[: found.words]), found)
    if phrase:
        return phrase, _phrases()[" ".join(words[:phrase])]
    word = words[0]
    if word in ",;":
        return 1, Symbol("and", "", word)
    if word in FILLERS or (word in ("city", "town", "cities") and "capital" in attributes):
        return 1, None
    if word[0].isdigit():
        return _number(words)
    return _misspelt(words)


def _held(words: Sequence[str], attributes: set[str]) -> tuple[int, Symbol] | None:
    """A value that countries have, where the question is about such values: `lima`, `us dollar`, `+51`."""
    if words[0][0] == "+" or (words[0][0].isdigit() and "calling" in attributes):
        code = "+" + words[0].strip("+")
        return 1, Symbol("held", "calling", code)
    if words[0][0] == "." and len(words[0]) > 1:
        return 1, Symbol("held", "domain", words[0])
    keys = ["capital", *(key for key in ("language", "currency") if key in attributes)]
    for count in range(min(_LONGEST, len(words)), 0, -1):
        for key in keys:
            if " ".join(words[:count]) in held()[key]:
                value = " ".join(words[:count])
                return count, Symbol("held", key, _ALIASES.get(value, value) if key == "currency" else value)
    return None


def _is_language(value: Symbol, found: names.Found) -> bool:
    """True where a word that is the name of a language as well as an adjective is meant as the language."""
    return value.value == "language" and found.demonym


def _number(words: Sequence[str]) -> tuple[int, Symbol]:
    scale = {"thousand": 3, "million": 6, "millions": 6, "billion": 9, "mio": 6}.get(
        words[1] if len(words) > 1 else "", 0
    )
    digits = words[0].replace(",", "")
    if not re.fullmatch(r"\d{1,15}(?:\.\d{1,6})?", digits):
        return 1, Symbol("unknown", "", words[0])
    return (2 if scale else 1), Symbol("number", f"{float(digits) * 10**scale:.0f}" if scale else digits, words[0])


def _misspelt(words: Sequence[str]) -> tuple[int, Symbol | None]:
    """The symbol that a misspelt word is meant to be: one of the words that ask, or a name."""
    word = words[0]
    if any(typed(word, filler) for filler in FILLERS if len(filler) > 5):
        return 1, None
    near = [] if word in places() else [n for n in _slippery() if typed(word, n, 5) and n != f"{word}s"]
    kinds = {(_phrases()[name].kind, _phrases()[name].value) for name in near if name in _phrases()}
    found = names.meant(word, words[1] if len(words) > 1 else "")
    if len(kinds) == 1 and found is None:
        return 1, _phrases()[near[0]]
    if found is not None and not kinds:
        return found.words, Symbol("named", found.kind, " ".join(words[: found.words]), found)
    return 1, Symbol("unknown", "", word)
