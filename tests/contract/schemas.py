"""The JSON Schemas that the package ships, and the one that is made from the event classes.

`validate(document)` finds the schema by the document's own name. `python -m tests.contract.schemas` writes
`event-1.json` anew after an event has changed.
"""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from collections.abc import Mapping
from typing import Any

from jsonschema import Draft202012Validator

from hds_cli import events
from tests.conftest import ROOT

FOLDER = ROOT / "hds_cli" / "schemas"
_PLAIN: dict[Any, dict[str, Any]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    type(None): {"type": "null"},
    Any: {},
}


def schema(name: str) -> dict[str, Any]:
    """The checked-in schema of a document, by the name in its key `schema`: `hds.run/1` is `run-1.json`."""
    path = FOLDER / f"{name.removeprefix('hds.').replace('/', '-')}.json"
    assert path.is_file(), f"{name} has no schema: write hds_cli/schemas/{path.name}"
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


def validate(document: Mapping[str, Any], name: str | None = None) -> None:
    """Compare a document with its schema; the first fault is the assertion's message."""
    checked = schema(name or str(document["schema"]))
    faults = sorted(Draft202012Validator(checked).iter_errors(document), key=lambda fault: list(map(str, fault.path)))
    assert not faults, f"{name or document['schema']}: {faults[0].json_path}: {faults[0].message}"


def event_schema() -> dict[str, Any]:
    """The schema of a line of `--jsonl`, made from the event classes."""
    classes = typing.get_args(events.Event)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:hds:event:1",
        "title": "A line of --jsonl",
        "oneOf": [_object(cls, {"event": {"const": events.event_name(cls)}}) for cls in classes],
    }


def _object(cls: Any, first: dict[str, Any] | None = None) -> dict[str, Any]:
    hints = typing.get_type_hints(cls)
    properties = (first or {}) | {field.name: _type(hints[field.name]) for field in dataclasses.fields(cls)}
    return {
        "title": cls.__name__,
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _type(hint: Any) -> dict[str, Any]:
    """The schema of a field's type; tuples are arrays, as JSON has them."""
    if dataclasses.is_dataclass(hint):
        return _object(hint)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        return {"enum": list(arguments)}
    if origin is tuple:
        return {"type": "array", "items": _type(arguments[0])}
    if origin is dict:
        return {"type": "object", "additionalProperties": _type(arguments[1])}
    if origin in (typing.Union, types.UnionType):
        return {"anyOf": [_type(argument) for argument in arguments]}
    return dict(_PLAIN[hint])


def main() -> None:
    text = json.dumps(event_schema(), indent=1)
    (FOLDER / "event-1.json").write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    main()
