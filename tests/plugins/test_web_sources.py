"""Every search service against a local server that replays what the service documents (issue 4)."""

from __future__ import annotations

import asyncio
import copy
import json
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from hds_cli.config import Settings, SourceSettings
from hds_cli.errors import ConfigError, HdsError, SourceError, UsageError
from hds_cli.fetch.client import Fetcher
from hds_cli.search import sources
from hds_cli.search.base import ReadingSource, SourceContext
from hds_cli.types import Page, SearchResult
from hds_web.base import Limiter
from tests.fetch.conftest import run
from tests.fetch.test_api import forms
from tests.fetch.web import Web, answer
from tests.plugins.replies import ALL, ARTICLE, FEED, NO_FEED, Case, body

Make = Callable[..., Settings]
KEY = "sk-CANARY+0123456789/abcdef=="
QUERY = "salt of the sea"
every_case = pytest.mark.parametrize("case", ALL, ids=lambda case: case.name)


@pytest.fixture(autouse=True)
def keys(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty home, and a key for every service that takes one."""
    for case in ALL:
        if case.place:
            monkeypatch.setenv(f"HDS_{case.name.upper()}_API_KEY", KEY)


def serve(server: Web, answers: Mapping[str, Any]) -> None:
    for path, said in answers.items():
        kind = "text/plain" if isinstance(said, str) else "application/json"
        server.routes[path] = answer(body(said), "200 OK", kind)


@contextmanager
def opened(case: Case, made: Settings) -> Iterator[Any]:
    """A function that makes the source on a fetcher's Api and does something with it."""

    def do(work: Callable[[Any], Any]) -> Any:
        async def inside() -> Any:
            async with Fetcher(made) as fetcher:
                (source,) = sources.open_sources([case.name], SourceContext(made, fetcher.api, None))
                return await work(source)

        return run(inside())

    yield do


def search(case: Case, server: Web, settings: Make, **more: Any) -> list[SearchResult]:
    own = SourceSettings(url=server.url + case.path, every=0)
    with opened(case, settings(sources={case.name: own}, **more)) as do:
        found: list[SearchResult] = do(lambda source: source.search(QUERY, 5))
        return found


def failure(case: Case, server: Web, settings: Make, **more: Any) -> SourceError:
    with pytest.raises(SourceError) as caught:
        search(case, server, settings, **more)
    said = "".join([*traceback.format_exception(caught.value), repr(caught.value), str(caught.value.to_dict())])
    assert not [form for form in forms(KEY) if form in said]
    return caught.value


@every_case
def test_documented_results_become_results(case: Case, server: Web, settings: Make) -> None:
    """Addresses, titles and snippets as plain text, numbered from 1, with the name of their source."""
    serve(server, case.answers)
    found = search(case, server, settings)
    assert [(r.url, r.title, r.snippet.replace("\n\n", " ")) for r in found] == list(case.results)
    assert [r.rank for r in found] == list(range(1, len(found) + 1))
    assert {r.source for r in found} == {case.name}


@every_case
def test_the_request_is_as_documented_and_the_key_is_in_its_place_only(case: Case, server: Web, settings: Make) -> None:
    """Parameters or body of the first request; the key once in each request, where it belongs and nowhere else."""
    serve(server, case.answers)
    search(case, server, settings)
    path, _ = server.seen[0]
    sent = {name: values[0] for name, values in parse_qs(urlsplit(path).query).items()}
    if server.bodies[0]:
        sent |= {name: str(value) for name, value in json.loads(server.bodies[0]).items()}
    assert {name: sent.get(name) for name in case.sent} == dict(case.sent)
    kind, _, where = case.place.partition(" ")
    for (path, headers), data in zip(server.seen, server.bodies, strict=True):
        places = {f"header {name}": value for name, value in headers.items() if KEY in value}
        places |= {f"parameter {n}": v[0] for n, v in parse_qs(urlsplit(path).query).items() if KEY in v[0]}
        name, _, form = where.partition(": ")
        assert places == ({f"{kind} {name}": (form or "{}").format(KEY)} if case.place else {})
        assert KEY.encode() not in data


@every_case
def test_nothing_found_is_an_empty_list(case: Case, server: Web, settings: Make) -> None:
    """An answer without results is no error."""
    serve(server, case.empty)
    assert search(case, server, settings) == []


@every_case
@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (answer(b"{}", "401 Unauthorized", "application/json"), "bad_key"),
        (answer(b"{}", "429 Too Many Requests", "application/json", "Retry-After: 12"), "rate_limited"),
        (answer(b"oh", "500 Internal Server Error"), "http_500"),
        (answer(b"", "302 Found", "text/html", "Location: http://127.0.0.1:9/"), "http_302"),
        (answer(b'{"results": [', "200 OK", "application/json"), "bad_answer"),
        (answer(b"[1, 2]", "200 OK", "application/json"), "bad_answer"),
        (answer(b'"text"', "200 OK", "application/json"), "bad_answer"),
    ],
    ids=["401", "429", "500", "302", "cut", "list", "text"],
)
def test_each_failure_is_named_and_holds_no_key(
    case: Case, reply: bytes, code: str, server: Web, settings: Make
) -> None:
    """The code says what happened; the key is in no message, trace or document, in no form."""
    server.routes |= dict.fromkeys([case.path or "/", "/e/esearch.fcgi"], reply)
    error = failure(case, server, settings)
    if code == "bad_key" and not case.place:
        code = "http_401"
    assert error.error_code == code
    if code == "bad_key":
        assert f"HDS_{case.name.upper()}_API_KEY" in str(error.hint)
    if code == "rate_limited":
        assert "12 s" in error.message


