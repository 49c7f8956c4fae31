"""The block that is redrawn in place, judged by a small terminal that does what the escape sequences say."""

from __future__ import annotations

import re

import pytest
from rich.console import Console
from rich.text import Text

from hds_cli.render.painter import Painter

from .conftest import fixed_console, written

_SEQUENCE = re.compile(r"\x1b\[(\??\d*)([A-Za-z])|([\r\n])|([^\x1b\r\n]+)")


class Screen:
    """Rows of text with a cursor; knows the few sequences the painter may use, and no other."""

    def __init__(self) -> None:
        self.rows: list[str] = ["above"]
        self.row, self.column = 1, 0
        self.off = {"?25": False, "?7": False}  # the cursor, and the wrapping of lines

    def feed(self, text: str) -> None:
        at = 0
        while at < len(text):
            found = _SEQUENCE.match(text, at)
            assert found, repr(text[at : at + 20])
            at = found.end()
            number, letter, control, plain = found.groups()
            if letter:
                self._obey(number, letter)
            elif control:
                self.row, self.column = self.row + (control == "\n"), 0
            else:
                self._put(plain)

    def _obey(self, number: str, letter: str) -> None:
        if letter == "A":
            self.row -= int(number)
        elif letter == "K":
            self.rows[self.row] = self.rows[self.row][: self.column]
        elif letter == "J":
            self.rows = [*self.rows[: self.row], self._line()[: self.column]]
        else:
            assert number in ("?25", "?7")
            assert letter in "lh"
            self.off[number] = letter == "l"

    def _line(self) -> str:
        self.rows += [""] * (self.row + 1 - len(self.rows))
        return self.rows[self.row]

    def _put(self, text: str) -> None:
        line = self._line().ljust(self.column)
        self.rows[self.row] = line[: self.column] + text + line[self.column + len(text) :]
        self.column += len(text)

    def shown(self) -> list[str]:
        rows = [row.rstrip() for row in self.rows]
        while rows and not rows[-1]:
            rows.pop()
        return rows


def _frames(console: Console, frames: list[list[str]]) -> Screen:
    painter, screen, before = Painter(console), Screen(), 0
    for frame in frames:
        painter.draw([Text(line) for line in frame])
        text = written(console)
        screen.feed(text[before:])
        before = len(text)
        assert screen.shown() == ["above", *frame]
    painter.release()
    screen.feed(written(console)[before:])
    return screen


@pytest.mark.parametrize("frames", [
    [["one", "two"], ["one", "2"], ["one", "2", "three"]],
    [["a long first line", "two", "three"], ["short"]],
    [["a"], ["a"], ["b", "c", "d", "e"], ["b"]],
])  # fmt: skip
def test_every_frame_replaces_the_one_before(frames: list[list[str]]) -> None:
    """Longer, shorter, more, fewer: the screen shows the newest frame, and what was above stays."""
    assert not any(_frames(fixed_console(terminal=True), frames).off.values())


def test_only_what_changed_is_written() -> None:
    """A frame in which one line moves is that line; a frame like the last one is nothing."""
    console = fixed_console(terminal=True)
    painter = Painter(console)
    painter.draw([Text("calm"), Text("⠋ 1")])
    before = len(written(console))
    painter.draw([Text("calm"), Text("⠙ 2")])
    assert written(console)[before:] == "\x1b[?25l\x1b[?7l\r\x1b[2A\n⠙ 2\x1b[K\n\x1b[?7h"
    before = len(written(console))
    painter.draw([Text("calm"), Text("⠙ 2")])
    assert written(console)[before:] == ""


def test_nothing_is_erased_before_it_is_written_again() -> None:
    """No flicker: at the same size no frame blanks a line that it then fills."""
    console = fixed_console(terminal=True)
    painter = Painter(console)
    for n in range(20):
        painter.draw([Text(f"line {n} {k}") for k in range(10)])
    assert "\x1b[2K" not in written(console)
    assert "\x1b[J" not in written(console)


def test_narrower_window_is_found_again() -> None:
    """When lines of 30 cells were wrapped to two rows each by the terminal, the block goes up four rows, not two."""
    console = fixed_console(40, terminal=True)
    painter = Painter(console)
    painter.draw([Text("x" * 30), Text("y" * 30)])
    before = len(written(console))
    console.width = 20
    painter.draw([Text("x" * 10), Text("y" * 10)])
    assert written(console)[before:] == (
        f"\x1b[?25l\x1b[?7l\r\x1b[4A\x1b[24M{'x' * 10}\x1b[K\n{'y' * 10}\x1b[K\n\x1b[?7h"
    )
