"""Markup within limits, and its trees: the only file that opens lxml's parsers."""

from __future__ import annotations

import html as entities
import re
from typing import Any

from hds_cli.extract.text import tidy

MAX_TAGS = 200_000
MAX_CHARACTERS = 8_000_000
_LONG_TAG = re.compile(r"<[a-zA-Z][^<>]{50000,}>")
_TAG = re.compile(r"<[^<>]*>")
_HIDDEN = re.compile(r"<(script|style|noscript|template|svg|title)(?=[\s>/])[^<>]*>|<!--", re.I)
_HIDDEN_END = {
    name: re.compile(rf"</{name}\s*>" if name else "-->", re.I)
    for name in ("script", "style", "noscript", "template", "svg", "title", "")
}
_BREAK = re.compile(r"(?i)</?(?:p|div|br|li|tr|td|th|h[1-6]|section|article|ul|ol|table|blockquote|dd|dt)\b[^<>]*>")
_INLINE = re.compile(
    r"(?i)</?(?:a|abbr|b|big|cite|code|em|font|i|mark|q|s|small|span|strong|sub|sup|u|wbr)(?=[\s/>])[^<>]*>"
)


def bounded(text: str) -> str:
    """The markup without what makes parsers quadratic: too many tags, a tag of endless attributes."""
    text = text[:MAX_CHARACTERS]
    pieces = text.split("<")
    if max(map(len, pieces)) > 50_000:
        text = _LONG_TAG.sub("", text)
        pieces = text.split("<")
    return text if len(pieces) <= MAX_TAGS + 1 else "<".join(pieces[: MAX_TAGS + 1])


def parse_html(text: str) -> Any:
    """The root of an HTML document, or None when there is no tree in it."""
    import trafilatura

    try:
        return trafilatura.load_html(text)
    except (ValueError, TypeError, AssertionError):
        return None


def main_body(tree: Any, *, fast: bool) -> Any:
    """The element with the main text of a page, or None."""
    from trafilatura import bare_extraction

    try:
        document = bare_extraction(tree, include_comments=False, output_format="txt", with_metadata=False, fast=fast)
    except (ValueError, TypeError, AttributeError, IndexError, KeyError, AssertionError):
        return None  # a bug of the extractor on this page: the caller takes the whole text
    return None if document is None else document.body


def parse_fragment(text: str) -> Any:
    """The root of a piece of HTML (an entry of a feed, a cell's output), or None."""
    from lxml import etree, html

    try:
        return html.fromstring(f"<html><body><div>{text}</div></body></html>")
    except (etree.ParserError, etree.XMLSyntaxError, ValueError, AssertionError):
        return None


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


def strip_tags(markup: str) -> str:
    """All visible text, by regular expressions: the last resort, which no nesting depth can stop."""
    text = _BREAK.sub("\n", _visible(markup))
    text = entities.unescape(_TAG.sub(" ", _INLINE.sub("", text)))
    lines = (" ".join(line.split()) for line in text.split("\n"))
    return tidy("\n\n".join(line for line in lines if line))


def _visible(markup: str) -> str:
    """The markup without comments, programs and the like; of what has no end, the start alone goes."""
    out: list[str] = []
    endless: set[str] = set()
    at = 0
    while hidden := _HIDDEN.search(markup, at):
        name = (hidden[1] or "").lower()
        end = None if name in endless else _HIDDEN_END[name].search(markup, hidden.end())
        if end is None:
            endless.add(name)
        out += [markup[at : hidden.start()], " "]
        at = end.end() if end else hidden.end()
    return "".join([*out, markup[at:]])
