"""What a body is: a kind that hds reads itself, or one that an extractor plugin is named after."""

from __future__ import annotations

from pathlib import PurePosixPath
from urllib.parse import urlsplit

from hds_cli.fetch.body import sniff
from hds_cli.plugins import entry_points

GROUP = "hds.extractors.v1"


def kind_of(content_type: str | None, start: bytes, url: str) -> str | None:
    """As `sniff`; for what hds does not read, `plugin:NAME`; None: nobody reads it.

    A plugin's name is the ending of the address (`epub`), or the subtype of the media type, whole (`epub+zip`), before
    its `+`, or without `x-`.
    """
    kind = sniff(content_type, start, url)
    if kind is not None or not (installed := entry_points(GROUP)):
        return kind
    return next((f"plugin:{name}" for name in _names(content_type, url) if name in installed), None)


def _names(content_type: str | None, url: str) -> list[str]:
    subtype = (content_type or "").partition(";")[0].strip().lower().partition("/")[2]
    try:
        ending = PurePosixPath(urlsplit(url).path).suffix.lower().removeprefix(".")
    except ValueError:
        ending = ""
    return [subtype, subtype.partition("+")[0], subtype.removeprefix("x-"), ending]
