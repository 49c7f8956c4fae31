"""Health: a source that does not work is left in peace for a while, says so, and is tried again."""

from __future__ import annotations

import math

import pytest

from hds_cli.errors import SourceError
from hds_cli.search.checked import CheckedSource
from hds_cli.search.fanout import Fanout
from hds_cli.search.health import FAILURES, REST, Breaker

from .sources import Memory, Web, gather

DOWN = SourceError("it cannot be reached", code="unreachable")


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker(clock)


def refusal(breaker: Breaker) -> SourceError | None:
    try:
        breaker.admit()
    except SourceError as exc:
        return exc
    return None


def test_it_opens_after_so_many_failures_in_a_row(breaker: Breaker) -> None:
    """One fewer does not open it, nor do more with a success between."""
    for _ in range(FAILURES - 1):
        breaker.failed(DOWN)
    assert refusal(breaker) is None
    breaker.succeeded()
    breaker.failed(DOWN)
    assert refusal(breaker) is None
    for _ in range(FAILURES - 1):
        breaker.failed(DOWN)
    said = refusal(breaker)
    assert said is not None
    assert (said.error_code, said.retry_after) == ("resting", REST)
    assert said.message == "it cannot be reached; not asked again for 30 s"


def test_it_opens_at_once_for_as_long_as_the_source_says(breaker: Breaker, clock: Clock) -> None:
    """Retry-After is kept to the second."""
    breaker.failed(SourceError("slow down", code="rate_limited", retry_after=40.0))
    clock.now += 39.5
    said = refusal(breaker)
    assert said is not None
    assert (said.error_code, said.retry_after) == ("rate_limited", 0.5)
    clock.now += 0.6
    assert refusal(breaker) is None


def test_one_query_tries_it_again_and_decides(breaker: Breaker, clock: Clock) -> None:
    """Half open: one trial at a time; its failure opens the breaker again, its success closes it."""
    for _ in range(FAILURES):
        breaker.failed(DOWN)
    clock.now += REST + 1
    assert refusal(breaker) is None
    assert refusal(breaker) is not None
    breaker.failed(DOWN)
    assert refusal(breaker) is not None
    clock.now += REST + 1
    assert refusal(breaker) is None
    breaker.succeeded()
    assert refusal(breaker) is None
    assert refusal(breaker) is None


def test_a_late_answer_to_an_early_query_does_not_close_it(breaker: Breaker) -> None:
    """Only the trial says that the source works again."""
    breaker.failed(SourceError("x", code="rate_limited", retry_after=10.0))
    breaker.succeeded()
    assert refusal(breaker) is not None


@pytest.mark.parametrize("told", [math.nan, math.inf, -5.0, 1e30, "soon"])
def test_no_number_of_a_source_stops_it_for_ever(breaker: Breaker, clock: Clock, told: object) -> None:
    """A wish that is no sensible number is none, and none is longer than a day."""
    breaker.failed(SourceError("x", code="rate_limited", retry_after=told))  # type: ignore[arg-type]
    clock.now += 86_401
    assert refusal(breaker) is None


def test_a_source_that_fails_in_one_turn_is_not_asked_in_the_next() -> None:
    """The queries of a turn leave together; those of the next turn are told why, and the other source goes on."""
    bad, good = Memory("bad", fails=DOWN), Memory("good", "https://a.example/")
    sources = [CheckedSource(bad), CheckedSource(good)]
    gather(Fanout(sources, Web(), top_k=5), *(f"q{n}" for n in range(FAILURES)))
    assert len(bad.asked) == FAILURES
    (got,), (log,) = gather(Fanout(sources, Web(), top_k=5), "next")
    assert (len(bad.asked), len(got.pages)) == (FAILURES, 1)
    error = next(error for _, source, error in log.searches if source == "bad")
    assert error == {
        "code": "resting",
        "message": "it cannot be reached; not asked again for 30 s",
        "retry_after": pytest.approx(REST, abs=1),
    }


def test_a_rate_limit_is_said_with_its_seconds() -> None:
    """The words a person reads, and the number for a script."""
    limited = Memory("api", fails=SourceError("429", code="rate_limited", retry_after=39.2))
    _, (log,) = gather(Fanout([limited], Web(), top_k=5), "q")
    assert log.searches == [
        (0, "api", {"code": "rate_limited", "message": "rate limited, again in 40 s", "retry_after": 39.2})
    ]
