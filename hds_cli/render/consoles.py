"""The streams and rich consoles that output goes through: no markup, no guessing, write errors reach the caller."""

from __future__ import annotations

import errno
import io
import os
from typing import TextIO

from rich.console import Console


class SafeConsole(Console):
    """A console that lets a closed pipe surface as `BrokenPipeError`; rich's own ends the process instead."""

    def on_broken_pipe(self) -> None:
        raise  # the BrokenPipeError that rich is handling


def prepare(stream: TextIO | None) -> TextIO:
    """The stream, made to write every character: what its encoding lacks becomes `\\u....`.

    Raises:
        OSError: the stream was closed before the program began.
    """
    if stream is None:
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))
    if isinstance(stream, io.TextIOWrapper) and stream.errors != "backslashreplace":
        stream.reconfigure(errors="backslashreplace")
    return stream


def console_for(stream: TextIO | None, *, width: int | None = None) -> Console:
    """A console on `stream` that prints text as it is: `NO_COLOR`, `COLUMNS` and `TERM` are heeded by rich."""
    return SafeConsole(file=prepare(stream), width=width, markup=False, emoji=False, highlight=False, soft_wrap=False)
