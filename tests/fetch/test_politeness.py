"""Retry-After and spacing (figures F23 and F24); robots.txt itself is in test_robots.py."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise

import pytest

from hds_cli.config import Settings
from hds_cli.fetch.client import Fetcher
from hds_cli.fetch.politeness import Hosts, domain_of, retry_after
from tests.fetch.conftest import LONG, run
from tests.fetch.web import Network, Web, answer

NOW = datetime(2026, 6, 1, 12, 0, 0, tzinfo=UTC)

RETRY = [
    ("0", 0.0), ("1", 1.0), ("30", 30.0), (" 7 ", 7.0), ("007", 7.0), ("31", None), ("999999999", None), ("9" * 400, None),
    ("-1", None), ("+3", None), ("1.5", None), ("1e9", None), ("1e1", None), ("nan", None), ("inf", None), ("Infinity", None),
    ("", None), (None, None), ("0x10", None), ("\u0663\u0664", None), ("1_0", None), ("soon", None), ("10 s", None), ("10;1", None),
    (format_datetime(NOW + timedelta(seconds=20), usegmt=True), 20.0), (format_datetime(NOW - timedelta(days=9), usegmt=True), 0.0),
    (format_datetime(NOW + timedelta(seconds=90), usegmt=True), None), ("Fri, 01 Jan 2099 00:00:00 GMT", None),
    ("Mon, 99 Foo 9999 99:99:99 GMT", None), ("Thu, 01 Jan 99999999 00:00:00 GMT", None), ("Mon, 01 Jun 2026 12:00:10 +9999", None),
]  # fmt: skip


@pytest.mark.parametrize(("value", "seconds"), RETRY)
def test_retry_after_is_at_most_thirty_seconds_or_not_waited_for(value: str | None, seconds: float | None) -> None:
    """F24: 30 values, none of which makes us sleep for longer than 30 s."""
    assert retry_after(value, NOW) == seconds


def test_plain_parsing_would_sleep_for_longer() -> None:
    """float() takes several of these values for more than 30 s, or for no number at all."""
    over = 0
    for value, _ in RETRY:
        try:
            over += not float(value or "x") <= 30
        except ValueError:
            continue
    assert over >= 5


@pytest.mark.parametrize(
    ("host", "domain"),
    [
        ("www.example.com", "example.com"), ("a.b.c.example.com", "example.com"), ("example.com", "example.com"),
        ("www.bbc.co.uk", "bbc.co.uk"), ("co.uk", "co.uk"), ("x.gov.br", "x.gov.br"), ("8.8.8.8", "8.8.8.8"),
        ("[2001:db8::1]", "[2001:db8::1]"), ("EN.Wikipedia.ORG.", "wikipedia.org"), ("localhost", "localhost"),
    ],
)  # fmt: skip
def test_the_domain_that_limits_are_counted_for(host: str, domain: str) -> None:
    """Subdomains share the limits of what was registered."""
    assert domain_of(host) == domain


def test_requests_to_one_site_keep_their_distance(server: Web, tmp_path: object) -> None:
    """F23: over many requests to two sites, none starts within the gap of the one before it, nor more than two at once."""
    gap, number = (0.5, 250) if LONG else (0.05, 30)
    server.routes["/a"] = answer()
    network = Network({"93.184.216.34": server, "93.184.216.35": server})
    starts: dict[str, list[float]] = {}

    async def lookup(host: str, port: int) -> list[str]:
        return ["93.184.216.34" if host.endswith("one.example") else "93.184.216.35"]

    async def work() -> None:
        settings = Settings(cache_dir=str(tmp_path), fetch_delay=gap)
        async with Fetcher(settings, lookup=lookup, network=network) as fetcher:
            urls = [f"http://h{n % 5}.{site}.example/a?{n}" for n in range(number) for site in ("one", "two")]
            await asyncio.gather(*(fetcher.fetch(url, typed=True) for url in urls))

    run(work())
    for when, (_, headers) in zip(server.times, server.seen, strict=True):
        starts.setdefault(domain_of(headers["host"]), []).append(when)
    assert {name: len(times) for name, times in starts.items()} == {"one.example": number, "two.example": number}
    for times in starts.values():
        # Arrival at the server jitters by what the machine's scheduler adds; the distance of starts is exact.
        assert times[-1] - times[0] > gap * (number - 1) * 0.9
        assert sum(later - earlier < gap / 2 for earlier, later in pairwise(times)) <= number // 10


class LateLoop(asyncio.SelectorEventLoop):
    """Nobody waits: its clock jumps to what comes next, and up to 10 ms beyond it, as on a busy machine."""

    def __init__(self) -> None:
        super().__init__()
        self._chance, self._now = random.Random(1), 0.0
        select = self._selector.select  # type: ignore[attr-defined]

        def jump(timeout: float | None = None) -> object:
            if timeout:
                self._now += timeout + self._chance.uniform(0, 0.01)
            return select(0)

        self._selector.select = jump  # type: ignore[attr-defined]

    def time(self) -> float:
        return self._now


def turns(*, exempt: bool) -> tuple[dict[str, list[float]], int]:
    """When each of 500 requests to five sites starts, and how many of one site ran at once at most."""
    starts: dict[str, list[float]] = {}
    now: dict[str, int] = {}
    most = 0

    async def one(hosts: Hosts, host: str) -> None:
        nonlocal most
        async with hosts.turn(host, exempt=exempt):
            site = domain_of(host)
            starts.setdefault(site, []).append(asyncio.get_running_loop().time())
            now[site] = now.get(site, 0) + 1
            most = max(most, now[site])
            await asyncio.sleep(random.random() * 0.05)
            now[site] -= 1

    async def work() -> None:
        hosts = Hosts(total=8, gap=0.02)
        await asyncio.gather(*(one(hosts, f"h{n % 3}.site{n % 5}.example") for n in range(500)))

    with asyncio.Runner(loop_factory=LateLoop) as runner:  # what a real clock measures, other processes disturb
        runner.run(work())
    return starts, most


def too_near(starts: dict[str, list[float]]) -> int:
    """Starts within the gap of the one before."""
    return sum(later - earlier < 0.0199 for times in starts.values() for earlier, later in pairwise(times))


def test_no_start_is_within_the_gap_and_never_more_than_two_at_once() -> None:
    """F23: 500 turns over five sites, measured where the request starts: no violation."""
    starts, most = turns(exempt=False)
    assert sum(map(len, starts.values())) == 500
    assert too_near(starts) == 0
    assert most == 2


def test_without_the_spacing_the_same_requests_crowd() -> None:
    """F23: as for hosts that the user allowed, nearly every start is too near, and more than two run at once."""
    starts, most = turns(exempt=True)
    assert too_near(starts) > 100
    assert most > 2


def test_what_the_user_allowed_is_not_spaced() -> None:
    """Hosts in `fetch.allow` are exempt: their owner is the user."""

    async def work(exempt: bool) -> float:
        hosts = Hosts(total=32, gap=0.05)

        async def one() -> None:
            async with hosts.turn("127.0.0.1", exempt=exempt):
                await asyncio.sleep(0.01)

        start = time.perf_counter()
        await asyncio.gather(*(one() for _ in range(16)))
        return time.perf_counter() - start

    assert run(work(True)) < 0.2
    assert run(work(False)) > 0.7


def test_spacing_can_be_set(settings: Callable[..., Settings]) -> None:
    """`fetch.delay` and `fetch.parallel` are settings."""
    assert settings(fetch_delay=2.0).fetch_delay == 2.0
