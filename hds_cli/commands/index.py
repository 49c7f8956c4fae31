"""`hds index`: collections of the user's own documents."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from hds_cli.commands import _options
from hds_cli.errors import SourceUnknown, UsageError
from hds_cli.plugins import entry_points, load
from hds_cli.search import collections, linked, sources
from hds_cli.search.local import Collection, check_name, names, read_jsonl
from hds_cli.types import Document

app = typer.Typer(
    help="Collections of your own documents.",
    rich_markup_mode=None,
    add_completion=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
SUFFIXES = {".txt", ".md", ".markdown", ".html", ".htm"}
MAX_FILE = 20 << 20


@app.command()
def add(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="A folder, a file, or a corpus.jsonl.")],
    name: Annotated[str | None, typer.Option("--name", metavar="NAME", help="Name of the collection.")] = None,
    quiet: _options.Quiet = False,
) -> None:
    """Index a folder of .txt, .md and .html files, one such file, or a .jsonl of documents. Again: what changed.

    A .zim or .warc file is searched where it lies.

    hds index add ~/notes

    hds index add corpus.jsonl --name papers

    hds index add wikipedia_en_all.zim --name wiki
    """
    path = path.expanduser()
    if not path.exists():
        raise UsageError(f"there is no {path}", hint="hds index add FOLDER")
    if kind := linked.source_for(path):
        _link(check_name(name or linked.default_name(path)), path, kind, quiet)
        return
    name = check_name(name or path.resolve().stem.replace(" ", "_"))
    if name not in names() and name in collections.available():
        raise UsageError(f"{name!r} is the name of a collection that a package brings", hint="--name OTHER")
    if name in linked.names():
        raise UsageError(f"{name!r} is the name of a linked file", hint=f"hds index remove {name}   or   --name OTHER")
    skipped: list[str] = []
    documents = read_jsonl(path, name) if path.suffix == ".jsonl" else _files(path, skipped)
    with _progress(quiet) as tell:
        changes = Collection(name, create=True).update(documents, str(path.resolve()), tell)
    if quiet:
        return
    for line in skipped:
        _say(f"skipped {line}")
    _say(
        f"{name}: {changes.added} added, {changes.changed} changed, {changes.removed} removed, "
        f"{changes.unchanged} unchanged   (hds ask -s {name} …)"
    )


@app.command("list")
def list_(json_: _options.Json = False) -> None:
    """The collections: yours, and those that packages bring (built when first used)."""
    from hds_cli.render import tables
    from hds_cli.render.consoles import console_for

    built = set(names())
    rows: list[dict[str, object]] = []
    for name in collections.available():
        if name in built:
            info = Collection(name).info()
            rows.append({"name": name, "documents": info.documents, "bytes": info.bytes, "origin": info.origin})
        else:
            rows.append({"name": name, "documents": None, "bytes": 0, "origin": "not built yet"})
    rows += [_linked_row(name) for name in linked.names()]
    if json_:
        sys.stdout.write(json.dumps({"schema": "hds.index/1", "collections": rows}) + "\n")
        return
    if not rows:
        _say("no collections yet   (hds index add FOLDER)")
        return
    cells = [[str(r["name"]), str(r["origin"]), _count(r["documents"]), _size(r["bytes"])] for r in rows]
    if sys.stdout.isatty():
        tables.print_rows(console_for(sys.stdout), ("name", "from", "documents", "size"), cells, right=2)
    else:
        sys.stdout.write(tables.rows_text(cells) + "\n")


@app.command()
def info(name: Annotated[str, typer.Argument(metavar="NAME")], json_: _options.Json = False) -> None:
    """One collection: where it came from, how much it holds, where its file lies."""
    from hds_cli.render import tables
    from hds_cli.render.consoles import console_for

    if name in linked.names():
        row = _linked_row(name)
        values = row | {"passages": None, "file": row["origin"]}
    else:
        found = collections.open_one(name).info()
        values = {
            "name": found.name, "documents": found.documents, "passages": found.passages, "bytes": found.bytes,
            "origin": found.origin, "file": str(found.path),
        }  # fmt: skip
    if json_:
        sys.stdout.write(json.dumps({"schema": "hds.collection/1", **values}) + "\n")
        return
    pairs = [(name, str(value)) for name, value in values.items() if value is not None]
    tables.print_pairs(console_for(sys.stdout), pairs)


@app.command()
def remove(name: Annotated[str, typer.Argument(metavar="NAME")]) -> None:
    """Delete a collection's index. The documents it was made from are not touched."""
    if name in linked.names():
        linked.remove(name)
    elif name in names():
        Collection(name).remove()
    else:
        raise SourceUnknown(f"there is no collection {name!r} on disk", hint="hds index list")
    _say(f"removed {name}")


