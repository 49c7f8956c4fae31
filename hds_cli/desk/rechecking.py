"""Every quote and checksum of a saved run, against the pages that are kept now; nothing is fetched."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from hds_cli import config
from hds_cli.engine.files.models import fingerprint
from hds_cli.errors import HdsError
from hds_cli.search.base import ReadingSource, Source, SourceContext
from hds_cli.search.fusion import checksum
from hds_cli.text import has_words, quote_words
from hds_cli.threads import in_daemon
from hds_cli.types import Page

if TYPE_CHECKING:
    from hds_cli.fetch.cache import PageCache
    from hds_cli.run_state import RunState

State = Literal["same", "changed", "gone"]
Kind = Literal["quote", "page", "model", "prompt"]
MOST = 5_000  # quotes and pages of a run


@dataclass(frozen=True)
class Rechecked:
    """A quote or a checksum of a run. `same`: it stands, or is right; `gone`: what it is of is not kept any more.

    `what` is the quote, or the checksum; `where` the page or file.
    """

    kind: Kind
    state: State
    what: str
    where: str


async def rechecked(state: RunState, settings: config.Settings) -> list[Rechecked]:
    """The quotes of a run and the checksums of its pages, page by page, then its model and its prompt."""
    from hds_cli.fetch.client import Fetcher

    quotes: dict[str, list[str]] = {}
    for url, quote in itertools.islice(dict.fromkeys(_quotes(state)), MOST):
        quotes.setdefault(url, []).append(quote)
    pages = {page.url: page for query in state.queries for page in query.pages.values() if page.ok}
    given = {document.url: "\n\n".join(passage.full for passage in document.passages) for document in state.documents}
    found: list[Rechecked] = []
    async with Fetcher(replace(settings, offline=True)) as fetcher:
        kept = _Kept(fetcher.cache, fetcher.context, {url: page.held_by for url, page in pages.items()})
        for url in itertools.islice(dict.fromkeys((*quotes, *pages)), MOST):
            page = await kept.page(url) if url not in given else None
            text = given.get(url, page.text if page is not None else None)
            said = quote_words(text or "") if url in quotes else ""
            for quote in quotes.get(url, ()):
                stands: State = "gone" if text is None else "same" if has_words(said, quote) else "changed"
                found.append(Rechecked("quote", stands, quote, url))
            if url in pages and (then := pages[url].sha256):
                found.append(Rechecked("page", _state(then, checksum(text) if text is not None else None), then, url))
    return [*found, *await in_daemon(lambda: list(_files(state)))]


def _state(then: str, now: str | None) -> State:
    return "gone" if now is None else "same" if now == then else "changed"


def _quotes(state: RunState) -> Iterator[tuple[str, str]]:
    """(address, quote) of every source, every part of the answer and every condition that a page settled."""
    ends = [section.end for section in state.sections.values() if section.end is not None]
    for finished in [*([state.finished] if state.finished else []), *ends]:
        urls = {citation.n: citation.url for citation in finished.citations}
        yield from ((citation.url, citation.quote) for citation in finished.citations if citation.quote)
        yield from ((urls[q.n], q.quote) for one in finished.support for q in one.quotes if q.n in urls and q.quote)
    for event in state.ledgers[-1:]:
        yield from ((row.url, row.quote) for row in event.rows if row.url and row.quote)


def _files(state: RunState) -> Iterator[Rechecked]:
    """The files that a run was made with: its model, and a prompt of the user's."""
    if state.started is None:
        return
    model = state.started.model
    if model.file and model.sha256:
        yield Rechecked("model", _state(model.sha256, fingerprint(Path(model.file))), model.sha256, model.file)
    prompt = state.started.settings.get("prompt_file")
    if model.prompt.startswith("sha256:") and isinstance(prompt, str):
        from hds_cli.desk.speaking import digest_of

        then = model.prompt.removeprefix("sha256:")
        yield Rechecked("prompt", _state(then, digest_of(Path(prompt))), then, prompt)


class _Kept:
    """The pages that are kept: in the cache, and in the collections that a run searched.

    Args:
        held_by: the source that holds a page itself, by its address.
    """

    def __init__(self, cache: PageCache, context: SourceContext, held_by: dict[str, str]) -> None:
        self._cache, self._context, self._held_by = cache, context, held_by
        self._sources: dict[str, Sequence[Source]] = {}

    async def page(self, url: str) -> Page | None:
        """The page as it is kept now."""
        name = self._held_by.get(url, "")
        for source in self._opened(name) if name else ():
            if isinstance(source, ReadingSource):
                try:
                    page = await source.read(url)
                except (HdsError, OSError):
                    page = None
                if page is not None and page.ok:
                    return page
        return await in_daemon(self._cache.get, url)

    def _opened(self, name: str) -> Sequence[Source]:
        from hds_cli.search.sources import open_sources

        if name not in self._sources:
            try:
                self._sources[name] = open_sources([name], self._context)
            except HdsError:  # it was removed, or needs the network
                self._sources[name] = ()
        return self._sources[name]


__all__ = ["Rechecked", "rechecked"]
