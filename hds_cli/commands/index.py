"""`hds index`: collections of the user's own documents."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from hds_cli import kinds
from hds_cli.commands import _options, _print
from hds_cli.errors import HdsError, SourceUnknown, UsageError
from hds_cli.plugins import load
from hds_cli.search import collections, folder, linked, sources
from hds_cli.search.local import Changes, Collection, check_name, names, read_jsonl

app = typer.Typer(
    help="Collections of your own documents.",
    rich_markup_mode=None,
    add_completion=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.command()
def add(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="A folder, a file, or a corpus.jsonl.")],
    name: Annotated[str | None, typer.Option("--name", metavar="NAME", help="Name of the collection.")] = None,
    embed: Annotated[
        bool, typer.Option("--embed", help="Find by meaning too, where no word matches (extra: embed).")
    ] = False,
    include: Annotated[
        list[str] | None,
        typer.Option("--include", metavar="PATTERN", help="Only files like '*.py' or 'notes/' (repeatable)."),
    ] = None,
    exclude: Annotated[
        list[str] | None,
        typer.Option("--exclude", metavar="PATTERN", help="No files like '*.log' or 'drafts/' (repeatable)."),
    ] = None,
    quiet: _options.Quiet = False,
) -> None:
    """Index a folder, a file, or a .jsonl of documents. Again: what changed.

    Read are texts (.txt .md .rst .org .tex .log …), source code, .html .pdf .docx .odt .rtf .pptx .epub .ipynb .eml
    .json .csv .xlsx .ods and more, in all folders below, but not what a .gitignore names.
    Files of other kinds are counted.
    A .zim or .warc file is searched where it lies.

    hds index add ~/notes

    hds index add ~/work --include '*.py' --exclude 'tests/'

    hds index add corpus.jsonl --name papers

    hds index add wikipedia_en_all.zim --name wiki
    """
    path = path.expanduser()
    if not path.exists():
        raise UsageError(f"there is no {path}", hint="hds index add FOLDER")
    if kind := linked.source_for(path):
        _link(_checked(name or linked.default_name(path)), path, kind, quiet)
        return
    name = _checked(name or path.resolve().stem.replace(" ", "_"))
    if name in linked.names():
        raise UsageError(f"{name!r} is the name of a linked file", hint=f"hds index remove {name}   or   --name OTHER")
    choice = folder.Choice(lambda file: kinds.of_name(file) is not None, include or (), exclude or ())
    changes, skipped, origin, listing = _update(name, path.resolve(), choice, quiet)
    if embed or Collection(name).embedded():
        _embed(name, quiet)
    if quiet:
        return
    for line in skipped:
        _print.say(f"skipped {line}")
    for line in (*listing.notes, *_kind_lines(listing)):
        _print.say(line)
    _print.say(
        f"{name}: {changes.added} added, {changes.changed} changed, {changes.removed} removed, "
        f"{changes.unchanged} unchanged   (hds ask -s {name} …)"
    )
    for other in origin:
        _print.say(f"{name} also holds {other}")


def _checked(name: str) -> str:
    """`name`, when the user's collection may have it: no source and no package is called so.

    A collection that is older than a plugin of its name stays the user's, and is kept up to date.

    Raises:
        UsageError: it cannot.
    """
    check_name(name)
    own = name in names() and not (Collection(name).origin() or "").startswith(collections.PACKAGE)
    if name in sources.reserved() and not own:
        raise UsageError(f"{name!r} is the name of another source", hint="--name OTHER")
    return name


def _embed(name: str, quiet: bool) -> None:
    from hds_cli.commands._progress import Progress

    with Progress("passages", Collection(name).info().passages, quiet=quiet) as progress:
        Collection(name).embed(on_passage=progress.to)


def _update(
    name: str, path: Path, choice: folder.Choice, quiet: bool
) -> tuple[Changes, list[str], list[str], folder.Listing]:
    """Update the part of a collection that comes from `path`: changes, skipped files, other origins, listing."""
    from hds_cli.commands._files import Reader
    from hds_cli.commands._progress import Progress

    skipped: list[str] = []
    root = folder.written(path)
    listing = folder.Listing()
    with Reader() as read, Progress("documents", None, quiet=quiet) as progress:
        if path.suffix == ".jsonl":
            collection = Collection(name, create=True)
            changes = collection.update(read_jsonl(path, name), root, progress.to, whole=False)
        else:
            listing = folder.look(path, choice)
            files = listing.files
            if not files and not (name in names() and Collection(name).stamps(root)):
                raise UsageError(f"there is nothing to index in {root}", hint=_hint_for_nothing(listing))
            collection = Collection(name, create=True)
            documents = folder.items(files, collection.stamps(root), read, skipped.append)
            changes = collection.update(documents, root, lambda done: progress.to(done, len(files)), whole=False)
            listing.notes = read.notes
    others = [one for one in (collection.origin() or "").split("\n") if one and one != root]
    return changes, skipped, others, listing


def _hint_for_nothing(listing: folder.Listing) -> str:
    lines = _kind_lines(listing)
    return lines[-1] if lines else "texts, code, .html, .pdf, .docx, .csv and more are read: hds index add --help"


def _kind_lines(listing: folder.Listing) -> list[str]:
    """Lines on the kinds of files in a folder: those that are read, when they are several, and those left out."""
    read = Counter(folder.kind_of(file.path.name) for file in listing.files)
    excluded = listing.left_out[folder.EXCLUDED]
    others = Counter({kind: count for kind, count in listing.left_out.items() if kind != folder.EXCLUDED})
    out = []
    if len(read) > 1:
        out.append(f"{read.total()} files: {_counted(read)}")
    if others:
        out.append(f"{others.total()} left out, of kinds that are not read: {_counted(others)}")
    if excluded:
        out.append(f"{excluded} left out by --include or --exclude")
    return out


def _counted(counts: Counter[str], most: int = 20) -> str:
    """Kinds with how many there are of each, most first."""
    kept = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:most]
    rest = f" and {len(counts) - most} more kinds" if len(counts) > most else ""
    return " ".join(kind if count == 1 else f"{kind} ({count})" for kind, count in kept) + rest


@app.command("list")
def list_(json_: _options.Json = False) -> None:
    """The collections: yours, and those that packages bring (built when first used).

    hds index list
    """
    built = set(names())
    rows: list[dict[str, object]] = []
    for name in collections.available():
        if name in built:
            rows.append(_built_row(name))
        else:
            rows.append({"name": name, "documents": None, "bytes": 0, "origin": "not built yet"})
    rows += [_linked_row(name) for name in linked.names()]
    cells = [[str(r["name"]), str(r["origin"]), _count(r["documents"]), _size(r["bytes"])] for r in rows]
    table = _print.Table(("name", "from", "documents", "size"), cells, right=2)
    _print.result("hds.index/1", {"collections": rows}, table, as_json=json_)
    if not rows and not json_:
        _print.say("no collections yet   (hds index add FOLDER)")


@app.command()
def info(name: Annotated[str, typer.Argument(metavar="NAME")], json_: _options.Json = False) -> None:
    """One collection: where it came from, how much it holds, where its file lies.

    hds index info notes
    """
    if name in linked.names():
        row = _linked_row(name)
        values = row | {"passages": None, "file": row["origin"]}
    else:
        facts = collections.open_one(name).info()
        values = {
            "name": facts.name, "documents": facts.documents, "passages": facts.passages, "bytes": facts.bytes,
            "origin": ", ".join(facts.origin.split("\n")), "unfinished": facts.unfinished or None,
            "file": str(facts.path),
        }  # fmt: skip
    pairs = [(name, str(value)) for name, value in values.items() if value is not None]
    _print.result("hds.collection/1", values, _print.Pairs(pairs), as_json=json_)


@app.command()
def remove(name: Annotated[str, typer.Argument(metavar="NAME")]) -> None:
    """Delete a collection's index. The documents it was made from are not touched.

    hds index remove notes
    """
    if name in linked.names():
        linked.remove(name)
    elif name in names():
        Collection(name).remove()
    else:
        raise SourceUnknown(f"there is no collection {name!r} on disk", hint="hds index list")
    _print.say(f"removed {name}")


def _link(name: str, path: Path, kind: str, quiet: bool) -> None:
    """Make a file a collection that is searched where it lies."""
    if name in names():
        raise UsageError(f"{name!r} is the name of a collection", hint=f"--name OTHER   or   hds index remove {name}")
    plugin: linked.Preparing = load(sources.GROUP, kind)
    from hds_cli.commands._progress import Progress

    with Progress("documents", None, quiet=quiet) as progress:
        documents, note = plugin.prepare(name, path.resolve(), progress.to)
    linked.add(name, linked.Linked(kind, str(path.resolve()), documents))
    if quiet:
        return
    if note:
        _print.say(note)
    _print.say(f"{name}: {documents:,} documents in {path.resolve()}   (hds ask -s {name} …)")


def _built_row(name: str) -> dict[str, object]:
    """A collection on disk; one that cannot be used says why, and does not hide the others."""
    try:
        info = Collection(name).info()
    except HdsError as exc:
        return {"name": name, "documents": None, "bytes": 0, "origin": f"not usable: {exc.message}"}
    origin = ", ".join(info.origin.split("\n"))
    if info.unfinished:
        origin = f"unfinished: hds index add {info.unfinished} --name {name}"
    return {"name": name, "documents": info.documents, "bytes": info.bytes, "origin": origin}


def _linked_row(name: str) -> dict[str, object]:
    """A linked collection as `hds index list` and `info` show it."""
    record = linked.find(name)
    if record is None:
        raise SourceUnknown(f"there is no collection {name!r}", hint="hds index list")
    file = Path(record.path)
    size = file.stat().st_size if file.is_file() else 0
    return {"name": name, "documents": record.documents, "bytes": size, "origin": record.path}


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
