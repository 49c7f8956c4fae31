"""Sections of figures: Markdown for a file that asks for it, a table on a terminal, tab-separated lines in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TextIO

from hds_cli.evaluation import report


def sections(
    stdout: TextIO, title: str, found: Sequence[report.Section], notes: Sequence[str], *, markdown: bool
) -> None:
    """Print the sections; the notes end the Markdown page, or go to stderr."""
    from hds_cli.render.text import one_line

    if markdown:
        stdout.write(report.markdown(title, found, notes))
        return
    for place, (heading, header, rows) in enumerate(found):
        if len(found) > 1:
            stdout.write(("\n" if place else "") + one_line(heading) + "\n")
        _table(stdout, header, rows)
    sys.stderr.writelines(one_line(note) + "\n" for note in notes)


def _table(stdout: TextIO, header: list[str], rows: report.Table) -> None:
    from hds_cli.render import tables
    from hds_cli.render.consoles import console_for

    if stdout.isatty():
        tables.print_rows(console_for(stdout), header, rows)
    else:
        stdout.write(tables.rows_text([header, *rows]) + "\n")
