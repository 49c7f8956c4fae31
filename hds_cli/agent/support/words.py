"""Words as they are compared between a message and a page: folded, cut to a stem, letter pairs where none are parted."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence

from hds_cli.text import STOPWORDS, fold

_REMEMBERED = 2000  # characters of a text whose words are kept: the same sentences are asked for again
_WORD = re.compile(r"[^\W_]+(?:['’ʼ][^\W\d_]+)*")
_UNSPACED = re.compile(
    "[\u0e00-\u0e7f\u0e80-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f]+"
)
_ARABIC = re.compile("^[وف]?[بكل]?(?:ال|لل)(?=.{3})|^[وف](?=.{4})")
_INFLECTED = re.compile("[\u0370-\u03ff\u0400-\u052f]")  # Greek, Cyrillic: names change their endings
_FUNCTION_WORDS = STOPWORDS | frozenset(
    fold(
        # German, French, Spanish, Italian, Portuguese, Dutch
        "der die das des dem den ein eine einer eines einem einen und oder ist sind war waren wurde wurden hat haben hatte im in "
        "am an auf aus bei mit nach seit von vom zu zum zur für über unter um als auch wie es er sie wird werden "
        "le la les un une des du de et ou est sont était été fut a ont en dans sur par pour avec au aux ce cette ces qui que "
        "il elle se son sa ses leur el los las una unos y o es son fue era del al en por para con su sus que se lo "
        "il gli i uno è sono stato nel nella di da su per con o os as um uma do dos das no na nos nas em ao e foi "
        "het een van op te dat die deze is was werd werden zijn naar bij "
        # Russian, Ukrainian, Greek, Arabic
        "и в во на с со к по из за о об от до для не что как это был была было были является его ее их он она они который которая "
        "і у та що як це є був була ο η το οι τα του της των τον την και σε με για από στο στη στην στον στις ήταν είναι που να θα "
        "في من على الى إلى عن مع هو هي كان كانت التي الذي هذا هذه أن ان و "
        # English beside the stop words
        "which while whose also about into over more most than then so both each all other others same only just very but not no "
        "although though however during after before since until because despite following according among between within "
        "together also still later today currently originally another several many some here there "
        "who its it's this that these those one two first total respectively namely i.e e.g said called known"
    ).split()
)
_NEGATIONS = frozenset(
    fold(
        "not never no none cannot neither nor without lacks lacked lacking dispensed nicht kein keine keiner keinen keinem keines nie pas jamais aucun no nunca ningún non não niet geen не нет ни никогда δεν όχι μη ليس لا لم لن غير"
    ).split()
)
_NEGATING_LETTERS = re.compile("[不没沒未无無]|ない|なかった|ません|ไม่|ไม")


@functools.lru_cache(maxsize=1 << 16)
def _folded(word: str) -> str:
    folded = fold(word)
    folded = folded.replace("’", "'")
    for end in ("'s", "s'", "'ed", "'d", "'ing"):
        folded = folded.removesuffix(end) if len(folded) > len(end) + 1 else folded
    return folded.replace("'", "")


def words(text: str) -> Sequence[str]:
    """The folded words of a text, in order; letter pairs of a script that parts no words."""
    return _words(text) if len(text) <= _REMEMBERED else _words.__wrapped__(text)


@functools.lru_cache(maxsize=4096)
def _words(text: str) -> tuple[str, ...]:
    out: list[str] = []
    for match in _WORD.finditer(text):
        word = match[0]
        if word.isascii() or not _UNSPACED.search(word):
            out.append(_folded(word))
            continue
        for run in re.split(f"({_UNSPACED.pattern})", fold(word)):
            if _UNSPACED.match(run):
                out += [run[i : i + 2] for i in range(max(1, len(run) - 1))]
            elif run:
                out.append(run)
    return tuple(out)


@functools.lru_cache(maxsize=1 << 16)
def stem(word: str) -> str:
    """The stem of a folded word, which its other forms share: `presidents` and `president`, `batted` and `batting`."""
    if "\u0600" <= word[:1] <= "\u06ff":
        word = _ARABIC.sub("", word)
        return word[:4] if len(word) > 5 else word
    if word.isascii():
        for end in ("ing", "ed", "es", "s"):
            if word.endswith(end) and len(word) - len(end) > 2 and not word.endswith(("ss", "us", "is")):
                word = word.removesuffix(end)
                break
        if len(word) > 3 and word[-1] == word[-2]:
            word = word[:-1]
    return word[:5] if len(word) > 5 else word.removesuffix("e") if len(word) > 3 else word


def is_content(word: str) -> bool:
    """True for a folded word that says something by itself."""
    return word not in _FUNCTION_WORDS and not word.isdigit() and (len(word) > 1 or not word.isascii())


def content_stems(text: str) -> tuple[str, ...]:
    """The stems of the words of a text that say something by themselves, in order."""
    return tuple(stem(word) for word in words(text) if is_content(word))


def kin(word: str, other: str) -> bool:
    """True when two folded words of a name are one, in languages whose names change their endings."""
    if word == other:
        return True
    if len(word) > 3 and (other in (f"{word}s", f"{word}es") or word in (f"{other}s", f"{other}es")):
        return True
    if not _INFLECTED.match(word) or abs(len(word) - len(other)) > 3 or min(len(word), len(other)) < 3:
        return False
    shared = next((i for i, (a, b) in enumerate(zip(word, other, strict=False)) if a != b), min(len(word), len(other)))
    return shared >= max(3, min(len(word), len(other)) - 2)


def negated(text: str) -> bool:
    """True for a text with an odd number of words that negate."""
    has = words(text)
    count = sum(word in _NEGATIONS or (word.endswith("nt") and word in _SHORT_NEGATIONS) for word in has)
    count -= sum(first in has and second in has for first, second in _PAIRED)  # `neither … nor` denies once
    return bool((count + len(_NEGATING_LETTERS.findall(text))) % 2)


def is_denial(word: str) -> bool:
    """True for a folded word that denies, or that says that there is nothing: `not`, `nichts`, `unable`."""
    return word in _DENIALS


_SHORT_NEGATIONS = frozenset(
    "isnt wasnt arent werent doesnt didnt dont hasnt havent hadnt wont cant couldnt wouldnt shouldnt".split()
)
_PAIRED = (("neither", "nor"), ("weder", "noch"))
_DENIALS = (
    _NEGATIONS
    | _SHORT_NEGATIONS
    | frozenset(
        fold(
            "nothing unable silent nichts noch rien aucune nada ninguna ninguno niente nulla nessuna nessun nenhuma niets"
        ).split()
    )
)


def nouns_have_capitals(text: str) -> bool:
    """True for a text in a language that writes every noun with a capital: German, Luxembourgish."""
    lowered = [match[0].casefold() for match in _WORD.finditer(text)]
    german = sum(word in _GERMAN for word in lowered)
    return german >= 2 and german * 8 >= len(lowered)


_GERMAN = frozenset(
    "der die das des dem ist und nicht wurde wurden von mit ein eine einer eines im zum zur auf für sich auch als war hat beim vom".split()
)
