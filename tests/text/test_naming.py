"""Titles and the queries that name them."""

from __future__ import annotations

import pytest

from hds_cli.text import abbreviated, named_in, plain_title, terms


@pytest.mark.parametrize(
    ("title", "query"),
    [
        ("New York City", "NYC population"),
        ("United Kingdom", "uk prime minister 1990"),
        ("IBM", "founder of International Business Machines"),
        ("University of California, Los Angeles", "UCLA chancellor"),
    ],
)
def test_initials_name_a_title(title: str, query: str) -> None:
    """Either way round, whatever the case."""
    assert abbreviated(title, terms(query))


@pytest.mark.parametrize(("title", "query"), [("Tin", "tin mine"), ("Great Barrier Reef", "coral reef"), ("", "a b")])
def test_other_words_do_not(title: str, query: str) -> None:
    """A title of one word is no abbreviation of itself, three words are not named by one of them."""
    assert not abbreviated(title, terms(query))


def test_an_addition_in_brackets_need_not_be_named() -> None:
    """Nor does a title of brackets alone take long."""
    assert plain_title("Mercury (planet)") == "Mercury"
    assert plain_title("A (b) c") == "A (b) c"
    assert plain_title("(1979)") == "(1979)"
    assert named_in("Mercury (planet)", terms("orbit of Mercury")) == 1
    assert plain_title("(" * 200_000) == "(" * 300
