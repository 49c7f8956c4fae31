"""The reports of a turn's searches, and of the model at work, as events."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from hds_cli import events
from hds_cli.engine.pace import Watch
from hds_cli.search.fanout import Watcher
from hds_cli.search.fusion import checksum
from hds_cli.types import Page, SearchResult


class SearchEvents(Watcher):
    """Turns the reports of the searches of a turn into events.

    Args:
        say: emits an event of a kind, with the run's time.
        span: notes that something of a kind took so many seconds, and ended so many `before` now.
    """

    def __init__(self, say: Callable[..., None], span: Callable[..., None], turn: int) -> None:
        self._say, self._span, self._turn = say, span, turn

    def search_started(self, query: int, source: str) -> None:
        self._say(events.SearchStarted, turn=self._turn, query=query, source=source)

    def search_finished(
        self, query: int, source: str, seconds: float, results: Sequence[SearchResult], error: dict[str, Any] | None
    ) -> None:
        self._span("search", seconds)
        self._say(
            events.SearchFinished, turn=self._turn, query=query, source=source, seconds=round(seconds, 4),
            results=tuple(results), error=error,
        )  # fmt: skip

    def page_requested(self, query: int, result: SearchResult) -> None:
        self._say(events.PageRequested, turn=self._turn, query=query, url=result.url, title=result.title)

    def page_finished(self, query: int, page: Page) -> None:
        self._span("extract", page.extract_seconds)
        self._span("fetch", max(0.0, page.seconds - page.extract_seconds), before=page.extract_seconds)
        self._say(
            events.PageFinished, turn=self._turn, query=query, url=page.url, status=page.status, title=page.title,
            reason=page.reason, bytes=page.bytes, seconds=round(page.seconds, 4),
            extract_seconds=round(page.extract_seconds, 4), held_by=page.held_by,
            sha256=checksum(page.text) if page.ok else "",
        )  # fmt: skip


class ModelEvents(Watch):
    """Turns the reports of the model in one turn into events.

    Args:
        say: emits an event of a kind, with the run's time; it is called from the model's thread.
    """

    def __init__(self, say: Callable[..., None], turn: int) -> None:
        self._say, self._turn = say, turn

    def reads(self, tokens: int, seconds: float | None) -> None:
        expected = None if seconds is None else round(seconds, 3)
        self._say(events.ReadingStarted, turn=self._turn, tokens=tokens, seconds=expected)

    def writes(self, tokens: int, per_second: float | None) -> None:
        speed = None if per_second is None else round(per_second, 1)
        self._say(events.WritingMeasured, turn=self._turn, tokens=tokens, per_second=speed)
