"""`hds open`: a source of an answer in the browser."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from hds_cli import events
from hds_cli.commands import _print
from hds_cli.errors import UsageError
from hds_cli.types import Citation


def open_(
    number: Annotated[int, typer.Argument(metavar="N", min=1, help="The number of the source, as the answer has it.")],
    run: Annotated[str, typer.Argument(metavar="[RUN]", help="A run's id, or the beginning of one [last].")] = "last",
    print_: Annotated[bool, typer.Option("--print", help="Print the address instead.")] = False,
) -> None:
    """Open a source of an answer in the browser; in a pipe, or where there is no browser, print its address.

    hds open 2

    hds open 1 7f3kq2

    hds open 2 | xargs curl -s
    """
    from hds_cli.render.text import link_target, safe_url

    citation = _citation(number, run)
    target = link_target(citation.url)
    if target is None and not print_:
        shown = f"hds history show {run}"
        raise UsageError(f"source {number} is no page of the web: {safe_url(citation.url)}", hint=shown)
    if print_ or not sys.stdout.isatty() or not _opened(target or ""):
        _print.show(target or safe_url(citation.url))


def _citation(number: int, run: str) -> Citation:
    from hds_cli.commands import _saved

    finished = [event for event in _saved.events_of(run) if isinstance(event, events.RunFinished)]
    cited = {citation.n: citation for citation in (finished[-1].citations if finished else ())}
    if number not in cited:
        there = ", ".join(map(str, sorted(cited))) or "none"
        raise UsageError(f"the answer of {run} has no source {number}", hint=f"its sources: {there}")
    return cited[number]


def _opened(address: str) -> bool:
    """Hand the address to the user's browser; False where there is none."""
    import webbrowser

    try:
        return webbrowser.open(address)
    except (webbrowser.Error, OSError):
        return False
