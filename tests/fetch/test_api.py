"""Search APIs: errors with codes, no redirect, and no key in anything that is printed (figure F25)."""

from __future__ import annotations

import base64
import logging
import os
import socket
import struct
import subprocess
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from hds_cli.config import Settings
from hds_cli.errors import SourceError
from hds_cli.fetch.api import RateLimited
from hds_cli.fetch.client import Fetcher
from tests.fetch.conftest import run
from tests.fetch.web import Request, Web, answer

Make = Callable[..., Settings]
KEYS = [f"sk-CANARY-{n}/+=\u00e9"[: 18 + n % 3] + "x" * n for n in range(12)]


def ask(settings: Settings, url: str, **more: Any) -> Any:
    async def work() -> Any:
        async with Fetcher(settings) as fetcher:
            return await fetcher.api.get_json(url, **more)

    return run(work())


def served(server: Web, reply: Any) -> str:
    server.routes["/api"] = reply
    return server.url + "/api"


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (answer(b"no", "403 Forbidden"), "http_403"),
        (answer(b"no", "500 No"), "http_500"),
        (answer(b"", "302 Found", "text/html", "Location: http://127.0.0.1:9/"), "http_302"),
        (answer(b"<html>"), "bad_answer"),
        (answer(b"[" * 100_000, "200 OK", "application/json"), "bad_answer"),
        (answer(b'{"a": 1}' + b" " * (6 << 20), "200 OK", "application/json"), "bad_answer"),
        (answer(b"x", "200 OK", "application/json", "Content-Encoding: br"), "bad_answer"),
        (answer(b"", "429 No"), "rate_limited"),
        (lambda request: request.connection.close(), "bad_answer"),
    ],
)
def test_each_failure_has_its_code(reply: Any, code: str, server: Web, settings: Make) -> None:
    """A source's failure is named, whatever the host does."""
    with pytest.raises(SourceError) as caught:
        ask(settings(searxng_url=server.url), served(server, reply))
    assert caught.value.error_code == code


def test_a_connection_that_the_server_just_closed_costs_nothing(server: Web, settings: Make) -> None:
    """A GET is asked again, once, over a new one; a POST is not, it may have been counted, nor what a new one resets."""
    good = answer(b'{"a": 1}', "200 OK", "application/json")
    replies = [None, good]

    def reply(request: Request) -> None:
        data = replies.pop(0)
        if data:
            request.send(data)
        else:
            request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            request.connection.shutdown(socket.SHUT_RD)

    url = served(server, reply)
    server.routes["/kept"] = good

    async def asked(*, kept: bool = True, post: bool = False) -> Any:
        async with Fetcher(settings(searxng_url=server.url)) as fetcher:
            if kept:
                await fetcher.api.get_json(f"{server.url}/kept")
            return await (fetcher.api.post_json(url, {}) if post else fetcher.api.get_json(url))

    assert run(asked()) == {"a": 1}
    for how in ({"kept": True, "post": True}, {"kept": False}):
        replies[:] = [None, good]
        with pytest.raises(SourceError):
            run(asked(**how))
        assert len(replies) == 1


def test_an_answer_is_decoded_and_parameters_are_added(server: Web, settings: Make) -> None:
    """Parameters join those of the address; a header of the source is sent."""
    url = served(server, answer(b'{"results": [1]}', "200 OK", "application/json"))
    got = ask(settings(searxng_url=server.url), url + "?a=b", params={"q": "x y&z", "n": 3}, headers={"X-K": "v"})
    assert got == {"results": [1]}
    assert server.seen[0][0] == "/api?a=b&q=x+y%26z&n=3" or server.seen[0][0] == "/api?a=b&q=x%20y%26z&n=3"
    assert server.seen[0][1]["x-k"] == "v"


def test_a_host_that_does_not_answer_or_exist_is_said_so(server: Web, settings: Make) -> None:
    """`timeout` and `unreachable`."""
    slow = served(server, lambda request: server.closed.wait(3))
    for url, code in ((slow, "timeout"), ("http://127.0.0.1:1/", "unreachable")):
        with pytest.raises(SourceError) as caught:
            ask(settings(searxng_url=url, fetch_timeout=0.3), url)
        assert caught.value.error_code == code


def test_retry_after_is_told(server: Web, settings: Make) -> None:
    """A rate limit carries its seconds when it is one we would wait."""
    with pytest.raises(RateLimited) as caught:
        ask(settings(searxng_url=server.url), served(server, answer(b"", "429 No", "text/html", "Retry-After: 12")))
    assert caught.value.seconds == 12.0
    assert "12 s" in caught.value.message


