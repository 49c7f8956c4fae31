"""The second tier: a page that says that it needs a browser is read by one, each of whose requests passes the guard.

A browser is an entry point of `hds.browsers.v1`, and used only where the setting `fetch.browser` names it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from hds_cli import plugins
from hds_cli.config import Settings
from hds_cli.fetch.body import Body, Refused
from hds_cli.fetch.guard import Blocked
from hds_cli.fetch.http import Http

GROUP = "hds.browsers.v1"
MOST_REQUESTS = 100  # of one page
AT_ONCE = 6
TIMES = 4  # as many bytes as a page may have, all of its requests may have together
_MOST_POSTED = 64 << 10
_NOT_SENT = frozenset({"host", "connection", "content-length", "accept-encoding", "user-agent", "cookie", "te"})
_NOT_TOLD = frozenset({"content-encoding", "content-length", "transfer-encoding", "connection", "set-cookie"})


@dataclass(frozen=True)
class Asked:
    """A request that a page made."""

    url: str
    method: str
    headers: Mapping[str, str]
    body: bytes | None = None


@dataclass(frozen=True)
class Told:
    """The answer to a request, its body decoded."""

    status: int
    headers: Sequence[tuple[str, str]]
    body: bytes


Get = Callable[[Asked], Awaitable[Told | None]]


class Browser(Protocol):
    """What an entry point of `hds.browsers.v1` makes, called without arguments; it starts nothing before a page."""

    async def html(self, url: str, get: Get, seconds: float) -> str:
        """The document of a page when its scripts have run.

        Args:
            get: makes a request of the page; None: it was refused. The browser makes none itself.
            seconds: after which what is there is taken.
        """
        return ""

    async def close(self) -> None:
        """End its processes."""


class Rendered:
    """Reads pages by a browser, within the limits of fetching.

    Args:
        settings: `fetch.browser` names the browser; `fetch.timeout` and `fetch.max_bytes` are read.
        http: the guarded connection pool.

    Raises:
        PluginError, ConfigError: the browser is not there.
    """

    def __init__(self, settings: Settings, http: Http) -> None:
        self._http = http
        self._seconds, self._most = settings.fetch_timeout, settings.fetch_max_bytes
        self._browser: Browser = plugins.make(GROUP, settings.fetch_browser or "", needs=("html", "close"))

    async def html(self, url: str) -> bytes:
        """The document of a page as UTF-8.

        Raises:
            Refused: it is too big. Exception: whatever the browser fails with.
        """
        requests = _Requests(self._http, self._seconds, self._most)
        body = (await self._browser.html(url, requests.get, self._seconds)).encode("utf-8", "replace")
        if len(body) > self._most:
            raise Refused("too_big")
        return body

    async def close(self) -> None:
        await self._browser.close()


class _Requests:
    """Makes the requests of one page through the guard, as many and as large as one page may have.

    Args:
        most: bytes of one answer; all together may have `TIMES` as many.
    """

    def __init__(self, http: Http, seconds: float, most: int) -> None:
        self._http, self._seconds, self._most = http, seconds, most
        self._room, self._left = TIMES * most, MOST_REQUESTS
        self._few = asyncio.Semaphore(AT_ONCE)

    async def get(self, asked: Asked) -> Told | None:
        """The answer to a request; None where the guard, or a limit, is against it, or nothing came."""
        self._left -= 1
        if self._left < 0 or asked.method not in ("GET", "POST") or len(asked.body or b"") > _MOST_POSTED:
            return None
        headers = {name: value for name, value in asked.headers.items() if name.lower() not in _NOT_SENT}
        posted = None if asked.method == "GET" else asked.body or b""
        try:
            async with self._few:
                return await self._made(asked.url, headers, posted)
        except Exception:  # the boundary: whatever a server does, this request has no answer
            return None

    async def _made(self, url: str, headers: Mapping[str, str], posted: bytes | None) -> Told:
        if not url.startswith(("http://", "https://")):
            raise Blocked("scheme")
        async with self._http.send(url, headers, self._seconds, posted) as response:
            body = Body(response.headers.get("content-encoding"), max(1, min(self._most, self._room)))
            async for chunk in response.aiter_raw():
                body.feed(chunk)
            self._http.count(url, body.wire)
            done = bytes(body.done())
            self._room -= len(done)
            fields = [(name, value) for name, value in response.headers.items() if name.lower() not in _NOT_TOLD]
            return Told(response.status_code, fields, done)
