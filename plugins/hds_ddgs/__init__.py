"""The source `ddgs`: DuckDuckGo without a key, through the library ddgs (MIT, the extra `ddgs`)."""

from __future__ import annotations

import importlib.util
from typing import Any

from hds_cli.errors import ConfigError, SourceError
from hds_cli.search.base import SourceContext
from hds_cli.threads import in_daemon
from hds_cli.types import SearchResult
from hds_web.base import Limiter, ranked, result_at

_LIMITED = (202, 403, 418, 429)  # how DuckDuckGo says "too often"


class Ddgs:
    """DuckDuckGo's HTML results, one engine of the library; it is never swapped for another.

    The library has its own HTTP stack, which shows itself to the service as a browser: requests do not pass through
    hds's guard, and go to DuckDuckGo's own address alone. They are counted in the run's egress, go through
    `fetch.proxy` if it is set, and are not made under `--offline`: the library is not even loaded. What it finds is
    fetched like any other page, by hds.

    Raises:
        ConfigError: the library is missing.
    """

    needs_network = True
    takes_sites = True

    def __init__(self, name: str, context: SourceContext) -> None:
        self.name = name
        self._settings = context.settings
        self._api = context.api
        if not context.settings.offline and importlib.util.find_spec("ddgs") is None:
            raise ConfigError("the source ddgs needs the library ddgs", hint='pip install "hds-cli[ddgs]"')
        own = context.settings.source_settings(name)
        self._region = _region(own.language or context.settings.language)
        self._recent = context.settings.recent
        self._address = own.url
        self._limiter = Limiter(1.0 if own.every is None else own.every, 2)

    async def search(self, query: str, top_k: int) -> list[SearchResult]:
        if self._settings.offline:
            raise SourceError("ddgs was not asked: offline", code="offline")
        rows = await self._limiter.run(lambda: in_daemon(self._rows, query))
        results = (result_at(row.href, " ".join(row.title.split()), " ".join(row.body.split())) for row in rows)
        return ranked(results, top_k, self.name)

    def _rows(self, query: str) -> list[Any]:
        """One request, in a thread of its own.

        Raises:
            SourceError: `timeout`, `unreachable`, `rate_limited`, `http_<status>`, `bad_answer`.
        """
        from ddgs.exceptions import DDGSException, TimeoutException

        seconds = self._settings.fetch_timeout
        try:
            engine = _engine(self._address, self._api, self._settings.fetch_proxy, seconds)
            return engine.search(query, region=self._region, timelimit=self._recent[0] if self._recent else None) or []
        except TimeoutException:
            raise SourceError(f"DuckDuckGo did not answer in {seconds:g} s", code="timeout") from None
        except DDGSException as exc:
            why = type(exc.__cause__).__name__
            raise SourceError(f"DuckDuckGo cannot be reached ({why})", code="unreachable") from None
        except (ValueError, TypeError, AttributeError) as exc:  # its parser, on a page that is no result page
            raise SourceError("DuckDuckGo's answer is not a page of results", code="bad_answer") from exc


def _engine(address: str | None, api: Any, proxy: str | None, seconds: float) -> Any:
    """The library's engine, made to raise on a refusal: by itself it takes every refusal for an empty answer."""
    from ddgs.engines.duckduckgo import Duckduckgo

    class Engine(Duckduckgo):  # type: ignore[misc]
        search_url = address or Duckduckgo.search_url

        def request(self, *args: Any, **kwargs: Any) -> str:
            answer = self.http_client.request(*args, **kwargs)
            api.note(self.search_url, len(answer.content))
            if answer.status_code in _LIMITED:
                raise SourceError(f"DuckDuckGo is asked too often ({answer.status_code})", code="rate_limited")
            if answer.status_code != 200:
                raise SourceError(f"DuckDuckGo answered {answer.status_code}", code=f"http_{answer.status_code}")
            return str(answer.text)

    return Engine(proxy=proxy, timeout=max(1, round(seconds)))


def _region(language: str | None) -> str:
    """DuckDuckGo's region for a language: `de` -> `de-de`, `pt-br` -> `br-pt`, nothing -> all regions."""
    regions = {"en": "us-en", "ja": "jp-jp", "ko": "kr-kr", "zh": "cn-zh", "sv": "se-sv", "da": "dk-da", "cs": "cz-cs"}
    if not language:
        return "wt-wt"
    code, _, country = language.lower().partition("-")
    return f"{country}-{code}" if country else regions.get(code, f"{code}-{code}")
