"""Which passages of its pages the model reads for a query: the door to other ways of choosing than hds's own."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol

from hds_cli.plugins import PluginError, load
from hds_cli.text import quote_words
from hds_cli.types import Page, Passage

BUILTIN = "bm25"
GROUP = "hds.selectors.v1"
_LOOKED_AT = 1000


class Selector(Protocol):
    """What an entry point of `hds.selectors.v1` is."""

    def __call__(self, question: str, query: str, pages: Sequence[Page], most: int) -> Iterable[Passage]:
        """At most `most` passages of `pages` for a query, best first: url, text and maybe heading of each.

        A passage must stand in its page word for word; one that does not is left out, as is one for which there is no
        room in the context.
        """


def selector(name: str) -> Selector | None:
    """The selector that `--select NAME` means; None: hds's own.

    Raises:
        PluginError: there is none, or it does not load.
    """
    if name == BUILTIN:
        return None
    found: Selector = load(GROUP, name)
    return found


def standing(passages: Iterable[Any], pages: Sequence[Page]) -> Iterator[tuple[Page, Passage]]:
    """The passages that stand in one of `pages`, each with its page."""
    by_url = {page.url: page for page in pages}
    words = {page.url: f" {quote_words(page.text)} " for page in pages}
    for passage in itertools.islice(passages, _LOOKED_AT):
        if not isinstance(passage, Passage):
            raise TypeError(f"{type(passage).__name__} is no passage")
        said = quote_words(passage.text)
        if said and f" {said} " in words.get(passage.url, ""):
            yield by_url[passage.url], passage


def asked(choose: Selector, question: str, query: str, pages: Sequence[Page], most: int) -> list[tuple[Page, Passage]]:
    """What a selector chooses, with its mistakes as an error of its own.

    Raises:
        PluginError: it failed; another way of choosing is never put in its place.
    """
    try:
        return list(itertools.islice(standing(choose(question, query, pages, most), pages), most))
    except (Exception, SystemExit) as exc:
        said = f"the selector failed: {type(exc).__name__}: {exc}"[:500]
        raise PluginError(said, hint="hds ask without --select") from exc
