"""`-f NAME`: a format of hds, or one that a renderer plugin brings."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path

from hds_cli.errors import HdsError, UsageError
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


def check(name: str | None, output: Path | None) -> None:
    """Say before a run that its document could not be written.

    Raises:
        UsageError: a Word document for a terminal.
        HdsError: a package is missing.
    """
    if name != "docx":
        return
    if importlib.util.find_spec("docx") is None:
        raise HdsError(
            "Word documents need the package python-docx", code="missing_package", hint='pip install "hds-cli[docx]"'
        )
    if output is None and sys.stdout is not None and sys.stdout.isatty():
        raise UsageError("a Word document is not for a terminal", hint="-f docx -o FILE.docx")


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
