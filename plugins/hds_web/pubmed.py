"""The source `pubmed`: biomedical literature through NCBI's E-utilities; the abstract is the page."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from hds_cli.errors import SourceError
from hds_cli.search.base import SourceContext
from hds_cli.types import Page, SearchResult
from hds_web.base import Request, WebSource, plain, ranked, result_at, rows_at
from hds_web.scholarly import doi_of, doi_url


class Pubmed(WebSource):
    """PubMed: three requests a second, ten with a key. A search is two requests, an abstract one."""

    address = "https://eutils.ncbi.nlm.nih.gov/entrez/eutils"
    key, every, parallel = "optional", 0.35, 3
    errors: ClassVar = {"http_400": "bad_key"}

    def __init__(self, name: str, context: SourceContext) -> None:
        super().__init__(name, context)
        self._ids: dict[str, tuple[str, str]] = {}

    async def search(self, query: str, top_k: int) -> list[SearchResult]:
        listing = await self.ask(
            self._with(term=query, retmax=top_k, sort="relevance", retmode="json"), "/esearch.fcgi"
        )
        ids = [i for i in rows_at(listing, ("esearchresult", "idlist"), False) if isinstance(i, str) and i.isdigit()]
        if not ids:
            return []
        answer = await self.ask(self._with(id=",".join(ids), retmode="json"), "/esummary.fcgi")
        table = answer.get("result") if isinstance(answer, dict) else None
        if not isinstance(table, dict):
            raise SourceError("the answer has no works", code="bad_answer")
        works = [(number, table[number]) for number in ids if isinstance(table.get(number), dict)]
        return ranked((self._work(number, work) for number, work in works), top_k, self.name)

    def _work(self, number: str, work: dict[str, Any]) -> SearchResult | None:
        ids = work.get("articleids")
        ids = ids if isinstance(ids, list) else []
        doi = next((doi_of(i.get("value")) for i in ids if isinstance(i, dict) and i.get("idtype") == "doi"), "")
        url = doi_url(doi) or f"https://pubmed.ncbi.nlm.nih.gov/{number}/"
        title = plain(work.get("title"))
        self._ids[url] = (number, title)
        return result_at(url, title, ", ".join(p for p in (plain(work.get("source")), plain(work.get("pubdate"))) if p))

    async def read(self, url: str) -> Page | None:
        """The abstract as PubMed prints it, with journal, authors and DOI; None for an address of another source."""
        own = re.fullmatch(r"https://pubmed\.ncbi\.nlm\.nih\.gov/(\d{1,10})/?", url)
        number, title = self._ids.get(url) or ((own[1], "") if own else ("", ""))
        if not number:
            return None
        text = await self.ask_text(self._with(id=number, rettype="abstract", retmode="text"), "/efetch.fcgi")
        paragraphs = [" ".join(part.split()) for part in re.split(r"\n\s*\n", text) if part.strip()]
        if not paragraphs or paragraphs[0].startswith(("<", "{")):
            return None
        page = "\n\n".join(paragraphs)
        return Page(url=url, final_url=url, title=title, text=page, bytes=len(text.encode()))

    def _with(self, **params: str | int) -> Request:
        key = {"api_key": self.reveal()} if self.reveal() else {}
        return Request({"db": "pubmed", "tool": "hds", **params, **key})
