"""`--site` and `--not-site`: whose pages are found and read."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from hds_cli import config
from hds_cli.config import shaping
from hds_cli.errors import UsageError
from hds_cli.search.checked import CheckedSource
from hds_cli.search.fanout import Fanout, Watcher
from hds_cli.search.sites import Sites, sites_of
from hds_cli.types import Page, SearchResult

ONLY = Sites(("example.org",), ("old.example.org",))


class _Engine:
    """A source that has many results elsewhere before the few that are wanted."""

    name, needs_network = "engine", True

    def __init__(self, takes_sites: bool = False) -> None:
        self.takes_sites, self.asked = takes_sites, []  # type: ignore[var-annotated]

    async def search(self, query: str, top_k: int) -> list[SearchResult]:
        self.asked.append((query, top_k))
        urls = [f"https://elsewhere.test/{n}" for n in range(8)]
        urls += ["https://example.org/a", "https://old.example.org/b", "https://docs.example.org/c"]
        return [SearchResult(url, url, "") for url in urls][:top_k]


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://example.org/tides", True),
        ("http://WWW.Example.org.:8080/", True),
        ("https://old.example.org/tides", False),
        ("https://notexample.org/", False),
        ("https://example.org.evil.test/", False),
        ("https://evil.test/?u=https://example.org/", False),
        ("https://example.org@evil.test/", False),
        ("local://notes/tides", False),
        ("https://[::1", False),
        ("stdin", False),
    ],
)
def test_the_host_decides(url: str, allowed: bool) -> None:
    """The host and all below it, however it is written; nothing that only looks like it."""
    assert ONLY.allow(url) is allowed


def test_names_beyond_ascii_are_one_host() -> None:
    """As it is typed and as it stands in an address."""
    sites = sites_of(config.Settings(site=("Bücher.example",)))
    assert sites.allow("https://xn--bcher-kva.example/a")
    assert sites.allow("https://www.bücher.example/a")


@pytest.mark.parametrize("value", ["", "https://example.org/docs", "a b", "example.org/x", "-x.org", "ex ample"])
def test_what_is_no_host_is_said(value: str) -> None:
    """A path would be taken for more than it is."""
    with pytest.raises(UsageError, match="takes a host"):
        sites_of(config.Settings(not_site=(value,)))


def test_a_source_that_knows_sites_is_told_and_others_are_asked_for_more() -> None:
    """Five of the wanted results, though a source has them behind others; what comes back is filtered in both."""
    knowing, other = _Engine(True), _Engine()
    for engine in (knowing, other):
        found = asyncio.run(CheckedSource(engine, sites=ONLY).search("tides", 2))
        assert [(r.rank, r.url) for r in found][:2] == ([
            (1, "https://example.org/a"), (2, "https://docs.example.org/c")
        ] if engine is other else [])  # fmt: skip
    assert knowing.asked == [("tides site:example.org -site:old.example.org", 2)]
    assert other.asked == [("tides", 12)]
    assert Sites(("a.test", "b.test")).operators("x") == "x (site:a.test OR site:b.test)"


def test_a_redirect_to_another_site_is_not_read() -> None:
    """The page's own address counts, not only the one that was found."""
    reasons: list[str | None] = []

    class Seen(Watcher):
        def page_finished(self, query: int, page: Page) -> None:
            reasons.append(page.reason)

    async def fetch(url: str) -> Page:
        final = "https://elsewhere.test/" if url.endswith("/a") else url
        return Page(url, final, "A page", f"words of {url} " * 9, "fetched")

    async def run() -> list[str]:
        fanout = Fanout([_Engine()], fetch, top_k=2, sites=ONLY)
        gathered = await fanout.gather(1, "tides", Seen(), asyncio.Event())
        await fanout.close()
        return [page.url for page in gathered.pages]

    assert asyncio.run(run()) == ["https://docs.example.org/c"]
    assert "other_site" in reasons


def test_sites_are_kept_with_a_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A rerun is over the same sites."""
    settings = config.load({"site": ("example.org",)}, {"HDS_NOT_SITE": "old.example.org"})
    kept = shaping(settings)
    assert (kept["site"], kept["not_site"]) == (("example.org",), ("old.example.org",))


def test_long_addresses_take_no_longer() -> None:
    """An address of any length is judged in a moment."""
    began = time.process_time()
    for url in ("https://" + "a." * 500_000, "https://" + "ü" * 500_000, "x" * 1_000_000):
        ONLY.allow(url)
    assert time.process_time() - began < 0.5
