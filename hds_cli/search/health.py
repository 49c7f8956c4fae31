"""A circuit breaker: it decides when a source that failed is asked again, by its own wishes and its failures."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from hds_cli.errors import HdsError, SourceError

FAILURES = 3  # in a row, before a source is left in peace
REST = 30.0  # seconds until it is tried again
LONGEST = 86_400.0  # a longer wish of a source is not taken literally


class Breaker:
    """Closed: a source is asked. Open: it is not, until a time. Then one query tries it, and closes or opens it again.

    It opens after `FAILURES` failures in a row, and at once when the source said for how long (M. Nygard, Release It!,
    ch. 5, "Circuit Breaker"; RFC 9110 10.2.3 Retry-After).

    Args:
        clock: monotonic seconds; a test passes its own.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures = 0
        self._until: float | None = None  # None: closed
        self._trying = False
        self._last: HdsError = SourceError("it failed")

    def admit(self) -> None:
        """Let a query through.

        Raises:
            SourceError: not now: `rate_limited` or `resting`, with `retry_after` seconds to wait.
        """
        if self._until is None:
            return
        left = self._until - self._clock()
        if left <= 0 and not self._trying:
            self._trying = True
            return
        raise self._refusal(max(left, 0.0))

    def succeeded(self) -> None:
        """Note an answer. An answer to a query that left before the breaker opened does not close the breaker."""
        if self._until is None or self._trying:
            self._failures, self._until, self._trying = 0, None, False

    def failed(self, error: HdsError) -> None:
        """Note a failure: no answer, or no usable one."""
        self._failures += 1
        rests = self._failures >= FAILURES or self._trying
        self._last, self._trying = error, False
        seconds = _seconds(error)
        wait = seconds if seconds is not None else REST if rests else None
        if wait is not None:
            self._until = max(self._until or 0.0, self._clock() + wait)

    def _refusal(self, left: float) -> SourceError:
        if self._last.error_code == "rate_limited":
            return SourceError("asked too often", code="rate_limited", retry_after=left)
        message = f"{self._last.message}; not asked again for {math.ceil(left)} s" if left else self._last.message
        return SourceError(message, code="resting", retry_after=left)


def _seconds(error: HdsError) -> float | None:
    """For how long a source wants quiet; None when it does not say, or not as a sensible number."""
    seconds = getattr(error, "retry_after", None)
    if not isinstance(seconds, int | float) or not 0 < seconds < math.inf:
        return None
    return min(float(seconds), LONGEST)
