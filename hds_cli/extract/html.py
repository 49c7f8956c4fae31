"""HTML to text: main text by trafilatura, written out by us; the only file that imports trafilatura and lxml.

The tree is parsed once and metadata are read from it directly: trafilatura's own metadata step (author patterns, date
search) costs as much again as finding the text. Bold and italics leave no `**` behind: a quote is looked for word for
word.
"""

from __future__ import annotations

import html as entities
import json
import re
from collections.abc import Callable
from typing import Any

from hds_cli.extract.text import tidy

# lxml's strip_tags("span") is quadratic (40,000 spans: 86 s; without them 0.0 s and the same text); so are attributes.
_SPAN = re.compile(r"</?span(?=[\s>/])[^<>]*>", re.I)
_LONG_TAG = re.compile(r"<[a-zA-Z][^<>]{50000,}>")
MAX_TAGS = 200_000
MAX_CHARACTERS = 8_000_000
_TAG = re.compile(r"<[^<>]*>")
_HIDDEN = re.compile(r"(?is)<(script|style|noscript|template|svg)\b.*?</\1\s*>|<!--.*?-->")
_BREAK = re.compile(r"(?i)</?(?:p|div|br|li|tr|h[1-6]|section|article|ul|ol|table|blockquote|dd|dt)\b[^<>]*>")
_INLINE = re.compile(
    r"(?i)</?(?:a|abbr|b|big|cite|code|em|font|i|mark|q|s|small|span|strong|sub|sup|u|wbr)(?=[\s/>])[^<>]*>"
)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_CHALLENGE = re.compile(
    r"(?i)^(just a moment|attention required|checking your browser|please wait|access denied|are you a robot"
    r"|one more step|ddos-guard|security check|verifying you are human|robot check)"
)


def bounded(text: str) -> str:
    """The markup without what makes parsers quadratic."""
    text = _SPAN.sub("", text[:MAX_CHARACTERS])
    text = _LONG_TAG.sub("", text)
    if text.count("<") > MAX_TAGS:
        at = -1
        for number, found in enumerate(re.finditer("<", text)):
            if number == MAX_TAGS:
                at = found.start()
                break
        text = text[:at]
    return text


def preload() -> None:
    """Import trafilatura and run it once: its first page compiles and loads more."""
    extract("<html><head><title>x</title></head><body><article><h1>x</h1><p>" + "word " * 80 + "</p></article></html>")


def extract(text: str, bound: Callable[[str], str] = bounded) -> dict[str, Any]:
    """Title, author, date and main text of a page; `reason` is `challenge` for a bot check instead of a page.

    Args:
        bound: what keeps the markup within limits; a test passes its own.
    """
    import trafilatura

    text = bound(text)
    try:
        tree: Any = trafilatura.load_html(text)
    except (ValueError, TypeError, AssertionError):
        tree = None
    found = metadata(tree) if tree is not None else {"title": ""}
    if tree is not None:
        _unwrap_layout(tree)
        _mark_article(tree)
    body = _without_title(_body(tree, text), found["title"])
    if len(body) < 1500 and _CHALLENGE.match(found["title"]):
        return {"reason": "challenge", "title": found["title"]}
    return found | {"text": body}


def _unwrap_layout(tree: Any) -> None:
    """Tables that only arrange a page (their cells hold headings, or tables) become blocks, or all would be one row.

    The cell with most text becomes the article, where the page names none and its title stands there.
    """
    cells = []
    for table in list(tree.iter("table")):
        if not any(cell.find(f".//{tag}") is not None for cell in table.iter("td") for tag in ("h1", "h2", "table")):
            continue
        parts = list(table.iter("tbody", "thead", "tfoot", "tr", "td", "th"))
        for part in [part for part in parts if next(part.iterancestors("table")) is table]:
            cells += [part] if part.tag in ("td", "th") else []
            part.tag = "div"
        table.tag = "div"
    inner = [cell for cell in cells if not any(other is not cell and cell in other.iterancestors() for other in cells)]
    if inner and tree.find(".//article") is None and tree.find(".//main") is None:
        largest = max(inner, key=lambda cell: len(cell.text_content()))
        if largest.find(".//h1") is not None:
            largest.tag = "article"


def _mark_article(tree: Any) -> None:
    """The text of a MediaWiki page is its article: of a page that marks none, trafilatura keeps no heading."""
    if tree.find(".//article") is None and tree.find(".//main") is None:
        for found in tree.xpath("//div[contains(concat(' ', @class, ' '), ' mw-parser-output ')]")[:1]:
            found.tag = "article"


def _without_title(body: str, title: str) -> str:
    """The text without a first heading that only says the title again."""
    first, gap, rest = body.partition("\n\n")
    return rest if gap and first.startswith("#") and first.lstrip("# ") == title else body


