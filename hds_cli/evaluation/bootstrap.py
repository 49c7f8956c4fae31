"""Percentile bootstrap over questions (Efron 1979): intervals of means, and of paired differences. Seeded."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

RESAMPLES = 2000


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean and the bounds that 95 % of the resamples lie between."""

    mean: float
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        return self.low > 0 or self.high < 0


def interval(values: Sequence[float], *, seed: int = 0, resamples: int = RESAMPLES) -> Interval:
    """The mean of `values` and its 95 % interval; (0, 0, 0) of nothing."""
    if not values:
        return Interval(0.0, 0.0, 0.0)
    rng = random.Random(seed)
    means = sorted(fmean(rng.choices(values, k=len(values))) for _ in range(resamples))
    cut = int(0.025 * resamples)
    return Interval(fmean(values), means[cut], means[-1 - cut])


def paired(a: Sequence[float], b: Sequence[float], *, seed: int = 0, resamples: int = RESAMPLES) -> Interval:
    """How much more `b` has than `a`, question by question."""
    return interval([y - x for x, y in zip(a, b, strict=True)], seed=seed, resamples=resamples)
