"""A text of anybody's, checked sentence by sentence against pages, what a search finds, or the passages of a run."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from hds_cli.agent.support.attribution import attributed
from hds_cli.agent.support.message import units
from hds_cli.agent.verifying import Verifier, asks, compare, self_contained
from hds_cli.config import Settings
from hds_cli.errors import NoSources
from hds_cli.search.base import Source
from hds_cli.search.fanout import Fanout, Watcher
from hds_cli.search.reading import Fetch
from hds_cli.text import cut_passages
from hds_cli.types import Page, Passage, Support

MOST_TEXT = 600_000  # characters of a text
MOST_PASSAGES, WORDS = 2000, 180
MOST_PAGE = 1_000_000  # characters of a page
_PART = 50_000  # characters that are looked at together
_QUERY = 300  # characters of a sentence that are searched
_AT_ONCE, _SEARCHES = 8, 500  # searches at once, and of a text


@dataclass
class Ground:
    """The passages that a text is checked against, numbered, and the texts of their pages."""

    passages: list[Passage] = field(default_factory=list)
    pages: dict[str, str] = field(default_factory=dict)
    cut: bool = False

    @classmethod
    def of(cls, pages: Iterable[Page]) -> Ground:
        """The pages, cut into passages; `cut` says that there were more than are looked at."""
        ground = cls()
        for page in {page.url: page for page in pages}.values():
            ground.pages[page.url] = text = page.text[:MOST_PAGE]
            ground.cut = ground.cut or len(page.text) > MOST_PAGE
            for cut in cut_passages(text, WORDS, WORDS // 3):
                if not ground.add(Passage(page.url, page.title, cut.text, heading=cut.heading)):
                    return ground
        return ground

    def add(self, passage: Passage) -> bool:
        """Take in a passage, with a number of its own; False, and `cut`, when there is no room."""
        self.cut = self.cut or len(self.passages) >= MOST_PASSAGES
        if not self.cut:
            self.passages.append(replace(passage, n=len(self.passages) + 1))
        return not self.cut

    def passage(self, number: int) -> Passage:
        """The passage with a number."""
        return self.passages[number - 1]


@dataclass(frozen=True)
class Checked:
    """The support of each unit of a text, the number of those that were left, and whether time was what lacked."""

    support: tuple[Support, ...]
    left: int = 0
    late: bool = False


def check(text: str, ground: Ground, verifier: Callable[[], Verifier] | None, late: Callable[[], bool]) -> Checked:
    """Check a text: by words, names and values first, then by the verifier.

    Args:
        verifier: opens it, when there is something to ask; None: words, names and values alone.
        late: true once nobody waits any longer.

    Raises:
        HdsError: the verifier is missing or unusable.
    """
    support: list[Support] = []
    left = 0
    read = [("", passage) for passage in ground.passages]
    for part in _parts(text[:MOST_TEXT]):
        graded = [one for _, one in attributed(part, "", read, lambda url: ground.pages.get(url, ""))]
        if verifier is not None and late():
            left += sum(map(asks, graded))
        elif verifier is not None:
            claims = self_contained([one.text for one in graded], "")
            compared = compare(graded, claims, ground.passages, verifier, late)
            graded, left = list(compared.support), left + compared.left
        support += graded
    return Checked(tuple(support), left, late())


async def found(text: str, sources: Sequence[Source], settings: Settings, fetch: Fetch) -> list[Page]:
    """The pages that a search for each sentence of a text finds, each once.

    Raises:
        NoSources: no source answered.
    """
    fanout = Fanout(sources, fetch, top_k=settings.top_k)
    room = asyncio.Semaphore(_AT_ONCE)
    sought = [unit.text[:_QUERY] for part in _parts(text[:MOST_TEXT]) for unit in units(part)]

    async def one(number: int, query: str) -> list[Page]:
        async with room:
            deadline = asyncio.Event()
            alarm = asyncio.get_running_loop().call_later(settings.turn_timeout, deadline.set)
            try:
                return (await fanout.gather(number, query, Watcher(), deadline)).pages
            finally:
                alarm.cancel()

    try:
        queries = list(dict.fromkeys(sought))[:_SEARCHES]
        lists = await asyncio.gather(*(one(number, query) for number, query in enumerate(queries, 1)))
    finally:
        await fanout.close()
    if not fanout.answered and fanout.failures:
        what = "; ".join(f"{name}: {reason}" for name, reason in fanout.failures.items())
        raise NoSources(f"no source could be reached ({what})", code="unreachable")
    return [page for pages in lists for page in pages]


def _parts(text: str) -> Iterator[str]:
    """A text in parts that end at blank lines, or at line ends where one is too long."""
    held: list[str] = []
    for paragraph in re.split(r"(?<=\n)(?:[^\S\n]*\n)+", text):
        for start in range(0, len(paragraph), _PART):
            piece = paragraph[start : start + _PART]
            if held and sum(map(len, held)) + len(piece) > _PART:
                yield "\n\n".join(held)
                held = []
            held.append(piece)
    if held:
        yield "\n\n".join(held)
