"""Assembles the command. The one place where an error becomes a message and an exit code."""

from __future__ import annotations

import importlib
import itertools
import json
import os
import sys
from typing import Annotated, Any

import typer
from typer import TyperException
from typer.core import TyperGroup

import hds_cli
from hds_cli.errors import HdsError, Interrupted, OutputError
from hds_cli.interrupts import Interrupts

# Help is plain text: Rich's panels cost 100 ms of start-up and break narrow terminals.
_APP: dict[str, Any] = {
    "rich_markup_mode": None,
    "pretty_exceptions_enable": False,
    "context_settings": {"help_option_names": ["-h", "--help"]},
}
COMMANDS = {
    "ask": "Research one question and answer it with sources.",
    "batch": "Answer many questions, one a line, with one model.",
    "chat": "A conversation: questions, and further questions to their answers.",
    "search": "Run queries through the sources, all at once; no model.",
    "fetch": "Fetch pages and print their text, all at once; no model.",
    "verify": "Does a page, a collection or a run say what a text says?",
    "audit": "What did saved runs verify, assume, and leave unchecked?",
    "index": "Collections of your own documents.",
    "serve": "Keep a model loaded for the commands that come.",
    "mcp": "ask, search, fetch and history as tools for other programs (extra [mcp]).",
    "history": "Saved runs: list, search, show, export, replay.",
    "open": "Open a source of an answer in the browser.",
    "cache": "The pages on disk.",
    "eval": "How good the answers are, measured on a question set.",
    "synth": "Make hybrid-hop questions from your own pages.",
    "retro": "Saved runs made shorter, as rows for hds train.",
    "tune": "Which options suit a question set, by trying them.",
    "model": "GGUF files: pull, list, choose, remove.",
    "config": "Settings, and where each value came from.",
    "plugins": "What is installed, from where, and whether it loads.",
    "doctor": "What works on this machine and what to do about the rest.",
    "completions": "The script that makes Tab work in a shell.",
    "man": "The manual, from inside the package.",
}


class _Lazy(TyperGroup):
    """A group whose commands are imported when they are called, so that `--help` and `--version` stay quick."""

    def list_commands(self, ctx: Any) -> list[str]:
        return [*COMMANDS, *_outside()]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in COMMANDS and cmd_name not in _outside():
            return None
        if _only_listing(ctx):
            return _Named(cmd_name)
        if cmd_name not in COMMANDS:
            return _command(cmd_name, _load("hds.commands.v1", cmd_name))
        module = importlib.import_module(f"hds_cli.commands.{cmd_name}")
        own = next(name for name in ("app", cmd_name, f"{cmd_name}_") if hasattr(module, name))
        return _command(cmd_name, getattr(module, own))

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args and not args[0].startswith("-") and args[0] not in COMMANDS and args[0] not in _outside():
            raise _unknown(args[0])
        ctx.meta["hds.called"] = True
        resolved = super().resolve_command(ctx, args)
        # Before, Ctrl-C ends the process (see `entry`): raised in an import it comes out as any other error.
        ctx.with_resource(Interrupts(raising=True))
        return resolved

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError as exc:  # Typer would make an exit code 1 of it
            raise _ClosedPipe from exc


class _ClosedPipe(Exception):
    """Whoever read stdout has gone: `| head`."""


def _outside() -> list[str]:
    """The commands that plugins bring."""
    from hds_cli.plugins import entry_points

    return [name for name in sorted(entry_points("hds.commands.v1")) if name not in COMMANDS]


def _summary(name: str) -> str:
    """The summary of a plugin's command, or its distribution; the plugin is not imported for that."""
    from hds_cli.plugins import distribution, entry_points, summary
    from hds_cli.render.text import one_line

    point = entry_points("hds.commands.v1")[name]
    return one_line(summary(point) or f"Brought by {distribution(point)}.")


def _load(group: str, name: str) -> Any:
    from hds_cli.plugins import load

    return load(group, name)


def _command(name: str, thing: Any) -> Any:
    """The command of a function, or of a Typer app."""
    sub = thing
    if not isinstance(thing, typer.Typer):
        sub = typer.Typer(add_completion=False, **_APP)
        sub.command(name, help=thing.__doc__)(thing)
    command = typer.main.get_command(sub)
    command.name = name
    return command


def _only_listing(ctx: Any) -> bool:
    return not ctx.meta.get("hds.called")


