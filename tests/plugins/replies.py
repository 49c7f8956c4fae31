"""What each search service answers, in the form it documents; the content is ours."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Row = tuple[str, str, str]


@dataclass(frozen=True)
class Case:
    """A service: its answers by path, what must come of them, and where its key belongs.

    `place` is `header NAME: FORM`, `parameter NAME`, or empty; `sent` are parameters or fields of the body.
    """

    name: str
    answers: Mapping[str, Any]
    empty: Mapping[str, Any]
    results: tuple[Row, ...]
    place: str = ""
    required: bool = True
    path: str = "/search"
    sent: Mapping[str, str] = field(default_factory=dict)
    text: str = ""  # a part of the page that `read` gives for the first result


A, B = "https://a.example/one", "https://b.example/two?x=1&y=2"
PLAIN: tuple[Row, ...] = ((A, "One & only", "The first snippet"), (B, "Two", "The second"))


def rows(url: str = "url", title: str = "title", snippet: str = "description", **more: Any) -> list[dict[str, Any]]:
    return [{url: u, title: t, snippet: s, **more} for u, t, s in PLAIN]


MARKED = [
    {"url": A, "title": "One &amp; only", "description": "The <strong>first</strong> snippet", "language": "en"},
    {"url": B, "title": "Two", "description": "The second"},
]
GENERAL = (
    Case(
        "brave", {"/search": {"type": "search", "query": {"original": "q"}, "web": {"type": "search", "results": MARKED}}},
        {"/search": {"type": "search", "query": {"original": "q"}}}, PLAIN, "header x-subscription-token: {}",
        sent={"q": "salt of the sea", "count": "5"},
    ),
    Case(
        "tavily", {"/search": {"query": "q", "answer": None, "results": rows(snippet="content", score=0.9), "response_time": 1.2}},
        {"/search": {"query": "q", "results": [], "response_time": 1.2}}, PLAIN, "header authorization: Bearer {}",
        sent={"query": "salt of the sea", "max_results": "5"},
    ),
    Case(
        "serper", {"/search": {"searchParameters": {"q": "q"}, "organic": rows("link", snippet="snippet", position=1), "credits": 1}},
        {"/search": {"searchParameters": {"q": "q"}, "credits": 1}}, PLAIN, "header x-api-key: {}",
        sent={"q": "salt of the sea", "num": "10"},
    ),
    Case(
        "jina", {"/": {"code": 200, "status": 20000, "data": rows(content="", usage={"tokens": 1})}},
        {"/": {"code": 200, "status": 20000, "data": []}}, PLAIN, "header authorization: Bearer {}", path="",
        sent={"q": "salt of the sea", "num": "5"},
    ),
    Case(
        "kagi", {"/search": {"meta": {"trace": "x", "ms": 3}, "data": {"search": rows(snippet="snippet"), "related_search": [{"url": "https://no.example", "title": "more"}]}}},
        {"/search": {"meta": {"trace": "x"}, "data": {}}}, PLAIN, "header authorization: Bearer {}",
        sent={"query": "salt of the sea", "limit": "5", "workflow": "search"},
    ),
    Case(
        "mojeek", {"/search": {"response": {"status": "OK", "head": {"results": 2}, "results": rows(snippet="desc")}}},
        {"/search": {"response": {"status": "OK", "head": {"results": 0}, "results": []}}}, PLAIN, "parameter api_key",
        sent={"q": "salt of the sea", "t": "5", "fmt": "json"},
    ),
    Case(
        "marginalia", {"/search": {"query": "q", "license": "CC-BY-NC-SA 4.0", "page": 1, "pages": 1, "results": rows(quality=1.0)}},
        {"/search": {"query": "q", "license": "CC-BY-NC-SA 4.0", "results": []}}, PLAIN, "header api-key: {}", required=False,
        sent={"query": "salt of the sea", "count": "5"},
    ),
)  # fmt: skip

WIKI_PAGES = [
    {"pageid": 10, "ns": 0, "title": "Halite", "index": 2, "extract": "Halite is rock salt.", "fullurl": "https://en.wikipedia.org/wiki/Halite"},
    {"pageid": 11, "ns": 0, "title": "Sea salt", "index": 1, "extract": "Sea salt is salt.", "fullurl": "https://en.wikipedia.org/wiki/Sea_salt"},
]  # fmt: skip
ARTICLE = {
    "batchcomplete": True,
    "query": {
        "pages": [
            {
                "pageid": 11, "ns": 0, "title": "Sea salt", "fullurl": "https://en.wikipedia.org/wiki/Sea_salt",
                "extract": "Sea salt is salt made from seawater.\n\n\n== Production ==\nIt is dried.\n\n\n=== France ===\nIn Guérande.",
            }
        ]
    },
}  # fmt: skip
FEED = """<?xml version='1.0' encoding='UTF-8'?>
<feed xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/" xmlns:arxiv="http://arxiv.org/schemas/atom" xmlns="http://www.w3.org/2005/Atom">
  <title>arXiv Query</title><opensearch:totalResults>1</opensearch:totalResults>
  <entry><id>http://arxiv.org/abs/2508.19113v2</id><title>Salt in
    brine</title><summary>  We weigh salt &amp; water.
  It is heavy. </summary><published>2025-08-26T00:00:00Z</published>
  <author><name>Ada Example</name></author><arxiv:doi>10.5555/brine</arxiv:doi></entry>
