"""Indexes of scholarly works. The abstract is the work's page, and its DOI, if it has one, is the address."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar
from urllib.parse import quote

from hds_cli.search.base import SourceContext
from hds_cli.types import Page, SearchResult
from hds_web.base import Key, Request, WebSource, plain, ranked, result_at

_KEPT = 2000  # abstracts held in memory for `read`


class Scholarly(WebSource):
    """A service whose search brings the abstracts along: `read` hands them out without another request."""

    key: ClassVar[Key] = "optional"
    markup: ClassVar[bool] = True

    def __init__(self, name: str, context: SourceContext) -> None:
        super().__init__(name, context)
        self._works: dict[str, Page] = {}

    async def search(self, query: str, top_k: int) -> list[SearchResult]:
        return self.kept(self.rows_in(await self.ask(self.request(query, top_k))), top_k)

    def kept(self, rows: Sequence[Any], top_k: int) -> list[SearchResult]:
        """The results of these works; their abstracts are kept for `read`."""
        works = [self.work(row) for row in rows if isinstance(row, dict)]
        for work in works:
            if work.text:
                self._works[work.url] = work
        while len(self._works) > _KEPT:
            del self._works[next(iter(self._works))]
        return ranked((result_at(work.url, work.title, work.text[:500]) for work in works), top_k, self.name)

    async def read(self, url: str) -> Page | None:
        """The work's abstract with who wrote it and when; None when the service has none: then the page is fetched."""
        return self._works.get(url)

    def work(self, row: dict[str, Any]) -> Page:
        """One work as a page; its text is empty without an abstract."""
        raise NotImplementedError


def work_page(*, url: str, title: str, abstract: str, authors: Sequence[str], when: str, where: str, doi: str) -> Page:
    """A work as a page: a line on where it comes from, then the abstract."""
    names = ", ".join(authors[:8]) + (" and others" if len(authors) > 8 else "")
    origin = ". ".join(part for part in (names, where, when, f"doi:{doi}" if doi else "") if part)
    text = "\n\n".join(part for part in (origin and f"{origin}.", abstract) if part) if abstract else ""
    return Page(
        url=url,
        final_url=url,
        title=title,
        text=text,
        bytes=len(text.encode()),
        author=names or None,
        date=when or None,
    )


def doi_of(value: Any) -> str:
    """A DOI without the resolver's address."""
    text = value.strip() if isinstance(value, str) else ""
    for prefix in ("https://doi.org/", "http://doi.org/", "http://dx.doi.org/", "https://dx.doi.org/", "doi:"):
        text = text.removeprefix(prefix)
    return text if text.startswith("10.") and not any(c.isspace() for c in text) else ""


def doi_url(doi: str) -> str:
    """The address at which a DOI resolves."""
    return f"https://doi.org/{quote(doi, safe='/:;()._-')}" if doi else ""


def names_of(rows: Any, *ways: str) -> list[str]:
    """The names in a list of authors; `ways` are joined with a blank (`given`, `family`)."""
    people = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    names = (" ".join(plain(person.get(way)) for way in ways).strip() for person in people)
    return [name for name in names if name]


class OpenAlex(Scholarly):
    """OpenAlex, works of every field; a key is needed only for more than the free allowance of a day."""

    address = "https://api.openalex.org/works"

    def request(self, query: str, top_k: int) -> Request:
        key = {"api_key": self.reveal()} if self.reveal() else {}
        return Request({"search": query, "per-page": min(top_k, 100), **key})

    def work(self, row: dict[str, Any]) -> Page:
        doi = doi_of(row.get("doi"))
        place = _table(row.get("primary_location"))
        source = _table(place.get("source"))
        people = row.get("authorships")
        people = [_table(person).get("author") for person in people] if isinstance(people, list) else []
        return work_page(
            url=doi_url(doi) or str(place.get("landing_page_url") or row.get("id") or ""),
            title=plain(row.get("title") or row.get("display_name")),
            abstract=_uninverted(row.get("abstract_inverted_index")),
            authors=names_of(people, "display_name"),
            when=str(row.get("publication_date") or row.get("publication_year") or ""),
            where=plain(source.get("display_name")),
            doi=doi,
        )


def _uninverted(index: Any) -> str:
    """The abstract out of OpenAlex's table of word -> places."""
    if not isinstance(index, dict):
        return ""
    places = [(n, str(word)) for word, at in index.items() if isinstance(at, list) for n in at if isinstance(n, int)]
    return plain(" ".join(word for _, word in sorted(places)))


class Crossref(Scholarly):
    """Crossref, the register of DOIs; only some publishers deposit abstracts there."""

    address = "https://api.crossref.org/works"
    key = "none"
    rows = ("message", "items")
    parallel = 2

    def request(self, query: str, top_k: int) -> Request:
        return Request({"query": query, "rows": min(top_k, 100)})

    def work(self, row: dict[str, Any]) -> Page:
        doi = doi_of(row.get("DOI"))
        issued = _table(row.get("issued"))
        return work_page(
            url=doi_url(doi) or str(row.get("URL") or ""),
            title=plain(_first(row.get("title"))),
            abstract=plain(row.get("abstract")).removeprefix("Abstract").strip(),
            authors=names_of(row.get("author"), "given", "family"),
            when=_date(_first(issued.get("date-parts"))),
            where=plain(_first(row.get("container-title"))),
            doi=doi,
        )


def _table(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, list) and value else None


def _date(parts: Any) -> str:
    return "-".join(f"{n:02d}" for n in parts if isinstance(n, int)) if isinstance(parts, list) else ""


class SemanticScholar(Scholarly):
    """Semantic Scholar; without a key it shares one allowance with everyone."""

    address = "https://api.semanticscholar.org/graph/v1/paper/search"
    rows, bare, markup, every, parallel = ("data",), True, False, 1.0, 1
    fields = "title,abstract,url,year,externalIds,authors,venue"

    def request(self, query: str, top_k: int) -> Request:
        headers = {"x-api-key": self.reveal()} if self.reveal() else {}
        return Request({"query": query, "limit": min(top_k, 100), "fields": self.fields}, headers)

    def work(self, row: dict[str, Any]) -> Page:
        doi = doi_of(_table(row.get("externalIds")).get("DOI"))
        return work_page(
            url=doi_url(doi) or str(row.get("url") or ""),
            title=self.text(row.get("title")),
            abstract=self.text(row.get("abstract")),
            authors=names_of(row.get("authors"), "name"),
            when=str(row.get("year") or ""),
            where=self.text(row.get("venue")),
            doi=doi,
        )
