"""From a model's tokens to text that ends at a stop string."""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence

from hds_cli.engine.base import OnText

_REPEATED = re.compile(r"(.{8,160}?)\1{5}\Z", re.DOTALL)
_TAIL = 1000  # characters: six times the longest repeated piece, and some


def repeats(text: str) -> bool:
    """True when `text` ends with the same 8 to 160 characters six times over: a small model that never ends by itself.

    A rule of dashes and a run of blanks do not count.
    """
    match = _REPEATED.search(text, max(0, len(text) - _TAIL))
    return match is not None and len(set(match[1])) > 3


class StopText:
    """Joins tokens to text, looks for stop strings across them, and passes on what cannot be part of one."""

    def __init__(self, stop: Sequence[str], on_text: OnText | None) -> None:
        self._stops, self._on_text = [s for s in stop if s], on_text
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._hold = max((len(s) for s in self._stops), default=1) - 1
        self._sent = 0
        self.value = ""
        self.stop: str | None = None
        self.excess = False

    def feed(self, piece: bytes) -> bool:
        """True when a stop string is complete."""
        start = max(0, len(self.value) - self._hold)
        self.value += self._decoder.decode(piece)
        ends = [(at, s) for s in self._stops if (at := self.value.find(s, start)) >= 0]
        if ends:
            at, self.stop = min(ends)
            self.value, self.excess = self.value[:at], True
            self._send(len(self.value))
            return True
        self._send(len(self.value) - self._held())
        return False

    def _held(self) -> int:
        """The number of last characters that may be the beginning of a stop string."""
        for n in range(min(self._hold, len(self.value)), 0, -1):
            if any(s.startswith(self.value[-n:]) for s in self._stops):
                return n
        return 0

    def finish(self) -> None:
        self.value += self._decoder.decode(b"", True) if self.stop is None else ""
        self._send(len(self.value))

    def _send(self, until: int) -> None:
        if self._on_text and until > self._sent:
            self._on_text(self.value[self._sent : until])
        self._sent = max(self._sent, until)
