"""The pages of a WARC file (ISO 28500), through warcio (Apache-2.0, extra `warc`); the only file that imports it."""

from __future__ import annotations

import gzip
import importlib.util
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from hds_cli.bounds import MAX_URL
from hds_cli.errors import ConfigError, SourceError

MAX_BYTES = 8 << 20  # bytes of one decoded body
BLOCK = 4096  # bytes of the file unpacked at once: at worst they become a thousand times as many
MAX_LINE = 1 << 16
MAX_HEAD = 1 << 20  # bytes of a record's heads, its own and that of the HTTP answer in it
_OTHERS = {"br": b"", "zstd": b"\x28\xb5\x2f\xfd", "compress": b"\x1f\x9d", "x-compress": b"\x1f\x9d"}
LOOK_SECONDS = 1.0  # time in which one call may skip records that are no pages


class Record(NamedTuple):
    """One stored page: its address, its bytes, and the media type of its label."""

    url: str
    body: bytes
    label: str


def require() -> None:
    """Make sure that warcio is installed.

    Raises:
        ConfigError: it is not.
    """
    if importlib.util.find_spec("warcio") is None:
        raise ConfigError("WARC files need warcio, which is not installed", hint='pip install "hds-cli[warc]"')


class Reader:
    """The pages of a file in its order: answers with status 200, resources, and texts (`conversion`, as in WET).

    Lives in a process of its own (`SourceContext.archive`); what it raises there is raised here.

    Raises:
        SourceError: `warc_broken`, the file is no archive.
    """

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        self._records = _records(self._path)
        self._unread: Counter[str] = Counter()

    def next(self) -> tuple[str, str, bytes] | tuple[()] | None:
        """The next page: its address, its label and its bytes. None: there is no other; empty: none found so far.

        Raises:
            SourceError: `warc_broken`, the file breaks off; what was before was given.
        """
        from warcio.exceptions import ArchiveLoadFailed
        from warcio.statusandheaders import StatusAndHeadersParserException

        until = time.monotonic() + LOOK_SECONDS
        try:
            for record in self._records:
                try:
                    page = _page(record)
                except Unreadable as exc:
                    self._unread[exc.why] += 1
                    continue
                if page is not None:
                    return page.url, page.label, page.body
                if time.monotonic() > until:
                    return ()
        except (ArchiveLoadFailed, StatusAndHeadersParserException, EOFError, OSError, ValueError) as exc:
            why = str(exc).strip().split("\n")[0][:200]
            raise SourceError(f"{self._path.name} cannot be read as a WARC file: {why}", code="warc_broken") from exc
        return None

    def unread(self) -> dict[str, int]:
        """How many pages before this place could not be unpacked, by what they are packed with."""
        return dict(self._unread)


class Unreadable(Exception):
    """A page that cannot be unpacked; `why` names what it is packed with."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def _records(path: Path) -> Iterator[Any]:
    from warcio.archiveiterator import ArchiveIterator
    from warcio.bufferedreaders import DecompressingBufferedReader
    from warcio.exceptions import ArchiveLoadFailed

    class Lines(DecompressingBufferedReader):  # type: ignore[misc]
        in_lines = 0

        def readline(self, length: int | None = None) -> bytes:
            line: bytes = super().readline(min(length or MAX_LINE, MAX_LINE))
            self.in_lines += len(line)
            if self.in_lines > MAX_HEAD:
                raise ArchiveLoadFailed("the head of a record is larger than any")
            return line

    class Quiet(ArchiveIterator):  # type: ignore[misc]
        INC_RECORD = ""  # what it would write to stderr holds bytes of the file as they are

    if not _starts(path).startswith(b"WARC/"):
        raise ValueError("it does not begin with a WARC record")
    with path.open("rb") as stream:
        records = Quiet(stream)
        records.reader = lines = Lines(stream, block_size=BLOCK)
        for record in records:
            yield record
            lines.in_lines = 0


def _starts(path: Path) -> bytes:
    """The first bytes, unpacked: warcio takes any text for an empty archive."""
    with path.open("rb") as stream:
        packed = stream.read(2) == b"\x1f\x8b"
        stream.seek(0)
        if not packed:
            return stream.read(5)
        with gzip.open(stream) as unpacked:
            return unpacked.read(5)


def _page(record: Any) -> Record | None:
    url = (record.rec_headers.get_header("WARC-Target-URI") or "").strip("<> \t")
    if not url.startswith(("http://", "https://")) or len(url) > MAX_URL or any(c.isspace() for c in url):
        return None
    if record.rec_type == "response":
        if record.http_headers is None or record.http_headers.get_statuscode() != "200":
            return None
        label = record.http_headers.get_header("Content-Type") or ""
    elif record.rec_type in ("resource", "conversion"):
        label = record.rec_headers.get_header("Content-Type") or ""
    else:
        return None
    if label.startswith(("image/", "video/", "audio/", "font/")):
        return None
    body = _body(record)
    return Record(url, body, label[:200]) if body else None


def _body(record: Any) -> bytes:
    """The body as the browser saw it.

    Raises:
        Unreadable: it is packed in a way that cannot be unpacked here.
    """
    coding = (record.http_headers.get_header("content-encoding") or "").strip().lower() if record.http_headers else ""
    if coding not in _OTHERS:
        return bytes(record.content_stream().read(MAX_BYTES))
    record.http_headers.remove_header("content-encoding")  # warcio would unpack all of it at once, or not at all
    data = bytes(record.content_stream().read(MAX_BYTES))
    if coding == "br":
        return _from_brotli(data)
    if data.startswith(_OTHERS[coding]):
        raise Unreadable(coding)
    return data  # unpacked already by who archived it


def _from_brotli(data: bytes) -> bytes:
    """At most `MAX_BYTES` of what brotli (RFC 7932) packed; what is not packed stays as it is."""
    try:
        import brotli
    except ImportError:
        raise Unreadable("brotli") from None
    unpacking = brotli.Decompressor()
    out = bytearray()
    try:
        piece = unpacking.process(data, output_buffer_limit=1 << 16)
        while piece and len(out) < MAX_BYTES:
            out += piece
            piece = unpacking.process(b"", output_buffer_limit=1 << 16)
    except brotli.error:
        if not out:
            return data
        raise Unreadable("brotli (broken)") from None
    return bytes(out[:MAX_BYTES])
