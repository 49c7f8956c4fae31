"""Where the `hds` command begins: a completion is answered before the command's own parts are loaded."""

from __future__ import annotations

import os
import signal
import sys


def main() -> None:
    """The console script."""
    signal.signal(signal.SIGINT, _quit)  # nothing is begun yet: no trace of an import that was cut short
    if sys.argv[1:2] == ["__complete"]:
        from hds_cli.completion import answer

        answer(sys.argv[2:])
        return
    from hds_cli.cli import run

    signal.signal(signal.SIGINT, signal.default_int_handler)
    code = run(sys.argv[1:])
    signal.signal(signal.SIGINT, lambda *_: os._exit(code))  # all is said; what is left is to go
    sys.exit(code)


def _quit(*_: object) -> None:
    os._exit(130)
