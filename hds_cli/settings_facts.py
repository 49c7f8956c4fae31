"""The facts of a setting besides its value: `setting(default, doc, …)` puts them into the field's metadata.

Options of commands, checks, the manual, completion and what a rerun compares are all made from these facts.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hds_cli.errors import ConfigError

Field = dataclasses.Field[Any]
_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}
DURATION = r"\s*([0-9]{1,6}) ?([smh]?)\s*"
"""The form of a time such as `90s`, `10m`, `1h` or `90`."""


@dataclass(frozen=True)
class Flag:
    """The command-line option of a setting.

    Args:
        help: what `--help` says, without the default.
        metavar: how the value is called there; empty for a switch, or where `choices` say it.
        name: the long option; made of the field's name if empty.
        short: the one-letter option.
        asking: the commands that ask questions (`ask`, `eval`, `tune`) have it.
        switch: of a setting with choices, those that the option and its `--no-` stand for.
    """

    help: str
    metavar: str = ""
    name: str = ""
    short: str = ""
    asking: bool = True
    switch: tuple[str, str] | None = None


@dataclass(frozen=True)
class Facts:
    """All that is known of one setting.

    Args:
        doc: one line for the manual and `hds config show --json`.
        key: its dotted key in the file; the field's name if empty.
        env: its variable; `HDS_` and the key in capitals if empty.
        least, most: the bounds, both allowed; `above`: a bound that is not.
        unit: of the bounds, in messages: `seconds`, `tokens`.
        choices: the only values there are.
        form: a regular expression that a value has to match as a whole.
        address: it is an address of the web.
        time: it is a number of seconds that may be written as a time such as `90s`, `10m` or `1h`.
        shapes: it decides what a run does, and is kept with the run; a rerun and `--resume` take it from there.
        world: it says where and with what a run searched; `--continue` takes it from the earlier run.
        indifferent: it changes where and how fast, never which results an evaluation has.
    """

    doc: str
    key: str = ""
    env: str = ""
    least: float | None = None
    most: float | None = None
    above: float | None = None
    unit: str = ""
    choices: tuple[str, ...] = ()
    form: str = ""
    address: bool = False
    time: bool = False
    flag: Flag | None = None
    shapes: bool = False
    world: bool = False
    indifferent: bool = False


def setting(default: Any, doc: str, **facts: Any) -> Any:
    """A field of `Settings` with its facts; the keywords are those of `Facts`."""
    return field(default=default, metadata={"facts": Facts(doc, **facts)})


@dataclass(frozen=True)
class SourceSettings:
    """The settings of one source: the table `[sources.NAME]`, or `HDS_<NAME>_<OPTION>` for all but `every`."""

    url: str | None = setting(
        None, "address of its API instead of the public one; its host may be a private one", address=True
    )
    language: str | None = setting(None, "language code, where the source has several")
    every: float | None = setting(None, "seconds between two requests; unset: what the service asks for", least=0)
    path: str | None = setting(None, "file or folder that it searches; for mcp the command of a server")
    reader: str | None = setting(
        None, "address of a service that reads pages (Jina); unset: they are fetched", address=True
    )


SOURCE_VARIABLES = frozenset(f.name.upper() for f in dataclasses.fields(SourceSettings) if f.name != "every")
"""What a variable of a source ends in: `HDS_WIKIPEDIA_LANGUAGE`."""


def facts(f: Field) -> Facts:
    """The facts of a field."""
    known: Facts = f.metadata["facts"]
    return known


def key_of(f: Field) -> str:
    return facts(f).key or f.name


def env_of(f: Field) -> str:
    return facts(f).env or "HDS_" + key_of(f).upper().replace(".", "_")


def flag_of(f: Field) -> str:
    """The long option, such as `--top-k`, whether or not any command has it."""
    known = facts(f).flag
    return (known.name if known else "") or f"--{f.name.replace('_', '-')}"


def complaint(f: Field, value: Any) -> tuple[str, str | None] | None:
    """The complaint about a wrong value, as the end of a sentence about the setting, and a hint; None: it is right."""
    known = facts(f)
    if value is None:
        return None
    if known.choices and value not in known.choices:
        return f"knows no {value!r}", f"one of: {', '.join(known.choices)}"
    if known.form and not re.fullmatch(known.form, value):
        return f"is not understood: {value!r}", known.doc
    if known.address and not value.startswith(("http://", "https://")):
        return "must begin with http:// or https://", None
    if not any(bound is not None for bound in (known.least, known.most, known.above)):
        return None
    unit = f" {known.unit}" if known.unit else ""
    shown = f"{value:g}" if isinstance(value, float) else str(value)
    if known.above is not None and not value > known.above:
        return f"must be more than {known.above:g}{unit}, not {shown}", None
    if known.least is not None and known.most is not None and not known.least <= value <= known.most:
        return f"must be between {known.least:g} and {known.most:g}{unit}, not {shown}", None
    if known.least is not None and not value >= known.least:
        return f"must be at least {known.least:g}{unit}, not {shown}", None
    return None


def seconds(duration: str) -> float:
    """The seconds of `90s`, `10m`, `1h` or `90`."""
    match = re.fullmatch(DURATION, duration)
    assert match is not None, duration
    return float(match[1]) * _UNITS[match[2]]


def nearest(name: str, known: Mapping[str, Any]) -> str:
    """A hint to an unknown name: the nearest one, or all of them."""
    import difflib

    close = difflib.get_close_matches(name, known, 1)
    return f"did you mean {close[0]!r}?" if close else "known settings: " + ", ".join(known)


# --- values ----------------------------------------------------------------------------------------------------------

_TRUTH = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
TIME = "time"
"""The type of a number of seconds that may be written as `90s`, `15m` or `1.5h`."""

_TIME = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,3})?) ?([smh])")
_KINDS = (
    (TIME, "a number of seconds, or a time such as 90s, 15m or 1h"),
    ("tuple", "a list of texts"), ("bool", "true or false"), ("int", "a whole number"), ("float", "a number"),
)  # fmt: skip


def convert(raw: Any, hint: Any, where: str, *, strict: bool = False) -> Any:
    """A value as its field wants it.

    Args:
        hint: the field's type.
        strict: `raw` has a type of its own (TOML): a number in quotes is text.

    Raises:
        ConfigError: it is of another kind.
    """
    kind = next((name for name, _ in _KINDS if name in str(hint)), "str")
    try:
        if strict and kind not in ("str", "tuple", TIME) and isinstance(raw, str):
            raise ValueError
        return _CONVERTERS[kind](raw)
    except (ValueError, KeyError, OverflowError):
        called = dict(_KINDS).get(kind, "text")
        raise ConfigError(f"{where} must be {called}, not {raw!r}") from None


def _texts(raw: Any) -> tuple[str, ...]:
    items = raw if isinstance(raw, list | tuple) else str(raw).split(",")
    return tuple(str(item).strip() for item in items if str(item).strip())


def _truth(raw: Any) -> bool:
    return raw if isinstance(raw, bool) else _TRUTH[str(raw).strip().lower()]


def _whole(raw: Any) -> int:
    if isinstance(raw, bool | list) or (isinstance(raw, float) and not raw.is_integer()):
        raise ValueError
    return int(raw)


def _number(raw: Any) -> float:
    if isinstance(raw, bool | list):
        raise ValueError
    return float(raw)


def _time(raw: Any) -> float:
    match = _TIME.fullmatch(raw.strip()) if isinstance(raw, str) else None
    return float(match[1]) * _UNITS[match[2]] if match else _number(raw)


def _text(raw: Any) -> str:
    if not isinstance(raw, str):
        raise ValueError
    return raw


_CONVERTERS: dict[str, Callable[[Any], Any]] = {
    TIME: _time, "tuple": _texts, "bool": _truth, "int": _whole, "float": _number, "str": _text
}  # fmt: skip
