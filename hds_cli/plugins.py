"""Plugins: entry points by kind, read without importing anything, loaded one at a time when asked for.

A kind is a group `hds.KIND.vN`; N changes when what a plugin of that kind is called with changes.
"""

from __future__ import annotations

import contextlib
import contextvars
import functools
import os
import re
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from importlib.machinery import PathFinder
from importlib.metadata import EntryPoint
from importlib.metadata import entry_points as _all_entry_points
from typing import Any

from hds_cli.errors import HdsError, UsageError

FIRST_PARTY = "hds-cli"
VERSIONS = {
    "sources": 1, "collections": 1, "models": 1, "engines": 2, "extractors": 1, "selectors": 2, "renderers": 1,
    "commands": 1, "dialects": 1, "verdicts": 1, "verifiers": 1,
    "clusters": 1,
}  # fmt: skip
KNOWN = frozenset(f"hds.{kind}.v{version}" for kind, version in VERSIONS.items())
IMPORT_SECONDS = 10.0
_LARGEST_SOURCE = 1 << 20  # bytes of a plugin's file that are read for its summary
_GROUP = re.compile(r"hds\.([a-z_]+)\.v([0-9]+)")


class PluginError(UsageError):
    """A plugin that was asked for does not load."""

    code = "plugin"


def turned_off() -> bool:
    """True when only hds's own plugins are seen (`HDS_NO_PLUGINS=1`, `hds --no-plugins`)."""
    return os.environ.get("HDS_NO_PLUGINS", "") not in ("", "0")


def entry_points(group: str) -> dict[str, EntryPoint]:
    """The entry points of a kind by name; hds's own win over another distribution's of the same name."""
    return _points(group, turned_off())


@functools.cache
def _points(group: str, only_ours: bool) -> dict[str, EntryPoint]:
    points: dict[str, EntryPoint] = {}
    for point in _all_entry_points(group=group):
        ours = distribution(point) == FIRST_PARTY
        if ours or (not only_ours and point.name not in points):
            points[point.name] = point
    return points


def every() -> dict[str, dict[str, EntryPoint]]:
    """All plugins by group (`hds.KIND.vN`) and name, of groups that this version does not know too."""
    groups = sorted(group for group in _all_entry_points().groups if _GROUP.fullmatch(group))
    return {group: dict(sorted(entry_points(group).items())) for group in groups}


def distribution(point: EntryPoint) -> str:
    """The name of the distribution that brought an entry point."""
    return point.dist.name if point.dist else "unknown"


def source_file(point: EntryPoint) -> str | None:
    """The file that a plugin stands in, found without importing it or the package around it."""
    places: Sequence[str] | None = None
    spec = None
    parts = point.value.partition(":")[0].strip().split(".")
    for end in range(1, len(parts) + 1):
        try:
            spec = PathFinder.find_spec(".".join(parts[:end]), places)
        except (ImportError, ValueError):
            spec = None
        if spec is None:
            return None
        places = list(spec.submodule_search_locations or ())
    return spec.origin if spec else None


def summary(point: EntryPoint) -> str | None:
    """The description of a plugin, read from its source without running it.

    That is the first paragraph of its docstring, or the `help=` of a `typer.Typer`; None where there is neither.
    """
    import ast

    file = source_file(point)
    name = point.value.partition(":")[2].strip()
    try:
        with open(file or "", "rb") as stream:
            body = ast.parse(stream.read(_LARGEST_SOURCE)).body
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    text: str | None = None
    for node in body:
        match node:
            case ast.FunctionDef(name=defined) | ast.AsyncFunctionDef(name=defined) | ast.ClassDef(name=defined):
                text = ast.get_docstring(node) if defined == name else text
            case ast.Assign(targets=[ast.Name(id=defined)], value=ast.Call(keywords=keywords)) if defined == name:
                given = (k.value.value for k in keywords if k.arg == "help" and isinstance(k.value, ast.Constant))
                text = next((value for value in given if isinstance(value, str)), None)
    return " ".join((text or "").partition("\n\n")[0].split()) or None


