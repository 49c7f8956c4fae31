"""One object that a command hands its events to: the chosen watchers, then the answer and the last line."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TextIO

from hds_cli.events import Event
from hds_cli.render import answer, report, words
from hds_cli.render.choose import Choice
from hds_cli.render.document import RunDocument
from hds_cli.render.plugged import PluggedLines, Renderer, Write
from hds_cli.run_state import RunState

if TYPE_CHECKING:
    from hds_cli.render.jsonl import JsonLines
    from hds_cli.render.live import LiveTree
    from hds_cli.render.plain import PlainLines


class Display:
    """Shows a run as `choice` says.

    `handle` takes every event; `close` ends what moves on stderr and belongs in a `finally`; `print_result` then writes
    to stdout and ends stderr with the line of figures.

    Args:
        renderer: a plugin's, instead of the lines of `jsonl`.

    Raises:
        HdsError: from `print_result`, when a plugin's renderer failed.
        OSError: from the constructor, `handle` and `print_result`, when stdout is closed (`BrokenPipeError` for a pipe)
            or full. stderr never raises.
    """

    def __init__(
        self,
        choice: Choice,
        stdout: TextIO | None,
        stderr: TextIO | None,
        renderer: Callable[[Write], Renderer] | None = None,
    ) -> None:
        from hds_cli.render.consoles import prepare

        self.choice, self._renderer = choice, renderer
        self.document = RunDocument()
        self._stdout = prepare(stdout)
        self._stderr = prepare(stderr) if stderr is not None else None
        self._progress = self._watch_stderr()
        self._lines = self._watch_stdout()

    @property
    def state(self) -> RunState:
        return self.document.state

    def loading(self, name: str) -> None:
        """Say on a terminal that a model is being loaded, before the first event."""
        if self._progress is not None:
            self._progress.loading(name)

    def handle(self, event: Event) -> None:
        self.document.handle(event)
        if self._progress is not None:
            self._progress.handle(event)
        if self._lines is not None:
            self._lines.handle(event)

    def close(self) -> None:
        """The terminal as it was; may be called twice."""
        if self._progress is not None:
            self._progress.close()

    def print_result(self) -> None:
        """Write what stdout was promised. Events of `jsonl` are out already."""
        self.close()
        if self.choice.output == "terminal":
            self._print_terminal()
        elif self.choice.output in report.FORMATS:
            report.write(self._stdout, self.choice.output, self.document)
        elif self._lines is None:
            self._write(answer.bare(self.state))
        else:
            self._lines.close()
        self._stdout.flush()
        if self.choice.timeline:
            self._print_timeline()
        if self.choice.summary and self._stderr is not None and self.state.finished:
            for line in words.folded(answer.summary(self.state), self._width()):
                self._say(line)

    def _write(self, text: str) -> None:
        if text:
            self._stdout.write(text + "\n")

    def _print_terminal(self) -> None:
        from hds_cli.render.consoles import console_for

        if self.choice.progress in ("live", "plain"):
            self._say("")
        answer.print_answer(console_for(self._stdout), self.state, linear=self.choice.linear)
        self._stdout.flush()
        if self.choice.summary:
            self._say("")

    def _width(self) -> int | None:
        """The cells of a line of stderr; None where it is no terminal."""
        from hds_cli.render.consoles import console_for

        return console_for(self._stderr).width if self._stderr is not None and self._stderr.isatty() else None

    def _print_timeline(self) -> None:
        from hds_cli.render.consoles import console_for
        from hds_cli.render.gantt import timeline_lines
        from hds_cli.render.timeline import timeline

        if self._stderr is None:
            return
        console = console_for(self._stderr)
        try:
            for line in timeline_lines(timeline(self.state), console.width, words.signs(console.encoding)):
                console.print(line, soft_wrap=True)
            self._say("")
        except (OSError, ValueError):
            self._stderr = None

    def _say(self, line: str) -> None:
        if self._stderr is None:
            return
        if not words.signs(self._stderr.encoding or "ascii").encoding.startswith("utf"):
            line = line.replace("·", "-")
        try:
            self._stderr.write(line + "\n")
            self._stderr.flush()
        except (OSError, ValueError):
            self._stderr = None

    def _watch_stderr(self) -> LiveTree | PlainLines | None:
        if self._stderr is None or self.choice.progress == "none":
            return None
        if self.choice.progress == "live":
            from hds_cli.render.consoles import console_for
            from hds_cli.render.live import LiveTree

            console = console_for(self._stderr)
            if not console.legacy_windows:  # an old Windows console knows no cursor moves
                return LiveTree(console, grades=self.choice.output != "terminal")
        from hds_cli.render.plain import PlainLines

        return PlainLines(self._stderr, only_warnings=self.choice.progress == "warnings")

    def _watch_stdout(self) -> JsonLines | PluggedLines | None:
        if self.choice.output != "jsonl":
            return None
        if self._renderer is not None:
            return PluggedLines(self._renderer, self._stdout)
        from hds_cli.render.jsonl import JsonLines

        return JsonLines(self._stdout)
