"""The base of all search services: address, key, pace, errors, and results out of JSON."""

from __future__ import annotations

import asyncio
import html
import re
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Literal, TypeVar

from hds_cli.errors import ConfigError, SourceError
from hds_cli.keys import Secret, api_key, variable
from hds_cli.search.base import SourceContext
from hds_cli.types import SearchResult

T = TypeVar("T")
Key = Literal["required", "optional", "none"]
PATIENCE = 5.0  # seconds; a query waits for a pause up to this long, and fails at once for a longer one
PAUSE = 30.0  # seconds without requests after a refusal with a longer pause
SHORT = 1.0  # the same after a refusal that names no pause: most limits are so many requests a second
_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,300}>")


@dataclass(frozen=True)
class Request:
    """One request: a GET with parameters, or with a `body` a POST of JSON."""

    params: Mapping[str, str | int] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None


class Limiter:
    """At most `parallel` requests at once, starting `every` seconds apart; after a refusal nobody asks for a while."""

    def __init__(self, every: float, parallel: int) -> None:
        self._every = every
        self._places = asyncio.Semaphore(parallel)
        self._next = 0.0
        self._closed_until = 0.0

    async def run(self, work: Callable[[], Awaitable[T]]) -> T:
        """The result of `work`, which is tried once more after a short pause if the service wants one (Retry-After).

        Raises:
            SourceError: of `work`; `rate_limited` without asking, while the service wants quiet.
        """
        async with self._places:
            for attempt in (1, 2):
                await self._turn()
                try:
                    return await work()
                except SourceError as exc:
                    if exc.error_code != "rate_limited":
                        raise
                    default = PAUSE if getattr(exc, "names_wait", False) else SHORT
                    wait = default if exc.retry_after is None else exc.retry_after
                    self._closed_until = max(self._closed_until, time.monotonic() + wait)
                    if attempt == 2 or wait > PATIENCE:
                        raise
            raise AssertionError("unreachable")

    async def _turn(self) -> None:
        now = time.monotonic()
        if self._closed_until - now > PATIENCE:
            wait = self._closed_until - now
            raise SourceError(f"asked too often; again in {wait:.0f} s", code="rate_limited", retry_after=wait)
        start = max(now, self._next, self._closed_until)
        self._next = start + self._every
        await asyncio.sleep(start - now)


