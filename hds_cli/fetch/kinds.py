"""The kind of a body: one that hds reads itself, or one that an extractor plugin is named after."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from hds_cli.fetch.body import sniff
from hds_cli.kinds import LARGE, MEDIA, PACKED, of_name
from hds_cli.plugins import entry_points

__all__ = ["LARGE", "kind_of", "one_type"]
GROUP = "hds.extractors.v1"
_ZIP = b"PK\x03\x04"
_COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # the magic number of .xls files
_TYPE = re.compile(r"\s*[\w!#$&^.+*-]{1,80}/[\w!#$&^.+*-]{1,80}\s*(?:;.*)?\Z", re.S)
_FILE_NAME = re.compile(r"filename\*?\s*=\s*(?:[\w-]{1,20}'[^']{0,20}')?\"?([^\";]{1,255})", re.I)
# Kinds that a server often labels as plain text or as bytes: the name decides, where the bytes are text.
_NAMED = frozenset(("csv", "ipynb", "jsonl", "rtf", "eml", "mbox"))
_VAGUE = frozenset(
    "text/plain text/csv application/octet-stream binary/octet-stream application/x-download "
    "application/force-download application/download application/json application/zip "
    "application/x-zip-compressed */* unknown/unknown application/vnd.ms-excel".split()
) | {""}


def kind_of(content_type: str | None, start: bytes, url: str, disposition: str | None = None) -> str | None:
    """As `sniff`, with `.docx`, `.csv` and the like; for what hds does not read, `plugin:NAME`; None: nobody reads it.

    A plugin's name is the ending of the address (`dwg`), or the subtype of the media type, whole (`dwg+zip`), before
    its `+`, or without `x-`.

    Args:
        content_type: the header, untrusted.
        start: the first bytes, which decide before it.
        url: the address.
        disposition: the Content-Disposition header, for a name where the address has none.
    """
    label = (content_type or "").partition(";")[0].strip().lower()
    named = _by_name(url, disposition)
    kind = MEDIA.get(label)
    if label in _VAGUE and named is not None and (kind is None or named in _NAMED or named in PACKED):
        kind = named
    if start.startswith((_ZIP, _COMPOUND)):
        kind = kind if kind in PACKED else named if named in PACKED and label in _VAGUE else None
    elif start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"%PDF-", b"<!DOCTYPE", b"<!doctype", b"<html", b"<HTML")):
        kind = sniff(content_type if kind is None else None, start, url)  # an error page under a file's name
    elif kind not in _NAMED or sniff("text/plain", start, url) is None:
        kind = sniff(content_type, start, url)
    if kind is not None or not (installed := entry_points(GROUP)):
        return kind
    return next((f"plugin:{name}" for name in _names(content_type, url) if name in installed), None)


def one_type(values: Sequence[str]) -> str:
    """The Content-Type of several headers: the last that is one, or an equal one that names a charset (Fetch, 3.5)."""
    chosen = ""
    for value in values:
        if not _TYPE.match(value) or value.strip().startswith("*/*"):
            continue
        same = value.partition(";")[0].strip().lower() == chosen.partition(";")[0].strip().lower()
        chosen = chosen if same and "charset" in chosen.lower() and "charset" not in value.lower() else value.strip()
    return chosen or (values[-1] if values else "")


def _by_name(url: str, disposition: str | None) -> str | None:
    if match := _FILE_NAME.search(disposition or ""):
        return of_name(unquote(match[1]).strip().replace("\\", "/").rpartition("/")[2])
    try:
        return of_name(unquote(urlsplit(url).path).rpartition("/")[2])
    except ValueError:
        return None


def _names(content_type: str | None, url: str) -> list[str]:
    subtype = (content_type or "").partition(";")[0].strip().lower().partition("/")[2]
    try:
        ending = PurePosixPath(urlsplit(url).path).suffix.lower().removeprefix(".")
    except ValueError:
        ending = ""
    return [subtype, subtype.partition("+")[0], subtype.removeprefix("x-"), ending]
