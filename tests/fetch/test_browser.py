"""The second tier: pages that need a browser, read by a real Chromium whose every request passes the guard."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from hds_browser import _NAMES, Chromium
from hds_cli.config import Settings
from hds_cli.fetch import browser
from hds_cli.fetch.browser import Asked, _Requests
from hds_cli.fetch.client import Fetcher
from hds_cli.types import Page
from tests.conftest import Hds

from .conftest import run
from .web import Request, Web, answer, web

installed = pytest.mark.skipif(not any(map(shutil.which, _NAMES)), reason="no Chromium is installed")
Make = Callable[..., Settings]
TEXT = (
    "The ferry leaves Trogir at nine and carries forty passengers to the island. It was rebuilt in 1988 by the yard "
    "of Split and repainted in blue after the storm of that winter."
)
SHELL = (
    "<!doctype html><html><head><title>Ferries</title></head><body><div id=root></div>"
    "<noscript>You need to enable JavaScript to run this app.</noscript><script src=/app.js></script></body></html>"
)
SHOW = "const show = d => {{ root.innerHTML = '<article><h1>' + d.name + '</h1><p>' + d.text + '</p></article>'; {} }};"


@pytest.fixture
def elsewhere() -> Iterator[Web]:
    """A server that no page may reach: `fetch.allow` does not name it."""
    with web() as running:
        yield running


def app(server: Web, *, then: str = "", before: str = "") -> None:
    """Serve the shell of an app that asks for its text, shows it, and does something `then`."""
    server.routes["/"] = answer(SHELL.encode())
    script = before + SHOW.format(then) + "fetch('/api', {method: 'POST', body: '{}'}).then(r => r.json()).then(show);"
    server.routes["/app.js"] = answer(script.encode(), "200 OK", "text/javascript")
    server.routes["/api"] = answer(
        json.dumps({"name": "Ferry Nine", "text": TEXT}).encode(), "200 OK", "application/json"
    )


def fetched(settings: Settings, url: str) -> Page:
    async def go() -> Page:
        async with Fetcher(settings) as fetcher:
            return await fetcher.fetch(url)

    return run(go())


def processes() -> set[str]:
    """The browsers that hds started and that still run."""
    listed = subprocess.run(["ps", "-eo", "pid=,args="], capture_output=True, text=True, check=True).stdout
    return {line for line in listed.splitlines() if "--user-data-dir=" in line and "hds-browser-" in line}


def test_no_page_is_read_by_a_browser_unless_one_is_named(server: Web, settings: Make) -> None:
    """It is skipped, and its script is not asked for."""
    app(server)
    page = fetched(settings(fetch_allow=(server.host,)), server.url + "/")
    assert (page.status, page.reason) == ("skipped", "needs_browser")
    assert server.paths() == ["/"]


@installed
def test_a_page_that_needs_a_browser_is_read_by_one(server: Web, settings: Make) -> None:
    """All requests are made by hds and say so; the page is kept on disk; nothing is left behind."""
    app(server)
    before = processes()
    made = settings(fetch_allow=(server.host,), fetch_browser="chromium", fetch_timeout=20.0)
    page = fetched(made, server.url + "/")
    assert (page.status, page.title) == ("fetched", "Ferries")
    assert TEXT in page.text
    assert "JavaScript" not in page.text
    assert server.paths() == ["/", "/", "/app.js", "/api"]
    assert all(headers["user-agent"].startswith("hds/") for _, headers in server.seen)
    assert fetched(made, server.url + "/").status == "cached"
    assert processes() <= before


@installed
def test_a_page_that_needs_none_is_not_given_to_it(server: Web, settings: Make) -> None:
    """An ordinary page is asked for once, and no browser starts."""
    server.routes["/"] = answer()
    before = processes()
    made = settings(fetch_allow=(server.host,), fetch_browser="chromium")
    assert fetched(made, server.url + "/").status == "fetched"
    assert server.paths() == ["/"]
    assert processes() <= before


@installed
def test_a_page_reaches_nothing_but_through_the_guard(server: Web, elsewhere: Web, settings: Make) -> None:
    """Whatever a script tries, a host that is not public hears nothing of it; what the page says is read anyway."""
    far = elsewhere.url
    tries = (
        f"fetch('{far}/fetch').catch(() => 0); navigator.sendBeacon('{far}/beacon', 'x'); new EventSource('{far}/events');"
        f"new Image().src = '{far}/image'; new WebSocket('{far.replace('http', 'ws')}/socket');"
        f"let f = document.createElement('iframe'); f.src = '{far}/frame'; document.body.append(f);"
        f"let l = document.createElement('link'); l.rel = 'prefetch'; l.href = '{far}/prefetch'; document.head.append(l);"
        f'let s = \'fetch("{far}/worker"); new WebSocket("{far.replace("http", "ws")}/worker-socket")\';'
        "new Worker(URL.createObjectURL(new Blob([s])));"
    )
    app(server, then=tries)
    program = next(filter(None, map(shutil.which, _NAMES)))

    async def go() -> str:
        # Chromium's own rules for private networks would hide what the rest lets through.
        open_ended = Chromium(
            program, ["--disable-features=LocalNetworkAccessChecks,LocalNetworkAccessChecksWebSockets"]
        )
        async with Fetcher(settings(fetch_allow=(server.host,))) as fetcher:
            try:
                return await open_ended.html(server.url + "/", _Requests(fetcher._http, 5.0, 1 << 20).get, 20.0)
            finally:
                await open_ended.close()

    assert TEXT in run(go())
    assert elsewhere.seen == []


@installed
def test_a_script_leads_nowhere_else(server: Web, settings: Make) -> None:
    """robots.txt was asked for the page alone: a script's way to another one is not gone."""
    app(server, then="location.href = '/other';")
    server.routes["/other"] = answer(b"<html><body><p>Another page altogether.</p></body></html>")
    page = fetched(settings(fetch_allow=(server.host,), fetch_browser="chromium", fetch_timeout=20.0), server.url + "/")
    assert TEXT in page.text
    assert "/other" not in server.paths()


