"""Extractor plugins: kinds of content that hds does not read itself, read where all extraction runs."""

from __future__ import annotations

from typing import Any, Protocol

from hds_cli.plugins import load
from hds_cli.types import Page

GROUP = "hds.extractors.v1"


class Extractor(Protocol):
    """The interface of an entry point of `hds.extractors.v1`: a function from bytes to a page.

    It runs in a process of its own, without keys in its environment, with 1 GiB of memory and five seconds for a page;
    its import counts.
    """

    def __call__(self, body: bytes, url: str) -> Page:
        """Title and text (headings as `## ...`, paragraphs parted by blank lines) of a body; an exception: no text."""


def extract(name: str, body: bytes, url: str) -> dict[str, Any]:
    """`title` and `text` as the plugin finds them, `author` and `date` if it knows them."""
    extractor: Extractor = load(GROUP, name)
    page = extractor(body, url)
    fields = {key: getattr(page, key) for key in ("title", "text", "author", "date")}
    return {key: value for key, value in fields.items() if isinstance(value, str)}
