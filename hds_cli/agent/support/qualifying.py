"""What limits a statement and is lost in a claim: `one of the largest`, `nearly all`, `tallest residential building`.

English where it looks for words. Every function is linear in its texts.
"""

from __future__ import annotations

import functools
import re
from typing import NamedTuple

from hds_cli.agent.support.words import is_content, words

_LONGEST = 2000  # characters of a text
_MOST = 16  # superlatives of a text
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_SUPERLATIVE = re.compile(
    r"\b(?:[^\W\d_]{2,14}(?:[^aeiou\W]|i)est|(?:most|least) [^\W\d_]{4,}|best|worst)\b", re.IGNORECASE
)
_NO_SUPERLATIVES = frozenset(
    "west northwest southwest forest harvest interest protest request contest priest guest latest suggest invest "
    "test rest nest arrest midwest manifest honest modest conquest tempest most".split()
)
_LIMITED = re.compile(
    r"(?:\bone of (?:the|its|his|her|their)(?: \w+){0,2}|\bamong (?:the|its|his|her|their)"
    r"|\b(?:second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|\d{1,3}(?:st|nd|rd|th))"
    r"|\b(?:arguably|probably|perhaps|possibly|reportedly|allegedly))[ -]$",
    re.IGNORECASE,
)
_ALL = frozenset("all every each everyone everybody everything always alle jeder jede tous toutes todos".split())
_SOME = frozenset(
    "most mostly some many several few half part partly only except usually often mainly largely sometimes certain "
    "mehrere einige manche meisten nur plupart certains seulement algunos solo".split()
)
_NEARLY = re.compile(
    r"\b(?:nearly|almost|not|virtually|fast|presque|casi) (?:all|every|alle|tous|toutes|todos)\b", re.IGNORECASE
)


class _Superlative(NamedTuple):
    word: str
    limited: bool
    behind: tuple[str, ...]


@functools.lru_cache(maxsize=4096)
def _superlatives(text: str) -> tuple[_Superlative, ...]:
    out = []
    for match in _SUPERLATIVE.finditer(text):
        if (word := match[0].casefold()) in _NO_SUPERLATIVES:
            continue
        behind = re.split(r"[.,;:()]", text[match.end() : match.end() + 60], maxsplit=1)[0]
        limited = bool(_LIMITED.search(text[max(0, match.start() - 40) : match.start()]))
        out.append(_Superlative(word, limited, tuple(found[0] for found in _WORD.finditer(behind))[:4]))
    return tuple(out[:_MOST])


def overstates(claim: str, sentence: str) -> bool:
    """True for a claim that lacks what limits a sentence: its rank, its kind, or how many of all it is said of."""
    claim, sentence = claim[:_LONGEST], sentence[:_LONGEST]
    theirs = _superlatives(sentence)
    said = set(words(claim))
    for own in _superlatives(claim):
        given = [other for other in theirs if other.word == own.word]
        if given and (
            (not own.limited and all(other.limited for other in given))
            or all(_is_of_a_kind(own, other, said) for other in given)
        ):
            return True
    return _of_all(said, claim, sentence)


def _is_of_a_kind(own: _Superlative, other: _Superlative, said: set[str]) -> bool:
    """True for `tallest residential building` where a claim has `tallest building`."""
    if not own.behind or own.behind[0] not in other.behind[1:]:
        return False
    between = other.behind[: other.behind.index(own.behind[0])]
    return all(word.islower() and is_content(word) and word not in said for word in between)


def _of_all(said: set[str], claim: str, sentence: str) -> bool:
    """True for a claim of all of which a sentence says that it is most, some or nearly all."""
    theirs = set(words(sentence))
    if not said & _ALL or said & _SOME or _NEARLY.search(claim):
        return False
    return bool(_NEARLY.search(sentence)) or "except" in theirs or (not theirs & _ALL and bool(theirs & _SOME))


__all__ = ["overstates"]
