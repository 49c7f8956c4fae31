"""The settings file: read with a word on where a key stands, and changed so that comments and order stay."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from hds_cli import paths
from hds_cli.errors import ConfigError, OutputError


def read(path: Path) -> dict[str, Any]:
    """The file as nested tables; empty when there is none.

    Raises:
        ConfigError: it cannot be read, or is not TOML.
    """
    import tomli

    try:
        return tomli.loads(path.read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigError(f"cannot read {path}: {exc}") from exc
    except tomli.TOMLDecodeError as exc:
        raise ConfigError(f"{path} is not TOML: {exc}") from exc


def profiles(path: Path) -> list[str]:
    """The names of the tables `[profile.NAME]` of the file."""
    tables = read(path).get("profile", {})
    return sorted(tables) if isinstance(tables, dict) else []


def place(path: Path, key: str) -> str:
    """`FILE, line N` for a dotted key: the line where its value, or its table, begins.

    TOML libraries do not keep lines: the file's first lines are parsed, one more each time, until the key is there.
    """
    import tomli

    try:
        lines = path.read_text("utf-8").splitlines(keepends=True)
    except (OSError, UnicodeDecodeError):
        return str(path)
    whole = 0  # lines that parsed before the key was there; a value of many lines begins behind them
    for count in range(1, len(lines) + 1):
        try:
            table = tomli.loads("".join(lines[:count]))
        except tomli.TOMLDecodeError:
            continue
        if holds(table, key):
            begun = next(
                (n for n in range(whole, count) if lines[n].strip() and not lines[n].lstrip().startswith("#")), 0
            )
            return f"{path}, line {begun + 1}"
        whole = count
    return str(path)


def flat(table: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested tables as one, with dotted keys."""
    values: dict[str, Any] = {}
    for key, value in table.items():
        if isinstance(value, dict):
            values |= flat(value, f"{prefix}{key}.")
        else:
            values[prefix + key] = value
    return values


def holds(table: Mapping[str, Any], key: str) -> bool:
    """True when a dotted key is in nested tables."""
    node: Any = table
    for part in key.split("."):
        if not isinstance(node, Mapping) or part not in node:
            return False
        node = node[part]
    return True


def change(path: Path, key: Sequence[str], value: Any, check: Callable[[dict[str, Any]], object]) -> None:
    """Set one key, or remove it (`None`); everything else stays as it is written, comments included.

    The file is replaced in one piece, keeps its mode, and stays where a link to it points.

    Args:
        check: is given the new content before it is written, and raises if that is wrong.

    Raises:
        ConfigError: it is not TOML, or a part of the key is not a table.
        OutputError: it cannot be written.
    """
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        document = tomlkit.parse(path.read_text("utf-8") if path.exists() else "")
        _put(document, key, value)
        text = tomlkit.dumps(document)
    except (TOMLKitError, UnicodeDecodeError) as exc:
        raise ConfigError(f"{path} is not TOML: {exc}") from exc
    except OSError as exc:
        raise ConfigError(f"cannot read {path}: {exc}") from exc
    check(document.unwrap())
    _replace(path, text)


def _put(document: Any, key: Sequence[str], value: Any) -> None:
    import tomlkit

    node = document
    for part in key[:-1]:
        if part not in node:
            if value is None:
                return
            node[part] = tomlkit.table(is_super_table=part != key[-2])
        node = node[part]
        if not hasattr(node, "items"):
            raise ConfigError(f"{part!r} in the settings file is a value, not a table")
    if value is None:
        node.pop(key[-1], None)
    else:
        node[key[-1]] = list(value) if isinstance(value, tuple) else value


def _replace(path: Path, text: str) -> None:
    target = path.resolve()
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        paths.private_dir(target.parent)
        paths.write_private(part, text)
        with contextlib.suppress(FileNotFoundError):
            part.chmod(target.stat().st_mode & 0o777)
        os.replace(part, target)
    except OSError as exc:
        raise OutputError(f"cannot write {path}: {exc.strerror or exc}", hint="HDS_CONFIG=OTHER/config.toml") from exc
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
