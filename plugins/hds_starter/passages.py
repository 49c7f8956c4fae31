"""What is shown of pages that the starter was not taught: the passages that fit best, and no words of its own."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence

from hds_cli.agent.notebook import Notebook
from hds_cli.agent.selectors.base import Budget, Reading
from hds_cli.agent.selectors.bm25 import choose
from hds_cli.agent.verdict import Verdict, unanswered
from hds_cli.kinds import of_name
from hds_cli.text import BM25, terms
from hds_cli.text.sentences import sentences
from hds_cli.types import Citation, Page, Passage
from hds_starter import world

_WORLD = "local://world/"  # begins the addresses of the collection that the adapter was taught over
_MOST = 3
_LOOKED_AT = 8  # passages
_WORDS = 90  # of a passage
_TOKENS = 4000
_LINES = ("markdown", "text", "code", "csv", "json", "jsonl")  # kinds of files whose text keeps the file's lines
_WHY = (
    "The starter answers from pages on countries alone; these passages fit best. An answer in words: hds model suggest"
)


def strange(book: Notebook) -> list[str]:
    """The addresses of the pages of a run that are on no country, which the starter was not taught."""
    titles = {url: page.title for url in sorted(book.found) if (page := book.page(url)) is not None}
    titles |= {passage.url: passage.title for _, passage in book.read}
    others = [url for url in titles if not url.startswith(_WORLD)]
    countries = _countries() if others else frozenset()
    return [url for url in others if titles[url].partition(" (")[0].casefold() not in countries]


@functools.cache
def _countries() -> frozenset[str]:
    return frozenset(name.casefold() for name in world.countries())


def best(book: Notebook, urls: Sequence[str], stopped: str | None) -> Verdict:
    """The end of a run that shows passages of its pages; `no_evidence` where none fits.

    Args:
        stopped: why the run was stopped early, if it was.
    """
    ending = unanswered(stopped)
    pages = [page for url in urls if (page := book.page(url)) is not None]
    asked = " ".join([book.question, *book.queries])
    room = Budget(_TOKENS, _LOOKED_AT, _WORDS)
    chosen = sorted(choose(book.question, [Reading(asked, pages)], room)[0], key=lambda passage: -passage.score)
    cited = list(_cited(chosen, {page.url: page for page in pages}, terms(book.question)))
    if not cited:
        return Verdict(*ending, stopped or "no_evidence", explanation=book.nothing_on())
    return Verdict(
        *ending, stopped or "passages", explanation=_WHY, citations=tuple(cited[:_MOST])
    )  # fmt: skip


def _cited(passages: Sequence[Passage], pages: dict[str, Page], sought: list[str]) -> Iterator[Citation]:
    """A source for each passage with a word of the question: its best sentence, and where that stands."""
    for number, passage in enumerate(passages, 1):
        statements = [part for line in passage.text.split("\n") for part in sentences(line)] or [passage.text]
        scores = BM25(statements).scores(sought)
        quote = statements[max(range(len(statements)), key=lambda n: (scores[n], -n))]
        yield Citation(
            number, passage.url, passage.title, quote, True, passage.fetched_at, context=passage.text,
            line=_line(pages[passage.url], quote),
        )  # fmt: skip


def _line(page: Page, quote: str) -> int | None:
    """The line of a file in which a quote begins; None for a page without lines of its own."""
    place = page.text.find(quote)
    if not page.url.startswith("file:") or of_name(page.url) not in _LINES or place < 0:
        return None
    return page.text.count("\n", 0, place) + 1
