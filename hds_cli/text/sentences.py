"""Where sentences end, in any script: full stops of abbreviations, initials, ordinals and units end none."""

from __future__ import annotations

import re
from collections.abc import Iterator

_END = re.compile(r"[.!?…。！？｡؟۔।॥։።។]+[\"'”’»)\]*_」』）]*")
_WIDE = frozenset("。！？｡؟۔।॥։።។")  # end a sentence with nothing behind them
_MARK = re.compile(r"\[\d")
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
# A day is written `3. Dezember`; elsewhere the names of months behind such a day are small.
_MONTHS = frozenset(
    "januar jänner februar feber märz april mai juni juli august september oktober november dezember "
    "jan feb mär apr jun jul aug sep sept okt nov dez".split()
)
_LISTED = _TITLES | _SOMETIMES
_LONGEST = max(map(len, _LISTED))
_REACH = 24  # characters before a full stop in which its word stands
_WORD = re.compile(r"([^\W\d_]+(?:[.'’-][^\W\d_]+)*)\.+$")
_DIGITS = re.compile(r"(?<![\d.,])\d{1,2}\.$")
_NEXT = re.compile(r"\s*[\"'“‘„«(\[*_]*(\w)?")
_NEXT_WORD = re.compile(r"\s+([^\W\d_]+)")
_CAPITAL_NEXT = re.compile(r"\s*[\"'“‘„«(*_]*[^\W_a-zß-öø-ÿ]")
_BLANK_TO_END = re.compile(r"\s*$")


def spans(text: str, start: int = 0, end: int | None = None) -> Iterator[tuple[int, int]]:
    """Start and end of each sentence of a paragraph, which is `text[start:end]`.

    The `[n]` behind a full stop belong to the sentence before it.
    """
    end = len(text) if end is None else end
    for match in _END.finditer(text, start, end):
        at, stop = match.span()
        if text[at] not in _WIDE:
            if stop < end and not text[stop].isspace() and _MARK.match(text, stop, end) is None:
                continue  # `3.14`, `example.org`
            if not _ends(text, start, end, at, stop):
                continue
        if text.startswith("[", stop) or text.startswith(" [", stop):
            stop = marks.end() if (marks := _MARKS.match(text, stop, end)) else stop
        yield from trimmed(text, start, stop)
        start = stop
    yield from trimmed(text, start, end)


def sentences(text: str) -> list[str]:
    """The sentences of a paragraph."""
    return [text[start:end] for start, end in spans(text)]


def trimmed(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The span without the blanks around it, if anything is left."""
    while start < end and text[start].isspace():
        start += 1
    while start < end and text[end - 1].isspace():
        end -= 1
    if start < end:
        yield start, end


def _ends(text: str, start: int, end: int, at: int, behind: int) -> bool:
    """True where a full stop ends a sentence, by the word before it and the letter behind it."""
    if text[at] in "!?":
        return True
    if text[at] == "…" or text.startswith(".", at + 1):
        return not _lower_next(text, behind, end)
    if not text[behind + 1 : behind + 2].isupper() and _lower_next(text, behind, end):
        return False
    first = at - _REACH if at - _REACH > start else start
    word = text[max(first, text.rfind(" ", first, at) + 1) : at]
    if len(word) > 1 and word.isalpha() and (len(word) > _LONGEST or word.casefold() not in _LISTED):
        return True  # most sentences
    return _ends_short(text, start, end, text[first : at + 1], at, behind)


def _ends_short(text: str, start: int, end: int, before: str, at: int, behind: int) -> bool:
    """The same behind a number, an initial, or a word that may be short for another."""
    word = _WORD.search(before)
    if word is None:
        if _DIGITS.search(before) is None:
            return True
        # `3. Dezember`, `Am 3. und`: an ordinal of a language that writes it so, and the number of a list item.
        following = _NEXT_WORD.match(text, behind, min(end, behind + _REACH))
        return following is None or not _is_ordinal(text, start, at, following[1])
    token = word[1].casefold()
    if token in _TITLES:
        return False
    counted = re.search(r"\d\s?" + re.escape(word[1]) + r"\.$", before)  # `86 m.`
    if counted or (token in _SOMETIMES and len(token) > 1):
        return bool(_CAPITAL_NEXT.match(text, behind, end) or _BLANK_TO_END.match(text, behind, end))
    # An initial: `J. Smith`, `U.S. Army`; but `vitamin C. It` is rare enough.
    initial = len(word[1]) == 1 or re.fullmatch(r"(?:\w\.)+\w", word[1])
    return not initial or _BLANK_TO_END.match(text, behind, end) is not None


def _lower_next(text: str, place: int, end: int) -> bool:
    following = _NEXT.match(text, place, end)
    return bool(following and following[1] and following[1].islower())


def _is_ordinal(text: str, start: int, stop: int, following: str) -> bool:
    """True for a day before the name of a month, and for the number at the beginning of a line."""
    return following.casefold() in _MONTHS or not text[max(start, stop - _REACH) : stop].strip(" \t\n0123456789")
