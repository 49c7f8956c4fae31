"""Text as it is compared and searched: one way of folding for queries, indexes, evidence and quotes.

Every function here is linear in its text, whatever the text is.
"""

from __future__ import annotations

import functools
import itertools
import operator
import re
import unicodedata
from collections.abc import Callable, Iterator

STOPWORDS = frozenset(
    "a an and are as at be been being by did do does for from had has have he her his how i if in into is it its me my "
    "of on or our she so such than that the their them then there these they this those to us was we were what when "
    "where which who whom whose why will with would you your".split()
)
# Python's \w leaves out combining marks, and with them the vowels of Hindi, Tamil, Burmese, …
_MARKS = (
    "\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u05bf\u05c1-\u05c2\u05c4-\u05c5\u05c7\u0610-\u061a\u064b-\u065f\u0670"
    "\u06d6-\u06dc\u06df-\u06e8\u06ea-\u06ed\u0711-\u07f3\u07fd\u0816-\u082d\u0859-\u085b\u0898-\u08e1\u08e3-\u0963"
    "\u0981-\u09e3\u09fe-\u0a75\u0a81-\u0ae3\u0afa-\u0b63\u0b82-\u0bd7\u0c00-\u0c63\u0c81-\u0c83\u0cbc-\u0d4d"
    "\u0d57-\u0d63\u0d81-\u0df3\u0e31-\u0e3a\u0e47-\u0e4e\u0eb1-\u0ecd\u0f18-\u0f19\u0f35\u0f37\u0f39\u0f3e-\u0f84"
    "\u0f86-\u0fbc\u0fc6\u102b-\u103e\u1056-\u109d\u135d-\u135f\u1712-\u1734\u1752-\u17d3\u17dd\u180b-\u180d"
    "\u180f-\u193b\u1a17-\u1a1b\u1a55-\u1a7f\u1ab0-\u1b44\u1b6b-\u1b73\u1b80-\u1bf3\u1c24-\u1c37\u1cd0-\u1cd2"
    "\u1cd4-\u1dff\u20d0-\u20f0\u2cef-\u2cf1\u2d7f-\u2dff\u302a-\u302f\u3099-\u309a\ua66f-\ua672\ua674-\ua67d"
    "\ua69e-\ua6f1\ua802-\ua827\ua82c\ua880-\ua8c5\ua8e0-\ua8f1\ua8ff-\ua92d\ua947-\ua953\ua980-\ua9c0\ua9e5-\uaa4d"
    "\uaa7b-\uaac1\uaaeb-\uaaef\uaaf5-\uaaf6\uabe3-\uabea\uabec-\uabed\ufb1e\ufe00-\ufe0f\ufe20-\ufe2f"
    "\U00010a01-\U00010a3f\U00011000-\U00011046\U00011070-\U000110ba\U00011100-\U00011134\U00011180-\U000111c0"
)
_PIECE = 1 << 16  # characters that are folded at once
_AT_ONCE = 4096  # letters whose pairs are made at once
_ASCII_WORD = re.compile(r"[A-Za-z0-9_]+")
_WORD = re.compile(rf"[\w{_MARKS}]+")
# Marks that a reader leaves out: accents, the points of Hebrew, the vowel signs of Arabic and Syriac, nuktas.
_ACCENTS = re.compile(
    "[\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u065f\u0670"
    "\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed\u0711\u0730-\u074a\u093c\u09bc\u0a3c\u0abc\u0b3c\u0cbc"
    "\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20f0\ufe00-\ufe0f\ufe20-\ufe2f]+"
)
_PILED = re.compile(r"[^\w\s]{31,}")
# Scripts without blanks between words: Chinese, Japanese, Korean; Thai, Lao, Burmese and Khmer by letter groups.
_EAST = (
    "\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003134f"
)
_SOUTH = (
    "\u0e01-\u0e30\u0e32\u0e33\u0e40-\u0e46\u0e81-\u0eb0\u0eb2\u0eb3\u0ebd-\u0ec6\u0edc-\u0edf\u1000-\u102a\u103f"
    "\u1050-\u1055\u105a-\u105d\u1061\u1065\u1066\u106e-\u1070\u1075-\u1081\u108e\u1780-\u17b3\u17d7\u17dc"
    "\ua9e0-\ua9ef\uaa60-\uaa7a"
)
_SOUTH_MARKS = (
    "\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u0eb1\u0eb4-\u0ebc\u0ec8-\u0ece\u102b-\u103e\u1056-\u1059\u105e-\u1060"
    "\u1062-\u1064\u1067-\u106d\u1071-\u1074\u1082-\u108d\u108f\u109a-\u109d\u17b4-\u17d3\u17dd\ua9e5"
    "\uaa7b-\uaa7d"
)
_WITH_MARKS = re.compile(f"[{_SOUTH_MARKS}]")
_WIDE_RUN = re.compile(f"[{_EAST}{_SOUTH}{_SOUTH_MARKS}]+")
_GROUP = re.compile(f"(?:[{_EAST}]|[{_SOUTH}](?:[\u1039\u17d2][{_SOUTH}]|[{_SOUTH_MARKS}])*|[{_SOUTH_MARKS}]+)")
_ZEROS = (
    0x660, 0x6F0, 0x7C0, 0x966, 0x9E6, 0xA66, 0xAE6, 0xB66, 0xBE6, 0xC66, 0xCE6, 0xD66, 0xDE6, 0xE50, 0xED0, 0xF20,
    0x1040, 0x1090, 0x17E0, 0x1810,
)  # fmt: skip
_LETTERS = (
    dict(zip("øłđħŧıðþʼ‘’‚", ["o", "l", "d", "h", "t", "i", "d", "th", *"''''"], strict=True))
    | {"æ": "ae", "œ": "oe"}
    # Arabic as it is written without care, and the Persian forms of its letters (as Lucene's normalizers have it).
    | dict(zip("ٱىیةہک", "اييههك", strict=True))
    | {chr(zero + digit): str(digit) for zero in _ZEROS for digit in range(10)}
    | dict.fromkeys("\u00ad\u0640\u200b\u200c\u200d\u200e\u200f\u061c\u2060\ufeff", "")
)
_OTHER_LETTER = re.compile(f"[{''.join(_LETTERS)}]")
_UNIFY = str.maketrans(
    {"‘": "'", "’": "'", "‚": "'", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "‐": "-", "‑": "-", "‒": "-"}
    | {"–": "-", "—": "-", "−": "-", "\u00a0": " ", "\u00ad": None, "\u200b": None, "\u2060": None, "\ufeff": None}
)


