"""Sources in memory for the tests of the parallel step: what they answer, how late, and what they were asked."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from hds_cli.search.fanout import Fanout, Gathered, Watcher
from hds_cli.types import Page, SearchResult

STORY = (
    "The lighthouse keeper of the northern cape has lit the lamp each evening for forty years, and nobody came. " * 2
)


class Memory:
    """Finds the same `urls` for every query; an exception instead of them is raised."""

    def __init__(
        self, name: str, *urls: str, fails: Exception | None = None, delay: float = 0.0, needs_network: bool = True
    ) -> None:
        self.name, self.urls, self.fails, self.delay, self.needs_network = name, urls, fails, delay, needs_network
        self.asked: list[str] = []

    async def search(self, query: str, top_k: int) -> list[SearchResult]:
        self.asked.append(query)
        await asyncio.sleep(self.delay)
        if self.fails:
            raise self.fails
        return [SearchResult(url, f"title of {url}") for url in self.urls]


class Holding(Memory):
    """Serves its pages itself, after `page_delay` seconds."""

    page_delay = 0.0

    async def read(self, url: str) -> Page | None:
        await asyncio.sleep(self.page_delay)
        return Page(url, title="held", text=f"{self.name} holds {url}")


class Log(Watcher):
    """Everything a watcher is told, as tuples."""

    def __init__(self) -> None:
        self.searches: list[tuple[int, str, dict | None]] = []
        self.requested: list[str] = []
        self.pages: list[tuple[str, str, str | None]] = []

    def search_finished(self, query, source, seconds, results, error):  # type: ignore[no-untyped-def]
        self.searches.append((query, source, error))

    def page_requested(self, query: int, result: SearchResult) -> None:
        self.requested.append(result.url)

    def page_finished(self, query: int, page: Page) -> None:
        self.pages.append((page.url, page.status, page.reason))


class Web:
    """A web of `texts` by address; every other page says its address. `fetched` are the requests in order."""

    def __init__(self, **texts: str) -> None:
        self.texts, self.fetched = texts, []

    async def __call__(self, url: str) -> Page:
        self.fetched.append(url)
        return Page(url, title=f"page {url}", text=self.texts.get(url, f"{url} says nothing else"), bytes=9)


def gather(fanout: Fanout, *queries: str, deadline: float = 5.0) -> tuple[list[Gathered], list[Log]]:
    """One turn of queries, each with a log of its own."""

    async def go() -> tuple[list[Gathered], list[Log]]:
        end = asyncio.Event()
        asyncio.get_running_loop().call_later(deadline, end.set)
        logs = [Log() for _ in queries]
        work = (fanout.gather(n, q, logs[n], end) for n, q in enumerate(queries))
        try:
            return list(await asyncio.gather(*work)), logs
        finally:
            await fanout.close()

    return asyncio.run(go())


def urls(pages: Sequence[Page]) -> list[str]:
    return [page.url for page in pages]
