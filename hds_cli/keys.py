"""API keys: where they come from, a type that does not print them, and `redact` for all that leaves the program."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import json
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

from hds_cli import paths
from hds_cli.errors import ConfigError

_HIDDEN = "***"
_SHORTEST = 8  # a shorter value is an ordinary word such as `public`; hiding it would hide half of every message
_VARIABLE = re.compile(r"HDS_[A-Z0-9_]+_API_KEY")
_PARAMETER = re.compile(r"(?i)(?<![\w-])([\w.-]{0,60}(?:key|token|secret|authorization)[\w-]{0,30}=)[^\s&#;\"'<>…]+")
_HEADER = re.compile(
    r"(?i)\b((?:proxy-)?authorization|x-[\w-]*(?:key|token)|api[-_]?key)([\"']?\s*:\s*[\"']?)"
    r"((?:bearer|bot|basic|token)\s+)?[^\s,;\"'}]+"
)

# Secrets that a settings file can hold: a value named like one, a password in an address, a key in its parameters.
_HELD = re.compile(
    r"(?im)^\s*[\w.\"'-]*(?:key|token|secret|password)[\"']?\s*=\s*[\"']?[^\"'\s]"
    r"|^[^#\n]*(?:://[^/\s\"'@:]*:[^/\s\"'@]+@|[?&][\w-]*(?:key|token|secret)[\w-]*=[^&\s\"'])"
)

_PASSWORD = re.compile(r"(://[^/\s\"'@:]*:)[^/\s\"'@]+@")


# Variables that a child process has no use for, by patterns of their names.
_SECRET_NAMES = ("API_KEY", "TOKEN", "SECRET", "PASSWORD", "CREDENTIAL")


class Secret:
    """A key that shows itself only to `reveal()`; printed, formatted or as JSON it is `***` or an error."""

    __slots__ = ("__value",)

    def __init__(self, value: str) -> None:
        self.__value = value

    def reveal(self) -> str:
        """The key itself, to put it into a request."""
        return self.__value

    def __repr__(self) -> str:
        return _HIDDEN

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return _HIDDEN

    def __reduce__(self) -> str:
        raise TypeError("a key is not pickled")


def without_secrets(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment of a child process: this one's, without keys, tokens and passwords."""
    return {name: value for name, value in environ.items() if not any(w in name.upper() for w in _SECRET_NAMES)}


def variable(name: str) -> str:
    """The environment variable of a source's key."""
    return f"HDS_{re.sub(r'[^A-Z0-9]', '_', name.upper())}_API_KEY"


def keys_file() -> Path:
    """`keys.toml`, beside the settings file; it must be readable by its owner alone."""
    return paths.config_file().parent / "keys.toml"


def api_key(name: str) -> Secret | None:
    """The key of the source `name`: from its environment variable, or from `keys.toml` (`name = "…"`).

    Raises:
        ConfigError: the file is open to others or broken, or the key holds what no header can carry.
    """
    value, where = os.environ.get(variable(name), "").strip(), variable(name)
    if not value:
        path = keys_file()
        value, where = _in_file(path).get(name, "").strip(), str(path)
    if not value:
        return None
    if not value.isascii() or not value.isprintable() or " " in value:
        raise ConfigError(f"the key of {name} ({where}) holds blanks or characters that no key has")
    return Secret(value)


def _in_file(path: Path) -> dict[str, str]:
    """The keys of a file.

    Raises:
        ConfigError: others may read it, it is not TOML, or a value is not text.
    """
    try:
        about = path.stat()
    except OSError:
        return {}
    mode = about.st_mode
    for place, owner in ((path, about.st_uid), (path.parent, path.parent.stat().st_uid)):
        if os.name == "posix" and owner not in (0, os.geteuid()):  # the rule of ssh
            raise ConfigError(
                f"{place} belongs to another user", hint="HDS_HOME=FOLDER, or HDS_CONFIG=FILE, of your own"
            )
    if os.name == "posix" and mode & 0o077:
        raise ConfigError(f"{path} holds keys and others may read it (mode {mode & 0o777:o})", hint=f"chmod 600 {path}")
    import tomli

    problem = ""
    try:
        table = tomli.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError):
        problem = "cannot be read"
    except tomli.TOMLDecodeError:
        problem = "is not TOML"
    if problem:  # raised out here: the cause may quote a line, and the line is a key
        raise ConfigError(f"{path} {problem}", hint='one line for each key, such as:  brave = "…"')
    if wrong := [name for name, value in table.items() if not isinstance(value, str)]:
        raise ConfigError(f"{path}: {wrong[0]} must be text in quotes")
    return table


