"""`hds eval retrieval`: sets, sources and selectors brought together."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
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
    """A measurement: `folders` are the sets; without sources in `settings`, the pages of each set are searched.

    `queries`: a file of queries that are searched in place of the questions, as an arm of its own; `distractors`: pages
    of other questions that a selector is given as well.
    """

    folders: Sequence[Path]
    settings: Settings
    selectors: Sequence[str] = ()
    top_k: int = 20
    limit: int | None = None
    quiet: bool = False
    queries: Path | None = None
    distractors: int = 0


def measure(task: Task) -> list[Finding]:
    """Every set by every source, and by every selector.

    Raises:
        HdsError: a set, a source or a selector that cannot be used.
    """
    findings = asyncio.run(_measure(task))
    return findings + retrieval.overall(findings)


async def _measure(task: Task) -> list[Finding]:
    findings = []
    written = relevance.queries_of(task.queries) if task.queries else None
    for folder in task.folders:
        with Progress("indexed", None, quiet=task.quiet) as progress:
            bench = relevance.load(folder, _counting(progress))
        async with _sources(task.settings, bench) as sources:
            for source in sources:
                findings += await _of_source(task, bench, source, source.name, source.search)
                if written is not None:
                    search = retrieval.rewritten(source.search, bench, written)
                    findings += await _of_source(task, bench, source, f"{source.name}, rewritten", search)
    return findings


def _counting(progress: Progress) -> Callable[[int], None]:
    return lambda _: progress.step("pages")


async def _of_source(
    task: Task, bench: relevance.Bench, source: Source, arm: str, search: retrieval.Search
) -> list[Finding]:
    total = len(bench.topics[: task.limit])
    with Progress(f"{bench.name}, {arm}", total, quiet=task.quiet) as progress:
        findings = [await retrieval.rank(bench, arm, search, task.top_k, task.limit, progress.step)]
    for name in task.selectors:
        with Progress(f"{bench.name}, {name}", total, quiet=task.quiet) as progress:
            findings.append(
                await retrieval.choose(
                    bench, arm, search, _reader(source), name, task.limit, progress.step, task.distractors
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
        yield [CorpusSource(bench.collection, settings.prf)]
        return
    from hds_cli.fetch.client import Fetcher
    from hds_cli.search.sources import open_sources

    named = [name for name in settings.source if name != NAME]
    async with Fetcher(settings) as fetcher:
        context = fetcher.context
        own: list[Source] = [CorpusSource(bench.collection, settings.prf)] if NAME in settings.source else []
        yield own + (open_sources(named, context) if named else [])


def _indented(finding: Finding) -> list[Finding]:
    """The findings by kind, as they stand below their set."""
    return [replace(kind, bench=f"  {kind.bench}") for kind in finding.kinds]


def section(findings: Sequence[Finding]) -> report.Section:
    """The findings as a table: a row each, a column a figure."""
    names = list(dict.fromkeys(name for finding in findings for name in finding.figures))
    rows = []
    for f in (one for finding in findings for one in (finding, *_indented(finding))):
        cells = [f"{value:.1f}" if (value := f.figures.get(name)) is not None else "" for name in names]
        rows.append([f.bench, f.source, f.selector or "", str(f.n), *cells])
    return "Retrieval (percent)", ["set", "source", "selector", "questions", *names], rows


__all__ = ["SCHEMA", "Task", "measure", "section"]
