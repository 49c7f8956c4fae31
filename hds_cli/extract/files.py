"""Files of a disk that the web seldom has: which reader reads which kind, and what a broken file is."""

from __future__ import annotations

import importlib
import io
import re
import zipfile
from collections.abc import Callable
from typing import Any

from hds_cli.extract.text import json_text, tidy

MAX_CHARACTERS = 8_000_000
_MODULE = "hds_cli.extract."
# Kind -> module and function; a reader's libraries are loaded with its first file.
KINDS = {
    "docx": "word:docx", "pptx": "slides:pptx", "odt": "slides:odt", "xlsx": "sheets:workbook", "csv": "sheets:csv",
    "epub": "books:epub", "ipynb": "notebook:notebook", "eml": "mail:eml", "mbox": "mail:mbox", "rtf": "files:rtf",
    "jsonl": "files:jsonl", "code": "files:code",
}  # fmt: skip
Found = dict[str, Any]


def extract(kind: str, body: bytes) -> Found:
    """Title, text, author and date of a file of one of `KINDS`; `reason` is `bad_docx` or the like when it is broken.

    Bytes come from a disk or the net: time and memory are bounded by the worker.
    """
    module, _, name = KINDS[_within(kind, body)].partition(":")
    try:
        reader: Callable[[bytes], Found] = getattr(importlib.import_module(_MODULE + module), name)
        return reader(body)
    except ImportError as exc:
        return {"reason": "missing_package", "detail": str(exc.name)[:40]}
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, OSError, zipfile.BadZipFile, RecursionError,
            NotImplementedError, RuntimeError, SyntaxError, LookupError) as exc:  # fmt: skip
        return {"reason": f"bad_{kind}", "detail": type(exc).__name__}


def _within(kind: str, body: bytes) -> str:
    """The kind that an archive is by its parts: a server or a name may call a book a document."""
    if kind not in ("docx", "pptx", "xlsx", "odt", "epub") or not body.startswith(b"PK"):
        return kind
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError):
        return kind
    for inner, part in (("docx", "word/document.xml"), ("pptx", "ppt/presentation.xml"), ("xlsx", "xl/workbook.xml"),
                        ("xlsx", "xl/workbook.bin"), ("epub", "META-INF/container.xml")):  # fmt: skip
        if part in names:
            return inner
    return kind if "content.xml" not in names or kind == "xlsx" else "odt"


def rtf(body: bytes) -> Found:
    """Rich Text Format, through striprtf (BSD).

    Raises:
        ValueError: the body is no RTF.
    """
    from striprtf.striprtf import rtf_to_text

    if not body.lstrip().startswith(b"{\\rtf"):
        raise ValueError("not RTF")
    source = body.decode("latin-1")[:MAX_CHARACTERS]
    title = re.search(r"\{\\title ([^{}\\]{1,300})\}", source)
    text = rtf_to_text(source, encoding="cp1252", errors="replace")
    rows = "\n".join(map(_table_row, text.split("\n")))
    return {"title": title[1].strip() if title else "", "text": tidy(re.sub(r"\n(?!\n|\|)", "\n\n", rows))}


def _table_row(line: str) -> str:
    """A line of striprtf as a row of a Markdown table, if it is one of cells: `a|b|` becomes `| a | b |`."""
    if not line.endswith("|") or "|" not in line[:-1]:
        return line
    return f"| {' | '.join(line[:-1].split('|'))} |"


def jsonl(body: bytes) -> Found:
    """JSON, one value a line: a block a line, as JSON is shown; a line that is broken stays as it is."""
    from hds_cli.extract.charset import decode

    blocks: list[str] = []
    size = 0
    for line in decode(body).replace("\x1e", "").split("\n"):
        if line.strip():
            blocks.append(json_text(line)["text"])
            size += len(blocks[-1])
        if size > MAX_CHARACTERS:
            break
    return {"title": "", "text": tidy("\n\n".join(blocks))}


def code(body: bytes) -> Found:
    """Source code by its lines: parts that blank lines part stay whole, and none is read as prose."""
    from hds_cli.extract.charset import decode

    lines = tidy(decode(body).expandtabs(4))
    return {"title": "", "text": f"```\n{lines}\n```" if lines else ""}
