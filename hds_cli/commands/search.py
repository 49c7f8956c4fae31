"""`hds search`: the sources without a model."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

import typer

from hds_cli import config
from hds_cli.commands import _options
from hds_cli.errors import HdsError, NoSources, UsageError
from hds_cli.keys import redact
from hds_cli.search.base import Source, SourceContext
from hds_cli.types import SearchResult

Answers = list[tuple[str, list[SearchResult], list[dict[str, str]]]]


def search(
    query: Annotated[list[str] | None, typer.Argument(metavar="QUERY…", help="Each argument is one query.")] = None,
    source: _options.Source = None,
    offline: _options.Offline = None,
    top_k: _options.TopK = None,
    json_: _options.Json = False,
) -> None:
    """Run queries through the sources, all at once; no model.

    hds search "capital of Norway" "capital of Sweden"

    hds search -s world --json "official language of Brazil" | jq .
    """
    queries = [q.strip() for q in query or [] if q.strip()]
    if not queries:
        raise UsageError("no query was given", hint='hds search "capital of Norway"')
    settings = config.load({"source": tuple(source) if source else None, "offline": offline, "top_k": top_k})
    answers = asyncio.run(_search(queries, settings))
    from hds_cli.render import tables
    from hds_cli.render.consoles import console_for

    if json_:
        sys.stdout.write(json.dumps(tables.search_dict(answers)) + "\n")
    elif sys.stdout.isatty():
        tables.print_search(console_for(sys.stdout), answers)
    elif lines := tables.search_lines(answers):
        sys.stdout.write(lines + "\n")
    if not json_:
        for line in tables.error_lines(answers):
            sys.stderr.write(f"hds: warning: {line}\n")
    if not any(results for _, results, _ in answers):
        if any(errors for _, _, errors in answers):
            raise typer.Exit(NoSources.exit_code)
        raise typer.Exit(3)


async def _search(queries: Sequence[str], settings: config.Settings) -> Answers:
    from hds_cli.fetch.client import Fetcher
    from hds_cli.search.sources import open_sources

    async with Fetcher(settings) as fetcher:
        sources = open_sources(settings.source, SourceContext(settings, fetcher.api, fetcher.cache, fetcher.extract))
        pairs = [(query, source) for query in queries for source in sources]
        found = await asyncio.gather(*(_one(query, source, settings) for query, source in pairs))
    answers: Answers = [(query, [], []) for query in queries]
    for (query, _), (results, error) in zip(pairs, found, strict=True):
        answer = answers[queries.index(query)]
        answer[1].extend(results)
        if error:
            answer[2].append(error)
    return answers


async def _one(
    query: str, source: Source, settings: config.Settings
) -> tuple[list[SearchResult], dict[str, str] | None]:
    try:
        async with asyncio.timeout(settings.turn_timeout):
            found = await source.search(query, settings.top_k)
            return [replace(result, source=source.name) for result in found][: settings.top_k], None
    except HdsError as exc:
        return [], {"source": source.name, "code": exc.error_code, "message": redact(exc.message)}
    except TimeoutError:
        message = f"no answer in {settings.turn_timeout:g} s"
        return [], {"source": source.name, "code": "timeout", "message": message}
    except Exception as exc:  # a plugin's bug costs its own search only
        return [], {"source": source.name, "code": "bug", "message": redact(f"{type(exc).__name__}: {exc}")}
