"""Words that compare, `longer`, `plus ancien`, `weniger`: of what kind each is, and in which direction."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from hds_cli.text import fold

_MOST = 1_000  # characters of a text
Kind = Literal["size", "age", "speed"]

_LISTED: tuple[tuple[Kind, int, str], ...] = (
    ("size", 1, "more longer longest larger largest bigger biggest greater greatest higher highest taller tallest "
     "heavier heaviest wider widest deeper deepest richer richest warmer warmest hotter hottest farther stronger "
     "deadlier deadliest costlier denser busier exceeds exceed surpasses outnumbers outnumber mehr länger längst "
     "größer größt grösser höher höchst schwerer breiter teurer wärmer übertrifft dépasse mayor supera maggiore meer "
     "groter hoger"),
    ("size", -1, "less fewer fewest shorter shortest smaller smallest lower lowest lighter lightest narrower "
     "narrowest shallower cheaper cheapest colder coldest cooler closer nearer weaker weniger kürzer kürzest "
     "kleiner kleinst niedriger niedrigst geringer geringst leichter schmaler billiger kälter "
     "menor minore minder korter"),
    ("age", 1, "older oldest earlier earliest älter ältest früher frühest ouder eerder"),
    ("age", -1, "younger youngest newer newest later latest jünger jüngst später jonger nieuwer"),
    ("speed", 1, "faster fastest quicker quickest schneller schnellst sneller"),
    ("speed", -1, "slower slowest langsamer langsamst"),
)  # fmt: skip
_WORDS = {word: (kind, sign) for kind, sign, listed in _LISTED for word in listed.split()}
_DEGREES = {"more": 1, "less": -1, "plus": 1, "moins": -1, "más": 1, "menos": -1, "più": 1, "meno": -1}
_LISTED_BEHIND: tuple[tuple[Kind, int, str], ...] = (
    ("size", -1, "sparsely cheaply petit petite petits petites court courte bas basse faible léger légère étroit "
     "étroite pequeño pequeña corto corta bajo baja ligero ligera estrecho estrecha barato barata piccolo piccola "
     "basso bassa"),
    ("age", 1, "ancien ancienne vieux vieille tôt antiguo antigua viejo vieja temprano antico antica vecchio vecchia"),
    ("age", -1, "recent recently jeune récent récente tard joven reciente tarde nuevo nueva giovane recente tardi"),
    ("speed", 1, "quickly rapidly rapide rápido rápida rapido rapida veloce"),
    ("speed", -1, "slowly lent lente lento lenta"),
)  # fmt: skip
_BEHIND = {word: (kind, sign) for kind, sign, listed in _LISTED_BEHIND for word in listed.split()}
_TOKEN = re.compile(r"[^\W\d_]+")
_SUPERLATIVES = ("st", "ßt", "most")


def comparing_words(kind: Kind, sign: int) -> frozenset[str]:
    """The folded words of a kind and direction that compare two; no superlatives, and no `mayor`."""
    listed = (word for word, said in _WORDS.items() if said == (kind, sign))
    return frozenset(fold(word) for word in listed if not word.endswith(_SUPERLATIVES) and word != "mayor")


_BOUND = re.compile(r"\s+(?:than|als|que|de|di)\s+[\d$€£]", re.IGNORECASE)
_WORD_BEHIND = re.compile(r"\s+[^\W\d_]")
AGAINST = re.compile(
    r"\b(?:against|versus|vs|compared (?:to|with)|gegenüber|gegen|verglichen mit|im Vergleich zu|contre|par rapport à"
    r"|frente a|contra|en comparación con|contro|tegen|tegenover)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Direction:
    """What a word says of a figure beside another: `sign` 1 for more of it; where the word stands."""

    kind: Kind
    sign: int
    place: int
    end: int


def direction(text: str) -> Direction | None:
    """The direction in which a text compares; None: in none, or in several."""
    tokens = list(_TOKEN.finditer(text[:_MOST]))
    is_english = any(token[0].casefold() == "the" for token in tokens)
    found: list[Direction] = []
    for number, token in enumerate(tokens):
        word = token[0].casefold()
        behind = tokens[number + 1][0].casefold() if number + 1 < len(tokens) else ""
        if _BOUND.match(text, token.end()):
            continue  # `more than 2,000`
        if word == "mayor" and is_english:
            continue
        if word in _DEGREES and behind in _BEHIND:
            kind, sign = _BEHIND[behind]
            found.append(Direction(kind, sign * _DEGREES[word], token.start(), tokens[number + 1].end()))
        elif known := _WORDS.get(word) or next((_WORDS[base] for base in _bases(word) if base in _WORDS), None):
            found.append(Direction(known[0], known[1], token.start(), token.end()))
        elif word in _DEGREES and _WORD_BEHIND.match(text, token.end()):
            found.append(Direction("size", _DEGREES[word], token.start(), token.end()))
    kinds = {(one.kind, one.sign) for one in found}
    return found[0] if len(kinds) == 1 else None


def _bases(word: str) -> Iterator[str]:
    """The forms of a German comparative without its ending: `längeren`, `größte`."""
    for ending in ("en", "er", "es", "em", "e"):
        if word.endswith(ending) and len(word) > len(ending) + 4:
            yield word.removesuffix(ending)


def without_comparison(text: str) -> str:
    """A text without the words that compare."""
    kept = _TOKEN.findall(AGAINST.sub(" ", text))
    return " ".join(word for word in kept if word.casefold() not in _WORDS and word.casefold() not in _DEGREES)


__all__ = ["AGAINST", "Direction", "Kind", "direction", "without_comparison"]
