"""Feeds: RSS, RDF, Atom and JSON Feed, a heading an entry; other XML and JSON as what it is."""

from __future__ import annotations

import html as entities
import json
import re
from html.entities import html5
from typing import Any

from hds_cli.extract.fragment import shown
from hds_cli.extract.markup import parse_xml
from hds_cli.extract.text import json_text, tidy

MAX_ITEMS = 500
_XHTML = "{http://www.w3.org/1999/xhtml}"
_CDATA = "<![CDATA["
_ENTITY = re.compile(r"&(?:#\d{1,7}|#x[0-9a-fA-F]{1,6}|[a-zA-Z]\w{1,30});")


def feed(text: str) -> dict[str, Any]:
    """RSS, RDF and Atom: one heading an entry with its date, text and link. Other XML: its text."""
    from hds_cli.extract import html

    root = parse_xml(_with_entities(text))
    if root is None:
        return html.extract(text)
    entries = [node for node in root.iter() if _local(node) in ("item", "entry")]
    head = next((node for node in root.iter() if _local(node) in ("channel", "feed")), root)
    title = _line(_child(head, "title"))
    if not entries:
        return {"title": title, "text": tidy("\n".join(t.strip() for t in root.itertext() if t.strip()))}
    blocks = []
    for node in entries[:MAX_ITEMS]:
        date = next((text for name in ("pubDate", "published", "updated", "date") if (text := _plain(node, name))), "")
        texts = [_markup(_child(node, name)) for name in ("encoded", "content", "description", "summary")]
        blocks.append(_entry(_line(_child(node, "title")), date, next(filter(None, texts), ""), _link(node)))
    note = f"only the first {MAX_ITEMS} of {len(entries)} entries are read" if len(entries) > MAX_ITEMS else ""
    return {"title": title, "text": tidy("\n\n".join(blocks)), "note": note}


def json_page(text: str) -> dict[str, Any]:
    """A JSON Feed (jsonfeed.org, 1 and 1.1) as other feeds; other JSON as lines `path: value`."""
    if "jsonfeed.org/version" not in text[:2000]:
        return json_text(text)
    try:
        root = json.loads(text)
        items = root["items"] if isinstance(root["items"], list) else []
    except (ValueError, RecursionError, KeyError, TypeError):
        return json_text(text)
    blocks = []
    for item in (item for item in items[:MAX_ITEMS] if isinstance(item, dict)):
        written = item.get("content_html")
        body = shown(written) if isinstance(written, str) else _text(item, "content_text") or _text(item, "summary")
        date = _text(item, "date_published") or _text(item, "date_modified")
        link = next((url for name in ("url", "external_url", "id") if (url := _web(_text(item, name)))), "")
        blocks.append(_entry(_unmarked(_text(item, "title")), date, body, link))
    title = _text(root, "title")
    return {"title": _unmarked(title), "text": tidy("\n\n".join(blocks)) or title}


def _entry(title: str, date: str, body: str, link: str) -> str:
    # Headings within an entry stand below the entry's own.
    body = re.sub(r"(?m)^#{1,5} ", "### ", body)
    return "\n\n".join(part for part in ("## " + (title or "(untitled)"), date, body, link) if part)


def _with_entities(text: str) -> str:
    """The document with the names of HTML's letters, which XML does not know, as letters: `&eacute;`, `&nbsp;`."""
    own = {"amp", "lt", "gt", "quot", "apos"}

    def letter(entity: re.Match[str]) -> str:
        name = entity[0][1:-1]
        return entity[0] if name in own or name.startswith("#") else html5.get(name + ";", entity[0])

    out: list[str] = []
    at = 0
    while (start := text.find(_CDATA, at)) >= 0 and (end := text.find("]]>", start)) >= 0:
        out += [_ENTITY.sub(letter, text[at:start]), text[start : end + 3]]
        at = end + 3
    return "".join([*out, _ENTITY.sub(letter, text[at:])])


def _local(node: Any) -> str:
    return node.tag.rpartition("}")[2] if isinstance(node.tag, str) else ""


def _child(node: Any, name: str) -> Any:
    return next((child for child in node if _local(child) == name), None)


def _plain(node: Any, name: str) -> str:
    child = _child(node, name)
    return " ".join("".join(child.itertext()).split()) if child is not None else ""


def _line(node: Any) -> str:
    """A title as a reader shows it: tags and letters by name are markup, however often they were escaped."""
    return "" if node is None else _unmarked(" ".join("".join(node.itertext()).split()))


def _unmarked(text: str) -> str:
    for _ in range(2):
        if not _ENTITY.search(text) and "<" not in text:
            break
        text = entities.unescape(re.sub(r"</?[a-zA-Z][^<>]*>", "", text))
    return " ".join(text.split())


def _markup(node: Any) -> str:
    """The text of an element: XHTML below it, or HTML written into it as escaped text."""
    if node is None:
        return ""
    if node.get("type") == "xhtml" or any(str(child.tag).startswith(_XHTML) for child in node):
        from lxml import etree

        for inner in node.iter():
            if isinstance(inner.tag, str):
                inner.tag = inner.tag.rpartition("}")[2]
        etree.cleanup_namespaces(node)
        return shown(etree.tostring(node, encoding="unicode", method="html", with_tail=False))
    text = "".join(node.itertext())
    if node.get("type") == "text" or ("<" not in text and "&" not in text):
        return tidy(text)
    if "<" not in text and _ENTITY.search(text):  # escaped once more than it should be
        text = entities.unescape(text)
    return shown(text)


def _link(node: Any) -> str:
    """The entry's own page: Atom's `alternate` before others, RSS's `link`, or an identity that is an address."""
    links = [child for child in node if _local(child) == "link"]
    own = [child for child in links if child.get("rel", "alternate") == "alternate"]
    written = ((child.text or "").strip() or child.get("href", "").strip() for child in (*own, *links))
    guid = _child(node, "guid")
    if link := next((url for url in map(_web, written) if url), ""):
        return link
    return _web((guid.text or "").strip()) if guid is not None and guid.get("isPermaLink") != "false" else ""


def _web(url: str) -> str:
    return url if url.startswith(("http://", "https://")) else ""


def _text(item: Any, name: str) -> str:
    value = item.get(name)
    return str(value).strip() if isinstance(value, str | int) else ""
