"""`hds open`: a source of an answer in the browser."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from hds_cli import events
from hds_cli.commands import _print
from hds_cli.errors import UsageError


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
    from hds_cli.commands import _saved

    finished = [event for event in _saved.events_of(run) if isinstance(event, events.RunFinished)]
    if not finished:
        raise UsageError(f"the run {run} has no end, and so no sources", hint=f"hds ask --resume {run}")
    open_source(finished[-1], number, print_address=print_)


def open_source(finished: events.RunFinished, number: int, *, print_address: bool = False) -> None:
    """Open a source of an answer; where that cannot be, or `print_address`, its address goes to stdout.

    Raises:
        UsageError: the answer has no such source, or it is no page of the web.
    """
    from hds_cli.render.text import link_target, safe_url

    cited = {citation.n: citation for citation in finished.citations}
    if number not in cited:
        numbers = ", ".join(map(str, sorted(cited))) or "none"
        raise UsageError(f"the answer has no source {number}", hint=f"its sources: {numbers}")
    url = cited[number].url
    target = link_target(url)
    if target is None and not print_address:
        raise UsageError(f"source {number} is no page of the web: {safe_url(url)}", hint="hds history show RUN")
    if print_address or not sys.stdout.isatty() or not _opened(target or ""):
        _print.show(target or safe_url(url))


def _opened(address: str) -> bool:
    """Hand the address to the user's browser; False when there is no browser."""
    import webbrowser

    try:
        return webbrowser.open(address)
    except (webbrowser.Error, OSError):
        return False
