"""`hds fetch`: pages without a model."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import sys
import zlib
from collections import deque
from collections.abc import Callable
from typing import Annotated

import typer

from hds_cli import config
from hds_cli.commands import _options, _print
from hds_cli.commands._flags import Flags, with_flags
from hds_cli.errors import UsageError
from hds_cli.render.words import count, reason
from hds_cli.threads import in_daemon
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
    missing, egress, fault = asyncio.run(_print_all(addresses, settings, _as_json if json_ else _as_text))
    sys.stdout.flush()
    for page in missing:
        _print.say(f"{page.url}: {_why(page)}")
    if fault:
        _print.say(fault + " (pages are not kept)", quiet=quiet)
    if verbose:
        for host in egress:
            _print.say(f"{host.host}: {count(host.requests, 'request')}, {count(host.bytes, 'byte')}")
    if missing:
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


async def _print_all(
    urls: list[str], settings: config.Settings, shown: Callable[[Page | None, int], str]
) -> tuple[list[Page], tuple[Egress, ...], str | None]:
    """Print pages in the order of their addresses as they come; those that did not, what was contacted, the cache.

    Args:
        shown: what is written for a page and its number, and for None after the last.
    """
    from hds_cli.fetch.client import Fetcher

    missing: list[Page] = []
    async with Fetcher(settings) as fetcher:
        ahead = asyncio.Semaphore(2 * settings.fetch_parallel)

        async def one(url: str) -> _Waiting:
            await ahead.acquire()
            return await in_daemon(_Waiting, await fetcher.fetch(url, typed=True))

        tasks = deque(asyncio.create_task(one(url)) for url in urls)
        printed = 0
        while tasks:
            page = (await tasks.popleft()).page()
            if not page.ok:
                missing.append(dataclasses.replace(page, text=""))
            if text := shown(page, printed):
                printed += 1
                await in_daemon(sys.stdout.write, text)  # not on the loop: whoever reads it may take their time
            ahead.release()
        await in_daemon(sys.stdout.write, shown(None, printed))
        return missing, fetcher.egress(), fetcher.cache.fault


class _Waiting:
    """A page that waits for those before it, squeezed."""

    def __init__(self, page: Page) -> None:
        self._text = zlib.compress(page.text.encode("utf-8", "surrogatepass"), 1)
        self._page = dataclasses.replace(page, text="")

    def page(self) -> Page:
        text = zlib.decompress(self._text).decode("utf-8", "surrogatepass")
        return dataclasses.replace(self._page, text=text)


def _as_json(page: Page | None, number: int) -> str:
    """A piece of the `hds.fetch/1` document."""
    if page is None:
        return "]}\n" if number else f"{_START}]}}\n"
    row = json.dumps(_row(page))
    return f", {row}" if number else _START + row


_START = _print.beginning(SCHEMA, "pages")


def _as_text(page: Page | None, number: int) -> str:
    """A page as Markdown; nothing for one that did not come."""
    from hds_cli.render.text import clean

    blocks = markdown([page]) if page is not None else []
    return "".join(("\n" if number else "") + clean(block) + "\n" for block in blocks)


def document(pages: list[Page]) -> dict[str, object]:
    """The content of the `hds.fetch/1` document."""
    return {"pages": [_row(page) for page in pages]}


_NAMES = "url final_url status reason title text bytes seconds author date fetched_at".split()


def _row(page: Page) -> dict[str, object]:
    row = {name: getattr(page, name) for name in _NAMES} | {"cached": page.status == "cached"}
    return row | {"seconds": round(page.seconds, 4), "extract_seconds": round(page.extract_seconds, 4)}


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
