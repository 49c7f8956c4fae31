"""The source `wikipedia`: search and page text through MediaWiki's API; no key, any language, any other MediaWiki."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote, urlsplit

from hds_cli.errors import ConfigError, SourceError
from hds_cli.search.base import SourceContext
from hds_cli.types import Page, SearchResult
from hds_web.base import Request, WebSource, ranked, result_at, rows_at

_HEADING = re.compile(r"^(={2,6})\s*(.+?)\s*\1\s*$", re.MULTILINE)


class Wikipedia(WebSource):
    """Articles of `https://LANGUAGE.wikipedia.org` (English), or of the wiki whose `api.php` is the `url`.

    Their text is read through the API too (TextExtracts), in plain form; nothing is scraped.
    """

    address = "https://{language}.wikipedia.org/w/api.php"
    key, parallel = "none", 3

    def __init__(self, name: str, context: SourceContext) -> None:
        super().__init__(name, context)
        language = (self.language or "en").lower()
        if not re.fullmatch(r"[a-z]{2,12}(-[a-z]{2,12}){0,3}", language):
            raise ConfigError(
                f"sources.{name}.language: {language!r} is not a language code", hint="such as en, de, zh"
            )
        self.home = self.home.replace("{language}", language)
        self._ids: dict[str, int] = {}

    def request(self, query: str, top_k: int) -> Request:
        limit = min(top_k, 20)
        return _query(
            generator="search", gsrsearch=query[:300], gsrlimit=limit, prop="info|extracts", inprop="url",
            exintro=1, explaintext=1, exchars=400, exlimit=limit,
        )  # fmt: skip

    async def search(self, query: str, top_k: int) -> list[SearchResult]:
        answer = await self._checked(self.request(query, top_k))
        rows = [] if "query" not in answer else rows_at(answer, ("query", "pages"), True)
        pages = sorted((row for row in rows if isinstance(row, dict)), key=_index)
        for page in pages:
            if isinstance(page.get("fullurl"), str) and isinstance(page.get("pageid"), int):
                self._ids[page["fullurl"]] = page["pageid"]
        results = (
            result_at(page.get("fullurl"), self.text(page.get("title")), self.text(page.get("extract")))
            for page in pages
        )
        return ranked(results, top_k, self.name)

    async def read(self, url: str) -> Page | None:
        """The article's text with its headings; None when the address is not one of this wiki."""
        which = self._which(url)
        if which is None:
            return None
        answer = await self._checked(
            _query(prop="extracts|info", inprop="url", explaintext=1, exlimit=1, redirects=1, **which)
        )
        rows = rows_at(answer, ("query", "pages"), True)
        row = rows[0] if rows and isinstance(rows[0], dict) else {}
        text = row.get("extract")
        if not isinstance(text, str) or not text.strip():
            return None  # a page without running text, such as a list: the fetcher reads it as HTML
        final = row.get("fullurl")
        return Page(
            url=url,
            final_url=final if isinstance(final, str) else url,
            title=self.text(row.get("title")),
            text=_HEADING.sub(lambda heading: f"{'#' * len(heading[1])} {heading[2]}", text).strip(),
            bytes=len(text.encode()),
        )

    def _which(self, url: str) -> dict[str, str | int] | None:
        if url in self._ids:
            return {"pageids": self._ids[url]}
        parts, home = urlsplit(url), urlsplit(self.home)
        if parts.netloc != home.netloc or not parts.path.startswith("/wiki/"):
            return None
        return {"titles": unquote(parts.path.removeprefix("/wiki/")).replace("_", " ")}

    async def _checked(self, request: Request) -> dict[str, Any]:
        """The answer to a request, checked: MediaWiki sends its errors with status 200."""
        answer = await self.ask(request)
        if not isinstance(answer, dict):
            raise SourceError("the answer is not a table", code="bad_answer")
        if isinstance(error := answer.get("error"), dict):
            code = "rate_limited" if error.get("code") in ("ratelimited", "maxlag") else "bad_answer"
            raise SourceError(f"{self.name}: {self.text(error.get('info'))[:200]}", code=code)
        return answer


def _query(**params: str | int) -> Request:
    return Request({"action": "query", "format": "json", "formatversion": 2, **params})


def _index(page: dict[str, Any]) -> int:
    return page["index"] if isinstance(page.get("index"), int) else 1_000_000