class _Named:
    """The facts on a command that `--help` shows, without importing it."""

    hidden = False
    deprecated = False

    def __init__(self, name: str) -> None:
        self.name = name

    def get_short_help_str(self, limit: int = 45) -> str:
        return COMMANDS.get(self.name) or _summary(self.name)


def _unknown(name: str) -> HdsError:
    import difflib

    from hds_cli.errors import UsageError
    from hds_cli.plugins import mismatch

    if other := mismatch("commands", name):
        return other
    near = difflib.get_close_matches(name, [*COMMANDS, *_outside()], 1)
    hint = f"hds {near[0]}" if near else f'hds ask "{name} …"   or   hds --help'
    return UsageError(f"there is no command {name!r}", hint=hint)


app = typer.Typer(cls=_Lazy, add_completion=False, **_APP)


def _version(value: bool) -> None:
    if value:
        typer.echo(f"hds {hds_cli.__version__}")
        raise typer.Exit


def _no_plugins(value: bool) -> None:
    if value:  # before any command is looked for
        os.environ["HDS_NO_PLUGINS"] = "1"


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", "-V", callback=_version, is_eager=True, help="Show it.")
    ] = False,
    no_plugins: Annotated[
        bool, typer.Option("--no-plugins", callback=_no_plugins, is_eager=True, help="Only what hds brings itself.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the trace of an unexpected error.")] = False,
    profile: Annotated[
        str | None, typer.Option("--profile", metavar="NAME", help="Settings of the table [profile.NAME] go first.")
    ] = None,
) -> None:
    """A research assistant in the terminal: parallel searches by a local model, answers with checked quotes.

    hds ask "What are the capitals of the countries that border Austria?"
    """
    _warn()
    if profile:  # as if the environment named it: what a command starts sees the same settings
        os.environ["HDS_PROFILE"] = profile


def _warn() -> None:
    """Warnings on the settings that stop no command: a file that shows a key, a variable that nothing reads."""
    from hds_cli import paths
    from hds_cli.commands._print import say

    if (path := paths.config_file()).exists():
        from hds_cli.keys import exposed

        if line := exposed(path):
            say(f"warning: {line}")
    if any(name.startswith("HDS_") for name in os.environ):
        from hds_cli.settings_variables import misspelt, strays

        for name, near in misspelt(os.environ):
            say(f"warning: {name} is not a variable of hds; did you mean {near}?")
        for name, meant in strays(os.environ, _source_names):
            say(f"warning: {name} names no source of hds" + (f"; did you mean {meant}?" if meant else ""))


def _source_names() -> list[str]:
    from hds_cli.search.sources import known

    return known()


def main() -> None:
    """The console script."""
    sys.exit(run(sys.argv[1:]))


