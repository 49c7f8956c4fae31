"""`did you mean Australia?`: said where nothing was found and a name of a local collection is missed by a letter."""

from __future__ import annotations

import contextlib
import itertools
import shlex
from collections.abc import Iterator, Sequence

from hds_cli.commands import _print
from hds_cli.errors import HdsError
from hds_cli.search.nearly import MOST_TITLES, meant


def suggest(question: str, sources: Sequence[str], args: Sequence[str]) -> None:
    """One line on stderr, if there is such a name: which, and what to type.

    Args:
        sources: the names of those that were searched.
        args: the arguments that the process was called with.
    """
    from hds_cli.render.text import one_line

    near = meant(question, itertools.islice(_titles(sources), MOST_TITLES))
    if near is None:
        return
    title = one_line(near.title)
    again = [arg.replace(near.written, title) for arg in args]
    if again == list(args):  # the question came from elsewhere
        again = [*(arg for arg in args if arg != "-"), question.replace(near.written, title)]
    _print.say(f"did you mean {title}? Then type: hds {' '.join(_quoted(one_line(arg)) for arg in again)}")


def _quoted(arg: str) -> str:
    """An argument as a person would type it for a shell."""
    return f'"{arg}"' if " " in arg and not set(arg) & set('"$`\\!') else shlex.quote(arg)


def _titles(sources: Sequence[str]) -> Iterator[str]:
    """The titles of the local collections among the sources; one that cannot be read has none."""
    from hds_cli.search import collections

    known = collections.available()
    for name in known if "local" in sources else [name for name in known if name in sources]:
        with contextlib.suppress(HdsError, OSError):
            yield from collections.open_one(name).titles(MOST_TITLES)
