"""One guarded connection pool for pages and for APIs. The only file that imports httpx.

httpx's transport is used without its client: no redirect is followed by itself (it would read the redirect's body
without a bound), no cookie, proxy variable or .netrc is picked up, and no URL with a key is logged.
"""

from __future__ import annotations

import functools
import os
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import hds_cli
from hds_cli.egress import Tally
from hds_cli.errors import ConfigError
from hds_cli.fetch import guard
from hds_cli.fetch.body import Refused
from hds_cli.fetch.guard import Blocked, GuardBackend, Policy
from hds_cli.types import PageStatus

if TYPE_CHECKING:
    import ssl

    import httpx

MAX_HEADERS = 200
MAX_LANES = 64
SKIPPED = frozenset({"not_text", "empty", "challenge", "needs_browser", "consent", "sign_in"})
_BLOCKED_BUT_FAILED = frozenset({"dns", "bad_url"})


def user_agent(contact: str | None) -> str:
    """An honest name, never a browser's, with the address of whoever runs it if they set one."""
    return f"hds/{hds_cli.__version__} (+{contact})" if contact else f"hds/{hds_cli.__version__}"


class Http:
    """One connection pool behind one policy: single requests, nothing followed, nothing kept between them.

    Args:
        policy: what may be dialled.
        agent: the User-Agent.
        lookup: name resolution; a test passes its own.
        transport: an `httpx.AsyncBaseTransport` instead of the network; for tests.
        proxy: where to connect instead; then the proxy decides what is reached.
        network: the httpcore network backend behind the guard; a test passes one that records.
        ca_file: further certificates to trust, a PEM file; `SSL_CERT_FILE` and `SSL_CERT_DIR` stand for all others.
    """

    def __init__(
        self,
        policy: Policy,
        agent: str,
        lookup: guard.Resolve = guard.resolve,
        transport: httpx.AsyncBaseTransport | None = None,
        proxy: str | None = None,
        network: Any = None,
        ca_file: str | None = None,
    ) -> None:
        self.policy = policy
        self._ca_file = ca_file
        self._agent = agent
        self._lookup = lookup
        self._given = transport
        self._proxy = proxy
        self._network = network
        named = ca_file or os.environ.get("SSL_CERT_FILE") or os.environ.get("SSL_CERT_DIR")
        # The user's own settings are checked now, so that a mistake in them is an error and not a page's failure.
        self._tls: ssl.SSLContext | None = _trust(ca_file) if named and not policy.offline else None
        self._lanes: list[httpx.AsyncBaseTransport] = []
        self._idle: dict[tuple[str, str, int | None], list[httpx.AsyncBaseTransport]] = {}
        self.seen = Tally()

    @contextmanager
    def _lane(self, origin: tuple[str, str, int | None]) -> Iterator[tuple[httpx.AsyncBaseTransport, bool]]:
        """A transport for one request at a time, the one that last spoke with this origin if it is free; True for it.

        One connection each: httpcore looks at every connection of a pool, with two system calls, for every request
        that starts or ends; in one pool of 64 that was four fifths of all the time of fetching.
        """
        own = self._idle.setdefault(origin, [])
        other = next((lanes for lanes in self._idle.values() if lanes), None)
        spoke = bool(own)
        if own:
            lane = own.pop()
        elif other is not None and len(self._lanes) >= MAX_LANES:
            lane = other.pop(0)
        else:
            lane = self._given or self._guarded()
            self._lanes.append(lane)
        try:
            yield lane, spoke
        finally:
            own.append(lane)

    def _guarded(self) -> httpx.AsyncBaseTransport:
        import httpx

        _quiet()
        if self._tls is None:
            self._tls = _trust(self._ca_file)
        limits = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=15)
        transport = httpx.AsyncHTTPTransport(verify=self._tls, trust_env=False, limits=limits, proxy=self._proxy)
        # httpx has no public way to give a network backend; a test pins the attribute, and httpx is held below 0.29.
        pool: Any = transport._pool
        if self._proxy is None:
            pool._network_backend = GuardBackend(self.policy, self._network or pool._network_backend, self._lookup)
        return transport

    @asynccontextmanager
    async def send(
        self, url: str, headers: Mapping[str, str], seconds: float, body: bytes | None = None
    ) -> AsyncIterator[httpx.Response]:
        """The response, its body unread; the URL is checked and the request counted. With a `body` it is a POST.

        A GET goes out again where the server was just closing the connection that was kept (RFC 9110 9.2.2).

        Raises:
            Blocked: the guard refuses it. httpx's errors: it did not work.
        """
        import httpx

        parsed = _parsed(self.checked(url))
        times = {"connect": seconds, "read": seconds, "write": seconds, "pool": seconds}
        fields = {"User-Agent": self._agent, "Accept-Encoding": "gzip, deflate", **headers}
        try:
            method = "GET" if body is None else "POST"
            request = httpx.Request(method, parsed, headers=fields, content=body, extensions={"timeout": times})
        except (UnicodeError, ValueError) as exc:
            raise Blocked("bad_url") from exc
        self.seen.note(parsed.host, requests=1)
        with self._lane((parsed.scheme, parsed.host, parsed.port)) as (lane, spoke):
            try:
                response = await lane.handle_async_request(request)
            except Exception as exc:
                if not spoke or body is not None or judge(exc)[1] not in ("reset", "protocol"):
                    raise
                self.seen.note(parsed.host, requests=1)
                response = await lane.handle_async_request(request)
            try:
                if len(response.headers.raw) > MAX_HEADERS:
                    raise Refused("too_many_headers")
                yield response
            finally:
                await response.aclose()

    def count(self, url: str, wire: int) -> None:
        """Add bytes that came back."""
        self.seen.note(_parsed(url).host, size=wire)

    def checked(self, url: str) -> str:
        """The URL as it will be requested, its host in ASCII.

        Raises:
            Blocked: the policy refuses it before any look-up.
        """
        parsed = _parsed(guard.tidy_url(url))
        self.policy.check_url(parsed.scheme, parsed.host, parsed.port, bool(parsed.userinfo))
        return str(parsed)

    def check_name(self, url: str) -> None:
        """Refuse what an address alone shows, online or not; httpx is not loaded for it.

        Raises:
            Blocked: the policy refuses the address.
        """
        try:
            parts = urlsplit(url)
            self.policy.check_name(parts.scheme, parts.hostname or "", parts.port, "@" in parts.netloc)
        except ValueError as exc:
            raise Blocked("bad_url") from exc

    def excepted(self, url: str) -> bool:
        """True when the user allowed this URL's host explicitly."""
        parsed = _parsed(url)
        return self.policy.excepted(parsed.host, parsed.port or (443 if parsed.scheme == "https" else 80))

    def host(self, url: str) -> str:
        return _parsed(url).host

    def joined(self, url: str, location: str) -> str:
        """The address that a Location header at `url` leads to."""
        import httpx

        try:
            return guard.tidy_url(str(_parsed(url).join(location)))
        except (httpx.InvalidURL, UnicodeError, ValueError) as exc:
            raise Blocked("bad_url") from exc

    def with_params(self, url: str, params: Mapping[str, str | int] | None) -> str:
        """`url` with query parameters added."""
        return str(_parsed(url).copy_merge_params(params)) if params else url

    async def close(self) -> None:
        lanes, self._lanes, self._idle = self._lanes, [], {}
        for lane in lanes:
            await lane.aclose()


