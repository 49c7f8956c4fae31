"""A source as the rest of hds sees it: behind its breaker, its mistakes named, what it returns looked at.

A source is a stranger's code over a stranger's server. Whatever it does costs its own results only.
"""

from __future__ import annotations

import asyncio
import itertools
import math
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from hds_cli import bounds
from hds_cli.errors import HdsError, SourceError
from hds_cli.keys import redact
from hds_cli.plugins import prints_to_stderr
from hds_cli.search.base import ReadingSource, Results, Source
from hds_cli.search.health import Breaker
from hds_cli.search.sites import MORE, MOST, Sites
from hds_cli.types import Page, SearchResult

MAX_SNIPPET = 10_000  # characters


class CheckedSource:
    """`source`, asked through a circuit breaker, raising nothing but `HdsError` (and what cancels a task).

    Args:
        clock: of the breaker.
        sites: results from elsewhere are left out; a source with `takes_sites` is asked for nothing else.
    """

    def __init__(self, source: Source, clock: Callable[[], float] = time.monotonic, sites: Sites = Sites()) -> None:
        self._sites = sites
        self.name, self.needs_network = source.name, source.needs_network
        self.reads = isinstance(source, ReadingSource)
        self._source, self._breaker = source, Breaker(clock)

    async def search(self, query: str, top_k: int) -> Results:
        """The best `top_k` results, ranked from 1 on, each with the name of its source.

        Raises:
            HdsError: as the source raised it; `bug` for any other exception, `bad_answer` for no list of results;
                `rate_limited` or `resting` when the source is not asked now.
        """
        self._breaker.admit()
        asked, most = query, top_k
        if self._sites and getattr(self._source, "takes_sites", False):
            asked = self._sites.operators(query)
        elif self._sites:
            most = max(top_k, min(MOST, MORE * top_k))
        try:
            with prints_to_stderr():
                results = self._results(await self._source.search(asked, most), top_k)
        except asyncio.CancelledError:
            self._breaker.failed(SourceError("no answer in time", code="timeout"))
            raise
        except (Exception, SystemExit) as exc:
            error = as_error(exc)
            self._breaker.failed(error)
            raise error from exc
        self._breaker.succeeded()
        return results

    async def read(self, url: str) -> Page | None:
        """The page, if the source holds its pages itself and this is one of them; raises as `search` does."""
        if not isinstance(self._source, ReadingSource):
            return None
        try:
            with prints_to_stderr():
                page = await self._source.read(url)
        except (Exception, SystemExit) as exc:
            raise as_error(exc) from exc
        return None if page is None else _page(page)

    def _results(self, answer: Any, top_k: int) -> Results:
        if not isinstance(answer, Iterable):
            raise SourceError("it did not answer with a list of results", code="bad_answer")
        missing = answer.missing if isinstance(answer, Results) else None
        usable = (_result(entry) for entry in itertools.islice(answer, max(top_k, MOST) if self._sites else top_k))
        ranked = (
            replace(result, rank=rank, source=result.source or self.name)
            for rank, result in enumerate((r for r in usable if r is not None and self._sites.allow(r.url)), 1)
        )
        return Results(itertools.islice(ranked, top_k), missing)


def checked(source: Source, sites: Sites = Sites()) -> CheckedSource:
    """`source` itself if it is checked already: its breaker goes with it from question to question."""
    return source if isinstance(source, CheckedSource) else CheckedSource(source, sites=sites)


def as_error(exc: BaseException) -> HdsError:
    """Any exception of a source as an error of hds; a bug keeps its class and its message."""
    return exc if isinstance(exc, HdsError) else SourceError(f"{type(exc).__name__}: {exc}"[:500], code="bug")


def described(error: HdsError) -> dict[str, Any]:
    """A failed search in events and documents: `code`, `message`, maybe `retry_after` in seconds."""
    fields: dict[str, Any] = {"code": error.error_code, "message": redact(error.message)}
    wait = getattr(error, "retry_after", None)
    if isinstance(wait, int | float) and 0 <= wait < math.inf:
        fields["retry_after"] = round(float(wait), 1)
        if error.error_code == "rate_limited":
            fields["message"] = f"rate limited, again in {math.ceil(wait)} s"
    return fields


def _result(entry: Any) -> SearchResult | None:
    if not isinstance(entry, SearchResult) or not all(
        isinstance(text, str) for text in (entry.url, entry.title, entry.snippet, entry.source)
    ):
        raise SourceError("it answered with something that is not a result", code="bad_answer")
    if not entry.url.strip() or len(entry.url) > bounds.MAX_URL:
        return None
    title, source = bounds.title(entry.title), bounds.title(entry.source)
    return replace(entry, title=title, snippet=entry.snippet[:MAX_SNIPPET], source=source)


def _page(page: Any) -> Page:
    if not isinstance(page, Page) or not isinstance(page.text, str) or not isinstance(page.title, str):
        raise SourceError("it did not answer with a page", code="bad_answer")
    return bounds.page(page)
