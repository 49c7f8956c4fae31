"""Bytes of a known kind -> title and text. Runs in the worker; everything here is a plain function."""

from __future__ import annotations

from typing import Any

from hds_cli import bounds


def preload() -> None:
    """Import what the first page would otherwise wait for."""
    from hds_cli.extract import html

    html.preload()


def extract(body: bytes, kind: str, charset: str | None, url: str, most: int = bounds.MAX_TEXT) -> dict[str, Any]:
    """A dictionary of `title`, `text` and, if known, `author`, `date`, `note`; with `reason` when there is no text.

    A `note` says what of the file is not in the text.

    Args:
        body: the decoded body.
        kind: `html`, `xml`, `text`, `markdown`, `json`, `pdf`, one of `files.KINDS`, or `plugin:NAME`.
        charset: the label of the Content-Type header, untrusted.
        url: where it came from, for titles.
        most: characters of text that are kept.
    """
    content = _content(body, kind, charset, url)
    if content.get("reason"):
        return content
    kept = {
        "title": bounds.title(content.get("title")),
        "text": bounds.text(content.get("text"), most),
        "author": bounds.author(content.get("author")),
        "date": bounds.date(content.get("date")),
    }
    if not kept["text"]:
        return {"reason": "empty", "title": kept["title"]}
    kept["title"] = kept["title"] or bounds.title(_name(url))
    cut = f"only its first {most:,} characters are read" if len(content["text"]) > most else ""
    if note := cut or bounds.title(content.get("note")):
        kept["note"] = note
    return kept


def _content(body: bytes, kind: str, charset: str | None, url: str) -> dict[str, Any]:
    from hds_cli.extract import feeds, files, html, pdf, text
    from hds_cli.extract.charset import decode

    if kind.startswith("plugin:"):
        from hds_cli.extract import plugged

        return plugged.extract(kind.removeprefix("plugin:"), body, url)
    if kind in files.KINDS:
        return files.extract(kind, body)
    if kind == "pdf":
        return pdf.extract(body)
    if kind == "html":
        return html.extract(decode(body, charset, markup=True))
    if kind == "xml":
        return feeds.feed(decode(body, charset, markup=True))
    if kind == "json":
        return feeds.json_page(decode(body, charset))
    return text.plain(decode(body, charset), markdown=kind == "markdown")


def _name(url: str) -> str:
    from urllib.parse import unquote, urlsplit

    parts = urlsplit(url)
    return unquote(parts.path.rstrip("/").rpartition("/")[2]) or parts.netloc
