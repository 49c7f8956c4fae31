"""From the names a user types to sources: plugins, `local`, and collections by their own names."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from hds_cli.config import Settings
from hds_cli.errors import ConfigError, NoSources, SourceUnknown, UsageError
from hds_cli.plugins import entry_points, load
from hds_cli.search import collections, linked
from hds_cli.search.base import Source, SourceContext
from hds_cli.search.cache import CacheSource

GROUP = "hds.sources.v1"


def known() -> list[str]:
    """Every name that `-s` takes."""
    return sorted({"cache", *entry_points(GROUP), *collections.available(), *linked.names()})


def defaults(settings: Settings) -> list[str]:
    """What is searched when the user names nothing: what needs no key and is there."""
    names = [] if settings.offline else ["searxng" if settings.searxng_url else "wikipedia"]
    if settings.offline and any(settings.pages_dir.glob("*.db")):
        names.append("cache")
    if collections.available() or linked.names():
        names.append("local")
    return names


def open_sources(names: Sequence[str], context: SourceContext) -> list[Source]:
    """The sources of these names, or the default ones.

    Raises:
        ConfigError: the settings file has a table for a source whose name is nearly another's.
        SourceUnknown: no such plugin or collection.
        NoSources: nothing is named, set up or indexed.
        UsageError: offline, and a source needs the network.
    """
    _check_tables(context.settings)
    wanted = list(dict.fromkeys(names or defaults(context.settings)))
    if not wanted:
        raise NoSources(
            "there is nothing to search in",
            hint='hds index add FOLDER   or   HDS_SEARXNG_URL=http://localhost:8888   or   pip install ".[starter]"',
        )
    return [_open(name, context) for name in _every_collection(wanted)]


def _every_collection(wanted: Sequence[str]) -> list[str]:
    """`wanted` with what `local` means besides indexed collections: the linked ones, each a source of its own."""
    more = [name for name in linked.names() if name not in wanted] if "local" in wanted else []
    return [name for name in wanted if name != "local" or not more or collections.available()] + more


def _check_tables(settings: Settings) -> None:
    """A table `[sources.wikipeda]` is a mistake; one of a plugin that is not here now is not."""
    names = known() if settings.sources else []
    for name in settings.sources:
        near = difflib.get_close_matches(name, names, 1, 0.8)
        if name not in names and near and any(key.startswith(f"sources.{name}.") for key in settings.origins):
            raise ConfigError(f"there is no source {name!r} to be set", hint=f"did you mean sources.{near[0]}?")


def _open(name: str, context: SourceContext) -> Source:
    source: Source
    if name == "cache" and context.pages is not None:
        return CacheSource(context.pages)
    if name in entry_points(GROUP):
        source = load(GROUP, name)(name, context)
    elif name in collections.available():
        source = load(GROUP, "local")(name, context)
    elif name in linked.names() and (record := linked.find(name)):
        source = load(GROUP, record.source)(name, context)
    else:
        near = difflib.get_close_matches(name, known(), 1)
        raise SourceUnknown(
            f"there is no source {name!r}",
            hint=f"did you mean {near[0]!r}?" if near else f"sources: {', '.join(known())}",
        )
    if context.settings.offline and source.needs_network:
        raise UsageError(
            f"the source {name!r} needs the network, and this is --offline", hint="hds ask --offline -s local …"
        )
    return source
