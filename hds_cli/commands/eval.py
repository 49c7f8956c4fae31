"""`hds eval`: how good the answers are, measured on a question set."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from hds_cli import config
from hds_cli.commands import _evaluate, _options, _output, _print, _retrieval
from hds_cli.commands._evaluate import Plan
from hds_cli.commands._flags import Flags, with_flags
from hds_cli.errors import UsageError
from hds_cli.evaluation import compare as comparison
from hds_cli.evaluation import curves as curve_room
from hds_cli.evaluation import datasets, published, report, summary
from hds_cli.evaluation.journal import Journal
from hds_cli.render import words

Results = Annotated[
    Path | None, typer.Option("--results", metavar="FILE", help="Keep the rows there [among the data of hds].")
]


class _DefaultRun(TyperGroup):
    """`hds eval DATASET` is `hds eval run DATASET`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ("--help", "-h"):
            args = ["run", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_DefaultRun,
    add_completion=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="How good the answers are, measured on a question set. `hds eval DATASET` is `hds eval run DATASET`.",
)


@app.command("run")
@with_flags()
def run(
    dataset: Annotated[Path, typer.Argument(metavar="DATASET", help="A file of questions, or a folder with it.")],
    *,
    format_: Annotated[
        str | None, typer.Option("--format", metavar="NAME", help="Of the file [recognised by its fields].")
    ] = None,
    corpus: Annotated[
        Path | None, typer.Option("--corpus", metavar="FILE", help="Pages as the only source [corpus.jsonl beside it].")
    ] = None,
    limit: Annotated[int | None, typer.Option("--limit", metavar="N", min=1, help="The first N questions.")] = None,
    shard: Annotated[str, typer.Option("--shard", metavar="I/N", help="Every N-th question from the I-th on.")] = "1/1",
    jobs: Annotated[
        int, typer.Option("--jobs", metavar="N", min=1, max=64, help="Questions at once, on one model.")
    ] = 1,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where it stopped.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Begin anew over old results.")] = False,
    sequential: Annotated[
        bool, typer.Option("--sequential", help="Again with one query a turn, side by side.")
    ] = False,
    judge_model: Annotated[
        str | None, typer.Option("--judge-model", metavar="NAME|PATH", help="Let another model judge the answers too.")
    ] = None,
    paper: Annotated[
        bool, typer.Option("--paper", help="Beside the published figures, with the conditions that differ.")
    ] = False,
    results: Results = None,
    output: _options.ReportOutput = None,
    json_: _options.Json = False,
    quiet: _options.Quiet = False,
    flags: Flags,
) -> None:
    """Ask the questions of a set and score the answers; with one corpus.jsonl beside it, over these pages alone.

    hds eval shared/musique --limit 50 --results musique.jsonl

    hds eval frames.tsv -s searxng --jobs 4 --resume

    hds eval set.jsonl --sequential -o report.md
    """  # fmt: skip
    loaded = datasets.load(dataset, format_)
    if paper and loaded.format not in published.HDS_8B:
        raise UsageError(f"nothing was published on sets of the format {loaded.format}", hint="without --paper")
    questions = datasets.chosen(loaded.questions, limit=limit, shard=datasets.parse_shard(shard))
    if corpus is not None and not corpus.is_file():
        raise UsageError(f"there is no file {corpus}", hint="--corpus corpus.jsonl")
    plan = Plan(
        loaded, questions, config.load(flags), corpus, results, jobs=jobs, resume=resume, overwrite=overwrite,
        quiet=quiet, judge=judge_model,
    )  # fmt: skip
    arms = [plan, plan.sequential()] if sequential else [plan]
    journals = [_evaluate.evaluate(arm) for arm in arms]
    _show(arms, journals, output, json_, paper=paper)
    if all(row["error"] for row in journals[0].rows.values()):
        raise typer.Exit(3)


@app.command("compare")
def compare(
    results: Annotated[list[Path], typer.Argument(metavar="RESULTS…", help="Files of `hds eval --results`.")],
    curves: Annotated[
        Path | None, typer.Option("--curves", metavar="FILE", help="Draw F1 over effort: a .png or .svg file.")
    ] = None,
    output: _options.ReportOutput = None,
    json_: _options.Json = False,
) -> None:
    """Evaluations side by side, question by question; a difference within the noise is called none.

    hds eval compare parallel.jsonl sequential.jsonl --curves f1.svg -o report.md
    """
    evaluations = comparison.shared(comparison.read_all(results))
    names = [one.name for one in evaluations]
    lines = curve_room.curves(evaluations)
    if curves is not None:
        drawn = curve_room.picture(lines, names, curves.suffix)
        with _output.binary_target(curves) as file:
            file.write(drawn)
    with _output.target(output) as stdout:
        if json_:
            _print.document(comparison.SCHEMA, comparison.document(evaluations) | {"curves": lines}, stdout)
            return
        sections = [("Figures (95 % intervals)", *report.figures([one.document() for one in evaluations], names))]
        sections += [
            report.differences(evaluations[0].name, one.name, comparison.differences(evaluations[0], one))
            for one in evaluations[1:]
        ]
        sections += curve_room.text(lines, names)
        _print.sections(
            stdout, " and ".join(names), sections, [], markdown=output is not None and output.suffix == ".md"
        )