def run(args: list[str]) -> int:
    """Run the command with `args`; returns its exit code. Errors are said on stderr, or as JSON if that was asked."""
    _safe_streams()
    try:
        code = typer.main.get_command(app).main(args=args or _alone(), prog_name="hds", standalone_mode=False)
        _flush()
        return int(code or 0)
    except HdsError as exc:
        return _say(exc, args)
    except TyperException as exc:
        return _say(_usage(exc), args, code=exc.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        return _say(Interrupted("stopped"), [])
    except (BrokenPipeError, _ClosedPipe):
        _mute_stdout()
        return 141
    except OSError as exc:
        if exc.filename is None and exc.errno in _WRITE_ERRORS:
            _mute_stdout()
            return _say(OutputError(f"the output could not be written: {exc.strerror}"), [])
        if error := _home_fault(exc):
            return _say(error, args)
        return _bug(exc, args)
    except Exception as exc:  # the last line of defence: a bug is one line, not a page
        return _bug(exc, args)


def _alone() -> list[str]:
    """What `hds` without a word means: a conversation where there is somebody to have it with."""
    streams = (sys.stdin, sys.stdout, sys.stderr)
    return ["chat"] if all(stream is not None and stream.isatty() for stream in streams) else ["--help"]


_WRITE_ERRORS = {5, 9, 27, 28, 122}  # EIO EBADF EFBIG ENOSPC EDQUOT
_HOME_ERRORS = {1, 5, 13, 20, 27, 28, 30, 122}  # EPERM EIO EACCES ENOTDIR EFBIG ENOSPC EROFS EDQUOT


def _home_fault(exc: OSError) -> HdsError | None:
    """The error of a home that cannot be written; None: the fault is another one."""
    from pathlib import Path

    from hds_cli import paths

    if exc.errno not in _HOME_ERRORS or not isinstance(exc.filename, str):
        return None
    homes = {paths.data_dir(), paths.cache_dir(), paths.config_file().parent}
    file = Path(exc.filename)
    if not any(file == home or home in file.parents or file in home.parents for home in homes):
        return None
    return OutputError(f"cannot use {file}: {exc.strerror}", hint="HDS_HOME=OTHER/FOLDER   (hds doctor says more)")


def _usage(exc: TyperException) -> HdsError:
    from hds_cli.errors import UsageError

    name = getattr(getattr(exc, "ctx", None), "command_path", None) or "hds"
    meant = _meant(exc)
    return UsageError(exc.format_message().replace("\n", " "), hint=f"{name} {meant}" if meant else f"{name} --help")


def _meant(exc: TyperException) -> str | None:
    """The flag or subcommand that was probably meant."""
    import difflib
    import re

    if suggestion := re.search(r"Did you mean '([\w-]+)'", exc.format_message()):
        return suggestion[1]
    known = [str(name) for name in getattr(exc, "possibilities", None) or ()]
    return next(iter(difflib.get_close_matches(str(getattr(exc, "option_name", "")), known, 1)), None)


def _bug(exc: Exception, args: list[str]) -> int:
    if "--debug" in args:
        import traceback

        from hds_cli.keys import redact

        sys.stderr.write(redact("".join(traceback.format_exception(exc))))
        return 1
    error = HdsError(f"{type(exc).__name__}: {exc}", hint="this is a bug; `hds --debug …` shows where", code="bug")
    return _say(error, args)


def _say(error: HdsError, args: list[str], code: int | None = None) -> int:
    from hds_cli.keys import redact
    from hds_cli.render.text import clean

    error.message, error.hint = redact(error.message), redact(error.hint) if error.hint else None
    try:
        if "--json" in args or "json" in _after(args, ("-f", "--format")):
            document = error.to_dict()
            sys.stdout.write(json.dumps(document) + "\n")
            sys.stdout.flush()
        else:
            lines = [f"hds: error[{error.error_code}]: {clean(error.message)}"]
            if error.hint:
                lines.append(f"hint: {clean(error.hint)}")
            sys.stderr.write("\n".join(lines) + "\n")
            sys.stderr.flush()
    except OSError:
        _mute_stdout()
    return code if code is not None else error.exit_code


def _after(args: list[str], options: tuple[str, ...]) -> list[str]:
    return [value for option, value in itertools.pairwise(args) if option in options]


def _safe_streams() -> None:
    """A character the terminal cannot show is escaped; it never ends the run (C locale, latin-1)."""
    try:
        os.fstat(0)
    except OSError:  # closed: the next file that is opened must not become stdin
        os.open(os.devnull, os.O_RDONLY)
    if sys.stdout is None or sys.stderr is None:
        sink = open(os.devnull, "w")  # noqa: SIM115
        sys.stdout, sys.stderr = sys.stdout or _Closed(), sys.stderr or sink
    _keep_stdout()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _keep_stdout() -> None:
    """stdout is this process's alone: what a process that a plugin starts prints goes to stderr."""
    try:
        if sys.stdout.fileno() != 1 or sys.stderr.fileno() != 2:
            return
        own = os.dup(1)
        os.dup2(2, 1)
    except (OSError, ValueError):
        return
    sys.stdout = open(own, "w", encoding=sys.stdout.encoding, buffering=1 if os.isatty(own) else -1)  # noqa: SIM115


class _Closed:
    """Stands for a closed stdout: writing to it fails as it should, instead of doing nothing."""

    encoding = "utf-8"

    def write(self, text: str) -> int:
        raise OSError(9, "stdout is closed")

    def flush(self) -> None: ...
    def isatty(self) -> bool:
        return False

    def fileno(self) -> int:
        raise OSError(9, "stdout is closed")


def _flush() -> None:
    sys.stdout.flush()


def _mute_stdout() -> None:
    """After a failed write: what is still in the buffer must not fail again at exit."""
    with open(os.devnull, "w") as sink:
        try:
            os.dup2(sink.fileno(), sys.stdout.fileno())
        except (OSError, ValueError):
            return
