"""Pages for the tests of the cache."""

from __future__ import annotations

from pathlib import Path

from hds_cli.fetch.cache import PageCache
from hds_cli.types import Page


def page(number: int, words: str = "an ordinary text", **more: str) -> Page:
    return Page(url=f"http://x.example/{number}", title=f"Title {number}", text=f"page {number} {words}", **more)  # type: ignore[arg-type]


def filled(folder: Path, number: int = 30) -> PageCache:
    made = PageCache(folder)
    for n in range(number):
        made.put(page(n, f"word{n} " + "filler text " * 200))
    return made
