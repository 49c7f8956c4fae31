"""The entry of the `hds` command: a completion is answered before the command's own parts are loaded."""

from __future__ import annotations

import os
import signal
import sys


def main() -> None:
    """The console script."""
    signal.signal(signal.SIGINT, _quit)  # until a command begins: see `interrupts`
    if sys.argv[1:2] == ["__complete"]:
        from hds_cli.completion import answer

        answer(sys.argv[2:])
        return
    from hds_cli.cli import run

    code = run(sys.argv[1:])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the work is done: a Ctrl-C now must not change the exit code
    sys.exit(code)


def _quit(*_: object) -> None:
    os._exit(130)
