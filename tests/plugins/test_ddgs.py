"""The source `ddgs`: the real library and its HTTP stack, against a loopback server that answers as DuckDuckGo does."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import pytest

from hds_cli.config import Settings, SourceSettings
from hds_cli.errors import ConfigError, SourceError, UsageError
from hds_cli.types import SearchResult
from hds_ddgs import _region
from tests.conftest import Hds
from tests.fetch.web import Reply, Web, answer
from tests.plugins.test_zim import with_source

pytest.importorskip("ddgs", reason="ddgs is not installed (extra ddgs)")
Make = Callable[..., Settings]


def row(url: str, title: str, body: str) -> str:
    """One result of html.duckduckgo.com, as far as the library looks at it."""
    return f'<div class="links_main links_deep result__body"><h2><a href="{url}">{title}</a></h2><a class="result__snippet" href="{url}">{body}</a></div>'


ROWS = [
    row("https://a.example/one", "One &amp; only", "The <b>first</b> snippet"),
    row("https://duckduckgo.com/y.js?ad_domain=x", "An advertisement", "Buy"),
    row("https://b.example/two?x=1&amp;y=2", "Two", "The second"),
    row("javascript:alert(1)", "Three", "No web address"),
]
PAGE = f"<html><body><div id='links'>{''.join(ROWS)}</div></body></html>"


def search(server: Web, settings: Make, reply: Reply, **more: Any) -> list[SearchResult]:
    server.routes["/html/"] = reply
    made = settings(sources={"ddgs": SourceSettings(url=server.url + "/html/", every=0)}, **more)
    found: list[SearchResult] = with_source("ddgs", made, lambda source: source.search("salt of the sea", 5))
    return found


def test_results_are_results_and_advertisements_are_not(server: Web, settings: Make) -> None:
    """Addresses of the web with titles and snippets as plain text, numbered; the query goes along as it is."""
    found = search(server, settings, answer(PAGE.encode()))
    assert [(r.url, r.title, r.snippet, r.rank, r.source) for r in found] == [
        ("https://a.example/one", "One & only", "The first snippet", 1, "ddgs"),
        ("https://b.example/two?x=1&y=2", "Two", "The second", 2, "ddgs"),
    ]
    assert parse_qs(server.bodies[0].decode())["q"] == ["salt of the sea"]


def test_nothing_found_is_an_empty_list(server: Web, settings: Make) -> None:
    """A page without results is no error."""
    assert (
        search(server, settings, answer(b"<html><body><div class='no-results'>No results.</div></body></html>")) == []
    )


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (answer(b"<html>anomaly</html>", "202 Accepted"), "rate_limited"),
        (answer(b"", "429 Too Many Requests"), "rate_limited"),
        (answer(b"", "403 Forbidden"), "rate_limited"),
        (answer(b"oh", "500 Internal Server Error"), "http_500"),
        (answer(b"", "200 OK"), "empty"),
        (b"not HTTP at all\r\n\r\n", "unreachable"),
    ],
    ids=["202", "429", "403", "500", "empty", "broken"],
)
def test_each_failure_is_named(reply: bytes, code: str, server: Web, settings: Make) -> None:
    """The library takes every refusal for an empty answer; we do not."""
    if code == "empty":
        assert search(server, settings, reply) == []
        return
    with pytest.raises(SourceError) as caught:
        search(server, settings, reply)
    assert caught.value.error_code == code


def test_a_slow_or_dead_service_is_given_up(server: Web, settings: Make) -> None:
    """`timeout` after `fetch.timeout`, which the library counts in whole seconds; `unreachable` where nobody listens."""
    with pytest.raises(SourceError) as caught:
        search(server, settings, lambda request: server.closed.wait(4), fetch_timeout=1.0)
    assert caught.value.error_code == "timeout"
    made = settings(sources={"ddgs": SourceSettings(url="http://127.0.0.1:1/html/", every=0)})
    with pytest.raises(SourceError) as caught:
        with_source("ddgs", made, lambda source: source.search("salt", 5))
    assert caught.value.error_code == "unreachable"


def test_its_requests_stand_in_the_runs_egress(hds: Hds, server: Web, script: Callable[..., str]) -> None:
    """Although they do not go through hds's own HTTP."""
    server.routes["/html/"] = answer(PAGE.replace("https://a.example/one", server.url + "/salt").encode())
    server.routes["/salt"] = answer(b"<title>Salt</title><article><p>Sea salt is dried by the wind.</p></article>")
    block = "<think>\nx\n</think>\n\n<|begin_search_queries|>\nsea salt\n<|end_search_queries|>"
    args = [
        "ask",
        "-s",
        "ddgs",
        "-e",
        "scripted",
        "-m",
        script(block, "done\n</think>\n\n\\boxed{the wind}"),
        "--json",
        "How?",
    ]
    done = hds(*args, env={"HDS_DDGS_URL": server.url + "/html/", "HDS_FETCH_ALLOW": server.host})
    run = json.loads(done.stdout)
    assert [c["url"] for c in run["citations"]] == [server.url + "/salt"]
    egress = {e["host"]: e["requests"] for e in run["egress"]}
    assert egress["127.0.0.1"] == len(server.seen)


def test_a_proxy_is_honoured(server: Web, settings: Make) -> None:
    """`fetch.proxy` gets the request, with the whole address."""
    server.routes["http://192.0.2.1/html/"] = answer(PAGE.encode())
    made = settings(sources={"ddgs": SourceSettings(url="http://192.0.2.1/html/", every=0)}, fetch_proxy=server.url)
    found = with_source("ddgs", made, lambda source: source.search("salt", 5))
    assert len(found) == 2
    assert server.paths() == ["http://192.0.2.1/html/"]


def test_offline_the_library_is_not_even_loaded(settings: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong usage, as with every source of the web."""
    for name in [name for name in sys.modules if name.partition(".")[0] in ("ddgs", "primp")]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(UsageError, match="needs the network"):
        with_source("ddgs", settings(offline=True), lambda source: source)
    assert "primp" not in sys.modules


def test_without_the_library_the_extra_is_named(settings: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """A configuration error with the line to type."""
    monkeypatch.setitem(sys.modules, "ddgs", None)  # as if it were not installed
    with pytest.raises(ConfigError) as caught:
        with_source("ddgs", settings(), lambda source: source)
    assert caught.value.hint == 'pip install "hds-cli[ddgs]"'


def test_a_language_is_one_of_its_regions() -> None:
    """As DuckDuckGo names them."""
    assert [_region(code) for code in (None, "de", "en", "pt-BR", "ja")] == [
        "wt-wt",
        "de-de",
        "us-en",
        "br-pt",
        "jp-jp",
    ]
