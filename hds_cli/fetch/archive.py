"""The cache as a file that another machine can read: JSONL with all we know, or WARC with the text of each page."""

from __future__ import annotations

import gzip
import hashlib
import json
import math
import uuid
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import IO, Any

from hds_cli.fetch.entry import Entry
from hds_cli.types import Page

SCHEMA = "hds.page/1"
_TEXT = ("url", "final_url", "title", "text", "fetched_at", "author", "date")
MAX_LINE = 64 << 20


def to_line(entry: Entry) -> str:
    """One page as a line of JSON, pure ASCII."""
    values: dict[str, Any] = {"schema": SCHEMA} | {name: getattr(entry.page, name) for name in _TEXT}
    values |= {"bytes": entry.page.bytes, "etag": entry.etag, "last_modified": entry.modified, "stored": entry.stored}
    return json.dumps(values, ensure_ascii=True)


def from_line(line: str) -> Entry:
    """The page of a line.

    Raises:
        ValueError: it is not one of `to_line`, its address is not a web page's, or a field has the wrong type.
    """
    values = json.loads(line)
    if not isinstance(values, dict) or values.get("schema") != SCHEMA:
        raise ValueError(f"not a line of schema {SCHEMA}")
    for name in (*_TEXT, "etag", "last_modified"):
        value = values.get(name)
        if not isinstance(value, str) and (value is not None or name in ("url", "text")):
            raise ValueError(f"{name} is not text")
    if not values["url"].startswith(("http://", "https://")) or not values["text"]:
        raise ValueError("not a page of the web")
    size, stored = values.get("bytes", 0), values.get("stored")
    if not isinstance(size, int) or not isinstance(stored, int | float) or not math.isfinite(stored):
        raise ValueError("bytes or stored is not a number")
    page = Page(
        url=values["url"],
        final_url=values["final_url"] or "",
        title=values["title"] or "",
        text=values["text"],
        status="cached",
        bytes=size,
        fetched_at=values["fetched_at"],
        author=values["author"],
        date=values["date"],
    )
    return Entry(page, values["etag"], values["last_modified"], float(stored))


def read_lines(stream: Iterable[str]) -> Iterator[tuple[int, Entry | str]]:
    """Line numbers with their entries, or with what is wrong with the line."""
    for number, line in enumerate(stream, 1):
        if not line.strip():
            continue
        try:
            yield number, from_line(line)
        except (ValueError, KeyError, RecursionError) as exc:
            yield number, str(exc) or type(exc).__name__


def write_warc(entries: Iterable[Entry], out: IO[bytes]) -> int:
    """Write a gzipped WARC 1.1 (ISO 28500) of `conversion` records, text only, like Common Crawl's WET; the count.

    The markup is not kept, so there is no `response` record: the text is what hds read, and says so by its type.
    """
    out.write(_record("warcinfo", None, datetime.now(UTC), "application/warc-fields", b"software: hds\r\n"))
    count = 0
    for count, entry in enumerate(entries, 1):  # noqa: B007
        when = datetime.fromtimestamp(entry.stored, UTC)
        body = f"{entry.page.title}\n\n{entry.page.text}".encode("utf-8", "replace")
        out.write(_record("conversion", entry.page.final_url or entry.page.url, when, "text/plain", body))
    return count


def _record(kind: str, url: str | None, when: datetime, media: str, body: bytes) -> bytes:
    head = [
        "WARC/1.1",
        f"WARC-Type: {kind}",
        f"WARC-Record-ID: <urn:uuid:{uuid.uuid4()}>",
        f"WARC-Date: {when.strftime('%Y-%m-%dT%H:%M:%SZ')}",
        f"WARC-Block-Digest: sha256:{hashlib.sha256(body).hexdigest()}",
        f"Content-Type: {media}",
        f"Content-Length: {len(body)}",
    ]
    if url:
        head.insert(2, "WARC-Target-URI: " + "".join(url.split()))
    return gzip.compress("\r\n".join(head).encode("utf-8", "replace") + b"\r\n\r\n" + body + b"\r\n\r\n", mtime=0)
