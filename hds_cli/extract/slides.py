"""Slides (.pptx) and OpenDocument texts and slides (.odt, .odp): their paragraphs, lists and tables in order."""

from __future__ import annotations

import re
from typing import Any

from hds_cli.extract import cells
from hds_cli.extract.inline import lifted, lowered
from hds_cli.extract.package import Package, local
from hds_cli.extract.text import tidy

MAX_DEEP = 80
MAX_REPEATED = 50  # cells or rows that a file may say are the same


# -- PresentationML (ECMA-376) -------------------------------------------------------
def pptx(body: bytes) -> dict[str, Any]:
    """A heading a slide, with its text, tables and notes."""
    package = Package(body)
    main = package.main("document") or "ppt/presentation.xml"
    blocks: list[str] = []
    title = ""
    for number, name in enumerate(_slides(package, main), 1):
        root = package.xml(name)
        if root is None or root.get("show") == "0":
            continue
        head = " ".join(_title(root).split())
        title = title or head
        blocks.append(f"## Slide {number}: {head}" if head else f"## Slide {number}")
        blocks += [block for block in _shapes(root) if block and block != head]
        for part in package.related(name, ("diagramData",)):
            blocks += _shapes(package.xml(part))
        for part in package.related(name, ("notesSlide",)):
            blocks += [f"Notes: {block}" for block in _shapes(package.xml(part)) if not block.isdigit()]
    core = package.core()
    return {
        "title": core["title"] or title,
        "author": core["author"],
        "date": core["date"],
        "text": tidy("\n\n".join(blocks)),
    }


def _slides(package: Package, main: str) -> list[str]:
    root = package.xml(main)
    entries = root.iter("{*}sldId") if root is not None else ()
    numbers = [next((v for k, v in node.attrib.items() if k.endswith("}id")), "") for node in entries]
    return [name for number in numbers if (name := package.relation(main, number))]


def _title(root: Any) -> str:
    for shape in root.iter("{*}sp"):
        place = next(shape.iter("{*}ph"), None)
        if place is not None and place.get("type") in ("title", "ctrTitle"):
            return " ".join(_shapes(shape))
    return ""


def _shapes(node: Any, deep: int = 0) -> list[str]:
    out: list[str] = []
    if node is None or deep > MAX_DEEP:
        return out
    for child in node:
        name = local(child)
        if name == "p":
            out.append(_line(child))
        elif name == "tbl":
            rows = [row for row in child if local(row) == "tr"]
            out.append(
                cells.rows(
                    [cells.joined(_shapes(cell, deep + 1)) for cell in row if local(cell) == "tc"] for row in rows
                )
            )
        elif name not in ("Fallback", "extLst"):
            out += _shapes(child, deep + 1)
    return [block for block in out if block]


def _line(paragraph: Any) -> str:
    parts: list[str] = []
    for child in paragraph:
        name = local(child)
        if name == "br":
            parts.append(" ")
        elif name in ("r", "fld"):
            text = "".join(node.text or "" for node in child if local(node) == "t")
            looks = next((node for node in child if local(node) == "rPr"), None)
            baseline = (looks.get("baseline") or "0") if looks is not None else "0"
            if looks is not None and looks.get("strike") in ("sngStrike", "dblStrike"):
                continue
            if baseline.lstrip("-").isdigit() and int(baseline[:8]) and text.strip():
                base = "".join(parts[-3:])
                text = lifted(text.strip(), base) if not baseline.startswith("-") else lowered(text.strip(), base)
            parts.append(text)
        elif name not in ("pPr", "endParaRPr"):
            parts += [node.text or "" for node in child.iter("{*}t")]
    return " ".join("".join(parts).split())


# -- OpenDocument 1.3 ---------------------------------------------------------------
def odt(body: bytes) -> dict[str, Any]:
    """Headings, paragraphs, lists, tables, boxes and notes of an OpenDocument text, or of slides."""
    from hds_cli.extract.charset import decode
    from hds_cli.extract.markup import parse_xml

    if body.startswith(b"PK"):
        package = Package(body)
        root, meta = package.xml("content.xml"), package.xml("meta.xml")
    else:  # a flat file: one XML document
        root = meta = parse_xml(re.sub(r"^\s*<\?xml[^>]{0,200}\?>", "", decode(body, markup=True)))
    if root is None:
        raise ValueError("no content")
    struck = _struck(root)
    content = next(root.iter("{*}body"), root)
    blocks = _blocks(content, struck)
    properties = {local(node): "".join(node.itertext()).strip() for node in (meta.iter() if meta is not None else ())
            if local(node) in ("title", "creator", "initial-creator", "date", "creation-date")}  # fmt: skip
    date = re.match(r"\d{4}-\d\d-\d\d", properties.get("date") or properties.get("creation-date") or "")
    first = next((block.lstrip("# ") for block in blocks if block.startswith("#")), "")
    return {
        "title": properties.get("title") or first,
        "author": properties.get("creator") or properties.get("initial-creator"),
        "date": date[0] if date else None, "text": tidy("\n\n".join(blocks)),
    }  # fmt: skip


