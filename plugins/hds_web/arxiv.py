"""The source `arxiv`: preprints and their abstracts, from its Atom feed."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree

from hds_cli.errors import SourceError
from hds_cli.types import Page, SearchResult
from hds_web.base import Request
from hds_web.scholarly import Scholarly, doi_of, work_page

_ATOM = "{http://www.w3.org/2005/Atom}"
_ARXIV = "{http://arxiv.org/schemas/atom}"
_SMALL = frozenset(
    "a an and are as at by do does for from how in is it of on or the to was what when which who".split()
)


class Arxiv(Scholarly):
    """arXiv, one request in three seconds as its terms ask; every word of the query first, any word if none has all."""

    address = "https://export.arxiv.org/api/query"
    key, every, parallel = "none", 3.0, 1

    async def search(self, query: str, top_k: int) -> list[SearchResult]:
        words = re.findall(r"\w[\w-]*", query)[:20]
        words = [word for word in words if word.lower() not in _SMALL] or words
        for between in (" AND ", " OR ") if len(words) > 1 else (" AND ",):
            terms = between.join(f"all:{word}" for word in words)
            params: dict[str, str | int] = {"search_query": terms, "start": 0, "max_results": top_k}
            if results := self.kept(entries(await self.ask_text(Request(params))), top_k):
                return results
        return []

    def work(self, row: dict[str, Any]) -> Page:
        return work_page(**row)


def entries(feed: str) -> list[dict[str, Any]]:
    """The works of an Atom feed.

    Raises:
        SourceError: `bad_answer`, it is no feed, or it tells an error.
    """
    if "<!DOCTYPE" in feed or "<!ENTITY" in feed:
        raise SourceError("the feed has a document type, which a feed does not need", code="bad_answer")
    try:
        root = ElementTree.fromstring(feed)
    except (ElementTree.ParseError, ValueError):
        root = None
    if root is None or root.tag != f"{_ATOM}feed":
        raise SourceError("the answer is not an Atom feed", code="bad_answer")
    works = []
    for entry in root.iterfind(f"{_ATOM}entry"):
        address = _field(entry, "id")
        if "/api/errors" in address:
            raise SourceError(f"arxiv: {_field(entry, 'summary')[:200]}", code="bad_answer")
        match = re.search(r"/abs/(.+?)(?:v\d+)?$", address)
        doi = doi_of(_field(entry, "doi", _ARXIV))
        works.append(
            {
                "url": f"https://arxiv.org/abs/{match[1]}" if match else "",
                "title": _field(entry, "title"),
                "abstract": _field(entry, "summary"),
                "authors": [_field(author, "name") for author in entry.iterfind(f"{_ATOM}author")],
                "when": _field(entry, "published")[:10],
                "where": _field(entry, "journal_ref", _ARXIV) or (f"arXiv:{match[1]}" if match else ""),
                "doi": doi,
            }
        )
    return works


def _field(entry: ElementTree.Element, name: str, space: str = _ATOM) -> str:
    return " ".join((entry.findtext(space + name) or "").split())
