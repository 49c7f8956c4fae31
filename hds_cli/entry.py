"""Where the `hds` command begins: a completion is answered before the command's own parts are loaded."""

from __future__ import annotations

import sys


def main() -> None:
    """The console script."""
    if sys.argv[1:2] == ["__complete"]:
        from hds_cli.completion import answer

        answer(sys.argv[2:])
        return
    from hds_cli.cli import main as command

    command()
