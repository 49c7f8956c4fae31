"""Small facts about files that are costly to find out again; kept in the cache directory, and safe to lose."""

from __future__ import annotations

import contextlib
import json
import os

from hds_cli import jsons, paths

_MAX_BYTES = 1 << 20  # a longer file is no JSON when it is read, and begun anew


def get(file: str, key: str) -> str | None:
    """The value kept in `file` under `key`."""
    value = _read(file).get(key)
    return value if isinstance(value, str) else None


def put(file: str, key: str, value: str) -> None:
    """Keep `value`; a home that cannot be written only costs the memory of it."""
    path = paths.cache_dir() / file
    with contextlib.suppress(OSError):
        paths.private_dir(path.parent)
        part = path.with_suffix(f".{os.getpid()}.part")
        paths.write_private(part, json.dumps(_read(file) | {key: value}))
        os.replace(part, path)


def _read(file: str) -> dict[str, object]:
    try:
        with (paths.cache_dir() / file).open("rb") as stream:
            known = jsons.loads(stream.read(_MAX_BYTES))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}
