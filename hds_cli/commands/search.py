"""`hds search`: the sources without a model."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Any

import typer

from hds_cli import config
from hds_cli.commands import _nearly, _options, _print
from hds_cli.commands._flags import Flags, with_flags
from hds_cli.errors import HdsError, NoSources, SourceError, UsageError
from hds_cli.render import tables
from hds_cli.search.base import Results
from hds_cli.search.checked import CheckedSource, checked, described
from hds_cli.search.fusion import Fused, Listed, fuse
from hds_cli.search.sites import sites_of
from hds_cli.types import SearchResult


@with_flags("source", "offline", "top_k", "prf", "site", "not_site")
def search(
    query: Annotated[list[str] | None, typer.Argument(metavar="QUERY…", help="Each argument is one query.")] = None,
    *,
    flags: Flags,
    format_: Annotated[
        str | None,
        typer.Option(
            "--format",
            "-f",
            metavar="TEMPLATE",
            help="A line a result, of {url} {title} {snippet} {source} {rank} {query}.",
        ),
    ] = None,
    json_: _options.Json = False,
) -> None:
    """Run queries through the sources, all at once; no model.

    hds search "capital of Norway" "capital of Sweden"

    hds search -s world --json "official language of Brazil" | jq .

    hds search -f '{url}\\t{title}' "tides of the North Sea" | fzf

    In a pipe a result is a line: rank, title, address and snippet, parted by tabs; of several queries each is named by
    a line that begins with a #.
    """
    line = _template(format_) if format_ else None
    queries = [q.strip() for q in query or [] if q.strip()]
    if not queries:
        raise UsageError("no query was given", hint='hds search "capital of Norway"')
    settings = config.load(flags)
    answers = asyncio.run(answers_to(queries, settings))
    _show(answers, json_, line)
    if not any(answer.lists for answer in answers):
        _nearly.suggest(" ".join(queries), settings.source or ("local",), sys.argv[1:])
        raise typer.Exit(NoSources.exit_code if any(answer.errors for answer in answers) else 3)


Line = Callable[[str, SearchResult], str]
"""A query and one of its results as a line of text."""


def _template(template: str) -> Line:
    r"""The lines that a template describes; `\t` and `\n` in it are a tab and a line end.

    Raises:
        UsageError: it names something that a result does not have.
    """
    from hds_cli.render.text import one_line, safe_url

    parts = re.split(r"\{(\w+)\}", template.replace("\\t", "\t").replace("\\n", "\n"))
    known = ("url", "title", "snippet", "source", "rank", "query")
    if unknown := [name for name in parts[1::2] if name not in known]:
        raise UsageError(f"a result has no {unknown[0]!r}", hint="{" + "} {".join(known) + "}")

    def line(query: str, result: SearchResult) -> str:
        values = {"url": safe_url(result.url), "query": query, "rank": str(result.rank)}
        values |= {"title": result.title, "snippet": result.snippet, "source": result.source}
        cells = [one_line(values[part]) if place % 2 else part for place, part in enumerate(parts)]
        return "".join(cells)

    return line


@dataclass
class _Answer:
    """The outcome of one query: a list of results for each source, and the errors of those that failed."""

    text: str
    lists: list[Listed] = field(default_factory=list)
    errors: list[dict[str, Any]] = field(default_factory=list)

    @property
    def by_source(self) -> list[SearchResult]:
        return [result for listed in self.lists for result in listed.results]

    @property
    def shown(self) -> list[SearchResult]:
        """The fused list as results: its ranks, and the names of all sources that found a page."""
        named = ((one.result, ", ".join(dict.fromkeys(name for name, _ in one.ranks))) for one in fuse(self.lists))
        return [replace(result, rank=rank, source=names) for rank, (result, names) in enumerate(named, 1)]


def _show(answers: Sequence[_Answer], json_: bool, line: Line | None) -> None:
    """A table on a terminal, with what failed where it failed; lines in a pipe, what failed on stderr; or JSON."""
    from hds_cli.render.consoles import console_for

    shown: list[tables.Found] = [(a.text, a.shown, a.errors) for a in answers]
    if json_:
        _print.document(tables.SEARCH_SCHEMA, document(answers))
    elif line is not None:
        _print.show([line(answer.text, result) for answer in answers for result in answer.shown])
        for error in tables.error_lines(shown):
            _print.say(f"warning: {error}")
    elif sys.stdout.isatty():
        tables.print_search(console_for(sys.stdout), shown)
    else:
        _print.show([lines] if (lines := tables.search_lines(shown)) else [])
        for error in tables.error_lines(shown):
            _print.say(f"warning: {error}")


def document(answers: Sequence[_Answer]) -> dict[str, Any]:
    """The document `hds.search/1`, with the fused list of each query."""
    content = tables.search_dict([(a.text, a.by_source, a.errors) for a in answers])
    for entry, answer in zip(content["queries"], answers, strict=True):
        entry["fused"] = [_fused_dict(one) for one in fuse(answer.lists)]
    return content


def _fused_dict(one: Fused) -> dict[str, Any]:
    ranks = [{"source": name, "rank": rank} for name, rank in one.ranks]
    return {"url": one.result.url, "title": one.result.title, "score": round(one.score, 6), "sources": ranks}


async def answers_to(queries: Sequence[str], settings: config.Settings) -> list[_Answer]:
    """Search all queries at once; their outcomes in order."""
    from hds_cli.fetch.client import Fetcher
    from hds_cli.search.sources import open_sources

    answers = [_Answer(query) for query in queries]
    sites = sites_of(settings)
    async with Fetcher(settings) as fetcher:
        context = fetcher.context
        sources = [checked(source, sites) for source in open_sources(settings.source, context)]
        pairs = [(answer, source) for answer in answers for source in sources]
        asked = (_ask(answer.text, source, settings) for answer, source in pairs)
        for (answer, source), outcome in zip(pairs, await asyncio.gather(*asked), strict=True):
            if isinstance(outcome, HdsError):
                answer.errors.append({"source": source.name, **described(outcome)})
                continue
            if outcome.missing:
                answer.errors.append({"source": source.name, **described(outcome.missing)})
            if outcome:
                answer.lists.append(Listed(outcome, not source.needs_network))
    return answers


async def _ask(query: str, source: CheckedSource, settings: config.Settings) -> Results | HdsError:
    try:
        async with asyncio.timeout(settings.turn_timeout):
            return await source.search(query, settings.top_k)
    except HdsError as exc:
        return exc
    except TimeoutError:
        return SourceError(f"no answer in {settings.turn_timeout:g} s", code="timeout")