def normalise(text: str) -> str:
    """Text as it is compared: NFKC, case-folded, one kind of quote and dash, single blanks."""
    if text.isascii():
        return " ".join(text.lower().split())
    return " ".join(unicodedata.normalize("NFKC", thinned(text)).translate(_UNIFY).casefold().split())


def thinned(text: str) -> str:
    """Text without piles of combining marks, on which Unicode normalisation takes time with their square."""
    return _PILED.sub(lambda run: "".join(c for c in run[0] if not unicodedata.combining(c)), text)


def fold(text: str) -> str:
    """Text as it is searched: `Côte` -> `cote`, `Straße` -> `strasse`, `Йод` -> `иод`, `كِتَابٌ` -> `كتاب`.

    Case, accents, vowel points, soft hyphens, full width and forms of one letter make no difference. The voicing marks
    of kana and the vowels of Indian scripts do: they tell words apart.
    """
    if text.isascii():
        return text.lower()
    text = unicodedata.normalize("NFKD", thinned(text)).casefold()
    text = _ACCENTS.sub("", unicodedata.normalize("NFKD", text))
    # Not `translate`: it looks every letter up, this only those that have another.
    return unicodedata.normalize("NFC", _OTHER_LETTER.sub(lambda letter: _LETTERS[letter[0]], text))


