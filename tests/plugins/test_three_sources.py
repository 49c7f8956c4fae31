"""`hds ask` over an encyclopaedia, a collection and a dead service at once, as a user runs it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Hds
from tests.fetch.web import Request, Web, answer
from tests.plugins.replies import ARTICLE, WIKI_PAGES

KEY = "sk-CANARY+0123456789/abcdef=="
BLOCK = (
    "<think>\nTwo things.\n</think>\n\n<|begin_search_queries|>\nsea salt production;\nGuérande\n<|end_search_queries|>"
)
ANSWER = "done\n</think>\n\n\\boxed{It is dried}"


@pytest.fixture
def environment(server: Web) -> dict[str, str]:
    """Wikipedia answers from loopback; nobody listens where Brave should be."""

    def reply(request: Request) -> None:
        found = {"query": {"pages": WIKI_PAGES}} if "generator=search" in request.path else ARTICLE
        request.send(answer(json.dumps(found).encode(), "200 OK", "application/json", "Connection: close"))

    server.routes["/w/api.php"] = reply
    return {
        "HDS_WIKIPEDIA_URL": server.url + "/w/api.php",
        "HDS_BRAVE_URL": "http://127.0.0.1:1/search",
        "HDS_BRAVE_API_KEY": KEY,
    }


def test_a_dead_source_is_named_and_the_run_goes_on(
    hds: Hds, environment: dict[str, str], tmp_path: Path, script: Callable[..., str]
) -> None:
    """Pages of both living sources are read, the answer's source is Wikipedia, and no output holds the key."""
    notes = tmp_path / "notes"
    notes.mkdir()
    (notes / "salt.txt").write_text("Sea salt production in Guérande began long ago.\n")
    assert hds("index", "add", str(notes)).returncode == 0
    path = script(BLOCK, ANSWER)
    args = ["ask", "-s", "wikipedia", "-s", "brave", "-s", "notes", "-e", "scripted", "-m", path]
    done = hds(*args, "--json", "How is sea salt made?", env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    run = json.loads(done.stdout)
    pages = {(p["url"], p["status"]) for t in run["turns"] for q in t["queries"] for p in q["pages"]}
    assert ("https://en.wikipedia.org/wiki/Sea_salt", "fetched") in pages
    assert any(url.endswith("salt.txt") for url, _ in pages)
    assert any("wikipedia" in c["url"] for c in run["citations"])
    assert {e["host"].partition(":")[0] for e in run["egress"]} == {"127.0.0.1"}
    events = hds(*args, "--jsonl", "How is sea salt made?", env=environment)
    finished = [json.loads(line) for line in events.stdout.splitlines() if '"search_finished"' in line]
    failed = [event for event in finished if event.get("error")]
    assert {event["source"] for event in failed} == {"brave"}
    assert {event["error"]["code"] for event in failed} == {"unreachable"}
    assert {event["source"] for event in finished} == {"wikipedia", "brave", "notes"}
    for text in (done.stdout, done.stderr, events.stdout, events.stderr):
        assert "CANARY" not in text