def present() -> dict[str, str]:
    """The sources that have a key: lower-case name -> the variable or the file it stands in; never the key itself.

    Raises:
        ConfigError: the file is open to others or broken.
    """
    path = keys_file()
    origins = {name: str(path) for name, value in _in_file(path).items() if value.strip()}
    for name, value in os.environ.items():
        if value.strip() and _VARIABLE.fullmatch(name):
            origins[name.removeprefix("HDS_").removesuffix("_API_KEY").lower()] = name
    return dict(sorted(origins.items()))


def exposed(path: Path) -> str | None:
    """The warning about a settings file that holds a key or a password and that others may read (R10.4)."""
    try:
        mode = path.stat().st_mode
        held = os.name == "posix" and mode & 0o077 and _HELD.search(path.read_text("utf-8", "replace"))
    except OSError:
        return None
    return f"{path} holds a key or a password and others may read it; chmod 600 {path}" if held else None


def redact(text: str) -> str:
    """`text` with `***` for known keys, for parameters and headers named like one, and for passwords in addresses.

    A key is found as it is, URL-quoted, as JSON, in hexadecimal and in base64.
    """
    for value in sorted(_known(), key=len, reverse=True):
        for form in sorted(_forms(value), key=len, reverse=True):
            text = text.replace(form, _HIDDEN)
    text = _PARAMETER.sub(rf"\1{_HIDDEN}", _PASSWORD.sub(rf"\1{_HIDDEN}@", text))
    return _HEADER.sub(rf"\1\2\3{_HIDDEN}", text)


def hider() -> Callable[[Any], Any] | None:
    """A function that puts `***` for the keys known now, in a text or in every text of a value; None: there is no key.

    Unlike `redact` it leaves parameters of addresses alone: a page at `?keyword=tides` must stay findable.
    """
    forms = sorted({form for value in _known() for form in _forms(value)}, key=len, reverse=True)
    if not forms:
        return None

    def hide(value: Any) -> Any:
        if isinstance(value, str):
            for form in forms:
                value = value.replace(form, _HIDDEN)
        elif isinstance(value, tuple | list):
            return type(value)(hide(item) for item in value)
        elif isinstance(value, dict):
            return {key: hide(item) for key, item in value.items()}
        elif dataclasses.is_dataclass(value) and not isinstance(value, type):
            return dataclasses.replace(
                value, **{f.name: hide(getattr(value, f.name)) for f in dataclasses.fields(value)}
            )
        return value

    return hide


def _known() -> set[str]:
    values = {value.strip() for name, value in os.environ.items() if _VARIABLE.fullmatch(name)}
    with contextlib.suppress(ConfigError, OSError):  # nobody got a key from a file that is refused
        values |= {value.strip() for value in _in_file(keys_file()).values()}
    return {value for value in values if len(value) >= _SHORTEST}


def _forms(value: str) -> set[str]:
    data = value.encode("utf-8", "surrogateescape")
    encoded = {encode(data).decode() for encode in (base64.b64encode, base64.urlsafe_b64encode)}
    quoted = {
        quote(value, errors="replace"),
        quote(value, safe="", errors="replace"),
        quote_plus(value, errors="replace"),
    }
    written = {value, *quoted, json.dumps(value)[1:-1], repr(value)[1:-1], data.hex(), *encoded}
    return {form for full in written for form in (full, full.rstrip("=")) if len(form) >= _SHORTEST}
