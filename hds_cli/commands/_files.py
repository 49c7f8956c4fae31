"""Files of a disk as documents, read in the processes that read pages: what hangs or bloats costs one of those."""

from __future__ import annotations

import asyncio
import re
import stat
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hds_cli import bounds, kinds
from hds_cli.search.folder import written
from hds_cli.types import Document

MAX_TEXT = bounds.MAX_FILE_TEXT
MAX_PACKED = 100 << 20
SECONDS = 60.0  # seconds for the largest file
UNPACKED = 20  # characters of text for a byte of a packed file; bombs have a thousand
SPREAD = 4  # characters of text for a byte of any other file: a table repeats column names in every row
_COMPOUND = b"\xd0\xcf\x11\xe0"  # the magic number of .xls files
_FRONT = re.compile(r"\A---\n(.*?)\n---\n", re.S)
_WHY = {
    "empty": "no text in it", "encrypted": "needs a password", "extract_timeout": "took too long",
    "extract_killed": "reading it took too much time or memory", "extract_memory": "reading it took too much memory",
    "challenge": "a bot check, not a page", "needs_browser": "the shell of an app, not a page",
    "consent": "a question for consent, not a page", "sign_in": "a sign-in form, not a page",
}  # fmt: skip


class Reader:
    """Reads files, several at once; a context, since it has processes to end."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self._workers: Any = None
        self.notes: list[str] = []  # lines on the parts of files that are not in their documents

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *_: object) -> None:
        if self._workers is not None:
            self._workers.close()
        self._runner.close()

    def __call__(self, files: Sequence[Path]) -> list[Document | str]:
        """A document for each file, or the reason why there is none."""
        return self._runner.run(self._all(files))

    async def _all(self, files: Sequence[Path]) -> list[Document | str]:
        return list(await asyncio.gather(*(self._one(file) for file in files)))

    async def _one(self, file: Path) -> Document | str:
        kind = kinds.of_name(file.name) or "text"
        try:
            start, size, changed = _look(file, kind)
        except OSError as exc:
            return exc.strerror or "cannot be read"
        except ValueError as exc:
            return str(exc)
        content = await self._extract(file, kind, size)
        if reason := content.get("reason"):
            return _why(str(reason), str(content.get("detail") or ""))
        if note := content.get("note"):
            self.notes.append(f"{written(file)}: {note}")
        title, date = _front_matter(start) if kind == "markdown" else ("", "")
        date = date or content.get("date") or changed
        title = bounds.title(title or _title(content, file, kind))
        return Document(written(file), title, bounds.text(content["text"], MAX_TEXT), file.as_uri(), str(date))

    async def _extract(self, file: Path, kind: str, size: int) -> dict[str, Any]:
        if self._workers is None:
            from hds_cli.fetch.workers import Workers

            self._workers = Workers()
        packed = kind in kinds.LARGE
        most = min(MAX_TEXT, UNPACKED * size + 100_000 if packed else SPREAD * size + 1_000_000)
        limit = min(SECONDS, (15 if packed else 5) + 5 * size / (1 << 20))
        content: dict[str, Any] = await self._workers.extract_file(file, kind, most=most, limit=limit)
        return content


def _why(reason: str, detail: str) -> str:
    """The reason why a file is no document, in words; a missing package is named."""
    if reason == "missing_package":
        return f"needs the package {detail}"
    return _WHY.get(reason, reason.replace("_", " "))


def _look(file: Path, kind: str) -> tuple[bytes, int, str]:
    """The first bytes of a file, how many it has, and the day when it was changed.

    Raises:
        ValueError: it is too large, or not what its name says.
    """
    about = file.stat()
    most = MAX_PACKED if kind in kinds.LARGE else MAX_TEXT
    if not stat.S_ISREG(about.st_mode):
        raise ValueError("not a file")
    if about.st_size > most:
        raise ValueError(f"larger than {most >> 20} MiB")
    with file.open("rb") as stream:
        start = stream.read(8192)
    if (
        kind not in kinds.LARGE
        and not start.startswith(_COMPOUND)
        and b"\0" in start[:4096]
        and not start.startswith((b"\xff\xfe", b"\xfe\xff"))
    ):
        raise ValueError("binary, not text")
    return start, about.st_size, datetime.fromtimestamp(about.st_mtime, UTC).date().isoformat()


def _title(content: dict[str, Any], file: Path, kind: str) -> str:
    """The document's own title. A plain text, a table or code is named after its file, not its first line."""
    title = str(content.get("title") or "")
    is_named = kind in ("text", "csv", "code", "jsonl") or not title or title == file.name
    return written(file.name if kind == "code" else file.stem) if is_named else title


def _front_matter(body: bytes) -> tuple[str, str]:
    """`title` and `date` of a Markdown file's YAML head, as far as they are plain."""
    front = _FRONT.match(body.decode("utf-8-sig", "replace").replace("\r\n", "\n"))
    lines = front[1].splitlines() if front else []
    fields = {key.strip().lower(): value.strip().strip("\"'") for key, _, value in (x.partition(":") for x in lines)}
    date = re.match(r"\d{4}-\d\d-\d\d", fields.get("date", ""))
    return fields.get("title", ""), date[0] if date else ""
