"""`hds history`: saved runs, found, shown again, taken along, deleted."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hds_cli.commands import _options, _print
from hds_cli.commands._flags import Flags, with_flags
from hds_cli.commands._progress import Progress
from hds_cli.errors import UsageError
from hds_cli.history.store import RunStore
from hds_cli.render.text import one_line
from hds_cli.render.words import count

if TYPE_CHECKING:
    from hds_cli.history.index import RunIndex, Summary

app = typer.Typer(
    help="Saved runs: list, search, show, export, replay, verify, remove.",
    rich_markup_mode=None,
    add_completion=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
Run = Annotated[str, typer.Argument(metavar="RUN", help="Its id, the beginning of one, 'last', or a FILE of export.")]
Limit = Annotated[int, typer.Option("--limit", "-n", metavar="N", min=1, help="At most so many.")]
Jsonl = Annotated[bool, typer.Option("--jsonl", help="The events of the run, byte for byte.")]
NOT_ALL = 7
_SUMMARY = 160  # cells of an answer in a list on a terminal
_HEADER = ("run", "when", "status", "time", "question")


@app.command("list")
def list_(
    limit: Limit = 30,
    all_: Annotated[bool, typer.Option("--all", "-a", help="All of them.")] = False,
    json_: _options.Json = False,
    oneline: Annotated[bool, typer.Option("--oneline", help="Id and question alone, for fzf.")] = False,
) -> None:
    """The runs, the last one first.

    hds history list --limit 5

    hds history show "$(hds history list --oneline --all | fzf | cut -d' ' -f1)"
    """
    index = _index()
    runs = index.latest(None if all_ else limit)
    rest = len(index) - len(runs)
    store = RunStore()
    runs = [dataclasses.replace(r, status="running") if _runs(store, r) else r for r in runs]
    document = {"runs": [dataclasses.asdict(run) for run in runs]}
    shown = [one_line(f"{run.run_id} {run.question}") for run in runs] if oneline else _rows(runs)
    _print.result("hds.history/1", document, shown, as_json=json_)
    if not runs and not json_:
        _print.say("no saved runs yet")
    elif rest and sys.stdout.isatty() and not json_:
        _print.say(f"{rest:,} older runs: --limit N, or --all")


@app.command()
def search(
    words: Annotated[list[str], typer.Argument(metavar="WORDS…", help="All of them must be there.")],
    limit: Limit = 20,
    json_: _options.Json = False,
) -> None:
    """The runs whose question, answer or evidence has these words, best first.

    hds history search capital Norway
    """
    hits = _index().search(words, limit)
    runs = [dataclasses.asdict(hit.run) | {"snippet": hit.snippet} for hit in hits]
    rows = _rows([hit.run for hit in hits], [hit.snippet for hit in hits])
    _print.result("hds.history_search/1", {"query": " ".join(words), "runs": runs}, rows, as_json=json_)
    if not hits:
        if not json_:
            _print.say(f"no run has {' '.join(words)!r}")
        raise typer.Exit(3)


@app.command()
def show(
    run: Run,
    format_: _options.Format = None,
    json_: _options.Json = False,
    jsonl: Jsonl = False,
    output: _options.Output = None,
    quiet: _options.Quiet = False,
    plain: _options.Plain = False,
    timeline: Annotated[bool, typer.Option("--timeline", help="When each search, fetch and reading ran.")] = False,
) -> None:
    """A run as `hds ask` showed it, or in any format of it.

    hds history show last

    hds history show --jsonl 7f3kq2 | jq .event
    """
    from hds_cli.commands import _saved

    shown = {"quiet": quiet, "plain": plain, "timeline": timeline}
    if jsonl and not (format_ or json_):
        _saved.print_events(run, output)
    else:
        _saved.show(run, _saved.Look(format_, json_, jsonl, output, shown))


@app.command()
@with_flags("offline")
def replay(
    run: Run,
    *,
    speed: Annotated[float, typer.Option("--speed", metavar="X", min=0, help="2: twice as fast; 0: at once.")] = 1.0,
    at_once: Annotated[bool, typer.Option("--at-once", help="As --speed 0.")] = False,
    rerun: Annotated[bool, typer.Option("--rerun", help="Ask again with the same seed and compare.")] = False,
    flags: Flags,
    json_: _options.Json = False,
) -> None:
    """Draw a run again as it happened; with --rerun ask again, and say where it comes out differently.

    hds history replay last --speed 4

    hds history replay --rerun --offline last
    """
    from hds_cli.commands import _rerun, _saved

    if rerun:
        _rerun.rerun(run, offline=bool(flags.get("offline")), as_json=json_)
    elif flags or json_:
        raise UsageError("--offline and --json go with --rerun", hint=f"hds history replay --rerun --offline {run}")
    else:
        _saved.replay(run, 0.0 if at_once else speed)


@app.command()
def verify(run: Run, json_: _options.Json = False) -> None:
    """Look for every quote of a run in the pages that are kept, and compare its checksums; nothing is fetched.

    Exits with 0 only if all of them stand; else with 7.

    hds history verify last
    """
    import asyncio

    from hds_cli import config
    from hds_cli.commands import _saved
    from hds_cli.desk.rechecking import rechecked
    from hds_cli.run_state import RunState

    state = RunState.of(_saved.events_of(run))
    checked = asyncio.run(rechecked(state, config.load()))
    run_id = state.started.run_id if state.started else ""
    document = {"run_id": run_id, "checks": [dataclasses.asdict(one) for one in checked]}
    at_most = 16 if sys.stdout.isatty() else 64  # characters of a checksum
    rows = [
        (one.state, one.kind, one.what if one.kind == "quote" else one.what[:at_most], one.where) for one in checked
    ]
    _print.result(
        "hds.history_verify/1", document, _print.Table(("state", "kind", "what", "where"), rows), as_json=json_
    )
    sys.stdout.flush()
    counts = [f"{sum(one.state == state for one in checked)} {state}" for state in ("same", "changed", "gone")]
    if not json_:
        _print.say(", ".join(counts) if checked else "the run has no quote and no checksum")
    if any(one.state != "same" for one in checked):
        raise typer.Exit(NOT_ALL)


@app.command()
def export(
    run: Run,
    format_: _options.Format = None,
    output: _options.Output = None,
    bundle: Annotated[
        Path | None, typer.Option("--bundle", metavar="FILE", help="Events and pages in one file, for import.")
    ] = None,
) -> None:
    """A run as a document, or as one file that another machine can open.

    hds history export last -o report.html

    hds history export last --bundle run.zip
    """
    from hds_cli.commands import _bundle, _saved

    if bundle is not None:
        if format_ or output:
            raise UsageError("--bundle takes no --format and no --output", hint="hds history export RUN --bundle FILE")
        _print.say(_bundle.pack(run, bundle))
    else:
        _saved.export(run, format_, output)


@app.command("import")
def import_(file: Annotated[Path, typer.Argument(metavar="FILE", help="A file of `export --bundle`.")]) -> None:
    """Add the run of a bundle to the history, and its pages to the cache; what is here already stays as it is.

    hds history import run.zip
    """
    from hds_cli.commands import _bundle

    _print.say(_bundle.unpack(file))


@app.command()
def remove(
    runs: Annotated[list[str] | None, typer.Argument(metavar="RUN…", help="Ids, or 'last'.")] = None,
    older_than: Annotated[
        float | None, typer.Option("--older-than", metavar="DAYS", min=0, help="All that are older.")
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help="Every run.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete runs: their events and what the index knows of them. Pages stay in the cache.

    hds history remove 7f3kq2

    hds history remove --older-than 90
    """
    store = RunStore()
    doomed = _doomed(store, runs or [], older_than, all_)
    if (all_ or older_than is not None) and doomed and not yes:
        if not sys.stdin.isatty():
            raise UsageError(f"this deletes {count(len(doomed), 'run')}", hint="--yes")
        typer.confirm(f"Delete {count(len(doomed), 'run')} in {store.folder}?", abort=True, err=True)
    for run_id in doomed:
        store.remove(run_id)
    _index().close()  # forgets them
    _print.say(f"{len(doomed)} removed" if len(doomed) != 1 else f"{doomed[0]} removed")


