"""`-f NAME`: a format of hds, or one that a renderer plugin brings."""

from __future__ import annotations

from collections.abc import Callable

from hds_cli.errors import UsageError
from hds_cli.plugins import entry_points, make, mismatch
from hds_cli.render.choose import FORMATS, Format
from hds_cli.render.plugged import Renderer, Write

GROUP = "hds.renderers.v1"
Make = Callable[[Write], Renderer]


def chosen(name: str | None, json_: bool, jsonl: bool) -> tuple[Format | None, Make | None]:
    """The format asked for (None: none), and what makes a plugin's renderer, which takes the place of `jsonl`.

    Raises:
        UsageError: there is no such format, or two are asked for.
        PluginError: the plugin does not load.
    """
    asked = {n for n, on in ((name, name), ("json", json_), ("jsonl", jsonl)) if on and n}
    if len(asked) > 1:
        raise UsageError(f"only one format at a time: {', '.join(sorted(asked))}")
    for known in FORMATS:
        if asked == {known}:
            return known, None
    return ("jsonl", _plugged(asked.pop())) if asked else (None, None)


def _plugged(name: str) -> Make:
    known = entry_points(GROUP)
    if name not in known:
        formats = ", ".join((*FORMATS, *sorted(known)))
        unknown = UsageError(f"there is no format {name!r}", hint=f"formats: {formats}")
        raise mismatch("renderers", name) or unknown

    def factory(write: Write) -> Renderer:
        renderer: Renderer = make(GROUP, name, write, needs=("handle", "close"))
        return renderer

    return factory
