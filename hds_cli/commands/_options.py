"""Options that several commands share; those that are settings come from the settings' own facts (`_flags`)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from hds_cli.commands import _output


def _no_color(asked: bool) -> bool:
    """Set `NO_COLOR` (no-color.org) when asked: every console of this process heeds it."""
    if asked:
        os.environ["NO_COLOR"] = "1"
    return asked


Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
Jsonl = Annotated[bool, typer.Option("--jsonl", help="Every event as a line of JSON, as it happens.")]
Format = Annotated[
    str | None,
    typer.Option(
        "--format",
        "-f",
        metavar="FORMAT",
        help="tree, text, json, jsonl, markdown, html, docx, bibtex, csl-json or ris.",
    ),
]
Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FILE", callback=_output.named, help="Write there; - is stdout."),
]
ReportOutput = Annotated[
    Path | None,
    typer.Option(
        "--output", "-o", metavar="FILE", callback=_output.named, help="Write there; a name with .md: as Markdown."
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="The result alone; nothing on stderr but errors.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Say more on stderr.")]
Timeline = Annotated[
    bool, typer.Option("--timeline", help="When each search, fetch and reading ran, on stderr after the run.")
]
Plain = Annotated[
    bool,
    typer.Option("--plain", help="Lines, one after the other, instead of a redrawn tree (screen readers)."),
]
NoColor = Annotated[bool, typer.Option("--no-color", callback=_no_color, help="No colours (as NO_COLOR).")]
Strict = Annotated[bool, typer.Option("--strict", help="Exit 7 when a part of the answer stands in no page.")]
Attach = Annotated[
    list[Path] | None, typer.Option("--attach", metavar="FILE", help="A document to read along (repeatable).")
]
Continue = Annotated[
    bool, typer.Option("--continue", "-c", help="A further question to the last run, or to: -c RUN QUESTION.")
]
ResumeRun = Annotated[
    str | None, typer.Option("--resume", metavar="RUN", help="Go on with a run that was stopped; or: last.")
]
NoStdin = Annotated[
    bool, typer.Option("--no-stdin", "-n", help="Leave stdin alone; needed in a loop that reads a file.")
]
