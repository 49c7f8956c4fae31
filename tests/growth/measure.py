"""Whether a cost grows with its input and no faster: measured by doubling, in time of this process alone."""

from __future__ import annotations

import gc
import itertools
import signal
import time
import tracemalloc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any

MOST = 2.5  # times the cost for twice the input
FLOOR = 0.006  # seconds: less is noise
START, END = 1 << 12, 1 << 21
ENOUGH = 1 << 17  # from this size on, two doublings that were fine are enough
PATIENCE = 20.0  # seconds for one call
ROUNDS = 8
MEMORY_AT = 1 << 16
MEMORY_FLOOR, MEMORY_TIMES = 12 << 20, 120
_NUMBERS = itertools.count()


class TooSlow(Exception):
    """One call took longer than `PATIENCE`."""


def fault(call: Callable[[Any], Any], make: Callable[[int], Any], end: int = END) -> str | None:
    """What is wrong with the growth of `call`, or None.

    Args:
        make: an input of a size.
        end: the largest size.
    """
    size, before, fine = START, FLOOR, 0
    written = float("inf")
    while size <= end:
        value = make(size)
        try:
            seconds, out = _cost(call, value)
        except TooSlow:
            return f"{size} characters took longer than {PATIENCE:g} s"
        if out > MOST * max(written, 8 * size):
            return f"{size} characters became {out}, half of them {written:.0f}"
        if seconds > MOST * before and (said := _confirmed(call, make, size)):
            return said
        fine = fine + 1 if before > FLOOR else 0
        if (fine >= 2 and size >= ENOUGH) or seconds > 0.5:
            break
        size, before, written = 2 * size, max(seconds, FLOOR), out
    return None


def memory_fault(call: Callable[[Any], Any], make: Callable[[int], Any]) -> str | None:
    """What is wrong with the memory that `call` takes for an input and for one twice as large, or None."""
    most = MEMORY_FLOOR + MEMORY_TIMES * 2 * MEMORY_AT
    _run(call, make(START))  # what a first call keeps for good is not the text's
    large = _peak(call, make(2 * MEMORY_AT))
    if large <= min(most, MOST * MEMORY_FLOOR):  # whatever half of it takes
        return None
    small = _peak(call, make(MEMORY_AT))
    if large > MOST * max(small, MEMORY_FLOOR):
        return f"{large} bytes of memory, half the input takes {small}"
    if large > most:
        return f"{large} bytes of memory for {2 * MEMORY_AT} characters"
    return None


def _peak(call: Callable[[Any], Any], value: Any) -> int:
    tracemalloc.start()
    try:
        _run(call, value)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def _confirmed(call: Callable[[Any], Any], make: Callable[[int], Any], size: int) -> str | None:
    """A jump may be another process, or the processor's cache: what grows too fast does so again, and from there on.

    It is looked at where the smaller cost is no noise, and once more with twice the text.
    """
    said = None
    while True:
        small, large = _lowest(call, make, size // 4, size)
        if large <= MOST**2 * max(small, FLOOR / MOST):
            return None
        if small >= FLOOR or large > 0.5:
            now = f"{size // 4} characters take {small:.4f} s, {size} take {large:.4f} s"
            if said or large > 0.5:
                return now
            said = now
        size *= 2


def _lowest(call: Callable[[Any], Any], make: Callable[[int], Any], few: int, many: int) -> tuple[float, float]:
    """What two sizes cost at best: measured in turns until nothing is wrong, as a machine may be slow for a while."""
    small = large = float("inf")
    for number in range(ROUNDS):
        time.sleep(0.01 * number)
        small = min(small, _cost(call, _another(make(few)))[0])
        large = min(large, _cost(call, _another(make(many)))[0])
        if number >= 2 and large <= MOST**2 * max(small, FLOOR / MOST):
            break
    return small, large


def _another(value: Any) -> Any:
    """A text like it: one that was seen before may come out of a cache."""
    return f"{value} {next(_NUMBERS)}" if isinstance(value, str) else value


def _cost(call: Callable[[Any], Any], value: Any) -> tuple[float, int]:
    """Seconds of this process, and the characters of what came out; collecting the garbage of all tests is not its cost."""
    gc.collect(0)
    gc.disable()
    try:
        with _alarm():
            began = time.process_time()
            out = _run(call, value)
            return time.process_time() - began, _size(out)
    finally:
        gc.enable()


def _run(call: Callable[[Any], Any], value: Any) -> Any:
    out = call(value)
    return list(out) if isinstance(out, Iterator) else out


def _size(value: Any) -> int:
    if isinstance(value, str | bytes):
        return len(value)
    if isinstance(value, Mapping):
        return sum(_size(item) for item in value.values())
    if isinstance(value, Sequence | set | frozenset):
        return sum(_size(item) for item in value)
    return 8


@contextmanager
def _alarm() -> Iterator[None]:
    def ring(number: int, frame: FrameType | None) -> None:
        raise TooSlow

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, PATIENCE)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