def _body(tree: Any, text: str) -> str:
    """The main text by trafilatura's rules alone, and by its slower comparisons where that is suspiciously little.

    On 181 articles the rules alone find more and take two thirds of the time; what they lose elsewhere are pages of
    which they find next to nothing.
    """
    body = _main_text(tree, fast=True) if tree is not None else ""
    if len(body) >= 500:
        return body
    if tree is not None and (not body or len(body) < 0.25 * _running_text(tree)):
        body = max(body, _main_text(tree, fast=False), key=len)
    if len(body) >= 200:
        return body
    everything = strip_tags(text)
    # A short page, or one that the extractor gave up on: all of its text.
    return everything if not body or (len(everything) < 2000 and len(body) < 0.3 * len(everything)) else body


def _running_text(tree: Any) -> int:
    """How many characters stand in paragraphs: a measure of what there is to find, without menus and link lists."""
    total = 0
    for node in tree.iter("p", "div", "td", "li", "pre", "blockquote"):
        own = node.text_content() if node.tag == "p" else (node.text or "") + "".join(c.tail or "" for c in node)
        size = len(_line(own))
        total += size if size > 60 else 0
    return total


def _main_text(tree: Any, *, fast: bool) -> str:
    from trafilatura import bare_extraction

    try:
        document: Any = bare_extraction(
            tree, include_comments=False, output_format="txt", with_metadata=False, fast=fast
        )
    except (ValueError, TypeError, AttributeError, IndexError, KeyError, AssertionError):
        return ""  # a bug of the extractor on this page: the caller takes the whole text
    if document is None or document.body is None:
        return ""
    return tidy("\n\n".join(block for block in _blocks(document.body) if block))


def _blocks(body: Any) -> list[str]:
    """trafilatura's own XML (head, p, list/item, table/row/cell, quote, code) as paragraphs."""
    out: list[str] = []
    if body.text and body.text.strip():
        out.append(_line(body.text))
    for node in body:
        tag = node.tag
        if tag == "head":
            level = node.get("rend") or "h2"
            mark = "#" * min(6, max(2, int(level[1]) if level[1:2].isdigit() else 2))
            words = _words(node)
            out.append(f"{mark} {words}" if words else "")
        elif tag == "list":
            out.append("\n".join(f"- {item}" for item in _items(node) if item))
        elif tag == "table":
            rows = ([_words(cell) for cell in row.iter("cell")] for row in node.iter("row"))
            out.append("\n".join("| " + " | ".join(cells) + " |" for cells in rows if any(cells)))
        elif tag == "code" and "\n" in (node.text or ""):
            out.append("".join(node.itertext()).strip("\n"))
        elif tag in ("quote", "div", "p") and any(
            isinstance(child.tag, str) and child.tag in ("p", "list", "head", "table") for child in node
        ):
            out.extend(_blocks(node))
        elif isinstance(tag, str):
            out.append(_words(node))
        if node.tail and node.tail.strip():
            out.append(_line(node.tail))
    return out


def _items(node: Any) -> list[str]:
    return [_words(item) for item in node.iter("item")] or [_words(node)]


def _words(node: Any) -> str:
    """All text below a node on one line, a `<lb/>` being a line end."""
    parts: list[str] = []
    for piece in node.iter():
        if piece.tag == "lb":
            parts.append("\n")
        elif piece.text and isinstance(piece.tag, str):
            parts.append(piece.text)
        if piece is not node and piece.tail:
            parts.append(piece.tail)
    lines = (_line(line) for line in "".join(parts).split("\n")) if any(p == "\n" for p in parts) else None
    return "\n".join(line for line in lines if line) if lines is not None else _line("".join(parts))


def _line(text: str) -> str:
    return " ".join(text.split())


def strip_tags(markup: str) -> str:
    """All visible text, by regular expressions: the last resort, which no nesting depth can stop."""
    text = _BREAK.sub("\n", _HIDDEN.sub(" ", markup))
    text = entities.unescape(_TAG.sub(" ", _INLINE.sub("", text)))
    return tidy("\n\n".join(line for line in map(_line, text.split("\n")) if line))


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
    return {"title": _title(tree, meta), "author": tidy(_line(author))[:200] if author else None, "date": date}


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
        if site and (found := re.fullmatch(r"(.+?)\s+[-–—|·:]\s+" + re.escape(site), _line(title))):
            title = found[1]
    if not title.strip():
        node = next(tree.iter("h1"), None)
        title = node.text_content() if node is not None else ""
    return tidy(_line(title))[:300]


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


def parse_xml(text: str) -> Any:
    """The root of an XML document, or None; no entities are expanded and nothing is loaded."""
    from lxml import etree

    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, recover=True, huge_tree=False, remove_comments=True
    )
    try:
        return etree.fromstring(text.encode("utf-8", "replace").lstrip(), parser)
    except (etree.XMLSyntaxError, ValueError):
        return None
