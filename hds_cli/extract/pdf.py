"""PDF by pypdf (BSD, pure Python): page numbers are kept as headings, so that a citation can name one."""

from __future__ import annotations

import io
import logging
import re
import signal
from typing import Any

from hds_cli.extract.text import tidy

MAX_PAGES = 5000
MAX_CHARACTERS = 20_000_000
MAX_FIELDS = 2000
_SPARE = 1.2  # seconds kept free at the end of the worker's time, to return the pages read so far
_HYPHEN = re.compile(r"([^\W_])([-\u2010\u00ad\u00ac])[ \t]*\n[ \t]*(?=([^\W_]))")


def extract(body: bytes, most: int = MAX_PAGES) -> dict[str, Any]:
    """Title, author, date and text of a PDF; `reason` is `encrypted` or `bad_pdf` when it cannot be read.

    Time and memory are bounded by the worker it runs in; decompression by pypdf's own limits (6.6 and later). Pages
    that are not read in time, or lie beyond the limit, are counted in `note` and at the end of the text.

    Args:
        most: pages that are read.
    """
    import pypdf
    from pypdf.errors import DependencyError, PyPdfError

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    try:
        reader = pypdf.PdfReader(io.BytesIO(body), strict=False)
        if reader.is_encrypted and not reader.decrypt(""):
            return {"reason": "encrypted"}
        text, note = _text(reader, most)
        return _meta(reader) | {"text": text, "note": note}
    except DependencyError:
        return {"reason": "missing_package", "detail": "cryptography"}
    except (PyPdfError, ValueError, KeyError, TypeError, IndexError, AttributeError, OSError, RecursionError) as exc:
        return {"reason": "bad_pdf", "detail": type(exc).__name__}


def _text(reader: Any, most: int) -> tuple[str, str]:
    """The pages under their numbers, and a word on what is not among them."""
    from hds_cli.extract.columns import page_text

    blocks: list[str] = []
    pictures: list[int] = []
    size = number = 0
    total = len(reader.pages)
    for number, page in enumerate(reader.pages, 1):
        try:
            text = _joined(page_text(page))
        except Exception:  # pypdf raises nearly anything on a broken page; the others are still good
            continue
        if not text and _has_picture(page):
            pictures.append(number)
            text = "(a picture of a page: there is no text in the file)"
        if text:
            blocks.append(f"## Page {number}\n\n{text}")
            size += len(text)
        if size > MAX_CHARACTERS or number >= most or _is_late():
            break
    if len(pictures) == len(blocks):
        blocks = []
    blocks += _form(reader)
    notes = [f"only the first {number} of {total} pages are read"] if number < total else []
    if pictures and blocks:
        one = len(pictures) == 1
        notes.append(f"{len(pictures)} of {total} pages {'is a picture' if one else 'are pictures'} without text")
    note = "; ".join(notes)
    return "\n\n".join([*blocks, f"({note})"] if notes and blocks else blocks), note


def _is_late() -> bool:
    """True when the timer of the worker that this runs in is nearly over."""
    left, _ = signal.getitimer(signal.ITIMER_REAL)
    return 0 < left < _SPARE


def _joined(text: str) -> str:
    """The text with words that a line's end parts put together, in any alphabet: `Grö-\\nße`, but `mid-\\n2019`."""

    def join(hyphen: re.Match[str]) -> str:
        before, sign, after = hyphen.groups()
        parted = sign in "\u00ad\u00ac" or (
            before.isalpha() and after.isalpha() and not before.isupper() and not after.isupper()
        )
        return before if parted else before + ("-" if sign in "\u00ad\u00ac" else sign)

    return tidy(_HYPHEN.sub(join, text))


def _has_picture(page: Any) -> bool:
    try:
        objects = page["/Resources"]["/XObject"].get_object()
        return any(objects[name].get_object().get("/Subtype") == "/Image" for name in list(objects)[:50])
    except Exception:  # as above
        return False


def _form(reader: Any) -> list[str]:
    """The values of a form that is filled in, which stand in no page's text."""
    try:
        fields = reader.get_fields() or {}
    except Exception:  # as above
        return []
    lines = []
    for name, field in list(fields.items())[:MAX_FIELDS]:
        kind, value = field.get("/FT"), field.get("/V")
        value = ", ".join(map(str, value)) if isinstance(value, list) else str(value if value is not None else "")
        value = value.removeprefix("/") if kind == "/Btn" else value
        label = str(field.get("/TU") or name)
        if kind in ("/Tx", "/Ch", "/Btn") and value.strip() and value != "Off":
            lines.append(f"- {' '.join(label.split())[:200]}: {' '.join(value.split())[:4000]}")
    return ["## Form\n\n" + "\n".join(lines)] if lines else []


def _meta(reader: Any) -> dict[str, Any]:
    meta = reader.metadata or {}
    when = str(meta.get("/CreationDate") or "")
    match = re.match(r"(?:D:)?(\d{4})(\d\d)(\d\d)", when)
    return {
        "title": tidy(str(meta.get("/Title") or ""))[:300],
        "author": tidy(str(meta.get("/Author") or ""))[:200] or None,
        "date": "-".join(match.groups()) if match else None,
    }
