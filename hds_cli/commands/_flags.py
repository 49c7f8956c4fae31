"""Options that are settings, made from the facts of the settings: none is written twice."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from types import NoneType
from typing import Annotated, Any, get_args, get_type_hints

import typer

from hds_cli import config
from hds_cli.settings_facts import TIME, Field, convert, facts, flag_of

Flags = Mapping[str, Any]
"""Field name -> value of the options that were given; `config.load` takes it."""


def with_flags(*names: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Decorator: the options of these settings, in their order, take the place of a command's parameter `flags`.

    Args:
        names: the fields; none: all fields that the commands which ask questions have. An option of the command's own
            goes before a setting's option of the same name.
    """
    fields = [f for f in config.fields() if (f.name in names if names else _of_asking(f))]

    def decorated(command: Callable[..., None]) -> Callable[..., None]:
        hints = get_type_hints(command, include_extras=True)
        own = list(inspect.signature(command).parameters.values())
        taken = {p.name for p in own}
        derived = [_parameter(f) for f in fields if f.name not in taken]

        @functools.wraps(command)
        def called(**values: Any) -> None:
            given = {p.name: values.pop(p.name) for p in derived}
            command(**values, flags={f: _value(f, value) for f, value in given.items() if value is not None})

        parameters: list[inspect.Parameter] = []
        for p in own:
            if p.name == "flags":
                parameters += derived
            else:
                parameters.append(p.replace(annotation=hints[p.name], kind=inspect.Parameter.KEYWORD_ONLY))
        called.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        called.__annotations__ = {p.name: p.annotation for p in parameters}
        del called.__wrapped__
        return called

    return decorated


def _value(name: str, given: Any) -> Any:
    """The value of a setting for what its option got."""
    if name in _times():
        return convert(given, TIME, _times()[name])
    switch = _switches().get(name)
    if switch is not None:
        return switch[0 if given else 1]
    return tuple(given) if isinstance(given, list) else given


@functools.cache
def _switches() -> dict[str, tuple[str, str]]:
    return {f.name: flag.switch for f in config.fields() if (flag := facts(f).flag) and flag.switch}


@functools.cache
def _times() -> dict[str, str]:
    """The options that take a time; field name -> option."""
    return {f.name: flag_of(f) for f in config.fields() if facts(f).time}


def _of_asking(f: Field) -> bool:
    flag = facts(f).flag
    return flag is not None and flag.asking


def _parameter(f: Field) -> inspect.Parameter:
    """The option of a setting; its default is None, which is `not given`."""
    flag = facts(f).flag
    assert flag is not None, f"{f.name} is no option"
    names = [flag_of(f), *([flag.short] if flag.short else [])]
    kind = bool if flag.switch else _kind(f)
    switch = kind is bool
    metavar = flag.metavar or "|".join(facts(f).choices) or None
    help_text = flag.help if f.default is None or switch or f.default == () else f"{flag.help} [{f.default}]."
    option = typer.Option(*names, metavar=None if switch else metavar, help=help_text)
    return inspect.Parameter(
        f.name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind | None, option]
    )


def _kind(f: Field) -> Any:
    """The type of one value on the command line."""
    hint = config.hint_of(f)
    if hint == TIME:
        return str
    if hint == tuple[str, ...]:
        return list[str]
    return next((part for part in get_args(hint) if part is not NoneType), hint)
