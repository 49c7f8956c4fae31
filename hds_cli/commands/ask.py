"""`hds ask`: research one question."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer

from hds_cli import config, events
from hds_cli.commands import _earlier, _formats, _input, _options, _output
from hds_cli.commands._research import Request, hold_interrupts, quit_on_interrupt, research
from hds_cli.config import Settings
from hds_cli.desk.desk import new_run_id
from hds_cli.engine.base import ModelSpec
from hds_cli.engine.opening import find_model
from hds_cli.history.journal import Journal, keep
from hds_cli.render.choose import Choice, Format, choose
from hds_cli.render.display import Display


def ask(
    question: Annotated[
        list[str] | None, typer.Argument(metavar="QUESTION…", help="Read from stdin if absent or '-'.")
    ] = None,
    model: Annotated[
        str | None, typer.Option("--model", "-m", metavar="NAME|PATH", help="A GGUF file, or 'starter'.")
    ] = None,
    engine: Annotated[
        str | None, typer.Option("--engine", "-e", metavar="NAME", help="llama_cpp or scripted [llama_cpp].")
    ] = None,
    source: _options.Source = None,
    offline: _options.Offline = None,
    max_turns: Annotated[int | None, typer.Option("--max-turns", metavar="N", help="Turns of searching [10].")] = None,
    max_queries: Annotated[
        int | None, typer.Option("--max-queries", metavar="N", help="Queries of a turn [8].")
    ] = None,
    top_k: _options.TopK = None,
    select: Annotated[
        str | None, typer.Option("--select", metavar="NAME", help="What chooses the passages: bm25 or a plugin [bm25].")
    ] = None,
    temperature: Annotated[
        float | None, typer.Option("--temperature", metavar="F", help="0 takes the likeliest word.")
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", metavar="N", help="Seed of the sampler [0].")] = None,
    timeout: Annotated[float | None, typer.Option("--timeout", metavar="SECONDS", help="For the whole run.")] = None,
    n_ctx: Annotated[int | None, typer.Option("--n-ctx", metavar="N", help="Context length in tokens.")] = None,
    n_gpu_layers: Annotated[
        int | None, typer.Option("--n-gpu-layers", metavar="N", help="-1: all that fit [-1].")
    ] = None,
    dialect: Annotated[
        str | None, typer.Option("--dialect", metavar="hds|guided", help="How the model is spoken to.")
    ] = None,
    format_: Annotated[
        str | None,
        typer.Option("--format", "-f", metavar="FORMAT", help="tree, text, json, jsonl, markdown or html."),
    ] = None,
    json_: _options.Json = False,
    jsonl: Annotated[bool, typer.Option("--jsonl", help="Every event as a line of JSON, as it happens.")] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write there, not to stdout.")
    ] = None,
    quiet: _options.Quiet = False,
    verbose: _options.Verbose = False,
    timeline: Annotated[
        bool, typer.Option("--timeline", help="When each search, fetch and reading ran, on stderr after the run.")
    ] = False,
    plain: _options.Plain = False,
    no_color: _options.NoColor = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit 7 when a part of the answer stands in no page.")
    ] = False,
    continue_: Annotated[
        bool, typer.Option("--continue", "-c", help="A further question to the last run, or to: -c RUN QUESTION.")
    ] = False,
    resume: Annotated[
        str | None, typer.Option("--resume", metavar="RUN", help="Go on with a run that was stopped; or: last.")
    ] = None,
    no_save: Annotated[bool, typer.Option("--no-save", help="Do not keep this run in the history.")] = False,
) -> None:
    """Research one question: searches in parallel, reads the pages, answers with sources whose quotes are checked.

    hds ask "What are the capitals of the countries that border Austria?"

    answer=$(hds ask -q --offline "capital of Norway?")

    hds ask "What does it say on prices?" < report.txt

    hds ask --json "…" | jq -r .answer

    hds ask -f html -o report.html "…"

    hds ask -c "and of Denmark?"
    """  # fmt: skip
    quit_on_interrupt()
    start = _earlier.start(question or [], continue_, resume)
    settings = config.load(
        start.settings | _given({
            "model": model, "engine": engine, "source": tuple(source) if source else None, "offline": offline,
            "max_turns": max_turns, "max_queries": max_queries, "top_k": top_k, "select": select,
            "temperature": temperature, "seed": seed, "timeout": timeout,
            "n_ctx": n_ctx, "n_gpu_layers": n_gpu_layers, "dialect": dialect,
        })
    )  # fmt: skip
    shown = {"quiet": quiet, "verbose": verbose, "plain": plain, "timeline": timeline}
    format_known, renderer = _formats.chosen(format_, json_, jsonl)
    choice = _choice(format_known, output, shown)
    spec = find_model(settings)
    text, attached = (start.question, None) if start.question else _input.read(start.words)
    request = Request(text, attached, spec, () if quiet else _notices(spec, settings), start.before)
    journal = None if no_save else Journal(new_run_id())
    with _output.target(output) as stdout:
        finished = _run(request, settings, Display(choice, stdout, sys.stderr, renderer), journal)
    if verbose and not quiet:
        _receipt(finished)
    code = finished.exit_code
    if strict and code == 0 and (finished.unsupported or not all(c.verified for c in finished.citations)):
        code = 7
    raise typer.Exit(code)


def _given(flags: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in flags.items() if value is not None}


def _receipt(finished: events.RunFinished) -> None:
    """Every host that was contacted, at the end of stderr."""
    from hds_cli.render.text import one_line

    lines = [f"{one_line(host.host)}: {host.requests} requests, {host.bytes:,} bytes" for host in finished.egress]
    with contextlib.suppress(OSError):  # nobody reads stderr: that is no fault of the answer
        sys.stderr.writelines(f"contacted {line}\n" for line in lines or ["no host"])
        sys.stderr.flush()


def _choice(format_: Format | None, output: Path | None, shown: dict[str, bool]) -> Choice:
    return choose(
        stdout_tty=output is None and _is_tty(sys.stdout),
        stderr_tty=_is_tty(sys.stderr),
        term=os.environ.get("TERM", ""),
        format=format_,
        **shown,
    )


def _is_tty(stream: TextIO | None) -> bool:
    return stream is not None and stream.isatty()


def _notices(spec: ModelSpec, settings: Settings) -> tuple[events.Notice, ...]:
    if spec.notice and settings.model is None:
        return (events.Notice(level="warning", code=spec.name, message=spec.notice),)
    return ()


def _run(request: Request, settings: Settings, display: Display, journal: Journal | None) -> events.RunFinished:
    """Answer, shown and kept as it happens."""
    emit = keep(journal, display.handle) if journal else display.handle
    run_id = journal.run_id if journal else None
    try:
        finished = asyncio.run(research(request, settings, emit, _output.leaving(display.close), run_id))
    finally:
        hold_interrupts()  # the terminal is put right whatever comes
        display.close()
        if journal:
            journal.close()
        quit_on_interrupt()
    display.print_result()
    return finished
