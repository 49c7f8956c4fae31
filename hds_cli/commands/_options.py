"""Options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

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
