"""Search engines of the web. Each follows the request and response that its service documents."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar

from hds_cli.errors import SourceError
from hds_cli.extract.text import tidy
from hds_cli.search.base import SourceContext
from hds_cli.search.sites import sites_of
from hds_cli.types import Page
from hds_web.base import Request, WebSource, result_at, rows_at


class Brave(WebSource):
    """Brave Search, web results; the free plan allows one request a second (`every`)."""

    takes_sites = True
    address = "https://api.search.brave.com/res/v1/web/search"
    rows, bare, markup, every = ("web", "results"), True, True, 1.0
    errors: ClassVar = {"http_422": "bad_key"}

    def request(self, query: str, top_k: int) -> Request:
        params: dict[str, str | int] = {"q": query, "count": min(top_k, 20)}
        if self.language:
            params["search_lang"] = self.language
        if self.recent:
            params["freshness"] = f"p{self.recent[0]}"
        return Request(params, {"X-Subscription-Token": self.reveal()})


class Tavily(WebSource):
    """Tavily, a search made for language models: snippets are passages of the page."""

    address = "https://api.tavily.com/search"
    snippet = "content"
    errors: ClassVar = {"http_432": "quota", "http_433": "quota"}

    def __init__(self, name: str, context: SourceContext) -> None:
        super().__init__(name, context)
        self._sites = sites_of(context.settings)

    def request(self, query: str, top_k: int) -> Request:
        body: dict[str, Any] = {"query": query, "max_results": min(top_k, 20)}
        if self._sites.only:
            body["include_domains"] = list(self._sites.only)
        if self._sites.without:
            body["exclude_domains"] = list(self._sites.without)
        if self.recent:
            body["time_range"] = self.recent
        return Request(headers={"Authorization": f"Bearer {self.reveal()}"}, body=body)


class Serper(WebSource):
    """Serper, Google's results."""

    takes_sites = True
    address = "https://google.serper.dev/search"
    rows, bare, url, snippet = ("organic",), True, "link", "snippet"

    def request(self, query: str, top_k: int) -> Request:
        body: dict[str, str | int] = {"q": query, "num": min(max(top_k, 10), 100)}
        if self.language:
            body["hl"] = self.language
        if self.recent:
            body["tbs"] = f"qdr:{self.recent[0]}"
        return Request(headers={"X-API-KEY": self.reveal()}, body=body)


class Jina(WebSource):
    """Jina Search, without the pages' contents: those are fetched like any other page.

    With `sources.jina.reader = "https://r.jina.ai/"` they are read by Jina's reader instead: it runs their scripts and
    reads PDF files, each page costs tokens of the key, and Jina learns which pages are read. A page that the reader
    cannot get is not fetched behind its back.
    """

    takes_sites = True
    address = "https://s.jina.ai/"
    rows = ("data",)

    def __init__(self, name: str, context: SourceContext) -> None:
        super().__init__(name, context)
        self._reader = context.settings.source_settings(name).reader

    async def read(self, url: str) -> Page | None:
        """The page as Jina's reader gives it; None where none is set, or the address is not one of the web."""
        if self._reader is None or not url.startswith(("http://", "https://")):
            return None
        reader, headers = self._reader, {
            "Authorization": f"Bearer {self.reveal()}",
            "X-Return-Format": "markdown",
            "X-Md-Link-Style": "discarded",
            "X-Retain-Images": "none",
        }  # fmt: skip
        answer = await self.paced(lambda: self._api.post_json(reader, {"url": url}, headers))
        data = answer["data"] if _has_table(answer, "data") else {}
        if not isinstance(text := data.get("content"), str) or not (text := tidy(text)):
            raise SourceError(f"{self.name}: the reader gave no text", code="bad_answer")
        final = result_at(data.get("url"), "", "")
        return Page(
            url, final.url if final else url, self.text(data.get("title")), text, bytes=len(text.encode()),
            fetched_at=datetime.now(UTC).isoformat(timespec="seconds"),
        )  # fmt: skip

    def request(self, query: str, top_k: int) -> Request:
        headers = {"Authorization": f"Bearer {self.reveal()}", "X-Respond-With": "no-content"}
        return Request({"q": query, "num": top_k}, headers)


class Kagi(WebSource):
    """Kagi Search, version 1 of its API; only the list `search` of its answer (not news, videos, related searches)."""

    takes_sites = True
    address = "https://kagi.com/api/v1/search"
    rows, bare, snippet, markup = ("data", "search"), True, "snippet", True

    def request(self, query: str, top_k: int) -> Request:
        body = {"query": query, "workflow": "search", "limit": top_k}
        return Request(headers={"Authorization": f"Bearer {self.reveal()}"}, body=body)


class Mojeek(WebSource):
    """Mojeek, an index of its own. The key is a parameter; errors may come with status 200."""

    takes_sites = True
    address = "https://api.mojeek.com/search"
    rows, bare, snippet, markup = ("response", "results"), True, "desc", True

    def request(self, query: str, top_k: int) -> Request:
        params: dict[str, str | int] = {"api_key": self.reveal(), "q": query, "t": top_k, "fmt": "json"}
        if self.language:
            params |= {"lb": self.language.upper(), "lbb": 100}
        return Request(params)

    def rows_in(self, answer: Any) -> Sequence[Any]:
        status = answer["response"].get("status", "") if _has_table(answer, "response") else None
        if not isinstance(status, str):
            raise SourceError("the answer has no status", code="bad_answer")
        if status not in ("", "OK"):
            code = "quota" if "limit" in status.lower() else "bad_key" if "key" in status.lower() else "bad_answer"
            raise SourceError(f"{self.name}: {' '.join(status.split())[:200]}", code=code)
        return rows_at(answer, self.rows, self.bare)


class Marginalia(WebSource):
    """Marginalia, small and old pages; without a key it uses the shared one, which is often exhausted."""

    takes_sites = True
    address = "https://api2.marginalia-search.com/search"
    key, parallel = "optional", 2
    errors: ClassVar = {"http_503": "rate_limited"}

    def request(self, query: str, top_k: int) -> Request:
        return Request({"query": query, "count": min(top_k, 100)}, {"API-Key": self.reveal() or "public"})


def _has_table(answer: Any, name: str) -> bool:
    return isinstance(answer, dict) and isinstance(answer.get(name), dict)
