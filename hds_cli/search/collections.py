"""The collections: those on disk and those that installed packages bring."""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Callable
from pathlib import Path

from hds_cli.errors import OutputError, SourceUnknown
from hds_cli.interrupts import before_leaving
from hds_cli.plugins import FIRST_PARTY, distribution, entry_points, make
from hds_cli.search.base import BundledCollection
from hds_cli.search.local import Collection, names

GROUP = "hds.collections.v1"
PACKAGE = "package: "
"""How the origin of a collection begins that a package brings."""


def available() -> list[str]:
    """Every collection that can be searched, by name."""
    return sorted({*names(), *entry_points(GROUP)})


def outside() -> list[str]:
    """Collections that other distributions bring: each is a source of its own, so that a broken one fails alone."""
    return sorted(
        name
        for name, point in entry_points(GROUP).items()
        if distribution(point) != FIRST_PARTY and name not in names()
    )


def open_one(name: str, on_document: Callable[[int], None] | None = None) -> Collection:
    """The collection `name`; one that a package brings is built, or built anew when the package's version changed.

    Raises:
        SourceUnknown: no collection has that name.
    """
    if name not in entry_points(GROUP):
        if name not in names():
            raise SourceUnknown(f"there is no collection {name!r}", hint="hds index list")
        return Collection(name)
    bundled: BundledCollection = make(GROUP, name, needs=("version", "documents"))
    try:
        return _built(name, bundled, None, on_document)
    except (OSError, OutputError):  # the home is full or read-only; a package's collection can be built in any folder
        return _built(name, bundled, _scratch(), on_document)


def _built(
    name: str, bundled: BundledCollection, folder: Path | None, on_document: Callable[[int], None] | None
) -> Collection:
    collection = Collection(name, folder, create=True)
    # The user's own collection of that name is left alone: its origin is not ours.
    origin = collection.origin()
    if origin is None or (origin.startswith(PACKAGE) and origin != f"{PACKAGE}{bundled.version}"):
        collection.update(bundled.documents(), f"{PACKAGE}{bundled.version}", on_document)
    return collection


@functools.cache
def _scratch() -> Path:
    """A folder for this process alone, gone with it.

    Raises:
        OutputError: there is no room for it either.
    """
    try:
        folder = tempfile.TemporaryDirectory(prefix="hds-")
    except OSError as exc:
        raise OutputError(f"no collection can be built: {exc.strerror}", hint="TMPDIR=OTHER/FOLDER") from exc
    before_leaving(folder.cleanup)
    return Path(folder.name)
