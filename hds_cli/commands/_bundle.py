"""One run with the pages it used, in one file: a ZIP of `events.jsonl` and `pages.jsonl`, read by name, never unpacked.

A bundle comes from elsewhere and is hostile until shown otherwise: members are read by the two names alone and up to a
limit whatever their headers say, each event is checked, and an imported page never counts as fresh.
"""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from hds_cli import config, events, paths
from hds_cli.commands import _output
from hds_cli.errors import OutputError, UsageError
from hds_cli.fetch.archive import Lines, read_lines, to_line
from hds_cli.fetch.cache import PageCache
from hds_cli.fetch.entry import Entry
from hds_cli.history import journal
from hds_cli.history.store import RunStore
from hds_cli.render.words import count

_EVENTS, _PAGES = "events.jsonl", "pages.jsonl"
MAX_EVENTS = 64 << 20
MAX_PAGES = 512 << 20
MOST_EVENTS = 200_000
_PIECE = 1 << 20
_HINT = "hds history export RUN --bundle FILE"


def pack(name: str, file: Path) -> str:
    """Write the bundle of a run; a line on what is in it.

    Raises:
        UsageError: no run is meant.
        OutputError: the file cannot be written.
    """
    store = RunStore()
    run_id = store.find(name)
    lines = [raw for raw, whole in journal.whole_lines(io.BytesIO(store.path(run_id).read_bytes())) if whole]
    urls = _pages(store.read(run_id).events)
    with _cache() as cache:
        entries = [entry for entry in map(cache.lookup, urls) if entry is not None]
    archive_bytes = io.BytesIO()
    with zipfile.ZipFile(archive_bytes, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(_EVENTS, b"".join(lines))
        archive.writestr(_PAGES, "".join(to_line(entry) + "\n" for entry in entries))
    with _output.binary_target(_output.named(file), private=True) as out:  # questions are private
        out.write(archive_bytes.getbuffer())
    missing = len(urls) - len(entries)
    note = f"; no longer in the cache: {missing}" if missing else ""
    pages = f"{len(entries)} of {count(len(urls), 'web page')}"
    return f"{file}: run {run_id}, {count(len(lines), 'event')}, {pages}{note}"


def journal_in(file: Path) -> bytes:
    """The events of a bundle, or of a journal that lies somewhere.

    Raises:
        UsageError: it is neither, or larger than a run can be.
    """
    if not zipfile.is_zipfile(file):
        with file.open("rb") as stream:
            data = stream.read(MAX_EVENTS + 1)
        _within(len(data), MAX_EVENTS, file)
        return data
    with _opened(file) as archive:
        out = io.BytesIO()
        _copy(archive, _EVENTS, MAX_EVENTS, file, out)
        return out.getvalue()


def unpack(file: Path) -> str:
    """Add the run of a bundle to the history and its pages to the cache; a line on what was added.

    Raises:
        UsageError: the file is no bundle of hds, or another run of that id is here.
    """
    if not file.is_file():
        raise UsageError(f"there is no file {file}", hint=_HINT)
    with _opened(file) as archive, tempfile.TemporaryFile() as data:
        _copy(archive, _EVENTS, MAX_EVENTS, file, data)
        _copy(archive, _PAGES, MAX_PAGES, file)  # all of it can be read, before anything is added
        started = _checked(data, file)
        new = _add(started, data)
        with archive.open(_PAGES) as pages:
            added, kept, bad = _add_pages(pages)
    run = f"run {started.run_id}" + ("" if new else " was here already")
    return f"{run}; {count(added, 'page')} added, {kept} already here" + (f", {bad} left out" if bad else "")


def _pages(run: Sequence[events.Event]) -> list[str]:
    """The web pages that a run read, each once."""
    read = [e.url for e in run if isinstance(e, events.PageFinished) and e.status in ("fetched", "cached")]
    return [url for url in dict.fromkeys(read) if url.startswith(("http://", "https://"))]


def _checked(data: BinaryIO, file: Path) -> events.RunStarted:
    """The first event of a bundle, after checking that every line is an event.

    Raises:
        UsageError: it is not one whole run.
    """
    started: list[events.RunStarted] = []
    data.seek(0)
    for number, event in enumerate(journal.each(data)):
        if number >= MOST_EVENTS:
            raise UsageError(f"{file} holds more than {MOST_EVENTS:,} events", hint=_HINT)
        if event is None or (isinstance(event, events.RunStarted) and started):
            started.clear()
            break
        if isinstance(event, events.RunStarted):
            started.append(event)
    if not started or not RunStore.is_id(started[0].run_id):
        raise UsageError(f"{file} holds no run of this version", hint=_HINT)
    return started[0]


def _add(started: events.RunStarted, data: BinaryIO) -> bool:
    """Write a journal; False when it is here already.

    Raises:
        UsageError: another run has its id.
        OutputError: it cannot be written.
    """
    path = RunStore().path(started.run_id)
    try:
        if path.exists():
            if _same(path, data):
                return False
            raise UsageError(
                f"another run {started.run_id} is here", hint=f"hds history remove {started.run_id}   and import again"
            )
        paths.private_dir(path.parent)
        part = path.with_suffix(f".{os.getpid()}.part")
        with open(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as out:
            data.seek(0)
            shutil.copyfileobj(data, out)
        os.utime(part, (0, _seconds(started.started_at)))  # so that `last` stays the run that was asked last
        os.replace(part, path)
    except OSError as exc:
        raise OutputError(f"the history cannot be written: {exc.strerror or exc}") from exc
    return True


def _same(path: Path, data: BinaryIO) -> bool:
    """True when a file holds these bytes."""
    data.seek(0)
    with path.open("rb") as stream:
        while (piece := stream.read(_PIECE)) == data.read(_PIECE):
            if not piece:
                return True
    return False


def _seconds(stamp: str) -> float:
    from datetime import datetime

    try:
        return max(0.0, datetime.fromisoformat(stamp).timestamp())
    except (ValueError, OverflowError, OSError):
        return 0.0


def _add_pages(pages: Lines) -> tuple[int, int, int]:
    """Add pages to the cache; returns the numbers of pages added, pages that were here, and lines that are no page."""
    added = kept = bad = 0
    with _cache() as cache:
        for _, entry in read_lines(pages):
            if isinstance(entry, str):
                bad += 1
            elif cache.lookup(entry.page.url) is not None:
                kept += 1
            elif cache.restore(_stale(entry)):
                added += 1
            else:
                raise OutputError(f"the cache cannot be written: {cache.fault}", hint="hds cache info")
    return added, kept, bad


def _stale(entry: Entry) -> Entry:
    """The entry without validators, and old: the next run online fetches the page anew."""
    return replace(entry, etag=None, modified=None, stored=min(entry.stored, 0.0))


@contextlib.contextmanager
def _cache() -> Iterator[PageCache]:
    cache = PageCache.of(config.load())
    try:
        yield cache
    finally:
        cache.close()


@contextlib.contextmanager
def _opened(file: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(file) as archive:
            yield archive
    except (zipfile.BadZipFile, zlib.error, KeyError, OSError, NotImplementedError, RuntimeError, EOFError) as exc:
        raise UsageError(f"{file} is not a bundle of hds: {exc}", hint=_HINT) from exc


def _copy(archive: zipfile.ZipFile, name: str, limit: int, file: Path, out: BinaryIO | None = None) -> None:
    """Read a member to its end, and write it to `out`.

    Raises:
        UsageError: it is larger than `limit`.
    """
    size = 0
    with archive.open(name) as stream:
        while piece := stream.read(_PIECE):
            size += len(piece)
            _within(size, limit, file)
            if out is not None:
                out.write(piece)


def _within(size: int, limit: int, file: Path) -> None:
    if size > limit:
        raise UsageError(f"{file} holds more than {limit >> 20} MiB", hint=_HINT)
