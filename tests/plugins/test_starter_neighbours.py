"""A list of a country's neighbours, as the starter writes it over pages of the World Factbook, against its page."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("hds_starter")

from hds_starter.asking import asked
from hds_starter.covering import misread

AUSTRIA = "total: 2,524 km\n\nborder countries (3): Czechia 402 km; Germany 801 km; Slovenia 299 km\n\nCoastline: 0 km"
CAPITALS = "What are the capitals of the countries that border Austria?"
NAMES = "which countries border austria"


@pytest.mark.parametrize(
    ("question", "answer", "whole"),
    [
        (CAPITALS, "Czech Republic: Prague; Germany: Berlin; Slovenia: Ljubljana", True),
        (CAPITALS, "Slovenia: Ljubljana; Croatia: Zagreb; Germany: Berlin", False),
        (CAPITALS, "Germany: Berlin; Slovenia: Ljubljana", False),
        (CAPITALS, "Prague, Berlin and Ljubljana", True),
        (CAPITALS, "Berlin and Ljubljana", False),
        (NAMES, "Germany, Czechia and Slovenia", True),
        (NAMES, "Germany, Czechia, Slovenia and Croatia", False),
    ],
)
def test_a_list_of_neighbours_is_the_one_of_the_page(question: str, answer: str, whole: bool) -> None:
    """One that was misread is no answer, however well its capitals stand in other pages."""
    page: Any = SimpleNamespace(title="Austria (World Factbook)", text=AUSTRIA)
    book: Any = SimpleNamespace(found={"u": 1}, page=lambda _: page)
    said = misread(asked(question), answer, book)
    assert said == ("" if whole else "Czechia 402 km; Germany 801 km; Slovenia 299 km")
