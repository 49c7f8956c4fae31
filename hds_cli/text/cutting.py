"""Cutting pages: statements that can be quoted, and passages of a measured size, of which nothing is left out.

A passage is a stretch of the page as it stands there. It ends at the border of a heading, paragraph, sentence, line,
list item or table row; where a text has none, it is cut by length, and `…` marks the cut. A passage that begins within
a table has the names of its columns above. Every function is linear.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

from hds_cli.text.folding import wide_letters
from hds_cli.text.sentences import spans, trimmed

MAX_HEADING = 160  # characters; a longer line is text
_HEADING = re.compile(r"#{1,6}[ \t]+(?=\S)")
_FENCE = re.compile(r"[ \t]{0,3}(?:```|~~~)")
_ITEM = re.compile(r"[ \t]*(?:[-*+•‣◦▪·]|\(?\d{1,3}[.)])[ \t]+(?=\S)")
_WORD = re.compile(r"\S+")
_RULE = re.compile(r"[ \t]*\|(?=[^\n]*-)[ \t:|\r-]+")  # below the names of the columns
_HEAD = 4  # the part of a passage that the names of its columns may take
_NONE = (0, 0)
_WRAPPED = 40  # characters from which on a line may have ended for want of room
_STATEMENT = 150  # words
_AROUND = 400  # characters before and behind a passage, among them its heading
_BLANK = re.compile(r"\s")
_CHAIN = 4  # headings in a row that are still those of one text


class Cut(NamedTuple):
    """A passage: the heading it begins under, its text as it stands in the page, and where that begins."""

    heading: str
    text: str
    start: int = 0

    @property
    def sentences(self) -> tuple[str, ...]:
        """Its statements, each on one line; the cells of a table row are parted by colons."""
        return tuple(statements(self.text))


class Span(NamedTuple):
    """A passage of a text without the text: the heading it begins under, where it is, whether a border is torn.

    `head`: where the names of the columns stand of the table within which it begins.
    """

    heading: str
    start: int
    end: int
    torn_before: bool = False
    torn_after: bool = False
    head: tuple[int, int] = (0, 0)

    def of(self, text: str) -> Cut:
        """The passage, from the text that was cut."""
        head = f"{text[slice(*self.head)]}\n" if self.head[1] else ""
        torn = "… " if self.torn_before else ""
        body = f"{head}{torn}{text[self.start : self.end]}{' …' if self.torn_after else ''}"
        return Cut(self.heading, body, self.start)

    def moved(self, by: int) -> Span:
        """The passage in a text of which the one that was cut is a part, `by` characters behind its beginning."""
        head = (self.head[0] + by, self.head[1] + by) if self.head[1] else self.head
        return self._replace(start=self.start + by, end=self.end + by, head=head)


class Piece(NamedTuple):
    """A stretch of a text that belongs together; its size is in words.

    `kind` is `heading`, `row`, `item`, `code` or `prose`; `torn_before` and `torn_after`: it does not begin, or end, at
    a border. `head`: where the names of the columns of a row stand.
    """

    start: int
    end: int
    size: int
    kind: str
    torn_before: bool = False
    torn_after: bool = False
    head: tuple[int, int] = _NONE


def size_of(text: str) -> int:
    """The size of a text in words; long words and scripts without blanks count by their letters."""
    return max(len(text.split()), (len(text) + 11) // 10, (wide_letters(text) + 1) // 2)


def statements(text: str, most: int = _STATEMENT, *, headings: bool = True) -> Iterator[str]:
    """The sentences, lines, items and rows of a text, each on one line without markup.

    Args:
        most: words; a longer one is cut.
        headings: whether they are statements.
    """
    for piece in pieces(text, most):
        if (headings or piece.kind != "heading") and (words := plain_text(text[piece.start : piece.end], piece.kind)):
            yield words


def plain_text(text: str, kind: str) -> str:
    """A piece of a kind on one line without markup; the cells of a row are parted by colons."""
    if kind == "row":
        cells = (" ".join(cell.split()) for cell in text.strip().strip("|").split("|"))
        return ": ".join(cell for cell in cells if cell.strip("-: "))
    if kind == "heading":
        text = text.strip().strip("#")
    elif kind == "item" and (mark := _ITEM.match(text)):
        text = text[mark.end() :] if mark[0].strip() in "-*+•‣◦▪·" else text
    return " ".join(text.split())


def cut_passages(
    text: str, most: int = 90, least: int = 0, longest: int | None = None, *, begin: int = 0
) -> Iterator[Cut]:
    """Cut page text into passages of at most `most` words.

    Args:
        most: words of a passage.
        least: words from which on a heading begins a new passage; 0: every heading does.
        longest: words from which on a single sentence is cut; before, it is a passage of its own. None: `most`.
        begin: the place in the text from which on there are passages.
    """
    return (span.of(text) for span in cut_spans(text, most, least, longest, begin=begin))


def cut_spans(
    text: str, most: int = 90, least: int = 0, longest: int | None = None, *, begin: int = 0
) -> Iterator[Span]:
    """The places of the passages of `cut_passages`; those of a long page take little room."""
    heading = ""
    held: list[Piece] = []
    weight = words = 0  # of all that is held, and without headings
    for piece in pieces(text, longest or most):
        is_heading = piece.kind == "heading"
        if piece.end <= begin:
            heading = _title(text, piece) if is_heading else heading
            continue
        # A heading stands beside its text: it never stands alone because that is long.
        full = weight + piece.size > most and (words > 0 or len(held) >= _CHAIN)
        if held and (full or (is_heading and words >= max(1, least))):
            after = _closing_headings(held) if full and not is_heading else []
            heading, span = _span(text, heading, held[: len(held) - len(after)])
            yield span
            held, weight, words = after, sum(p.size for p in after), 0
        if not held and piece.head[1]:
            weight += size_of(text[slice(*piece.head)])
        held.append(piece)
        weight += piece.size
        words += 0 if is_heading else piece.size
    if held:
        yield _span(text, heading, held)[1]


def _closing_headings(held: list[Piece]) -> list[Piece]:
    """The headings at the end of a passage, which belong to the next one; none of a passage of headings alone."""
    after = list(itertools.takewhile(lambda piece: piece.kind == "heading", reversed(held)))
    return after[::-1] if len(after) < len(held) else []


def _span(text: str, heading: str, held: list[Piece]) -> tuple[str, Span]:
    """The heading in force after a passage, and the passage. Its one heading stands beside its text, others in it."""
    leading = sum(1 for _ in itertools.takewhile(lambda piece: piece.kind == "heading", held))
    if leading and len(held) > 1:
        heading = _title(text, held[leading - 1])
    first = held[1] if leading == 1 and len(held) > 1 else held[0]
    inner = [piece for piece in held if piece.kind == "heading"]
    span = _stretch(heading, first, held[-1])
    return (_title(text, inner[-1]) if inner else heading), span


def _title(text: str, piece: Piece) -> str:
    return plain_text(text[piece.start : piece.end], "heading")


def _stretch(heading: str, first: Piece, last: Piece) -> Span:
    return Span(heading, first.start, last.end, first.torn_before, last.torn_after, first.head)


def stretch(text: str, first: Piece, last: Piece) -> str:
    """The text from one piece to another, below the names of the columns where it begins within a table."""
    return _stretch("", first, last).of(text).text


def behind(text: str, passage: str) -> int | None:
    """The place in a text where a passage of it ends; None: the passage is not in it."""
    body = passage.strip("… \n")
    at = text.find(body)
    if at < 0 and body.startswith("|"):  # below columns that were named again
        *head, body = body.split("\n", 2)
        body = body.lstrip("… \n")
        at = text.find(body, len("\n".join(head))) if body and "\n".join(head) in text else -1
    return None if at < 0 else at + len(body)


def surroundings(text: str, passage: str) -> str:
    """The stretch of a text that a passage stands in, with what is around it; all of the text where it is not found.

    It begins and ends at a blank, where there is one near: no word of it is half a word of the text.
    """
    end = behind(text, passage)
    if end is None:
        return text
    low = max(0, end - len(passage) - _AROUND)
    first = _BLANK.search(text, low, end) if low else None
    last = _BLANK.search(text, end, end + _AROUND)
    return text[first.end() if first else low : last.start() if last else end + _AROUND]


def pieces(text: str, most: int) -> Iterator[Piece]:
    """The sentences, lines, items, rows and headings of a text in order, each of at most `most` words."""
    head, top, last, rows = _NONE, 0, 0, 0  # of the table: names of columns, begin, end and number of the rows so far
    for start, end, kind in _blocks(text):
        if kind == "row":
            if not rows or (start - last > 1 and text.count("\n", last, start) > 1):
                head, top, rows = _NONE, start, 0
            rows, last = rows + 1, end
            size = size_of(text[start:end].replace("|", ""))
            if size <= most:
                yield Piece(start, end, size, kind, False, False, head)
            else:
                yield from (piece._replace(head=head) for piece in _split(text, start, end, kind, most))
            if rows == 2 and _RULE.fullmatch(text, start, end) and size_of(text[top:start]) <= most // _HEAD:
                head = (top, end)
            continue
        rows = 0
        for begin, stop in _paragraph(text, start, end) if kind == "prose" else ((start, end),):
            size = size_of(text[begin:stop])
            if size <= most:
                yield Piece(begin, stop, size, kind)
            else:
                yield from _split(text, begin, stop, kind, most)


def _blocks(text: str) -> Iterator[tuple[int, int, str]]:
    """The lines that stand for themselves, and the paragraphs between them."""
    opened: int | None = None
    at = last = 0
    fenced = False
    while at < len(text):
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        kind = _kind(text[at:end], fenced)
        if kind == "fence":
            fenced, kind = not fenced, "code"
        if opened is not None and kind != "prose":
            yield opened, last, "prose"
            opened = None
        if kind == "prose":
            opened, last = at if opened is None else opened, end
        elif kind != "blank":
            yield at, end, kind
        at = end + 1
    if opened is not None:
        yield opened, last, "prose"


def _kind(line: str, fenced: bool) -> str:
    first = line.lstrip()[:1]
    if not first:
        return "blank"
    if first in "`~" and _FENCE.match(line):
        return "fence"
    if fenced:
        return "code"
    if first == "|":
        return "row"
    if first == "#" and len(line) <= MAX_HEADING and _HEADING.match(line):
        return "heading"
    return "item" if not first.isalpha() and _ITEM.match(line) else "prose"


def _paragraph(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The sentences of a paragraph; where its lines did not end for want of room, each line is by itself."""
    lines = [] if text.find("\n", start, end) < 0 else list(_lines(text, start, end))
    if not lines or _is_wrapped(text, lines):
        yield from spans(text, start, end)
    else:
        for begin, stop in lines:
            yield from spans(text, begin, stop)


