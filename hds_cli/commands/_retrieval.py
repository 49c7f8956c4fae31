"""`hds eval retrieval`: sets, sources and selectors brought together."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from hds_cli.commands._progress import Progress
from hds_cli.config import Settings
from hds_cli.evaluation import relevance, report, retrieval
from hds_cli.evaluation.corpus import NAME, CorpusSource
from hds_cli.evaluation.retrieval import SCHEMA, Finding
from hds_cli.search.base import ReadingSource, Source
from hds_cli.types import Page


@dataclass(frozen=True)
class Task:
    """A measurement: `folders` are the sets; without sources in `settings`, the pages of each set are searched."""

    folders: Sequence[Path]
    settings: Settings
    selectors: Sequence[str] = ()
    top_k: int = 20
    limit: int | None = None
    quiet: bool = False


def measure(task: Task) -> list[Finding]:
    """Every set by every source, and by every selector.

    Raises:
        HdsError: a set, a source or a selector that cannot be used.
    """
    findings = asyncio.run(_measure(task))
    return findings + retrieval.overall(findings)


async def _measure(task: Task) -> list[Finding]:
    findings = []
    for folder in task.folders:
        with Progress("indexed", None, quiet=task.quiet) as progress:
            bench = relevance.load(folder, _counting(progress))
        async with _sources(task.settings, bench) as sources:
            for source in sources:
                findings += await _of_source(task, bench, source)
    return findings


def _counting(progress: Progress) -> Callable[[int], None]:
    return lambda _: progress.step("pages")


async def _of_source(task: Task, bench: relevance.Bench, source: Source) -> list[Finding]:
    total = len(bench.topics[: task.limit])
    with Progress(f"{bench.name}, {source.name}", total, quiet=task.quiet) as progress:
        findings = [await retrieval.rank(bench, source.name, source.search, task.top_k, task.limit, progress.step)]
    for name in task.selectors:
        with Progress(f"{bench.name}, {name}", total, quiet=task.quiet) as progress:
            findings.append(
                await retrieval.choose(
                    bench, source.name, source.search, _reader(source), name, task.limit, progress.step
                )
            )
    return findings


def _reader(source: Source) -> Callable[[str], Awaitable[Page | None]]:
    """Pages of a source that holds them itself; others would have to be fetched, and are not."""

    async def nothing(url: str) -> Page | None:
        return None

    return source.read if isinstance(source, ReadingSource) else nothing


@contextlib.asynccontextmanager
async def _sources(settings: Settings, bench: relevance.Bench) -> AsyncIterator[list[Source]]:
    """The sources that were named, or the pages of the set."""
    if not settings.source:
        yield [CorpusSource(bench.collection)]
        return
    from hds_cli.fetch.client import Fetcher
    from hds_cli.search.sources import open_sources

    named = [name for name in settings.source if name != NAME]
    async with Fetcher(settings) as fetcher:
        context = fetcher.context
        own: list[Source] = [CorpusSource(bench.collection)] if NAME in settings.source else []
        yield own + (open_sources(named, context) if named else [])


def section(findings: Sequence[Finding]) -> report.Section:
    """The findings as a table: a row each, a column a figure."""
    names = list(dict.fromkeys(name for finding in findings for name in finding.figures))
    rows = []
    for f in findings:
        cells = [f"{value:.1f}" if (value := f.figures.get(name)) is not None else "" for name in names]
        rows.append([f.bench, f.source, f.selector or "", str(f.n), *cells])
    return "Retrieval (percent)", ["set", "source", "selector", "questions", *names], rows


__all__ = ["SCHEMA", "Task", "measure", "section"]
