"""The parallel step over several sources: one order, each page once, each story once, nobody waits for the hung."""

from __future__ import annotations

import time

import pytest

from hds_cli.search.base import Source
from hds_cli.search.fanout import Fanout
from hds_cli.types import Page, SearchResult

from .sources import STORY, Holding, Memory, Web, gather, urls

A, B, C, D = (f"https://{name}.example/page" for name in "abcd")


def test_pages_come_in_the_fused_order_whatever_arrived_first() -> None:
    """What two sources found goes before what one found; the slower source changes nothing."""
    for slow in (0, 1):
        sources = [Memory("one", A, B, C, delay=0.1 * (slow == 0)), Memory("two", D, B, delay=0.1 * (slow == 1))]
        (got,), _ = gather(Fanout(sources, Web(), top_k=5), "q")
        assert urls(got.pages) == [B, A, D, C]


def test_one_page_under_two_addresses_is_fetched_once_and_both_are_answered_for() -> None:
    """http and https, a tracking parameter, a slash at the end: one request; each result gets its end."""
    web = Web()
    sources = [Memory("one", "https://x.example/a?b=1"), Memory("two", "http://x.example/a/?b=1&utm_source=z#top")]
    (got,), (log,) = gather(Fanout(sources, web, top_k=5), "q")
    assert web.fetched == ["https://x.example/a?b=1"]
    assert urls(got.pages) == ["https://x.example/a?b=1"]
    assert sorted(status for _, status, _ in log.pages) == ["cached", "fetched"]
    assert sorted(log.requested) == sorted(url for url, _, _ in log.pages)


def test_anchors_of_a_collection_are_texts_of_their_own() -> None:
    """A source on this machine may hold two texts under one address with two fragments."""
    source = Holding("notes", "https://x.example/a#one", "https://x.example/a#two", needs_network=False)
    (got,), _ = gather(Fanout([source], Web(), top_k=5), "q")
    assert [page.text for page in got.pages] == [f"notes holds {url}" for url in source.urls]


def test_the_same_story_on_two_hosts_is_read_once_from_the_better_rank() -> None:
    """The copy is said to be one, in the events; a short text is not a story."""
    web = Web(**{B: STORY, C: STORY.replace(" ", "\n\n").upper(), A: "No results.", D: "No results."})
    (got,), (log,) = gather(Fanout([Memory("one", A, B, C, D)], web, top_k=5), "q")
    assert urls(got.pages) == [A, B, D]
    assert log.pages[-1] == (C, "skipped", "copy")
    assert (C, "fetched", None) in log.pages


def test_a_hung_page_of_one_source_does_not_hold_up_another_way_to_it() -> None:
    """The web has the page that a source does not hand over; the turn ends long before its deadline."""
    hung, web = Holding("hung", A), Web()
    hung.page_delay = 60.0
    began = time.monotonic()
    (got,), (log,) = gather(Fanout([hung, Memory("engine", A)], web, top_k=5), "q", deadline=20.0)
    assert time.monotonic() - began < 6
    assert [page.text for page in got.pages] == [f"{A} says nothing else"]
    assert len(log.pages) == 2
    assert all(status in ("fetched", "cached") for _, status, _ in log.pages)


def test_a_page_that_a_source_hands_over_in_time_is_not_asked_of_the_web() -> None:
    """One reading is enough when it works."""
    holding, web = Holding("wiki", A), Web()
    holding.page_delay = 0.3
    (got,), _ = gather(Fanout([holding, Memory("engine", A)], web, top_k=5), "q")
    assert (web.fetched, got.pages[0].text) == ([], f"wiki holds {A}")


def test_pages_of_a_source_on_the_network_are_kept_and_those_on_disk_are_not() -> None:
    """What was read over the network can be read again offline; a collection is on this machine already."""
    kept: list[Page] = []

    async def keep(page: Page) -> None:
        kept.append(page)

    sources = [Holding("wiki", A), Holding("notes", B, needs_network=False), Memory("engine", C)]
    gather(Fanout(sources, Web(), top_k=5, keep=keep), "q")
    assert urls(kept) == [A]
    assert kept[0].fetched_at is not None


class Strange(Memory):
    """Answers with whatever it was given."""

    def __init__(self, answer: object) -> None:
        super().__init__("strange")
        self.answer = answer

    async def search(self, query: str, top_k: int) -> list[SearchResult]:
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (None, "bad_answer"),
        (5, "bad_answer"),
        ([None], "bad_answer"),
        ([SearchResult(7, "x")], "bad_answer"),  # type: ignore[arg-type]
        (SystemExit(3), "bug"),
        (ValueError("broken"), "bug"),
    ],
)
def test_whatever_a_source_does_costs_its_own_results_only(answer: object, code: str) -> None:
    """Not a list, not results, an exception, an exit: one error by its name, and the other source is read."""
    (got,), (log,) = gather(Fanout([Strange(answer), Memory("one", A)], Web(), top_k=5), "q")
    assert urls(got.pages) == [A]
    errors = {source: error for _, source, error in log.searches}
    assert errors["one"] is None
    assert errors["strange"]["code"] == code  # type: ignore[index]


def test_a_result_of_a_hundred_megabytes_is_cut() -> None:
    """Title and snippet end at a bound; an address beyond one is no address."""
    big = "x" * (100 << 20)
    answer = [SearchResult(A, big, big), SearchResult(f"https://{big}", "t")]
    (got,), (log,) = gather(Fanout([Strange(answer)], Web(), top_k=5), "q")
    assert log.requested == [A]
    assert len(got.pages[0].title) < 2000


def test_the_fakes_are_sources() -> None:
    """What the tests pass in has the shape that plugins have."""
    assert isinstance(Memory("x"), Source)


def test_pages_that_are_too_old_are_left_out() -> None:
    """A page without a date is read; one that says an earlier day is skipped, and why is said."""
    dates = {"d:old": "2019-05-01", "d:new": "2026-01-05", "d:none": None, "d:year": "2026"}

    class Dated(Memory):
        async def read(self, url: str) -> Page | None:
            return Page(url, title=url, text=f"It says {url}.", date=dates[url], status="cached")

    fanout = Fanout([Dated("d", *dates, needs_network=False)], Web(), top_k=5, since="2026-01-01")
    (got,), (log,) = gather(fanout, "q")
    assert sorted(urls(got.pages)) == ["d:new", "d:none", "d:year"]
    assert ("d:old", "skipped", "too_old") in log.pages
