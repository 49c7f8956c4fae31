"""The source `searxng` against a real searx on loopback, through the installed command."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Hds
from tests.fetch.web import Web, answer
from tests.plugins.servers import searx

TEXT = "Sea salt is made from seawater that is dried by sun and wind. In Guérande it is raked by hand."
BLOCK = "<think>\nOne thing.\n</think>\n\n<|begin_search_queries|>\nsalt raked by hand\n<|end_search_queries|>"
ANSWER = "done\n</think>\n\n\\boxed{Guérande}"


@pytest.fixture
def pages(server: Web) -> list[tuple[str, str, str]]:
    """Two pages of a web server; what the instance knows of them is shorter than the pages."""
    server.routes["/salt"] = answer(
        f"<title>Sea salt</title><article><h1>Sea salt</h1><p>{TEXT}</p></article>".encode()
    )
    server.routes["/halite"] = answer(
        b"<title>Halite</title><article><p>Halite is rock salt, found in mines.</p></article>"
    )
    return [
        (server.url + "/salt", "Sea salt", "How sea salt is raked by hand"),
        (server.url + "/halite", "Halite", "Rock salt"),
    ]


def test_a_real_instance_is_searched(hds: Hds, tmp_path: Path, pages: list[tuple[str, str, str]]) -> None:
    """Its results with addresses, titles and snippets; nothing found is no error of the source."""
    with searx(tmp_path / "searx", pages) as url:
        done = hds("search", "-s", "searxng", "--json", "salt", "rock salt", "zeppelin", env={"HDS_SEARXNG_URL": url})
    assert done.returncode == 0, done.stderr
    salt, rock, none = json.loads(done.stdout)["queries"]
    assert {(r["url"], r["title"], r["snippet"]) for r in salt["results"]} == set(pages)
    assert [r["title"] for r in rock["results"]] == ["Halite"]
    assert (none["results"], none["errors"]) == ([], [])


def test_a_question_is_answered_through_a_real_instance(
    hds: Hds, tmp_path: Path, server: Web, pages: list[tuple[str, str, str]], script: Callable[..., str]
) -> None:
    """The page it names is fetched, and the quote stands in the page, not only in the snippet."""
    env = {"HDS_FETCH_ALLOW": server.host}
    with searx(tmp_path / "searx", pages) as url:
        args = ["ask", "-s", "searxng", "-e", "scripted", "-m", script(BLOCK, ANSWER), "--json", "Where is salt raked?"]
        done = hds(*args, env=env | {"HDS_SEARXNG_URL": url})
    assert done.returncode == 0, done.stdout + done.stderr
    run = json.loads(done.stdout)
    assert run["answer"] == "Guérande"
    assert [(c["url"], c["verified"]) for c in run["citations"]] == [(server.url + "/salt", True)]
    assert "/salt" in server.paths()


def test_an_instance_without_json_is_explained(hds: Hds, server: Web) -> None:
    """As most instances are set up (SearXNG then answers 403; Debian's searx is too old to have that setting)."""
    server.routes["/search"] = answer(b"<!doctype html><title>403 Forbidden</title>", "403 FORBIDDEN")
    done = hds("search", "-s", "searxng", "--json", "salt", env={"HDS_SEARXNG_URL": server.url})
    said = hds("search", "-s", "searxng", "salt", env={"HDS_SEARXNG_URL": server.url})
    assert done.returncode == 5
    (error,) = json.loads(done.stdout)["queries"][0]["errors"]
    assert error["code"] == "json_disabled"
    assert "does not give JSON" in said.stderr
    assert "formats: [html, json]" in said.stderr


def test_an_instance_whose_engine_fails_is_not_an_empty_one(
    hds: Hds, tmp_path: Path, pages: list[tuple[str, str, str]]
) -> None:
    """The real instance names the engine that broke on the query; that is an error of the source, with its name."""
    with searx(tmp_path / "searx", pages) as url:
        done = hds("search", "-s", "searxng", "--json", '"half a quote', env={"HDS_SEARXNG_URL": url})
    assert done.returncode == 5
    (error,) = json.loads(done.stdout)["queries"][0]["errors"]
    assert (error["code"], "notes" in error["message"]) == ("engines_silent", True)
