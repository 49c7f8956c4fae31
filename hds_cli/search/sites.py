"""`--site` and `--not-site`: the hosts whose pages are read, and those whose pages are not."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from hds_cli.config import Settings
from hds_cli.errors import UsageError

MORE, MOST = 6, 60  # times as many results, and results at most, where a source cannot be told the sites
_HOST = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?|[0-9a-f:.]+")


@dataclass(frozen=True)
class Sites:
    """`only`: the hosts, with all below them, that pages are from; empty: any. `without`: those that none is from."""

    only: tuple[str, ...] = ()
    without: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.only or self.without)

    def allow(self, url: str) -> bool:
        """True for the address of a page that may be read; one without a host is on no site."""
        if not self:
            return True
        host = _host_of(url)
        return not _below(host, self.without) and (not self.only or _below(host, self.only))

    def operators(self, query: str) -> str:
        """The query as a search engine takes it: `tides (site:a.example OR site:b.example) -site:c.example`."""
        sites = " OR ".join(f"site:{host}" for host in self.only)
        parts = [query, f"({sites})" if len(self.only) > 1 else sites, *(f"-site:{host}" for host in self.without)]
        return " ".join(filter(None, parts))


def sites_of(settings: Settings) -> Sites:
    """The sites that the settings name.

    Raises:
        UsageError: one of them is no host.
    """
    return Sites(tuple(_hosts(settings.site, "--site")), tuple(_hosts(settings.not_site, "--not-site")))


def _hosts(values: Iterable[str], flag: str) -> Iterable[str]:
    for value in dict.fromkeys(values):
        text = value.strip().removeprefix("*.")
        host = _host_of(text if "://" in text else f"//{text}")
        path = urlsplit(text).path if "://" in text else text.partition("/")[1] and f"/{text.partition('/')[2]}"
        if not host or not _HOST.fullmatch(host) or path not in ("", "/"):
            raise UsageError(f"{flag} takes a host, not {value!r}", hint=f"{flag} {host or 'example.org'}")
        yield host


def _host_of(url: str) -> str:
    """The host of an address in small ASCII letters; empty where it has none, or none that can be read."""
    try:
        parts = urlsplit(url[:2000])
        if parts.scheme.lower() not in ("", "http", "https"):
            return ""
        host = (parts.hostname or "").rstrip(".")
        return host.encode("idna").decode() if not host.isascii() else host
    except ValueError:
        return ""


def _below(host: str, sites: Iterable[str]) -> bool:
    return any(host == site or host.endswith(f".{site}") for site in sites)
