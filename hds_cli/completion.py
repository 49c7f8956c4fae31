"""What can stand at the cursor: commands and flags from a table that is made with the manual, names from the disk.

Called by the shells at every press of Tab, so it loads neither typer nor any other part of the command, and reads
folders rather than files. Names that a shell could read as anything but a word are left out.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from hds_cli import paths

TABLE = Path(__file__).with_name("completion.json")
FILES = ":files"  # a line of the answer: the shell completes a path itself
GGUF = ":gguf"  # likewise a path that ends in .gguf
_PATHS = (FILES, GGUF)
_MOST_RUNS, _HEAD = 100, 32_768  # runs that are offered, bytes of each that are read for its question
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+:/@=-]*")
_BREAKS = re.compile(r"[:=]")  # where bash cuts a word of its own accord
Candidate = tuple[str, str]
"""What can be typed, and a word on it."""


def answer(args: Sequence[str]) -> None:
    """Print the candidates, one a line, a tab before what is said of them.

    Args:
        args: the shell, then the line up to the cursor (bash) or its words, the last one that is being typed.
    """
    shell, words = (args[0] if args else ""), list(args[1:])
    if shell == "bash":
        words = _split(words[0] if words else "")
    matches = candidates(words[1:]) if len(words) > 1 else []
    sys.stdout.write("".join(_line(shell, words[-1], value, about) for value, about in matches))


def candidates(words: Sequence[str]) -> list[Candidate]:
    """Candidates for the last of `words` (without `hds`), which may be empty."""
    *before, current = words
    table = json.loads(TABLE.read_text("utf-8"))
    node, waiting, number = _walk(table, before)
    flag, equals, value = current.partition("=")
    if waiting:
        return _matching(_values(waiting, current), current)
    if equals and flag.startswith("--"):
        option = _option(node, flag)
        kind = option.get("value") if option else None
        return (
            [(f"{flag}={v}", about) for v, about in _matching(_values(kind, value), value) if v not in _PATHS]
            if kind
            else []
        )
    if current.startswith("-") and "--" not in before:
        return _matching(((name, o["help"]) for o in _options(node) for name in o["names"]), current)
    if "commands" in node:
        return _matching(((name, sub["help"]) for name, sub in node["commands"].items()), current)
    arguments = node.get("arguments", [])
    if not arguments:
        return []
    kind = arguments[min(number, len(arguments) - 1)]
    return _matching(_values(kind, current), current) if number < len(arguments) or node.get("many") else []


def _walk(table: dict[str, Any], before: Sequence[str]) -> tuple[dict[str, Any], str | None, int]:
    """The command the words lead to, the kind of value an option waits for, and how many arguments there were."""
    node, waiting, number, over = table, None, 0, False
    for word in before:
        if waiting:
            waiting = None
        elif word == "--":
            over = True
        elif word.startswith("-") and len(word) > 1 and not over:
            option = None if "=" in word else _option(node, word)
            waiting = option.get("value") if option else None
        elif "commands" in node:
            node = node["commands"].get(word, {})
        else:
            number += 1
    return node, waiting, number


def _options(node: dict[str, Any]) -> list[dict[str, Any]]:
    options: list[dict[str, Any]] = node.get("options", [])
    return options


def _option(node: dict[str, Any], name: str) -> dict[str, Any] | None:
    return next((option for option in _options(node) if name in option["names"]), None)


def _matching(candidates: Iterable[Candidate], start: str) -> list[Candidate]:
    """The candidates that begin with `start`, in order, each once."""
    kept: dict[str, str] = {}
    for value, about in candidates:
        if value in _PATHS or value.startswith(start):
            kept.setdefault(value, about)
    return list(kept.items())


def _values(kind: str | None, start: str) -> Iterator[Candidate]:
    """The values of a kind: the name of a function below, `a|b|c`, or nothing that is known."""
    if kind and "|" in kind:
        yield from ((choice, "") for choice in kind.split("|"))
    elif kind == "run":
        yield from (c for c in _runs(start) if _PLAIN.fullmatch(c[0]))
    elif kind in _KINDS:
        yield from (c for c in _KINDS[kind]() if c[0] in _PATHS or _PLAIN.fullmatch(c[0]))


def _runs(start: str) -> Iterator[Candidate]:
    """The runs whose ids begin with `start`, the newest first, each with its question."""
    if "last".startswith(start):
        yield "last", "the last run"
    journals = []
    with contextlib.suppress(OSError), os.scandir(paths.runs_dir()) as entries:
        journals = [e for e in entries if e.name.endswith(".jsonl") and e.name.startswith(start)]
    for entry in sorted(journals, key=_changed, reverse=True)[:_MOST_RUNS]:
        yield entry.name[:-6], _question(entry.path)


def _changed(entry: os.DirEntry[str]) -> float:
    try:
        return entry.stat().st_mtime
    except OSError:
        return 0.0


def _question(journal: str) -> str:
    """The question of a run: in one of its first events, before which there are only notices."""
    try:
        with open(journal, "rb") as stream:
            lines = stream.read(_HEAD).splitlines()[:5]
    except OSError:
        return ""
    for line in lines:
        with contextlib.suppress(ValueError, RecursionError):
            event = json.loads(line)
            if isinstance(event, dict) and isinstance(question := event.get("question"), str):
                return "".join(c if c.isprintable() else " " for c in question[:120])
    return ""


def _collections() -> Iterator[Candidate]:
    for name in _listed(paths.collections_dir()):
        if name.endswith((".sqlite", ".linked.json")):
            yield name.partition(".")[0], "collection"
    yield from ((name, "collection") for name in _installed("hds.collections.v1"))


def _sources() -> Iterator[Candidate]:
    yield "local", "every collection"
    yield "cache", "every page read before"
    yield from _collections()
    yield from ((name, "source") for name in _installed("hds.sources.v1"))


def _pulled() -> Iterator[Candidate]:
    yield from ((name, "pulled") for name in _listed(paths.models_dir()))


def _models() -> Iterator[Candidate]:
    yield from _pulled()
    yield from ((name, "installed") for name in _installed("hds.models.v1"))
    yield GGUF, ""


def _short() -> Iterator[Candidate]:
    from hds_cli.engine.files.known import QUANTIZATIONS, SHORT_NAMES

    for name, known in SHORT_NAMES.items():
        yield from ((f"{name}:{quantization}", known.about) for quantization in QUANTIZATIONS)


def _types() -> Iterator[Candidate]:
    from hds_cli.engine.files.known import QUANTIZATIONS

    yield from ((name, "quantized") for name in reversed(QUANTIZATIONS))
    yield from ((name, "not quantized") for name in ("F16", "BF16", "F32"))


def _plugins() -> Iterator[Candidate]:
    for group in (
        "sources.v1",
        "collections.v1",
        "models.v1",
        "engines.v2",
        "dialects.v1",
        "selectors.v2",
        "verdicts.v1",
    ):
        yield from ((name, group.partition(".")[0]) for name in _installed(f"hds.{group}"))


def _dialects() -> Iterator[Candidate]:
    yield from ((name, "") for name in _installed("hds.dialects.v1"))


def _settings() -> Iterator[Candidate]:
    table = json.loads(TABLE.read_text("utf-8"))
    yield from table["settings"].items()


def _profiles() -> Iterator[Candidate]:
    import tomli

    try:
        tables = tomli.loads(paths.config_file().read_text("utf-8")).get("profile", {})
    except (OSError, ValueError):
        return
    yield from ((name, "profile") for name in tables)


def _files() -> Iterator[Candidate]:
    yield FILES, ""


_KINDS: dict[str, Callable[[], Iterator[Candidate]]] = {
    "collection": _collections, "source": _sources, "pulled": _pulled, "model": _models,
    "short": _short, "plugin": _plugins, "setting": _settings, "profile": _profiles, "file": _files,
    "dialect": _dialects, "type": _types,
}  # fmt: skip


def _listed(folder: Path) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def _installed(group: str) -> list[str]:
    """Names of entry points. The lists of the distributions are searched as text: to parse each takes far longer."""
    names: list[str] = []
    for folder in dict.fromkeys(sys.path):
        for name in _listed(Path(folder or ".")) if folder else []:
            if name.endswith((".dist-info", ".egg-info")):
                names += _entries(os.path.join(folder, name, "entry_points.txt"), group)
    return sorted(set(names))


def _entries(file: str, group: str) -> list[str]:
    try:
        with open(file, encoding="utf-8") as stream:
            text = stream.read()
    except (OSError, ValueError):
        return []
    _, begun, rest = text.partition(f"[{group}]")
    lines = rest.partition("\n[")[0].splitlines() if begun else []
    return [line.partition("=")[0].strip() for line in lines if "=" in line]


def _split(line: str) -> list[str]:
    """The words of a line that is still being typed; a quote may be open."""
    import shlex

    for end in ("", "'", '"'):
        try:
            words = shlex.split(line + end)
        except ValueError:
            continue
        return words if words and not end and not line[-1:].isspace() else [*words, ""] if not end else words
    return []


def _line(shell: str, current: str, value: str, about: str) -> str:
    if value in _PATHS:
        return f"{value}\n"
    about = " ".join(about.split())
    if shell == "bash":  # it replaces what stands behind its last break only
        breaks = [match.end() for match in _BREAKS.finditer(current)]
        return f"{value[breaks[-1] :] if breaks else value}\n"
    return f"{value}\t{about}\n"
