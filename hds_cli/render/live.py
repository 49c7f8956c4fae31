"""The live tree on stderr. Events change a state; rich's refresh thread draws lines made from it under a lock."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live

from hds_cli.events import Event, RunStarted
from hds_cli.render import words
from hds_cli.render.state import RunState
from hds_cli.render.tree import View, tree_lines


class _Live(Live):
    """A terminal that has gone away must not end the refresh thread with a traceback."""

    def refresh(self) -> None:
        with contextlib.suppress(OSError):
            super().refresh()


class LiveTree:
    """Draws a run while it runs, and leaves the whole tree in the scrollback.

    A terminal that has gone away ends the drawing, never the run. `close` shows the cursor again whatever happened;
    it may be called twice.

    Args:
        console: on a terminal; see `consoles.console_for`.
        clock: seconds, for the time shown beside what still runs.
    """

    def __init__(self, console: Console, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.state = RunState()
        self._console, self._clock = console, clock
        self._began = clock()
        self._lock = threading.Lock()
        self._signs = words.signs(console.encoding)
        self._live: Live | None = None
        self._over = False

    def handle(self, event: Event) -> None:
        with self._lock:
            self.state.apply(event)
            if isinstance(event, RunStarted):
                self._began = self._clock() - event.t
        if self._live is None and not self._over:
            self._start()

    def close(self) -> None:
        """Draw the last state in full and give the terminal back."""
        self._over = True
        live, self._live = self._live, None
        if live is not None:
            try:
                live.stop()
            except (OSError, ValueError):  # the terminal is gone
                return
            except BaseException:
                self._console.show_cursor(True)
                raise

    def __enter__(self) -> LiveTree:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _start(self) -> None:
        self._live = _Live(
            self, console=self._console, refresh_per_second=8, vertical_overflow="crop",
            redirect_stdout=False, redirect_stderr=False,
        )  # fmt: skip
        try:
            self._live.start(refresh=False)
        except OSError:
            self.close()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        height = None if self._over else max(1, console.height - 1)
        view = View(options.max_width, height, self._signs, self._clock() - self._began, live=not self._over)
        with self._lock:
            lines = tree_lines(self.state, view)
        yield from lines
