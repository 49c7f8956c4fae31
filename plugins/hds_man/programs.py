"""Running man and its companions: no shell, an environment of their own, bounded time and size."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Sequence

SECONDS = 10.0
MAX_CHARACTERS = 4_000_000
_PASSED_ON = ("PATH", "HOME", "MANPATH", "TMPDIR")
_OVERSTRIKE = re.compile(".\x08")
_STYLE = re.compile("\x1b\\[[0-9;]*m")
_HEADING = re.compile(r"^\S.*$")
_MARGIN = re.compile(r"^ {1,7}")


def environment() -> dict[str, str]:
    """No pager, plain UTF-8, long lines (a quote must not be cut by a hyphen), and nothing of the user's options."""
    kept = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    plain = {"MANPAGER": "cat", "PAGER": "cat", "GROFF_NO_SGR": "1", "MANROFFOPT": "-rHY=0", "TERM": "dumb"}
    return kept | plain | {"LC_ALL": "C.UTF-8", "MANWIDTH": "400"}


def output(command: Sequence[str]) -> str:
    """What a program writes to stdout; empty when it is not there, fails or takes too long."""
    program = shutil.which(command[0])
    if program is None:
        return ""
    try:
        process = subprocess.Popen(
            [program, *command[1:]],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment(),
            start_new_session=True,
        )
    except (OSError, ValueError):
        return ""
    with process:
        try:
            printed, _ = process.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # with the formatters that it started, which hold the pipe
            return ""
    return printed.decode("utf-8", "replace")[:MAX_CHARACTERS] if process.returncode == 0 else ""


def tidy(text: str) -> str:
    """A rendered page as text: no overstriking, section names as headings, without the lines at its top and bottom."""
    lines = _STYLE.sub("", _OVERSTRIKE.sub("", text)).rstrip().split("\n")
    body = lines[1:-1] if len(lines) > 2 else []
    marked = [f"## {line}" if _HEADING.match(line) else _MARGIN.sub("", line.rstrip()) for line in body]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(marked)).strip()
