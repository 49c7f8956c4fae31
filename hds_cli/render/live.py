"""The live tree on stderr. Events change a state; a thread of its own draws lines made from it under a lock."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from rich.console import Console

from hds_cli.events import Event, RunStarted
from hds_cli.render import words
from hds_cli.render.painter import Painter
from hds_cli.render.rows import View
from hds_cli.render.tree import tree_lines
from hds_cli.run_state import RunState

if TYPE_CHECKING:
    from rich.text import Text

_FRAME = 0.125  # seconds
_QUICK = 0.7  # seconds in which a model is loaded without a word
_LEAST, _WIDEST = 8, 80  # lines and cells of the tree while it moves


class LiveTree:
    """Draws a run while it runs, and leaves the whole tree in the scrollback.

    A terminal that has gone away ends the drawing, never the run. `close` shows the cursor again whatever happened;
    it may be called twice. What is no terminal gets the last state only.

    Args:
        console: see `consoles.console_for`.
        clock: seconds, for the time shown beside what still runs.
        grades: the whole tree says how the answer is supported; the answer is printed elsewhere.
    """

    def __init__(self, console: Console, *, clock: Callable[[], float] = time.monotonic, grades: bool = False) -> None:
        self.state = RunState()
        self._console, self._clock, self._grades = console, clock, grades
        self._began = clock()
        self._lock = threading.RLock()  # a signal may close the tree while the same thread hands it an event
        self._signs = words.signs(console.encoding)
        self._painter = Painter(console)
        self._thread: threading.Thread | None = None
        self._over = threading.Event()
        self._gone = False
        self._loading = ""

    def loading(self, name: str) -> None:
        """Say that a model is being loaded, until the run begins; a load that is quick is not worth a word."""
        with self._lock:
            self._loading, self._began = name, self._clock()
        self._move()

    def handle(self, event: Event) -> None:
        with self._lock:
            self.state.apply(event)
            if isinstance(event, RunStarted):
                self._began = self._clock() - event.t
        self._move()

    def _move(self) -> None:
        """Begin to draw, if that has not begun and there is something to draw on."""
        if self._thread is None and not self._over.is_set() and self._console.is_terminal:
            self._thread = threading.Thread(target=self._work, name="hds-tree", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Draw the last state in full and give the terminal back."""
        if self._over.is_set():
            return
        self._over.set()
        if self._thread is not None:
            self._thread.join(timeout=0.5)
            if self._thread.is_alive():  # the terminal takes nothing (Ctrl-S): waiting for it would hang the run
                return
        try:
            self._draw()
        finally:
            if self._thread is not None:
                with contextlib.suppress(OSError, ValueError):
                    self._painter.release()

    def __enter__(self) -> LiveTree:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _work(self) -> None:
        while not (self._over.is_set() or self._gone):
            if self.state.started or self._clock() - self._began >= _QUICK or not self._loading:
                self._draw()
            self._over.wait(_FRAME)

    def _draw(self) -> None:
        with self._lock:
            live = not self._over.is_set()
            size = self._console.size
            # Half of the window: if that becomes half as wide, every line wraps once, and none is pushed out of it.
            height = max(min(_LEAST, size.height - 1), size.height // 2 - 1, 1) if live else None
            width = min(size.width, _WIDEST) if live else size.width
            now = self._clock() - self._began
            view = View(width, height, self._signs, now, live, self._grades, self._loading)
            lines = tree_lines(self.state, view)
        try:
            self._show(lines)
        except (OSError, ValueError):  # the terminal is gone
            self._gone = True

    def _show(self, lines: list[Text]) -> None:
        if self._console.is_terminal:
            self._painter.draw(lines)
            return
        for line in lines:
            self._console.print(line, soft_wrap=True)
