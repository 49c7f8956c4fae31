"""Files of a disk that the web seldom has: Word documents, e-books, notebooks, tables.

An archive says how large its members are before they are unpacked; one that is lying ends at the worker's memory limit.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import unquote

from hds_cli.extract.text import tidy

MAX_UNPACKED = 200_000_000
MAX_CHARACTERS = 8_000_000
MAX_ROWS = 100_000
_HEADING = re.compile(r"(?i)<(/?)h([1-6])\b[^<>]*>")
_DATE = re.compile(r"\d{4}(?:-\d\d(?:-\d\d)?)?")
Found = dict[str, Any]


def extract(kind: str, body: bytes) -> Found:
    """Title, text, author and date of a file of one of `KINDS`; `reason` is `bad_docx` or the like when it is broken.

    Bytes come from a disk or the net: time and memory are bounded by the worker.
    """
    try:
        return KINDS[kind](body)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, OSError, zipfile.BadZipFile, RecursionError,
            NotImplementedError, RuntimeError, SyntaxError) as exc:  # fmt: skip
        return {"reason": f"bad_{kind}", "detail": type(exc).__name__}


def _docx(body: bytes) -> Found:
    """Headings, paragraphs, lists and tables in their order (python-docx, MIT)."""
    import docx
    from docx.table import Table

    _check_size(zipfile.ZipFile(io.BytesIO(body)))
    document = docx.Document(io.BytesIO(body))
    blocks = []
    for block in document.iter_inner_content():
        blocks.append(_table(block) if isinstance(block, Table) else _paragraph(block))
    core = document.core_properties
    first = next((b.lstrip("# ") for b in blocks if b.startswith("# ")), "")
    when = core.modified or core.created
    return {
        "title": tidy(core.title or first)[:300],
        "author": core.author or None,
        "date": when.date().isoformat() if when else None,
        "text": tidy("\n\n".join(block for block in blocks if block))[:MAX_CHARACTERS],
    }


def _paragraph(paragraph: Any) -> str:
    text = " ".join(str(paragraph.text).split())
    style = str(getattr(paragraph.style, "name", "") or "")
    if not text:
        return ""
    if style == "Title":
        return f"# {text}"
    if found := re.fullmatch(r"Heading ([1-6])", style):
        return f"{'#' * max(2, int(found[1]))} {text}"
    return f"- {text}" if style.startswith("List") else text


def _table(table: Any) -> str:
    rows = ([" ".join(cell.text.split()) for cell in row.cells] for row in table.rows)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in rows if any(cells))


def _epub(body: bytes) -> Found:
    """The chapters in the order of the spine (EPUB 3.3, Open Container Format and package document)."""
    from hds_cli.extract import markup
    from hds_cli.extract.charset import decode

    book = zipfile.ZipFile(io.BytesIO(body))
    _check_size(book)
    container = markup.parse_xml(decode(book.read("META-INF/container.xml"), markup=True))
    package = next(node.get("full-path") for node in container.iter("{*}rootfile"))
    root = markup.parse_xml(decode(book.read(package), markup=True))
    folder = package.rpartition("/")[0]
    chapters = []
    for name in _spine(root, folder):
        if name in book.NameToInfo:
            chapter = decode(book.read(name), markup=True)
            chapters.append(markup.strip_tags(_HEADING.sub(_as_markdown, chapter)))
    date = _DATE.match(_meta(root, "date"))
    return {
        "title": _meta(root, "title")[:300], "author": _meta(root, "creator") or None,
        "date": date[0] if date else None, "text": tidy("\n\n".join(chapters))[:MAX_CHARACTERS],
    }  # fmt: skip


def _as_markdown(tag: re.Match[str]) -> str:
    return "</p>" if tag[1] else f"<p>{'#' * max(2, int(tag[2]))} "


def _spine(root: Any, folder: str) -> Iterator[str]:
    hrefs = {node.get("id"): node.get("href") for node in root.iter("{*}item")}
    for node in root.iter("{*}itemref"):
        if href := hrefs.get(node.get("idref")):
            yield unquote(f"{folder}/{href}" if folder else href).partition("#")[0]


def _meta(root: Any, name: str) -> str:
    found = next(root.iter(f"{{http://purl.org/dc/elements/1.1/}}{name}"), None)
    return " ".join("".join(found.itertext()).split()) if found is not None else ""


def _check_size(archive: zipfile.ZipFile) -> None:
    if sum(member.file_size for member in archive.infolist()) > MAX_UNPACKED:
        raise ValueError("too large when unpacked")


def _notebook(body: bytes) -> Found:
    """The cells of a Jupyter notebook: Markdown, code and what it printed (nbformat 4, and 3's worksheets)."""
    book = json.loads(body)
    cells = book.get("cells") or [cell for sheet in book.get("worksheets", []) for cell in sheet["cells"]]
    blocks = []
    for cell in cells:
        blocks.append(_lines(cell.get("source") or cell.get("input")))
        for output in cell.get("outputs") or []:
            blocks.append(_lines(output.get("text") or (output.get("data") or {}).get("text/plain"))[:4000])
    text = tidy("\n\n".join(block for block in blocks if block.strip()))[:MAX_CHARACTERS]
    heading = re.search(r"(?m)^#\s+(.+)$", text)
    title = (book.get("metadata") or {}).get("title") or (heading[1] if heading else "")
    return {"title": tidy(str(title))[:300], "text": text}


def _lines(source: Any) -> str:
    return "".join(map(str, source)) if isinstance(source, list) else str(source or "")


def _csv(body: bytes) -> Found:
    """A table as one statement a row, `column: value; …`, so that a row found alone says what its numbers are."""
    import csv

    from hds_cli.extract.charset import decode

    text = decode(body).replace("\0", "")
    csv.field_size_limit(1_000_000)
    try:
        dialect = csv.Sniffer().sniff(text[:10_000], ",;\t|")
    except csv.Error:
        dialect = csv.excel
    rows = []
    size = 0
    try:
        reader = csv.reader(io.StringIO(text), dialect)
        head = next(reader, [])
        for row, _ in zip(reader, range(MAX_ROWS), strict=False):
            pairs = (
                f"{name.strip()}: {value.strip()}" for name, value in zip(head, row, strict=False) if value.strip()
            )
            rows.append("- " + " ".join("; ".join(pairs).split()))
            size += len(rows[-1])
            if size > MAX_CHARACTERS:
                break
    except csv.Error as exc:
        raise ValueError(str(exc)) from exc
    return {"title": "", "text": tidy("\n".join([", ".join(head), "", *rows]))}


KINDS: dict[str, Callable[[bytes], Found]] = {"docx": _docx, "epub": _epub, "ipynb": _notebook, "csv": _csv}
