"""Writes the manual pages, the completion scripts and their table from the command itself.

`python -m hds_cli.manual` writes `man/`, `completions/` and `hds_cli/completion.json`; a test compares them with what
it would write. Pages are in the man macros (man(7)); what stands in them is said in one place, the help texts.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hds_cli
from hds_cli import config
from hds_cli.settings_facts import env_of, facts, key_of
from hds_cli.settings_variables import VARIABLES
from hds_cli.shells import FILES, SCRIPTS

DATE = "2026-11-21"
ROOT = Path(__file__).resolve().parent.parent
_EXITS = {
    0: "answered, or done",
    1: "an unexpected error (a bug: hds --debug shows the trace)",
    2: "wrong usage or configuration",
    3: "finished, but no answer could be supported",
    4: "the model or engine is missing or unusable",
    5: "no source could be reached, or --offline and nothing local matched",
    6: "stopped early by --timeout, a budget or one Ctrl-C; what was found is printed",
    7: "--strict, and a citation could not be verified",
    74: "the output could not be written",
    130: "stopped by Ctrl-C (hds ask: by the second)",
    143: "stopped by SIGTERM",
}
_COMMON = (0, 1, 2, 74, 130)
_MORE_EXITS = {"ask": tuple(_EXITS), "search": (3, 5), "fetch": (5,), "cache": (5,), "model": (4,), "eval": (4, 5, 143)}
_OWN_WORDS = {("doctor", 1): "something that is needed is broken"}
_VARIABLES = {
    **VARIABLES,
    "HF_ENDPOINT": "the hub that models are pulled from",
    "HF_TOKEN": "the token for gated and private models of the hub",
    "NO_COLOR": "set: no colours",
}
_FILES = {
    "$XDG_CONFIG_HOME/hds/config.toml": "settings (hds config path)",
    "$XDG_CONFIG_HOME/hds/keys.toml": "API keys, mode 0600",
    "$XDG_DATA_HOME/hds/collections": "collections (hds index)",
    "$XDG_DATA_HOME/hds/models": "pulled models (hds model)",
    "$XDG_DATA_HOME/hds/runs": "saved runs (hds history)",
    "$XDG_CACHE_HOME/hds": "pages, and what can be made again",
}
_OPTION_KINDS = {
    "--source": "source", "--model": "model", "--dialect": "dialect", "--resume": "run", "--profile": "profile",
    "--output": "file", "--bundle": "file", "--type": "type",
}  # fmt: skip
_ARGUMENT_KINDS = {
    "index info": "collection", "index remove": "collection", "model use": "model", "model info": "model",
    "model convert": "file", "model quantize": "model",
    "model remove": "pulled", "model pull": "short", "config get": "setting", "config set": "setting",
    "plugins info": "plugin",
}  # fmt: skip


@dataclass(frozen=True)
class Command:
    """One command of the parser: its words (`("history", "list")`), help, parameters and subcommands."""

    words: tuple[str, ...]
    help: str
    parameters: tuple[Any, ...]
    commands: tuple[Command, ...] = ()

    @property
    def name(self) -> str:
        return " ".join(("hds", *self.words))

    @property
    def paragraphs(self) -> list[str]:
        return [" ".join(part.split()) for part in re.split(r"\n\s*\n", self.help) if part.strip()]

    @property
    def prose(self) -> list[str]:
        return [p for p in self.paragraphs if p not in self.examples]

    @property
    def examples(self) -> list[str]:
        """The paragraphs after the first that are command lines."""
        return [p for p in self.paragraphs[1:] if re.search(r"\bhds\b", p) and not p.endswith(".")]

    @property
    def options(self) -> list[Any]:
        return [p for p in self.parameters if p.param_type_name == "option" and not getattr(p, "hidden", False)]

    @property
    def arguments(self) -> list[Any]:
        return [p for p in self.parameters if p.param_type_name == "argument"]


def command_tree() -> Command:
    """The whole command with what our own plugins add to it, without what other distributions do."""
    import typer

    from hds_cli import cli

    root = typer.main.get_command(cli.app)
    context = root.make_context("hds", ["doctor"], resilient_parsing=True)
    context.meta["hds.called"] = True
    subs = tuple(_read((name,), root.get_command(context, name), context) for name in names())  # type: ignore[attr-defined]
    return Command((), root.help or "", tuple(root.get_params(context)), subs)


def names() -> list[str]:
    """The commands that ship with hds, in the order of its help."""
    from hds_cli import cli, plugins

    ours = plugins.entry_points("hds.commands.v1").items()
    return [*cli.COMMANDS, *sorted(name for name, p in ours if plugins.distribution(p) == plugins.FIRST_PARTY)]


def _read(words: tuple[str, ...], command: Any, parent: Any) -> Command:
    context = type(parent)(command, info_name=words[-1], parent=parent, **command.context_settings)
    children = getattr(command, "commands", {})
    subs = tuple(_read((*words, name), sub, context) for name, sub in children.items() if not sub.hidden)
    return Command(words, command.help or "", tuple(command.get_params(context)), subs)


# --- completion ------------------------------------------------------------------------------------------------------


def completion_table(tree: Command) -> dict[str, Any]:
    """The table that `completion.py` reads: commands, their options, the kinds of their values."""
    settings = {key_of(f): facts(f).doc for f in config.fields()}
    return _node(tree) | {"settings": settings}


def _node(command: Command) -> dict[str, Any]:
    node: dict[str, Any] = {"help": _short(command), "options": [_option(o) for o in command.options]}
    if command.commands:
        return node | {"commands": {sub.words[-1]: _node(sub) for sub in command.commands}}
    kinds = [_argument_kind(command, argument) for argument in command.arguments]
    if kinds:
        node |= {"arguments": kinds, "many": command.arguments[-1].nargs == -1}
    return node


def _option(option: Any) -> dict[str, Any]:
    names = _spellings(option)
    entry = {"names": names, "help": option.help or ""}
    if option.is_flag or getattr(option, "count", False):
        return entry
    known = next((_OPTION_KINDS[name] for name in names if name in _OPTION_KINDS), None)
    return entry | {"value": known or _kind_of(option.metavar or "", option.help or "", option.opts)}


def _spellings(option: Any) -> list[str]:
    """Short ones first. The parser keeps those of --help in a set, so their order is made here."""
    return [*sorted(option.opts, key=lambda name: (len(name), name)), *option.secondary_opts]


def _argument_kind(command: Command, argument: Any) -> str:
    key = " ".join(command.words)
    return _ARGUMENT_KINDS.get(key) or _kind_of(argument.metavar or "", "", ())


def _kind_of(metavar: str, help_: str, names: Sequence[str]) -> str:
    """The kind of a value, from how the help calls it."""
    bare = metavar.strip("[]….").rstrip("…")
    if re.fullmatch(r"[a-z0-9_]+(\|[a-z0-9_]+)+", bare):
        return bare
    if "--format" in names and bare != "TEMPLATE":
        return (
            "|".join(re.findall(r"\b[a-z]+(?:-[a-z]+)*\b", help_.partition("(")[0].replace(" or ", " ")))
            if help_
            else "none"
        )
    if bare in ("FILE", "PATH", "FOLDER", "DIR", "DATASET") or bare.endswith((".gguf", ".jsonl")):
        return "file"
    return {"RUN": "run", "OTHER": "run"}.get(bare, "none")


def _short(command: Command) -> str:
    """The first sentence."""
    first = command.paragraphs[0] if command.paragraphs else ""
    return re.split(r"(?<=[.;:])\s", first)[0].rstrip(".;:")


# --- manual pages ----------------------------------------------------------------------------------------------------


def pages(tree: Command) -> dict[str, str]:
    """File name -> manual page: `hds.1` and one for each command."""
    names = [f"hds-{sub.words[0]}" for sub in tree.commands]
    pages_by_name = {"hds.1": "\n".join(_root_page(tree, names)) + "\n"}
    for sub in tree.commands:
        pages_by_name[f"hds-{sub.words[0]}.1"] = "\n".join(_page(sub, tree)) + "\n"
    return pages_by_name


def _root_page(tree: Command, names: Sequence[str]) -> Iterator[str]:
    yield from _head("hds", tree)
    yield ".SH COMMANDS"
    for sub in tree.commands:
        yield from _tagged(f"\\fBhds {_esc(sub.words[0])}\\fR", _short(sub))
    yield from _option_list(tree)
    yield from _exits(tuple(_EXITS), "")
    yield from _environment({**_VARIABLES, **{env_of(f): facts(f).doc for f in config.fields()}})
    yield from _listing("FILES", {**_FILES})
    yield from _examples(tree)
    yield from _also(names)


def _page(command: Command, tree: Command) -> Iterator[str]:
    name = command.words[0]
    yield from _head(f"hds-{name}", command)
    if command.commands:
        yield ".SH COMMANDS"
        for sub in command.commands:
            yield f".SS {_synopsis(sub)}"
            yield from _prose(sub.prose)
            yield from _parameters(sub)
    yield from _option_list(command)
    yield from _exits((*_COMMON, *_MORE_EXITS.get(name, ())), name)
    yield from _environment(_variables_of(command))
    yield from _listing("FILES", {path: about for path, about in _FILES.items() if "config" in path or name in about})
    yield from _examples(command, *command.commands)
    yield from _also(["hds", *(f"hds-{sub.words[0]}" for sub in tree.commands if sub is not command)])


def _head(title: str, command: Command) -> Iterator[str]:
    yield f".TH {_esc(title.upper())} 1 {DATE} {_quoted(f'hds {hds_cli.__version__}')} {_quoted('hds manual')}"
    yield ".SH NAME"
    yield f"{_esc(title)} \\- {_esc(_short(command))}"
    yield ".SH SYNOPSIS"
    yield "\n.br\n".join(_synopsis(line) for line in command.commands or (command,))
    yield ".SH DESCRIPTION"
    yield from _prose(command.prose)


def _synopsis(command: Command) -> str:
    words = [f"\\fB{_esc(command.name)}\\fR"]
    if command.commands:
        return f"{words[0]} \\fICOMMAND\\fR [\\fIOPTION\\fR]..."
    if len(command.options) > 1:
        words.append("[\\fIOPTION\\fR]...")
    words += [f"\\fI{_esc(_called(a))}\\fR" for a in command.arguments]
    return " ".join(words)


def _called(argument: Any) -> str:
    name = str(argument.metavar or argument.name.upper())
    return name if argument.required or name.startswith("[") else f"[{name}]"


def _prose(paragraphs: Sequence[str]) -> Iterator[str]:
    for number, paragraph in enumerate(paragraphs):
        if number:
            yield ".PP"
        yield _esc(paragraph)


def _option_list(command: Command) -> Iterator[str]:
    if not command.commands or not command.words:
        yield ".SH OPTIONS"
        yield from _parameters(command)
    else:
        yield ".SH OPTIONS"
        yield "Those of each command stand with it, above. All take"
        yield from _tagged("\\fB\\-h\\fR, \\fB\\-\\-help\\fR", "Show the help and exit.")


def _parameters(command: Command) -> Iterator[str]:
    for argument in command.arguments:
        about = getattr(argument, "help", None)
        if about:
            yield from _tagged(f"\\fI{_esc(str(argument.metavar or argument.name.upper()))}\\fR", about)
    for option in command.options:
        names = ", ".join(f"\\fB{_esc(name)}\\fR" for name in _spellings(option))
        value = "" if option.is_flag else f" \\fI{_esc(option.metavar or 'VALUE')}\\fR"
        yield from _tagged(names + value, option.help or "")


def _exits(codes: Sequence[int], name: str) -> Iterator[str]:
    yield ".SH EXIT STATUS"
    for code in sorted(set(codes)):
        yield from _tagged(f"\\fB{code}\\fR", _OWN_WORDS.get((name, code), _EXITS[code]))


def _variables_of(command: Command) -> dict[str, str]:
    """The variables of the options a command has, and those that any command reads."""
    taken = {p.name for part in (command, *command.commands) for p in part.parameters}
    own = {env_of(f): facts(f).doc for f in config.fields() if f.name in taken}
    common = {name: _VARIABLES[name] for name in ("HDS_HOME", "HDS_CONFIG", "HDS_PROFILE")}
    hub = {name: about for name, about in _VARIABLES.items() if name.startswith("HF_") and command.words == ("model",)}
    return {**common, **hub, **own}


def _environment(variables: dict[str, str]) -> Iterator[str]:
    yield from _listing("ENVIRONMENT", variables)


def _listing(title: str, entries: dict[str, str]) -> Iterator[str]:
    yield f".SH {title}"
    for name, about in entries.items():
        yield from _tagged(f"\\fB{_esc(name)}\\fR", about)


def _examples(*commands: Command) -> Iterator[str]:
    lines = [line for command in commands for line in command.examples]
    if not lines:
        return
    yield ".SH EXAMPLES"
    yield ".nf"
    for line in lines:
        yield _esc(line)
    yield ".fi"


def _also(names: Sequence[str]) -> Iterator[str]:
    yield ".SH SEE ALSO"
    yield ",\n".join(f"\\fB{_esc(name)}\\fR(1)" for name in names)


def _tagged(tag: str, text: str) -> Iterator[str]:
    yield ".TP"
    yield tag
    yield _esc(text) or "\\&"


def _quoted(text: str) -> str:
    return f'"{_esc(text)}"'


def _esc(text: str) -> str:
    """`text` as roff: no character of it is a request, an escape or outside of ASCII."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("\n", " ")
    text = "".join(c if c.isascii() else f"\\[u{ord(c):04X}]" for c in text)
    return f"\\&{text}" if text[:1] in (".", "'") else text


# --- the files -------------------------------------------------------------------------------------------------------


def files() -> dict[Path, str]:
    """Every generated file, below the project's folder, and what it holds."""
    tree = command_tree()
    texts = {Path("man") / name: text for name, text in pages(tree).items()}
    texts |= {Path("completions") / FILES[shell]: script for shell, script in SCRIPTS.items()}
    table = json.dumps(completion_table(tree), ensure_ascii=False, indent=1)
    return texts | {Path("hds_cli") / "completion.json": table + "\n"}


def main() -> None:
    """Write what differs, remove pages of commands that are gone, and say both."""
    texts = files()
    for path, text in texts.items():
        target = ROOT / path
        if not target.exists() or target.read_text("utf-8") != text:
            target.parent.mkdir(exist_ok=True)
            target.write_text(text, "utf-8")
            sys.stdout.write(f"wrote {path}\n")
    for old in sorted((ROOT / "man").glob("*.1")):
        if Path("man") / old.name not in texts:
            old.unlink()
            sys.stdout.write(f"removed man/{old.name}\n")


if __name__ == "__main__":
    main()
