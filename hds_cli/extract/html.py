"""HTML to text: main text by trafilatura, written out by us.

The tree is parsed once and metadata are read from it directly: trafilatura's own metadata step (author patterns, date
search) costs as much again as finding the text. Bold and italics leave no `**` behind: a quote is looked for word for
word. Which lists, tables and code belong to the text is trafilatura's to say; how they are written is `flow`'s: each
carries a number through it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hds_cli.extract import flow
from hds_cli.extract.inline import settled
from hds_cli.extract.linked import json_ld, text_in
from hds_cli.extract.markup import bounded, main_body, parse_html, strip_tags
from hds_cli.extract.meta import metadata
from hds_cli.extract.nopage import why_no_page
from hds_cli.extract.shape import Shapes, is_marked, unmarked
from hds_cli.extract.text import tidy

# Elements that trafilatura always takes out, but only after it has searched and copied them several times.
_NEVER_TEXT = (
    "aside", "audio", "canvas", "embed", "footer", "head", "iframe", "input", "link", "map", "noscript", "object",
    "select", "svg", "template", "textarea", "video",
)  # fmt: skip
_DEEPEST = 240  # depth of nested elements, about as deep as a tree may be
_STUB = 600  # characters; a shorter text may be the teaser of an article that stands in JSON-LD
_MARKED = frozenset(("list", "table", "code"))


def preload() -> None:
    """Import trafilatura and run it once: its first page compiles and loads more."""
    extract("<html><head><title>x</title></head><body><article><h1>x</h1><p>" + "word " * 80 + "</p></article></html>")


def extract(text: str, bound: Callable[[str], str] = bounded) -> dict[str, Any]:
    """Title, author, date and main text of a page; instead of a text, `reason` says why this is no page.

    Args:
        bound: what keeps the markup within limits; a test passes its own.
    """
    text = bound(text)
    has_scripts = "<script" in text or "<SCRIPT" in text
    text = settled(text)
    tree = parse_html(text)
    if tree is None:
        return {"title": "", "text": strip_tags(text)}
    items = json_ld(tree)
    details = metadata(tree, items)
    for node in list(tree.iter(*_NEVER_TEXT)):
        if node.getparent() is not None:
            node.drop_tree()
    body = _without_title(_body(tree, text, Shapes(tree, text)), details["title"])
    reason = why_no_page(text, details["title"], body, has_scripts=has_scripts)
    if items and (reason or len(body) < _STUB) and len(story := text_in(items)) > (0 if reason else 2 * len(body)):
        return details | {"text": story}
    return {"reason": reason, "title": details["title"]} if reason else details | {"text": body}


def _without_title(body: str, title: str) -> str:
    """The text without a first heading that only says the title again."""
    first, gap, rest = body.partition("\n\n")
    return rest if gap and first.startswith("#") and first.lstrip("# ") == title else body


def _body(tree: Any, text: str, shapes: Shapes) -> str:
    """The main text by trafilatura's rules alone, and by its slower comparisons where that is suspiciously little.

    On 181 articles the rules alone find more and take two thirds of the time; what they lose elsewhere are pages of
    which they find next to nothing.
    """
    body = _main_text(tree, shapes, fast=True)
    if len(body) >= 500:
        return body
    if not body or len(body) < 0.25 * _running_text(tree):
        body = max(body, _main_text(tree, shapes, fast=False), key=len)
    if len(body) >= 200:
        return body
    everything = _everything(text)
    # A short page, or one that the extractor gave up on: all of its text.
    return everything if not body or (len(everything) < 2000 and len(body) < 0.3 * len(everything)) else body


def _everything(text: str) -> str:
    """All visible text; where the tree was cut (a page may nest deeper than a tree may), what lies beyond it too."""
    tree, stripped = parse_html(text), strip_tags(text)
    if tree is None:
        return stripped
    Shapes(tree, text)
    shown = unmarked(flow.text_of(tree))
    return shown if 3 * len(shown) >= len(stripped) or not _is_cut(tree) else stripped


def _is_cut(tree: Any) -> bool:
    from lxml import etree

    depth = 0
    for event, _ in etree.iterwalk(tree, events=("start", "end")):
        depth += 1 if event == "start" else -1
        if depth >= _DEEPEST:
            return True
    return False


def _running_text(tree: Any) -> int:
    """The number of characters in paragraphs, without menus and link lists: a measure of the text to be found."""
    total = 0
    for node in tree.iter("p", "div", "td", "li", "pre", "blockquote"):
        own = node.text_content() if node.tag == "p" else (node.text or "") + "".join(c.tail or "" for c in node)
        size = len(_line(own))
        total += size if size > 60 else 0
    return total


def _main_text(tree: Any, shapes: Shapes, *, fast: bool) -> str:
    body = main_body(tree, fast=fast)
    if body is None:
        return ""
    return tidy("\n\n".join(block for block in _Writer(shapes).blocks(body) if block))


class _Writer:
    """Writes trafilatura's own XML (head, p, list/item, table/row/cell, quote, code) as paragraphs.

    Args:
        shapes: the lists, tables and code of the page, by the numbers they carry.
    """

    def __init__(self, shapes: Shapes) -> None:
        self._shapes = shapes
        self._done: set[Any] = set()

    def blocks(self, body: Any) -> list[str]:
        out: list[str] = []
        if body.text and body.text.strip():
            out.append(_line(body.text))
        for node in body:
            tag = node.tag
            if (tag in _MARKED or (tag == "quote" and is_marked(node.text))) and (
                shapes := self._shapes.written("".join(node.itertext()), self._done)
            ) is not None:
                out += shapes
            elif tag == "head":
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
                out.extend(self.blocks(node))
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
    return " ".join(unmarked(text).split())
