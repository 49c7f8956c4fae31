"""The pages of a WARC file (ISO 28500), through warcio (Apache-2.0, extra `warc`); the only file that imports it."""

from __future__ import annotations

import gzip
import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from hds_cli.errors import ConfigError, SourceError

MAX_BYTES = 8 << 20  # of one body, decoded


class Record(NamedTuple):
    """One stored page: its address, its bytes and what its label said they are."""

    url: str
    body: bytes
    label: str


def require() -> None:
    """warcio must be installed.

    Raises:
        ConfigError: it is not.
    """
    if importlib.util.find_spec("warcio") is None:
        raise ConfigError("WARC files need warcio, which is not installed", hint='pip install "hds-cli[warc]"')


def read(path: Path) -> Iterator[Record]:
    """The pages in the order of the file: answers with status 200, resources, and texts (`conversion`, as in WET).

    Raises:
        SourceError: `warc_broken`, the file breaks off or is none; what was before was given.
    """
    from warcio.archiveiterator import ArchiveIterator
    from warcio.exceptions import ArchiveLoadFailed
    from warcio.statusandheaders import StatusAndHeadersParserException

    class Quiet(ArchiveIterator):  # type: ignore[misc]
        INC_RECORD = ""  # what it would write to stderr holds bytes of the file as they are

    try:
        if not _starts(path).startswith(b"WARC/"):
            raise ValueError("it does not begin with a WARC record")
        with path.open("rb") as stream:
            for record in Quiet(stream):
                if (found := _page(record)) is not None:
                    yield found
    except (ArchiveLoadFailed, StatusAndHeadersParserException, EOFError, OSError, ValueError) as exc:
        why = str(exc).strip().split("\n")[0]
        raise SourceError(f"{path.name} cannot be read as a WARC file: {why}", code="warc_broken") from exc


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
    if not url.startswith(("http://", "https://")) or any(c.isspace() for c in url):
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
    body = record.content_stream().read(MAX_BYTES)
    return Record(url, body, label) if body else None
