"""`hds tune`: which options of the pipeline suit a question set."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from hds_cli import config, paths
from hds_cli.commands import _evaluate, _options, _output, _print
from hds_cli.commands._evaluate import Plan
from hds_cli.commands._flags import Flags, with_flags
from hds_cli.commands._progress import Progress
from hds_cli.config import Settings
from hds_cli.desk.desk import desk
from hds_cli.desk.rows import of_model
from hds_cli.engine.opening import find_model
from hds_cli.errors import UsageError
from hds_cli.evaluation import datasets, runner
from hds_cli.evaluation import tune as tuning
from hds_cli.evaluation.questions import Question
from hds_cli.evaluation.tune import Cache, Config, Result, Value


@with_flags()
def tune(
    dataset: Annotated[Path, typer.Argument(metavar="DATASET", help="A file of questions, or a folder with it.")],
    *,
    trials: Annotated[int, typer.Option("--trials", metavar="N", min=1, help="Configurations to try.")] = 16,
    strategy: Annotated[
        str, typer.Option("--strategy", metavar="halving|random", help="Half of them go on, or all do everything.")
    ] = "halving",
    option: Annotated[
        list[str] | None,
        typer.Option("--option", metavar="NAME=V,V", help="Values to try (repeatable) [a built-in list]."),
    ] = None,
    draw: Annotated[int, typer.Option("--draw", metavar="N", help="Seed of what is tried.")] = 0,
    format_: Annotated[str | None, typer.Option("--format", metavar="NAME", help="Of the file.")] = None,
    corpus: Annotated[Path | None, typer.Option("--corpus", metavar="FILE", help="Pages as the only source.")] = None,
    limit: Annotated[int | None, typer.Option("--limit", metavar="N", min=1, help="The first N questions.")] = None,
    output: _options.ReportOutput = None,
    json_: _options.Json = False,
    quiet: _options.Quiet = False,
    flags: Flags,
) -> None:
    """Try options on your own questions: the front of F1, seconds and tokens, and whether the best is really better.

    Half of the questions choose, the other half confirms. Every evaluation is kept: nothing is asked twice.

    hds tune notes-questions --trials 16

    hds tune set.jsonl --option top-k=3,5,8 --option max-turns=2,4 --strategy random
    """  # fmt: skip
    if strategy not in tuning.STRATEGIES:
        raise UsageError(f"there is no strategy {strategy!r}", hint="--strategy halving, or random")
    loaded = datasets.load(dataset, format_)
    questions = datasets.chosen(loaded.questions, limit=limit, shard=(1, 1))
    plan = Plan(loaded, questions, config.load(flags), corpus, quiet=quiet)
    configs = tuning.drawn(tuning.space_of(option or (), _types()), trials, draw)
    tuned = asyncio.run(_tune(plan, configs, strategy))
    with _output.target(output) as stdout:
        if json_:
            _print.document(tuning.SCHEMA, tuned.to_dict(), stdout)
        else:
            _show(stdout, tuned, markdown=output is not None and output.suffix == ".md")


def _types() -> dict[str, Callable[[str], Value]]:
    """The settings that may be tuned: those with one number or word as their value."""
    hints = get_type_hints(Settings)
    kinds: dict[Any, Callable[[str], Value]] = {int: int, float: float, str: str}
    types = {}
    for field in config.fields():
        kind = next((k for k in kinds if hints[field.name] in (k, k | None)), None)
        if kind is not None:
            types[field.name] = kinds[kind]
    return types


async def _tune(plan: Plan, configs: Sequence[Config], strategy: str) -> tuning.Tuned:
    own = _evaluate.own_source(plan)
    spec = find_model(plan.settings)
    cache: Cache | None = None

    async def evaluate(tried: Config, questions: Sequence[Question]) -> list[Result]:
        nonlocal cache
        settings = _changed(plan.settings, tried)
        if cache is None or any(cache.get(tried, q) is None for q in questions):
            async with desk(spec, settings, own) as place:
                cache = cache or Cache(_place(plan, of_model(place.model.info, plan.settings)))
                with Progress(str(tried), len(questions), quiet=plan.quiet) as progress:
                    for question in questions:
                        if cache.get(tried, question) is None:
                            row, costs = await runner.ask(question, _evaluate.asker(place))
                            cache.put(tried, question, _result(row, costs))
                        progress.step()
            place.model.close()  # what is tried next is loaded anew, with settings of its own
        return [result for q in questions if (result := cache.get(tried, q)) is not None]

    return await tuning.tune(plan.questions, configs, strategy, evaluate)


def _changed(settings: Settings, tried: Config) -> Settings:
    """The settings with what is tried; checked as if they came from flags."""
    return config.load(config.given(settings) | dict(tried.changes))


def _result(row: dict[str, Any], costs: dict[str, Any]) -> Result:
    return Result(row["scores"]["squad"]["f1"], costs["seconds"]["total"], row["tokens"])


def _place(plan: Plan, model: dict[str, Any]) -> Path:
    """The cache of this model, set, corpus and present settings."""
    head = _evaluate.header(plan, model | {"file": None}) | {"questions": None}
    key = hashlib.sha256(json.dumps(head, sort_keys=True).encode()).hexdigest()[:16]
    return paths.data_dir() / "eval" / "tune" / f"{plan.dataset.name}-{key}.jsonl"


def _show(stdout: Any, tuned: tuning.Tuned, *, markdown: bool) -> None:
    front = {outcome.config.key for outcome in tuned.front}
    order = sorted(tuned.tried, key=lambda o: (-len(o.results), -o.f1, o.seconds))
    rows = [
        [str(o.config), str(len(o.results)), f"{o.f1:.1f} ({o.bounds().low:.1f}-{o.bounds().high:.1f})",
         f"{o.seconds:.2f}", f"{o.tokens:.0f}", "front" if o.config.key in front else ""]
        for o in order
    ]  # fmt: skip
    header = ["options", "questions", "F1 (95 %)", "seconds", "tokens", ""]
    gain = tuned.gain
    conclusion = f"{tuned.winner}: {tuned.verdict}"
    if tuned.winner.changes:
        conclusion += (
            f" ({gain.mean:+.1f} F1, {gain.low:+.1f} to {gain.high:+.1f}, on {tuned.confirmed_on} other questions)"
        )
    _print.sections(stdout, "hds tune", [("Tried", header, rows)], [conclusion] if markdown else [], markdown=markdown)
    if not markdown:
        stdout.write(f"\n{conclusion}\n")