@functools.lru_cache(4096)
def _parsed(url: str) -> httpx.URL:
    import httpx

    try:
        return httpx.URL(url)
    except (httpx.InvalidURL, UnicodeError, ValueError) as exc:
        raise Blocked("bad_url") from exc


def _trust(ca_file: str | None) -> ssl.SSLContext:
    """The trusted certificates that servers are checked against.

    Raises:
        ConfigError: a file of certificates that was named cannot be used.
    """
    import httpx

    name = next((n for n in ("SSL_CERT_FILE", "SSL_CERT_DIR") if os.environ.get(n)), "")
    try:
        context = httpx.create_ssl_context(trust_env=True)
        if ca_file:
            name = "fetch.ca_file"
            context.load_verify_locations(cafile=str(Path(ca_file).expanduser()))
    except OSError as exc:  # ssl.SSLError is one
        named = ca_file if name == "fetch.ca_file" else os.environ.get(name)
        raise ConfigError(
            f"{name}: {named} holds no certificates that can be read", hint="a file in PEM format"
        ) from exc
    return context


def _quiet() -> None:
    """httpx logs every URL at INFO, with whatever key is in it."""
    import logging

    for name in ("httpx", "httpcore"):
        if logging.getLogger(name).level == logging.NOTSET:
            logging.getLogger(name).setLevel(logging.WARNING)


def judge(exc: Exception) -> tuple[PageStatus, str]:
    """Status and reason of a page that ended with this exception."""
    import httpx

    if isinstance(exc, Blocked):
        return ("failed" if exc.reason in _BLOCKED_BUT_FAILED else "blocked"), exc.reason
    if isinstance(exc, Refused):
        return ("skipped" if exc.reason in SKIPPED else "failed"), exc.reason
    if isinstance(exc, TimeoutError | httpx.TimeoutException):
        return "failed", "timeout"
    if isinstance(exc, httpx.ConnectError):
        return "failed", "tls" if "SSL" in str(exc) or "certificate" in str(exc).lower() else "connect"
    if isinstance(exc, httpx.RemoteProtocolError):
        return "failed", "truncated" if "complete message body" in str(exc) else "protocol"
    if isinstance(exc, httpx.NetworkError):
        return "failed", "reset"
    if isinstance(exc, httpx.InvalidURL | httpx.UnsupportedProtocol | UnicodeError):
        return "failed", "bad_url"
    return "failed", "error"
