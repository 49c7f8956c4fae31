"""The source `mcp`: a server of the Model Context Protocol that has a tool to search, and maybe one to fetch.

What the tools are called with and answer is the convention of research connectors: `search(query)` gives
`{"results": [{"id", "title", "url", "text"}]}`, `fetch(id)` gives `{"title", "text", "url"}`, as structured content or
as JSON text. Without a `fetch` the addresses are fetched as any other.
"""

from __future__ import annotations

import asyncio
import json
import os
import shlex
from collections.abc import Mapping
from typing import Any

from hds_cli.errors import ConfigError, SourceError
from hds_cli.keys import without_secrets
from hds_cli.search.base import SourceContext
from hds_cli.types import Page, SearchResult

MOST_TOOLS, MOST_IDS = 200, 2000
_ARGUMENTS = ("query", "q", "search_query", "text")


class McpSource:
    """Searches through the tools of a server: a command that is started, or an address.

    Raises:
        ConfigError: neither is set, or the SDK is not installed.
    """

    needs_network = True  # hds cannot see where the server itself connects to

    def __init__(self, name: str, context: SourceContext) -> None:
        own = context.settings.source_settings(name)
        if not own.path and not own.url:
            raise ConfigError(
                "the source mcp needs a server",
                hint='HDS_MCP_PATH="COMMAND ARGUMENTS"   or   HDS_MCP_URL=https://…/mcp',
            )
        try:
            import mcp  # noqa: F401
        except ImportError as exc:
            raise ConfigError("the source mcp needs the SDK", hint='pip install "hds-cli[mcp]"') from exc
        self.name, self._command, self._url, self._api = name, own.path, own.url, context.api
        self._server: asyncio.Future[Any] | None = None
        self._owner: asyncio.Task[None] | None = None
        self._tools: dict[str, str] = {}  # `search` or `fetch` -> the name of its argument
        self._ids: dict[str, str] = {}

    async def search(self, query: str, top_k: int) -> list[SearchResult]:
        answer = await self._call("search", query)
        rows = answer.get("results") if isinstance(answer, Mapping) else answer
        if not isinstance(rows, list):
            raise SourceError("the tool `search` gave no list of results", code="bad_answer")
        results = [result for row in rows if (result := self._result(row))]
        return [
            SearchResult(one.url, one.title, one.snippet, source=self.name, rank=rank)
            for rank, one in enumerate(results[:top_k], 1)
        ]

    async def read(self, url: str) -> Page | None:
        """The text that the tool `fetch` has for a result; None where there is no such tool."""
        if url not in self._ids or "fetch" not in self._tools:
            return None
        answer = await self._call("fetch", self._ids[url])
        text = answer.get("text") if isinstance(answer, Mapping) else answer
        if not isinstance(text, str) or not text.strip():
            return None
        title = answer.get("title") if isinstance(answer, Mapping) else None
        return Page(url, url, title if isinstance(title, str) else "", text, "fetched", bytes=len(text.encode()))

    def _result(self, row: Any) -> SearchResult | None:
        if not isinstance(row, Mapping):
            return None
        known = {key: value for key, value in row.items() if isinstance(key, str) and isinstance(value, str)}
        number = row.get("id")
        identity = str(number) if isinstance(number, str | int) else ""
        url = known.get("url") or (f"{self.name}:{identity}" if identity else "")
        if not url:
            return None
        if identity and len(self._ids) < MOST_IDS:
            self._ids[url] = identity
        snippet = known.get("text") or known.get("snippet") or known.get("description") or ""
        return SearchResult(url, known.get("title") or url, snippet, source=self.name)

    async def _call(self, tool: str, text: str) -> Any:
        """Call a tool with a text and return its answer.

        Raises:
            SourceError: there is no such tool, it failed, or the server is gone.
        """
        server = await self._connected()
        if tool not in self._tools:
            raise SourceError(f"the server has no tool `{tool}` with a text to look for", code="bad_answer")
        try:
            answer = await server.call_tool(tool, {self._tools[tool]: text})
        except Exception as exc:
            raise SourceError(f"the server does not answer: {type(exc).__name__}: {exc}"[:300]) from exc
        written = "\n".join(part.text for part in answer.content if getattr(part, "type", "") == "text")
        if self._url:
            self._api.note(self._url, len(written.encode()))
        if answer.is_error:
            raise SourceError(f"the tool `{tool}` failed: {written[:200]}")
        content = answer.structured_content
        if isinstance(content, Mapping) and set(content) == {"result"}:  # the SDK's wrapping of other results
            content = content["result"]
        return content if content is not None else _json(written)

    async def _connected(self) -> Any:
        """The session with the server, begun with the first call; a task of its own holds it until the run is over."""
        if self._server is None or (self._owner is not None and self._owner.done()):
            self._server = asyncio.get_running_loop().create_future()
            self._owner = asyncio.create_task(self._hold(self._server))
        return await asyncio.shield(self._server)

    async def _hold(self, server: asyncio.Future[Any]) -> None:
        from mcp import Client, StdioServerParameters, stdio_client

        target: Any = self._url
        if self._command:
            command, *args = shlex.split(self._command)
            parameters = StdioServerParameters(command=command, args=args, env=without_secrets(os.environ))
            target = stdio_client(parameters)
        try:
            async with Client(target) as client:
                self._tools = _usable((await client.list_tools()).tools)
                server.set_result(client)
                await asyncio.Event().wait()
        except Exception as exc:
            if not server.done():
                while isinstance(exc, ExceptionGroup):
                    exc = exc.exceptions[0]
                problem = f"the server cannot be used: {type(exc).__name__}: {exc}"[:300]
                server.set_exception(SourceError(problem, hint=f"hds plugins info {self.name}"))


def _usable(tools: list[Any]) -> dict[str, str]:
    """The tools `search` and `fetch`, each with the argument that takes the text."""
    arguments = {}
    for tool in tools[:MOST_TOOLS]:
        properties = (tool.input_schema or {}).get("properties", {})
        names = _ARGUMENTS if tool.name == "search" else ("id", "url") if tool.name == "fetch" else ()
        argument = next((name for name in names if name in properties), None)
        if argument:
            arguments[tool.name] = argument
    return arguments


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