def in_pieces(function: Callable[[str], str], text: str) -> Iterator[str]:
    """`function` over a long text, piece by piece, so that other threads run between; a piece ends at a blank.

    Of a text that swells (`\ufdfa` becomes four words) no more than twice its length is kept.
    """
    room = 2 * len(text) + 1000
    start = 0
    while start < len(text) and room > 0:
        end = text.rfind(" ", start, start + _PIECE) + 1 if len(text) - start > _PIECE else len(text)
        end = end if end > start else start + _PIECE
        piece = function(text[start:end])[:room]
        yield piece
        room -= len(piece)
        start = end


def segmented(text: str) -> str:
    """Folded text in which letters without blanks between words are overlapping pairs: `東京都の` -> `東京 京都 都の`.

    Pairs need no dictionary (the way of Lucene's CJKAnalyzer); a letter that stands alone stays.
    """
    text = fold(text)
    return text if text.isascii() else _WIDE_RUN.sub(lambda run: f" {_spaced(run[0])} ", text)


def indexed(text: str) -> str:
    """Text as an index takes it: `segmented`, and each run's last letter, so that one letter is found by its pairs."""
    text = fold(text)
    if text.isascii():
        return text
    return _WIDE_RUN.sub(lambda run: f" {_spaced(run[0], last=True)} ", text)


def _pairs(run: str) -> list[str]:
    groups = _groups(run)
    return list(map(operator.add, groups, groups[1:])) or groups


def _spaced(run: str, *, last: bool = False) -> str:
    """The pairs of a run with blanks between them; a long run is never a list of all its pairs."""
    groups = (group[0] for group in _GROUP.finditer(run)) if _WITH_MARKS.search(run) else iter(run)
    before = next(groups)
    parts: list[str] = []
    while some := list(itertools.islice(groups, _AT_ONCE)):
        parts.append(" ".join(map(operator.add, [before, *some], some)))
        before = some[-1]
    return " ".join([*parts, before] if last or not parts else parts)


def _groups(run: str) -> list[str]:
    """The letters of a run, each with the marks on it."""
    return _GROUP.findall(run) if _WITH_MARKS.search(run) else list(run)


def lone_letter(term: str) -> bool:
    """True when a term is one letter of a script that is searched in pairs."""
    return not term.isascii() and bool(_WIDE_RUN.match(term)) and _GROUP.fullmatch(term) is not None


def words(text: str) -> list[str]:
    """The words of a folded text."""
    return (_ASCII_WORD if text.isascii() else _WORD).findall(text)


def terms(text: str) -> list[str]:
    """Search terms in order: folded words without stop words and plural endings (all words if nothing else is left)."""
    text = fold(text).replace("'s", " ")
    tokens = words(text) if text.isascii() else _words_and_pairs(text)
    kept = [_singular(word) if word.isascii() else word for word in tokens if word not in STOPWORDS]
    return kept or [_singular(word) for word in tokens]


def _words_and_pairs(text: str) -> list[str]:
    """The words of `segmented`, without putting it together and taking it apart again."""
    tokens: list[str] = []
    at = 0
    for run in _WIDE_RUN.finditer(text):
        tokens += words(text[at : run.start()])
        tokens += _pairs(run[0])
        at = run.end()
    return tokens + words(text[at:])


@functools.lru_cache(maxsize=1 << 16)
def _singular(word: str) -> str:
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def quote_words(text: str) -> str:
    """Text as quotes are compared: its words alone, so that table bars, markup and line breaks do not matter.

    A letter of a script without blanks between words is a word.
    """
    text = normalise(text)
    if not text.isascii():
        text = _WIDE_RUN.sub(lambda run: f" {' '.join(_groups(run[0]))} ", text)
    return " ".join(words(text))


def has_words(text: str, needle: str) -> bool:
    """True when a text, as `quote_words` gives it, has some words in a row and whole."""
    inside = quote_words(needle)
    return bool(inside) and f" {inside} " in f" {text} "


def wide_letters(text: str) -> int:
    """The number of letters of scripts without blanks between words in a text."""
    return 0 if text.isascii() else sum(len(run) for run in _WIDE_RUN.findall(text))