def mismatch(kind: str, name: str) -> PluginError | None:
    """The error for a plugin that is installed, but made for another version of hds; None when there is none."""
    for group, points in every().items():
        match = _GROUP.fullmatch(group)
        if match and match[1] == kind and name in points and group not in KNOWN:
            whose = distribution(points[name])
            have = f"hds.{kind}.v{VERSIONS[kind]}"
            wants = f"the plugin {name!r} of {whose} is made for {group}, and this version of hds has {have}"
            return PluginError(wants, hint=f"pip install --upgrade hds-cli {whose}")
    return None


def load(group: str, name: str) -> Any:
    """Import one plugin. What another's prints at import goes to stderr, and it has `IMPORT_SECONDS` for it.

    Raises:
        PluginError: it is not installed or made for another version, its import fails in any way, `SystemExit`
            included, or does not end.
    """
    point = entry_points(group).get(name)
    if point is None:
        kind = group.split(".")[1]
        raise mismatch(kind, name) or PluginError(f"no plugin {name!r} of the kind {group}", hint="hds plugins list")
    return _guarded(point, point.load if distribution(point) == FIRST_PARTY else lambda: _in_time(point))


def make(group: str, name: str, *arguments: Any, needs: tuple[str, ...] = ()) -> Any:
    """Load a plugin and call its factory with `arguments`; returns the factory's result.

    Args:
        needs: attributes that it must have, or it is not of this kind.

    Raises:
        PluginError: as `load`; or the factory fails, or makes something else. An `HdsError` of its own passes.
    """
    factory = load(group, name)
    point = entry_points(group)[name]
    plugin = _guarded(point, lambda: factory(*arguments))
    missing = [attribute for attribute in needs if not hasattr(plugin, attribute)]
    if missing:
        what = f"{type(plugin).__name__} without {', '.join(missing)}"
        raise PluginError(f"the plugin {name!r} of {distribution(point)} makes no {group}: {what}")
    return plugin


class _Stdout:
    """stdout, but for a thread or task that runs a plugin's code: what that prints goes to stderr.

    `contextlib.redirect_stdout` changes it for all of them, and two at once leave it changed.
    """

    at_work = contextvars.ContextVar("hds_plugin_at_work", default=False)

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(sys.stderr if self.at_work.get() else self._stream, name)


@contextlib.contextmanager
def prints_to_stderr() -> Iterator[None]:
    """A context for a plugin's code: its prints go to stderr, since stdout is for the answer."""
    if sys.stdout is not None and not isinstance(sys.stdout, _Stdout):
        sys.stdout = _Stdout(sys.stdout)
    before = _Stdout.at_work.set(True)
    try:
        yield
    finally:
        _Stdout.at_work.reset(before)


def _guarded(point: EntryPoint, call: Callable[[], Any]) -> Any:
    try:
        with prints_to_stderr():
            return call()
    except HdsError:
        raise
    except (Exception, SystemExit) as exc:
        # Any exception: a stranger's module must not end the run with a trace when it is imported.
        whose = distribution(point)
        problem = " ".join(f"{type(exc).__name__}: {exc}"[:500].split())
        raise PluginError(
            f"the plugin {point.name!r} of {whose} does not load: {problem}",
            hint=f"pip install --upgrade {whose}   or   hds --no-plugins …",
        ) from exc


def _in_time(point: EntryPoint) -> Any:
    """Import in a thread that can be left behind: an import that hangs must not hold the rest."""
    outcome: list[Any] = []

    def work() -> None:
        try:
            with prints_to_stderr():
                outcome.extend((point.load(), None))
        except BaseException as exc:  # an exception that ends a thread would print a trace on stderr
            outcome.extend((None, exc))

    thread = threading.Thread(target=work, daemon=True, name="hds-plugin")
    thread.start()
    thread.join(IMPORT_SECONDS)
    if len(outcome) < 2:
        raise TimeoutError(f"its import did not end in {IMPORT_SECONDS:g} s")
    loaded, error = outcome[0], outcome[1]
    if error is not None:
        raise error if isinstance(error, Exception) else RuntimeError(f"{type(error).__name__}: {error}")
    return loaded
