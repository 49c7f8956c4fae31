"""Jina's reader as the way to the pages that the source `jina` finds."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from hds_cli.config import Settings, SourceSettings
from hds_cli.errors import SourceError
from tests.conftest import Hds
from tests.fetch.web import Web, answer
from tests.plugins.test_zim import with_source

Make = Callable[..., Settings]
KEY = "sk-CANARY+0123456789/abcdef=="
PAGE = "https://a.example/one"
SAID = {
    "code": 200, "status": 20000,
    "data": {"title": "One & only", "url": PAGE, "description": "d", "content": "# One\n\nSea salt is dried by the wind.\x1b[31m\n", "usage": {"tokens": 9}},
}  # fmt: skip


@pytest.fixture(autouse=True)
def key(home: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HDS_JINA_API_KEY", KEY)


def read(server: Web, settings: Make, url: str = PAGE, *, on: bool = True) -> Any:
    own = SourceSettings(url=server.url + "/search", reader=server.url + "/read" if on else None, every=0)
    return with_source("jina", settings(sources={"jina": own}), lambda source: source.read(url))


def test_a_page_is_read_as_documented(server: Web, settings: Make) -> None:
    """A POST with the page's address; Markdown without links and pictures comes back, its control characters gone."""
    server.routes["/read"] = answer(json.dumps(SAID).encode(), "200 OK", "application/json")
    page = read(server, settings)
    assert (page.url, page.title, page.text) == (PAGE, "One & only", "# One\n\nSea salt is dried by the wind.[31m")
    assert page.ok
    _, headers = server.seen[0]
    assert json.loads(server.bodies[0]) == {"url": PAGE}
    assert headers["authorization"] == f"Bearer {KEY}"
    assert (headers["accept"], headers["x-md-link-style"]) == ("application/json", "discarded")


def test_without_the_setting_or_for_other_addresses_nothing_is_asked(server: Web, settings: Make) -> None:
    """Pages are then fetched like any other."""
    assert read(server, settings, on=False) is None
    assert read(server, settings, "local://notes/x") is None
    assert server.seen == []


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (answer(b"{}", "401 Unauthorized", "application/json"), "bad_key"),
        (answer(b"{}", "402 Payment Required", "application/json"), "quota"),
        (answer(b"{}", "422 Unprocessable", "application/json"), "http_422"),
        (answer(b"{}", "429 Too Many", "application/json", "Retry-After: 12"), "rate_limited"),
        (answer(b"oh", "503 Unavailable"), "http_503"),
        (answer(b"<html>", "200 OK"), "bad_answer"),
        (answer(b'{"data": {"content": ""}}', "200 OK", "application/json"), "bad_answer"),
        (answer(b'{"data": [1]}', "200 OK", "application/json"), "bad_answer"),
        (answer(b'{"data": {"content": 7}}', "200 OK", "application/json"), "bad_answer"),
    ],
)
def test_each_failure_is_named_and_holds_no_key(reply: bytes, code: str, server: Web, settings: Make) -> None:
    """The page is then a failed page, and is not fetched behind the reader's back."""
    server.routes["/read"] = reply
    with pytest.raises(SourceError) as caught:
        read(server, settings)
    assert caught.value.error_code == code
    assert "CANARY" not in str(caught.value) + repr(caught.value.to_dict())


def test_a_question_is_answered_from_pages_that_the_reader_read(
    hds: Hds, server: Web, script: Callable[..., str]
) -> None:
    """The page itself is on no reachable host: only the reader can have given it."""
    rows = {"code": 200, "status": 20000, "data": [{"url": PAGE, "title": "One", "description": "salt"}]}
    server.routes["/search"] = answer(json.dumps(rows).encode(), "200 OK", "application/json")
    server.routes["/read"] = answer(json.dumps(SAID).encode(), "200 OK", "application/json")
    block = "<think>\nx\n</think>\n\n<|begin_search_queries|>\nsea salt\n<|end_search_queries|>"
    args = [
        "ask",
        "-s",
        "jina",
        "-e",
        "scripted",
        "-m",
        script(block, "done\n</think>\n\n\\boxed{the wind}"),
        "--json",
        "How?",
    ]
    done = hds(*args, env={"HDS_JINA_URL": server.url + "/search", "HDS_JINA_READER": server.url + "/read"})
    assert done.returncode == 0, done.stdout + done.stderr
    run = json.loads(done.stdout)
    assert [(c["url"], c["verified"]) for c in run["citations"]] == [(PAGE, True)]
    assert {e["host"] for e in run["egress"]} == {"127.0.0.1"}
