"""Bytes of a known kind -> title and text. Runs in the worker; everything here is a plain function."""

from __future__ import annotations

from typing import Any


def preload() -> None:
    """Import what the first page would otherwise wait for."""
    from hds_cli.extract import html

    html.preload()


def extract(body: bytes, kind: str, charset: str | None, url: str) -> dict[str, Any]:
    """`title`, `text`, and maybe `author` and `date`; or `reason` when there is no text.

    Args:
        body: the decoded body.
        kind: `html`, `xml`, `text`, `markdown`, `json`, `pdf`, one of `files.KINDS`, or `plugin:NAME`.
        charset: the label of the Content-Type header, untrusted.
        url: where it came from, for titles.
    """
    from hds_cli.extract import files, html, pdf, text
    from hds_cli.extract.charset import decode

    if kind.startswith("plugin:"):
        from hds_cli.extract import plugged

        found = plugged.extract(kind.removeprefix("plugin:"), body, url)
    elif kind in files.KINDS:
        found = files.extract(kind, body)
    elif kind == "pdf":
        found = pdf.extract(body)
    elif kind == "html":
        found = html.extract(decode(body, charset, markup=True))
    elif kind == "xml":
        found = text.feed(decode(body, charset, markup=True))
    elif kind == "json":
        found = text.json_text(decode(body, charset))
    else:
        found = text.plain(decode(body, charset), markdown=kind == "markdown")
    if found.get("reason"):
        return found
    if not found.get("text"):
        return {"reason": "empty", "title": found.get("title", "")}
    found["title"] = found.get("title") or _name(url)
    return found


def _name(url: str) -> str:
    from urllib.parse import unquote, urlsplit

    parts = urlsplit(url)
    return unquote(parts.path.rstrip("/").rpartition("/")[2]) or parts.netloc
