"""`hds completions`: the script that makes Tab work in a shell."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from hds_cli.commands import _print
from hds_cli.errors import OutputError, UsageError
from hds_cli.shells import SCRIPTS

_MARK = "# hds completions"
_LOADERS = ("/usr/share", "/usr/local/share", "/opt/homebrew/share")


def completions(
    shell: Annotated[
        str | None, typer.Argument(metavar="bash|zsh|fish|powershell", help="The shell to complete in [$SHELL].")
    ] = None,
    install: Annotated[bool, typer.Option("--install", help="Put the script where the shell looks.")] = False,
) -> None:
    """Print the script that completes commands, flags, models, sources, runs and collections in a shell.

    hds completions --install

    eval "$(hds completions bash)"

    hds completions fish > ~/.config/fish/completions/hds.fish
    """
    name = shell or Path(os.environ.get("SHELL", "")).name
    if name not in SCRIPTS:
        raise UsageError(f"there is no completion for {name!r}", hint=f"shells: {', '.join(SCRIPTS)}")
    if install:
        _print.say(_installed(name))
    else:
        sys.stdout.write(SCRIPTS[name])


def _installed(shell: str) -> str:
    """Write the script; returns a line that says where it is and when it takes effect."""
    try:
        match shell:
            case "fish":
                where = _written(_base("XDG_CONFIG_HOME", ".config") / "fish/completions/hds.fish", shell)
            case "bash":
                where = _bash()
            case "zsh":
                where = _zsh()
            case _:
                profile = _base("XDG_CONFIG_HOME", ".config") / "powershell/Microsoft.PowerShell_profile.ps1"
                where = _with_lines(profile, "hds completions powershell | Out-String | Invoke-Expression")
    except OSError as exc:
        raise OutputError(f"cannot write {exc.filename}: {exc.strerror}", hint=f"hds completions {shell}") from exc
    return f"{where}; new shells complete hds"


def _bash() -> str:
    """Install for bash: in bash-completion's folder of the user, or as a line in ~/.bashrc that reads the script."""
    chosen = os.environ.get("BASH_COMPLETION_USER_DIR")
    folder = Path(chosen) if chosen else _base("XDG_DATA_HOME", ".local/share") / "bash-completion"
    file = folder / "completions" / "hds"
    where = _written(file, "bash")
    if any((Path(base) / "bash-completion/bash_completion").exists() for base in _LOADERS):
        return where
    return f"{where}; {_with_lines(Path.home() / '.bashrc', f'. {_quoted(file)}')}"


def _zsh() -> str:
    """The first folder of the user's own that zsh searches; without one, lines in ~/.zshrc add one."""
    home = Path.home()
    for folder in _fpath():
        if home in folder.parents and os.access(folder, os.W_OK):
            return _written(folder / "_hds", "zsh")
    folder = _base("XDG_DATA_HOME", ".local/share") / "zsh/site-functions"
    where = _written(folder / "_hds", "zsh")
    rc = Path(os.environ.get("ZDOTDIR") or home) / ".zshrc"
    return f"{where}; {_with_lines(rc, f'fpath=({_quoted(folder)} $fpath)', 'autoload -Uz compinit && compinit')}"


def _fpath() -> list[Path]:
    """The folders in which an interactive zsh of this user looks for functions."""
    if not (zsh := shutil.which("zsh")):
        return []
    try:
        asked = subprocess.run(
            [zsh, "-ic", "print -rl -- $fpath"],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=10, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return []
    return [Path(line) for line in asked.stdout.splitlines() if line.startswith("/")]


def _base(variable: str, fallback: str) -> Path:
    value = os.environ.get(variable, "")
    return Path(value) if os.path.isabs(value) else Path.home() / fallback


def _written(file: Path, shell: str) -> str:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(SCRIPTS[shell], "utf-8")
    return f"wrote {file}"


def _with_lines(rc: Path, *lines: str) -> str:
    """Add lines to the end of a shell's own file, once."""
    text = rc.read_text("utf-8", "surrogateescape") if rc.exists() else ""
    if _MARK in text:
        return f"{rc} has the lines for it already"
    rc.parent.mkdir(parents=True, exist_ok=True)
    with rc.open("a", encoding="utf-8") as file:
        file.write(("" if not text or text.endswith("\n") else "\n") + "\n".join((_MARK, *lines)) + "\n")
    return f"added {len(lines)} {'line' if len(lines) == 1 else 'lines'} to {rc}"


def _quoted(path: Path) -> str:
    import shlex

    return shlex.quote(str(path))
