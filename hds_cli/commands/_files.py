"""Files of a disk as documents: what is slow or may hang is read in the processes that read pages."""

from __future__ import annotations

import asyncio
import re
import stat
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hds_cli.types import Document

KINDS = {
    ".txt": "text", ".md": "markdown", ".markdown": "markdown", ".json": "json", ".csv": "csv", ".tsv": "csv",
    ".ipynb": "ipynb", ".html": "html", ".htm": "html", ".xhtml": "html", ".pdf": "pdf", ".docx": "docx",
    ".epub": "epub",
}  # fmt: skip
SUFFIXES = frozenset(KINDS)
MAX_TEXT = 20 << 20
MAX_PACKED = 100 << 20
SECONDS = 60.0
_APART = {"html", "pdf", "docx", "epub"}
_PACKED = {"pdf", "docx", "epub"}
_FRONT = re.compile(r"\A---\n(.*?)\n---\n", re.S)
_WHY = {
    "empty": "no text in it", "encrypted": "needs a password", "extract_timeout": f"took more than {SECONDS:g} s",
    "challenge": "a bot check, not a page",
}  # fmt: skip


class Reader:
    """Reads files, several at once; a context, since it has processes to end."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self._workers: Any = None

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *_: object) -> None:
        if self._workers is not None:
            self._workers.close()
        self._runner.close()

    def __call__(self, files: Sequence[Path]) -> list[Document | str]:
        """A document for each file, or why it is none."""
        return self._runner.run(self._all(files))

    async def _all(self, files: Sequence[Path]) -> list[Document | str]:
        return list(await asyncio.gather(*(self._one(file) for file in files)))

    async def _one(self, file: Path) -> Document | str:
        kind = KINDS.get(file.suffix.lower(), "text")
        try:
            body, changed = _load(file, kind)
        except OSError as exc:
            return exc.strerror or "cannot be read"
        except ValueError as exc:
            return str(exc)
        found = await self._extract(body, kind, file)
        if reason := found.get("reason"):
            return _WHY.get(str(reason), str(reason).replace("_", " "))
        title, date = _front_matter(body) if kind == "markdown" else ("", "")
        date = date or found.get("date") or changed
        return Document(str(file), title or _title(found, file, kind), found["text"], file.as_uri(), str(date))

    async def _extract(self, body: bytes, kind: str, file: Path) -> dict[str, Any]:
        if kind in _APART:
            if self._workers is None:
                from hds_cli.fetch.workers import Workers

                self._workers = Workers(limit=SECONDS)
            found: dict[str, Any] = await self._workers.extract(body, kind, None, file.as_uri())
            return found
        from hds_cli.extract.page import extract

        try:
            return extract(body, kind, None, file.as_uri())
        except RecursionError:
            return {"reason": "nested too deeply"}


def _load(file: Path, kind: str) -> tuple[bytes, str]:
    """The bytes of a file and the day when it was changed.

    Raises:
        ValueError: it is too large, or not what its name says.
    """
    about = file.stat()
    most = MAX_PACKED if kind in _PACKED else MAX_TEXT
    if not stat.S_ISREG(about.st_mode):
        raise ValueError("not a file")
    if about.st_size > most:
        raise ValueError(f"larger than {most >> 20} MiB")
    body = file.read_bytes()
    if kind not in _PACKED and b"\0" in body[:4096] and not body.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ValueError("binary, not text")
    return body, datetime.fromtimestamp(about.st_mtime, UTC).date().isoformat()


def _title(found: dict[str, Any], file: Path, kind: str) -> str:
    """The document's own title; a text's first line is none, the file's name is."""
    title = str(found.get("title") or "")
    return file.stem if kind in ("text", "csv") or not title or title == file.name else title


def _front_matter(body: bytes) -> tuple[str, str]:
    """`title` and `date` of a Markdown file's YAML head, as far as they are plain."""
    found = _FRONT.match(body[:8192].decode("utf-8-sig", "replace").replace("\r\n", "\n"))
    lines = found[1].splitlines() if found else []
    fields = {key.strip().lower(): value.strip().strip("\"'") for key, _, value in (x.partition(":") for x in lines)}
    date = re.match(r"\d{4}-\d\d-\d\d", fields.get("date", ""))
    return fields.get("title", ""), date[0] if date else ""
