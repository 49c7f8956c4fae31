"""Title, author and date of a page."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from hds_cli.extract.linked import signature
from hds_cli.extract.text import tidy

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def metadata(tree: Any, linked_data: Sequence[dict[str, Any]] = ()) -> dict[str, Any]:
    """Title, author and date from meta tags, JSON-LD (`linked_data`) and `<time>`."""
    meta: dict[str, str] = {}
    writers: list[str] = []
    for node in tree.iter("meta"):
        name = (node.get("property") or node.get("name") or node.get("itemprop") or "").lower()
        content = node.get("content")
        if name == "citation_author" and content and len(writers) < 10:
            writers.append(content[:100].replace(";", ","))
        if name and content and name not in meta:
            meta[name] = content[:1000]
    linked = signature(linked_data)
    author = (
        "; ".join(writers)
        or meta.get("author")
        or meta.get("article:author")
        or linked.get("author")
        or meta.get("dc.creator")
    )
    date = _first_date(
        meta.get("article:published_time"),
        linked.get("datePublished"),
        meta.get("datepublished"),
        meta.get("date"),
        meta.get("dc.date"),
        (meta.get("citation_publication_date") or meta.get("citation_date") or "").replace("/", "-"),
        meta.get("pubdate"),
        next((t.get("datetime") for t in tree.iter("time") if t.get("datetime")), None),
    )
    if author and author.startswith(("http://", "https://")):
        author = None
    return {
        "title": _title(tree, meta),
        "author": tidy(" ".join(author.split()))[:200] if author else None,
        "date": date,
    }


def _first_date(*values: str | None) -> str | None:
    for value in values:
        if value and (match := _DATE.search(value)):
            return match[0]
    return None


def _title(tree: Any, meta: dict[str, str]) -> str:
    title = meta.get("og:title") or meta.get("twitter:title") or ""
    if not title:
        node = next(tree.iter("title"), None)
        title = node.text_content() if node is not None else ""
        site = meta.get("og:site_name", "")
        if site and (match := re.fullmatch(r"(.+?)\s+[-–—|·:]\s+" + re.escape(site), " ".join(title.split()))):
            title = match[1]
    if not title.strip():
        node = next(tree.iter("h1"), None)
        title = node.text_content() if node is not None else ""
    return tidy(" ".join(title.split()))[:300]
