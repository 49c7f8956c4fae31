"""A model's last message: its text as Markdown, its headline, and the units it is judged by.

A unit is what says one thing: a sentence, a list item, a row of a table with the names of its columns.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from hds_cli import code
from hds_cli.agent.support import latex
from hds_cli.agent.support.dates import dates
from hds_cli.agent.support.values import values
from hds_cli.agent.untrusted import restored
from hds_cli.text.sentences import spans

MOST = 60_000  # characters of a message that are looked at
_HEADING = re.compile(r"^\s{0,3}(?:#{1,6}\s|(?:\*\*|__)[^*_]{1,80}(?:\*\*|__)\s*$)")
_FINAL = re.compile(
    r"(?:^|\n)[ \t]*(?:#{1,6}[ \t]*)?(?:\*\*)?[ \t]*Final Answer[ \t]*:?[ \t]*(?:\*\*)?[ \t]*:?[ \t]*(?=\n|$|\\boxed)",
    re.IGNORECASE,
)
_ITEM = re.compile(r"^\s*(?:[-*+•·‣]|\(?\d{1,3}[.)])\s+")
_DAY = 60  # characters
_RULE = re.compile(r"^\s*(?:[-*_=]\s*){3,}$")
_SEPARATOR = re.compile(r"^\s*\|?\s*:?-{2,}:?\s*(?:\|\s*:?-{2,}:?\s*)*\|?\s*$")
_FENCE = re.compile(r"^\s*(```|~~~)")
MARK = re.compile(r"\[([1-9]\d{0,3})\]")
_MARK_LIST = re.compile(r"\[([1-9]\d{0,3}(?:\s*[,;–-]\s*\d{1,4})+)\]")
_MARK_BEHIND = re.compile(r"((?:(?<!\s)\s+)?)\[([1-9]\d{0,3})\]")
_SHIELD = "\ue010"  # for a bracket in code; of the private use area, so nobody writes it
_EMPHASIS = re.compile(r"\*\*|__|(?<![\w*])\*(?=\S)|(?<=\S)\*(?![\w*])|(?<!\w)_(?=\S)|(?<=\S)_(?!\w)|`|~~")
_LINK = re.compile(r"!?\[([^\]\n]{0,200})\]\((?:[^()\n]|\([^()\n]*\)){0,400}\)")


@dataclass(frozen=True)
class Message:
    """A model's last message. `text`: all, LaTeX unwrapped; `headline`: its last box; `raw`: the box as written."""

    text: str
    headline: str | None
    raw: str | None


@dataclass(frozen=True)
class Unit:
    """A part of a message from `start` to `end`: its words without marks and emphasis, and the passages it names.

    `label`: what it is of (`Born` of `Born: 1951`, the first cell of a row); `context`: words above it that say what it
    is about: names of columns, a heading, the line that leads in a list. `marked`: its words with `[n]` in place.
    """

    text: str
    start: int
    end: int
    marks: tuple[int, ...] = ()
    label: str = ""
    context: str = ""
    marked: str = ""
    row: bool = False
    item: bool = False


def message(written: str) -> Message:
    """The message of what a model wrote behind its thought.

    Example: `It is Paris [1].\\n\\n**Final Answer:**\\n\\boxed{\\text{Paris}}` has the headline `Paris`.
    """
    written = written[:MOST]
    raw = latex.headline(written)
    whole = latex.unwrapped(_FINAL.sub("\n", written) if raw is not None else written)
    text = code.changed(whole, _with_single_marks, restored)
    headline = None if raw is None else _with_single_marks(latex.formula(raw))
    return Message(re.sub(r"\n{3,}", "\n\n", text).strip(), headline or None, raw)


def _with_single_marks(text: str) -> str:
    return _MARK_LIST.sub(_single_marks, text)


def _single_marks(match: re.Match[str]) -> str:
    """`[1, 3-5]` as `[1][3][4][5]`."""
    numbers: list[int] = []
    for part in re.split(r"\s*[,;]\s*", match[1]):
        ends = [int(n) for n in re.findall(r"\d+", part)]
        numbers += range(ends[0], ends[-1] + 1) if 0 <= ends[-1] - ends[0] < 20 else ends
    return "".join(f"[{n}]" for n in dict.fromkeys(numbers))


def units(text: str) -> tuple[Unit, ...]:
    """The units of a message in order; headings, code and lines that only lead in a list are none."""
    out: list[Unit] = []
    context = ""
    blocks = list(_blocks(text[:MOST]))
    for number, block in enumerate(blocks):
        behind = "".join(other.kind for other in blocks[number + 1 : number + 2])
        if block.kind == "heading" and _is_heading(text[block.start : block.end], behind):
            context = _bare(text[block.start : block.end]).strip("# ")
        elif block.kind == "table":
            out += _rows(text, block, context)
        else:
            block_units = list(_units(text, block, context))
            if block_units and block_units[-1].text.endswith((":", "：")) and block.kind == "prose":
                context = block_units.pop().text.rstrip(":：")
            out += block_units
    return tuple(unit for unit in out if any(c.isalnum() for c in unit.text))


def _is_heading(line: str, behind: str) -> bool:
    """False for a line in bold letters that says something: a sentence, an amount, or what nothing stands under.

    Args:
        behind: the kind of the block below it.
    """
    if line.lstrip().startswith("#"):
        return True
    said = _bare(line)
    stated = any(value.dimension or value.currency for value in values(said))
    return behind not in ("", "heading") and not said.endswith((".", "!", "。", "！")) and not stated


