"""The clock of a run, where its time went, and what it cost in tokens."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

from hds_cli.engine.base import Counter
from hds_cli.types import Seconds, Usage

_KINDS = ("model", "search", "fetch", "extract")


class Accounts:
    """Keeps the time of one run.

    Args:
        counter: tokens of the run's session.
    """

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._began = time.monotonic()
        self._spans: list[tuple[str, float, float]] = []

    @property
    def now(self) -> float:
        """Seconds since the run began. A resumed run counts the time of its earlier part too."""
        return time.monotonic() - self._began

    @property
    def t(self) -> float:
        """The time of an event: seconds, rounded."""
        return round(self.now, 4)

    def started_earlier(self, seconds: float) -> None:
        """Count `seconds` of an earlier part of the run as well."""
        self._began -= seconds

    def span(self, kind: str, seconds: float, before: float = 0.0) -> None:
        """Note that something of `kind` took `seconds` and ended `before` seconds ago."""
        end = time.monotonic() - before
        self._spans.append((kind, end - seconds, end))

    @contextlib.contextmanager
    def timed(self, kind: str) -> Iterator[None]:
        """Note how long the block takes."""
        started = time.monotonic()
        try:
            yield
        finally:
            self._spans.append((kind, started, time.monotonic()))

    def usage(self) -> Usage:
        """Tokens and seconds up to now; `overlap` is the time that was saved by doing things at once."""
        sums = {kind: sum(end - start for k, start, end in self._spans if k == kind) for kind in _KINDS}
        busy, last_end = 0.0, 0.0
        for _, start, end in sorted(self._spans, key=lambda span: span[1]):
            busy += max(0.0, end - max(start, last_end))
            last_end = max(last_end, end)
        seconds = Seconds(
            total=round(self.now, 3), overlap=round(sum(sums.values()) - busy, 3),
            **{kind: round(value, 3) for kind, value in sums.items()},
        )  # fmt: skip
        counter = self._counter
        return Usage(counter.prompt, counter.evaluated, counter.reused, counter.generated, seconds)