def _struck(root: Any) -> dict[str, str]:
    """The names of styles that strike text through, raise or lower it -> `gone`, `up`, `down`."""
    out: dict[str, str] = {}
    for style in root.iter("{*}style"):
        for looks in style:
            if local(looks) != "text-properties":
                continue
            values = {key.rpartition("}")[2]: value for key, value in looks.attrib.items()}
            if values.get("text-line-through-style", "none") != "none" or values.get("display") == "none":
                out[_named(style, "name")] = "gone"
            elif (place := values.get("text-position", "")) and not place.startswith("0"):
                out[_named(style, "name")] = "down" if place.startswith(("sub", "-")) else "up"
    return out


def _blocks(node: Any, styles: dict[str, str], deep: int = 0) -> list[str]:
    out: list[str] = []
    if deep > MAX_DEEP:
        return out
    for child in node:
        name = local(child)
        if name in ("h", "p"):
            after: list[str] = []
            text = " ".join(_odf_line(child, styles, after, deep).split())
            level = _named(child, "outline-level")
            if text and name == "h":
                text = f"{'#' * min(6, max(2, int(level) if level.isdigit() else 2))} {text}"
            out += [text, *after]
        elif name == "list":
            out.append("\n".join(_odf_items(child, styles, deep + 1)))
        elif name == "table":
            out.append(_odf_table(child, styles, deep + 1))
        elif name == "page" and (title := _named(child, "name")):
            out += [f"## {title}", *_blocks(child, styles, deep + 1)]
        elif name not in ("tracked-changes", "annotation", "forms", "sequence-decls", "settings", "index-source"):
            out += _blocks(child, styles, deep + 1)
    return [block for block in out if block]


def _odf_line(node: Any, styles: dict[str, str], after: list[str], deep: int) -> str:
    parts = [node.text or ""]
    for child in node:
        name = local(child)
        if name == "s":
            count = _named(child, "c")
            parts.append(" " * (min(int(count[:3]), 100) if count.isdigit() else 1))
        elif name in ("tab", "line-break"):
            parts.append(" ")
        elif name == "note":
            noted = next((one for one in child if local(one) == "note-body"), None)
            after += [f"Note: {block}" for block in _blocks(noted, styles, deep + 1)] if noted is not None else []
        elif name == "frame" or name == "text-box":
            after += _blocks(child, styles, deep + 1)
        elif name not in ("annotation", "annotation-end", "tracked-changes") and deep < MAX_DEEP:
            text = _odf_line(child, styles, after, deep + 1)
            look = styles.get(_named(child, "style-name"), "") if name == "span" else ""
            if look in ("up", "down") and text.strip():
                base = "".join(parts[-3:])
                text = lifted(text.strip(), base) if look == "up" else lowered(text.strip(), base)
            parts.append("" if look == "gone" else text)
        parts.append(child.tail or "")
    return "".join(parts)


def _odf_items(node: Any, styles: dict[str, str], deep: int) -> list[str]:
    lines: list[str] = []
    for item in node:
        blocks = _blocks(item, styles, deep + 1)
        for number, line in enumerate(line for block in blocks for line in block.split("\n")):
            lines.append(f"  {line}" if number else line if line.startswith("- ") else f"- {line}")
    return lines


def _odf_table(node: Any, styles: dict[str, str], deep: int) -> str:
    rows: list[list[str]] = []
    for row in node.iter("{*}table-row"):
        values: list[str] = []
        for cell in row:
            if local(cell) in ("table-cell", "covered-table-cell"):
                again = _named(cell, "number-columns-repeated")
                text = cells.joined(_blocks(cell, styles, deep + 1))
                values += [text] * (min(int(again[:6]), MAX_REPEATED) if again.isdigit() and text else 1)
        rows.append(values)
    return cells.rows(rows)


def _named(node: Any, name: str) -> str:
    return next((value for key, value in node.attrib.items() if key.rpartition("}")[2] == name), "")
