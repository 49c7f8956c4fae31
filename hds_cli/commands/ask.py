"""`hds ask`: research one question."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, TextIO

import typer

from hds_cli import config, events
from hds_cli.commands import _earlier, _formats, _input, _nearly, _options, _output, _print
from hds_cli.commands._flags import Flags, with_flags
from hds_cli.commands._research import Request, notices, research
from hds_cli.config import Settings
from hds_cli.desk.desk import new_run_id
from hds_cli.desk.report import MOST
from hds_cli.desk.tries import MOST as MOST_TRIES
from hds_cli.engine.opening import find_model
from hds_cli.errors import NoSources, UsageError
from hds_cli.history.journal import Journal, keep
from hds_cli.interrupts import Interrupts
from hds_cli.render import answer, words
from hds_cli.render.choose import Choice, Format, choose
from hds_cli.render.display import Display

Question = Annotated[list[str] | None, typer.Argument(metavar="QUESTION…", help="Read from stdin if absent or '-'.")]
Report = Annotated[
    bool, typer.Option("--report", help="A long answer: an outline, and a search of its own for each section.")
]
Sections = Annotated[
    int | None, typer.Option("--sections", metavar="N", min=1, max=12, help=f"Of a report, at most [{MOST}].")
]
Rollouts = Annotated[
    int, typer.Option("--rollouts", metavar="N", min=1, max=MOST_TRIES, help="Tries; the answer of most is shown [1].")
]


@with_flags()
def ask(
    question: Question = None,
    *,
    flags: Flags,
    attach: _options.Attach = None,
    format_: _options.Format = None,
    json_: _options.Json = False,
    jsonl: _options.Jsonl = False,
    output: _options.Output = None,
    quiet: _options.Quiet = False,
    verbose: _options.Verbose = False,
    timeline: _options.Timeline = False,
    plain: _options.Plain = False,
    no_color: _options.NoColor = False,
    strict: _options.Strict = False,
    continue_: _options.Continue = False,
    resume: _options.ResumeRun = None,
    no_stdin: _options.NoStdin = False,
    report: Report = False,
    sections: Sections = None,
    rollouts: Rollouts = 1,
    no_save: Annotated[bool, typer.Option("--no-save", help="Do not keep this run in the history.")] = False,
) -> None:
    """Research one question: searches in parallel, reads the pages, answers with sources whose quotes are checked.

    hds ask "What are the capitals of the countries that border Austria?"

    answer=$(hds ask -q --offline "capital of Norway?")

    hds ask "What does it say on prices?" < report.txt

    while read -r q; do hds ask -n -q "$q"; done < questions.txt

    (Piped text is read as a document: without -n the loop would end after one question, with the rest as the document.)

    hds ask --attach contract.pdf "When can it be ended?"

    hds ask --json "…" | jq -r .answer

    hds ask -c "and of Denmark?"

    hds ask --report -f docx -o report.docx "…"
    """  # fmt: skip
    with Interrupts() as interrupts:
        most = _most(report, sections, continue_, resume, rollouts)
        start = _earlier.start(question or [], continue_, resume)
        settings = config.load(start.settings | dict(flags))
        format_known, renderer = _formats.chosen(format_, json_, jsonl)
        choice = _choice(format_known, output, quiet=quiet, verbose=verbose, plain=plain, timeline=timeline)
        spec = find_model(settings)
        text, documents, notes = _input.gathered(start, attach or [], stdin=not no_stdin)
        settings = _input.in_language_of(text, settings)
        said = () if quiet else (*notices(spec, settings), *_left_out(notes))
        request = Request(text, documents, spec, said, start.before, most, rollouts)
        with _output.target(output) as stdout:
            display = Display(choice, stdout, sys.stderr, renderer)
            finished = _run(request, settings, display, None if no_save else Journal(new_run_id()), interrupts)
    if not quiet:
        _end(finished, display, receipt=verbose, saved=not no_save)
    raise typer.Exit(_exit_code(finished, strict))


def _most(report: bool, most: int | None, continue_: bool, resume: str | None, tries: int) -> int:
    """The sections that a report may have; 0: no report is asked for.

    Raises:
        UsageError: the options do not go together.
    """
    if most is not None and not report:
        raise UsageError("--sections goes with --report", hint='hds ask --report --sections 4 "…"')
    if report and (continue_ or resume is not None):
        raise UsageError(
            "--report begins anew",
            hint="hds ask --resume RUN   goes on with a report as with any run, without --report",
        )
    if tries > 1 and (report or resume is not None):
        hint = "hds ask --resume RUN   goes on with the tries of its run" if resume is not None else "one of the two"
        raise UsageError(f"--rollouts does not go with {'--report' if report else '--resume'}", hint=hint)
    return (most or MOST) if report else 0


def _exit_code(finished: events.RunFinished, strict: bool) -> int:
    graded = finished.support
    whole = (
        not any(support.weak for support in graded)
        if graded
        else not finished.unsupported and all(c.verified for c in finished.citations)
    )
    return 7 if strict and finished.exit_code == 0 and not whole else finished.exit_code


def _say_unanswered(display: Display) -> None:
    """Say on stderr why there is no answer, unless stdout is a terminal, where the reason stands at length."""
    if display.choice.output != "terminal" and not answer.bare(display.state):
        for line in answer.nothing(display.state)[:1]:
            _print.say(line)


def _suggest(question: str, display: Display) -> None:
    """The name that was probably meant, where nothing was found on the one that was asked for."""
    if display.state.started is not None:
        _nearly.suggest(question, display.state.started.sources, sys.argv[1:])


def _end(finished: events.RunFinished, display: Display, *, receipt: bool, saved: bool) -> None:
    """How to go on with a report that was stopped, and the hosts contacted."""
    started = display.state.started
    if saved and finished.exit_code == 6 and started is not None and (started.sections or _has_tries(display)):
        what = "this report" if started.sections else "the tries that are left"
        _print.say(f"hds ask --resume {started.run_id}   goes on with {what}")
    if receipt:
        _receipt(finished)


def _has_tries(display: Display) -> bool:
    """True for a run of several tries that can be gone on with."""
    from hds_cli.agent.tried import is_lost

    return bool(display.state.tries) and not is_lost(display.state)


def _receipt(finished: events.RunFinished) -> None:
    """Every host that was contacted, at the end of stderr."""
    lines = [f"{host.host}: {words.count(host.requests, 'request')}, {host.bytes:,} bytes" for host in finished.egress]
    for line in lines or ["no host"]:
        _print.say(f"contacted {line}")


def _choice(format_: Format | None, output: Path | None, **shown: bool) -> Choice:
    _formats.check(format_, output)
    return choose(
        stdout_tty=output is None and _is_tty(sys.stdout),
        stderr_tty=_is_tty(sys.stderr),
        term=os.environ.get("TERM", ""),
        format=format_,
        **shown,
    )


def _is_tty(stream: TextIO | None) -> bool:
    return stream is not None and stream.isatty()


def _left_out(notes: Sequence[str]) -> tuple[events.Notice, ...]:
    """Notices on the parts of attached files that are not read."""
    return tuple(events.Notice(level="warning", code="document", message=note) for note in notes)


def _run(
    request: Request, settings: Settings, display: Display, journal: Journal | None, interrupts: Interrupts
) -> events.RunFinished:
    """Answer, shown and kept as it happens."""
    emit = keep(journal, display.handle) if journal else display.handle
    run_id = journal.run_id if journal else None
    with interrupts.leaving(display.close):
        display.loading(request.spec.name)
        try:
            finished = asyncio.run(research(request, settings, emit, interrupts, run_id))
        except NoSources:
            display.close()
            _suggest(request.question, display)
            raise
        finally:
            with interrupts.held():  # the terminal is put right whatever comes
                display.close()
                if journal:
                    journal.close()
    display.print_result()
    _say_unanswered(display)
    if finished.exit_code == 3:
        _suggest(request.question, display)
    return finished