@app.command("merge")
def merge(
    parts: Annotated[list[Path], typer.Argument(metavar="RESULTS…", help="Files of the shards of one evaluation.")],
    results: Annotated[Path, typer.Option("--results", metavar="FILE", help="Where all of them go.")],
) -> None:
    """Put the results of shards together: one file, as if one machine had asked every question.

    hds eval merge shard1.jsonl shard2.jsonl --results all.jsonl
    """
    rows = comparison.merge(comparison.read_all(parts), results)
    _print.show(f"{words.count(rows, 'question')} in {results}")


@app.command("retrieval")
@with_flags("source", "offline", "prf")
def retrieval(
    folders: Annotated[
        list[Path], typer.Argument(metavar="FOLDER…", help="questions.jsonl and corpus.jsonl, or a BEIR folder.")
    ],
    *,
    flags: Flags,
    select: Annotated[
        list[str] | None, typer.Option("--select", metavar="NAME", help="Measure a selector too: bm25 or a plugin.")
    ] = None,
    top_k: Annotated[int, typer.Option("--top-k", metavar="N", min=10, max=1000, help="Results asked for.")] = 20,
    limit: Annotated[int | None, typer.Option("--limit", metavar="N", min=1, help="The first N questions.")] = None,
    queries: Annotated[
        Path | None,
        typer.Option("--queries", metavar="FILE", help="Also search these in place of the questions."),
    ] = None,
    distractors: Annotated[
        int, typer.Option("--distractors", metavar="N", min=0, help="Pages of other questions that a selector gets.")
    ] = 0,
    output: _options.ReportOutput = None,
    json_: _options.Json = False,
    quiet: _options.Quiet = False,
) -> None:
    """How well the pages a question needs are found: recall, nDCG, MRR. No model.

    hds eval retrieval shared/* --json

    hds eval retrieval scifact -s corpus -s searxng --select bm25 --distractors 20

    hds eval retrieval shared/musique --queries musique.jsonl
    """
    settings = config.load(flags)
    task = _retrieval.Task(folders, settings, select or (), top_k, limit, quiet, queries, distractors)
    findings = _retrieval.measure(task)
    with _output.target(output) as stdout:
        if json_:
            _print.document(_retrieval.SCHEMA, {"findings": [f.to_dict() for f in findings]}, stdout)
            return
        _print.sections(stdout, "Retrieval", [_retrieval.section(findings)], [], markdown=_wants_markdown(output))


def _show(arms: list[Plan], journals: list[Journal], output: Path | None, json_: bool, *, paper: bool) -> None:
    documents = [_evaluate.document(arm, journal) for arm, journal in zip(arms, journals, strict=True)]
    with _output.target(output) as stdout:
        if json_:
            document = documents[0] | ({"sequential": documents[1]} if len(documents) > 1 else {})
            _print.document(summary.SCHEMA, document, stdout)
            return
        name = arms[0].dataset.name
        names = [arm.arm for arm in arms] if len(arms) > 1 else [name]
        sections = [("Figures (95 % intervals)", *report.figures(documents, names))]
        if len(journals) == 2:
            a, b = (comparison.read(journal.path) for journal in journals)
            sections.append(report.differences(names[0], names[1], comparison.differences(a, b)))
        markdown = _wants_markdown(output)
        notes = [] if arms[0].quiet and not markdown else _notes(arms[0], journals)
        if paper:
            beside, differing = _evaluate.paper(arms[0], journals[0], documents[0])
            sections, notes = [*sections, beside], [*notes, *differing]
        _print.sections(stdout, name, sections, notes, markdown=markdown)


def _notes(plan: Plan, journals: list[Journal]) -> list[str]:
    """Notes below the figures: where the rows are, and what was published on such a set."""
    note = published.note(plan.dataset.format)
    return [f"rows: {journal.path}" for journal in journals] + ([note] if note else [])


def _wants_markdown(output: Path | None) -> bool:
    return output is not None and output.suffix == ".md"
