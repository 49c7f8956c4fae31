"""The number of threads that evaluate a batch: as many as pay beside what else the machine does.

The threads of llama.cpp wait for each other some hundred times a token. Where another process holds a core, each of
these waits may last until the scheduler lets the late thread run, and more threads are slower than fewer by far.

The number of threads does not change what llama.cpp computes, with one exception: the attention of a single token over
512 cells or more (256 tokens and more, as cells are counted in steps of 256) is summed in a part for each thread.
Logits of SmolLM2-135M (Q4_1) moved there by up to 0.5, and not at all elsewhere.
"""

from __future__ import annotations

import contextlib
import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hds_cli.errors import ModelUnusable

# Tuned on SmolLM2-135M (Q4_1) on two cores, alone and beside one busy process.
_SLOW = 1.8  # times the best step: after two in a row that took so much longer, fewer threads are tried
_CRAWL = 4.0  # times the best step: after one that took so much longer
_LOOK = 0.25  # seconds between two looks at the load
_LEAST = 0.1  # seconds that the load is measured over, in ticks of 0.01 s
_TRIED = 2  # steps by which a number of threads is judged
_HOPELESS = 2.5  # times as slow as before: judged after one step
_PAYS = 0.97  # of the time before: more threads that take less stay
_AGE = 1.01  # by which the best step grows with each one: a longer text takes longer
_SHARE = 0.35  # of a core that others may use: no thread gives way to less
_WAIT, _LONGEST = 1.0, 30.0  # seconds before more threads are tried again: at first, and at most
_UNSAID = 8  # steps of other sizes, after which a trial without a comparison is over


class Others:
    """The cores that other processes leave free, of all that the machine has, by `/proc/stat`.

    Args:
        stat: the file; another one in tests.
    """

    def __init__(self, stat: Path = Path("/proc/stat")) -> None:
        self._stat = stat
        self._niced = os.name == "posix" and os.nice(0) > 0
        self._last = self._read()
        self._used = 0.0

    def free(self) -> float | None:
        """On average since the last call that is some time ago; None where the system does not say.

        Processes with a lower priority than this one do not count.
        """
        before, now = self._last, self._read()
        if before is None or now is None or now[3] < before[3]:
            return None
        if (seconds := now[0] - before[0]) >= _LEAST:
            self._last = now
            self._used = max(0.0, (now[1] - before[1] - (now[2] - before[2])) / seconds)
        return max(0.0, now[4] - self._used)

    def _read(self) -> tuple[float, float, float, float, int] | None:
        """(time, seconds of work of all processes, of this one, of all with those of idleness, cores)."""
        try:
            data = self._stat.read_bytes()
            words, cores = data.split(b"\n", 1)[0].split()[1:9], data.count(b"\ncpu")
            user, nice, system, idle, iowait, irq, softirq, steal = (int(word) / _TICKS for word in words)
        except (OSError, ValueError):
            return None
        if not cores:
            return None
        work = user + system + irq + softirq + steal + (nice if self._niced else 0.0)
        return time.perf_counter(), work, time.process_time(), work + idle + iowait, cores


_TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


@dataclass
class _Trial:
    """Another number of threads that is being tried: `before` is the time a token by size, with `threads`."""

    threads: int
    before: dict[int, float]
    ratios: list[float] = field(default_factory=list)
    unsaid: int = 0


