"""What a SearXNG instance gives beside its list: boxes, answers, engines that were silent."""

from __future__ import annotations

import json
from typing import Any

from tests.conftest import Hds
from tests.fetch.web import Web, answer


def search(hds: Hds, server: Web, **said: Any) -> dict[str, Any]:
    document = {"query": "q", "results": [], "answers": [], "infoboxes": [], "unresponsive_engines": []} | said
    server.routes["/search"] = answer(json.dumps(document).encode(), kind="application/json")
    done = hds("search", "-s", "searxng", "--json", "ohrid", env={"HDS_SEARXNG_URL": server.url})
    found: dict[str, Any] = json.loads(done.stdout)["queries"][0]
    return found


RESULT = {"url": "https://x.example/a", "title": "A", "content": "Text of A"}


def test_boxes_and_answers_are_results(hds: Hds, server: Web) -> None:
    """With their addresses and what they say, each address once; before the list."""
    box = {
        "infobox": "Ohrid", "id": "https://x.example/ohrid", "content": "Ohrid is a town.", "urls": [{"title": "W", "url": "https://w.example/"}],
        "attributes": [{"label": "Population", "value": "42,033"}, {"label": "Picture", "image": {}}],
    }  # fmt: skip
    said = {"answer": "High tide is at 07:42", "url": "https://x.example/tide"}
    found = search(
        hds,
        server,
        results=[RESULT, {"url": "https://x.example/ohrid", "title": "O", "content": ""}],
        infoboxes=[box],
        answers=[said, "42"],
    )
    assert [result["url"] for result in found["results"]] == [
        "https://x.example/ohrid",
        "https://x.example/tide",
        "https://x.example/a",
    ]
    assert "Population: 42,033" in found["results"][0]["snippet"]
    assert found["results"][1]["snippet"] == "High tide is at 07:42"


def test_a_box_without_an_id_has_the_address_of_its_links(hds: Hds, server: Web) -> None:
    """Instances differ in what they fill in."""
    box = {
        "infobox": "Ohrid",
        "id": "ohrid",
        "content": "A town.",
        "urls": [{"url": "javascript:x"}, {"url": "https://w.example/o"}],
    }
    assert [r["url"] for r in search(hds, server, infoboxes=[box])["results"]] == ["https://w.example/o"]


def test_only_addresses_of_the_web_take_places(hds: Hds, server: Web) -> None:
    """Others would push pages out of the few that are asked for."""
    others = [
        {"url": url, "title": "x"}
        for url in ("magnet:?xt=1", "ftp://x.example/", "/a", "javascript:1", "data:text/html,x", 5, None)
    ]
    assert [r["url"] for r in search(hds, server, results=[*others, RESULT])["results"]] == ["https://x.example/a"]


def test_engines_that_were_silent_are_told_beside_the_results(hds: Hds, server: Web) -> None:
    """A thin list is not taken for all there is; without any result it is an error of the source."""
    found = search(hds, server, results=[RESULT], unresponsive_engines=[["brave", "timeout"], ["mojeek", "CAPTCHA"]])
    assert len(found["results"]) == 1
    assert found["errors"][0] | {"source": "searxng"} == found["errors"][0]
    assert (found["errors"][0]["code"], "brave: timeout, mojeek: CAPTCHA" in found["errors"][0]["message"]) == (
        "engines_silent",
        True,
    )
    assert search(hds, server, unresponsive_engines=[["brave", "timeout"]])["errors"][0]["code"] == "engines_silent"


def test_an_answer_of_odd_shapes_costs_nothing(hds: Hds, server: Web) -> None:
    """Strings, numbers and nothing where lists of objects are meant."""
    odd: dict[str, Any] = {
        "infoboxes": [1, None, {"infobox": 3, "attributes": "x", "urls": 5}],
        "answers": {"a": 1},
        "unresponsive_engines": "none",
    }
    assert len(search(hds, server, results=[RESULT, 7, []], **odd)["results"]) == 1
