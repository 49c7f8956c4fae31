"""The door to a source of search results."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, runtime_checkable

from hds_cli.config import Settings
from hds_cli.errors import HdsError, SourceError
from hds_cli.types import Document, Page, SearchResult


class Results(list[SearchResult]):
    """Results among which some are known to be missing: an engine behind the source is down, say.

    Args:
        found: the results that are there.
        missing: what is told beside them; None: nothing is missing.
    """

    def __init__(self, results: Iterable[SearchResult] = (), missing: HdsError | None = None) -> None:
        super().__init__(results)
        self.missing = missing


@runtime_checkable
class Source(Protocol):
    """Something that can be searched. A source fails by raising a `SourceError`; the run goes on with the others.

    One with an attribute `takes_sites = True` understands `site:example.org` and `-site:example.org` in a query.
    """

    name: str
    needs_network: bool

    async def search(self, query: str, top_k: int) -> list[SearchResult]:
        """The best `top_k` results, best first; `Results` says what is missing among them."""


@runtime_checkable
class ReadingSource(Source, Protocol):
    """A source that holds its pages itself: they are not fetched."""

    async def read(self, url: str) -> Page | None:
        """The page behind one of its own results; None when it is not its own."""


class JsonApi(Protocol):
    """Requests to a source's own API host, which may be on this machine or network: the user named it."""

    async def get_json(
        self, url: str, params: Mapping[str, str | int] | None = None, headers: Mapping[str, str] | None = None
    ) -> Any:
        """The decoded answer.

        Raises:
            SourceError: no answer, an error status (code `http_403`, ...), or not JSON (`bad_answer`).
        """

    async def post_json(self, url: str, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Any:
        """The decoded answer to a POST of `body` as JSON; raises as `get_json` does."""

    async def get_text(
        self, url: str, params: Mapping[str, str | int] | None = None, headers: Mapping[str, str] | None = None
    ) -> str:
        """The answer as text; raises as `get_json` does."""

    def note(self, url: str, size: int) -> None:
        """Count a request to `url` that the source made by a library of its own, and the bytes that came back."""


class PageStore(Protocol):
    """The part of the page cache that the source `cache` needs (`fetch` and `search` do not import each other)."""

    def search(self, query: str, top_k: int) -> list[SearchResult]: ...

    def get(self, url: str) -> Page | None: ...


class Extract(Protocol):
    """The normal extractor: bytes to text in a process that can be killed; no network."""

    async def __call__(self, body: bytes, label: str | None, url: str) -> Page:
        """The page in these bytes, or one with the reason why there is none. Never raises.

        Args:
            body: what was stored or came back, decoded.
            label: its Content-Type, untrusted: the bytes decide first.
            url: where it is from.
        """


class Fetch(Protocol):
    """The guarded fetcher: public addresses only, robots.txt, limits, the page cache."""

    async def __call__(self, url: str) -> Page:
        """The page behind an address, or one with the reason why there is none. Never raises."""


class Reply(NamedTuple):
    """The return value of a method of an archive: values of JSON, and bytes if it returned some."""

    value: Any
    body: bytes = b""


class Archive(Protocol):
    """A file of pages that is parsed in a process of its own: what is hostile in it costs that process alone."""

    async def call(self, method: str, *args: Any) -> Reply:
        """What a method of the object there returns; calls are answered one after the other.

        Raises:
            SourceError: as the method raised it; `archive_killed`: it took too much time or memory, now or before.
        """

    def close(self) -> None:
        """End the process."""


class OpenArchive(Protocol):
    """Opens archives."""

    async def __call__(self, factory: str, *files: str) -> Archive:
        """The object that `factory` (`module:name`) makes of `files`, in a process of its own, without keys.

        Raises:
            SourceError: as the factory raised it, or `archive_killed`.
        """


async def no_fetcher(url: str) -> Page:
    """Stands in where nothing is fetched."""
    return Page(url, status="blocked", reason="no_fetcher")


async def no_extractor(body: bytes, label: str | None, url: str) -> Page:
    """Stands in where nobody reads pages."""
    return Page(url, url, status="failed", reason="no_extractor", bytes=len(body))


async def no_archives(factory: str, *files: str) -> Archive:
    """Stands in where no archive is opened."""
    raise SourceError("archives are not read here", code="no_archives")


@dataclass(frozen=True)
class SourceContext:
    """The context that a source is made with: a plugin's entry point is called as `factory(name, context)`."""

    settings: Settings
    api: JsonApi
    pages: PageStore | None = None
    extract: Extract = no_extractor
    fetch: Fetch = no_fetcher
    archive: OpenArchive = no_archives


@dataclass(frozen=True)
class BundledCollection:
    """A collection that an installed package brings; it is built on first use like any other.

    `version` changes whenever the documents do; `about` says where they come from.
    """

    version: str
    about: str
    documents: Callable[[], Iterable[Document]]
