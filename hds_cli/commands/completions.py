"""`hds completions`: the script that makes Tab work in a shell."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from hds_cli.errors import UsageError
from hds_cli.shells import SCRIPTS


def completions(
    shell: Annotated[str, typer.Argument(metavar="bash|zsh|fish|powershell", help="The shell to complete in.")],
) -> None:
    """Print the script that completes commands, flags, models, sources, runs and collections in a shell.

    eval "$(hds completions bash)"

    hds completions zsh > ~/.zfunc/_hds

    hds completions fish > ~/.config/fish/completions/hds.fish
    """
    if shell not in SCRIPTS:
        raise UsageError(f"there is no completion for {shell!r}", hint=f"shells: {', '.join(SCRIPTS)}")
    sys.stdout.write(SCRIPTS[shell])