class WebSource:
    """A search service with a JSON API. A service is its address, its request, and where its fields are.

    Class attributes: `address` (of the API), `key` (`required`, `optional` or `none`), `every` (seconds between two
    requests, as the service asks), `parallel` (requests at once), `rows` (the way to the list of results), `bare` (the
    list may be absent when nothing was found), `url`, `title`, `snippet` (fields of a result), `markup` (texts are
    HTML), `takes_sites` (`site:` in a query is understood), `errors` (status code -> our code, where it means something
    else than usual).

    Raises:
        ConfigError: a key is required and there is none.
    """

    needs_network = True
    takes_sites: ClassVar[bool] = False
    address: ClassVar[str]
    key: ClassVar[Key] = "required"
    every: ClassVar[float] = 0.0
    parallel: ClassVar[int] = 4
    rows: ClassVar[tuple[str, ...]] = ("results",)
    bare: ClassVar[bool] = False
    url: ClassVar[str] = "url"
    title: ClassVar[str] = "title"
    snippet: ClassVar[str] = "description"
    markup: ClassVar[bool] = False
    errors: ClassVar[Mapping[str, str]] = {}

    def __init__(self, name: str, context: SourceContext) -> None:
        own = context.settings.source_settings(name)
        self.name = name
        self.language = own.language or context.settings.language
        self.recent = context.settings.recent
        self.home = (own.url or self.address).rstrip("/")
        self._api = context.api
        self._secret = api_key(name) if self.key != "none" and not context.settings.offline else None
        if self.key == "required" and self._secret is None and not context.settings.offline:
            raise ConfigError(
                f"the source {name} needs an API key: {variable(name)}",
                hint=f'export {variable(name)}=…   or   {name} = "…" in keys.toml beside the settings (chmod 600)',
            )
        self._limiter = Limiter(self.every if own.every is None else own.every, self.parallel)

    def request(self, query: str, top_k: int) -> Request:
        """The request for a query."""
        raise NotImplementedError

    async def search(self, query: str, top_k: int) -> list[SearchResult]:
        answer = await self.ask(self.request(query, top_k))
        return ranked((self.result(row) for row in self.rows_in(answer)), top_k, self.name)

    def rows_in(self, answer: Any) -> Sequence[Any]:
        """The list of results in an answer."""
        return rows_at(answer, self.rows, self.bare)

    def result(self, row: Any) -> SearchResult | None:
        """The result in a row; None when the row is no result."""
        if not isinstance(row, dict):
            return None
        return result_at(row.get(self.url), self.text(row.get(self.title)), self.text(row.get(self.snippet)))

    def text(self, value: Any) -> str:
        """A field as one line of plain text."""
        return plain(value) if self.markup else " ".join(value.split()) if isinstance(value, str) else ""

    def reveal(self) -> str:
        """The key, to put it where the service wants it; empty without one."""
        return self._secret.reveal() if isinstance(self._secret, Secret) else ""

    async def ask(self, request: Request, path: str = "") -> Any:
        """The decoded answer, in the pace of the service.

        Raises:
            SourceError: as the Api's; and `bad_key`, `quota`, `rate_limited` for what the service means by its status.
        """
        if request.body is not None:
            body = request.body
            return await self.paced(lambda: self._api.post_json(self.home + path, body, request.headers))
        return await self.paced(lambda: self._api.get_json(self.home + path, request.params, request.headers))

    async def ask_text(self, request: Request, path: str = "") -> str:
        """The answer as text; otherwise as `ask`."""
        return await self.paced(lambda: self._api.get_text(self.home + path, request.params, request.headers))

    async def paced(self, work: Callable[[], Awaitable[T]]) -> T:
        """Run a request in the pace of the service; its errors become ours."""

        async def attempt() -> T:
            try:
                return await work()
            except SourceError as exc:
                raise self._meant(exc) from None

        return await self._limiter.run(attempt)

    def _meant(self, exc: SourceError) -> SourceError:
        usual = {"http_401": "bad_key", "http_403": "bad_key", "http_402": "quota"} if self.key != "none" else {}
        code = {**usual, **self.errors}.get(exc.error_code)
        status = exc.error_code.removeprefix("http_")
        if code == "bad_key" and (self._secret or status in ("401", "403")):
            problem = "does not accept the key" if self._secret else "wants an API key"
            return SourceError(f"{self.name} {problem} ({status})", code=code, hint=f"export {variable(self.name)}=…")
        if code == "quota":
            return SourceError(f"{self.name}: what the key may ask is used up ({status})", code=code)
        if code == "rate_limited":
            return SourceError(f"{self.name} is asked too often ({status})", code=code, retry_after=exc.retry_after)
        return exc


def rows_at(answer: Any, way: Sequence[str], bare: bool) -> Sequence[Any]:
    """The list at the end of `way`; with `bare` an empty one where a step is missing.

    Raises:
        SourceError: `bad_answer`, the answer has no such list.
    """
    here = answer
    for step in way:
        if not isinstance(here, dict) or (here.get(step) is None and not bare):
            raise SourceError("the answer has no list of results", code="bad_answer")
        here = here.get(step)
        if here is None:
            return []
    if not isinstance(here, list):
        raise SourceError("the answer has no list of results", code="bad_answer")
    return here


def result_at(url: Any, title: str, snippet: str) -> SearchResult | None:
    """A result at `url`; None when that is no web address."""
    if not isinstance(url, str) or not url.startswith(("http://", "https://")):
        return None
    return SearchResult(url, title or url, snippet)


def ranked(results: Any, top_k: int, source: str) -> list[SearchResult]:
    """The first `top_k` results that are there, one for each address, numbered."""
    by_url = {result.url: result for result in reversed([r for r in results if r is not None])}
    ordered = list(reversed(by_url.values()))[:top_k]
    return [replace(result, rank=rank, source=source) for rank, result in enumerate(ordered, 1)]


def plain(value: Any) -> str:
    """HTML of a snippet as one line of plain text."""
    return " ".join(html.unescape(_TAG.sub("", value)).split()) if isinstance(value, str) else ""