@dataclass(frozen=True)
class _Block:
    kind: str  # prose, item, table, heading
    start: int
    end: int


def _blocks(text: str) -> Iterator[_Block]:
    """Paragraphs, list items, tables and headings; code between fences is left out."""
    place, fence = 0, ""
    held: _Block | None = None
    for line in text.splitlines(keepends=True):
        start, place = place, place + len(line)
        if fence or (opened := _FENCE.match(line)):
            fence = "" if fence and line.strip().startswith(fence) else fence or (opened[1] if opened else "")
            kind = ""
        else:
            kind = _kind(line, held)
        end = start + len(line.rstrip("\r\n"))
        if held and kind == "more":
            held = _Block(held.kind, held.start, end)
            continue
        if held:
            yield held
        held = _Block("prose" if kind == "more" else kind, start, end) if kind else None
    if held:
        yield held


def _kind(line: str, held: _Block | None) -> str:
    if not line.strip() or _RULE.match(line):
        return ""
    if line.lstrip().startswith("|") or (held and held.kind == "table" and "|" in line):
        return "more" if held and held.kind == "table" else "table"
    if _ITEM.match(line) and not ((held is None or held.kind != "item") and _is_day(line)):
        return "item"
    if _HEADING.match(line):
        return "heading"
    return "more" if held and held.kind in ("prose", "item") else "prose"


def _is_day(line: str) -> bool:
    """True for a line that is a day and nothing else: `14. Oktober 2024` is no list item."""
    said = without_marks(line[:_DAY]).strip(" *_.")
    return any(day.start == 0 and day.end >= len(said) for day in dates(said))


def _units(text: str, block: _Block, context: str) -> Iterator[Unit]:
    start = block.start
    if block.kind == "item" and (bullet := _ITEM.match(text[start : block.end])):
        start += bullet.end()
    body = text[start : block.end]
    for left, right in spans(body.replace("\n", " ")):
        yield _unit(body[left:right], start + left, context, item=block.kind == "item")


def _unit(source: str, start: int, context: str, *, item: bool = False) -> Unit:
    source = _shielded(source)
    marked = _bare(source.replace("\n", " ").lstrip("> "))
    words = without_marks(marked)
    label, value = _labelled(words)
    return Unit(words, start, start + len(source), _marks(source), label if value else "", context, marked, item=item)


def _labelled(words: str) -> tuple[str, str]:
    """`Born: 1951` -> (`Born`, `1951`); ("", "") for a sentence; also `Oslo – 709,000`."""
    match = re.match(r"([^:：.!?]{1,60}?)\s*(?:[:：](?=\s|[^\x00-\x7f])|\s[–—=-]\s)\s*(\S.*)$", words)
    return (match[1], match[2]) if match and len(match[1].split()) <= 5 else ("", "")


def _rows(text: str, block: _Block, context: str) -> Iterator[Unit]:
    lines: list[tuple[int, str]] = []
    place = block.start
    for line in text[block.start : block.end].splitlines(keepends=True):
        lines.append((place, line.rstrip("\r\n")))
        place += len(line)
    names: list[str] = []
    if len(lines) > 1 and _SEPARATOR.match(lines[1][1]):
        names = [_bare(cell) for cell in _cells(lines[0][1])]
        lines = lines[2:]
    for start, source in lines:
        if _SEPARATOR.match(source):
            continue
        line = _shielded(source)
        cells = [_bare(cell).strip() for cell in _cells(line)]
        marked = "; ".join(cell for cell in cells if cell)
        shown = [cell for cell in map(without_marks, cells) if cell]
        about = "; ".join(filter(None, [context, *(without_marks(name) for name in names)]))
        label = shown[0] if len(shown) > 1 else ""
        yield Unit("; ".join(shown), start, start + len(line), _marks(line), label, about, marked, row=True)


def _cells(line: str) -> list[str]:
    return re.split(r"(?<!\\)\|", line.strip().removeprefix("|").removesuffix("|"))


def _bare(source: str) -> str:
    """Words without the signs of Markdown."""
    return " ".join(_EMPHASIS.sub("", _LINK.sub(r"\1", source)).split())


def _shielded(source: str) -> str:
    """A source of the same length in whose code no `[n]` is taken for a mark."""
    return code.changed(source, str, lambda part: part.replace("[", _SHIELD))


def without_marks(text: str) -> str:
    """Words without `[n]`, and without the blank before it."""
    said = re.sub(r"(?:(?<!\s)\s+)?\[[1-9]\d{0,3}\]", "", text).replace(_SHIELD, "[")
    return " ".join(said.split()).strip()


def marks_in(source: str) -> list[re.Match[str]]:
    """The marks of a source, none of them in its code."""
    return list(MARK.finditer(_shielded(source)))


def _marks(text: str) -> tuple[int, ...]:
    return tuple(dict.fromkeys(int(n) for n in MARK.findall(text)))


def renumbered(text: str, numbers: dict[int, int]) -> tuple[str, list[int]]:
    """A text whose marks have new numbers, without those that have none; and the marks that were removed."""
    removed: list[int] = []

    def number(match: re.Match[str]) -> str:
        if (new := numbers.get(int(match[2]))) is not None:
            return f"{match[1]}[{new}]"
        removed.append(int(match[2]))
        return ""

    return code.changed(text, lambda part: _MARK_BEHIND.sub(number, part)), removed


def in_order(marks: Iterable[int]) -> dict[int, int]:
    """Numbers from 1 in the order in which the marks first stand."""
    return {mark: number for number, mark in enumerate(dict.fromkeys(marks), 1)}
