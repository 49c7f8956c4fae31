"""Plain-text craft used by collections, evidence and citations alike: sentences, passages, terms, BM25, quotes."""

from __future__ import annotations

import itertools
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

STOPWORDS = frozenset(
    "a an and are as at be been being by did do does for from had has have he her his how i if in into is it its me my "
    "of on or our she so such than that the their them then there these they this those to us was we were what when "
    "where which who whom whose why will with would you your".split()
)
_WORD = re.compile(r"\w+", re.UNICODE)
_CJK = re.compile(
    "[\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003134f]+"
)
_HEADING = re.compile(r"^#{1,6}\s+(.*\S)\s*$")
_ABBREVIATION = re.compile(
    r"(?:(?<![\w'’])(?:[A-Za-z]|Mr|Mrs|Ms|Dr|Prof|St|Mt|Jr|Sr|vs|etc|approx|ca|cf|al|No|Vol|Fig|Inc|Ltd|Co|Corp|Gen|Col|Sen|Rep"
    r"|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sep|Sept|Oct|Nov|Dec|est|e\.g|i\.e|U\.S|U\.K))\.$"
)
_SENTENCE_END = re.compile(r"(?<=[.!?。！？])[\"'”’)\]]*(?:\s+|(?<=[。！？]))")
_UNIFY = str.maketrans(
    {"‘": "'", "’": "'", "‚": "'", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "‐": "-", "‑": "-", "‒": "-"}
    | {"–": "-", "—": "-", "−": "-", "\u00a0": " ", "\u00ad": None}
)


def normalise(text: str) -> str:
    """Text as it is compared: NFKC, case-folded, one kind of quote and dash, single blanks."""
    return " ".join(unicodedata.normalize("NFKC", text).translate(_UNIFY).casefold().split())


