"""Where sentences end, in any script: full stops of abbreviations, initials, ordinals and units end none."""

from __future__ import annotations

import re
from collections.abc import Iterator

_END = re.compile(r"[.!?…]+[\"'”’»)\]*_]*(?=\s|$)|[。！？｡؟।։።]+[\"'”’」』）)]*|[.!?]+[\"”’)*_]*(?=\[\d)")
_MARKS = re.compile(r"(?:\s*\[\d{1,4}\])+[.]?")
# Never the end of a sentence: a name or a number follows.
_TITLES = frozenset(
    "mr mrs ms dr prof st ste mt ft no nos vol fig figs gen col sen rep gov lt sgt capt rev hon vs "
    "approx ca cf al ed "
    "eds pp p art sec ch op cit e.g i.e z.b d.h u.a u.s v.a z.t bzw vgl nr bd hl sog geb gest inkl "
    "zzgl ggf evtl sra sr "
    "srta dna ud uds av mme mlle mm me m.e núm pág tel г ул им проф акад д-р т.е т.к т.н см рис стр "
    "гл π.χ κ κα δρ αρ σελ "
    "jan feb mar apr jun jul aug sep sept oct nov dec bl".split()
)
# The end of a sentence only where a capital letter follows.
_SOMETIMES = frozenset(
    "inc ltd co corp jr sr etc a.m p.m am pm usw u.ä etc km m cm mm kg g mi ft in yd lb oz h min s "
    "sec hr hrs est b.c a.d "
    "bc ad v.chr n.chr гг в вв т.д т.п др тыс млн млрд руб км кг долл р.м μ.μ χλμ".split()
)
_WORD = re.compile(r"([^\W\d_]+(?:[.'’-][^\W\d_]+)*)\.+$")
_NEXT = re.compile(r"\s*[\"'“‘„«(\[*_]*(\w)?")
_CAPITAL_NEXT = re.compile(r"\s*[\"'“‘„«(*_]*([^\W_a-zß-öø-ÿ])")


def spans(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of each sentence of a paragraph; the `[n]` behind a full stop belong to the "
    "sentence before it."""
    start = 0
    for match in _END.finditer(text):
        if match.start() < start or not _ends(text, start, match):
            continue
        end = match.end()
        if marks := _MARKS.match(text, end):
            end = marks.end()
        yield from _trimmed(text, start, end)
        start = end
    yield from _trimmed(text, start, len(text))


def sentences(text: str) -> list[str]:
    """The sentences of a paragraph."""
    return [text[start:end] for start, end in spans(text)]


def _trimmed(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    piece = text[start:end]
    left = start + len(piece) - len(piece.lstrip())
    right = start + len(piece.rstrip())
    if left < right:
        yield left, right


def _ends(text: str, start: int, match: re.Match[str]) -> bool:
    """True where a full stop ends a sentence, by the word before it and the letter behind it."""
    if not match[0].startswith(".") or match[0].startswith(".."):
        return not match[0].startswith("…") or not _lower_next(text, match.end())
    behind = match.end()
    if _lower_next(text, behind):
        return False
    before = text[max(start, match.start() - 24) : match.start() + 1]
    word = _WORD.search(before)
    if word is None:
        digits = re.search(r"(?<![\d.,])(\d{1,2})\.$", before)
        if digits is None:
            return True
        # `3. Dezember`, `Am 3. und`: an ordinal of a language that writes it so, and the number of a list item.
        return not re.match(r"\s+[^\W\d_]", text[behind:]) or _is_year_like(before) or not _ordinal(text, match, start)
    said = word[1].casefold()
    if said in _TITLES:
        return False
    counted = re.search(r"\d\s?" + re.escape(word[1]) + r"\.$", before)  # `86 m.`
    if counted or (said in _SOMETIMES and len(said) > 1):
        return _CAPITAL_NEXT.match(text, behind) is not None or not text[behind:].strip()
    # An initial: `J. Smith`, `U.S. Army`; but `vitamin C. It` is rare enough.
    return not (len(word[1]) == 1 or re.fullmatch(r"(?:\w\.)+\w", word[1])) or not text[behind:].strip()


def _lower_next(text: str, place: int) -> bool:
    following = _NEXT.match(text, place)
    return bool(following and following[1] and following[1].islower())


def _is_year_like(before: str) -> bool:
    return bool(re.search(r"\d{3,}\.$", before))


_MONTH_NEXT = re.compile(r"\s+([^\W\d_]{3,})")


def _ordinal(text: str, match: re.Match[str], start: int) -> bool:
    """True for a day before the name of a month, and for the number at the beginning of a line."""
    from hds_cli.agent.support.cldr import names
    from hds_cli.text import fold

    following = _MONTH_NEXT.match(text, match.end())
    if following and fold(following[1]) in names().months:
        return True
    return not text[start : match.start()].strip(" \t\n").rstrip("0123456789").strip()
