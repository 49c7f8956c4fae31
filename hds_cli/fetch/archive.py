"""The cache as a file that another machine can read: JSONL, or WARC with the text of each page. Both are read again."""

from __future__ import annotations

import gzip
import hashlib
import json
import uuid
import zlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from io import BufferedReader, RawIOBase
from typing import IO, Any, Protocol, cast

from hds_cli import bounds, jsons
from hds_cli.fetch.entry import Entry
from hds_cli.types import Page

SCHEMA = "hds.page/1"
_TEXT = ("url", "final_url", "title", "text", "fetched_at", "author", "date")
MAX_LINE = 24 << 20  # bytes: a page of four million letters outside of ASCII
_MAX_FIELD = 1 << 20  # bytes of one line of a record's head
_FIELD = "Hds-Page"
_YEAR_9999 = 253_402_300_799.0


class Lines(Protocol):
    """A stream that lines are read from."""

    def readline(self, size: int, /) -> bytes: ...


def to_line(entry: Entry) -> str:
    """One page as a line of JSON, pure ASCII."""
    return json.dumps(_values(entry), ensure_ascii=True)


def _values(entry: Entry) -> dict[str, Any]:
    values: dict[str, Any] = {"schema": SCHEMA} | {name: getattr(entry.page, name) for name in _TEXT}
    values |= {"bytes": entry.page.bytes, "etag": entry.etag, "last_modified": entry.modified, "stored": entry.stored}
    return values | ({"allowed": True} if entry.allowed else {})


def from_line(line: bytes | str) -> Entry:
    """The page of a line.

    Raises:
        ValueError: it is not one of `to_line`, its address is not a web page's, or a field has the wrong type.
    """
    data = line.encode("utf-8", "replace") if isinstance(line, str) else line
    return _entry(jsons.loads(data, errors="replace"))


def _entry(values: Any) -> Entry:
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


def read_lines(stream: Lines) -> Iterator[tuple[int, Entry | str]]:
    """Line numbers with their entries, or with what is wrong with the line; no more than `MAX_LINE` of one is read."""
    number = 0
    while line := stream.readline(MAX_LINE):
        number += 1
        if len(line) == MAX_LINE and not line.endswith(b"\n"):
            while (rest := stream.readline(1 << 20)) and not rest.endswith(b"\n"):
                continue
            yield number, f"longer than {MAX_LINE >> 20} MiB"
        elif not line.isspace():
            made = _made(line)
            line = b""  # megabytes, while the page is stored
            yield number, made


def _made(line: bytes) -> Entry | str:
    """The entry of a line, or what is wrong with it."""
    try:
        return from_line(line)
    except (ValueError, KeyError, RecursionError) as exc:
        return str(exc)[:200] or type(exc).__name__


def read_entries(source: IO[bytes]) -> Iterator[tuple[int, Entry | str]]:
    """The entries of an export, JSONL or WARC, gzipped or not; numbers count lines, or records of a WARC."""
    stream: Any = BufferedReader(cast(RawIOBase, source))  # a buffered reader can peek, whatever it reads from
    if stream.peek(2)[:2] == b"\x1f\x8b":
        stream = BufferedReader(gzip.GzipFile(fileobj=stream))
    try:
        yield from _read_warc(stream) if stream.peek(5)[:5] == b"WARC/" else read_lines(stream)
    except (OSError, EOFError, zlib.error) as exc:  # a broken gzip; the entries read so far count
        yield 0, str(exc)[:200] or type(exc).__name__


