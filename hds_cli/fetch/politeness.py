"""Politeness: the pace of requests to a registrable domain, Retry-After, and robots.txt, read once a host."""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from hds_cli.fetch.guard import Blocked, parse_address
from hds_cli.fetch.robots import Robots
from hds_cli.fetch.robots_file import RobotsFile

MAX_WAIT = 30.0
PER_DOMAIN = 2
# Second-level labels under which country registries sell names. The public suffix list would be exact; this errs only
# towards counting several sites as one, which is slower and never ruder.
_SECOND = frozenset("ac co com edu go gob gov govt gv id info ltd me mil ne net nhs nom or org plc sch web".split())


def domain_of(host: str) -> str:
    """The registrable domain of a host, near enough: `www.bbc.co.uk` -> `bbc.co.uk`; an address is itself."""
    host = host.lower().rstrip(".")
    labels = host.split(".")
    if parse_address(host.strip("[]")) is not None or len(labels) < 3:
        return host
    keep = 3 if len(labels[-1]) == 2 and labels[-2] in _SECOND else 2
    return ".".join(labels[-keep:])


def retry_after(value: str | None, now: datetime | None = None) -> float | None:
    """Seconds to wait by a Retry-After header: ASCII digits 0 to 30, or a date within 30 s; None: do not wait for it.

    `nan`, `inf`, `1e9`, the year 2099 and Arabic digits all pass float() or date parsing (RFC 9110 10.2.3 allows none).
    """
    text = (value or "").strip()
    if re.fullmatch(r"[0-9]{1,9}", text):
        return float(text) if float(text) <= MAX_WAIT else None
    if not text.isascii() or not text[:1].isalpha():
        return None
    try:
        when = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    try:
        seconds = (when - (now or datetime.now(UTC))).total_seconds()
    except OverflowError:
        return None
    return max(0.0, seconds) if seconds <= MAX_WAIT else None


def backoff(attempt: int) -> float:
    """Seconds before try `attempt` + 1: full jitter over a doubling range."""
    return random.uniform(0.1, 0.3) * float(2**attempt)


@dataclass
class _Domain:
    slots: asyncio.Semaphore
    start: asyncio.Lock
    next: float = 0.0
    delay: float = 0.0


@dataclass
class Hosts:
    """The turns of all hosts.

    At most two requests at once and half a second between their starts for a registrable domain, more when its
    robots.txt asks for it. Hosts that the user allowed explicitly (`fetch.allow`: test webs, intranets) are exempt from
    both: their owner is the user.

    Args:
        total: requests at once over all hosts.
        gap: seconds between two requests to one domain.
    """

    total: int = 64
    gap: float = 0.5
    _domains: dict[str, _Domain] = field(default_factory=dict)
    _all: asyncio.Semaphore | None = None

    def slow_down(self, host: str, seconds: float) -> None:
        """A Crawl-delay for this host's domain."""
        domain = self._domain(host)
        domain.delay = max(domain.delay, seconds)

    @asynccontextmanager
    async def turn(self, host: str, *, exempt: bool = False) -> AsyncIterator[None]:
        """Wait for this host's turn and hold a place while the request runs."""
        if self._all is None:
            self._all = asyncio.Semaphore(self.total)
        if exempt:
            async with self._all:
                yield
            return
        domain = self._domain(host)
        # First the domain, then the total: a crowded site must not hold places that others could use.
        async with domain.slots:
            async with domain.start:
                loop = asyncio.get_running_loop()
                if (early := domain.next - loop.time()) > 0:
                    await asyncio.sleep(early + 0.001)  # the loop's clock wakes sleepers a little early
                await self._all.acquire()
                # Counted from the real start: a late request pushes those that follow.
                domain.next = loop.time() + max(self.gap, domain.delay)
            try:
                yield
            finally:
                self._all.release()

    def _domain(self, host: str) -> _Domain:
        name = domain_of(host)
        if name not in self._domains:
            self._domains[name] = _Domain(asyncio.Semaphore(PER_DOMAIN), asyncio.Lock())
        return self._domains[name]


Read = Callable[[str], Awaitable[tuple[int, bytes]]]


class RobotsRules:
    """The robots.txt of every host asked so far, each fetched once, also when many pages wait for it.

    Args:
        read: fetches a URL with its redirects: status and body. Its errors are the page's errors.
        kept: what earlier runs were told.
    """

    def __init__(self, read: Read, kept: RobotsFile | None = None) -> None:
        self._read = read
        self._kept = kept
        self._known: dict[str, asyncio.Task[Robots | None]] = {}

    async def check(self, origin: str, path: str) -> float:
        """The host's Crawl-delay in seconds.

        Raises:
            Blocked: reason `robots` (not allowed) or `robots_unavailable` (RFC 9309 2.3.1.4: a server error disallows).
        """
        if origin not in self._known:
            self._known[origin] = asyncio.create_task(self._load(origin))
        task = self._known[origin]
        try:
            rules = await asyncio.shield(task)
        except Exception:
            self._known.pop(origin, None)  # the next page of this host tries again
            raise
        if rules is None:
            raise Blocked("robots_unavailable", origin)
        if not rules.allowed(path):
            raise Blocked("robots", path)
        return rules.delay

    async def _load(self, origin: str) -> Robots | None:
        text = self._kept.get(origin) if self._kept else None
        if text is None:
            status, body = await self._read(origin + "/robots.txt")
            if status == 429 or status >= 500:
                return None
            text = body.decode("utf-8", "replace") if 200 <= status < 300 else ""
            if self._kept:
                self._kept.put(origin, text)
        return Robots(text)

    def close(self) -> None:
        for task in self._known.values():
            task.cancel()
        if self._kept:
            self._kept.save()
