"""Many queries at once over several sources, and the pages they lead to: nothing waits for anything it does not need.

Every query is a task, every (query, source) pair is one, every page is one. A page is requested as soon as its result
is known, whatever the other sources do. What is not there at the deadline is given up, with a word about it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from hds_cli.errors import HdsError
from hds_cli.keys import redact
from hds_cli.search.base import ReadingSource, Source
from hds_cli.types import Page, SearchResult


class Watcher:
    """Told what happens to each query; every method does nothing unless a subclass says otherwise."""

    def search_started(self, query: int, source: str) -> None: ...
    def search_finished(
        self, query: int, source: str, seconds: float, results: Sequence[SearchResult], error: dict[str, str] | None
    ) -> None: ...
    def page_requested(self, query: int, result: SearchResult) -> None: ...
    def page_finished(self, query: int, page: Page) -> None: ...


@dataclass
class Gathered:
    """What one query brought: its pages in the order of their rank, and whether any source answered."""

    pages: list[Page]
    answered: bool


class Fanout:
    """The searches of a run. Pages are asked for once in a run, however many queries lead to them.

    Args:
        fetch: gets a page of the web; never raises.
        top_k: results of a query that are read, from each source.
    """

    def __init__(self, sources: Sequence[Source], fetch: Callable[[str], Awaitable[Page]], *, top_k: int) -> None:
        self._sources, self._fetch, self._top_k = sources, fetch, top_k
        self._pages: dict[str, asyncio.Task[Page]] = {}
        self.failures: dict[str, str] = {}
        self.answered = False

    def page(self, url: str) -> Page | None:
        """A page that this run has read."""
        task = self._pages.get(url)
        return task.result() if task and task.done() and not task.cancelled() and not task.exception() else None

    async def gather(self, number: int, query: str, watch: Watcher, deadline: asyncio.Event) -> Gathered:
        """Search one query everywhere and read what it finds, until all is there or `deadline` is set."""
        found: list[tuple[int, int, str]] = []  # rank, place of the source, url
        parts = [self._one(number, query, source, place, watch, found) for place, source in enumerate(self._sources)]
        work = asyncio.gather(*(_until(deadline, part) for part in parts))
        answers = await work
        found.sort()
        urls = dict.fromkeys(url for _, _, url in found)
        pages = [page for url in urls if (page := self.page(url)) and page.ok]
        return Gathered(pages, any(answers))

    async def _one(
        self, number: int, query: str, source: Source, place: int, watch: Watcher, found: list[tuple[int, int, str]]
    ) -> bool:
        started = time.monotonic()
        watch.search_started(number, source.name)
        results: list[SearchResult] = []
        error: dict[str, str] | None = None
        try:
            found_here = await source.search(query, self._top_k)
            results = [replace(r, source=r.source or source.name) for r in found_here[: self._top_k]]
        except HdsError as exc:
            error = {"code": exc.error_code, "message": redact(exc.message)}
        except asyncio.CancelledError:
            late = {"code": "timeout", "message": f"no answer in {time.monotonic() - started:.0f} s"}
            watch.search_finished(number, source.name, time.monotonic() - started, (), late)
            self.failures[source.name] = late["message"]
            raise
        except Exception as exc:  # a plugin's bug costs its own search only
            error = {"code": "bug", "message": redact(f"{type(exc).__name__}: {exc}")}
        watch.search_finished(number, source.name, time.monotonic() - started, results, error)
        if error:
            self.failures[source.name] = error["message"]
            return False
        self.answered = True
        found += [(result.rank, place, result.url) for result in results]
        await asyncio.gather(*(self._read(number, source, result, watch) for result in results))
        return True

    async def _read(self, number: int, source: Source, result: SearchResult, watch: Watcher) -> None:
        started = time.monotonic()
        watch.page_requested(number, result)
        again = result.url in self._pages
        if not again:
            self._pages[result.url] = asyncio.create_task(self._get(source, result))
        try:
            page = await asyncio.shield(self._pages[result.url])
        except asyncio.CancelledError:
            seconds = time.monotonic() - started
            late = Page(result.url, title=result.title, status="failed", reason="deadline", seconds=seconds)
            watch.page_finished(number, late)
            raise
        if again and page.ok:
            page = replace(page, status="cached", seconds=time.monotonic() - started, extract_seconds=0.0, bytes=0)
        watch.page_finished(number, page if page.title else replace(page, title=result.title))

    async def _get(self, source: Source, result: SearchResult) -> Page:
        started = time.monotonic()
        try:
            if isinstance(source, ReadingSource):
                page = await source.read(result.url)
                if page is not None:
                    return replace(page, seconds=time.monotonic() - started)
            return await self._fetch(result.url)
        except HdsError as exc:
            reason = exc.error_code
        except Exception as exc:  # as above
            reason = redact(f"{type(exc).__name__}: {exc}")
        return Page(result.url, title=result.title, status="failed", reason=reason)

    async def close(self) -> None:
        """Give up what is still being read."""
        tasks = [task for task in self._pages.values() if not task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _until(deadline: asyncio.Event, work: Awaitable[bool]) -> bool:
    """`work`, cancelled when the deadline is set first."""
    task = asyncio.ensure_future(work)
    alarm = asyncio.ensure_future(deadline.wait())
    try:
        await asyncio.wait({task, alarm}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            task.cancel()
            await asyncio.wait({task})
        return not task.cancelled() and task.result()
    finally:
        alarm.cancel()
        if not task.done():
            task.cancel()
