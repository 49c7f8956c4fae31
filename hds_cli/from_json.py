"""Values that came from JSON, as the dataclasses they are meant to be; a journal may come from anywhere."""

from __future__ import annotations

import dataclasses
import functools
import types
from collections.abc import Iterator
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from hds_cli import bounds

_hints = functools.cache(get_type_hints)
_SIGNED = frozenset({"score", "seed", "n_gpu_layers", "n_ctx", "overlap"})  # all others are counts: never negative


def built(hint: Any, value: Any) -> Any:
    """`value`, which came from JSON, as the type `hint` says.

    Raises:
        ValueError: it has another type, lacks a field, or a number is out of its range.
    """
    kind, parts = get_origin(hint), get_args(hint)
    if dataclasses.is_dataclass(hint) and isinstance(hint, type) and isinstance(value, dict):
        known = {f.name: _hints(hint)[f.name] for f in dataclasses.fields(hint)}
        try:
            return hint(**{name: _field(name, known[name], item) for name, item in value.items() if name in known})
        except TypeError as exc:
            raise ValueError(str(exc)) from exc
    if kind is tuple and isinstance(value, list | tuple):
        return tuple(built(parts[0], item) for item in value)
    if kind in (Union, types.UnionType):
        return None if value is None and type(None) in parts else built(parts[0], value)
    if kind is Literal and value in parts:
        return value
    if kind is dict and isinstance(value, dict) and all(map(_in_range, _scalars(value))):
        return dict(value)
    if hint is float and bounds.is_number(value):
        return value
    if hint is int and type(value) is int and bounds.is_number(value):
        return value
    if hint in (str, bool) and type(value) is hint:
        return value
    raise ValueError(f"not {getattr(hint, '__name__', hint)}")


def _field(name: str, hint: Any, value: Any) -> Any:
    made = built(hint, value)
    if name == "error" and not all(isinstance((made or {}).get(part, ""), str) for part in ("code", "message")):
        raise ValueError("an error says what it is in words")
    if type(made) in (int, float) and name not in _SIGNED:
        most = bounds.MAX_SECONDS if hint is float else bounds.MAX_COUNT
        if not 0 <= made <= most:
            raise ValueError(f"{name} is out of range")
    return made


def _scalars(value: dict[str, Any]) -> Iterator[Any]:
    """The scalars in a value of JSON, however deep."""
    stack: list[Any] = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            stack.extend(item.values())
        elif isinstance(item, list):
            stack.extend(item)
        else:
            yield item


def _in_range(value: Any) -> bool:
    return type(value) not in (int, float) or bounds.is_number(value)


__all__ = ["built"]
