"""`hds search` and `hds ask` over three sources at once: one answers, one is dead, one asks to be left alone."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import Hds, command
from tests.fetch.web import Request, Web, answer, web
from tests.plugins.replies import ARTICLE, WIKI_PAGES

SOURCES = ("-s", "wikipedia", "-s", "brave", "-s", "mojeek")
LIMITED = "rate limited, again in 40 s"
SALT = "https://en.wikipedia.org/wiki/Sea_salt"


@pytest.fixture
def server() -> Iterator[Web]:
    with web() as running:
        yield running


@pytest.fixture
def environment(server: Web) -> dict[str, str]:
    """Wikipedia answers from loopback, Brave refuses for 40 seconds, nobody listens where Mojeek should be."""

    def wiki(request: Request) -> None:
        found = {"query": {"pages": WIKI_PAGES}} if "generator=search" in request.path else ARTICLE
        request.send(answer(json.dumps(found).encode(), "200 OK", "application/json", "Connection: close"))

    server.routes["/w/api.php"] = wiki
    server.routes["/brave"] = answer(b"{}", "429 Too Many Requests", "application/json", "Retry-After: 40")
    return {
        "HDS_WIKIPEDIA_URL": server.url + "/w/api.php",
        "HDS_BRAVE_URL": server.url + "/brave",
        "HDS_BRAVE_API_KEY": "k",
        "HDS_MOJEEK_URL": "http://127.0.0.1:1/search",
        "HDS_MOJEEK_API_KEY": "k",
    }


def asked(server: Web, path: str) -> int:
    return sum(seen.startswith(path) for seen in server.paths())


def test_each_failed_source_is_named_with_what_it_said(hds: Hds, environment: dict[str, str]) -> None:
    """JSON has the seconds; in a pipe the results are on stdout and the failures on stderr."""
    done = hds("search", *SOURCES, "--json", "salt", env=environment)
    (query,) = json.loads(done.stdout)["queries"]
    errors = {error["source"]: error for error in query["errors"]}
    assert errors["brave"] == {"source": "brave", "code": "rate_limited", "message": LIMITED, "retry_after": 40.0}
    assert (errors["mojeek"]["code"], "retry_after" in errors["mojeek"]) == ("unreachable", False)
    assert {(r["source"], r["rank"]) for r in query["results"]} >= {("wikipedia", 1)}
    assert query["fused"][0]["sources"] == [{"source": "wikipedia", "rank": 1}]
    lines = hds("search", *SOURCES, "salt", env=environment)
    assert lines.returncode == 0
    assert all(3 <= len(line.split("\t")) <= 4 for line in lines.stdout.splitlines())
    assert f"hds: warning: brave: {LIMITED}, for salt" in lines.stderr
    assert "hds: warning: mojeek: " in lines.stderr


def test_two_sources_that_found_one_page_are_named_beside_it(
    hds: Hds, environment: dict[str, str], server: Web
) -> None:
    """What both found is first, once, under the address of the better rank; each source's own rank is kept."""
    found = [
        {"url": u, "title": t, "description": ""}
        for u, t in ((SALT + "?utm_source=x#top", "S"), ("https://z.example/", "Z"))
    ]
    body = json.dumps({"web": {"results": found}}).encode()
    server.routes["/brave"] = answer(body, "200 OK", "application/json", "Connection: close")
    done = hds("search", *SOURCES, "--json", "salt", env=environment)
    (query,) = json.loads(done.stdout)["queries"]
    first = query["fused"][0]
    assert first["url"] == SALT
    assert {(s["source"], s["rank"]) for s in first["sources"]} == {("wikipedia", 1), ("brave", 1)}
    assert [r["url"] for r in query["results"]].count(SALT) == 1
    assert SALT + "?utm_source=x#top" in [r["url"] for r in query["results"]]


def test_a_run_leaves_a_limited_source_alone_and_keeps_what_it_read(
    hds: Hds, environment: dict[str, str], server: Web, script: Callable[..., str]
) -> None:
    """The second turn does not ask it; the article that was read through the API is found in the cache, offline."""
    turns = [f"<think>\nt\n</think>\n\n<|begin_search_queries|>\nsalt {n}\n<|end_search_queries|>" for n in (1, 2)]
    path = script(*turns, "done\n</think>\n\n\\boxed{It is dried}")
    args = ("ask", "-e", "scripted", "-m", path, "--jsonl")
    done = hds(*args, *SOURCES, "How is sea salt made?", env=environment)
    finished = [e for e in map(json.loads, done.stdout.splitlines()) if e["event"] == "search_finished"]
    limited = [e["error"] for e in finished if e["source"] == "brave"]
    assert [error["code"] for error in limited] == ["rate_limited"] * 2
    assert all(0 < error["retry_after"] <= 40 for error in limited)
    assert asked(server, "/brave") == 1
    cached = hds("search", "--offline", "-s", "cache", "sea salt")
    assert SALT in cached.stdout, cached.stderr


def test_on_a_terminal_it_is_a_table_with_failures_where_they_happened(
    home: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    """Seen through tmux: rank, title and source on a line; what failed below, once, and nothing of it repeated."""
    if shutil.which("tmux") is None:
        pytest.skip("no tmux here")
    name = f"hds-{os.getpid()}"
    line = f"{command()} search {' '.join(SOURCES)} salt; echo END; sleep 60"
    env = {**{k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES")}, **environment}

    def tmux(*args: str) -> str:
        return subprocess.run(["tmux", "-L", name, *args], capture_output=True, text=True, check=False, env=env).stdout

    try:
        tmux("new-session", "-d", "-x", "80", "-y", "30", line)
        screen = ""
        for _ in range(300):
            screen = tmux("capture-pane", "-p")
            if "END" in screen:
                break
            time.sleep(0.1)
    finally:
        tmux("kill-server")
    rows = [row.rstrip() for row in screen.splitlines() if row.strip()]
    assert rows[0] == "salt"
    assert rows[1].startswith("  1  Sea salt")
    assert rows[1].endswith("wikipedia")
    assert f"  ✗ brave: {LIMITED}" in rows
    assert sum("mojeek" in row for row in rows) == 1