def test_only_the_configured_host_may_be_private(server: Web, settings: Make) -> None:
    """The exception is for that source's own host, not for others and not for pages."""
    url = served(server, answer(b"{}", "200 OK", "application/json"))
    with pytest.raises(SourceError) as caught:
        ask(settings(), url)
    assert caught.value.error_code == "blocked"
    made = settings(searxng_url=server.url)
    assert ask(made, url) == {}

    async def work() -> str | None:
        async with Fetcher(made) as fetcher:
            return (await fetcher.fetch(url, typed=True)).status

    assert run(work()) == "blocked"


def forms(key: str) -> set[str]:
    """A secret in the ways it might be written down."""
    data = key.encode()
    return {key, quote(key), quote(key, safe=""), base64.b64encode(data).decode(), data.hex(), repr(key)[1:-1]}


@pytest.mark.parametrize("key", KEYS)
def test_no_key_is_found_in_any_exit(
    key: str, server: Web, settings: Make, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """F25: errors, tracebacks, logs, streams, the receipt, the cache's bytes and a redirect's target hold no key."""
    caplog.set_level(logging.DEBUG)
    elsewhere: list[Any] = []
    server.routes["/other"] = lambda request: elsewhere.append(request.headers)
    ascii_key = key.encode("ascii", "ignore").decode()
    exits: list[str] = []
    replies: list[Any] = [
        answer(b"", "302 Found", "text/html", f"Location: {server.url.replace('127.0.0.1', 'localhost')}/other"),
        answer(b"no", "403 Forbidden"), answer(b"<html>"), answer(b"", "429 No"), answer(b"{}", "200 OK", "text/html", "Content-Encoding: x"),
        lambda request: request.connection.close(), lambda request: server.closed.wait(0.6),
    ]  # fmt: skip
    made = settings(searxng_url=server.url, fetch_timeout=0.4)
    for reply in replies:
        url = served(server, reply)
        try:
            ask(
                made,
                f"{url}?key={quote(key)}",
                params={"api_key": key},
                headers={"X-API-KEY": ascii_key, "Authorization": ascii_key},
            )
        except SourceError as exc:
            exits += [
                str(exc),
                repr(exc),
                str(exc.to_dict()),
                "".join(traceback.format_exception(exc)),
                repr(exc.__cause__),
            ]
    captured = capfd.readouterr()
    exits += [captured.out, captured.err]
    exits += [record.getMessage() for record in caplog.records if not record.name.startswith("asyncio")]
    folder = Path(made.pages_dir)
    exits += (
        [path.read_bytes().decode("latin-1") for path in folder.rglob("*") if path.is_file()] if folder.exists() else []
    )
    for text in exits:
        for form in forms(key) | forms(ascii_key):
            assert form not in text
    assert elsewhere == []


def test_httpx_itself_would_hand_the_key_on() -> None:
    """The hazard is there: httpx's client carries X-API-KEY across a redirect to another host."""
    import httpx

    seen: list[httpx.Request] = []

    def reply(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        away = request.url.host == "api.example"
        return httpx.Response(302, headers={"Location": "http://evil.example/"}) if away else httpx.Response(200)

    with httpx.Client(transport=httpx.MockTransport(reply), follow_redirects=True) as client:
        client.get("http://api.example/", headers={"X-API-KEY": KEYS[0].encode("ascii", "ignore").decode()})
    assert "x-api-key" in seen[-1].headers
    assert seen[-1].url.host == "evil.example"


def test_an_extraction_process_has_no_key_in_its_environment(tmp_path: Path) -> None:
    """R10.5: /proc/PID/environ of a worker does not hold it; the parent's does."""
    if not Path("/proc/self/environ").exists():
        pytest.skip("no /proc here")
    code = """
import asyncio
from pathlib import Path
from hds_cli.fetch.workers import Workers
async def main():
    workers = Workers(1)
    await workers.extract(b"<p>x</p>", "html", None, "u")
    own, child = (Path(f"/proc/{p}/environ").read_bytes() for p in ("self", workers._process.pid))
    print(b"CANARY" in own, b"CANARY" in child)
    workers.close()
asyncio.run(main())
"""
    environ = os.environ | {"HDS_SERPER_API_KEY": "CANARY"}
    assert subprocess.check_output([sys.executable, "-c", code], env=environ, text=True).split() == ["True", "False"]


def test_a_page_request_never_carries_what_an_api_was_sent(server: Web, settings: Make) -> None:
    """Pages and APIs use pools of their own; no header of one is on the other."""
    server.routes |= {"/api": answer(b"{}", "200 OK", "application/json"), "/a": answer()}

    async def work() -> None:
        async with Fetcher(settings(searxng_url=server.url, fetch_allow=(server.host,))) as fetcher:
            await fetcher.api.get_json(server.url + "/api", headers={"X-API-KEY": "k"})
            await fetcher.fetch(server.url + "/a", typed=True)

    run(work())
    assert [("x-api-key" in headers) for _, headers in server.seen] == [True, False]
