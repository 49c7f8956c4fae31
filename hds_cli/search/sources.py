"""From the names a user types to sources: plugins, `local`, and collections by their own names."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from hds_cli.config import Settings
from hds_cli.errors import ConfigError, NoSources, SourceUnknown, UsageError
from hds_cli.plugins import PluginError, entry_points, make, mismatch
from hds_cli.search import collections, linked
from hds_cli.search.base import Source, SourceContext
from hds_cli.search.cache import CacheSource
from hds_cli.types import SearchResult

GROUP = "hds.sources.v1"


def known() -> list[str]:
    """Every name that `-s` takes."""
    return sorted({*reserved(), *collections.available(), *linked.names()})


def reserved() -> set[str]:
    """The names that mean something without any collection of the user's."""
    return {"cache", "local", *entry_points(GROUP), *entry_points(collections.GROUP)}


def defaults(settings: Settings) -> list[str]:
    """The sources that are searched when the user names none: those that need no key and are there."""
    names = [] if settings.offline else ["searxng" if settings.searxng_url else "wikipedia"]
    if collections.available() or linked.names():
        names.append("local")
    if not names and any(settings.pages_dir.glob("*.db")):  # offline, and there is nothing else
        names.append("cache")
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
    chosen = list(dict.fromkeys(names or defaults(context.settings)))
    if not chosen:
        raise NoSources(
            "there is nothing to search in",
            hint='hds index add FOLDER   or   HDS_SEARXNG_URL=http://localhost:8888   or   pip install ".[starter]"',
        )
    opened = [_open_or_broken(name, context) for name in _every_collection(chosen)]
    broken = [source for source in opened if isinstance(source, _Broken)]
    if len(broken) == len(opened):
        raise broken[0].error
    return opened


def _every_collection(names: Sequence[str]) -> list[str]:
    """`names`, and for `local` also the linked collections and those of other packages, each as a source of its own."""
    if "local" not in names:
        return list(names)
    outside = collections.outside()
    more = [name for name in (*linked.names(), *outside) if name not in names]
    own = set(collections.available()) - set(outside)
    return [name for name in names if name != "local" or not more or own] + more


def _check_tables(settings: Settings) -> None:
    """Refuse a table `[sources.wikipeda]`, nearly a known name; one of a plugin that is not here now may stay."""
    names = known() if settings.sources else []
    for name in settings.sources:
        near = difflib.get_close_matches(name, names, 1, 0.8)
        in_file = any(
            key.startswith(f"sources.{name}.") and not origin.startswith("HDS_")
            for key, origin in settings.origins.items()
        )
        if name not in names and near and in_file:
            raise ConfigError(f"there is no source {name!r} to be set", hint=f"did you mean sources.{near[0]}?")


class _Broken:
    """Stands for a plugin that does not load, beside sources that do: the run names it and goes on with the others."""

    needs_network = False

    def __init__(self, name: str, error: PluginError) -> None:
        self.name, self.error = name, error

    async def search(self, query: str, top_k: int) -> list[SearchResult]:
        raise self.error


def _open_or_broken(name: str, context: SourceContext) -> Source:
    try:
        return _open(name, context)
    except PluginError as exc:
        return _Broken(name, exc)


def _open(name: str, context: SourceContext) -> Source:
    source: Source
    if name == "cache" and context.pages is not None:
        return CacheSource(context.pages)
    if name in entry_points(GROUP):
        source = _from_plugin(name, name, context)
    elif name in collections.available():
        source = _from_plugin("local", name, context)
    elif name in linked.names() and (record := linked.find(name)):
        source = _from_plugin(record.source, name, context)
    elif other := mismatch("sources", name):
        raise other
    else:
        near = difflib.get_close_matches(name, known(), 1)
        raise SourceUnknown(
            f"there is no source {name!r}",
            hint=f"did you mean {near[0]!r}?" if near else f"sources: {', '.join(known())}",
        )
    if context.settings.offline and source.needs_network:
        raise UsageError(
            f"the source {name!r} needs the network, and this is --offline", hint="-s local, or without --offline"
        )
    return source


def _from_plugin(plugin: str, name: str, context: SourceContext) -> Source:
    source: Source = make(GROUP, plugin, name, context, needs=("name", "needs_network", "search"))
    return source