@installed
@pytest.mark.parametrize(
    "script", ["for (;;) {}", "alert('x'); for (;;) {}", "root.textContent = 'x'.repeat(2e6);", "let a = []; for (;;) a.push(a.slice())"]
)  # fmt: skip
def test_a_script_without_end_or_measure_costs_its_page_alone(script: str, server: Web, settings: Make) -> None:
    """It needs a browser still, within the time of a page, and no process is left."""
    server.routes["/"] = answer(SHELL.encode())
    server.routes["/app.js"] = answer(script.encode(), "200 OK", "text/javascript")
    before, started = processes(), time.monotonic()
    made = settings(fetch_allow=(server.host,), fetch_browser="chromium", fetch_timeout=5.0, fetch_max_bytes=1_000_000)
    page = fetched(made, server.url + "/")
    assert (page.status, page.reason) == ("skipped", "needs_browser")
    assert time.monotonic() - started < 40
    assert processes() <= before


@installed
def test_the_command_reads_with_the_browser_that_is_set(server: Web, hds: Hds) -> None:
    """`fetch.browser` switches it on."""
    app(server)
    env = {"HDS_FETCH_ALLOW": server.host, "HDS_FETCH_BROWSER": "chromium", "HDS_FETCH_TIMEOUT": "20"}
    done = hds("fetch", "--json", server.url + "/", env=env)
    assert TEXT in json.loads(done.stdout)["pages"][0]["text"]


@pytest.mark.parametrize(
    ("name", "said"), [("chromium", "HDS_CHROMIUM: there is no program /no/such/program"), ("lynx", "'lynx'")]
)
def test_a_browser_that_is_not_there_is_an_error(name: str, said: str, server: Web, hds: Hds) -> None:
    """It is named before any page is asked for; no other one is taken."""
    env = {"HDS_FETCH_ALLOW": server.host, "HDS_FETCH_BROWSER": name, "HDS_CHROMIUM": "/no/such/program"}
    done = hds("fetch", server.url + "/", env=env)
    assert done.returncode == 2
    assert said in done.stderr
    assert server.seen == []


def test_the_requests_of_a_page_have_limits(server: Web, elsewhere: Web, settings: Make) -> None:
    """Of host, scheme, method, number and bytes together; what is refused has no answer."""
    server.routes["/large"] = answer(b"x" * 800)
    server.routes["/a"] = answer(b"x" * 600, "200 OK", "text/plain", "Set-Cookie: a=b")

    def echo(request: Request) -> None:
        request.send(answer(request.headers.get("cookie", "none").encode()))

    server.routes["/cookie"] = echo

    async def go() -> list[Any]:
        async with Fetcher(settings(fetch_allow=(server.host,))) as fetcher:
            requests = _Requests(fetcher._http, 20.0, 700)
            told = [
                await requests.get(Asked(url, method, {"Cookie": "secret=1", "User-Agent": "Mozilla"}, None))
                for url, method in (
                    (f"{server.url}/cookie", "GET"), (f"{elsewhere.url}/a", "GET"), ("file:///etc/passwd", "GET"),
                    ("http://169.254.169.254/", "GET"), (f"{server.url}/a", "DELETE"), (f"{server.url}/a", "GET"),
                    (f"{server.url}/large", "GET"), *[(f"{server.url}/a", "GET")] * 4,
                )
            ]  # fmt: skip
            few = _Requests(fetcher._http, 20.0, 1 << 20)
            counted = [await few.get(Asked(f"{server.url}/a", "GET", {})) for _ in range(browser.MOST_REQUESTS + 1)]
            return [told, counted]

    told, counted = run(go())
    assert told[0].body == b"none"
    assert told[1:5] == [None] * 4
    assert [one and len(one.body) for one in told[5:]] == [600, None, 600, 600, 600, None]
    assert not any(name.lower() == "set-cookie" for name, _ in told[5].headers)
    assert all(one is not None for one in counted[:-1])
    assert counted[-1] is None
    assert elsewhere.seen == []
    assert os.environ.get("HDS_CHROMIUM") is None
