"""A page that only leads on: `<meta http-equiv="refresh">`, which is a redirect in a page's clothes."""

from __future__ import annotations

import html
import re

START = 65_536  # bytes of the page that are looked at
AT_ONCE = 1.0  # seconds: a refresh this soon is a redirect, whatever else the page says
SOON = 10.0  # seconds: a refresh this soon is a redirect when the page says little else
_LITTLE = 1500  # characters
_UNSEEN = re.compile(r"(?is)<!--.*?-->|<(noscript|script|style|template|textarea|xmp|iframe)\b.*?(?:</\1\s*>|\Z)")
_META = re.compile(r"<meta\b[^<>]{0,4000}>", re.I)
_REFRESH = re.compile(r"http-equiv\s*=\s*[\"']?\s*refresh\b", re.I)
_CONTENT = re.compile(r"\bcontent\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))", re.I)
_VALUE = re.compile(r"\s*(\d{0,6}(?:\.\d{0,6})?)[\d.]*\s*(?:[;,\s]\s*(?:url\s*=\s*)?)(.+)\Z", re.I | re.S)
_BASE = re.compile(r"<base\b[^<>]{0,2000}?\bhref\s*=\s*[\"']?([^\"'\s<>]+)", re.I)
_TAG = re.compile(r"<[^<>]*>")


def leads_to(start: bytes) -> tuple[str, str] | None:
    """The address that a page leads to, as written there, and its `base`; None when it is a page of its own.

    A refresh without an address is the page again; one in `noscript` is for browsers that run no scripts, and is what
    search pages send those to be rid of them.

    Args:
        start: the first bytes of the page (`START` of them).
    """
    if b"refresh" not in start.lower():
        return None
    page = _UNSEEN.sub(" ", start[:START].decode("utf-8", "replace"))
    for meta in _META.finditer(page):
        content = _CONTENT.search(meta[0]) if _REFRESH.search(meta[0]) else None
        if content is None:
            continue
        value = _VALUE.match(html.unescape(content[1] or content[2] or content[3] or "")[:4000])
        if value is None:
            continue
        seconds = float(value[1]) if value[1] not in ("", ".") else 0.0
        url = value[2].strip().strip("\"'").strip()
        if url and (seconds <= AT_ONCE or (seconds <= SOON and _says_little(page))):
            base = _BASE.search(page)
            return url, html.unescape(base[1]) if base else ""
    return None


def _says_little(page: str) -> bool:
    return len(" ".join(_TAG.sub(" ", page).split())) < _LITTLE and len(page) < START
