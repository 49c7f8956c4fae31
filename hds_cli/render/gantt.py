"""The timeline of a run as lines of a terminal: a label, its bars over seconds, and how long it took."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hds_cli.render import words
from hds_cli.render.timeline import KINDS, Bar, Kind, Lane, Timeline, ticks
from hds_cli.render.words import Signs

if TYPE_CHECKING:
    from rich.text import Text

_MARKS: dict[Kind, tuple[str, str, str]] = {  # in a UTF, in ASCII, style
    "write": ("█", "#", ""),
    "wait": ("·", ".", "dim"),
    "read": ("▒", "%", ""),
    "search": ("━", "=", "cyan"),
    "fetch": ("─", "-", "cyan"),
    "extract": ("═", "+", "cyan"),
}
_WIDEST = 160
_TIME = 9
_PAGES = 3
_LANES = 24  # more lanes than that are drawn without their pages
_LEAST = 0.01  # of the whole run: a shorter page gets no line of its own


@dataclass(frozen=True)
class _Row:
    label: str
    bars: tuple[Bar, ...]
    style: str = ""
    last: bool = False


def timeline_lines(line: Timeline, width: int, signs: Signs) -> list[Text]:
    """The timeline in lines of at most `width - 1` cells; ASCII where the encoding has no boxes."""
    room = max(30, min(width - 1, _WIDEST))
    label = max(16, min(room // 3, 44))
    bars = room - label - _TIME
    rows = [row for lane in line.lanes for row in _rows(lane, line)]
    body = [_drawn(row, line, label, bars, signs) for row in rows]
    return [*body, _axis(line, label, bars), *_legend(line, room, signs)]


def _rows(lane: Lane, line: Timeline) -> Iterator[_Row]:
    """The lane of a query is its searches, its slowest pages, and the rest of them."""
    if lane.query is None:
        yield _Row(lane.label, lane.bars, "bold")
        return
    last = {what for wait, what in line.waits if wait.what == f"turn {lane.turn}"}
    pages = [bar for bar in lane.bars if bar.kind != "search"]
    shown = _slowest(pages, line) if len(line.lanes) <= _LANES else []
    rest = tuple(bar for bar in pages if bar.what not in shown)
    own = tuple(bar for bar in lane.bars if bar.kind == "search") + (() if shown else rest)
    yield _Row(f"  {lane.label}", own, last=any(bar.what in last for bar in own))
    for what in shown:
        yield _Row(f"    {what}", tuple(bar for bar in pages if bar.what == what), "dim", what in last)
    if shown and any(bar.seconds >= _LEAST * line.seconds for bar in rest):
        count = len({bar.what for bar in rest})
        yield _Row(f"    {count} more", rest, "dim", any(bar.what in last for bar in rest))


def _slowest(pages: Iterable[Bar], line: Timeline) -> list[str]:
    """The pages that took longest, in the order they were asked for."""
    took: dict[str, float] = {}
    for bar in pages:
        took[bar.what] = took.get(bar.what, 0.0) + bar.seconds
    worth = sorted((what for what in took if took[what] >= _LEAST * line.seconds), key=lambda what: -took[what])
    return [what for what in took if what in worth[:_PAGES]]


def _drawn(row: _Row, line: Timeline, label: int, width: int, signs: Signs) -> Text:
    from rich.text import Text

    indent = len(row.label) - len(row.label.lstrip(" "))
    name = signs.show(row.label, max(1, label - indent - 1))
    text = Text(" " * indent + name, style=row.style)
    text.append(" " * max(1, label - text.cell_len))
    cells: list[tuple[str, str]] = [(" ", "")] * width
    for bar in row.bars:
        start = max(0, min(width - 1, int(bar.start / line.seconds * width)))
        end = max(start + 1, min(width, round(bar.end / line.seconds * width)))
        cells[start:end] = [_mark(bar.kind, signs)] * (end - start)
    for sign, style in cells:
        text.append(sign, style)
    took = max((b.end for b in row.bars), default=0.0) - min((b.start for b in row.bars), default=0.0)
    duration = words.duration(took) if row.bars else ""
    text.append(f"{_late(signs) + ' ' + duration if row.last else duration:>{_TIME}}", "bold" if row.last else "dim")
    text.rstrip()
    return text


def _mark(kind: Kind, signs: Signs) -> tuple[str, str]:
    drawn, ascii_sign, style = _MARKS[kind]
    return (drawn if signs.encoding.startswith("utf") else ascii_sign), style


def _late(signs: Signs) -> str:
    return "◂" if signs.encoding.startswith("utf") else "<"


def _axis(line: Timeline, label: int, width: int) -> Text:
    """Seconds below the bars, as many as there is room for."""
    from rich.text import Text

    axis = ""
    for t in ticks(line.seconds, max(2, width // 10)):
        at = int(t / line.seconds * width)
        if at >= len(axis) + bool(axis) and at + len(f"{t:g} s") <= width + _TIME:
            axis = axis.ljust(at) + f"{t:g} s"
    return Text(" " * label + axis, style="dim")


def _legend(line: Timeline, room: int, signs: Signs) -> Iterator[Text]:
    """The legend of the signs, and the longest waits."""
    from rich.text import Text

    used = {bar.kind for lane in line.lanes for bar in lane.bars}
    parts = [f"{_mark(kind, signs)[0]} {name}" for kind, name in KINDS.items() if kind in used]
    if line.waits:
        parts.append(f"{_late(signs)} the last it waited for")
    row = ""
    for part in parts:
        if row and len(row) + 3 + len(part) > room:
            yield Text(row, style="dim")
            row = ""
        row += ("   " if row else "") + part
    yield Text(row, style="dim")
    if line.waits:
        yield Text(
            signs.show(f"The model waited {words.duration(line.waited)} of {words.duration(line.seconds)}.", room)
        )
