"""One evaluation from settings to its rows on disk: the pages of the set, the desk, the journal."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hds_cli import paths
from hds_cli.agent.aside import Aside
from hds_cli.commands._progress import Progress
from hds_cli.config import Settings
from hds_cli.desk import speaking
from hds_cli.desk.desk import Desk, desk, options
from hds_cli.desk.rows import of_model
from hds_cli.engine.base import Segment
from hds_cli.engine.opening import find_model
from hds_cli.evaluation import datasets, published, summary
from hds_cli.evaluation.corpus import CorpusSource, file_digest, indexed, open_corpus
from hds_cli.evaluation.journal import Journal
from hds_cli.evaluation.judge import judge
from hds_cli.evaluation.questions import Dataset, Question
from hds_cli.evaluation.report import Section
from hds_cli.evaluation.runner import Asker, run

if TYPE_CHECKING:
    from hds_cli.search.base import Source


@dataclass(frozen=True)
class Plan:
    """An evaluation to run: its questions and settings. `results` None: a file in the data folder, named after both."""

    dataset: Dataset
    questions: Sequence[Question]
    settings: Settings
    corpus: Path | None = None
    results: Path | None = None
    arm: str = "parallel"
    jobs: int = 1
    resume: bool = False
    overwrite: bool = False
    quiet: bool = False
    judge: str | None = None

    @property
    def pages(self) -> Path | None:
        """The corpus that is the only source, unless sources were named on the command line."""
        return self.corpus or (None if self._named else self.dataset.corpus)

    @property
    def in_rows(self) -> bool:
        """True when the only pages are the paragraphs in the rows of the set."""
        return self.dataset.brings_pages and self.pages is None and not self._named

    @property
    def _named(self) -> bool:
        """True when sources were named on the command line. Those of the settings file are not for question sets."""
        return bool(self.settings.source) and self.settings.origins.get("source") == "flag"

    def sequential(self) -> Plan:
        """The same, limited to one query a turn."""
        results = self.results and self.results.with_name(
            f"{self.results.name.removesuffix('.jsonl')}.sequential.jsonl"
        )
        return replace(self, arm="sequential", settings=replace(self.settings, max_queries=1), results=results)


def evaluate(plan: Plan) -> Journal:
    """Ask what is not answered yet; the journal holds all rows when it returns.

    Raises:
        HdsError: the model, a source or the files are not usable. A question that fails is a row.
    """
    return asyncio.run(_evaluate(plan))


async def _evaluate(plan: Plan) -> Journal:
    spec = find_model(plan.settings)
    own = own_source(plan)
    jobs = min(plan.jobs, max(1, len(plan.questions)))
    async with desk(spec, plan.settings, own, jobs=jobs) as place:
        head = header(plan, of_model(place.model.info, plan.settings))
        journal = Journal(plan.results or _place(plan, head), head)
        with journal.open(resume=plan.resume, overwrite=plan.overwrite):
            done = len(journal.rows)
            with Progress(plan.arm, len(plan.questions), quiet=plan.quiet, done=done) as progress:
                await run(plan.questions, [asker(place)] * jobs, journal, lambda _: progress.step(_so_far(journal)))
    return journal


def own_source(plan: Plan) -> Sequence[Source] | None:
    """The pages of the set as the only source; None: the sources that the settings name."""
    with Progress("indexed", None, quiet=plan.quiet) as progress:
        if plan.pages is not None:
            index = open_corpus(plan.pages, file_digest(plan.pages), lambda _: progress.step("pages"))
            return [CorpusSource(index, plan.settings.prf)]
        if plan.in_rows:
            digest = hashlib.sha256(f"rows of {plan.dataset.digest}".encode()).hexdigest()
            index = indexed(digest, lambda: datasets.pages(plan.dataset), str(plan.dataset.path))
            return [CorpusSource(index, plan.settings.prf)]
    return None


def asker(place: Desk) -> Asker:
    """An asker over an open desk."""
    return Asker(place.answer, lambda text: place.model.engine.count([Segment(text)]))


def header(plan: Plan, model: dict[str, Any]) -> dict[str, Any]:
    """Everything that the results depend on; a resumed evaluation must have an equal header."""
    ids = hashlib.sha256("\n".join(q.id for q in plan.questions).encode()).hexdigest()
    data = plan.dataset
    head = {
        "dataset": {"name": data.name, "format": data.format, "sha256": data.digest},
        "questions": {"n": len(plan.questions), "sha256": ids},
        "corpus": file_digest(plan.pages) if plan.pages else "in the rows" if plan.in_rows else None,
        "arm": plan.arm,
        "options": options(plan.settings),
        "model": model,
    }
    return dict(json.loads(json.dumps(head, default=str)))  # the form in which it will be read back


def _place(plan: Plan, head: dict[str, Any]) -> Path:
    key = hashlib.sha256(json.dumps(head, sort_keys=True).encode()).hexdigest()[:8]
    return paths.data_dir() / "eval" / f"{plan.dataset.name}-{plan.arm}-{key}.jsonl"


def _so_far(journal: Journal) -> str:
    rows = journal.rows.values()
    f1 = sum(r["scores"]["squad"]["f1"] for r in rows) / len(rows)
    failed = sum(r["error"] is not None for r in rows)
    return f"F1 {f1:.1f}" + (f", {failed} failed" if failed else "")


def document(plan: Plan, journal: Journal) -> dict[str, Any]:
    """The document `hds.eval/1` of an evaluation, judged if a judge was named.

    Raises:
        ModelError: the judge cannot be used.
    """
    summed = summary.document(list(journal.rows.values()), journal.costs, str(journal.path))
    if plan.judge is not None:
        summed["metrics"]["judge"] = _judged(plan, journal)
    return summed


def _judged(plan: Plan, journal: Journal) -> dict[str, Any]:
    settings = replace(plan.settings, model=plan.judge, dialect=None, n_ctx=None)
    model = speaking.load(find_model(settings), settings)
    aside = Aside(model.engine.session(), model.engine.chat_template())
    path = journal.path.with_name(f"{journal.path.name.removesuffix('.jsonl')}.judge.jsonl")
    try:
        with Progress("judged", len(journal.rows), quiet=plan.quiet) as progress:
            name = f"{model.info.name} {model.info.sha256 or ''}".strip()
            return judge(journal.rows, aside, name, path, progress.step)
    finally:
        aside.close()
        model.close()


def paper(plan: Plan, journal: Journal, document: dict[str, Any]) -> tuple[Section, list[str]]:
    """The published figures beside those of an evaluation, and the conditions that differ."""
    metrics, name = document["metrics"], plan.dataset.format
    section = published.beside(name, metrics["hds_compat"], (metrics.get("judge") or {}).get("right"))
    assert section is not None, name
    return section, published.differing(name, document["n"], journal.header["model"], asdict(plan.settings))
