"""The pages of a run, each read once whoever found it; but no way to a page holds up another way to it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from hds_cli import bounds
from hds_cli.keys import redact
from hds_cli.search.checked import CheckedSource, as_error
from hds_cli.search.fusion import fingerprint, identity
from hds_cli.threads import in_daemon
from hds_cli.types import Page, SearchResult

Fetch = Callable[[str], Awaitable[Page]]
Keep = Callable[[Page], Awaitable[None]]
MOST_TEXT = 8_000_000  # bytes of memory that the texts of a run take together; beyond it, each has the least
MOST_PAGE, LEAST_TEXT = 4_000_000, 120_000
MOST_CHARACTERS = 2_000_000  # of a page
PATIENCE = 1.5  # seconds for which a second way to a page waits for the first


class _Ways:
    """The ways tried to one page, by name, and the page that was there first."""

    def __init__(self) -> None:
        self.tasks: dict[str, asyncio.Task[Page]] = {}
        self.winner: asyncio.Future[Page] = asyncio.get_running_loop().create_future()

    def start(self, name: str, work: Coroutine[None, None, Page]) -> None:
        self.tasks[name] = asyncio.create_task(work)
        self.tasks[name].add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[Page]) -> None:
        if not task.cancelled() and not task.exception() and task.result().ok and not self.winner.done():
            self.winner.set_result(task.result())

    async def settled(self, patience: float) -> None:
        """Until one way has the page, every way has failed, or `patience` is over."""
        every = asyncio.ensure_future(asyncio.wait(self.tasks.values()))
        try:
            either: set[asyncio.Future[Any]] = {self.winner, every}
            await asyncio.wait(either, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
        finally:
            every.cancel()

    async def ended(self, name: str) -> Page:
        """The page, by whichever way; or why the way `name` did not lead to it."""
        await asyncio.wait({self.winner, self.tasks[name]}, return_when=asyncio.FIRST_COMPLETED)
        return self.winner.result() if self.winner.done() else self.tasks[name].result()


class Reading:
    """Reads pages through the source that holds them, or through `fetch`.

    A page that two sources found is read by the first. When that has not got it within `patience`, or could not get
    it, the second reads it its own way, and what comes first is taken (hedged requests: Dean and Barroso, The Tail at
    Scale, CACM 2013).

    Args:
        fetch: gets a page of the web; never raises.
        keep: is given every page that a source read over the network by itself; never raises.
        patience: seconds.
    """

    def __init__(self, fetch: Fetch, keep: Keep | None = None, patience: float = PATIENCE) -> None:
        self._fetch, self._keep, self._patience = fetch, keep, patience
        self._ways: dict[str, _Ways] = {}
        self._there: dict[str, Page] = {}
        self._bytes = 0
        self._fingerprints: dict[str, str | None] = {}

    def page(self, url: str) -> Page | None:
        """A page that was read, by an address that led to it."""
        return self._there.get(url)

    def fingerprint(self, page: Page) -> str | None:
        """The fingerprint of a page that was read, made when it came."""
        return self._fingerprints.get(page.url)

    async def read(self, source: CheckedSource, result: SearchResult) -> tuple[Page, bool]:
        """The page behind a result, or why there is none; and whether it was asked for before."""
        key = identity(result.url, anchors=not source.needs_network)
        if key not in self._ways:
            self._ways[key] = _Ways()
        ways = self._ways[key]
        name = source.name if source.reads else result.url
        if ways.tasks and name not in ways.tasks:
            await ways.settled(self._patience)
        ours = name not in ways.tasks and not ways.winner.done()
        if ours:
            ways.start(name, self._shortened(source, result))
        page = ways.winner.result() if ways.winner.done() else await ways.ended(name)
        if page.ok:
            self._there.setdefault(page.url, page)
            self._there.setdefault(result.url, page)
        return page, not ours

    async def _shortened(self, source: CheckedSource, result: SearchResult) -> Page:
        """The page as this run keeps it: whole, until the pages of the run are as long as they may be together."""
        page = await self._get(source, result)
        width = bounds.width(page.text)
        room = min(MOST_CHARACTERS, min(MOST_PAGE, max(LEAST_TEXT, MOST_TEXT - self._bytes)) // width)
        self._bytes += width * min(room, len(page.text))
        page = page if len(page.text) <= room else replace(page, text=page.text[:room])
        if page.ok:
            self._fingerprints[page.url] = await in_daemon(fingerprint, page)
        return page

    async def _get(self, source: CheckedSource, result: SearchResult) -> Page:
        started = time.monotonic()
        try:
            page = await source.read(result.url)
            if page is None:
                return await self._fetch(result.url)
        except Exception as exc:
            error = as_error(exc)
            reason = redact(error.message) if error.error_code == "bug" else error.error_code
            return Page(result.url, title=result.title, status="failed", reason=reason)
        if source.needs_network and page.ok:
            page = replace(page, fetched_at=page.fetched_at or datetime.now(UTC).isoformat(timespec="seconds"))
            if self._keep is not None:
                await self._keep(page)
        held_by = "" if source.needs_network or source.name == "cache" else source.name
        return replace(page, seconds=time.monotonic() - started, held_by=held_by)

    async def close(self) -> None:
        """Give up what is still being read."""
        tasks = [task for ways in self._ways.values() for task in ways.tasks.values() if not task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
