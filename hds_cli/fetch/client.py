"""Pages by URL: guarded, bounded, polite, cached, read by worker processes."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import Mapping
from contextlib import nullcontext, suppress
from datetime import UTC, datetime
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from hds_cli import bounds
from hds_cli.config import Settings
from hds_cli.egress import summed
from hds_cli.errors import ConfigError
from hds_cli.fetch import guard
from hds_cli.fetch.api import Api
from hds_cli.fetch.body import charset_of
from hds_cli.fetch.browser import Rendered
from hds_cli.fetch.cache import PageCache
from hds_cli.fetch.entry import Entry
from hds_cli.fetch.guard import Blocked, Policy
from hds_cli.fetch.http import SKIPPED, Http, judge, user_agent
from hds_cli.fetch.journey import Answer, Journey
from hds_cli.fetch.kinds import kind_of
from hds_cli.fetch.room import Room
from hds_cli.fetch.workers import Archive, Workers
from hds_cli.search.base import SourceContext
from hds_cli.threads import Daemon
from hds_cli.types import Egress, Page, PageStatus, SearchResult

if TYPE_CHECKING:
    import httpx


_LARGE_TEXTS = 2  # pages with a large body that are read and stored at once


class Readable:
    """The pages on disk that may be read now: one that only `fetch.allow` opened is not, when that names it no longer.

    What the source `cache` searches; every call blocks.
    """

    def __init__(self, cache: PageCache, http: Http) -> None:
        self._cache, self._http = cache, http

    def search(self, query: str, top_k: int) -> list[SearchResult]:
        """As `PageCache.search`."""
        return [result for result in self._cache.search(query, top_k) if self.get(result.url) is not None]

    def get(self, url: str) -> Page | None:
        """The page of an address, however old."""
        entry = self.entry(url)
        return entry.page if entry else None

    def entry(self, url: str) -> Entry | None:
        """The cached page of an address, fresh or not."""
        entry = self._cache.lookup(url)
        if entry is None or (entry.allowed and not self.excepted(entry.page)):
            return None
        try:
            self._http.check_name(url)
        except Blocked:
            return None
        return entry

    def excepted(self, page: Page) -> bool:
        """True when `fetch.allow` names a page's address, or the one it led to."""
        return any(url and self._http.excepted(url) for url in (page.url, page.final_url))