def _read_warc(stream: BufferedReader) -> Iterator[tuple[int, Entry | str]]:
    """The `conversion` records; of each at most `MAX_LINE` bytes are kept in memory."""
    number = 0
    while (head := _head(stream)) is not None:
        number += 1
        size = head.get("content-length", "")
        if not size.isascii() or not size.isdecimal() or len(size) > 12:
            yield number, "a record without its length"
            return
        body = stream.read(min(int(size), MAX_LINE))
        rest = int(size) - len(body)
        while rest > 0 and (skipped := stream.read(min(rest, 1 << 20))):
            rest -= len(skipped)
        if head.get("warc-type") != "conversion" or not head.get("content-type", "").startswith("text/plain"):
            continue
        if int(size) > MAX_LINE or rest:
            yield number, "longer than can be read" if not rest else "broken off"
            continue
        try:
            yield number, _from_record(head, body.decode("utf-8", "replace"))
        except (ValueError, KeyError, RecursionError) as exc:
            yield number, str(exc)[:200] or type(exc).__name__


def _head(stream: BufferedReader) -> dict[str, str] | None:
    """The named fields of the next record, by their names in small letters; None: there is none."""
    fields: dict[str, str] = {}
    for _ in range(200):
        line = stream.readline(_MAX_FIELD)
        if not line:
            return None
        text = line.decode("utf-8", "replace").strip()
        if not text and fields:
            return fields
        name, colon, value = text.partition(":")
        if colon or text.startswith("WARC/"):
            fields[name.strip().lower()] = value.strip()
    return None


def _from_record(head: dict[str, str], body: str) -> Entry:
    """The page of a record: with all we know where we wrote it, else its address, text and date.

    Raises:
        ValueError: it is no page of the web.
    """
    if _FIELD.lower() in head:
        known = jsons.loads(head[_FIELD.lower()].encode())
        if not isinstance(known, dict):
            raise ValueError(f"{_FIELD} is not an object")
        return _entry(known | {"text": body.partition("\n\n")[2]})
    stored = datetime.fromisoformat(head.get("warc-date", "")).timestamp()
    values = dict.fromkeys((*_TEXT, "etag", "last_modified"))
    uri = head.get("warc-target-uri", "").strip("<>")
    return _entry(values | {"schema": SCHEMA, "url": uri, "text": body.strip(), "stored": stored})


def write_warc(entries: Iterable[Entry], out: IO[bytes]) -> int:
    """Write a gzipped WARC 1.1 (ISO 28500) of `conversion` records, text only, like Common Crawl's WET; the count.

    The markup is not kept, so there is no `response` record: the text is what hds read, and says so by its type. What
    else is known of a page stands in a field of our own, as ISO 28500 5.1 allows, so that `read_entries` gets it back.
    """
    out.write(_record("warcinfo", None, datetime.now(UTC), "application/warc-fields", b"software: hds\r\n"))
    count = 0
    for count, entry in enumerate(entries, 1):  # noqa: B007
        when = datetime.fromtimestamp(entry.stored, UTC)
        body = f"{' '.join(entry.page.title.split())}\n\n{entry.page.text}".encode("utf-8", "replace")
        known = json.dumps({name: value for name, value in _values(entry).items() if name != "text"})
        url = entry.page.final_url or entry.page.url
        out.write(_record("conversion", url, when, "text/plain", body, {_FIELD: known}))
    return count


def _record(
    kind: str, url: str | None, when: datetime, media: str, body: bytes, more: Mapping[str, str] | None = None
) -> bytes:
    head = [
        "WARC/1.1",
        f"WARC-Type: {kind}",
        f"WARC-Record-ID: <urn:uuid:{uuid.uuid4()}>",
        f"WARC-Date: {when.strftime('%Y-%m-%dT%H:%M:%SZ')}",
        f"WARC-Block-Digest: sha256:{hashlib.sha256(body).hexdigest()}",
        f"Content-Type: {media}",
        f"Content-Length: {len(body)}",
        *(f"{name}: {value}" for name, value in (more or {}).items()),
    ]
    if url:
        head.insert(2, "WARC-Target-URI: " + "".join(url.split()))
    return gzip.compress("\r\n".join(head).encode("utf-8", "replace") + b"\r\n\r\n" + body + b"\r\n\r\n", mtime=0)
