"""How fast a model reads and writes, measured while it does; and a session that is measured."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hds_cli.engine.base import Counter, Generation, OnText, Sampling, Segment, Session
from hds_cli.engine.through import Through

_LEAST_READ, _LEAST_WRITTEN = 32, 8  # tokens of a stretch below which it says little about the speed
_WEIGHT = 0.5  # of what was measured before, at each further stretch
_TOLD = 1.0  # seconds between two reports while the model writes


@dataclass(frozen=True)
class Speeds:
    """Tokens a second that a model reads (evaluates) and writes; None: not known."""

    reading: float | None = None
    writing: float | None = None


class Watch:
    """Told what the model does, from its thread; every method does nothing unless a subclass says otherwise."""

    def reads(self, tokens: int, seconds: float | None) -> None:
        """It begins to read `tokens` tokens, which takes `seconds` at the speed known; None: no speed is known."""

    def writes(self, tokens: int, per_second: float | None) -> None:
        """It has read, and has written `tokens` tokens of this stretch; at most one report a second."""


def remembered(counter: Counter) -> bool:
    """True when texts were given out that the model wrote before (`engine.warm`): each token written is evaluated."""
    return counter.evaluated < counter.generated // 2


class Pace:
    """The speed of the model in one run.

    `watch` is told what the model does. `most` bounds the tokens of one call; `pending` counts those that are read
    before the next one is written; `affords` says whether so many tokens may go to a reader, in so many calls.

    Args:
        before: what the model did on this machine before; what is measured now soon outweighs it.
    """

    def __init__(self, before: Speeds = Speeds()) -> None:
        self._reading, self._writing = _Rate(before.reading), _Rate(before.writing)
        self.watch = Watch()
        self.most: Callable[[int], int] = lambda tokens: tokens
        self.pending: Callable[[], int] = lambda: 0
        self.affords: Callable[[int, int], bool] = lambda tokens, calls: True

    @property
    def speeds(self) -> Speeds:
        """The speeds as far as they are known."""
        return Speeds(self._reading.value, self._writing.value)

    def read(self, tokens: int, seconds: float) -> None:
        """Note that reading so many tokens took so long."""
        if tokens >= _LEAST_READ:
            self._reading.add(tokens, seconds)

    def wrote(self, tokens: int, seconds: float) -> None:
        """Note that writing so many tokens took so long."""
        if tokens >= _LEAST_WRITTEN:
            self._writing.add(tokens, seconds)


class _Rate:
    """Tokens a second, of which the later ones weigh more; a rate from before counts as one second."""

    def __init__(self, before: float | None) -> None:
        self._tokens, self._seconds = (before, 1.0) if before else (0.0, 0.0)

    def add(self, tokens: int, seconds: float) -> None:
        self._tokens = _WEIGHT * self._tokens + tokens
        self._seconds = _WEIGHT * self._seconds + max(seconds, 1e-6)

    @property
    def value(self) -> float | None:
        return self._tokens / self._seconds if self._seconds else None


class Timed(Through):
    """A session whose calls are measured for `pace`; a fork of it is not."""

    def __init__(self, session: Session, pace: Pace) -> None:
        super().__init__(session)
        self._pace = pace
        self._fresh = 0  # tokens that were put in since the model last wrote
        pace.pending = self._pending

    def append(self, segments: Sequence[Segment]) -> int:
        tokens = self._session.append(segments)
        self._fresh += tokens
        return tokens

    def rewrite(self, mark: int, segments: Sequence[Segment]) -> int:
        reused = self.counter.reused
        tokens = self._session.rewrite(mark, segments)
        self._fresh += max(0, tokens - (self.counter.reused - reused))
        return tokens

    def generate(
        self,
        *,
        max_tokens: int,
        stop: Sequence[str] = (),
        sampling: Sampling = Sampling(),
        grammar: str | None = None,
        on_text: OnText | None = None,
    ) -> Generation:
        stretch = _Stretch(self._pace, self.counter, self._pending(), on_text)
        try:
            generation = self._session.generate(
                max_tokens=self._pace.most(max_tokens), stop=stop, sampling=sampling, grammar=grammar,
                on_text=stretch.take,
            )  # fmt: skip
        finally:
            self._fresh = 0
        stretch.end()
        return generation

    def _pending(self) -> int:
        """The tokens that the next call reads first; an engine that knows says so itself."""
        known: int | None = getattr(self._session, "pending", None)
        return min(self._fresh, self.used) if known is None else known


class _Stretch:
    """One call: what is read until the first text comes, and what is written from there on."""

    def __init__(self, pace: Pace, counter: Counter, pending: int, then: OnText | None) -> None:
        self._pace, self._counter, self._then = pace, counter, then
        self._evaluated, self._generated = counter.evaluated, counter.generated
        self._began = self._told = time.monotonic()
        self._first: float | None = None
        self._pieces = 0
        reading = pace.speeds.reading
        pace.watch.reads(pending, pending / reading if reading else None)

    def take(self, text: str) -> None:
        """A piece of text is there."""
        now = time.monotonic()
        self._pieces += 1
        if self._first is None:
            self._first = self._told = now
            self._pace.read(self._read(), now - self._began)
            self._pace.watch.writes(1, self._pace.speeds.writing)
        elif now - self._told >= _TOLD:
            self._told = now
            self._pace.watch.writes(self._written(), self._written() / (now - self._first))
        if self._then is not None:
            self._then(text)

    def end(self) -> None:
        """The call is over."""
        now = time.monotonic()
        if self._first is None:
            self._pace.read(self._read(), now - self._began)
        elif self._counter.evaluated - self._evaluated >= self._counter.generated - self._generated - 1:
            self._pace.wrote(self._written() - 1, now - self._first)  # else it was remembered: see `engine.warm`

    def _read(self) -> int:
        """Tokens that were evaluated and not written in this call."""
        return self._counter.evaluated - self._evaluated - max(0, self._counter.generated - self._generated - 1)

    def _written(self) -> int:
        return max(self._pieces, self._counter.generated - self._generated)


__all__ = ["Pace", "Speeds", "Timed", "Watch", "remembered"]
