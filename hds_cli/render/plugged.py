"""Renderer plugins: a run shown on stdout in a form that hds does not know itself (`-f NAME`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TextIO

from hds_cli.errors import HdsError
from hds_cli.events import Event
from hds_cli.render.text import clean

Write = Callable[[str], None]


class Renderer(Protocol):
    """Made by `factory(write)`, which is what an entry point of `hds.renderers.v1` is.

    What is given to `write` goes to stdout at once, without what a terminal would obey.
    """

    def handle(self, event: Event) -> None:
        """Something happened; `RunFinished` comes last."""

    def close(self) -> None:
        """The run is over: write what is left."""


class PluggedLines:
    """A renderer at work. Its mistakes do not end the run; the first one is raised when the run is over.

    Args:
        make: makes the renderer.
        stream: stdout.

    Raises:
        OSError: from `handle` and `close`, when the stream is closed or full.
    """

    def __init__(self, make: Callable[[Write], Renderer], stream: TextIO) -> None:
        self._stream = stream
        self._error: HdsError | None = None
        self._renderer = make(self._write)

    def handle(self, event: Event) -> None:
        self._call(lambda: self._renderer.handle(event))

    def close(self) -> None:
        """End the output.

        Raises:
            HdsError: the renderer failed at some time (code `plugin`).
        """
        self._call(self._renderer.close)
        self._stream.flush()
        if self._error is not None:
            raise self._error

    def _write(self, text: str) -> None:
        self._stream.write(clean(text))
        self._stream.flush()

    def _call(self, call: Callable[[], None]) -> None:
        if self._error is not None:
            return
        try:
            call()
        except OSError:
            raise
        except (Exception, SystemExit) as exc:
            problem = f"the renderer failed: {type(exc).__name__}: {exc}"[:500]
            self._error = HdsError(problem, code="plugin", hint="hds history show   prints the run")
