"""Word documents (.docx): what a reader of the printed page sees, in its order (ECMA-376, WordprocessingML).

The XML is read directly: python-docx's `text` leaves out tracked insertions, content controls, text boxes and notes.
"""

from __future__ import annotations

import re
from typing import Any

from hds_cli.extract import cells
from hds_cli.extract.inline import lifted, lowered
from hds_cli.extract.package import Package, local
from hds_cli.extract.text import tidy

MAX_DEEP = 60
_HEADING = re.compile(r"(?i)heading ([1-6])")
# Elements that are no text of the page: deleted or moved text, codes of fields, properties.
_GONE = frozenset(
    "del moveFrom instrText delText delInstrText rPr pPr sectPr tblPr tblGrid trPr tcPr sdtPr sdtEndPr Fallback "
    "annotationRef commentReference proofErr".split()
)
_OFF = frozenset(("0", "false", "off", "none"))


def docx(body: bytes) -> dict[str, Any]:
    """Headings, paragraphs, lists, tables, text boxes and notes of a Word document."""
    package = Package(body)
    main = package.main("document") or "word/document.xml"
    writer = _Writer(package, main)
    root = package.xml(main)
    blocks = writer.blocks(root)
    for name in package.related(main, ("header", "footer")):
        for block in writer.blocks(package.xml(name)):
            if block not in blocks and re.search(r"[^\W\d_]{2}", block):
                blocks.append(block)
    first = next((block.lstrip("# ") for block in blocks if block.startswith("# ")), "")
    core = package.core()
    return {
        "title": core["title"] or first,
        "author": core["author"],
        "date": core["date"],
        "text": tidy("\n\n".join(blocks)),
    }


class _Writer:
    """Writes the parts of one document.

    Args:
        package: its archive.
        main: the name of its main part, whose notes and styles are used.
    """

    def __init__(self, package: Package, main: str) -> None:
        self._styles = _styles(package, main)
        self._notes = {kind: _notes(package, main, kind) for kind in ("footnote", "endnote")}

    def blocks(self, node: Any, deep: int = 0) -> list[str]:
        """The paragraphs and tables below a node."""
        out: list[str] = []
        if node is None or deep > MAX_DEEP:
            return out
        for child in node:
            name = local(child)
            if name == "p":
                out += self._paragraph(child, deep)
            elif name == "tbl":
                if text := self._table(child, deep):
                    out.append(text)
            elif name not in _GONE:
                out += self.blocks(child, deep + 1)
        return [block for block in out if block]

    def _paragraph(self, node: Any, deep: int) -> list[str]:
        line: list[str] = []
        after: list[str] = []
        self._runs(node, line, after, deep)
        text = "\n".join(" ".join(part.split()) for part in "".join(line).split("\n") if part.strip())
        style, is_item = self._style(node)
        if text:
            if style == "title":
                text = f"# {text}"
            elif heading := _HEADING.fullmatch(style):
                text = f"{'#' * max(2, int(heading[1]))} {text}"
            elif is_item:
                text = f"- {text}"
        return [text, *after]

    def _runs(self, node: Any, line: list[str], after: list[str], deep: int) -> None:
        """The text of what runs in a paragraph into `line`; text boxes and notes stand after it."""
        if deep > MAX_DEEP:
            return
        for child in node:
            name = local(child)
            if name in _GONE:
                continue
            if name == "t":
                line.append(child.text or "")
            elif name in _SIGNS:
                line.append(_SIGNS[name])
            elif name == "txbxContent":
                after += self.blocks(child, deep + 1)
            elif name in ("footnoteReference", "endnoteReference"):
                noted = self._notes[name.removesuffix("Reference")].get(_value(child, "id"))
                if noted is not None:
                    after += [f"Note: {block}" for block in self.blocks(noted, deep + 1)]
            elif name == "r":
                self._run(child, line, after, deep)
            elif name == "oMath":
                line.append(_formula(child))
            else:
                self._runs(child, line, after, deep + 1)

    def _run(self, node: Any, line: list[str], after: list[str], deep: int) -> None:
        looks = next((child for child in node if local(child) == "rPr"), None)
        marks = {local(child): _value(child, "val") or "1" for child in looks} if looks is not None else {}
        if any(marks.get(name, "0").lower() not in _OFF for name in ("strike", "dstrike", "vanish")):
            return
        inner: list[str] = []
        self._runs(node, inner, after, deep + 1)
        text = "".join(inner)
        if (place := marks.get("vertAlign")) in ("superscript", "subscript") and text.strip():
            text = (lifted if place == "superscript" else lowered)(text.strip(), "".join(line[-3:]))
        elif line and text[:1].isdigit() and line[-1][-1:].isdigit() and "^" in line[-1]:
            text = f" {text}"
        line.append(text)

    def _style(self, node: Any) -> tuple[str, bool]:
        """The name of a paragraph's style, in lower case, and whether it is an item of a list."""
        looks = next((child for child in node if local(child) == "pPr"), None)
        named, outline, is_item = "", "", False
        for child in looks if looks is not None else ():
            if local(child) == "pStyle":
                named = self._styles.get(_value(child, "val"), "")
            elif local(child) == "outlineLvl":
                outline = _value(child, "val")
            elif local(child) == "numPr":
                is_item = any(local(one) == "numId" and _value(one, "val") != "0" for one in child)
        if outline in ("0", "1", "2", "3", "4", "5") and not _HEADING.fullmatch(named):
            named = f"heading {int(outline) + 1}"
        return named, is_item or named.startswith("list")

    def _table(self, node: Any, deep: int) -> str:
        rows = []
        held: dict[int, str] = {}
        for row in (one for one in _through(node) if local(one) == "tr"):
            values: list[str] = []
            for cell in (one for one in _through(row) if local(one) == "tc"):
                span, merge = _cell(cell)
                text = held.get(len(values), "") if merge == "continue" else cells.joined(self.blocks(cell, deep + 1))
                if merge == "restart":
                    held[len(values)] = text
                elif not merge:
                    held.pop(len(values), None)
                values += [text] * span
            rows.append(values)
        return cells.rows(rows)