def _doomed(store: RunStore, names: Sequence[str], older_than: float | None, all_: bool) -> list[str]:
    """The ids that are meant; a run that is still going on is not deleted under its writer."""
    if sum((bool(names), older_than is not None, all_)) != 1:
        raise UsageError("say which runs: RUN…, --older-than DAYS or --all", hint="hds history list")
    if names:
        run_ids = list(dict.fromkeys(store.find(name) for name in names))
        if busy := [run_id for run_id in run_ids if store.running(run_id)]:
            raise UsageError(f"the run {busy[0]} is still going on", hint="stop it first")
        return run_ids
    import time

    before = time.time() - older_than * 86400 if older_than is not None else float("inf")
    old = [run_id for run_id, entry in store.listing() if entry.stat().st_mtime < before]
    return [run_id for run_id in old if not store.running(run_id)]


def _index() -> RunIndex:
    from hds_cli.history.index import RunIndex

    with Progress("new journals", None) as progress:
        return RunIndex(RunStore(), progress=lambda done, total: progress.to(done, total) if total > 1000 else None)


def _runs(store: RunStore, run: Summary) -> bool:
    return run.status == "stopped" and store.running(run.run_id)


def _rows(runs: Sequence[Summary], snippets: Sequence[str] = ()) -> _print.Table:
    """A table on a terminal; `id, start, status, seconds, question, answer` parted by tabs in a pipe."""
    from hds_cli.render.text import one_line

    texts = snippets or [run.answer or "" for run in runs]
    rows: list[tuple[str, ...]] = []
    for r, text in zip(runs, texts, strict=True):
        if sys.stdout.isatty():
            summary = r.question + (f" — {one_line(text, _SUMMARY)}" if text else "")
            rows.append((r.run_id, _when(r.started_at), r.status, f"{r.seconds:.1f} s", summary))
        else:
            rows.append((r.run_id, r.started_at, r.status, f"{r.seconds:.1f}", r.question, text))
    return _print.Table(_HEADER, rows)


def _when(stamp: str) -> str:
    """A time of the journal on this machine's clock."""
    from datetime import datetime

    try:
        return datetime.fromisoformat(stamp).astimezone().strftime("%Y-%m-%d %H:%M")
    except (ValueError, OverflowError, OSError):
        return stamp