@every_case
def test_a_slow_service_is_given_up(case: Case, server: Web, settings: Make) -> None:
    """After `fetch.timeout`, with the code `timeout`."""
    server.routes |= dict.fromkeys([case.path or "/", "/e/esearch.fcgi"], lambda request: server.closed.wait(2))
    assert failure(case, server, settings, fetch_timeout=0.2).error_code == "timeout"


class Replay:
    """An Api without a network: the answers of a case, changed at one place."""

    def __init__(self, case: Case, answers: Mapping[str, Any]) -> None:
        self._answers = {path.removeprefix(case.path): said for path, said in answers.items()}
        self._case = case

    async def get_json(self, url: str, params: Any = None, headers: Any = None) -> Any:
        rest = urlsplit(url).path.removeprefix(self._case.path)
        return self._answers.get(rest, self._answers.get("/", None) if not rest else None)

    async def post_json(self, url: str, body: Any, headers: Any = None) -> Any:
        return await self.get_json(url)

    async def get_text(self, url: str, params: Any = None, headers: Any = None) -> str:
        said = await self.get_json(url)
        return said if isinstance(said, str) else json.dumps(said)


def changed(said: Any) -> Iterator[Any]:
    """The answer with one place after another replaced by what does not belong there."""

    def places(here: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
        yield way
        for key in here if isinstance(here, dict) else range(len(here)) if isinstance(here, list) else ():
            yield from places(here[key], (*way, key))

    for way in places(said):
        for wrong in (None, 7, "\x1b[31m<b>", [], {}, [None], {"a": [1]}, True):
            whole = copy.deepcopy(said)
            here = {"root": whole}
            for key in ("root", *way[:-1]) if way else ():
                here = here[key]
            here[way[-1] if way else "root"] = wrong
            yield whole if way else wrong


@every_case
def test_an_answer_with_a_wrong_part_costs_a_result_at_most(case: Case, settings: Make) -> None:
    """Whatever stands at any place of an answer: results with web addresses, or a `SourceError`; never a bug."""
    made = settings(sources={case.name: SourceSettings(url="http://x.example" + case.path, every=0)})
    count = 0
    for path, said in case.answers.items():
        if isinstance(said, str):
            continue
        for wrong in changed(said):
            context = SourceContext(made, Replay(case, {**case.answers, path: wrong}))
            (source,) = sources.open_sources([case.name], context)
            count += 1
            try:
                found = run(source.search(QUERY, 5))
            except SourceError:
                continue
            assert all(isinstance(t, str) for r in found for t in (r.url, r.title, r.snippet))
            assert all(r.url.startswith(("http://", "https://")) for r in found)
    assert count or case.name == "arxiv"


@every_case
def test_a_key_that_is_required_is_asked_for_by_name(
    case: Case, settings: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without it the source is a configuration error that says which variable to set; others work without."""
    monkeypatch.delenv(f"HDS_{case.name.upper()}_API_KEY", raising=False)
    context = SourceContext(settings(), Replay(case, case.answers))
    if not case.required:
        assert sources.open_sources([case.name], context)[0].needs_network
        return
    with pytest.raises(ConfigError, match=f"HDS_{case.name.upper()}_API_KEY"):
        sources.open_sources([case.name], context)


@every_case
def test_offline_no_service_is_opened(case: Case, settings: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--offline` is a wrong usage of them, with or without a key, before anything is asked."""
    monkeypatch.delenv(f"HDS_{case.name.upper()}_API_KEY", raising=False)
    with pytest.raises(UsageError, match="needs the network"):
        sources.open_sources([case.name], SourceContext(settings(offline=True), Replay(case, {})))


@pytest.mark.parametrize("case", [c for c in ALL if c.text], ids=lambda case: case.name)
def test_an_abstract_is_a_page(case: Case, server: Web, settings: Make) -> None:
    """`read` gives what the service holds of a work; it does not know other addresses."""
    serve(server, case.answers)

    async def work(source: Any) -> tuple[Page, Page | None]:
        assert isinstance(source, ReadingSource)
        found = await source.search(QUERY, 5)
        page = await source.read(found[0].url)
        assert page is not None
        return page, await source.read("https://elsewhere.example/")

    own = SourceSettings(url=server.url + case.path, every=0)
    with opened(case, settings(sources={case.name: own})) as do:
        page, other = do(work)
    assert case.text in page.text
    assert page.ok
    assert page.url == case.results[0][0]
    assert page.title == case.results[0][1]
    assert other is None


WIKI = next(case for case in ALL if case.name == "wikipedia")


def test_wikipedia_reads_articles_through_its_api(server: Web, settings: Make) -> None:
    """Plain text with headings as Markdown; a page that is missing or without text is left to the fetcher."""
    serve(server, {"/w/api.php": ARTICLE})
    with opened(WIKI, settings(sources={"wikipedia": SourceSettings(url=server.url + WIKI.path)})) as do:
        page = do(lambda source: source.read(server.url + "/wiki/Sea_salt"))
        other = do(lambda source: source.read("https://elsewhere.example/wiki/Sea_salt"))
        serve(server, {"/w/api.php": {"query": {"pages": [{"title": "Nope", "missing": True}]}}})
        missing = do(lambda source: source.read(server.url + "/wiki/Nope"))
    assert page.title == "Sea salt"
    assert page.text.startswith("Sea salt is salt made from seawater.")
    assert "\n## Production\nIt is dried." in page.text
    assert "\n### France\n" in page.text
    assert parse_qs(urlsplit(server.seen[0][0]).query)["titles"] == ["Sea salt"]
    assert other is None
    assert missing is None


def test_wikipedia_speaks_any_language(settings: Make) -> None:
    """The language is part of the host, and nothing but a language code is."""
    context = SourceContext(settings(sources={"wikipedia": SourceSettings(language="zh-min-nan")}), Replay(WIKI, {}))
    (source,) = sources.open_sources(["wikipedia"], context)
    assert vars(source)["home"] == "https://zh-min-nan.wikipedia.org/w/api.php"
    for wrong in ("evil.example/", "x@y", "en.evil", ""):
        made = settings(sources={"wikipedia": SourceSettings(language=wrong or "../")})
        with pytest.raises(ConfigError, match="language"):
            sources.open_sources(["wikipedia"], SourceContext(made, Replay(WIKI, {})))


@pytest.mark.parametrize(("told", "code"), [("ratelimited", "rate_limited"), ("srsearch-error", "bad_answer")])
def test_wikipedia_tells_its_errors_with_status_200(told: str, code: str, server: Web, settings: Make) -> None:
    """They are errors all the same."""
    serve(server, {"/w/api.php": {"error": {"code": told, "info": "It went wrong."}}})
    assert failure(WIKI, server, settings).error_code == code


@pytest.mark.parametrize(
    ("status", "code"), [("ERROR: Daily Limit Reached", "quota"), ("ERROR: Invalid API key", "bad_key")]
)
def test_mojeek_tells_its_errors_with_status_200(status: str, code: str, server: Web, settings: Make) -> None:
    """They are errors all the same."""
    serve(server, {"/search": {"response": {"status": status}}})
    case = next(case for case in ALL if case.name == "mojeek")
    assert failure(case, server, settings).error_code == code


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [("brave", 422, "bad_key"), ("tavily", 432, "quota"), ("serper", 403, "bad_key"), ("jina", 402, "quota"), ("marginalia", 503, "rate_limited")],
)  # fmt: skip
def test_a_status_with_a_meaning_of_its_own_is_understood(
    name: str, status: int, code: str, server: Web, settings: Make
) -> None:
    """The error table of a service."""
    case = next(case for case in ALL if case.name == name)
    server.routes[case.path or "/"] = answer(b"{}", f"{status} No", "application/json")
    assert failure(case, server, settings).error_code == code


def test_arxiv_asks_for_any_word_when_no_work_has_all(server: Web, settings: Make) -> None:
    """Two requests, AND then OR."""
    case = next(case for case in ALL if case.name == "arxiv")
    server.routes["/query"] = lambda request: request.send(answer((FEED if "OR" in request.path else NO_FEED).encode()))
    assert len(search(case, server, settings)) == 1
    assert len(server.seen) == 2


@pytest.mark.parametrize(
    "feed",
    [
        "not xml", "<html/>", '<!DOCTYPE x [<!ENTITY a "aa">]>' + FEED,
        NO_FEED.replace("</feed>", "<entry><id>http://arxiv.org/api/errors#bad</id><summary>bad id</summary></entry></feed>"),
    ],
)  # fmt: skip
def test_a_feed_that_is_none_is_a_bad_answer(feed: str, server: Web, settings: Make) -> None:
    """Neither other XML, nor entities, nor arXiv's own error entries are results."""
    serve(server, {"/query": feed})
    case = next(case for case in ALL if case.name == "arxiv")
    assert failure(case, server, settings).error_code == "bad_answer"


def test_a_short_pause_is_waited_for_once_and_a_long_one_stops_the_asking(server: Web, settings: Make) -> None:
    """Retry-After: 0 leads to one more request; after Retry-After: 12 the next query is not even sent."""
    case = next(case for case in ALL if case.name == "brave")
    made = settings(sources={"brave": SourceSettings(url=server.url + case.path, every=0)})
    replies = [
        answer(b"", "429 No", "text/html", "Retry-After: 0"),
        answer(body(case.answers["/search"]), "200 OK", "a/b"),
    ]
    server.routes["/search"] = lambda request: request.send(replies.pop(0))
    assert len(search(case, server, settings)) == 2
    server.routes["/search"] = answer(b"", "429 No", "text/html", "Retry-After: 12")

    async def twice(source: Any) -> list[HdsError]:
        return [e for _ in range(2) for e in await asyncio.gather(source.search(QUERY, 5), return_exceptions=True)]

    with opened(case, made) as do:
        first, second = do(twice)
    assert len(server.seen) == 3
    assert (first.error_code, second.error_code) == ("rate_limited", "rate_limited")
    assert "again in 12 s" in second.message


def test_a_refusal_that_says_nothing_is_tried_once_more(server: Web, settings: Make) -> None:
    """Most limits are so many requests a second: after one second, once."""
    case = next(case for case in ALL if case.name == "kagi")
    replies = [answer(b"", "429 No"), answer(body(case.answers["/search"]), "200 OK", "a/b")]
    server.routes["/search"] = lambda request: request.send(replies.pop(0))
    assert len(search(case, server, settings)) == 2
    assert server.times[1] - server.times[0] >= 0.9
    server.routes["/search"] = answer(b"", "429 No")
    assert failure(case, server, settings).error_code == "rate_limited"
    assert len(server.seen) == 4


@pytest.mark.parametrize(
    ("told", "said"), [("40", "40 s"), ("86400", "86400 s"), ("Fri, 31 Dec 2099 23:59:59 GMT", "long")]
)
def test_a_long_wait_is_told_and_not_waited_for(told: str, said: str, server: Web, settings: Make) -> None:
    """One request, and what the service said."""
    case = next(case for case in ALL if case.name == "tavily")
    server.routes["/search"] = answer(b"", "429 No", "text/html", f"Retry-After: {told}")
    assert f"asks to wait {said}" in failure(case, server, settings).message
    assert len(server.seen) == 1


@pytest.mark.parametrize(
    ("remaining", "reset", "said"),
    [
        ("0, 0", "1, 1419704", "asks to wait 1419704 s"),
        ("1, 0", "1, 86400", "asks to wait 86400 s"),
        ("0, 7", "40, 86400", "asks to wait 40 s"),
    ],
)
def test_brave_says_how_long_to_wait_in_its_own_headers(
    remaining: str, reset: str, said: str, server: Web, settings: Make
) -> None:
    """X-RateLimit-Reset of the window that is used up: this second's, or this month's (then one request is enough)."""
    case = next(case for case in ALL if case.name == "brave")
    more = (f"X-RateLimit-Remaining: {remaining}", f"X-RateLimit-Reset: {reset}")
    server.routes["/search"] = answer(b"{}", "429 Too Many Requests", "application/json", *more)
    error = failure(case, server, settings)
    assert said in error.message
    assert error.retry_after == float(said.split()[3])
    assert len(server.seen) == 1


def test_braves_limit_of_a_second_is_waited_for(server: Web, settings: Make) -> None:
    """A second with nothing left and a month with plenty: one more request a second later."""
    case = next(case for case in ALL if case.name == "brave")
    more = ("X-RateLimit-Remaining: 0, 1934", "X-RateLimit-Reset: 1, 1419704")
    replies = [
        answer(b"{}", "429 No", "application/json", *more),
        answer(body(case.answers["/search"]), "200 OK", "a/b"),
    ]
    server.routes["/search"] = lambda request: request.send(replies.pop(0))
    assert len(search(case, server, settings)) == 2
    assert server.times[1] - server.times[0] >= 0.9


def test_a_reset_that_is_a_point_in_time_is_not_a_wait(server: Web, settings: Make) -> None:
    """Other services send seconds since 1970 under the same name."""
    case = next(case for case in ALL if case.name == "tavily")
    server.routes["/search"] = answer(b"", "429 No", "text/html", "X-RateLimit-Reset: 1795269562")
    assert "asks to wait" not in failure(case, server, settings).message


def test_requests_keep_their_distance_and_their_number() -> None:
    """`every` seconds between two starts, `parallel` at once."""
    starts: list[float] = []
    running: list[int] = []

    async def work() -> None:
        starts.append(time.monotonic())
        running.append(1)
        most.append(len(running))
        await asyncio.sleep(0.03)
        running.pop()

    most: list[int] = []

    async def all_of(limiter: Limiter) -> None:
        await asyncio.gather(*(limiter.run(work) for _ in range(6)))

    began = time.monotonic()
    run(all_of(Limiter(0.02, 10)))
    assert all(start - began >= n * 0.02 - 0.001 for n, start in enumerate(starts))
    most.clear()
    run(all_of(Limiter(0, 2)))
    assert max(most) == 2


def test_the_default_sources_are_what_needs_no_key(settings: Make) -> None:
    """searxng if there is an instance, else wikipedia, then collections; offline nothing of the web."""
    local = [name for name in sources.defaults(settings(offline=True)) if name != "cache"]
    assert sources.defaults(settings(searxng_url="http://localhost:1")) == ["searxng", *local]
    assert sources.defaults(settings()) == ["wikipedia", *local]
    assert "wikipedia" not in sources.defaults(settings(offline=True))
