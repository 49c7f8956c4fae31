"""A saved run, from the history or from a bundle, shown again as `ask` shows one."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from hds_cli import events
from hds_cli.commands import _formats, _output, _print
from hds_cli.errors import UsageError
from hds_cli.history import journal
from hds_cli.history.store import RunStore
from hds_cli.render.choose import Choice, choose
from hds_cli.render.display import Display
from hds_cli.render.words import count

_BY_SUFFIX: dict[str, str] = {
    ".md": "markdown", ".markdown": "markdown", ".html": "html", ".htm": "html", ".json": "json", ".txt": "text",
    ".docx": "docx", ".bib": "bibtex", ".ris": "ris",
}  # fmt: skip


LONGEST_PAUSE = 60.0  # seconds; a journal may say anything


@dataclass(frozen=True)
class Look:
    """The look of a shown run: `--format`, `--json`, `--jsonl`, `--output`, and the arguments of `choose`."""

    format: str | None
    json: bool
    jsonl: bool
    output: Path | None
    shown: dict[str, bool]


def journal_of(name: str) -> bytes:
    """The journal of a run of the history, or of a bundle or journal in a file.

    Raises:
        UsageError: no run is meant, several are, or the file holds none.
    """
    path = Path(name).expanduser()
    if (os.sep in name or path.suffix) and path.is_file():
        from hds_cli.commands import _bundle

        return _bundle.journal_in(path)
    store = RunStore()
    try:
        return store.path(store.find(name)).read_bytes()
    except OSError as exc:
        raise UsageError(f"the run {name} cannot be read: {exc.strerror}", hint="hds history list") from exc


def events_of(name: str) -> tuple[events.Event, ...]:
    """The events of a run; what is damaged is left out, with a word.

    Raises:
        UsageError: as `journal_of`; or nothing of it can be read.
    """
    import io

    record = journal.read(io.BytesIO(journal_of(name)))
    if record.damaged:
        _print.say(f"left out of this journal: {count(record.damaged, 'damaged line')}")
    if not any(isinstance(event, events.RunStarted) for event in record.events):
        raise UsageError(f"nothing of the run {name} can be read", hint="hds history list")
    return record.events


def print_events(name: str, output: Path | None) -> None:
    """The lines of a journal as they were written; half ones are left out, with a word."""
    import io

    damaged = 0
    with _output.target(output) as stdout:
        for raw, whole in journal.whole_lines(io.BytesIO(journal_of(name))):
            damaged += not whole
            if whole:
                stdout.write(raw.decode("ascii", "backslashreplace"))
        stdout.flush()
    if damaged:
        _print.say(f"left out of this journal: {count(damaged, 'damaged line')}")


def show(name: str, look: Look) -> None:
    """The whole run at once."""
    run = events_of(name)
    known, renderer = _formats.chosen(look.format, look.json, look.jsonl)
    _formats.check(known, look.output)
    choice = look_of(known, look.output, **look.shown)
    with _output.target(look.output) as stdout:
        display = Display(choice, stdout, sys.stderr, renderer)
        try:
            for event in run:
                display.handle(event)
        finally:
            display.close()
        display.print_result()
    _say_unfinished(run)


def replay(name: str, speed: float) -> None:
    """The run as it happened, `speed` times as fast; 0: at once. No pause is longer than `LONGEST_PAUSE`."""
    run = events_of(name)
    choice = look_of(None, None)
    shown, due = 0.0, time.monotonic()  # the run's second that was shown last, and the time at which the next is due
    display = Display(choice, sys.stdout, sys.stderr)
    try:
        for event in run:
            if speed and event.t > shown:
                due += min(event.t - shown, LONGEST_PAUSE) / speed
                shown = event.t
                time.sleep(max(0.0, due - time.monotonic()))
            display.handle(event)
    finally:
        display.close()
    display.print_result()
    _say_unfinished(run)


def export(name: str, format_: str | None, output: Path | None) -> None:
    """The run as a document; without a format, the one that the file's name has, else Markdown."""
    from hds_cli.render.report import FORMATS, collected, write

    if format_ == "jsonl" or (format_ is None and output and output.suffix == ".jsonl"):
        print_events(name, output)
        return
    chosen = format_ or (document_of(output) if output else "markdown")
    if chosen not in FORMATS:
        raise UsageError(f"there is no document {format_!r}", hint=f"documents: {', '.join((*FORMATS, 'jsonl'))}")
    _formats.check(chosen, output)
    document = collected(events_of(name))
    with _output.target(output) as stdout:
        write(stdout, chosen, document)
        stdout.flush()


def document_of(file: Path) -> str:
    """The kind of document that a file's name asks for."""
    return _BY_SUFFIX.get(file.suffix.lower(), "markdown")


def look_of(known: object, output: Path | None, **shown: bool) -> Choice:
    """The renderers and the form of the answer, chosen from the kinds of the streams."""
    return choose(
        stdout_tty=output is None and sys.stdout is not None and sys.stdout.isatty(),
        stderr_tty=sys.stderr is not None and sys.stderr.isatty(),
        term=os.environ.get("TERM", ""),
        format=known,  # type: ignore[arg-type]
        **shown,
    )


def _say_unfinished(run: Iterable[events.Event]) -> None:
    started = [event for event in run if isinstance(event, events.RunStarted)]
    if not any(isinstance(event, events.RunFinished) for event in run):
        _print.say(f"this run has no end   hds ask --resume {started[0].run_id}   goes on with it")
