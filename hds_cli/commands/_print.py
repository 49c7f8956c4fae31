"""The printing of all commands: a result on stdout, as text or one JSON document; messages on stderr after `hds: `."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from hds_cli.evaluation import report


@dataclass(frozen=True)
class Table:
    """Rows: with their header and aligned on a terminal, tab-separated lines in a pipe; `right`: columns of figures."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    right: int = 0


@dataclass(frozen=True)
class Pairs:
    """Names and their values, a pair a line."""

    pairs: Sequence[tuple[str, str]]


Shown = str | list[str] | Table | Pairs
"""A text, lines, a table or pairs."""


def result(schema: str, value: Mapping[str, Any], shown: Shown, *, as_json: bool, to: TextIO | None = None) -> None:
    """Print what a command found.

    Args:
        schema: of the JSON document, such as `hds.cache/1`.
        value: its content, without the schema.
        shown: the same for people; texts without a final line end.
        as_json: the document is wanted, not the text.
        to: a file instead of stdout.

    Raises:
        OSError: it could not be written.
    """
    if as_json:
        document(schema, value, to)
    else:
        show(shown, to)


def document(schema: str, value: Mapping[str, Any], to: TextIO | None = None) -> None:
    """Print a JSON document on one line; a schema that `value` has itself stays."""
    (to or sys.stdout).write(json.dumps({"schema": schema, **value}) + "\n")


def beginning(schema: str, name: str) -> str:
    """A JSON document up to its list `name`, for one that is written piece by piece; `]}` ends it."""
    return json.dumps({"schema": schema, name: []}).removesuffix("]}")


def show(shown: Shown, to: TextIO | None = None) -> None:
    """Print it as text; no lines and no rows print nothing."""
    from hds_cli.render.text import clean

    stdout = to or sys.stdout
    match shown:
        case str():
            stdout.write(clean(shown) + "\n")
        case list():
            stdout.write("".join(clean(line) + "\n" for line in shown))
        case Table():
            _table(shown, stdout)
        case Pairs():
            from hds_cli.render import tables
            from hds_cli.render.consoles import console_for

            tables.print_pairs(console_for(stdout), shown.pairs)


def _table(table: Table, stdout: TextIO) -> None:
    from hds_cli.render import tables

    if not table.rows:
        return
    if stdout.isatty():
        from hds_cli.render.consoles import console_for

        tables.print_rows(console_for(stdout), table.header, table.rows, right=table.right)
    else:
        stdout.write(tables.rows_text(table.rows) + "\n")


def say(text: str, *, quiet: bool = False) -> None:
    """A line on stderr; nobody reading stderr is no fault of the command."""
    from hds_cli.render.text import one_line

    if quiet or sys.stderr is None:
        return
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(f"hds: {one_line(text)}\n")
        sys.stderr.flush()


def sections(
    stdout: TextIO, title: str, parts: Sequence[report.Section], notes: Sequence[str], *, markdown: bool
) -> None:
    """Print sections of figures; the notes end the Markdown page, or go to stderr."""
    from hds_cli.evaluation import report
    from hds_cli.render.text import one_line

    if markdown:
        stdout.write(report.markdown(title, parts, notes))
        return
    for place, (heading, header, rows) in enumerate(parts):
        if len(parts) > 1:
            stdout.write(("\n" if place else "") + one_line(heading) + "\n")
        # In a pipe the header is a line too: a figure without its name says nothing.
        show(Table(header, rows if stdout.isatty() else [header, *rows]), stdout)
    for note in notes:
        say(note)
