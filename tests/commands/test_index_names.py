"""Names that mean something already are no names for a collection; pages read before are no source of their own accord."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hds_cli import config
from hds_cli.fetch.cache import PageCache
from hds_cli.types import Page
from tests.conftest import Hds


@pytest.mark.parametrize("name", ["cache", "local", "world", "wikipedia", "man", "searxng"])
def test_the_name_of_a_source_is_refused(hds: Hds, tmp_path: Path, name: str) -> None:
    """For files that are indexed and for those that are linked; also after the collection of that name was built."""
    notes, book = tmp_path / "notes.txt", tmp_path / "book.zim"
    notes.write_text("Basalt is a volcanic rock.")
    book.write_bytes(b"ZIM")
    if name == "world":
        assert hds("search", "-s", "world", "Peru").returncode == 0
    for file in (notes, book):
        done = hds("index", "add", str(file), "--name", name)
        assert done.returncode == 2
        assert f"'{name}' is the name of another source" in done.stderr


def test_a_page_that_was_read_joins_no_later_search_unasked(hds: Hds, home: Path, tmp_path: Path) -> None:
    """The cache is searched when it is named, or offline with nothing else."""
    cache = PageCache.of(config.load())
    cache.put(Page("http://x.example/basalt", title="Basalt", text="Basalt is a volcanic rock that flows."))
    cache.close()
    notes = tmp_path / "notes.txt"
    notes.write_text("Granite is a plutonic rock.")
    hds("index", "add", str(notes), "--name", "rocks", "-q")
    found = json.loads(hds("search", "--offline", "--json", "volcanic rock").stdout)["queries"][0]["results"]
    assert {result["url"] for result in found}.isdisjoint({"http://x.example/basalt"})
    asked = json.loads(hds("search", "--offline", "-s", "cache", "--json", "volcanic rock").stdout)
    assert [result["url"] for result in asked["queries"][0]["results"]] == ["http://x.example/basalt"]
