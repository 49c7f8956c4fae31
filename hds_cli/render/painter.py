"""A block of lines redrawn in place on a terminal: a frame is one write, and only lines that changed are in it.

Nothing is erased before it is written again, so nothing flickers; only in a window that changed it begins anew. rich's
`Live` erases the whole block first, and loses count of its lines when the window gets narrower.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

_HIDE, _SHOW = "\x1b[?25l", "\x1b[?25h"
_CUT, _WRAP = "\x1b[?7l", "\x1b[?7h"  # what is too wide for a line ends there, or goes on in the next
_ERASE_LINE, _ERASE_BELOW = "\x1b[K", "\x1b[J"


class Painter:
    """Owns the lines below the cursor's first position; the cursor rests on the line after them.

    A window may be narrower for a moment before the program is told (tmux waits a quarter of a second). A frame of
    that moment must not wrap, or the place of the block is lost: so a frame is written with wrapping off.

    Raises:
        OSError: from every method, when the terminal is gone.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._shown: list[tuple[str, int]] = []  # as it was written, cells
        self._size = console.size

    def draw(self, lines: Sequence[Text]) -> None:
        """Show these lines in place of those before; each must be narrower than the terminal."""
        size = self._console.size
        new = [(self._escaped(line), line.cell_len) for line in lines]
        if new == self._shown and size == self._size:
            return
        resized, self._size = size != self._size, size
        frame = [_HIDE, _CUT, _up(min(self._rows(), size.height - 1))]
        if resized:  # deleted, not erased: tmux keeps in its history what is erased, and of a line that it was wrapped
            frame.append(f"\x1b[{size.height}M")
        for place, (text, cells) in enumerate(new):
            kept = not resized and place < len(self._shown) and self._shown[place] == (text, cells)
            frame.append("\n" if kept else f"{text}{_ERASE_LINE}\n")
        if len(new) < len(self._shown) and not resized:
            frame.append(_ERASE_BELOW)  # last: tmux keeps in its history what is erased from the screen's first line on
        self._shown = new
        self._write("".join([*frame, _WRAP]))

    def release(self) -> None:
        """The cursor is seen again; what was drawn stays."""
        self._write(_SHOW)

    def _rows(self) -> int:
        """The rows of the screen that the lines take now: a terminal wraps them when it gets narrower."""
        width = max(1, self._size.width)
        return sum(max(1, -(-cells // width)) for _, cells in self._shown)

    def _escaped(self, line: Text) -> str:
        with self._console.capture() as captured:
            self._console.print(line, end="", soft_wrap=True)
        return captured.get()

    def _write(self, text: str) -> None:
        self._console.file.write(text)
        self._console.file.flush()


def _up(rows: int) -> str:
    return f"\r\x1b[{rows}A" if rows else "\r"
