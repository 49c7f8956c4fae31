"""The source `kiwix`: the books of a kiwix-serve, through its search and its raw articles."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import parse_qsl, quote, unquote, urljoin, urlsplit
from xml.etree import ElementTree

from hds_cli.errors import ConfigError, SourceError
from hds_cli.search.base import SourceContext
from hds_cli.types import Page, SearchResult
from hds_web.base import Request, WebSource, plain
from hds_zim import words
from hds_zim.article import marked

_OPENSEARCH = "{http://a9.com/-/spec/opensearch/1.1/}totalResults"


class Kiwix(WebSource):
    """kiwix-serve at `sources.kiwix.url`. What follows a `?` there (`books.name=NAME`) goes along with every search.

    A library whose books have several languages wants that; titles are only suggested from one book that is named.

    Raises:
        ConfigError: no address is set.
    """

    address, key, parallel = "", "none", 4

    def __init__(self, name: str, context: SourceContext) -> None:
        super().__init__(name, context)
        if not self.home:
            raise ConfigError(
                "the source kiwix needs the address of a kiwix-serve",
                hint="HDS_KIWIX_URL=http://localhost:8080   or   http://localhost:8080?books.name=NAME for one book",
            )
        parts = urlsplit(self.home)
        self.home = parts._replace(query="", fragment="").geturl().rstrip("/")
        self._scope: dict[str, str | int] = dict(parse_qsl(parts.query))
        if self.language:
            self._scope["books.filter.lang"] = self.language
        self._book = str(self._scope.get("books.name") or self._scope.get("content") or "")
        self._titles_only = False
        self._extract = context.extract

    async def search(self, query: str, top_k: int) -> list[SearchResult]:
        hits = await words.search(self, query, top_k)
        return [
            SearchResult(hit.key, hit.title or hit.key, hit.snippet, rank, self.name)
            for rank, hit in enumerate(hits, 1)
        ]

    async def matching(self, terms: Sequence[str], limit: int) -> words.Matches:
        """`WordIndex`: full text, or titles where the book has no index of it."""
        if not self._titles_only:
            params = {**self._scope, "pattern": " ".join(terms), "format": "xml", "pageLength": max(1, limit)}
            try:
                return self._results(await self.ask_text(Request(params), "/search"))
            except SourceError as exc:
                if exc.error_code == "http_400":
                    raise SourceError(
                        f"{self.name} does not search that; name one of its books: {self.home}?books.name=NAME",
                        code="no_book",
                    ) from None
                if exc.error_code != "http_404" or not self._book:
                    raise
                self._titles_only = True
        hits = await self.titled(" ".join(terms), max(1, limit))
        return words.Matches(len(hits), hits)

    async def titled(self, start: str, limit: int) -> Sequence[words.Hit]:
        """`WordIndex`: titles of the one book that is named; kiwix-serve suggests from no more."""
        if not self._book:
            return []
        params: dict[str, str | int] = {"content": self._book, "term": start, "count": limit}
        try:
            rows = await self.ask(Request(params), "/suggest")
        except SourceError as exc:
            if exc.error_code != "http_404":  # http_404: no such book, for which the search has the better message
                raise
            rows = []
        hits = []
        for row in rows if isinstance(rows, list) else []:
            if isinstance(row, dict) and row.get("kind") == "path" and isinstance(row.get("path"), str):
                url = f"{self.home}/{quote(self._book)}/{quote(row['path'])}"
                hits.append(words.Hit(url, self.text(html.unescape(str(row.get("value") or "")))))
        return hits[:limit]

    def _results(self, feed: str) -> words.Matches:
        """The hits of an RSS answer.

        Raises:
            SourceError: `bad_answer`, it is none.
        """
        if "<!DOCTYPE" in feed or "<!ENTITY" in feed:
            raise SourceError("the feed has a document type, which a feed does not need", code="bad_answer")
        try:
            channel = ElementTree.fromstring(feed).find("channel")
        except (ElementTree.ParseError, ValueError):
            channel = None
        if channel is None:
            raise SourceError("the answer is not a list of results", code="bad_answer")
        total = "".join(re.findall(r"\d", channel.findtext(_OPENSEARCH) or ""))[:12]
        rows = [(item.findtext("link") or "", item.findtext("title"), item) for item in channel.iterfind("item")]
        hits = [words.Hit(self._absolute(link), self.text(title), _snippet(item)) for link, title, item in rows if link]
        return words.Matches(int(total or len(hits)), hits)

    def _absolute(self, link: str) -> str:
        return urljoin(self.home + "/", link)

    async def read(self, url: str) -> Page | None:
        """The article's text, from its HTML as the book holds it; None when it is not of this server."""
        here = urlsplit(self.home)
        parts = urlsplit(url)
        if (parts.scheme, parts.netloc) != (here.scheme, here.netloc) or not parts.path.startswith(here.path + "/"):
            return None
        book, _, path = parts.path.removeprefix(here.path + "/").removeprefix("content/").partition("/")
        raw = f"/raw/{quote(unquote(book))}/content/{quote(unquote(path))}"
        text = await self.ask_text(Request(), raw)
        page = await self._extract(marked(text.encode()), "text/html; charset=utf-8", url)
        return replace(page, title=page.title or plain(unquote(path)))


def _snippet(item: ElementTree.Element) -> str:
    """The words of a description, its `<b>` being elements."""
    description = item.find("description")
    return "" if description is None else " ".join("".join(description.itertext()).split())
