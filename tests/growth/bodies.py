"""Bodies of every kind that an extractor reads, each with a text of a family inside."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from html import escape

Body = Callable[[str], bytes]
_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_OFFICE = "urn:oasis:names:tc:opendocument:xmlns:office:1.0"
_TEXT = "urn:oasis:names:tc:opendocument:xmlns:text:1.0"
_RELATIONS = (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" '
    'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" '
    'Target="word/document.xml"/></Relationships>'
)
_TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" '
    'ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/word/document.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>'
)
_CONTAINER = (
    '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
    '<rootfile full-path="p.opf"/></rootfiles></container>'
)
_PACKAGE = (
    '<package xmlns="http://www.idpf.org/2007/opf"><manifest><item id="a" href="a.xhtml"/></manifest>'
    '<spine><itemref idref="a"/></spine></package>'
)


def packed(parts: dict[str, str]) -> bytes:
    """An archive of these parts."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, text.encode("utf-8", "replace"))
    return stream.getvalue()


def _plain(text: str) -> str:
    """Text as XML takes it."""
    return escape("".join(c for c in text if c >= " " or c in "\n\t"))


def docx(text: str) -> bytes:
    lines = "".join(f"<w:p><w:r><w:t>{_plain(line)}</w:t></w:r></w:p>" for line in text.split("\n"))
    body = f'<w:document xmlns:w="{_W}"><w:body>{lines}</w:body></w:document>'
    return packed({"[Content_Types].xml": _TYPES, "_rels/.rels": _RELATIONS, "word/document.xml": body})


def odt(text: str) -> bytes:
    lines = "".join(f"<t:p>{_plain(line)}</t:p>" for line in text.split("\n"))
    root = f'<o:document-content xmlns:o="{_OFFICE}" xmlns:t="{_TEXT}"><o:body><o:text>{lines}</o:text></o:body>'
    kind = "application/vnd.oasis.opendocument.text"
    return packed({"mimetype": kind, "content.xml": f"{root}</o:document-content>"})


def epub(text: str) -> bytes:
    page = f"<html><body><h1>h</h1><p>{_plain(text)}</p></body></html>"
    return packed({"META-INF/container.xml": _CONTAINER, "p.opf": _PACKAGE, "a.xhtml": page})


def pdf(text: str) -> bytes:
    """One page, a line of text a line."""
    shown = "".join(c if " " <= c <= "~" and c not in "()\\" else "?" for c in text.replace("\n", " "))
    lines = "".join(f"({shown[at : at + 80]}) Tj T* " for at in range(0, len(shown), 80))
    stream = f"BT /F1 9 Tf 9 TL 9 780 Td {lines}ET".encode("latin-1", "replace")
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 4 0 R "
        b"/Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>",
        b"<< /Length %d >>\nstream\n" % len(stream) + stream + b"\nendstream",
    ]
    made = b"%PDF-1.4\n"
    places = []
    for number, body in enumerate(objects, 1):
        places.append(len(made))
        made += b"%d 0 obj\n" % number + body + b"\nendobj\n"
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return made + b"xref\n0 5\n0000000000 65535 f \n%strailer\n<< /Size 5 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % (
        table,
        len(made),
    )


def json_keys(text: str) -> bytes:
    """A key of half the size over a list of numbers."""
    half = len(text) // 2
    return json.dumps({text[:half]: list(range(half // 7))}).encode()


BODIES: dict[str, tuple[str, Body]] = {
    "html": ("html", lambda text: f"<html><body><article><p>{text}</p></article></body></html>".encode()),
    "html, escaped": ("html", lambda text: f"<html><title>{escape(text)}</title><p>{escape(text)}</p>".encode()),
    "text": ("text", str.encode),
    "markdown": ("markdown", str.encode),
    "code": ("code", str.encode),
    "json": ("json", lambda text: json.dumps([{"a": text[:1000], "b": [text]}]).encode()),
    "json, keys": ("json", json_keys),
    "jsonl": ("jsonl", lambda text: b"\n".join(json.dumps({"text": line}).encode() for line in text.split("\n"))),
    "feed": ("xml", lambda text: f"<rss><channel><item><title>{_plain(text)}</title></item></channel></rss>".encode()),
    "csv": ("csv", lambda text: b"name,said\n" + text.encode()),
    "ipynb": ("ipynb", lambda text: json.dumps({"cells": [{"cell_type": "markdown", "source": [text]}]}).encode()),
    "docx": ("docx", docx),
    "odt": ("odt", odt),
    "epub": ("epub", epub),
    "pdf": ("pdf", pdf),
    "eml": ("eml", lambda text: b"Subject: a\nContent-Type: text/plain\n\n" + text.encode()),
    "mbox": ("mbox", lambda text: b"From a@b Mon\nSubject: a\n\n" + text.encode()),
    "rtf": ("rtf", lambda text: b"{\\rtf1 " + text.encode("ascii", "replace") + b"}"),
}
