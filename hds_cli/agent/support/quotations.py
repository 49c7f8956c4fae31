"""Words in quotation marks: they say that a page has them so. Those that no page has are named.

Titles, single words and phrases of up to four words stand in quotation marks for other reasons, and are left alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from hds_cli import code
from hds_cli.agent.support.message import without_marks
from hds_cli.agent.support.units import UNSPACED
from hds_cli.text import fold, in_pieces
from hds_cli.types import Passage

OPENING = '“„«»"‘「『”'
_MOST = 64  # quotations of a message
_LONGEST = 2_000  # characters of one
_MOST_READ = 400_000  # characters of a page that are looked through
_SHORT = 4  # words up to which quotation marks set off a word or a title
_SHORT_UNSPACED = 11  # the same in letters, where nothing parts words
_TITLE = 0.7  # share of longer words with a capital beyond which it is a title
_MARKED = re.compile(
    rf"“(?P<a>[^“”\n]{{1,{_LONGEST}}})”|„(?P<b>[^„“”\n]{{1,{_LONGEST}}})[“”]|«(?P<c>[^«»\n]{{1,{_LONGEST}}})»"
    rf"|»(?P<d>[^«»\n]{{1,{_LONGEST}}})«|(?<![\w\"])\"(?P<e>[^\"\n]{{1,{_LONGEST}}})\"(?!\w)"
    rf"|(?<!\w)‘(?P<f>(?:[^‘’\n]|’(?=\w)){{1,{_LONGEST}}})’(?!\w)"
    rf"|「(?P<g>[^「」\n]{{1,{_LONGEST}}})」|『(?P<h>[^『』\n]{{1,{_LONGEST}}})』"
)
_LEFT_OUT = re.compile(r"[\[(]?(?:…|\.\s?\.\s?\.)[\])]?|\[[^\[\]\n]{0,80}\]")  # also `[the filter]`, put in
_LINK = re.compile(r"!?\[([^\[\]\n]{0,300})\]\([^()\s]{0,500}\)")
_NOTE = re.compile(r"\[\d{1,4}\]")
_WORD = re.compile(r"[^\W_]+")
_PARTED = re.compile(r"(?<=[^\W\d_])[-‐][ \t]{0,8}\n[ \t]{0,8}(?=[^\W\d_])")  # a word that the end of a line parts


@dataclass(frozen=True)
class Quotation:
    """A quotation of a message, from `start` to `end`, as it is written."""

    start: int
    end: int
    text: str


def quotations(text: str) -> Iterator[Quotation]:
    """The quotations of a message that claim to be the words of a page; none in code between fences."""
    for match in _MARKED.finditer(code.blanked(text)):
        if not _is_title(match[match.lastgroup or 0]):
            yield Quotation(match.start(), match.end(), match[0])


def _is_title(inner: str) -> bool:
    """True for a title, or for what is too short to be anything else."""
    said = _WORD.findall(without_marks(inner))
    if UNSPACED.search(inner):
        return sum(map(len, said)) <= _SHORT_UNSPACED
    longer = [word for word in said[1:] if len(word) > 3 and not word.isdigit()]
    capitals = sum(word[0].isupper() for word in longer)
    return len(said) <= _SHORT or (bool(longer) and capitals >= _TITLE * len(longer))


class Literal:
    """Looks for quotations in what was read.

    Args:
        page_text: the text of the page of an address; asked only for what no passage has.
    """

    def __init__(self, question: str, passages: Sequence[Passage], page_text: Callable[[str], str]) -> None:
        self._passages, self._page_text = list(passages), page_text
        self._read = [question]
        self._texts: list[str] | None = None
        self._pages: list[str] | None = None

    def lacking(self, text: str) -> list[Quotation]:
        """The quotations of a message whose words stand so in no page, nor in the question."""
        found = [one for _, one in zip(range(_MOST), quotations(text), strict=False)]
        return [one for one in found if not self._stands(one.text)]

    def _stands(self, quoted: str) -> bool:
        unspaced = bool(UNSPACED.search(quoted))
        inner = _LEFT_OUT.sub("\n", without_marks(quoted[1:-1]))
        parts = [part for part in (_plain(piece) for piece in inner.split("\n")) if part]
        if not parts:
            return True
        return any(_in_order(parts, text, unspaced) for text in self._all())

    def _all(self) -> Iterator[str]:
        """What was read, the passages first, then the rest of their pages."""
        if self._texts is None:
            told = (f"{p.title}\n{p.heading}\n{p.text}" for p in self._passages)
            self._texts = [plain for text in (*self._read, *told) for plain in _ways(text)]
        yield from self._texts
        if self._pages is None:
            urls = dict.fromkeys(passage.url for passage in self._passages)
            self._pages = [plain for url in urls for plain in _ways(self._page_text(url)[:_MOST_READ])]
        yield from self._pages


def _ways(text: str) -> list[str]:
    """The words of a text; once more with the words whole that the end of a line parts, `even-` and `ing`."""
    whole = _PARTED.sub("", text)
    return [_plain(text)] if whole == text else [_plain(text), _plain(whole)]


def _plain(text: str) -> str:
    """The folded words of a text with one blank around each: no quotes, dashes, notes or addresses of links."""
    bare = _NOTE.sub("", _LINK.sub(r"\1", text)).replace("\u00ad", "")
    said = _WORD.findall("".join(in_pieces(fold, bare)))
    return f" {' '.join(said)} " if said else ""


def _in_order(parts: Sequence[str], text: str, unspaced: bool) -> bool:
    """True for a text that has all parts, each behind the one before it."""
    if unspaced:
        text, parts = text.replace(" ", ""), [part.replace(" ", "") for part in parts]
    place = 0
    for part in parts:
        found = text.find(part, place)
        if found < 0:
            return False
        place = found + len(part) - (not unspaced)
    return True


def is_quotation(part: str) -> bool:
    """True for what stands in quotation marks."""
    return part[:1] in OPENING and len(part) > 1


__all__ = ["Literal", "Quotation", "is_quotation", "quotations"]
