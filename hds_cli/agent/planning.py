"""What a run may still take: under a budget each turn gets what fits, and the answer is begun while there is time.

A budget plans ahead, by the speed that was measured: fewer pages and passages, no reader, no further turn. Only where
the speed collapses is the model stopped while it writes.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from hds_cli.agent.dialects import Dialect, QueryResult
from hds_cli.agent.selectors.base import about_tokens
from hds_cli.agent.turn import Limits, Searching, Stop
from hds_cli.engine.base import Counter
from hds_cli.engine.files.learned import Learned
from hds_cli.engine.pace import Pace

_SLOW_READING, _SLOW_WRITING = 40.0, 4.0  # tokens a second where nothing was measured; not tuned, as all that follows
_ANSWER, _TURN = 160, 120  # tokens of an answer that is forced, and of a turn before one was written
_ANSWER_SHARE = 0.25  # of the budget, at most, that is kept for the answer
_LIKELY_TURNS = 4  # turns of searching among which what is left is shared, as a run shares its context
_USEFUL, _LEAST = 600, 160  # tokens of pages that are worth a turn of their own, and of the last one
_PAGE = 250  # tokens of pages for which one more page of a query is read
_READER_SHARE, _READER_TOKENS = 0.25, 200  # a reader's part of what is left, and tokens that it writes on a query
_NOTHING = 1e-9  # the price of a token, almost
_GRACE = 0.25  # of a limit of time: the answer may take so much longer
_LEAST_WRITTEN = 32  # tokens that a turn may write whatever is left; an answer may write `_ANSWER`, lest it be a stub


class _Prices(NamedTuple):
    """In seconds, or in tokens: a token read, a token written, the searching of a turn, what follows the answer."""

    read: float
    write: float
    search: float = 0.0
    end: float = 0.0


@dataclass
class _Mean:
    """The mean of what a run did; a value from before counts as one more."""

    value: float | None = None
    count: int = 0

    def add(self, value: float) -> None:
        known = value if self.value is None else self.value
        self.value = known + (value - known) / (self.count + 2)
        self.count += 1


class Plan:
    """The plan of one run. Without a budget it bounds nothing, and only tells how long the run may still take.

    Args:
        pace: its speeds are used, and its bound on the tokens of a call is set.
        counter: tokens of the run.
        known: what the model did on this machine before.
    """

    def __init__(self, limits: Limits, pace: Pace, counter: Counter, known: Learned = Learned()) -> None:
        self._limits, self._pace, self._counter, self._budget = limits, pace, counter, limits.budget
        self._known, self._began, self._answering, self._top_k = known, time.monotonic(), False, 0
        self._turn_seconds, self._search_seconds = _Mean(known.turn_seconds), _Mean(known.search_seconds)
        self._written, self._turns, self._ended = _Mean(), 0, 0.0
        self.stopped: str | None = None
        """`budget` once the answer is asked for because a further turn does not fit."""
        pace.most, pace.affords = self._most, self._affords_reader

    # --- the budget ----------------------------------------------------------------------------------------------

    def evidence(self, turns_left: int, most: int | None) -> int | None:
        """Tokens of pages that the model may read now; None: what its context allows.

        Args:
            turns_left: turns that may still search, this one included.
            most: another bound.
        """
        if self._budget is None:
            return most
        prices = self._prices()
        free = self._free(prices)
        turn = self._turn_tokens * prices.write + prices.search
        fits = free / prices.read
        for turns in range(max(1, min(turns_left, _LIKELY_TURNS)), 1, -1):
            share = (free - (turns - 1) * turn) / (turns * prices.read)
            if share >= _USEFUL:
                fits = share
                break
        tokens = max(_LEAST, int(fits))
        return tokens if most is None else min(tokens, most)

    def afforded(self, turns: int, read: int = 0) -> tuple[int, int | None]:
        """How many of so many turns may still search, and tokens of pages for each; None: what the context allows.

        Args:
            read: tokens of results that the model is about to read.
        """
        if self._budget is None:
            return turns, None
        prices = self._prices()
        free = self._free(prices) - read * prices.read
        turn = self._turn_tokens * prices.write + prices.search
        if turns < 1 or free < turn + _LEAST * prices.read:
            return 0, 0
        turns = max(1, min(turns, int(free / (turn + _USEFUL * prices.read))))
        return turns, max(_LEAST, int((free / turns - turn) / prices.read))

    def tell(self, dialect: Dialect, turns: int, results: Sequence[QueryResult] = ()) -> None:
        """Tell a dialect that asks for it what the run may still take, once it has read these results."""
        if afford := getattr(dialect, "afford", None):
            found = [passage for _, passages in results if not isinstance(passages, str) for passage in passages]
            afford(*self.afforded(turns, sum(about_tokens(passage.text) for passage in found)))

    def searching(self, searching: Searching, number: int) -> Searching:
        """The searching of turn `number`: as many pages as can be read, and half of the time that is left at most."""
        if self._budget is None:
            return searching
        self._top_k = self._top_k or searching.fanout.top_k
        tokens = self.evidence(self._limits.max_turns - number + 1, None) or 0
        searching.fanout.top_k = max(1, min(self._top_k, tokens // _PAGE))
        if self._budget.seconds is None:
            return searching
        half = self._free(self._prices()) / 2
        return replace(
            searching, limits=replace(self._limits, turn_timeout=max(1.0, min(self._limits.turn_timeout, half)))
        )

    def fits_turn(self) -> bool:
        """True when a further turn, with the least that it may find, leaves enough for the answer."""
        if self._budget is None:
            return True
        prices = self._prices()
        turn = self._turn_tokens * prices.write + prices.search + _LEAST * prices.read
        return self._free(prices) >= turn

    def is_spent(self) -> bool:
        """True when the answer has to be written now; the run then ends as stopped by its budget."""
        if not self.fits_turn():
            self.stopped = "budget"
        return self.stopped is not None

    def _affords_reader(self, tokens: int, queries: int) -> bool:
        """True when a reader of so many tokens of passages, called for each query, takes a small part of what is left.

        Nothing is afforded before the speed is known.
        """
        if self._budget is None:
            return True
        prices = self._prices()
        is_known = self._budget.seconds is None or None not in (self._pace.speeds.reading, self._pace.speeds.writing)
        takes = tokens * prices.read + queries * _READER_TOKENS * prices.write
        return is_known and takes < _READER_SHARE * self._left()

    @contextlib.contextmanager
    def writing(self, stop: Stop) -> Iterator[None]:
        """While the model writes a turn: it is stopped when there is time for the answer only."""
        seconds = None
        if self._budget is not None and self._budget.seconds is not None:
            seconds = max(1.0, self._left() - self._answer(self._prices()))
        with _alarm(seconds, lambda: stop.request("budget")):
            yield

    @contextlib.contextmanager
    def answering(self, stop: Stop) -> Iterator[None]:
        """While the model answers because it has to: a bounded time, where a limit of time is the reason."""
        self._answering, seconds = True, None
        self._turns += 1
        if stop.reason == "timeout" and self._limits.timeout:
            seconds = max(2.0, _GRACE * self._limits.timeout)
        elif self._budget is not None and self._budget.seconds is not None:
            seconds = max(2.0, self._left() + _GRACE * self._budget.seconds)
        with _alarm(seconds, stop.abort):
            yield

    def _free(self, prices: _Prices) -> float:
        """What is left beside the answer, and beside what was put in and is still to be read."""
        return self._left() - self._answer(prices) - self._pace.pending() * prices.read

    def _answer(self, prices: _Prices) -> float:
        """What the answer gets: as much as a long one takes, but a small part of a small budget."""
        assert self._budget is not None
        whole = self._budget.seconds or self._budget.tokens or 0.0
        return min(_ANSWER * prices.write + prices.end, _ANSWER_SHARE * whole)

    @property
    def _turn_tokens(self) -> float:
        """Tokens that a turn writes."""
        return _TURN if self._written.value is None else self._written.value

    def _left(self) -> float:
        """Seconds, or tokens."""
        assert self._budget is not None
        if self._budget.seconds is not None:
            return self._budget.seconds - (time.monotonic() - self._began)
        counter = self._counter
        spent = counter.prompt + counter.generated - counter.reused - self._pace.pending()
        return (self._budget.tokens or 0.0) - spent

    def _prices(self) -> _Prices:
        if self._turns and not self._counter.evaluated:  # a rule writes in the model's place
            return _Prices(_NOTHING, _NOTHING)
        if self._budget is not None and self._budget.seconds is None:
            return _Prices(1.0, 1.0)
        speeds = self._pace.speeds
        writing = speeds.writing or _SLOW_WRITING
        reading = speeds.reading or max(_SLOW_READING, writing)
        return _Prices(1 / reading, 1 / writing, self._search_seconds.value or 0.0, self._known.end_seconds or 0.0)

    def _most(self, tokens: int) -> int:
        """The tokens that a call may write: under a budget of tokens those that are left, beside the answer's."""
        if self._budget is None or self._budget.tokens is None:
            return tokens
        left = self._left() - self._pace.pending() - (0 if self._answering else self._answer(self._prices()))
        return min(tokens, max(_ANSWER if self._answering else _LEAST_WRITTEN, int(left)))

    # --- how long it takes ---------------------------------------------------------------------------------------

    def took(self, *, model: float, search: float | None, tokens: int) -> None:
        """Note how a turn went: seconds of the model, seconds of its searches if it had some, tokens written."""
        self._turns += 1
        self._turn_seconds.add(model)
        self._written.add(tokens)
        if search is not None:
            self._search_seconds.add(search)

    def seconds_left(self, number: int, *, forced: bool = False) -> float | None:
        """The seconds that the run may still take when turn `number` begins; None: nothing is known of such runs.

        It takes as many turns as this model's runs took on this machine, and each as long as those before.

        Args:
            forced: the turn is the answer.
        """
        turn, search, turns = self._turn_seconds.value, self._search_seconds.value or 0.0, self._known.turns
        if turn is None or turns is None:
            return None
        left = 1.0 if forced else max(1.0, min(turns, self._limits.max_turns + 1) - number + 1)
        seconds = left * turn + (left - 1) * search + (self._known.end_seconds or 0.0)
        if self._budget is not None and self._budget.seconds is not None:
            seconds = min(seconds, max(0.0, self._left()))
        return round(seconds, 1)

    def ended(self, stop: Stop) -> str | None:
        """Note that the answer is written; the reason if something ended the run early."""
        self._ended = time.monotonic()
        return stop.reason or self.stopped

    def learned(self) -> Learned:
        """What a run that has ended showed, to be kept for the next one; one under a budget shows its speed only."""
        speeds = Learned(*dataclasses.astuple(self._pace.speeds))
        if self._budget is not None or not self._turn_seconds.count:
            return speeds
        return replace(
            speeds, turns=float(self._turns), end_seconds=time.monotonic() - self._ended,
            turn_seconds=self._turn_seconds.value,
            search_seconds=self._search_seconds.value if self._search_seconds.count else None,
        )  # fmt: skip


@contextlib.contextmanager
def _alarm(seconds: float | None, then: Callable[[], object]) -> Iterator[None]:
    """`then` is called after `seconds`, unless the block has ended; None: it is not."""
    handle = None if seconds is None else asyncio.get_running_loop().call_later(max(0.0, seconds), then)
    try:
        yield
    finally:
        if handle is not None:
            handle.cancel()


__all__ = ["Plan"]