def _link(name: str, path: Path, kind: str, quiet: bool) -> None:
    """Make a file a collection that is searched where it lies."""
    if name in collections.available() or name in entry_points(sources.GROUP):
        raise UsageError(f"{name!r} is the name of another source", hint="--name OTHER")
    plugin: linked.Preparing = load(sources.GROUP, kind)
    with _progress(quiet) as tell:
        documents, note = plugin.prepare(name, path.resolve(), tell)
    linked.add(name, linked.Linked(kind, str(path.resolve()), documents))
    if quiet:
        return
    if note:
        _say(note)
    _say(f"{name}: {documents:,} documents in {path.resolve()}   (hds ask -s {name} …)")


def _linked_row(name: str) -> dict[str, object]:
    """A linked collection as `hds index list` and `info` show it."""
    found = linked.find(name)
    if found is None:
        raise SourceUnknown(f"there is no collection {name!r}", hint="hds index list")
    file = Path(found.path)
    size = file.stat().st_size if file.is_file() else 0
    return {"name": name, "documents": found.documents, "bytes": size, "origin": found.path}


def _files(path: Path, skipped: list[str]) -> Iterator[Document]:
    """The documents below `path`; what cannot be one is named in `skipped`."""
    found = False
    for file in _walk(path):
        try:
            text, title = _text_of(file)
        except (OSError, UnicodeError, ValueError) as exc:
            skipped.append(f"{file}: {exc}")
            continue
        found = True
        yield Document(str(file), title, text, file.resolve().as_uri())
    if not found:
        raise UsageError(
            f"there is nothing to index in {path}", hint=f"files that are read: {', '.join(sorted(SUFFIXES))}"
        )


def _walk(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
        return
    for folder, folders, files in os.walk(path):
        folders[:] = sorted(f for f in folders if not f.startswith("."))
        for file in sorted(files):
            if not file.startswith(".") and Path(file).suffix.lower() in SUFFIXES:
                yield Path(folder) / file


def _text_of(file: Path) -> tuple[str, str]:
    """Text and title of a file.

    Raises:
        ValueError: it is too large, not text, or empty.
    """
    if file.stat().st_size > MAX_FILE:
        raise ValueError(f"larger than {MAX_FILE >> 20} MiB")
    data = file.read_bytes()
    if b"\0" in data[:4096]:
        raise ValueError("not text")
    if file.suffix.lower() in (".html", ".htm"):
        from hds_cli.extract.page import extract

        made = extract(data, "html", None, file.resolve().as_uri())
        text, title = str(made.get("text") or ""), str(made.get("title") or "")
    else:
        text, title = data.decode("utf-8-sig", "replace"), ""
        first = text.lstrip().split("\n", 1)[0]
        if file.suffix.lower() != ".txt" and first.startswith("# "):
            title = first[2:].strip()
    if not text.strip():
        raise ValueError("empty")
    return text, title or file.stem


class _progress:
    """A counter on a terminal's last line, nothing elsewhere."""

    def __init__(self, quiet: bool) -> None:
        self._on = not quiet and sys.stderr.isatty()

    def __enter__(self) -> _progress:
        return self

    def __call__(self, done: int) -> None:
        if self._on and done % 20 == 0:
            sys.stderr.write(f"\r{done} documents")
            sys.stderr.flush()

    def __exit__(self, *_: object) -> None:
        if self._on:
            sys.stderr.write("\r\x1b[K")


def _count(number: object) -> str:
    return "-" if number is None else f"{number:,}"


def _size(size: object) -> str:
    return (
        "-"
        if not isinstance(size, int) or not size
        else f"{size / 1e6:.1f} MB"
        if size >= 1e6
        else f"{size / 1e3:.0f} kB"
    )


def _say(text: str) -> None:
    from hds_cli.render.text import clean

    sys.stderr.write(clean(text) + "\n")