_SIGNS = {"tab": " ", "br": "\n", "cr": "\n", "noBreakHyphen": "-", "softHyphen": "", "ptab": " "}


def _through(node: Any) -> list[Any]:
    """The children of a node, those in content controls and tracked changes too."""
    out: list[Any] = []
    stack = list(reversed(node))
    while stack:
        child = stack.pop()
        if local(child) in ("sdt", "sdtContent", "ins", "customXml", "moveTo"):
            stack.extend(reversed(child))
        else:
            out.append(child)
    return out


def _cell(node: Any) -> tuple[int, str]:
    """The number of columns a cell spans, and its part in a cell that spans rows: `restart`, `continue` or ""."""
    span, merge = 1, ""
    looks = next((child for child in node if local(child) == "tcPr"), None)
    for child in looks if looks is not None else ():
        if local(child) == "gridSpan" and (value := _value(child, "val")).isdigit():
            span = min(max(1, int(value[:4])), cells.MAX_SPAN)
        elif local(child) == "vMerge":
            merge = _value(child, "val") or "continue"
    return span, merge


def _formula(node: Any, deep: int = 0) -> str:
    """Office Math on one line: `(a)/(b)`, `x^2`, `x_1`, `√(x)`."""
    name = local(node)
    if name == "t":
        return str(node.text or "")
    if deep > MAX_DEEP:
        return ""
    parts = {local(child): "".join(_formula(one, deep + 1) for one in child) for child in node if len(child)}
    if name == "f":
        return f"({parts.get('num', '')})/({parts.get('den', '')})"
    if name in ("sSup", "sSub", "sSubSup"):
        low = f"_{parts['sub']}" if parts.get("sub") else ""
        return parts.get("e", "") + low + (f"^{parts['sup']}" if parts.get("sup") else "")
    if name == "rad":
        return f"√({parts.get('e', '')})"
    return "".join(
        _formula(child, deep + 1) for child in node if local(child) not in ("rPr", "ctrlPr", "fPr", "sSupPr", "radPr")
    )


def _value(node: Any, name: str) -> str:
    return next((value for key, value in node.attrib.items() if key.rpartition("}")[2] == name), "")


def _styles(package: Package, main: str) -> dict[str, str]:
    out: dict[str, str] = {}
    for part in package.related(main, ("styles",)):
        root = package.xml(part)
        for style in root if root is not None else ():
            if local(style) == "style":
                name = next((_value(child, "val") for child in style if local(child) == "name"), "")
                out[_value(style, "styleId")] = name.lower()
    return out


def _notes(package: Package, main: str, kind: str) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for part in package.related(main, (f"{kind}s",)):
        root = package.xml(part)
        for note in root if root is not None else ():
            if local(note) == kind and _value(note, "type") in ("", "normal"):
                out[_value(note, "id")] = note
    return out
