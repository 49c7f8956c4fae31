"""Fusion: reciprocal ranks, and which addresses are one page."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hds_cli.search.fusion import Listed, fingerprint, fuse, identity
from hds_cli.types import Page, SearchResult

from .sources import STORY


def listed(source: str, *urls: str) -> Listed:
    return Listed([SearchResult(url, url, rank=n, source=source) for n, url in enumerate(urls, 1)])


def test_scores_are_sums_of_reciprocal_ranks() -> None:
    """Figures of the formula, k = 60; every source that found a page is named with its rank."""
    first, second, *_ = fuse([listed("a", "http://x/1", "http://x/2"), listed("b", "http://x/2", "http://x/3")])
    assert first.ranks == (("b", 1), ("a", 2))
    assert first.score == pytest.approx(1 / 61 + 1 / 62)
    assert (second.result.url, second.score) == ("http://x/1", pytest.approx(1 / 61))


def test_one_source_keeps_its_own_order() -> None:
    """Fusion changes nothing where there is nothing to fuse."""
    urls = [f"http://x/{n}" for n in range(30)]
    assert [one.result.url for one in fuse([listed("a", *urls)])] == urls


@given(st.lists(st.lists(st.sampled_from("pqrstuv"), unique=True, max_size=6), max_size=4))
def test_fusion_loses_nothing_repeats_nothing_and_is_the_same_every_time(lists: list[list[str]]) -> None:
    """Every page once; what is first in every list is first; equal input, equal output."""
    found = [listed(str(n), *(f"http://x/{name}" for name in names)) for n, names in enumerate(lists)]
    fused = fuse(found)
    assert sorted(one.result.url for one in fused) == sorted({f"http://x/{name}" for names in lists for name in names})
    assert fused == fuse(found)
    tops = {names[0] for names in lists if names}
    if len(tops) == 1 and all(lists):
        assert fused[0].result.url == f"http://x/{tops.pop()}"


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("http://x.example/a", "https://x.example/a"),
        ("https://X.example:443/a/", "https://x.example./a"),
        ("https://x.example", "https://x.example/#top"),
        ("https://x.example/?b=2&a=1&fbclid=9", "https://x.example/?a=1&b=2"),
        ("https://x.example/%7Euser/%c3%a9", "https://x.example/~user/é"),
        ("https://bücher.example/", "https://xn--bcher-kva.example/"),
    ],
)
def test_these_addresses_are_one_page(left: str, right: str) -> None:
    """Differences that no server makes."""
    assert identity(left) == identity(right)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("https://x.example/a", "https://y.example/a"),
        ("https://x.example/a", "https://x.example/A"),
        ("https://x.example/?id=1", "https://x.example/?id=2"),
        ("https://x.example/?ref=main", "https://x.example/?ref=dev"),
        ("https://x.example/?uid=1&source=a", "https://x.example/?uid=2&source=a"),
        ("https://x.example:8443/", "https://x.example/"),
        ("https://x.example/#!/one", "https://x.example/#!/two"),
        ("world://Norway", "world://norway"),
        ("/home/a.txt", "/home/a.txt/"),
    ],
)
def test_these_addresses_are_two(left: str, right: str) -> None:
    """A parameter that may name the page is no tracking; an address that is not of the web is itself."""
    assert identity(left) != identity(right)


@given(st.text(max_size=60))
def test_any_text_has_an_identity(text: str) -> None:
    """Addresses are untrusted: nothing raises, and an identity is its own."""
    for url in (text, f"https://{text}", f"http://x.example/{text}"):
        assert identity(url) == identity(url)


def test_a_story_is_known_by_its_words() -> None:
    """Markup, case and line breaks make no difference; a changed word does; a few words are no story."""
    same = Page("b", text="# " + STORY.replace(" ", "\n").upper())
    assert fingerprint(Page("a", text=STORY)) == fingerprint(same)
    assert fingerprint(Page("a", text=STORY)) != fingerprint(Page("b", text=STORY.replace("forty", "fifty")))
    assert fingerprint(Page("a", text="Please enable JavaScript")) is None
