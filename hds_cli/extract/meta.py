"""Title, author and date of a page, and what it says of itself in JSON-LD."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from hds_cli.extract.text import tidy

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def metadata(tree: Any) -> dict[str, Any]:
    """Title, author and date from meta tags, JSON-LD and `<time>`."""
    meta: dict[str, str] = {}
    for node in tree.iter("meta"):
        name = (node.get("property") or node.get("name") or node.get("itemprop") or "").lower()
        content = node.get("content")
        if name and content and name not in meta:
            meta[name] = content[:1000]
    linked = _json_ld(tree)
    author = meta.get("author") or meta.get("article:author") or linked.get("author") or meta.get("dc.creator")
    date = _first_date(
        meta.get("article:published_time"),
        linked.get("datePublished"),
        meta.get("datepublished"),
        meta.get("date"),
        meta.get("dc.date"),
        meta.get("pubdate"),
        next((t.get("datetime") for t in tree.iter("time") if t.get("datetime")), None),
    )
    if author and author.startswith(("http://", "https://")):
        author = None
    return {"title": _title(tree, meta), "author": tidy(" ".join(author.split()))[:200] if author else None, "date": date}


def _first_date(*values: str | None) -> str | None:
    for value in values:
        if value and (found := _DATE.search(value)):
            return found[0]
    return None


def _title(tree: Any, meta: dict[str, str]) -> str:
    title = meta.get("og:title") or meta.get("twitter:title") or ""
    if not title:
        node = next(tree.iter("title"), None)
        title = node.text_content() if node is not None else ""
        site = meta.get("og:site_name", "")
        if site and (found := re.fullmatch(r"(.+?)\s+[-–—|·:]\s+" + re.escape(site), " ".join(title.split()))):
            title = found[1]
    if not title.strip():
        node = next(tree.iter("h1"), None)
        title = node.text_content() if node is not None else ""
    return tidy(" ".join(title.split()))[:300]


def _json_ld(tree: Any) -> dict[str, str]:
    """`author` and `datePublished` of the first JSON-LD objects that have them."""
    found: dict[str, str] = {}
    for node in tree.iter("script"):
        if node.get("type") != "application/ld+json" or not node.text or len(node.text) > 200_000:
            continue
        try:
            stack: list[Any] = [json.loads(node.text)]
        except (ValueError, RecursionError):
            continue
        for _ in range(200):
            if not stack:
                break
            item = stack.pop()
            if isinstance(item, list):
                stack.extend(item[:50])
            elif isinstance(item, dict):
                if isinstance(item.get("datePublished"), str):
                    found.setdefault("datePublished", item["datePublished"])
                if name := _person(item.get("author")):
                    found.setdefault("author", name)
                stack.extend(item.get("@graph", []) if isinstance(item.get("@graph"), list) else [])
    return found


def _person(value: Any) -> str | None:
    if isinstance(value, list) and value:
        value = value[0]
    if isinstance(value, dict):
        value = value.get("name")
    return value if isinstance(value, str) and value else None


def story(tree: Any) -> dict[str, Any]:
    """The text that a page carries as JSON-LD (an article's body, questions with their answers), if it is one."""
    return {}