class ThreadCount:
    """Says with how many threads the next batch is evaluated, and is told how long it took.

    Args:
        most: threads at most, and as long as nothing speaks against it.
        free: the cores of the machine that others do not use, or None.
    """

    def __init__(
        self, most: int, free: Callable[[], float | None] | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.most = self.threads = most
        self._free, self._clock = free or Others().free, clock
        self._best: dict[int, float] = {}  # seconds a token by size of the batch, with any number of threads
        self._lately: dict[int, float] = {}  # the same with the present number
        self._trial: _Trial | None = None
        self._slow, self._agreed, self._allowed = 0, 0, most
        self._looked = self._may_fall = self._may_rise = -math.inf
        self._wait = _WAIT
        self._begun = self._known = False

    def next(self) -> int:
        """The threads for the next batch."""
        now = self._clock()
        if self._trial is None and now - self._looked >= _LOOK and self.most > 1:
            self._looked = now
            self._look(now)
        return self.threads

    def took(self, tokens: int, seconds: float) -> None:
        """Note how long a batch took with the threads that `next` gave."""
        size, each = tokens.bit_length(), seconds / tokens
        if self._trial is not None:
            self._judge(self._trial, size, each)
        best = self._best.get(size, each)
        self._slow = 0 if each <= _SLOW * best else 2 if each > _CRAWL * best else self._slow + 1
        self._best[size] = min(best * _AGE, each)
        self._lately[size] = (self._lately.get(size, each) + each) / 2
        if self._slow >= 2 and self._trial is None and self.threads > 1 and self._clock() >= self._may_fall:
            self._try(min(self._allowed, max(1, self.threads // 2)))

    def _look(self, now: float) -> None:
        """Give way to what others use, or come back when they are done."""
        free = self._free()
        first, self._begun = not self._begun, True
        if free is None and first:
            free = _average()
        elif free is not None:
            self._known = True
        if free is None:  # nobody says: more threads are tried from time to time
            if not self._known and self.threads < self.most and now >= self._may_rise:
                self._try(self.most)
            return
        allowed = max(1, min(self.most, math.floor(free + _SHARE)))
        self._agreed = self._agreed + 1 if allowed == self._allowed or first else 0
        self._allowed = allowed
        may = self._may_fall if allowed < self.threads else self._may_rise
        if allowed != self.threads and (self._agreed or first) and now >= may:
            self._try(allowed)

    def _try(self, threads: int) -> None:
        self._trial = _Trial(self.threads, self._lately)
        self.threads, self._lately, self._slow = threads, {}, 0

    def _judge(self, trial: _Trial, size: int, each: float) -> None:
        """Keep the threads that are being tried, or go back to those before."""
        if (before := trial.before.get(size)) is None:
            trial.unsaid += 1
        else:
            trial.ratios.append(each / before)
        ratios = trial.ratios
        if not (len(ratios) >= _TRIED or trial.unsaid >= _UNSAID or max(ratios, default=0) > _HOPELESS):
            return
        self._trial = None
        now, rises = self._clock(), self.threads > trial.threads
        mean = sum(ratios) / len(ratios) if ratios else 0.0
        if mean < (_PAYS if rises else 1.0):
            self._wait = _WAIT if rises else self._wait
            self._may_rise = now + self._wait
            return
        self._wait = min(2 * self._wait, _LONGEST)
        if rises:
            self._may_rise = now + self._wait
        else:  # it was not for the threads: that is how long a step takes now
            self._may_fall = now + self._wait
            self._best = dict(trial.before)
        self.threads, self._lately = trial.threads, trial.before


def evaluate(api: Any, context: Any, batch: Any, count: ThreadCount | None) -> int:
    """Evaluate a batch with the threads that `count` says; the code that `llama_decode` returns."""
    if count is None:
        return int(api.llama_decode(context, batch))
    threads = count.next()
    api.llama_set_n_threads(context, threads, threads)
    began = time.perf_counter()
    code = int(api.llama_decode(context, batch))
    if code == 0:
        count.took(batch.n_tokens, time.perf_counter() - began)
    return code


def failed(code: int) -> ModelUnusable:
    """The error of a batch that `evaluate` gave this code for."""
    return ModelUnusable(f"llama.cpp could not evaluate a batch (code {code})", hint="hds doctor")


def _average() -> float | None:
    """The cores that were free in the last minute; None where the system does not say."""
    with contextlib.suppress(OSError, AttributeError):
        return max(0.0, (os.cpu_count() or 1) - os.getloadavg()[0])
    return None


def usable() -> int:
    """The cores that this process may use: those it is bound to, or the share that its container has."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with contextlib.suppress(OSError, ValueError):
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text("ascii").split()
        cores = min(cores, math.ceil(int(quota) / int(period)))
    return max(1, cores)
