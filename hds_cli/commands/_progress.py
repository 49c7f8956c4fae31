"""A bar on stderr that tells how far long work has come; on a terminal only."""

from __future__ import annotations

import os
import sys
import time
from types import TracebackType

from hds_cli.commands._print import say

_PAUSE = 30.0  # seconds between two lines
_WIDTH = 20  # columns of the bar


class Steps:
    """One bar after another, a step each; to be called with (step, done, in all)."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet, self._step, self._bar = quiet, "", Progress("", None, quiet=True)

    def __enter__(self) -> Steps:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.__exit__(None, None, None)

    def __call__(self, step: str, done: int, total: int) -> None:
        if step != self._step:
            self._bar.__exit__(None, None, None)
            self._step, self._bar = step, Progress(step, total, quiet=self._quiet)
        self._bar.to(done)


class Progress:
    """Counts to `total` (None: unknown) and shows `what` beside it; silent when `quiet` or without a terminal.

    Args:
        lines: without a terminal it is a line now and then.
    """

    def __init__(
        self, what: str, total: int | None, *, quiet: bool = False, done: int = 0, lines: bool = False
    ) -> None:
        from hds_cli.render.text import one_line

        self._what, self._total, self._done = one_line(what), total, done
        able = sys.stderr is not None and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self._on = able and not quiet
        self._lines = lines and not able and not quiet
        self._began, self._begun, self._shown = time.monotonic(), done, 0.0

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._on:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    def to(self, done: int, total: int | None = None) -> None:
        """Set the count to `done`, and the total to `total` when that is known by now."""
        self._total = total or self._total
        self.step(count=done - self._done)

    def step(self, note: str = "", count: int = 1) -> None:
        """Add `count` to the count; `note` is shown behind it (words of ours, never text from outside)."""
        self._done += count
        now = time.monotonic()
        if self._lines and self._done != self._total and now - max(self._began, self._shown) >= _PAUSE:
            self._shown = now
            say(", ".join(filter(None, (f"{self._what} {self._done:,}{self._of()}", self._left(now).strip()))))
        if not self._on or (now - self._shown < 0.1 and self._done != self._total):
            return
        self._shown = now
        sys.stderr.write(f"\r\x1b[K{self._bar()}{self._what} {self._done:,}{self._of()}{self._left(now)}  {note}"[:200])
        sys.stderr.flush()

    def _bar(self) -> str:
        if not self._total:
            return ""
        full = min(_WIDTH, _WIDTH * self._done // self._total)
        return f"[{'=' * full}{' ' * (_WIDTH - full)}] "

    def _of(self) -> str:
        return f" of {self._total:,}" if self._total is not None else ""

    def _left(self, now: float) -> str:
        done = self._done - self._begun
        if self._total is None or not done:
            return ""
        seconds = (now - self._began) / done * (self._total - self._done)
        return f"  {seconds / 60:.0f} min left" if seconds >= 90 else f"  {seconds:.0f} s left"
