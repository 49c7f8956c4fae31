"""One page's way through the web: turns, redirects by hand, retries, limits, one deadline over all of it."""

from __future__ import annotations

import asyncio
import dataclasses
import re
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from hds_cli.config import Settings
from hds_cli.fetch.body import Body, Refused
from hds_cli.fetch.cookies import MAX_COOKIES, Jar, from_file
from hds_cli.fetch.guard import Blocked
from hds_cli.fetch.http import Http, judge
from hds_cli.fetch.kinds import LARGE, kind_of, one_type
from hds_cli.fetch.politeness import Hosts, RobotsRules, backoff, retry_after
from hds_cli.fetch.refresh import START, leads_to
from hds_cli.fetch.robots import LIMIT as ROBOTS_LIMIT
from hds_cli.fetch.robots import path_of
from hds_cli.fetch.robots_file import NAME as ROBOTS_FILE
from hds_cli.fetch.robots_file import RobotsFile
from hds_cli.fetch.room import FREE, Room

if TYPE_CHECKING:
    import httpx

MAX_REDIRECTS = 5
PDF_FACTOR = 4  # papers are larger than pages
_ACCEPT = "text/html,application/xhtml+xml,application/pdf;q=0.9,text/plain;q=0.8,*/*;q=0.5"
_WHOLE = frozenset({200, 201, 202, 203, 226})  # RFC 9110 15.3, RFC 3229: the body is a representation of the page
_AGAIN = frozenset({429, 500, 502, 503, 504})
_TRANSIENT = frozenset({"reset", "connect", "protocol", "truncated"})


@dataclasses.dataclass
class Answer:
    """The end of one request; `body` is None when it was not read. `held`: bytes of the room that it takes."""

    url: str
    status: int
    headers: dict[str, str]
    body: Body | None = None
    kind: str | None = None
    held: int = 0
    cookies: tuple[str, ...] = ()

    @property
    def location(self) -> str | None:
        return self.headers.get("location") if self.status in (301, 302, 303, 307, 308) else None

    @property
    def is_whole(self) -> bool:
        """True when the body is a page and all of it; 206 is when its range is."""
        if self.status == 206:
            match = re.fullmatch(r"bytes 0-(\d{1,15})/(\d{1,15})", self.headers.get("content-range", "").strip())
            return match is not None and int(match[1]) + 1 == int(match[2])
        return self.status in _WHOLE


