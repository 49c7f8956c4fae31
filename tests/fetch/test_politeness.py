"""robots.txt, Retry-After and spacing (figures F23 and F24)."""

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
from hds_cli.fetch.robots import Robots
from tests.fetch.conftest import LONG, run
from tests.fetch.web import Network, Web, answer

NOW = datetime(2026, 6, 1, 12, 0, 0, tzinfo=UTC)

# (robots.txt, agent, path, allowed): the rules of RFC 9309, and what google/robotstxt tolerates.
CASES: list[tuple[str, str, str, bool]] = [
    ("", "hds", "/x", True),
    ("user-agent: hds\ndisallow: /\n", "hds", "/x/y", False),
    ("foo: hds\nbar: /\n", "hds", "/x", True),
    ("user-agent hds\ndisallow /\n", "hds", "/x", False),
    ("USER-AGENT: hds\nALLOW: /x/\nDISALLOW: /\n", "hds", "/x/y", True),
    ("USER-AGENT: hds\nALLOW: /x/\nDISALLOW: /\n", "hds", "/a/b", False),
    ("uSeR-aGeNt: HDS\naLlOw: /x/\ndIsAlLoW: /\n", "hds", "/a/b", False),
    # groups
    ("allow: /foo/\n\nuser-agent: hds\ndisallow: /\n", "hds", "/foo/", False),
    ("user-agent: a\ndisallow: /\nuser-agent: b\n\nuser-agent: hds\nallow: /z/\ndisallow: /\n", "hds", "/z/d", True),
    ("user-agent: a\ndisallow: /\nuser-agent: b\n\nuser-agent: hds\nallow: /z/\ndisallow: /\n", "b", "/q", False),
    ("user-agent: hds\ndisallow: /a\nuser-agent: x\ndisallow: /\nuser-agent: hds\ndisallow: /b\n", "hds", "/a", False),
    ("user-agent: hds\ndisallow: /a\nuser-agent: x\ndisallow: /\nuser-agent: hds\ndisallow: /b\n", "hds", "/b", False),
    ("user-agent: hds\ndisallow: /a\nuser-agent: x\ndisallow: /\nuser-agent: hds\ndisallow: /b\n", "hds", "/c", True),
    ("user-agent: *\nallow: /\nuser-agent: hds\ndisallow: /\n", "hds", "/x", False),
    ("user-agent: *\nallow: /\nuser-agent: hds\ndisallow: /\n", "other", "/x", True),
    ("user-agent: hds\ndisallow: /\nuser-agent: *\nallow: /\n", "other", "/x", True),
    ("user-agent: foo\ndisallow: /\n", "hds", "/x", True),
    ("user-agent: *\ndisallow: /x/\nuser-agent: hds\ndisallow: /y/\n", "hds", "/x/p", True),
    ("user-agent: *\ndisallow: /x/\nuser-agent: hds\ndisallow: /y/\n", "hds", "/y/p", False),
    ("user-agent: *\ndisallow: /x\nuser-agent: hds\n", "hds", "/x", True),
    ("user-agent: * bots\ndisallow: /x\n", "hds", "/x", False),
    ("user-agent: *\nsitemap: /s\nuser-agent: hds\ndisallow: /x\n", "hds", "/x", False),
    ("user-agent: hds\nsitemap: /s\nfoo: bar\nuser-agent: other\ndisallow: /x\n", "hds", "/x", False),
    ("user-agent: hds\ncrawl-delay: 3\nuser-agent: other\ndisallow: /x\n", "hds", "/x", False),
    # the name of the agent
    ("user-agent: hds/2.0\ndisallow: /\n", "hds", "/x", False),
    ("user-agent: hds bot\ndisallow: /\n", "hds", "/x", False),
    ("user-agent: hdsx\ndisallow: /\n", "hds", "/x", True),
    ("user-agent: hd\ndisallow: /\n", "hds", "/x", True),
    ("user-agent: x-hds\ndisallow: /\n", "hds", "/x", True),
    # the longest match, ties to allow
    ("user-agent: *\ndisallow: /x/page.html\nallow: /x/\n", "hds", "/x/page.html", False),
    ("user-agent: *\nallow: /x/page.html\ndisallow: /x/\n", "hds", "/x/page.html", True),
    ("user-agent: *\nallow: /x/page.html\ndisallow: /x/\n", "hds", "/x/", False),
    ("user-agent: *\ndisallow:\nallow:\n", "hds", "/x", True),
    ("user-agent: *\ndisallow: /\nallow: /\n", "hds", "/x", True),
    ("user-agent: *\ndisallow: /x\nallow: /x/\n", "hds", "/x", False),
    ("user-agent: *\ndisallow: /x\nallow: /x/\n", "hds", "/x/", True),
    ("user-agent: *\nallow: /page\ndisallow: /*.html\n", "hds", "/page.html", False),
    ("user-agent: *\nallow: /page\ndisallow: /*.html\n", "hds", "/page", True),
    ("user-agent: *\nallow: /x/page.\ndisallow: /*.html\n", "hds", "/x/page.html", True),
    ("user-agent: *\nallow: /x/page.\ndisallow: /*.html\n", "hds", "/x/y.html", False),
    ("user-agent: *\ndisallow: /X/\n", "hds", "/x/", True),
    # octets
    ("user-agent: *\ndisallow: /\nallow: /f?q=t&b=http://foo.bar?t&p\n", "hds", "/f?q=t&b=http://foo.bar?t&p", True),
    ("user-agent: *\ndisallow: /\nallow: /foo/ツ\n", "hds", "/foo/%E3%83%84", True),
    ("user-agent: *\ndisallow: /\nallow: /foo/%e3%83%84\n", "hds", "/foo/%E3%83%84", True),
    ("user-agent: *\ndisallow: /\nallow: /foo/%62%61%7A\n", "hds", "/foo/baz", False),
    ("user-agent: *\ndisallow: /\nallow: /foo/%62%61%7A\n", "hds", "/foo/%62%61%7A", True),
    # special characters
    ("user-agent: *\ndisallow: /foo/bar/quz\nallow: /foo/*/qux\n", "hds", "/foo/bar/quz", False),
    ("user-agent: *\ndisallow: /foo/bar/quz\nallow: /foo/*/qux\n", "hds", "/foo/quz", True),
    ("user-agent: *\ndisallow: /foo/bar$\nallow: /foo/bar/qux\n", "hds", "/foo/bar", False),
    ("user-agent: *\ndisallow: /foo/bar$\nallow: /foo/bar/qux\n", "hds", "/foo/bar/qux", True),
    ("user-agent: *\ndisallow: /foo/bar$\nallow: /foo/bar/qux\n", "hds", "/foo/bar/baz", True),
    ("user-agent: *\n# disallow: /\ndisallow: /foo/quz#qux\nallow: /\n", "hds", "/foo/bar", True),
    ("user-agent: *\n# disallow: /\ndisallow: /foo/quz#qux\nallow: /\n", "hds", "/foo/quz", False),
    ("user-agent: *\ndisallow: /*/a*b$\n", "hds", "/x/aXb", False),
    ("user-agent: *\ndisallow: /*/a*b$\n", "hds", "/x/aXbc", True),
    ("user-agent: *\ndisallow: /a$b\n", "hds", "/a$b", False),
    ("user-agent: *\ndisallow: *.pdf\n", "hds", "/x/y.pdf?z", False),
    ("user-agent: *\ndisallow: /**/x\n", "hds", "/a/x", False),
    ("user-agent: *\ndisallow: /$\n", "hds", "/", False),
    ("user-agent: *\ndisallow: /$\n", "hds", "/a", True),
    # index files, line ends, byte order marks, typos
    ("user-agent: *\nallow: /a/index.html\ndisallow: /\n", "hds", "/a/", True),
    ("user-agent: *\nallow: /a/index.html\ndisallow: /\n", "hds", "/a/index.htm", False),
    ("user-agent: *\nallow: /a/index.htm\ndisallow: /\n", "hds", "/a/index.html", True),
    ("user-agent: *\nallow: /a/index.htm\ndisallow: /\n", "hds", "/a/b", False),
    ("user-agent: *\r\ndisallow: /x\r\nallow: /x/y", "hds", "/x/y", True),
    ("user-agent: *\rdisallow: /x\rallow: /x/y", "hds", "/x/z", False),
    ("\ufeffuser-agent: *\ndisallow: /x\n", "hds", "/x", False),
    ("useragent: *\ndissallow: /x\n", "hds", "/x", False),
    ("user agent: *\ndiasllow: /x\n", "hds", "/x", False),
    ("user-agent: *\ndisalow: /x\n", "hds", "/x", False),
    ("user-agent: *\ndisallow: /\n", "hds", "/robots.txt", True),
    ("user-agent: *\ndisallow: /x/" + "a" * 16_649 + "/qux\n", "hds", "/x/" + "a" * 16_649 + "/fux", False),
    ("user-agent: *\ndisallow: /x/" + "a" * 16_649 + "/qux\n", "hds", "/fux", True),
    ("user-agent: *\ndisallow: /\nallow: /fish*.php\n", "hds", "/fishheads/catfish.php?parameters", True),
    ("user-agent: *\ndisallow: /\nallow: /fish*.php\n", "hds", "/Fish.PHP", False),
    ("user-agent: *\ndisallow: /\nallow: /*.php$\n", "hds", "/folder/filename.php", True),
    ("user-agent: *\ndisallow: /\nallow: /*.php$\n", "hds", "/filename.php5", False),
    ("user-agent: *\ndisallow: /\nallow: /*.php$\n", "hds", "/filename?php", False),
    ("user-agent: *\ndisallow: /\nallow: /fish*\n", "hds", "/?id=fish", False),
    ("user-agent: *\ndisallow: /\nallow: /fish/\n", "hds", "/fish", False),
    ("user-agent: *\ndisallow: /\nallow: /$\n", "hds", "/page.html", False),
    ("user-agent: *\ndisallow: /" + "x" * 20_000 + "\n", "hds", "/x", True),
]


