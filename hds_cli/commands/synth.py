"""`hds synth`: hybrid-hop questions from one's own pages, with their answers, pages and decomposition."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

import typer

from hds_cli import config
from hds_cli.commands import _options, _output, _print
from hds_cli.commands._flags import Flags, with_flags
from hds_cli.commands._progress import Progress
from hds_cli.config import Settings
from hds_cli.errors import UsageError
from hds_cli.evaluation import corpus
from hds_cli.evaluation.synth import make, pool
from hds_cli.evaluation.synth.trajectory import Exporter
from hds_cli.render import words
from hds_cli.search import collections
from hds_cli.search.local import Collection
from hds_cli.types import Document

CACHE, QUESTIONS = "cache", "questions.jsonl"


@with_flags("engine")
def synth(
    collection: Annotated[
        list[str] | None,
        typer.Option(
            "--collection", "-s", metavar="NAME", help="Pages to ask about (repeatable); cache: those read before."
        ),
    ] = None,
    count: Annotated[int, typer.Option("-n", "--count", metavar="N", min=1, help="Questions.")] = 100,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="The same seed and pages make the same files.")] = 0,
    top_k: Annotated[
        int, typer.Option("--top-k", metavar="N", min=1, help="Rejected when so many results of one search answer it.")
    ] = 5,
    trajectories: Annotated[
        bool, typer.Option("--trajectories", help="Write trajectories.jsonl too: chats to train a searcher with.")
    ] = False,
    model: Annotated[
        str | None,
        typer.Option("--model", "-m", metavar="NAME|PATH", help="Let it write the questions: for pages of prose."),
    ] = None,
    *,
    flags: Flags,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FOLDER", help="[NAME-questions-SEED]")
    ] = None,
    json_: _options.Json = False,
    quiet: _options.Quiet = False,
) -> None:
    """Make questions that one search does not answer and several do, from pages with facts in tables, `key: value`
    lines or plain sentences; or, with -m, from prose. The folder is a question set for `hds eval`. Called again, it
    goes on where it stopped.

    hds synth --collection world -n 500 --seed 1

    hds synth --collection notes -n 200 --trajectories -o notes-questions && hds eval notes-questions
    """  # fmt: skip
    names = list(dict.fromkeys(collection or ()))
    if not names:
        raise UsageError("no pages were named", hint="hds synth --collection world   (hds index list)")
    pages = _pages(names)
    folder = output or Path(f"{'-'.join(names)}-questions-{seed}")
    order = _Order(count, seed, top_k)
    with Progress("questions", count, quiet=quiet) as progress:
        if model is None:
            rows = _questions(pages, folder, order, progress)
        else:
            rows = _written(pages, folder, order, config.load({"model": model, **flags}), progress)
    corpus_file = folder / "corpus.jsonl"
    _write(corpus_file, ({"id": d.id, "title": d.title, "text": d.text, "url": d.url} for d in pages.documents))
    kept = _trajectories(pages, folder, rows, quiet) if trajectories else None
    summary = {"folder": str(folder), "questions": len(rows), "trajectories": kept}
    _print.result("hds.synth/1", summary, _described(folder, rows, kept), as_json=json_)
    _print.say(f"hds eval {folder}", quiet=quiet or json_)


@dataclass(frozen=True)
class _Pages:
    """The pages, and one index over all of them."""

    documents: tuple[Document, ...]
    index: Collection
    digest: str


def _pages(names: list[str]) -> _Pages:
    documents = tuple(document for name in names for document in _documents(name))
    if not documents:
        raise UsageError(f"there are no pages in {', '.join(names)}", hint="hds index list")
    digest = make.pages_digest(documents)
    return _Pages(documents, corpus.indexed(digest, lambda: documents, ", ".join(names)), digest)


def _documents(name: str) -> Iterator[Document]:
    if name != CACHE:
        yield from collections.open_one(name).documents()
        return
    from hds_cli.fetch.cache import PageCache

    cache = PageCache.of(config.load())
    try:
        entries = sorted((entry.page for entry in cache.entries()), key=lambda page: page.url)
        yield from (Document(page.url, page.title, page.text, page.url) for page in entries if page.title and page.text)
    finally:
        cache.close()


@dataclass(frozen=True)
class _Order:
    count: int
    seed: int
    top_k: int

    def header(self, pages: _Pages, by: str) -> dict[str, Any]:
        """Everything that the questions depend on."""
        options = {"seed": self.seed, "top_k": self.top_k, "by": by}
        return {"schema": make.SCHEMA, "pages": pages.digest, **options}


def _questions(pages: _Pages, folder: Path, order: _Order, progress: Progress) -> list[dict[str, Any]]:
    """Questions from the facts of structured pages, without a model."""
    maker = make.Maker(pool.make(pages.documents), pages.index.search, order.seed, order.top_k)
    header = order.header(pages, "facts")
    return make.write(folder / QUESTIONS, header, order.count, maker.rows, progress.step)


def _written(
    pages: _Pages, folder: Path, order: _Order, settings: Settings, progress: Progress
) -> list[dict[str, Any]]:
    """Questions that a model writes from prose."""
    from hds_cli.agent.aside import Aside
    from hds_cli.desk.speaking import load
    from hds_cli.engine.opening import find_model
    from hds_cli.evaluation.synth.written import WrittenMaker

    model = load(find_model(settings), settings)
    writer = Aside(model.engine.session(), model.engine.chat_template())
    try:
        maker = WrittenMaker(pages.documents, pages.index.search, writer, order.seed, order.top_k)
        header = order.header(pages, f"{model.info.name} {model.info.sha256 or ''}".strip())
        return make.write(folder / QUESTIONS, header, order.count, maker.rows, progress.step)
    finally:
        writer.close()
        model.close()


def _trajectories(pages: _Pages, folder: Path, rows: list[dict[str, Any]], quiet: bool) -> int:
    """Write the trajectories whose evidence holds every sub-answer; returns how many those are."""
    exporter = Exporter(pages.index.search, lru_cache(1024)(pages.index.read))
    kept = []
    with Progress("trajectories", len(rows), quiet=quiet) as progress:
        for row in rows:
            if (trajectory := exporter.export(row)) is not None:
                kept.append(trajectory)
            progress.step()
    _write(folder / "trajectories.jsonl", iter(kept))
    return len(kept)


def _write(path: Path, rows: Iterator[dict[str, Any]]) -> None:
    with _output.target(path) as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def _described(folder: Path, rows: list[dict[str, Any]], kept: int | None) -> str:
    kinds = sorted({row["type"] for row in rows})
    counts = ", ".join(f"{sum(row['type'] == kind for row in rows)} {kind}" for kind in kinds)
    also = (
        "" if kept is None else f"; {words.count(kept, 'trajectory', 'trajectories')} whose evidence holds every step"
    )
    return f"{words.count(len(rows), 'question')} in {folder} ({counts}){also}"
