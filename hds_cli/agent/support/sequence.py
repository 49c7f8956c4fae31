"""What comes first: a claim that turns round `the market, then the funicular` has no ground in it.

Every function is linear in its texts.
"""

from __future__ import annotations

import functools
import re

from hds_cli.agent.support.words import content_stems

_LONGEST = 2000  # characters of a text
_THEN = re.compile(
    r"[,;]?\s+(?:and\s+)?(?:then|before|until|followed by|danach|dann|bevor|anschließend|puis|avant de|luego"
    r"|después|poi)\s+"
    r"|[.]\s+(?:then|afterwards|later|danach|dann|puis|luego)\s+",
    re.IGNORECASE,
)
_AFTER = re.compile(
    r"[,;]?\s+(?:after|once|preceded by|following|nachdem|nach|après|después de|dopo)\s+", re.IGNORECASE
)
_LEADING = re.compile(
    r"\s*(before|after|once|nachdem|nach|bevor|vor|avant|après|antes de|después de)\s+([^,]{3,200}),\s+(\S.*)",
    re.IGNORECASE | re.DOTALL,
)
_FIRST = frozenset("before bevor vor avant antes".split())
Pair = tuple[frozenset[str], frozenset[str]]


@functools.lru_cache(maxsize=4096)
def _pairs(text: str) -> tuple[Pair, ...]:
    """What a text says comes first, and what comes behind it: the stems of both."""
    if leading := _LEADING.match(text):
        inner, outer = _stems(leading[2]), _stems(leading[3])
        return ((outer, inner) if leading[1].split()[0].casefold() in _FIRST else (inner, outer),)
    out = []
    for pattern, is_later in ((_THEN, False), (_AFTER, True)):
        if match := pattern.search(text):
            left, right = _stems(text[: match.start()]), _stems(text[match.end() :])
            out.append((right, left) if is_later else (left, right))
    return tuple(pair for pair in out if all(pair))


def _stems(text: str) -> frozenset[str]:
    return frozenset(content_stems(text))


def turned_round(claim: str, sentence: str) -> bool:
    """True for a claim that puts first what a sentence puts behind."""
    for first, second in _pairs(claim[:_LONGEST]):
        for theirs, later in _pairs(sentence[:_LONGEST]):
            crossed = (first & later) - theirs, (second & theirs) - later
            kept = (first & theirs) - later, (second & later) - theirs
            if crossed[0] and not any(kept) and (crossed[1] or len(crossed[0]) > 1):
                return True
    return False


__all__ = ["turned_round"]
