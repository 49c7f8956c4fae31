"""`hds config`: the settings, and where each value came from."""

from __future__ import annotations

import dataclasses
import os
from typing import Annotated, Any

import typer

from hds_cli import config, keys, paths, settings_file
from hds_cli.commands import _options, _print
from hds_cli.errors import UsageError
from hds_cli.settings_facts import facts, key_of

app = typer.Typer(
    help="Settings, and where each value came from.\n\nhds config show\n\nhds config set top_k 8",
    rich_markup_mode=None,
    add_completion=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.command()
def show(json_: _options.Json = False) -> None:
    """Every setting: its value, and whether it is the default or comes from the file, a profile or the environment.

    hds config show

    HDS_TOP_K=3 hds config show | grep top_k

    hds --profile fast config show
    """
    rows = _rows()
    document = {
        "file": str(paths.config_file()), "profiles": settings_file.profiles(paths.config_file()),
        "profile": os.environ.get("HDS_PROFILE") or None, "settings": rows, "keys": _keys(),
    }  # fmt: skip
    cells = [[str(row["key"]), _shown(row["value"]), str(row["origin"])] for row in rows]
    cells += [[f"key of {key['source']}", "(set)", key["origin"]] for key in _keys()]
    _print.result("hds.config/1", document, _print.Table(("setting", "value", "from"), cells), as_json=json_)


@app.command()
def get(
    key: Annotated[str, typer.Argument(metavar="KEY", help="As `hds config show` names it: top_k, searxng.url, …")],
    json_: _options.Json = False,
) -> None:
    """The value in force of one setting; an empty line where it is not set.

    hds config get model

    hds config get fetch.allow
    """
    rows = {str(row["key"]): row for row in _rows()}
    if key not in rows:
        name, _ = config.converted(key, "")  # an unknown name ends here, with the nearest one
        key = name
    row = rows.get(key, {"key": key, "value": None, "origin": "default"})
    _print.result("hds.setting/1", row, _shown(row["value"], ""), as_json=json_)


@app.command("set")
def set_(
    key: Annotated[str, typer.Argument(metavar="KEY", help="As `hds config show` names it.")],
    value: Annotated[list[str] | None, typer.Argument(metavar="VALUE…", help="Several for a list.")] = None,
    unset: Annotated[bool, typer.Option("--unset", help="Take the setting out of the file.")] = False,
) -> None:
    """Write one setting into the file; comments and order stay. With --profile NAME: into [profile.NAME].

    hds config set searxng.url http://localhost:8888

    hds config set source wikipedia notes

    hds --profile fast config set max_turns 3

    hds config set max_turns --unset
    """
    if unset == bool(value):
        raise UsageError("give a value, or --unset", hint=f"hds config set {key} VALUE")
    _refuse_key(key)
    name, converted = config.converted(key, ",".join(value) if value else _any(key))
    if converted == "" and not unset:
        raise UsageError(f"an empty text is no {name}", hint=f"hds config set {key} --unset")
    profile = os.environ.get("HDS_PROFILE") or None
    write(name, None if unset else converted, profile)
    where = f"{paths.config_file()}{f' [profile.{profile}]' if profile else ''}"
    _print.say(f"{name} {'taken out of' if unset else 'set in'} {where}")
    if name in (origins := _origins()) and origins[name].startswith("HDS_"):
        _print.say(f"note: {origins[name]} in the environment goes before the file")


@app.command()
def path(json_: _options.Json = False) -> None:
    """Where the settings file is, whether or not it exists.

    $EDITOR "$(hds config path)"
    """
    file = paths.config_file()
    _print.result("hds.path/1", {"path": str(file), "exists": file.exists()}, str(file), as_json=json_)


def write(key: str, value: Any, profile: str | None = None) -> None:
    """Change one setting of the file, unless the file would be wrong then.

    Raises:
        ConfigError: the file is broken, or the value is out of range.
        OutputError: it cannot be written.
    """
    where = ["profile", profile] if profile else []
    settings_file.change(paths.config_file(), [*where, *key.split(".")], value, config.check)


def _rows() -> list[dict[str, Any]]:
    settings = config.load()
    rows: list[dict[str, Any]] = []
    for f in config.fields():
        value = getattr(settings, f.name)
        origin = settings.origins.get(f.name, "default")
        rows.append({"key": key_of(f), "value": value, "origin": origin, "about": facts(f).doc})
    for name, own in sorted(settings.sources.items()):
        for option in (f.name for f in dataclasses.fields(own)):
            if (value := getattr(own, option)) is not None:
                key = f"sources.{name}.{option}"
                rows.append({"key": key, "value": value, "origin": settings.origins.get(key, "default"), "about": ""})
    return [
        row | {"value": keys.redact(row["value"]) if isinstance(row["value"], str) else row["value"]} for row in rows
    ]


def _origins() -> dict[str, str]:
    return {str(row["key"]): str(row["origin"]) for row in _rows()}


def _keys() -> list[dict[str, str]]:
    """The sources that have a key, and where each comes from; never the key."""
    return [{"source": name, "origin": origin} for name, origin in keys.present().items()]


def _refuse_key(key: str) -> None:
    """Refuse an API key as an argument: everyone on the machine can see it, and the shell's history keeps it."""
    last = key.lower().replace("-", "_").rpartition(".")[2]
    if last in ("key", "api_key", "token", "secret", "password") or last.endswith("_api_key"):
        raise UsageError(
            "keys are not set on the command line", hint=f'a line in {keys.keys_file()} (chmod 600):  NAME = "…"'
        )


def _any(key: str) -> str:
    """Some value of the setting's type: the look-up of a setting that is to be unset needs one."""
    for guess in ("", "1", "true"):
        try:
            config.converted(key, guess)
        except UsageError:
            continue
        return guess
    return "http://unset"


def _shown(value: Any, nothing: str = "-") -> str:
    if value is None or value == ():
        return nothing
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(value) if isinstance(value, tuple) else f"{value:g}" if isinstance(value, float) else str(value)
