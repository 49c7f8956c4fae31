"""Opens the selector that was asked for, and checks what it chooses."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from hds_cli.agent.selectors.base import Budget, Chosen, Reading, Selector
from hds_cli.agent.selectors.bm25 import choose as bm25
from hds_cli.agent.selectors.cover import choose as cover
from hds_cli.plugins import PluginError, load
from hds_cli.text import quote_words
from hds_cli.text.cutting import behind
from hds_cli.types import Page, Passage

BUILTIN = "bm25"
OWN: dict[str, Selector] = {BUILTIN: bm25, "cover": cover}
GROUP = "hds.selectors.v2"
MARK = "…"
_LOOKED_AT = 1000


def selector(name: str) -> Selector:
    """The selector that `--select NAME` means.

    Raises:
        PluginError: there is none, or it does not load.
    """
    if name in OWN:
        return OWN[name]
    if name == "set":
        raise PluginError("the selector set asks the model of a run", hint="hds ask --select set")
    chosen: Selector = load(GROUP, name)
    return chosen


def asked(choose: Selector, question: str, readings: Sequence[Reading], budget: Budget) -> list[Chosen]:
    """A selector's passages for each reading; a passage that does not stand in the pages is left out.

    Raises:
        PluginError: the selector failed; no other selector takes its place.
    """
    try:
        lists = list(itertools.islice(choose(question, readings, budget), len(readings) + 1))
        if len(lists) != len(readings):
            raise ValueError(f"{len(lists)} lists of passages for {len(readings)} queries")
        return [
            Chosen(_standing(passages, reading.pages), _standing(getattr(passages, "dropped", ()), reading.pages))
            for passages, reading in zip(lists, readings, strict=True)
        ]
    except (Exception, SystemExit) as exc:
        message = f"the selector failed: {type(exc).__name__}: {exc}"[:500]
        raise PluginError(message, hint="hds ask without --select") from exc


def _standing(passages: Iterable[Any], pages: Sequence[Page]) -> Iterator[Passage]:
    """The passages that stand in one of `pages`, with what is known of the page."""
    by_url = {page.url: page for page in pages}
    for passage in itertools.islice(passages, _LOOKED_AT):
        if not isinstance(passage, Passage):
            raise TypeError(f"{type(passage).__name__} is no passage")
        page = by_url.get(passage.url)
        if page is not None and _stands(passage.text, page.text):
            yield Passage(
                page.url, page.title, passage.text, heading=passage.heading, score=passage.score,
                fetched_at=page.fetched_at, date=page.date,
            )  # fmt: skip


def _stands(text: str, page: str) -> bool:
    """True when a text, without the marks of its cuts, is in a page; markup and line breaks do not matter."""
    inside = text.strip(f"{MARK} \n")
    if inside and behind(page, text) is not None:
        return True
    words = quote_words(inside)
    return bool(words) and f" {words} " in f" {quote_words(page)} "
