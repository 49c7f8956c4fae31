"""The source `searxng`: the user's own SearXNG instance, through its JSON API."""

from __future__ import annotations

from typing import Any

from hds_cli.errors import ConfigError, SourceError
from hds_cli.search.base import SourceContext
from hds_cli.types import SearchResult


class SearxngSource:
    """Searches `searxng.url`. Pages are fetched from the web, not from the instance.

    Raises:
        ConfigError: no address is set.
    """

    needs_network = True

    def __init__(self, name: str, context: SourceContext) -> None:
        self.name = name
        self._api = context.api
        url = context.settings.searxng_url
        if not url:
            raise ConfigError(
                "the source searxng needs the address of an instance",
                hint="HDS_SEARXNG_URL=http://localhost:8888 hds ask …   or   [searxng] url in the settings file",
            )
        if not url.startswith(("http://", "https://")):
            raise ConfigError(f"searxng.url must begin with http:// or https://, not {url!r}")
        settings = context.settings
        own = settings.source_settings(name).language or settings.language
        asked = {"language": own, "time_range": settings.recent}
        self._params = {key: value for key, value in asked.items() if value}
        self._url = url.rstrip("/").removesuffix("/search") + "/search"

    async def search(self, query: str, top_k: int) -> list[SearchResult]:
        try:
            answer = await self._api.get_json(self._url, {"q": query, "format": "json", **self._params})
        except SourceError as exc:
            if exc.error_code == "http_403":
                raise SourceError(
                    "the instance does not give JSON; its settings.yml needs  search: {formats: [html, json]}",
                    code="json_disabled",
                ) from exc
            raise
        rows = answer.get("results") if isinstance(answer, dict) else None
        if not isinstance(rows, list):
            raise SourceError("the answer has no list of results", code="bad_answer")
        results = [result for row in rows if (result := _result(row, self.name))]
        if not results and answer.get("unresponsive_engines"):
            silent = ", ".join(str(e[0] if isinstance(e, list) and e else e) for e in answer["unresponsive_engines"])
            raise SourceError(f"none of its engines answered ({silent})", code="engines_silent")
        return [_ranked(result, rank) for rank, result in enumerate(results[:top_k], 1)]


def _result(row: Any, source: str) -> SearchResult | None:
    if not isinstance(row, dict) or not isinstance(row.get("url"), str):
        return None
    return SearchResult(row["url"], str(row.get("title") or row["url"]), str(row.get("content") or ""), source=source)


def _ranked(result: SearchResult, rank: int) -> SearchResult:
    return SearchResult(result.url, result.title, result.snippet, rank, result.source)