class Journey:
    """Gets pages for a fetcher.

    Args:
        settings: `fetch.*` is read.
        http: the guarded connection pool.
        room: how much of all bodies may be in memory; whoever gets an answer gives back what it holds.
    """

    def __init__(self, settings: Settings, http: Http, room: Room) -> None:
        self._settings = settings
        self._http = http
        self._room = room
        self._hosts = Hosts(settings.fetch_parallel, settings.fetch_delay)
        self._cookies = from_file(Path(settings.fetch_cookies).expanduser()) if settings.fetch_cookies else ()
        self._robots = RobotsRules(self._read_robots, RobotsFile(settings.pages_dir / ROBOTS_FILE))

    def close(self) -> None:
        self._robots.close()

    async def get(self, url: str, typed: bool, validators: Mapping[str, str]) -> Answer:
        """The answer worth having: retried when that may help, redirects followed by hand."""
        clock = _Clock(self._settings.fetch_timeout)
        headers = {"Accept": _ACCEPT, "Accept-Language": "en,*;q=0.5"} | dict(validators)
        attempt = 0
        while True:
            try:
                answer = await self._follow(url, typed, headers, clock)
            except Exception as exc:
                wait = backoff(attempt)
                if attempt >= 2 or judge(exc)[1] not in _TRANSIENT or wait > clock.left:
                    raise
            else:
                if answer.status not in _AGAIN or attempt >= (1 if answer.status in (429, 503) else 2):
                    return self._usable(answer)
                asked_wait = retry_after(answer.headers.get("retry-after")) if "retry-after" in answer.headers else 0.0
                wait = backoff(attempt) + (asked_wait or 0.0)
                if asked_wait is None or wait > clock.left:
                    return self._usable(answer)
            attempt += 1
            async with clock.running():
                await asyncio.sleep(wait)

    def _usable(self, answer: Answer) -> Answer:
        if answer.status == 304 or answer.body is not None:
            return answer
        raise Refused(f"http_{answer.status}")

    async def _follow(self, url: str, typed: bool, headers: Mapping[str, str], clock: _Clock) -> Answer:
        start = url
        jar = Jar(self._cookies)
        for hop in range(MAX_REDIRECTS + 1):
            async with clock.running():
                await self._permitted(url, start, typed, hop)
            host = urlsplit(url).hostname or ""
            async with self._hosts.turn(host, exempt=self._http.excepted(url)), clock.running():
                answer = await self._hop(url, {**headers, **jar.header(url)}, clock)
            led = self._led_on(answer)
            if led is None:
                return answer
            self._room.give(answer.held)
            jar.take(url, answer.cookies)
            url = led
        raise Refused("too_many_redirects")

    def _led_on(self, answer: Answer) -> str | None:
        """The target of a redirect: the Location, or that of a meta refresh; None: the response is a page."""
        if answer.location is not None:
            return self._http.joined(answer.url, answer.location)
        if answer.kind != "html" or answer.body is None or (lead := leads_to(answer.body.peek(START))) is None:
            return None
        target, base = lead
        led = self._http.joined(self._http.joined(answer.url, base) if base else answer.url, target)
        here = answer.url.partition("#")[0]
        return None if led.partition("#")[0] == here or not led.startswith(("http://", "https://")) else led

    async def _permitted(self, url: str, start: str, typed: bool, hop: int) -> None:
        """Refuse what robots.txt forbids, and a redirect from elsewhere to a host that only `fetch.allow` opens.

        A typed URL is exempt from robots.txt with its redirects, as a browser's would be; but where a redirect leads to
        another folder of a host that is not public, the user did not type that.
        """
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
        before = urlsplit(start)
        inside = self._http.excepted(url)
        if hop and inside and not self._http.excepted(start):
            raise Blocked("private_address", "a redirect to an address that is not public")
        led = bool(hop) and inside and _folder(parts.path) != _folder(before.path)
        if self._settings.fetch_ignore_robots or (typed and not led):
            return
        delay = await self._robots.check(origin, path_of(url))
        if delay and not inside:
            self._hosts.slow_down(parts.hostname or "", delay)

    async def _hop(self, url: str, headers: Mapping[str, str], clock: _Clock) -> Answer:
        async with self._http.send(url, headers, clock.left) as response:
            fields = {**response.headers, "content-type": one_type(response.headers.get_list("content-type"))}
            answer = Answer(url, response.status_code, fields)
            answer.cookies = tuple(response.headers.get_list("set-cookie")[:MAX_COOKIES])
            if answer.is_whole:  # the body of a redirect or an error is never read
                try:
                    await self._read(response, answer, clock)
                except BaseException:
                    self._room.give(answer.held)
                    raise
            return answer

    async def _read(self, response: httpx.Response, answer: Answer, clock: _Clock) -> None:
        """Read the body of an answer; from where it may be large on, it waits for its turn."""
        body = answer.body = Body(answer.headers.get("content-encoding"), self._settings.fetch_max_bytes)
        try:
            async for chunk in response.aiter_raw():
                first = answer.kind is None
                body.feed(chunk)
                if first and len(body):
                    answer.kind = kind_of(
                        answer.headers["content-type"],
                        body.start,
                        answer.url,
                        answer.headers.get("content-disposition"),
                    )
                    if answer.kind is None:
                        raise Refused("not_text")
                    if answer.kind in LARGE:
                        body.limit *= PDF_FACTOR
                if len(body) > FREE and not answer.held:
                    body.limit = min(body.limit, _declared(answer.headers) or body.limit)
                    async with clock.paused():
                        answer.held = await self._room.take(body.limit)
            body.done()
        finally:
            self._http.count(answer.url, body.wire)
        if not len(body):
            raise Refused("empty")

    async def _read_robots(self, url: str) -> tuple[int, bytes]:
        clock = _Clock(min(5.0, self._settings.fetch_timeout))
        for _ in range(MAX_REDIRECTS + 1):
            async with clock.running(), self._http.send(url, {}, clock.left) as response:
                answer = Answer(url, response.status_code, dict(response.headers))
                if answer.location is None:
                    return answer.status, await self._robots_body(url, response)
            url = self._http.joined(url, answer.location)
        return 404, b""  # RFC 9309 2.3.1.2: more than five redirects count as unavailable

    async def _robots_body(self, url: str, response: httpx.Response) -> bytes:
        if response.status_code != 200:
            return b""
        body = Body(response.headers.get("content-encoding"), 4 * ROBOTS_LIMIT)
        try:
            async for chunk in response.aiter_raw():
                body.feed(chunk)
                if len(body) >= ROBOTS_LIMIT:
                    break
        finally:
            self._http.count(url, body.wire)
        return body.peek(ROBOTS_LIMIT)


def _folder(path: str) -> str:
    return path.rpartition("/")[0]


def _declared(headers: Mapping[str, str]) -> int | None:
    """The length of a body without encoding, as its server declares it."""
    length = headers.get("content-length", "")
    encoded = headers.get("content-encoding", "identity").strip().lower() not in ("", "identity")
    return int(length) if re.fullmatch(r"[0-9]{1,12}", length) and not encoded else None


class _Clock:
    """Seconds left for one URL, counted only inside `running`: not while it waits for its turn."""

    def __init__(self, seconds: float) -> None:
        self.left = seconds
        self._since = 0.0
        self._alarm: asyncio.Timeout | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """A context in which time counts; it ends with a `TimeoutError` when no time is left."""
        async with asyncio.timeout(self.left) as self._alarm:
            self._since = time.monotonic()
            try:
                yield
            finally:
                self._stop()

    @asynccontextmanager
    async def paused(self) -> AsyncIterator[None]:
        """Inside `running`: time does not count."""
        assert self._alarm is not None
        self._stop()
        self._alarm.reschedule(None)
        yield
        self._since = time.monotonic()
        self._alarm.reschedule(asyncio.get_running_loop().time() + self.left)

    def _stop(self) -> None:
        now = time.monotonic()
        self.left, self._since = max(0.0, self.left - (now - self._since)), now
