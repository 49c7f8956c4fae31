"""One cached page as bytes: sha256 + zlib(JSON); what does not verify is not ours."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import json
import re
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from hds_cli import bounds, jsons
from hds_cli.types import Page

# A part of every key, so that pages read by an older extractor are missed and read again.
EXTRACTOR = 2
_FIELDS = ("url", "final_url", "title", "text", "bytes", "fetched_at", "author", "date")
_MAX_ENTRY = 32 << 20
_PIECE = 1 << 18  # characters
_LONE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class Entry:
    """A page on disk with what is needed to ask whether it changed.

    `allowed`: it could be fetched only because `fetch.allow` names its host.
    """

    page: Page
    etag: str | None = None
    modified: str | None = None
    stored: float = 0.0
    fresh: bool = True
    allowed: bool = False

    @property
    def validators(self) -> dict[str, str]:
        """Headers of a conditional request (RFC 9110 13.1)."""
        out = {}
        if self.etag and self.etag.isprintable() and self.etag.isascii():
            out["If-None-Match"] = self.etag
        if self.modified and self.modified.isprintable() and self.modified.isascii():
            out["If-Modified-Since"] = self.modified
        return out


@dataclass(frozen=True)
class CacheInfo:
    """The size and age of a cache."""

    folder: Path
    pages: int
    bytes: int
    limit: int
    oldest: str | None
    newest: str | None


def key_of(url: str) -> str:
    """The key of a URL: one for what differs only in the case of scheme and host, a default port or the fragment."""
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(url.partition("#")[0])
        port = f":{parts.port}" if parts.port not in (None, {"http": 80, "https": 443}.get(parts.scheme)) else ""
        url = f"{parts.scheme.lower()}://{(parts.hostname or '').rstrip('.')}{port}{parts.path or '/'}" + (
            f"?{parts.query}" if parts.query else ""
        )
    except ValueError:
        pass
    return hashlib.sha256(f"{EXTRACTOR}\n{url}".encode("utf-8", "surrogatepass")).hexdigest()


def pack(entry: Entry) -> bytes:
    """The bytes of an entry."""
    values = {name: getattr(entry.page, name) for name in _FIELDS}
    values |= {"etag": entry.etag, "modified": entry.modified, "stored": entry.stored, "allowed": entry.allowed}
    text, squeeze = values.pop("text"), zlib.compressobj(3)
    start = json.dumps(values, ensure_ascii=False)[:-1]
    # In pieces: a text of megabytes is not held three times over.
    pieces = (json.dumps(text[at : at + _PIECE], ensure_ascii=False)[1:-1] for at in range(0, len(text), _PIECE))
    parts = (part.encode("utf-8", "replace") for part in itertools.chain((start, ', "text": "'), pieces, ('"}',)))
    data = b"".join([*map(squeeze.compress, parts), squeeze.flush()])
    return hashlib.sha256(data).digest() + data


def unpack(blob: bytes) -> Entry:
    """The entry of a blob.

    Raises:
        ValueError: it is not one of ours, or not all of it.
    """
    data = blob[32:]
    if hashlib.sha256(data).digest() != blob[:32]:
        raise ValueError("damaged")
    try:
        values = jsons.loads(zlib.decompressobj().decompress(data, _MAX_ENTRY), most=1000)
        page = Page(status="cached", **{name: values[name] for name in _FIELDS})
        entry = Entry(page, values["etag"], values["modified"], values["stored"], allowed=values.get("allowed") is True)
    except (zlib.error, KeyError, TypeError, RecursionError) as exc:
        raise ValueError("foreign") from exc
    for value in (page.url, page.final_url):
        if not isinstance(value, str):
            raise ValueError("foreign")
    if not bounds.is_number(entry.stored, 0) or not all(
        value is None or isinstance(value, str) for value in (entry.etag, entry.modified, page.fetched_at)
    ):
        raise ValueError("foreign")
    return dataclasses.replace(entry, page=bounds.page(page))


def storable(page: Page) -> Page:
    """The page without lone surrogates, which no encoding can hold."""
    url, title, text = (_LONE.sub("?", value) for value in (page.url, page.title, page.text))
    return dataclasses.replace(page, url=url, title=title, text=text)


def stamp(seconds: object) -> str | None:
    """Seconds since 1970 as ISO 8601."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds") if isinstance(seconds, float) else None
