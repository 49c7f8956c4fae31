"""Options that several commands share."""

from __future__ import annotations

import os
from typing import Annotated

import typer


def _no_color(asked: bool) -> bool:
    """As if `NO_COLOR` (no-color.org) were set: every console of this process heeds it."""
    if asked:
        os.environ["NO_COLOR"] = "1"
    return asked


Source = Annotated[
    list[str] | None,
    typer.Option(
        "--source", "-s", metavar="NAME", help="Where to search (repeatable): a collection, local, cache or a plugin."
    ),
]
Offline = Annotated[bool | None, typer.Option("--offline", help="Open no socket and look up no name.")]
TopK = Annotated[int | None, typer.Option("--top-k", metavar="N", help="Results of a query that are read [5].")]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="The result alone; nothing on stderr but errors.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Say more on stderr.")]
Plain = Annotated[
    bool,
    typer.Option("--plain", help="Lines, one after the other, instead of a redrawn tree (screen readers)."),
]
NoColor = Annotated[bool, typer.Option("--no-color", callback=_no_color, help="No colours (as NO_COLOR).")]