@pytest.mark.parametrize("case", CASES)
def test_robots_is_read_as_rfc_9309_says(case: tuple[str, str, str, bool]) -> None:
    """F23: groups, longest match, wildcards, octets and the tolerances of the reference parser."""
    text, agent, path, allowed = case
    assert Robots(text, agent).allowed(path) is allowed


def test_no_robots_pattern_is_slow() -> None:
    """Forty wildcards against a long path, and half a megabyte of rules, are read in well under a second."""
    start = time.perf_counter()
    assert Robots("user-agent: *\ndisallow: /" + "*a" * 40 + "$\n").allowed("/" + "a" * 2000 + "b")
    Robots("user-agent: *\n" + "disallow: /x*y\n" * 100_000).allowed("/x" + "z" * 500)
    assert time.perf_counter() - start < 2.0


def test_crawl_delay_is_at_most_ten_seconds_and_a_number() -> None:
    """A delay of a day, or of nan, is not obeyed."""
    assert Robots("user-agent: *\ncrawl-delay: 2.5\n").delay == 2.5
    assert Robots("user-agent: *\ncrawl-delay: 86400\n").delay == 10.0
    assert Robots("user-agent: *\ncrawl-delay: nan\n").delay == 0.0
    assert Robots("user-agent: *\ncrawl-delay: 5\nuser-agent: hds\ndisallow: /x\n").delay == 0.0


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


def test_no_start_is_within_the_gap_and_never_more_than_two_at_once() -> None:
    """F23: 500 turns over five sites, measured where the request starts: no violation."""

    async def work() -> tuple[dict[str, list[float]], int]:
        hosts = Hosts(total=4, gap=0.02)
        starts: dict[str, list[float]] = {}
        now: dict[str, int] = {}
        most = 0

        async def one(host: str) -> None:
            nonlocal most
            async with hosts.turn(host):
                site = domain_of(host)
                starts.setdefault(site, []).append(asyncio.get_running_loop().time())
                now[site] = now.get(site, 0) + 1
                most = max(most, now[site])
                await asyncio.sleep(random.random() * 0.05)
                now[site] -= 1

        await asyncio.gather(*(one(f"h{n % 3}.site{n % 5}.example") for n in range(500)))
        return starts, most

    starts, most = run(work())
    assert sum(map(len, starts.values())) == 500
    assert all(later - earlier >= 0.0199 for times in starts.values() for earlier, later in pairwise(times))
    assert most == 2


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
