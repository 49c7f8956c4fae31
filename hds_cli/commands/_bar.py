"""How far a long piece of work is: a bar on a terminal's last line, nothing elsewhere."""

from __future__ import annotations

import sys
import time
from typing import Any

_EVERY = 0.1


class Bar:
    """A context that is called with the number of documents done; set `total` when it is known."""

    def __init__(self, quiet: bool, what: str = "documents") -> None:
        self._on = not quiet and sys.stderr.isatty()
        self._what = what
        self._bar: Any = None
        self._next = 0.0
        self.total: int | None = None

    def __enter__(self) -> Bar:
        return self

    def __call__(self, done: int) -> None:
        if not self._on or (time.monotonic() < self._next and done != self.total):
            return
        self._next = time.monotonic() + _EVERY
        if self._bar is None:
            self._bar = self._start()
        self._bar.update(self._bar.task_ids[0], completed=done, total=self.total)

    def _start(self) -> Any:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        from hds_cli.render.consoles import console_for

        columns = (BarColumn(), MofNCompleteColumn(), TextColumn(self._what), TimeRemainingColumn(compact=True))
        bar = Progress(*columns, console=console_for(sys.stderr), transient=True)
        bar.add_task("", total=self.total)
        bar.start()
        return bar

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()