</feed>"""
NO_FEED = "<feed xmlns='http://www.w3.org/2005/Atom'><title>arXiv Query</title></feed>"
PREPRINT = "Ada Example. arXiv:2508.19113. 2025-08-26. doi:10.5555/brine. We weigh salt & water. It is heavy."
SCHOLARLY = (
    Case(
        "wikipedia", {"/w/api.php": {"batchcomplete": True, "query": {"pages": WIKI_PAGES}}}, {"/w/api.php": {"batchcomplete": True}},
        (("https://en.wikipedia.org/wiki/Sea_salt", "Sea salt", "Sea salt is salt."), ("https://en.wikipedia.org/wiki/Halite", "Halite", "Halite is rock salt.")),
        required=False, path="/w/api.php", sent={"gsrsearch": "salt of the sea", "gsrlimit": "5", "format": "json", "formatversion": "2"},
    ),
    Case(
        "arxiv", {"/query": FEED}, {"/query": NO_FEED},
        (("https://arxiv.org/abs/2508.19113", "Salt in brine", PREPRINT),),
        required=False, path="/query", sent={"search_query": "all:salt AND all:sea", "max_results": "5"}, text="We weigh salt & water.",
    ),
    Case(
        "openalex",
        {"/works": {"meta": {"count": 1}, "results": [{
            "id": "https://openalex.org/W1", "doi": "https://doi.org/10.5555/a(1)", "title": "On <i>salt</i>", "publication_date": "2020-02-03",
            "abstract_inverted_index": {"Salt": [0], "is": [1, 3], "what": [2], "salty.": [4]},
            "authorships": [{"author": {"display_name": "Ada Example"}}],
            "primary_location": {"landing_page_url": "https://j.example/1", "source": {"display_name": "Journal of Salt"}},
        }]}},
        {"/works": {"meta": {"count": 0}, "results": []}},
        (("https://doi.org/10.5555/a(1)", "On salt", "Ada Example. Journal of Salt. 2020-02-03. doi:10.5555/a(1). Salt is what is salty."),),
        "parameter api_key", required=False, path="/works", sent={"search": "salt of the sea", "per-page": "5"}, text="Salt is what is salty.",
    ),
    Case(
        "crossref",
        {"/works": {"status": "ok", "message": {"items": [{
            "DOI": "10.5555/b", "URL": "https://doi.org/10.5555/b", "title": ["On brine"], "container-title": ["Brine Letters"],
            "abstract": "<jats:title>Abstract</jats:title><jats:p>Brine is wet.</jats:p>", "author": [{"given": "Ben", "family": "Example"}],
            "issued": {"date-parts": [[2021, 4]]},
        }]}}},
        {"/works": {"status": "ok", "message": {"items": []}}},
        (("https://doi.org/10.5555/b", "On brine", "Ben Example. Brine Letters. 2021-04. doi:10.5555/b. Brine is wet."),),
        required=False, path="/works", sent={"query": "salt of the sea", "rows": "5"}, text="Brine is wet.",
    ),
    Case(
        "semanticscholar",
        {"/search": {"total": 1, "offset": 0, "data": [{
            "paperId": "p", "title": "Salt < pepper", "abstract": "Salt comes first.", "url": "https://www.semanticscholar.org/paper/p",
            "year": 2019, "venue": "", "externalIds": {"DOI": "10.5555/c"}, "authors": [{"authorId": "1", "name": "Cai Example"}],
        }]}},
        {"/search": {"total": 0, "offset": 0}},
        (("https://doi.org/10.5555/c", "Salt < pepper", "Cai Example. 2019. doi:10.5555/c. Salt comes first."),),
        "header x-api-key: {}", required=False, sent={"query": "salt of the sea", "limit": "5"}, text="Salt comes first.",
    ),
    Case(
        "pubmed",
        {
            "/e/esearch.fcgi": {"header": {"type": "esearch"}, "esearchresult": {"count": "2", "idlist": ["31", "30"]}},
            "/e/esummary.fcgi": {"result": {
                "uids": ["31", "30"],
                "31": {"uid": "31", "title": "Salt and blood.", "source": "J Salt", "pubdate": "2018 Mar", "articleids": [{"idtype": "pubmed", "value": "31"}, {"idtype": "doi", "value": "10.5555/d"}]},
                "30": {"uid": "30", "title": "Old salt", "source": "Salt", "pubdate": "1950", "articleids": []},
            }},
            "/e/efetch.fcgi": "1. J Salt. 2018 Mar;1:2. doi: 10.5555/d.\n\nSalt and blood.\n\nExample D.\n\nBlood holds\nsalt.\n\nPMID: 31\n",
        },
        {"/e/esearch.fcgi": {"header": {"type": "esearch"}, "esearchresult": {"count": "0", "idlist": []}}},
        (("https://doi.org/10.5555/d", "Salt and blood.", "J Salt, 2018 Mar"), ("https://pubmed.ncbi.nlm.nih.gov/30/", "Old salt", "Salt, 1950")),
        "parameter api_key", required=False, path="/e", sent={"term": "salt of the sea", "retmax": "5", "db": "pubmed"}, text="Blood holds salt.",
    ),
)  # fmt: skip
ALL = GENERAL + SCHOLARLY


def body(answer: Any) -> bytes:
    """An answer as it comes over the wire."""
    return answer.encode() if isinstance(answer, str) else json.dumps(answer).encode()
