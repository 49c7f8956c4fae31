"""Claims made of other claims by rule: two names changed for each other, another number or date, the other direction.

A turned claim differs from its source in nothing but that, as a wrong sentence of a model does. What a source that is
contradicted turns into is supported only where one word decides it (before and after, more and fewer).
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

_MONTHS = "January February March April May June July August September October November December".split()
_OPPOSITE = (
    "before after|earlier later|more fewer|more less|larger smaller|bigger smaller|higher lower|older younger"
    "|longer shorter|taller shorter|better worse|greater smaller|above below|faster slower|farther nearer"
    "|stronger weaker|heavier lighter|wider narrower|richer poorer|rose fell|increased decreased|north south|east west"
    "|northern southern|eastern western|first last|most least|largest smallest|highest lowest|oldest youngest"
    "|earliest latest|most few|father son|mother daughter|parent child|teacher pupil|winner loser|bought sold|won lost"
    "|gained lost|predecessor successor|succeeded preceded"
)
_TURN: dict[str, list[str]] = {}
for _pair in _OPPOSITE.split("|"):
    _one, _other = _pair.split()
    _TURN.setdefault(_one, []).append(_other)
    _TURN.setdefault(_other, []).append(_one)
_DECIDES = frozenset(
    "before after earlier later more fewer less larger smaller higher lower older younger longer shorter".split()
)  # what a false claim says the wrong way round is true the other way
_NUMBER = re.compile(r"(?<![\w.,-])\d[\d,]*(?:\.\d+)?(?![\w-])")
_NAME = re.compile(r"[A-Z][\w'’-]+(?: (?:of |the |de |von |van )?[A-Z][\w'’-]+)*")
_NOT_NAMES = frozenset(
    "The This These After When While During However Although From With There Their They His Her She Its In On At By Of "
    "A An It He "
    "Both Neither Before Only Not One Two Three All Most No Since Until For As Some Many Each Every".split()
)
_TOGETHER = re.compile(
    r"\b(?:both|each|neither|nor|married|together|between|among|same|equal|like|similar|friends?|rivals?|border\w*|met|with)\b",
    re.IGNORECASE,
)
_IN = re.compile(r"\b(?:in|at|on|near|from|season|part|unit|channel|route) (?:the )?\W?$", re.IGNORECASE)
_LISTED = re.compile(r"[\s,]*(?:and|or|,)?[\s,]*(?:the )?")
_COMPARED = re.compile(
    r"((?:The |An? )?[\w' -]{3,40}?) "
    r"((?:is|was|has|had) (?:an? )?(?:\w+er|more \w+|fewer \w+|less \w+)(?: [\w ]{1,25})?) than ([\w' -]{3,40})\."
)
_NO_SUBJECT = re.compile(r"(?:it|he|she|they|there|in|on|at)\b", re.IGNORECASE)
_NO_OBJECT = re.compile(r"\b(?:in|on|at|any|anyone|other|most|\w+ie?s)\b")
_ROUGH = re.compile(
    r"\b(?:over|under|at least|at most|more|less|fewer|about|around|nearly|almost|up to|not|no|never|since|until|by)\b",
    re.IGNORECASE,
)


def turned(claim: str, label: str, passage: str, rng: random.Random) -> Iterator[tuple[str, str, str]]:
    """What a claim turns into: text, label and kind."""
    if label == "supported":
        for text, kind in ((_numbers(claim, passage, rng), "number"), (_swapped(claim, passage, rng), "swap"),
                           (_month(claim, rng), "date"), (_than(claim), "comparison")):  # fmt: skip
            if text and text != claim:
                yield text, "contradicted", kind
        for word, text in _directions(claim, rng):
            yield text, "contradicted", "order" if word in ("before", "after", "earlier", "later") else "comparison"
    elif label == "contradicted" and not re.search(r"\b(?:not|never|no)\b|n't", claim):
        for word, text in _directions(claim, rng):
            if word in _DECIDES and (word in ("before", "after") or " than " in claim):
                yield text, "supported", "order" if word in ("before", "after") else "comparison"
        if " than " in claim and (text := _than(claim)):
            yield text, "supported", "comparison"


def _directions(claim: str, rng: random.Random) -> Iterator[tuple[str, str]]:
    found = [word for word in re.findall(r"[A-Za-z]+", claim) if word in _TURN]
    if len(found) == 1:  # two of them may say the same again
        word = found[0]
        yield word, re.sub(rf"\b{word}\b", rng.choice(_TURN[word]), claim, count=1)


def _numbers(claim: str, passage: str, rng: random.Random) -> str | None:
    found = [one for one in _NUMBER.finditer(claim) if one[0] in passage]
    if not found or _ROUGH.search(claim):
        return None
    one = rng.choice(found)
    return claim[: one.start()] + _another(one[0], passage, rng) + claim[one.end() :]


def _another(number: str, passage: str, rng: random.Random) -> str:
    """A number of the passage of the same form, or one near."""
    like = sorted({n for n in _NUMBER.findall(passage) if n != number and len(n) == len(number)})
    if like and rng.random() < 0.5:
        return rng.choice(like)
    value = number.replace(",", "")
    if "." in value:
        return f"{float(value) * rng.choice([0.5, 0.8, 1.3, 2]) + 0.1:.{len(value.split('.')[1])}f}"
    whole = int(value)
    if 1000 < whole < 2100 and "," not in number:
        return str(whole + rng.choice([-1, 1]) * rng.choice([1, 2, 3, 4, 5, 10, 12]))
    other = max(1, round(whole * rng.choice([0.5, 0.8, 1.2, 2, 3])) + rng.choice([0, 1]))
    other += other == whole
    return f"{other:,}" if "," in number else str(other)


def _month(claim: str, rng: random.Random) -> str | None:
    found = [month for month in _MONTHS if re.search(rf"\b{month}\b", claim)]
    if len(found) != 1 or _ROUGH.search(claim) or (found[0] == "May" and "May " not in claim[1:]):
        return None
    return claim.replace(found[0], rng.choice([month for month in _MONTHS if month != found[0]]), 1)


def _swapped(claim: str, passage: str, rng: random.Random) -> str | None:
    names = [one[0] for one in _NAME.finditer(claim) if one[0].split()[0] not in _NOT_NAMES]
    names = [one for one in dict.fromkeys(names) if claim.count(one) == 1 and one in passage and one not in _MONTHS]
    if len(names) < 2 or _TOGETHER.search(claim):
        return None
    one, other = sorted(rng.sample(names, 2), key=claim.index)
    before, between = claim[: claim.index(one)], claim[claim.index(one) + len(one) : claim.index(other)]
    if one in other or other in one or _LISTED.fullmatch(between) or len(between.split()) > 12:
        return None
    if _IN.search(before) or _IN.search(between):
        return None  # a place is seldom what the other name is
    return claim.replace(one, "\0").replace(other, one).replace("\0", other)


def _than(claim: str) -> str | None:
    """`A is larger than B.` -> `B is larger than A.`, where both sides are short."""
    found = _COMPARED.fullmatch(claim)
    if not found or _NO_SUBJECT.match(found[1]) or _NO_OBJECT.search(found[3]):
        return None
    one, other = found[1], found[3]
    named = _NAME.match(one) and one.split()[0] not in _NOT_NAMES
    return f"{other[0].upper()}{other[1:]} {found[2]} than {one if named else one[0].lower() + one[1:]}."
