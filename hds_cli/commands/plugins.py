"""`hds plugins`: what is installed, from where, and whether it loads."""

from __future__ import annotations

import difflib
from importlib.metadata import EntryPoint
from typing import Annotated, Any

import typer

from hds_cli import plugins
from hds_cli.commands import _options, _print
from hds_cli.keys import redact

app = typer.Typer(add_completion=False, rich_markup_mode=None, no_args_is_help=True, help="What is installed.")


@app.command("list")
def list_(json_: _options.Json = False) -> None:
    """Every plugin by kind, without importing any.

    hds plugins list
    """
    rows = [_row(group, point) for group, points in plugins.every().items() for point in points.values()]
    lines = []
    for row in rows:
        whence = f"{row['distribution']} {row['version']}"
        lines.append(f"{row['name']:16}  {row['kind']:14}  {whence:20}  {row['path'] or '-'}")
    _print.result("hds.plugins/1", {"plugins": rows}, lines, as_json=json_)


@app.command()
def info(
    name: Annotated[str, typer.Argument(metavar="NAME")],
    json_: _options.Json = False,
) -> None:
    """Import one plugin and say whether it loads; exit 2 if it does not.

    hds plugins info wikipedia
    """
    everything = plugins.every()
    matching = [(group, points[name]) for group, points in everything.items() if name in points]
    if not matching:
        names = sorted({name for points in everything.values() for name in points})
        near = difflib.get_close_matches(name, names, 1)
        raise plugins.PluginError(
            f"there is no plugin {name!r}", hint=f"hds plugins info {near[0]}" if near else "hds plugins list"
        )
    rows = [_row(group, point) | _loading(group, name) for group, point in matching]
    lines = [f"{key + ':':14}{_in_words(value)}" for row in rows for key, value in row.items() if value is not None]
    _print.result("hds.plugins/1", {"plugins": rows}, lines, as_json=json_)
    if not all(row["loads"] for row in rows):
        raise typer.Exit(plugins.PluginError.exit_code)


def _loading(group: str, name: str) -> dict[str, Any]:
    """Import the plugin: `loads`, the `problem` if not, `about` from its docstring. Its prints go to stderr."""
    if group not in plugins.KNOWN:
        return {"loads": False, "problem": f"this version of hds does not know the kind {group}", "about": None}
    try:
        thing = plugins.load(group, name)
    except plugins.PluginError as exc:
        return {"loads": False, "problem": redact(exc.message), "about": None}
    about = str(getattr(thing, "__doc__", None) or "").strip().split("\n\n")[0]
    return {"loads": True, "problem": None, "about": " ".join(about.split()) or None}


def _row(group: str, point: EntryPoint) -> dict[str, Any]:
    return {
        "name": point.name,
        "kind": group.removeprefix("hds."),
        "distribution": plugins.distribution(point),
        "version": point.dist.version if point.dist else None,
        "target": point.value,
        "path": plugins.source_file(point),
    }


def _in_words(value: Any) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
