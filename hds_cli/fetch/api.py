"""Requests to a source's own API host: JSON or text in, nothing followed, nothing that holds a key in any message."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from typing import Any

from hds_cli import jsons
from hds_cli.config import Settings
from hds_cli.errors import SourceError
from hds_cli.fetch.body import MAX_BYTES, Body, Refused
from hds_cli.fetch.guard import Blocked
from hds_cli.fetch.http import Http, judge
from hds_cli.fetch.politeness import retry_after


class RateLimited(SourceError):
    """The API refuses requests for a while.

    Args:
        seconds: the wait it asks for, at most 30; None when it names none, or a longer one.
        names_wait: True when it names a wait, of whatever length.
    """

    code = "rate_limited"

    def __init__(self, message: str, seconds: float | None, names_wait: bool = False) -> None:
        super().__init__(message, retry_after=seconds)
        self.seconds = seconds
        self.names_wait = names_wait or seconds is not None


class Api:
    """`JsonApi` over a connection pool of its own.

    A host that the user configured (`searxng.url`, `sources.NAME.url`) may be on this machine or network; any other
    must be public or in `fetch.allow`. A redirect is an error: an API key in a header would go along to wherever it
    points.

    Args:
        settings: `fetch.timeout` and `offline` are read.
        http: the pool.
    """

    def __init__(self, settings: Settings, http: Http) -> None:
        self._settings = settings
        self.http = http

    async def get_json(
        self, url: str, params: Mapping[str, str | int] | None = None, headers: Mapping[str, str] | None = None
    ) -> Any:
        """The decoded answer to a GET.

        Raises:
            SourceError: `offline`, `timeout`, `unreachable`, `blocked`, `rate_limited`, `http_<status>`, `bad_answer`.
        """
        return self._json(url, await self._ask(url, params, {"Accept": "application/json", **(headers or {})}))

    async def post_json(self, url: str, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Any:
        """The decoded answer to a POST of `body` as JSON; raises as `get_json` does."""
        sent = {"Accept": "application/json", "Content-Type": "application/json", **(headers or {})}
        return self._json(url, await self._ask(url, None, sent, json.dumps(body).encode()))

    async def get_text(
        self, url: str, params: Mapping[str, str | int] | None = None, headers: Mapping[str, str] | None = None
    ) -> str:
        """The answer to a GET as text, UTF-8 with wrong bytes replaced; raises as `get_json` does."""
        return (await self._ask(url, params, {"Accept": "*/*", **(headers or {})})).decode("utf-8", "replace")

    def note(self, url: str, size: int) -> None:
        """Count a request that a source made by a library of its own, and the bytes that came back."""
        self.http.seen.note(self.http.host(url), requests=1, size=size)

    def _json(self, url: str, data: bytes | bytearray) -> Any:
        try:
            return jsons.loads(data)
        except ValueError:
            error = SourceError(f"{self.http.host(url)} did not answer with JSON", code="bad_answer")
        raise error

    async def _ask(
        self, url: str, params: Mapping[str, str | int] | None, headers: Mapping[str, str], body: bytes | None = None
    ) -> bytes | bytearray:
        host = self.http.host(url)
        if self._settings.offline:
            raise SourceError(f"{host} was not asked: offline", code="offline")
        error: SourceError
        try:
            async with asyncio.timeout(self._settings.fetch_timeout):
                status, fields, data = await self._send(self.http.with_params(url, params), headers, body)
        except (Exception, asyncio.CancelledError) as exc:
            if isinstance(exc, asyncio.CancelledError):
                raise
            error = self._error(host, exc)
        else:
            if status == 200:
                return data
            error = _refused(host, status, fields)
        raise error from None  # the cause names the URL, and the URL may hold a key

    async def _send(
        self, url: str, headers: Mapping[str, str], content: bytes | None
    ) -> tuple[int, Mapping[str, str], bytes | bytearray]:
        async with self.http.send(url, headers, self._settings.fetch_timeout, content) as response:
            if response.status_code != 200:
                return response.status_code, response.headers, b""
            body = Body(response.headers.get("content-encoding"), MAX_BYTES)
            try:
                async for chunk in response.aiter_raw():
                    body.feed(chunk)
                return 200, response.headers, body.done()
            finally:
                self.http.count(url, body.wire)

    def _error(self, host: str, exc: Exception) -> SourceError:
        if isinstance(exc, Refused):
            return SourceError(f"{host}: unusable answer ({exc.reason})", code="bad_answer")
        if isinstance(exc, Blocked) and exc.reason != "dns":
            return SourceError(f"{host} may not be reached ({exc.reason})", code="blocked")
        reason = judge(exc)[1]
        if reason == "timeout":
            return SourceError(f"{host} did not answer in {self._settings.fetch_timeout:g} s", code="timeout")
        if reason in ("truncated", "protocol"):
            return SourceError(f"{host}: broken answer ({reason})", code="bad_answer")
        return SourceError(f"{host} cannot be reached ({reason})", code="unreachable")


def _reset(fields: Mapping[str, str]) -> str:
    """Seconds until a refused request may come again by `X-RateLimit-Reset`, or nothing.

    Both headers hold one number a window (Brave: this second, this month): the longest window that is used up counts.
    A point in time (seconds since 1970, as other services send it) is not taken for a wait.
    """
    resets, left = (
        [int(part) if re.fullmatch("[0-9]{1,9}", part.strip()) else None for part in fields.get(name, "").split(",")]
        for name in ("x-ratelimit-reset", "x-ratelimit-remaining")
    )
    waits = [reset for reset, remaining in zip(resets, left, strict=False) if reset is not None and remaining == 0]
    known = waits or [reset for reset in resets if reset is not None][:1]
    return str(max(known)) if known and max(known) < 10_000_000 else ""


def _refused(host: str, status: int, fields: Mapping[str, str]) -> SourceError:
    if status == 429:
        header = (fields.get("retry-after") or _reset(fields)).strip()
        seconds = retry_after(header)
        is_number = re.fullmatch("[0-9]{1,7}", header) is not None
        wait = f"{seconds:.0f} s" if seconds is not None else f"{header} s" if is_number else "long"
        message = f"{host} is asked too often" + (f", asks to wait {wait}" if header else "")
        limited = RateLimited(message, seconds, names_wait=bool(header))
        limited.retry_after = float(header) if is_number else seconds
        return limited
    if 300 <= status < 400:
        return SourceError(f"{host} answered with a redirect ({status}), which is not followed", code=f"http_{status}")
    later = retry_after(fields.get("retry-after")) if status == 503 else None
    return SourceError(f"{host} answered {status}", code=f"http_{status}", retry_after=later)
