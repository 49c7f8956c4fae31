"""`hds fetch`: pages without a model."""

from __future__ import annotations

import asyncio
import dataclasses
import sys
from typing import Annotated

import typer

from hds_cli import config
from hds_cli.commands import _options, _print
from hds_cli.commands._flags import Flags, with_flags
from hds_cli.errors import UsageError
from hds_cli.render.words import count, reason
from hds_cli.types import Egress, Page

SCHEMA = "hds.fetch/1"
UNREACHED = 5
_ALLOW = "allow it: HDS_FETCH_ALLOW=host:port"
_MORE = {
    "offline": "not in the cache",
    "private_address": _ALLOW,
    "special_name": _ALLOW,
    "port": _ALLOW,
}
"""What `hds fetch` says beside the reason why there is no page."""


@with_flags("offline", "fetch_ignore_robots")
def fetch(
    urls: Annotated[
        list[str] | None, typer.Argument(metavar="URL…", help="Addresses; `-` reads them from stdin.")
    ] = None,
    *,
    flags: Flags,
    json_: _options.Json = False,
    quiet: _options.Quiet = False,
    verbose: _options.Verbose = False,
) -> None:
    """Fetch pages and print their text as Markdown, all at once; no model.

    Exits with 0 only if every page came; else with 5, after printing those that did.

    hds fetch https://example.org/ | less

    hds fetch --json https://example.org/a https://example.org/b | jq -r '.pages[].title'
    """
    addresses = _addresses(urls or [])
    settings = config.load(flags)
    if settings.fetch_proxy:
        _print.say("fetch.proxy is set: the proxy decides what is reached", quiet=quiet)
    pages, egress, fault = asyncio.run(pages_of(addresses, settings, typed=True))
    _print.result(SCHEMA, document(pages), markdown(pages), as_json=json_)
    sys.stdout.flush()
    for page in pages:
        if not page.ok:
            _print.say(f"{page.url}: {_why(page)}")
    if fault:
        _print.say(fault + " (pages are not kept)", quiet=quiet)
    if verbose:
        for host in egress:
            _print.say(f"{host.host}: {count(host.requests, 'request')}, {count(host.bytes, 'byte')}")
    if not all(page.ok for page in pages):
        raise typer.Exit(UNREACHED)


def _why(page: Page) -> str:
    """The reason in words, and as the machine word that `--json` has."""
    code = page.reason or page.status
    more = f" ({_MORE[code]})" if code in _MORE else ""
    return f"{reason(code)}{more} [{code}]"


def _addresses(urls: list[str]) -> list[str]:
    if urls == ["-"] or (not urls and not sys.stdin.isatty()):
        data = sys.stdin.buffer.read(1 << 20).decode("utf-8", "replace")
        urls = [line.strip() for line in data.splitlines() if line.strip()]
    if not urls:
        raise UsageError("no address was given", hint="hds fetch https://example.org/")
    # What people type has no scheme; what a server sends always has one.
    return [url if "://" in url or url.partition(":")[0] in _OTHER else f"https://{url}" for url in dict.fromkeys(urls)]


_OTHER = ("data", "javascript", "file", "mailto", "about", "blob", "http", "https", "ftp")


async def pages_of(
    urls: list[str], settings: config.Settings, *, typed: bool
) -> tuple[list[Page], tuple[Egress, ...], str | None]:
    """Fetch pages, all at once; returns the pages, the hosts contacted, and a fault of the cache.

    Args:
        typed: a person typed the addresses: robots.txt is not applied to them.
    """
    from hds_cli.fetch.client import Fetcher

    async with Fetcher(settings) as fetcher:
        pages = await asyncio.gather(*(fetcher.fetch(url, typed=typed) for url in urls))
        return list(pages), fetcher.egress(), fetcher.cache.fault


def document(pages: list[Page]) -> dict[str, object]:
    """The content of the `hds.fetch/1` document."""
    names = (
        "url",
        "final_url",
        "status",
        "reason",
        "title",
        "text",
        "bytes",
        "seconds",
        "author",
        "date",
        "fetched_at",
    )
    rows = []
    for page in pages:
        values = dataclasses.asdict(page)
        row = {name: values[name] for name in names} | {"cached": page.status == "cached"}
        rows.append(row | {"seconds": round(page.seconds, 4), "extract_seconds": round(page.extract_seconds, 4)})
    return {"pages": rows}


def markdown(pages: list[Page]) -> list[str]:
    """The pages that came, one after the other: title, address, text."""
    from hds_cli.render.text import clean

    blocks: list[str] = []
    for page in pages:
        if page.ok:
            title = " ".join(clean(page.title).split()) or clean(page.url)
            blank = "\n" if blocks else ""
            blocks.append(f"{blank}# {title}\n\n<{clean(page.final_url or page.url)}>\n\n{clean(page.text)}")
    return blocks
