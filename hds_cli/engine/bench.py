"""Which threads, batch and layers suit a model on this machine, by halving: all are tried briefly, half of them longer.

A setting is judged by a turn of a run: tokens that are read, then tokens that are written. The way is successive
halving (Jamieson and Talwalkar, arXiv 1502.07943).
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from hds_cli.engine.base import Generation, Segment, Session
from hds_cli.errors import ModelUnusable

N_CTX = 4096
AT_ONCE = 4
"""Sequences that write at once, as a reader's do."""
_READ, _WRITTEN = 64, 8  # tokens of the first round
_LONGEST = 8  # times as many tokens in the last round, at most
_TURN_READ, _TURN_WRITTEN = 600, 100  # tokens of a turn
_BATCHES = (128, 256, 512, 1024)
_TOKENS_LINE = 12  # tokens of a line of `_text`, at least


class Setting(NamedTuple):
    """What a model is loaded with."""

    n_threads: int
    n_batch: int
    n_gpu_layers: int


@dataclass(frozen=True)
class Speed:
    """Tokens a second: read, written by one sequence, written by `AT_ONCE` together."""

    reading: float
    writing: float
    together: float

    @property
    def turn_seconds(self) -> float:
        """What a turn of a run takes."""
        return _TURN_READ / self.reading + _TURN_WRITTEN / self.writing


@dataclass
class Result:
    """All that was measured: the last speed of each setting, and in how many rounds it was.

    `candidates`: how many are to be measured; `unusable`: why the others cannot be.
    """

    speeds: dict[Setting, Speed] = field(default_factory=dict)
    rounds: dict[Setting, int] = field(default_factory=dict)
    candidates: int = 0
    unusable: dict[Setting, ModelUnusable] = field(default_factory=dict)

    def drop(self, setting: Setting, why: ModelUnusable) -> None:
        """Take a setting out that does not work here: it does not fit the memory, for example."""
        self.unusable[setting] = why
        self.candidates -= 1
        self.speeds.pop(setting, None)
        self.rounds.pop(setting, None)

    @property
    def is_compared(self) -> bool:
        """True when every candidate was measured: the best is the best of all."""
        return 0 < self.candidates <= len(self.speeds)

    @property
    def best(self) -> Setting | None:
        """The quickest of those that were measured longest."""
        if not self.speeds:
            return None
        most = max(self.rounds.values())
        last = [setting for setting in self.speeds if self.rounds[setting] == most]
        return min(last, key=lambda setting: self.speeds[setting].turn_seconds)

    @property
    def ordered(self) -> list[Setting]:
        """The best first; those of more rounds before those of fewer."""
        return sorted(self.speeds, key=lambda s: (-self.rounds[s], self.speeds[s].turn_seconds))


class Loaded(Protocol):
    """A model that was loaded with a setting."""

    def session(self) -> Session: ...

    def close(self) -> None: ...


def settings(cores: int, layers: Sequence[int] = (0,), threads: int | None = None) -> list[Setting]:
    """What is worth trying: threads in powers of two up to the cores, four batches, the layers.

    Args:
        threads: the user's own number; None: any.
    """
    powers = itertools.takewhile(lambda n: n < cores, (1 << k for k in range(16)))
    counts = [threads] if threads else sorted({n for n in powers if 8 * n >= cores} | {cores})
    return [Setting(*one) for one in itertools.product(counts, _BATCHES, layers)]


def run(
    candidates: Sequence[Setting], load: Callable[[Setting], Loaded], result: Result,
    tell: Callable[[int, int], None] = lambda done, total: None,
) -> None:  # fmt: skip
    """Measure `candidates`, and the better half of them with twice the tokens, until one is left.

    What is measured is in `result` at any time, so that it is there when this is ended by an exception. A setting that
    does not work is left out.

    Args:
        load: loads the model with a setting.
        tell: told after each measurement how many are done, of how many.

    Raises:
        ModelUnusable: no setting works.
    """
    left, times, done = list(candidates), 1, 0
    result.candidates = len(left)
    total = sum(_sizes(len(left)))
    while left:
        for setting in left:
            try:
                speed = _measured(load, setting, times)
            except ModelUnusable as exc:
                result.drop(setting, exc)
            else:
                result.speeds[setting], result.rounds[setting] = speed, result.rounds.get(setting, 0) + 1
            done += 1
            tell(done, total)
        left = [setting for setting in left if setting in result.speeds]
        if len(left) <= 1:
            break
        left = sorted(left, key=lambda s: result.speeds[s].turn_seconds)[: -(-len(left) // 2)]
        times = min(2 * times, _LONGEST)
    if not result.speeds and result.unusable:
        raise next(iter(result.unusable.values()))


def _measured(load: Callable[[Setting], Loaded], setting: Setting, times: int) -> Speed:
    """The speed with a setting, over so many times the tokens of the first round."""
    loaded = load(setting)
    try:
        return measure(loaded, _READ * times, _WRITTEN * times)
    finally:
        loaded.close()


def _sizes(count: int) -> Iterator[int]:
    """How many are measured in each round."""
    while count > 1:
        yield count
        count = -(-count // 2)
    yield count


def measure(loaded: Loaded, read: int, written: int) -> Speed:
    """The speed of a model over `read` tokens, and `written` of each sequence."""
    loaded.session().close()  # the first one makes the context
    session = loaded.session()
    try:
        tokens = session.append([Segment(_text(read))])
        began = time.monotonic()
        session.generate(max_tokens=1)
        reading = tokens / _since(began)
        began = time.monotonic()
        writing = _write(session, written) / _since(began)
        return Speed(reading, writing, _together(session, written))
    finally:
        session.close()


def _together(session: Session, written: int) -> float:
    """Tokens a second that some forks of a session write at once."""
    forks = [session.fork() for _ in range(AT_ONCE)]
    counts, faults = [0] * AT_ONCE, list[ModelUnusable]()

    def write(number: int) -> None:
        try:
            counts[number] = _write(forks[number], written)
        except ModelUnusable as exc:
            faults.append(exc)

    threads = [threading.Thread(target=write, args=(n,), daemon=True) for n in range(AT_ONCE)]
    began = time.monotonic()
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if faults:
            raise faults[0]
        return sum(counts) / _since(began)
    finally:
        for fork in forks:
            fork.close()


def _write(session: Session, tokens: int) -> int:
    """Have at least so many tokens written, however often the model ends; returns how many were."""
    before = session.counter.generated
    while (left := tokens - (session.counter.generated - before)) > 0:
        generation: Generation = session.generate(max_tokens=left)
        if generation.reason in ("aborted", "context"):
            break
        if generation.reason != "length":
            session.append([Segment("\nRow")])
    return max(1, session.counter.generated - before)


def _text(tokens: int) -> str:
    """A text of at least so many tokens, of lines that differ."""
    return "".join(
        f"Row {n} has {n * n % 97} apples and {n * 7 % 89} pears.\n" for n in range(1, tokens // _TOKENS_LINE + 2)
    )


def _since(began: float) -> float:
    return max(1e-6, time.monotonic() - began)


__all__ = ["AT_ONCE", "N_CTX", "Loaded", "Result", "Setting", "Speed", "measure", "run", "settings"]
