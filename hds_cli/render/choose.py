"""Who watches a run and how its answer is printed: decided once, from what the streams are and what was asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Format = Literal["tree", "text", "json", "jsonl", "markdown", "html", "docx", "bibtex", "csl-json", "ris"]
Progress = Literal["live", "plain", "warnings", "none"]
Output = Literal["terminal", "text", "json", "jsonl", "markdown", "html", "docx", "bibtex", "csl-json", "ris", "bare"]

FORMATS: tuple[Format, ...] = get_args(Format)
_DUMB = ("", "dumb", "unknown")


@dataclass(frozen=True)
class Choice:
    """`progress` goes to stderr, `output` to stdout; `summary`: the line of figures ends stderr.

    `timeline`: before that line the bars of the run. `linear`: nothing stands beside anything else, for a reader who
    hears the lines.
    """

    progress: Progress
    output: Output
    summary: bool
    timeline: bool = False
    linear: bool = False


def choose(
    *,
    stdout_tty: bool,
    stderr_tty: bool,
    term: str = "",
    format: Format | None = None,
    quiet: bool = False,
    verbose: bool = False,
    plain: bool = False,
    timeline: bool = False,
) -> Choice:
    """The watchers and the printer of a run.

    Args:
        term: `$TERM`; a terminal that names none, or `dumb`, gets plain lines.
        format: as asked for; None: `tree` on a terminal, `text` elsewhere.
        quiet: the bare answer (unless a format was asked for) and nothing on stderr.
        verbose: plain lines where stderr is no terminal.
        plain: plain lines everywhere.
        timeline: the bars of the run on stderr when it is over.
    """
    output: Output
    match format:
        case None:
            output = "bare" if quiet else "terminal" if stdout_tty else "text"
        case "tree":
            output = "bare" if quiet else "terminal"
        case "text":
            output = "text"
        case _:
            output = format
    if quiet:
        return Choice("none", output, summary=False, linear=plain)
    progress: Progress
    if plain:
        progress = "plain"
    elif output == "jsonl" and stdout_tty and stderr_tty:
        progress = "warnings"  # lines on the same terminal would run through the tree
    elif stderr_tty:
        progress = "plain" if term.lower() in _DUMB else "live"
    else:
        progress = "plain" if verbose else "warnings"
    return Choice(progress, output, stderr_tty or verbose or plain, timeline, linear=plain)
