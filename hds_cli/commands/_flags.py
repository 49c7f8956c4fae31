"""The flags of `hds ask` that are settings, for every command that asks questions: none is written twice."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any, get_type_hints

from hds_cli import config
from hds_cli.commands.ask import ask


def with_ask_flags(command: Callable[..., None]) -> Callable[..., None]:
    """`command`, which takes `settings`, with the flags of `hds ask` in its place."""
    named = {field.name for field in config.fields()}
    hints = get_type_hints(ask, include_extras=True)
    flags = [p for name, p in inspect.signature(ask).parameters.items() if name in named]

    @wraps(command)
    def called(**values: Any) -> None:
        given = {p.name: values.pop(p.name) for p in flags}
        given = {name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}
        command(**values, settings=config.load(given))

    own_hints = get_type_hints(command, include_extras=True)
    own = [p for name, p in inspect.signature(command).parameters.items() if name != "settings"]
    parameters = [
        p.replace(annotation=(hints | own_hints)[p.name], kind=inspect.Parameter.KEYWORD_ONLY)
        for p in (*own, *(p for p in flags if p.name not in {o.name for o in own}))
    ]
    called.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    called.__annotations__ = {p.name: p.annotation for p in parameters}
    del called.__wrapped__
    return called
