"""The cache as a file that another machine can read: JSONL with all we know, or WARC with the text of each page."""

from __future__ import annotations

import gzip
import hashlib
import json
import uuid
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import IO, Any

from hds_cli import bounds
from hds_cli.fetch.entry import Entry
from hds_cli.types import Page

SCHEMA = "hds.page/1"
_TEXT = ("url", "final_url", "title", "text", "fetched_at", "author", "date")
MAX_LINE = 24 << 20  # bytes: a page of four million letters outside of ASCII
_YEAR_9999 = 253_402_300_799.0


def to_line(entry: Entry) -> str:
    """One page as a line of JSON, pure ASCII."""
    values: dict[str, Any] = {"schema": SCHEMA} | {name: getattr(entry.page, name) for name in _TEXT}
    values |= {"bytes": entry.page.bytes, "etag": entry.etag, "last_modified": entry.modified, "stored": entry.stored}
    values |= {"allowed": True} if entry.allowed else {}
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
    stored = values.get("stored")
    if not bounds.is_number(values.get("bytes", 0), 0) or not bounds.is_number(stored, 0, _YEAR_9999):
        raise ValueError("bytes or stored is not a number, or out of range")
    if len(values["url"]) > bounds.MAX_URL:
        raise ValueError("its address is too long")
    final = values["final_url"] or ""
    page = bounds.page(
        Page(
            url=values["url"],
            final_url=final if final.startswith(("http://", "https://")) and len(final) <= bounds.MAX_URL else "",
            title=values["title"] or "",
            text=values["text"],
            status="cached",
            bytes=values.get("bytes", 0),
            fetched_at=bounds.date(values["fetched_at"]),
            author=values["author"],
            date=values["date"],
        )
    )
    return Entry(page, _header(values["etag"]), _header(values["last_modified"]), float(stored or 0.0),
                 allowed=values.get("allowed") is True)  # fmt: skip


def _header(value: str | None) -> str | None:
    """A validator to send back; none is longer than a line."""
    return value if value is not None and len(value) <= 1000 else None


def read_lines(stream: IO[bytes]) -> Iterator[tuple[int, Entry | str]]:
    """Line numbers with their entries, or with what is wrong with the line; no more than `MAX_LINE` of one is read."""
    number = 0
    while line := stream.readline(MAX_LINE):
        number += 1
        if len(line) == MAX_LINE and not line.endswith(b"\n"):
            while (rest := stream.readline(1 << 20)) and not rest.endswith(b"\n"):
                continue
            yield number, f"longer than {MAX_LINE >> 20} MiB"
        elif line.strip():
            try:
                yield number, from_line(line.decode("utf-8", "replace"))
            except (ValueError, KeyError, RecursionError) as exc:
                yield number, str(exc)[:200] or type(exc).__name__


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
