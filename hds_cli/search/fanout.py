"""Many queries at once over several sources, and the pages they lead to: nothing waits for anything it does not need.

Every query is a task, every (query, source) pair is one, every page is one. A page is requested as soon as its result
is known, whatever the other sources do. What is not there at the deadline is given up, with a word about it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hds_cli.errors import HdsError, SourceError
from hds_cli.search.base import Source
from hds_cli.search.checked import CheckedSource, checked, described
from hds_cli.search.fusion import Listed, fuse, identity, without_copies
from hds_cli.search.reading import Fetch, Keep, Reading
from hds_cli.search.sites import Sites
from hds_cli.search.visits import Visits
from hds_cli.types import Page, SearchResult


class Watcher:
    """Told what happens to each query; every method does nothing unless a subclass says otherwise."""

    def search_started(self, query: int, source: str) -> None: ...
    def search_finished(
        self, query: int, source: str, seconds: float, results: Sequence[SearchResult], error: dict[str, Any] | None
    ) -> None: ...
    def page_requested(self, query: int, result: SearchResult) -> None: ...
    def page_finished(self, query: int, page: Page) -> None:
        """A page is there or not. A second time, `skipped` for `copy`: it has the words of a better-ranked one."""


class _Heard(Watcher):
    """Passes reports on, and keeps why something is missing."""

    def __init__(self, then: Watcher) -> None:
        self._then = then
        self.reasons: list[str] = []
        self.lost: list[Page] = []

    def search_started(self, query: int, source: str) -> None:
        self._then.search_started(query, source)

    def search_finished(
        self, query: int, source: str, seconds: float, results: Sequence[SearchResult], error: dict[str, Any] | None
    ) -> None:
        if error:
            self.reasons.append(f"{source}: {error['message']}")
        self._then.search_finished(query, source, seconds, results, error)

    def page_requested(self, query: int, result: SearchResult) -> None:
        self._then.page_requested(query, result)

    def page_finished(self, query: int, page: Page) -> None:
        if not page.ok and page.reason != "copy":
            self.lost.append(page)
        self._then.page_finished(query, page)


@dataclass
class Gathered:
    """The outcome of one query.

    Attributes:
        pages: best first over all sources.
        answered: True when any source answered.
        reasons: why sources are missing: each one's name and message.
        lost: pages that were found and are not there, each with its reason.
        late: True when the time was over before a source said what it has.
    """

    pages: list[Page]
    answered: bool
    reasons: tuple[str, ...] = ()
    lost: tuple[Page, ...] = ()
    late: bool = False


class Fanout:
    """The searches of a run. Pages are asked for once in a run, however many queries lead to them.

    Args:
        fetch: gets a page of the web; never raises.
        top_k: results of a query that are read, from each source; may change between two turns.
        keep: is given every page that a source read over the network by itself.
        since: the first day, `YYYY-MM-DD`, of pages that are read; one without a date is.
        sites: what pages are from, wherever a redirect led.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        fetch: Fetch,
        *,
        top_k: int,
        keep: Keep | None = None,
        since: str = "",
        sites: Sites = Sites(),
    ) -> None:
        self._since, self._sites = since, sites
        self._sources, self.top_k = [checked(source, sites) for source in sources], top_k
        self._reading = Reading(fetch, keep)
        self._visits = Visits()
        identity("https://example.org/")  # loads what it needs now, not while the first result waits
        self.failures: dict[str, str] = {}
        self.answered = False

    def page(self, url: str) -> Page | None:
        """A page that this run has read."""
        return self._reading.page(url)

    async def gather(self, number: int, query: str, watch: Watcher, deadline: asyncio.Event) -> Gathered:
        """Search one query everywhere and read what it finds, until all is there or `deadline` is set."""
        per_source: list[list[SearchResult]] = [[] for _ in self._sources]
        heard = _Heard(watch)
        parts = [self._one(number, query, *pair, heard) for pair in zip(self._sources, per_source, strict=True)]
        answers = await asyncio.gather(*(_until(deadline, part) for part in parts))
        pages = self._best(number, per_source, heard)
        late = not (pages or any(answers) or any(per_source)) and None in answers
        return Gathered(pages, any(answers), tuple(heard.reasons), tuple(heard.lost), late)

    def _best(self, number: int, per_source: Sequence[Sequence[SearchResult]], watch: Watcher) -> list[Page]:
        """The pages that are there, in the order of all sources together, each story once."""
        lists = [Listed(results, not s.needs_network) for results, s in zip(per_source, self._sources, strict=True)]
        pages = [(fused, next(filter(None, map(self.page, fused.urls)), None)) for fused in fuse(lists)]
        kept, copies = without_copies([(page, fused.urls) for fused, page in pages if page], self._reading.fingerprint)
        left_out = [("copy", page, urls) for page, urls in copies]
        left_out += [(reason, page, urls) for page, urls in kept if (reason := self._unwanted(page))]
        for reason, page, urls in left_out:
            for url in urls:
                watch.page_finished(number, Page(url, title=page.title, status="skipped", reason=reason))
        return [page for page, _ in kept if not self._unwanted(page)]

    def _unwanted(self, page: Page) -> str:
        """Why a page is not read: it is too old, or of another site; empty: it is."""
        if page.date and page.date < self._since[: len(page.date)]:
            return "too_old"
        return "" if self._sites.allow(page.final_url or page.url) else "other_site"

    async def visit(
        self, number: int, url: str, written: Sequence[str], watch: Watcher, deadline: asyncio.Event
    ) -> Gathered:
        """Read one page that a search of this run led to, or whose address is one of `written` by the user."""
        heard = _Heard(watch)
        way = self._visits.way(url, written)
        if way is None or not self._sites.allow(way[1].url):
            reason = "other_site" if way else "unknown_address"
            heard.page_requested(number, SearchResult(url, ""))
            heard.page_finished(number, Page(url, status="blocked", reason=reason))
            return Gathered([], False, lost=tuple(heard.lost))
        await _until(deadline, self._read_one(number, *way, heard))
        page = self.page(way[1].url)
        if page is not None and (reason := self._unwanted(page)):
            heard.page_finished(number, Page(way[1].url, title=page.title, status="skipped", reason=reason))
            page = None
        self.answered = self.answered or page is not None
        return Gathered([page] if page else [], page is not None, lost=tuple(heard.lost))

    async def _read_one(self, number: int, source: CheckedSource, result: SearchResult, watch: Watcher) -> bool:
        await self._read(number, source, result, watch)
        return True

    async def _one(
        self, number: int, query: str, source: CheckedSource, own_results: list[SearchResult], watch: Watcher
    ) -> bool:
        """Search one source and read its results, which are put into `found` as soon as they are known."""
        started = time.monotonic()
        watch.search_started(number, source.name)
        error: HdsError | None = None
        missing: HdsError | None = None
        try:
            results = await source.search(query, self.top_k)
            own_results += results
            missing = results.missing
        except HdsError as exc:
            error = exc
        except asyncio.CancelledError:
            error = SourceError(f"no answer in {time.monotonic() - started:.0f} s", code="timeout")
            raise
        finally:
            problem = error or missing
            failure = described(problem) if problem else None
            watch.search_finished(number, source.name, time.monotonic() - started, tuple(own_results), failure)
            if failure:
                self.failures[source.name] = failure["message"]
        if error:
            return False
        self.answered = True
        self._visits.add(source, own_results)
        await asyncio.gather(*(self._read(number, source, result, watch) for result in own_results))
        return True

    async def _read(self, number: int, source: CheckedSource, result: SearchResult, watch: Watcher) -> None:
        started = time.monotonic()
        watch.page_requested(number, result)
        try:
            page, again = await self._reading.read(source, result)
        except asyncio.CancelledError:
            seconds = time.monotonic() - started
            late = Page(result.url, title=result.title, status="failed", reason="deadline", seconds=seconds)
            watch.page_finished(number, late)
            raise
        if again and page.ok:
            page = replace(page, status="cached", seconds=time.monotonic() - started, extract_seconds=0.0, bytes=0)
        watch.page_finished(number, replace(page, url=result.url, title=page.title or result.title))

    async def close(self) -> None:
        """Give up what is still being read."""
        await self._reading.close()


async def _until(deadline: asyncio.Event, work: Awaitable[bool]) -> bool | None:
    """`work`; None when the deadline was set first, and it was cancelled."""
    task = asyncio.ensure_future(work)
    alarm = asyncio.ensure_future(deadline.wait())
    try:
        await asyncio.wait({task, alarm}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            task.cancel()
            await asyncio.wait({task})
        return None if task.cancelled() else task.result()
    finally:
        alarm.cancel()
        if not task.done():
            task.cancel()
