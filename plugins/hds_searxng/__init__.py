"""The source `searxng`: the user's own SearXNG instance, through its JSON API."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hds_cli.errors import ConfigError, SourceError
from hds_cli.search.base import Results, SourceContext
from hds_cli.types import SearchResult


class SearxngSource:
    """Searches `searxng.url`. Pages are fetched from the web, not from the instance.

    Raises:
        ConfigError: no address is set.
    """

    needs_network = True
    takes_sites = True

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
        boxes, answers = _listed(answer, "infoboxes"), _listed(answer, "answers")
        hits = [*filter(None, (_infobox(box) for box in boxes)), *filter(None, map(_answer, answers))]
        hits += [result for row in rows if (result := _result(row)) is not None]
        results = _once(hits)[:top_k]
        silent = _silent(answer)
        if silent and not results:
            raise SourceError(f"none of its engines answered ({silent})", code="engines_silent")
        missing = SourceError(f"no answer from {silent}", code="engines_silent") if silent else None
        return Results((_ranked(result, rank, self.name) for rank, result in enumerate(results, 1)), missing)


def _listed(answer: dict[str, Any], name: str) -> list[Any]:
    value = answer.get(name)
    return value[:50] if isinstance(value, list) else []


def _silent(answer: dict[str, Any]) -> str:
    """The engines that did not answer, with the reason that the instance gives."""
    silent = []
    for entry in _listed(answer, "unresponsive_engines"):
        name, *why = entry if isinstance(entry, list) and entry else [entry]
        silent.append(f"{name}: {why[0]}" if why and isinstance(why[0], str) and why[0] else str(name))
    return ", ".join(text[:100] for text in silent)


def _result(row: Any) -> SearchResult | None:
    if not isinstance(row, dict) or not (url := _web(row.get("url"))):
        return None
    return SearchResult(url, str(row.get("title") or url), _line(row.get("content")))


def _infobox(box: Any) -> SearchResult | None:
    """The result for an infobox: its text, its table of facts, and the address of the page on its subject."""
    if not isinstance(box, dict):
        return None
    links = [link.get("url") for link in _listed(box, "urls") if isinstance(link, dict)]
    url = next(filter(None, map(_web, (box.get("id"), *links))), "")
    facts = [
        f"{fact['label']}: {fact['value']}"
        for fact in _listed(box, "attributes")
        if isinstance(fact, dict) and isinstance(fact.get("label"), str) and isinstance(fact.get("value"), str)
    ]
    text = " ".join(filter(None, (_line(box.get("content")), "; ".join(facts))))
    return SearchResult(url, str(box.get("infobox") or url), text) if url and text else None


def _answer(answer: Any) -> SearchResult | None:
    """The result for a direct answer (`07:42`), when the instance names its source."""
    if not isinstance(answer, dict):
        return None
    text, url = _line(answer.get("answer") or answer.get("title")), _web(answer.get("url"))
    return SearchResult(url, text[:100], text) if text and url else None


def _once(results: list[SearchResult]) -> list[SearchResult]:
    """Each address once, at its first place, with the longest of its snippets."""
    kept: dict[str, SearchResult] = {}
    for result in results:
        before = kept.get(result.url)
        if before is None:
            kept[result.url] = result
        elif len(result.snippet) > len(before.snippet):
            kept[result.url] = replace(before, snippet=result.snippet)
    return list(kept.values())


def _web(url: Any) -> str:
    """The address, when it is a web page's; any other (magnet:, a path) would only take up a place."""
    return url.strip() if isinstance(url, str) and url.strip().lower().startswith(("http://", "https://")) else ""


def _line(text: Any) -> str:
    return " ".join(text.split()) if isinstance(text, str) else ""


def _ranked(result: SearchResult, rank: int, source: str) -> SearchResult:
    return replace(result, rank=rank, source=source)
