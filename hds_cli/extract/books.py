"""E-books (EPUB 3.3): the chapters in the order of the spine, written as pages of the web are."""

from __future__ import annotations

import posixpath
import re
from typing import Any

from hds_cli.extract.charset import decode
from hds_cli.extract.fragment import shown
from hds_cli.extract.package import Package, local, resolved
from hds_cli.extract.text import tidy

MAX_CHARACTERS = 8_000_000
_DATE = re.compile(r"\d{4}(?:-\d\d(?:-\d\d)?)?")
_BODY = re.compile(r"(?is)<body\b[^<>]*>(.*?)(?:</body\s*>|\Z)")


def epub(body: bytes) -> dict[str, Any]:
    """The chapters of a book; one without a heading has that of the table of contents.

    Raises:
        ValueError: there is no package document.
    """
    book = Package(body)
    container = book.xml("META-INF/container.xml")
    roots = [node.get("full-path") for node in container.iter("{*}rootfile")] if container is not None else []
    name = next((root for root in roots if root), None)
    package = book.xml(name) if name else None
    if name is None or package is None:
        raise ValueError("no package document")
    folder = posixpath.dirname(name)
    items = {node.get("id"): node for node in package.iter("{*}item")}
    names = _contents(book, folder, items)
    chapters: list[str] = []
    size = 0
    for part in dict.fromkeys(_spine(package, items, folder)):
        markup = decode(book.read(part), markup=True)
        match = _BODY.search(markup)
        text = shown(match[1] if match else markup)
        if text and not re.search(r"(?m)^#", text) and names.get(part):
            text = f"## {names[part]}\n\n{text}"
        chapters.append(text)
        size += len(text)
        if size > MAX_CHARACTERS:
            break
    date = _DATE.match(_meta(package, "date"))
    return {
        "title": _meta(package, "title"), "author": _meta(package, "creator") or None,
        "date": date[0] if date else None, "text": tidy("\n\n".join(chapter for chapter in chapters if chapter)),
    }  # fmt: skip


def _spine(package: Any, items: dict[str, Any], folder: str) -> list[str]:
    parts = []
    for reference in package.iter("{*}itemref"):
        item = items.get(reference.get("idref"))
        if item is not None and "nav" not in (item.get("properties") or "").split():
            parts.append(resolved(folder, item.get("href") or ""))
    return parts


def _contents(book: Package, folder: str, items: dict[str, Any]) -> dict[str, str]:
    """Part -> its title in the table of contents: the navigation document, or the NCX of older books."""
    out: dict[str, str] = {}
    for item in items.values():
        is_nav = "nav" in (item.get("properties") or "").split()
        if not is_nav and item.get("media-type") != "application/x-dtbncx+xml":
            continue
        name = resolved(folder, item.get("href") or "")
        root = book.xml(name)
        for node in root.iter() if root is not None else ():
            if is_nav and local(node) == "a":
                target, text = node.get("href"), "".join(node.itertext())
            elif not is_nav and local(node) == "navPoint":
                content = next((one for one in node if local(one) == "content"), None)
                label = next((one for one in node if local(one) == "navLabel"), None)
                target, text = (
                    content.get("src") if content is not None else "",
                    "".join(label.itertext()) if label is not None else "",
                )
            else:
                continue
            out.setdefault(resolved(posixpath.dirname(name), target or ""), " ".join(text.split())[:300])
    return out


def _meta(root: Any, name: str) -> str:
    node = next(root.iter(f"{{http://purl.org/dc/elements/1.1/}}{name}"), None)
    return " ".join("".join(node.itertext()).split()) if node is not None else ""
