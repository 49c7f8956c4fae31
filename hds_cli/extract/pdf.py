"""PDF by pypdf (BSD, pure Python): page numbers are kept as headings, so that a citation can name one."""

from __future__ import annotations

import io
import logging
import re
from typing import Any

from hds_cli.extract.text import tidy

MAX_PAGES = 400
MAX_CHARACTERS = 4_000_000
_HYPHEN = re.compile(r"(?<=[a-z])-\n(?=[a-z])")


def extract(body: bytes) -> dict[str, Any]:
    """Title, author, date and text of a PDF; `reason` is `encrypted` or `bad_pdf` when it cannot be read.

    Time and memory are bounded by the worker it runs in; decompression by pypdf's own limits (6.6 and later).
    """
    import pypdf
    from pypdf.errors import PyPdfError

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    try:
        reader = pypdf.PdfReader(io.BytesIO(body), strict=False)
        if reader.is_encrypted and not reader.decrypt(""):
            return {"reason": "encrypted"}
        return _meta(reader) | {"text": _text(reader)}
    except (PyPdfError, ValueError, KeyError, TypeError, IndexError, AttributeError, OSError) as exc:
        return {"reason": "bad_pdf", "detail": type(exc).__name__}


def _text(reader: Any) -> str:
    blocks: list[str] = []
    size = 0
    for number, page in enumerate(reader.pages[:MAX_PAGES], 1):
        try:
            text = tidy(_HYPHEN.sub("", page.extract_text() or ""))
        except Exception:  # pypdf raises nearly anything on a broken page; the others are still good
            continue
        if text:
            blocks.append(f"## Page {number}\n\n{text}")
            size += len(text)
        if size > MAX_CHARACTERS:
            break
    return "\n\n".join(blocks)


def _meta(reader: Any) -> dict[str, Any]:
    meta = reader.metadata or {}
    when = str(meta.get("/CreationDate") or "")
    found = re.match(r"(?:D:)?(\d{4})(\d\d)(\d\d)", when)
    return {
        "title": tidy(str(meta.get("/Title") or ""))[:300],
        "author": tidy(str(meta.get("/Author") or ""))[:200] or None,
        "date": "-".join(found.groups()) if found else None,
    }