def fold(text: str) -> str:
    """Lower case without diacritics: `Côte` -> `cote`."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    # Class 8 are the voicing marks of kana: they tell letters apart.
    return unicodedata.normalize("NFC", "".join(c for c in decomposed if unicodedata.combining(c) in (0, 8)))


def terms(text: str) -> list[str]:
    """Search terms in order: folded words without stop words and plural endings (all words if nothing else is left)."""
    words = _WORD.findall(fold(text).replace("'s", " ").replace("’s", " "))
    kept = [w for w in words if w not in STOPWORDS] or words
    return [_singular(w) for w in kept]


def segmented(text: str) -> str:
    """Text whose runs of Chinese, Japanese and Korean letters are overlapping pairs and a last letter.

    `東京都の` -> `東京 京都 都の の`: words are not parted by blanks there, and pairs need no dictionary (the way of
    Lucene's CJKAnalyzer). SQLite's trigram tokenizer finds no word of two letters, which most are.
    """
    if text.isascii():
        return text
    text = unicodedata.normalize("NFKC", text)
    return _CJK.sub(lambda run: f" {' '.join(run[0][i : i + 2] for i in range(len(run[0])))} ", text)


def _singular(word: str) -> str:
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def sentences(text: str) -> list[str]:
    """The sentences of one paragraph; a known abbreviation or initial does not end one."""
    out: list[str] = []
    start = ""
    for piece in _SENTENCE_END.split(text):
        start = f"{start} {piece}" if start else piece
        if start.strip() and not _ABBREVIATION.search(start):
            out.append(start.strip())
            start = ""
    if start.strip():
        out.append(start.strip())
    return out


class Cut(NamedTuple):
    """A piece of a page: the heading it stands under and its sentences."""

    heading: str
    sentences: tuple[str, ...]

    @property
    def text(self) -> str:
        return " ".join(self.sentences)


def cut_passages(text: str, max_words: int = 90) -> Iterator[Cut]:
    """Cut page text into passages of up to `max_words` words at sentence and heading borders.

    A single longer sentence is a passage of its own, cut hard at four times `max_words`.
    """
    heading = ""
    held: list[str] = []
    count = 0
    for block in re.split(r"\n\s*\n|\n(?=#{1,6}\s)|(?<=\n)(?=[-*|] )", text):
        lines = block.strip().split("\n")
        if lines and (found := _HEADING.match(lines[0])):
            if held:
                yield Cut(heading, tuple(held))
                held, count = [], 0
            heading = found[1]
            lines = lines[1:]
        for sentence in _statements(lines):
            words = sentence.split()
            if held and count + len(words) > max_words:
                yield Cut(heading, tuple(held))
                held, count = [], 0
            held.append(" ".join(words[: 4 * max_words]))
            count += len(words)
    if held:
        yield Cut(heading, tuple(held))


def _statements(lines: Iterable[str]) -> Iterator[str]:
    """The sentences of a block; a table row or list item is one of its own, cells parted by colons."""
    prose: list[str] = []
    for line in (line.strip() for line in lines):
        if line.startswith("|") or line[:2] in ("- ", "* ", "+ "):
            yield from sentences(" ".join(prose))
            prose = []
            cells = (
                [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else [line[2:].strip()]
            )
            row = ": ".join(cell for cell in cells if cell.strip("-: "))
            if row:
                yield row
        elif line:
            prose.append(line)
    yield from sentences(" ".join(prose))


def named_in(title: str, query: Iterable[str]) -> int:
    """How many terms a title or heading has, when the query names it in full; a closing "(…)" need not be named."""
    named = set(terms(re.sub(r"\s*\([^)]*\)\s*$", "", title)))
    return len(named) if named and named <= set(query) else 0


def names_in(query: str) -> list[set[str]]:
    """The terms of each name in a query, a run of capitalised words; a lone first word counts when no other does."""
    words = _WORD.findall(query)
    capital = [word[:1].isupper() and word.casefold() not in STOPWORDS for word in words]
    runs = [
        [words[place] for place, _ in run]
        for is_name, run in itertools.groupby(enumerate(capital), lambda item: item[1])
        if is_name
    ]
    if len(runs) > 1 and capital[:2] == [True, False]:
        del runs[0]
    return [set(terms(" ".join(run))) for run in runs]


def quote_words(text: str) -> str:
    """Text as quotes are compared: its words alone, so that table bars, markup and line breaks do not matter."""
    return " ".join(_WORD.findall(normalise(text)))


def has_words(text: str, words: str) -> bool:
    """Whether a text, as `quote_words` gives it, has some words in a row and whole."""
    wanted = quote_words(words)
    return bool(wanted) and f" {wanted} " in f" {text} "


class BM25:
    """Okapi BM25 with Lucene's always-positive idf over a small pool of texts.

    SQLite's bm25() is used for collections; here a term that stands in most of a dozen texts must still count, and
    there its idf is cut to almost nothing.
    """

    def __init__(self, texts: Sequence[str], k1: float = 1.2, b: float = 0.75) -> None:
        self._counts = [Counter(terms(text)) for text in texts]
        lengths = [sum(c.values()) for c in self._counts]
        mean = sum(lengths) / len(lengths) if lengths else 1.0
        self._norm = [k1 * (1 - b + b * n / (mean or 1.0)) for n in lengths]
        frequency = Counter(term for c in self._counts for term in c)
        total = len(texts)
        self._idf = {term: math.log(1 + (total - n + 0.5) / (n + 0.5)) for term, n in frequency.items()}
        self._k1 = k1

    def scores(self, query: Iterable[str]) -> list[float]:
        """One score a text, for the terms of a query."""
        wanted = [term for term in dict.fromkeys(query) if term in self._idf]
        return [
            sum(self._idf[t] * c[t] * (self._k1 + 1) / (c[t] + norm) for t in wanted if t in c)
            for c, norm in zip(self._counts, self._norm, strict=True)
        ]


def overlap(a: Iterable[str], b: Iterable[str]) -> float:
    """Jaccard overlap of two collections of terms."""
    left, right = set(a), set(b)
    return len(left & right) / len(left | right) if left or right else 0.0
