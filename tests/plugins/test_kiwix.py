"""The source `kiwix` against a real kiwix-serve over real ZIM files, and against answers that it must not trust."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hds_cli.config import Settings, SourceSettings
from hds_cli.errors import ConfigError, SourceError, UsageError
from hds_cli.types import SearchResult
from tests.conftest import Hds
from tests.fetch.web import Web, answer
from tests.plugins.books import ARTICLES, make
from tests.plugins.servers import kiwix_serve
from tests.plugins.test_zim import with_source

Make = Callable[..., Settings]
BLOCK = "<think>\nOne thing.\n</think>\n\n<|begin_search_queries|>\ncapital of Norway\n<|end_search_queries|>"
ANSWER = "done\n</think>\n\n\\boxed{Oslo}"


@pytest.fixture(scope="module")
def kiwix(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One server with an indexed book `small` and one without index, `bare`."""
    folder = tmp_path_factory.mktemp("kiwix")
    books = [
        make(folder / "small.zim"),
        make(folder / "bare.zim", {"Lighthouse": "A lighthouse has a lamp."}, index=False),
    ]
    with kiwix_serve(books, folder / "log") as url:
        yield url


def search(url: str, settings: Make, query: str, **more: Any) -> list[SearchResult]:
    made = settings(sources={"kiwix": SourceSettings(url=url, every=0)}, **more)
    found: list[SearchResult] = with_source("kiwix", made, lambda source: source.search(query, 5))
    return found


def failure(url: str, settings: Make, **more: Any) -> SourceError:
    with pytest.raises(SourceError) as caught:
        search(url, settings, "Norway", **more)
    return caught.value


def test_a_question_is_answered_through_a_real_server(hds: Hds, kiwix: str, script: Callable[..., str]) -> None:
    """The article is read through the server, not fetched past it, and cited with its address there."""
    args = ["ask", "-s", "kiwix", "-e", "scripted", "-m", script(BLOCK, ANSWER), "--json", "Capital of Norway?"]
    done = hds(*args, env={"HDS_KIWIX_URL": f"{kiwix}?books.name=small"})
    assert done.returncode == 0, done.stdout + done.stderr
    run = json.loads(done.stdout)
    assert run["answer"] == "Oslo"
    assert [(c["url"], c["verified"]) for c in run["citations"]] == [(f"{kiwix}/small/Norway", True)]
    assert {e["host"] for e in run["egress"]} == {"127.0.0.1"}


def test_words_are_dropped_until_something_is_found(kiwix: str, settings: Make) -> None:
    """The server wants every word; what has most of the words comes first, with the server's own snippet."""
    found = search(f"{kiwix}?books.name=small", settings, "rock salt mineral of Wieliczka in Poland")
    assert found[0].title == "Halite"
    assert "commonly known as rock salt" in found[0].snippet
    assert [r.rank for r in found] == list(range(1, len(found) + 1))
    assert search(f"{kiwix}?books.name=small", settings, "zeppelin xylophone") == []


def test_an_article_is_text_without_the_servers_toolbar(kiwix: str, settings: Make) -> None:
    """Its raw HTML goes through the normal extractor; addresses that are not the server's are left to others."""
    made = settings(sources={"kiwix": SourceSettings(url=kiwix, every=0)})

    async def pages(source: Any) -> list[Any]:
        return [await source.read(url) for url in (f"{kiwix}/small/Sea_salt", "https://example.org/small/Sea_salt")]

    page, other = with_source("kiwix", made, pages)
    assert page.text.endswith(ARTICLES["Sea salt"])
    assert page.title == "Sea salt"
    assert "kiwix" not in page.text.lower()
    assert other is None


def test_a_book_without_an_index_is_searched_by_its_titles(kiwix: str, settings: Make) -> None:
    """When it is the one that is named."""
    found = search(f"{kiwix}?books.name=bare", settings, "lamp of a lighthouse")
    assert [(r.url, r.title) for r in found] == [(f"{kiwix}/bare/Lighthouse", "Lighthouse")]


def test_a_book_that_is_not_there_is_said(kiwix: str, settings: Make) -> None:
    """With how to name one."""
    error = failure(f"{kiwix}?books.name=nope", settings)
    assert error.error_code == "no_book"
    assert "?books.name=NAME" in error.message


def test_a_server_below_a_path_works(tmp_path: Path, settings: Make) -> None:
    """Results and articles keep the path that the server was given."""
    book = make(tmp_path / "small.zim")
    with kiwix_serve([book], tmp_path / "log", "--urlRootLocation=/library") as url:
        assert url.endswith("/library")
        assert search(url, settings, "Hallstatt museum")[0].url == f"{url}/small/Hallstatt"
        made = settings(sources={"kiwix": SourceSettings(url=url, every=0)})
        page = with_source("kiwix", made, lambda source: source.read(f"{url}/small/Hallstatt"))
    assert "Iron Age" in page.text


def test_newer_servers_name_articles_below_content(server: Web, settings: Make) -> None:
    """Since kiwix-tools 3.4 results lead to `/content/BOOK/PATH`; the raw article is where it was."""
    item = "<item><title>Salt</title><link>/content/b/A/Salt</link><description>It is <b>salt</b></description></item>"
    server.routes["/search"] = answer(f"<rss><channel>{item}</channel></rss>".encode(), "200 OK", "application/rss+xml")
    server.routes["/raw/b/content/A/Salt"] = answer(b"<title>Salt</title><article><p>Salt is salty.</p></article>")
    (found,) = search(server.url, settings, "salt")
    assert (found.url, found.snippet) == (server.url + "/content/b/A/Salt", "It is salt")
    made = settings(sources={"kiwix": SourceSettings(url=server.url, every=0)})
    assert "Salt is salty." in with_source("kiwix", made, lambda source: source.read(found.url)).text


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (answer(b"<rss><channel>", "200 OK", "application/rss+xml"), "bad_answer"),
        (answer(b"<html></html>", "200 OK", "text/html"), "bad_answer"),
        (answer(b'<!DOCTYPE r [<!ENTITY a "aa">]><rss><channel/></rss>', "200 OK", "application/xml"), "bad_answer"),
        (answer(b"oh", "500 Internal Server Error"), "http_500"),
        (answer(b"no", "404 Not Found"), "http_404"),
        (answer(b"", "429 Too Many Requests", "text/html", "Retry-After: 12"), "rate_limited"),
    ],
)
def test_each_failure_is_named(reply: bytes, code: str, server: Web, settings: Make) -> None:
    """Broken XML, another page, a document type, and the statuses of servers in trouble."""
    server.routes["/search"] = reply
    assert failure(server.url, settings).error_code == code


def test_a_slow_or_dead_server_is_given_up(server: Web, settings: Make) -> None:
    """`timeout` after `fetch.timeout`; `unreachable` where nobody listens."""
    server.routes["/search"] = lambda request: server.closed.wait(2)
    assert failure(server.url, settings, fetch_timeout=0.2).error_code == "timeout"
    assert failure("http://127.0.0.1:1", settings).error_code == "unreachable"


def test_an_address_is_needed_and_offline_it_is_not_asked(settings: Make, home: Path) -> None:
    """Both are wrong usage, with what to type; a server on this machine is a socket all the same."""
    with pytest.raises(ConfigError, match="address of a kiwix-serve"):
        with_source("kiwix", settings(), lambda source: source)
    with pytest.raises(UsageError, match="needs the network"):
        search("http://127.0.0.1:1", settings, "Norway", offline=True)
