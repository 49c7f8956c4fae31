"""`hds cache`: the pages on disk, and the beginnings of prompts that the model has evaluated."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Annotated

import typer

from hds_cli import config, paths
from hds_cli.commands import _options, _output, _print
from hds_cli.engine.shelf import Shelf
from hds_cli.errors import OutputError, SourceError, UsageError
from hds_cli.fetch.cache import PageCache
from hds_cli.render.words import count

app = typer.Typer(
    help="The pages on disk: what was fetched, kept for --offline and searched by -s cache.",
    rich_markup_mode=None,
    add_completion=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.command()
def info(json_: _options.Json = False) -> None:
    """How many pages there are, how much room they take, and where; and the same of evaluated beginnings of prompts.

    hds cache info
    """
    with _cache() as cache:
        facts = cache.info()
        values: dict[str, object] = {
            "folder": str(facts.folder), "pages": facts.pages, "bytes": facts.bytes, "limit_bytes": facts.limit,
            "fresh_for_days": round(cache.ttl / 86400, 3), "oldest": facts.oldest, "newest": facts.newest,
        }  # fmt: skip
    shelf = _shelf()
    states, size = shelf.size()
    values |= {"states": states, "states_bytes": size, "states_limit": shelf.limit}
    lines = [f"{name.replace('_', ' '):15} {'-' if value is None else value}" for name, value in values.items()]
    _print.result("hds.cache/1", values, lines, as_json=json_)


@app.command("list")
def list_(
    query: Annotated[str | None, typer.Argument(metavar="[QUERY]", help="Only pages that fit these words.")] = None,
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, help="At most so many.")] = 1000,
    json_: _options.Json = False,
) -> None:
    """The pages: when each was fetched, its address and title; with a query, the best first.

    hds cache list "tides north sea" --limit 20
    """
    rows: list[dict[str, object]] = []
    with _cache() as cache:
        if query:
            entries = (cache.lookup(hit.url) for hit in cache.search(query, limit))
        else:
            entries = (entry for entry in cache.entries())
        for entry in entries:
            if entry is None:
                continue
            page = entry.page
            rows.append(
                {"url": page.url, "title": page.title, "fetched_at": page.fetched_at, "characters": len(page.text)}
            )
            if len(rows) >= limit:
                break
    lines = [
        f"{row['fetched_at'] or '-':25}  {row['characters']:>8}  {row['url']}  {' '.join(str(row['title']).split())}"
        for row in rows
    ]
    _print.result("hds.cache_list/1", {"pages": rows}, lines, as_json=json_)


@app.command()
def show(
    url: Annotated[str, typer.Argument(metavar="URL")],
    json_: _options.Json = False,
) -> None:
    """One page as it is kept.

    hds cache show https://example.org/ | less
    """
    with _cache() as cache:
        page = cache.get(url)
    if page is None:
        raise SourceError(f"{url} is not in the cache", code="not_cached", hint="hds cache list")
    from hds_cli.commands.fetch import SCHEMA, document, markdown

    _print.result(SCHEMA, document([page]), markdown([page]), as_json=json_)


@app.command()
def prune() -> None:
    """Drop what is out of date or damaged, and the oldest pages and beginnings of prompts beyond their size limits.

    hds cache prune
    """
    with _cache() as cache:
        gone = cache.prune()
        _print.say(f"{count(gone, 'page')} dropped, {cache.info().pages} left ({cache.bytes_on_disk()} bytes)")
    if gone := _shelf().prune():
        _print.say(f"{count(gone, 'evaluated beginning')} of prompts dropped")


@app.command()
def clear(yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False) -> None:
    """Delete every page, what a verifier has read of them, and every evaluated beginning of a prompt.

    hds cache clear --yes
    """
    with _cache() as cache:
        if not yes:
            if not sys.stdin.isatty():
                raise UsageError("this deletes every page kept", hint="hds cache clear --yes")
            typer.confirm(f"Delete {count(cache.info().pages, 'page')} in {cache.folder}?", abort=True, err=True)
        _print.say(f"{count(cache.clear(), 'page')} deleted")
    if gone := _shelf().clear():
        _print.say(f"{count(gone, 'evaluated beginning')} of prompts deleted")
    verified = paths.verified_file()
    for path in verified.parent.glob(f"{verified.name}*"):  # SQLite's journals, too
        path.unlink(missing_ok=True)


@app.command()
def export(
    file: Annotated[str, typer.Argument(metavar="[FILE]", help="Where to; - is stdout.")] = "-",
    format_: Annotated[str, typer.Option("--format", "-f", help="jsonl or warc (text, gzipped).")] = "",
) -> None:
    """Write all pages to a file that another machine can import.

    hds cache export pages.jsonl

    hds cache export pages.warc.gz
    """
    kind = format_ or ("warc" if file.endswith((".warc", ".warc.gz", ".wet.gz")) else "jsonl")
    if kind not in ("jsonl", "warc"):
        raise UsageError(f"unknown format {kind!r}", hint="formats: jsonl, warc")
    from hds_cli.fetch.archive import to_line, write_warc

    with _cache() as cache, _output.binary_target(_output.named(Path(file))) as out:
        written = 0
        if kind == "warc":
            written = write_warc(cache.entries(), out)
        else:
            for entry in cache.entries():
                out.write(to_line(entry).encode() + b"\n")
                written += 1
    _print.say(f"{count(written, 'page')} exported")


@app.command("import")
def import_(file: Annotated[str, typer.Argument(metavar="FILE", help="A file of `export`; - is stdin.")]) -> None:
    """Add the pages of an export, JSONL or WARC, gzipped or not; pages that are newer here are kept.

    hds cache import pages.jsonl

    hds cache import pages.warc.gz
    """
    from hds_cli.fetch.archive import read_entries

    added = kept = bad = 0
    with _cache() as cache, _lines(file) as lines:
        for number, entry in read_entries(lines):
            if isinstance(entry, str):
                bad += 1
                _print.say(f"{file}, number {number}: {entry}" if number else f"{file}: {entry}")
                continue
            here = cache.lookup(entry.page.url)
            if here is not None and here.stored >= entry.stored:
                kept += 1
            elif cache.restore(entry):
                added += 1
            else:
                raise OutputError(f"the cache cannot be written: {cache.fault}", hint="hds cache info")
    _print.say(f"{count(added, 'page')} added, {kept} already here" + (f", {bad} skipped" if bad else ""))
    if bad and not added and not kept:
        raise UsageError(f"{file} is not an export of hds", hint="hds cache export pages.jsonl")


def _shelf() -> Shelf:
    return Shelf.standard(config.load().state_size)


@contextmanager
def _cache() -> Iterator[PageCache]:
    cache = PageCache.of(config.load())
    try:
        yield cache
        if cache.fault:
            _print.say(cache.fault)
    finally:
        cache.close()


@contextmanager
def _lines(file: str) -> Iterator[IO[bytes]]:
    if file == "-":
        yield sys.stdin.buffer
        return
    path = Path(file).expanduser()
    if not path.is_file():
        raise UsageError(f"there is no file {file}", hint="hds cache export pages.jsonl")
    with path.open("rb") as lines:
        yield lines