class Fetcher:
    """Pages by URL: guarded, bounded, polite, cached; every end is a `Page`.

    Opens no socket and starts no process before the first fetch. Use as `async with Fetcher(settings) as fetcher`.

    Args:
        settings: `fetch.*`, `cache.*` and `offline` are read.
        lookup: name resolution instead of the system's; for tests.
        transport: an httpx transport instead of the network; for tests.
        cache: the page cache; the one in `settings.pages_dir` when not given.
        network: what dials behind the guard, instead of httpcore's own backend; for tests.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        lookup: guard.Resolve = guard.resolve,
        transport: httpx.AsyncBaseTransport | None = None,
        cache: PageCache | None = None,
        network: Any = None,
    ) -> None:
        self._settings = settings
        agent = user_agent(settings.fetch_contact)
        policy = Policy(settings.fetch_allow, _ports(settings), offline=settings.offline)
        self._http = Http(policy, agent, lookup, transport, settings.fetch_proxy, network, settings.fetch_ca_file)
        self.cache = cache or PageCache.of(settings)
        self.pages = Readable(self.cache, self._http)
        self._disk = Daemon("hds-cache")
        self._workers = Workers()
        self._room = Room()
        self._large = asyncio.Semaphore(_LARGE_TEXTS)
        self._journey = Journey(settings, self._http, self._room)
        self._browser = Rendered(settings, self._http) if settings.fetch_browser else None
        self._running: dict[tuple[str, bool], tuple[asyncio.Task[Page], list[None]]] = {}
        self._backlog: asyncio.Semaphore | None = None
        own = Policy(settings.fetch_allow, _ports(settings), _own_hosts(settings), offline=settings.offline)
        self.api = Api(settings, Http(own, agent, lookup, transport, network=network, ca_file=settings.fetch_ca_file))

    async def __aenter__(self) -> Fetcher:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        tasks = [task for task, _ in self._running.values()]
        for task in tasks:
            task.cancel()
        self._journey.close()
        self._workers.close()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._browser is not None:
            await self._browser.close()
        await self._http.close()
        await self.api.http.close()
        self._disk.close(self.cache.close)  # the log is folded into the database; a later use opens it again

    @property
    def context(self) -> SourceContext:
        """The context that sources of these settings are made with."""
        return SourceContext(self._settings, self.api, self.pages, self.extract, self.fetch, self.archive)

    def warm(self) -> None:
        """Start the extraction processes now, so that the first page does not wait for them; returns at once."""
        self._workers.start()

    async def extract(self, body: bytes, label: str | None, url: str) -> Page:
        """The page in bytes that a source holds itself, read by the same processes as fetched ones. Never raises.

        Args:
            body: the decoded bytes.
            label: their Content-Type, untrusted: the bytes decide first.
            url: their address.
        """
        if (kind := kind_of(label, body[:2048], url)) is None:
            return Page(url, url, status="skipped", reason="type", bytes=len(body))
        return _page(url, url, await self._workers.extract(body, kind, charset_of(label), url), len(body))

    async def archive(self, factory: str, *files: str) -> Archive:
        """An archive of pages, parsed in a process of its own: see `search.base.OpenArchive`."""
        return await self._workers.open(factory, *files)

    async def keep(self, page: Page) -> None:
        """Put a page that a source read by itself among the pages on disk, if it has a web address."""
        with suppress(Blocked):
            await self._disk.call(self.cache.put, dataclasses.replace(page, url=guard.tidy_url(page.url)))

    def egress(self) -> tuple[Egress, ...]:
        """Every host contacted so far, for pages and for APIs, by name."""
        return summed((self._http.seen, self.api.http.seen))

    async def fetch(self, url: str, *, typed: bool = False) -> Page:
        """The page behind `url`, or why there is none. Raises nothing but CancelledError.

        Fetches of one URL at the same time share one request. The deadline (`fetch.timeout`) covers look-up, redirects,
        retries and the body, not the waiting for a host's turn.

        Args:
            url: the address.
            typed: the user typed it: robots.txt is not applied to it.
        """
        key = (url, typed)
        if key not in self._running:
            task = asyncio.create_task(self._guarded_fetch(url, typed))
            self._running[key] = (task, [])
            task.add_done_callback(lambda _: self._running.pop(key, None))
        task, waiters = self._running[key]
        waiters.append(None)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if task.cancelled() and not _being_cancelled():
                return Page(url=url, status="failed", reason="cancelled")
            raise
        finally:
            waiters.pop()
            if not waiters and not task.done():
                task.cancel()

    async def _guarded_fetch(self, url: str, typed: bool) -> Page:
        start = time.perf_counter()
        try:
            page = await self._fetch(url, typed, start)
        except Exception as exc:  # the boundary: whatever a server or a parser does is one failed page
            status, reason = judge(exc)
            page = Page(url=url, status=status, reason=reason)
        return dataclasses.replace(page, seconds=time.perf_counter() - start)

    async def _fetch(self, url: str, typed: bool, start: float) -> Page:
        tidy = guard.tidy_url(url)
        entry = await self._disk.call(self.pages.entry, tidy)
        if entry is not None and (entry.fresh or self._settings.offline):
            return dataclasses.replace(entry.page, url=url, status="cached")
        tidy = self._http.checked(tidy)
        if self._backlog is None:
            # Pages that wait for a worker are held in memory: no more of them than can be fetched at once, twice.
            self._backlog = asyncio.Semaphore(2 * self._settings.fetch_parallel)
        async with self._backlog:
            self._workers.start()  # they load while the page travels
            answer = await self._journey.get(tidy, typed, entry.validators if entry else {})
            if answer.status == 304 and entry is not None:
                await self._disk.call(self.cache.refresh, tidy)
                return dataclasses.replace(entry.page, url=url, status="cached", fetched_at=_now())
            try:
                # A text may take four times the room of its bytes, and waits for the disk.
                async with self._large if answer.held else nullcontext():
                    return await self._extract(url, tidy, answer)
            finally:
                self._room.give(answer.held)

    async def _extract(self, url: str, tidy: str, answer: Answer) -> Page:
        assert answer.body is not None
        assert answer.kind is not None
        charset = charset_of(answer.headers.get("content-type"))
        content = await self._workers.extract(answer.body.done(), answer.kind, charset, answer.url)
        page = dataclasses.replace(_page(url, answer.url, content, answer.body.wire), fetched_at=_now())
        answer.body = None  # the text stands for it while the disk is waited for
        del content
        if page.reason == "needs_browser" and self._browser is not None:
            page = await self._rendered(page, answer.url, self._browser)
        if page.reason:
            return page
        etag, modified = answer.headers.get("etag"), answer.headers.get("last-modified")
        kept = dataclasses.replace(page, url=tidy)
        allowed = self.pages.excepted(kept)
        await self._disk.call(partial(self.cache.put, kept, etag, modified, allowed=allowed))
        return page

    async def _rendered(self, page: Page, url: str, browser: Rendered) -> Page:
        """A page that needs a browser, as one reads it; as it was, where that has no text either."""
        try:
            body = await browser.html(url)
        except Exception:  # the boundary: whatever a browser does, this page needs one that works
            return page
        read = _page(page.url, url, await self._workers.extract(body, "html", "utf-8", url), page.bytes)
        return dataclasses.replace(page if read.reason else read, fetched_at=page.fetched_at)


def _page(url: str, final_url: str, content: Mapping[str, Any], size: int) -> Page:
    """The page that an extractor made of `size` bytes."""
    page = bounds.page(
        Page(
            url=url,
            final_url=final_url,
            title=content.get("title") or "",
            text=content.get("text") or "",
            bytes=size,
            extract_seconds=content.get("seconds") or 0.0,
            author=content.get("author"),
            date=content.get("date"),
        )
    )
    if reason := content.get("reason"):
        status: PageStatus = "skipped" if reason in SKIPPED else "failed"
        return dataclasses.replace(page, status=status, reason=str(reason)[:40], text="")
    return page


def _being_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _own_hosts(settings: Settings) -> list[str]:
    """Hosts of the APIs that the user configured by address."""
    urls = [settings.searxng_url, *(url for own in settings.sources.values() for url in (own.url, own.reader))]
    return sorted({host for url in urls if (host := urlsplit(url or "").hostname)})


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _ports(settings: Settings) -> list[int]:
    """The further ports of `fetch.ports`."""
    for port in settings.fetch_ports:
        if not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
            raise ConfigError(f"fetch.ports: {port!r} is not a port", hint="for example 81,3000")
    return [int(port) for port in settings.fetch_ports]
