"""Plugins: entry points by kind, read without importing anything, loaded one at a time when asked for."""

from __future__ import annotations

import functools
import os
import re
from importlib.metadata import EntryPoint
from importlib.metadata import entry_points as _all_entry_points
from typing import Any

from hds_cli.errors import UsageError

FIRST_PARTY = "hds-cli"
KNOWN = frozenset({"hds.sources.v1", "hds.collections.v1", "hds.models.v1"})
_GROUP = re.compile(r"hds\.[a-z_]+\.v[0-9]+")


class PluginError(UsageError):
    """A plugin that was asked for does not load."""

    code = "plugin"


@functools.cache
def entry_points(group: str) -> dict[str, EntryPoint]:
    """The entry points of a kind by name; hds's own win over another distribution's of the same name.

    With `HDS_NO_PLUGINS=1` only hds's own are seen.
    """
    found: dict[str, EntryPoint] = {}
    only_ours = os.environ.get("HDS_NO_PLUGINS", "") not in ("", "0")
    for point in _all_entry_points(group=group):
        ours = distribution(point) == FIRST_PARTY
        if ours or (not only_ours and point.name not in found):
            found[point.name] = point
    return found


def every() -> dict[str, dict[str, EntryPoint]]:
    """All plugins by group (`hds.KIND.vN`) and name, of groups that this version does not know too."""
    groups = sorted(group for group in _all_entry_points().groups if _GROUP.fullmatch(group))
    return {group: dict(sorted(entry_points(group).items())) for group in groups}


def distribution(point: EntryPoint) -> str:
    """The name of the distribution that brought an entry point."""
    return point.dist.name if point.dist else "unknown"


def load(group: str, name: str) -> Any:
    """Import one plugin.

    Raises:
        PluginError: it is not installed, or its import fails in any way, `SystemExit` included.
    """
    point = entry_points(group).get(name)
    if point is None:
        raise PluginError(f"no plugin {name!r} of the kind {group}")
    try:
        return point.load()
    except (Exception, SystemExit) as exc:
        # Any exception: what a stranger's module does at import must not end the run with a trace.
        raise PluginError(
            f"the plugin {name!r} of {distribution(point)} does not load: {type(exc).__name__}: {exc}",
            hint=f"pip install --upgrade {distribution(point)}   or   HDS_NO_PLUGINS=1",
        ) from exc
