"""The browser `chromium`: an installed Chromium without a window, spoken to over a pipe. No library is needed.

It opens no connection of its own: each request of a page is handed to hds, which makes it through its guard and gives
the answer back; what is not asked that way (workers, sockets) meets a proxy that is not there. See
https://chromedevtools.github.io/devtools-protocol/tot/Fetch/.
"""

from __future__ import annotations

import asyncio
import base64
import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from hds_browser.pipe import BrowserError, Pipe, launched
from hds_cli.errors import ConfigError
from hds_cli.fetch.browser import Asked, Get, Told

_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome")
_NOT_READ = frozenset({"Image", "Media", "Font", "TextTrack", "Ping", "Prefetch", "CSPViolationReport", "Manifest"})
_START = 10.0  # seconds in which a browser has started
_QUIET = 0.5  # seconds without a request after which a page is taken to be whole
# What speaks of scripts that do not run has had its time; what is data stays.
_TREE = """(() => {
  const over = 'noscript, template, script:not([type="application/ld+json"]):not([type^="math/"])';
  for (const element of document.querySelectorAll(over)) element.remove();
  return document.documentElement ? document.documentElement.outerHTML : '';
})()"""


def chromium() -> Chromium:
    """The entry point `chromium` of `hds.browsers.v1`.

    Raises:
        ConfigError: no Chromium is installed.
    """
    if not hasattr(os, "posix_spawn"):
        raise ConfigError("the browser chromium needs pipes as Unix has them", hint="hds config set fetch.browser ''")
    named = os.environ.get("HDS_CHROMIUM")
    program = shutil.which(named) if named else next(filter(None, map(shutil.which, _NAMES)), None)
    if program is None:
        problem = f"HDS_CHROMIUM: there is no program {named}" if named else "no Chromium is installed"
        raise ConfigError(problem, hint="install it, or  hds config set fetch.browser ''")
    return Chromium(program)


class Chromium:
    """One browser process, started for the first page; every page has cookies and storage of its own.

    Args:
        program: the path of a Chromium.
        more: further arguments for it.
    """

    def __init__(self, program: str, more: Sequence[str] = ()) -> None:
        self._program, self._more = program, more
        self._pipe: Pipe | None = None
        self._one = asyncio.Lock()  # a page at a time: each may take as much memory as a browser likes

    async def html(self, url: str, get: Get, seconds: float) -> str:
        """The document of a page when its scripts have run, or at the end of its time what is there."""
        async with self._one:
            try:
                async with asyncio.timeout(seconds + _START):
                    if self._pipe is None or self._pipe.closed:
                        self._pipe = await launched(self._program, self._more)
                    return await _Rendering(self._pipe, get).html(url, seconds)
            except BaseException:  # a script that never ends holds the tab: nothing of it is kept
                await self.close()
                raise

    async def close(self) -> None:
        """End the process."""
        pipe, self._pipe = self._pipe, None
        if pipe is not None:
            await pipe.close()


class _Rendering:
    """One page in a context of its own."""

    def __init__(self, pipe: Pipe, get: Get) -> None:
        self._pipe, self._get = pipe, get
        self._open: set[asyncio.Task[None]] = set()
        self._asked = asyncio.Event()
        self._loaded = asyncio.Event()
        self._main = self._url = ""

    async def html(self, url: str, seconds: float) -> str:
        until = asyncio.get_running_loop().time() + seconds
        context = (await self._pipe.call("Target.createBrowserContext"))["browserContextId"]
        target = await self._pipe.call("Target.createTarget", url="about:blank", browserContextId=context)
        attached = await self._pipe.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        session = attached["sessionId"]
        self._pipe.listen(session, lambda method, values: self._hear(session, method, values))
        try:
            await self._pipe.call("Page.enable", session)
            await self._pipe.call("Fetch.enable", session, patterns=[{"urlPattern": "*"}])
            self._main, self._url = target["targetId"], url.partition("#")[0]
            async with asyncio.timeout_at(until):
                went = await self._pipe.call("Page.navigate", session, url=url)
            if went.get("errorText"):
                raise BrowserError(str(went["errorText"]))
            with suppress(TimeoutError):
                async with asyncio.timeout_at(until - min(1.0, seconds / 4)):
                    await self._settled()
            async with asyncio.timeout_at(until):
                result = await self._pipe.call("Runtime.evaluate", session, expression=_TREE, returnByValue=True)
            return str(result.get("result", {}).get("value") or "")
        finally:
            self._pipe.listen(session, None)
            for task in self._open:
                task.cancel()
            with suppress(TimeoutError):
                async with asyncio.timeout(2):
                    await self._pipe.call("Target.disposeBrowserContext", browserContextId=context)

    async def _settled(self) -> None:
        """Until the page is loaded and has asked for nothing for a while."""
        await self._loaded.wait()
        while True:
            self._asked.clear()
            if self._open:
                await asyncio.wait(self._open)
                continue
            try:
                async with asyncio.timeout(_QUIET):
                    await self._asked.wait()
            except TimeoutError:
                return

    def _hear(self, session: str, method: str, values: dict[str, Any]) -> None:
        if method == "Page.loadEventFired":
            self._loaded.set()
        elif method == "Page.javascriptDialogOpening":
            self._start(self._pipe.call("Page.handleJavaScriptDialog", session, accept=False))
        elif method == "Fetch.requestPaused":
            self._asked.set()
            self._start(self._answer(session, values))

    def _start(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._open.add(task)
        task.add_done_callback(self._open.discard)

    async def _answer(self, session: str, paused: dict[str, Any]) -> None:
        """Hand a request to hds and its answer to the page; what is refused, or not read anyway, fails there."""
        request, number = paused["request"], paused["requestId"]
        answer: Told | None = None
        document = paused.get("resourceType") == "Document" and paused.get("frameId") == self._main
        if document and request["url"].partition("#")[0] != self._url:
            # A script that leads on: robots.txt was asked for this page, not for that one.
            await self._pipe.call("Fetch.failRequest", session, requestId=number, errorReason="Aborted")
            return
        if paused.get("resourceType") not in _NOT_READ and not request["url"].endswith("/favicon.ico"):
            asked = Asked(request["url"], request["method"], request.get("headers", {}), _body(request))
            answer = await self._get(asked)
        if answer is None:
            await self._pipe.call("Fetch.failRequest", session, requestId=number, errorReason="BlockedByClient")
            return
        headers = [{"name": name, "value": value} for name, value in answer.headers]
        await self._pipe.call(
            "Fetch.fulfillRequest", session, requestId=number, responseCode=answer.status, responseHeaders=headers,
            body=base64.b64encode(answer.body).decode("ascii"),
        )  # fmt: skip


def _body(request: dict[str, Any]) -> bytes | None:
    entries = request.get("postDataEntries") or ()
    if entries:
        return b"".join(base64.b64decode(entry.get("bytes", "")) for entry in entries)
    return request["postData"].encode() if "postData" in request else None


__all__ = ["Chromium", "chromium"]