def _lines(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    while start < end:
        stop = text.find("\n", start, end)
        stop = end if stop < 0 else stop
        yield start, stop
        start = stop + 1


def _is_wrapped(text: str, lines: list[tuple[int, int]]) -> bool:
    """True when a third of the lines is long and goes on with a small letter (or one of a script that has no small)."""
    soft = 0
    for (start, end), (following, stop) in itertools.pairwise(lines):
        letter = text[following : min(stop, following + 40)].lstrip()[:1]
        soft += end - start >= _WRAPPED and letter.isalpha() and not letter.isupper()
    return 3 * soft >= len(lines) - 1


def _split(text: str, start: int, end: int, kind: str, most: int) -> Iterator[Piece]:
    """A stretch that is too long: its lines, and what is too long of these by length."""
    for begin, stop in _lines(text, start, end):
        for first, last in trimmed(text, begin, stop):
            size = size_of(text[first:last])
            if size <= most:
                yield Piece(first, last, size, kind)
            else:
                yield from _by_length(text, first, last, kind, most)


def _by_length(text: str, start: int, end: int, kind: str, most: int) -> Iterator[Piece]:
    at = start
    while at < end:
        stop = _reach(text, at, end, most)
        yield Piece(at, stop, size_of(text[at:stop]), kind, at > start, stop < end)
        at = stop
        while at < end and text[at].isspace():
            at += 1


def _reach(text: str, start: int, end: int, most: int) -> int:
    """The end of the first `most` words: at a blank in the second half if there is one, never in a letter's marks."""
    stop = min(end, start + 10 * most - 2)
    if wide_letters(text[start:stop]) > 2 * most:
        stop = min(stop, start + 2 * most)
    extra = next(itertools.islice(_WORD.finditer(text, start, stop), most, None), None)
    stop = extra.start() if extra else stop
    if stop == end:
        return end
    blank = text.rfind(" ", start + (stop - start) // 2, stop)
    if blank > start:
        return blank
    while start + 1 < stop and unicodedata.category(text[stop])[0] == "M" and stop - start > most:
        stop -= 1
    return stop
