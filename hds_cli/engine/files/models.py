"""Models: what they are called, where their files lie, their checksum."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from hds_cli.engine.base import ModelSpec
from hds_cli.engine.files import library, remembered
from hds_cli.engine.files.gguf import GgufHeader, names_searcher, names_tool_caller, read_header
from hds_cli.engine.files.known import SHORT_NAMES
from hds_cli.errors import ModelMissing
from hds_cli.plugins import entry_points, make

GROUP = "hds.models.v1"
MADE_FOR, NAMED = "the model was made for it", "its metadata name HybridDeepSearcher"
"""The reasons for a dialect that need not be told."""

_BLOCK = 1 << 20  # bytes that are read at once

__all__ = [
    "GROUP",
    "GgufHeader",
    "dialect_of",
    "fingerprint",
    "fingerprints",
    "read_header",
    "resolve",
    "template_digest",
]


def resolve(name: str | None) -> ModelSpec:
    """The model called `name`: an installed or pulled one, or a path to a GGUF file. Without a name: the starter.

    Raises:
        ModelMissing: no such file or name.
    """
    installed = entry_points(GROUP)
    if name is None:
        if "starter" not in installed:
            raise _no_model()
        try:
            return _installed("starter")
        except ModelMissing:
            raise _no_model() from None
    if name in installed:
        return _installed(name)
    if (record := library.find(name)) is not None:
        return ModelSpec(name=record.name, path=record.path, known_as=_names(record))
    path = Path(name).expanduser()
    if path.exists() or path.suffix == ".gguf" or os.sep in name:
        return ModelSpec(name=path.stem, path=path, known_as=_names(library.holding(path)))
    known = [*installed, *(record.name for record in library.pulled())]
    raise ModelMissing(f"there is no model {name!r}", hint=_hint(name, known))


def dialect_of(header: GgufHeader, spec: ModelSpec) -> tuple[str, str]:
    """The dialect that fits a model's file, and why: its own where a name tells, else by template and size."""
    if spec.dialect:
        return spec.dialect, MADE_FOR
    if header.looks_like_searcher:
        return "hds", NAMED
    for what, name in (("its file's name", spec.path.name), *spec.known_as):
        if names_searcher(name):
            return "hds", f"{what} is {name}"
    if not header.chat_template:
        return "hds", "it carries no chat template"
    if "<tool_call>" in header.chat_template:
        for what, name in (
            ("the name in its metadata", header.names),
            ("its file's name", spec.path.name),
            *spec.known_as,
        ):
            if names_tool_caller(name):
                return "tools", f"its chat template has tool calls, and {what} says that it was trained on them"
    millions = header.parameters / 1e6
    size = f"{millions / 1e3:.1f} billion parameters" if millions >= 1e3 else f"{millions:.0f} million parameters"
    if header.able:
        return "chat", f"it carries a chat template and has {size}"
    return "guided", f"with {size} it is too small for a conversation of searches"


def _names(record: library.Record | None) -> tuple[tuple[str, str], ...]:
    """What a pulled model is known as."""
    if record is None:
        return ()
    named = (("its repository", record.repo), ("its address", record.url), ("what was pulled", record.asked))
    return tuple((what, name) for what, name in named if name)


def _installed(name: str) -> ModelSpec:
    spec: ModelSpec = make(GROUP, name, needs=("name", "path"))
    return spec


def _no_model() -> ModelMissing:
    return ModelMissing(
        "no model is set up, and the starter is not installed",
        hint='pip install "hds-cli[starter]"   or   hds model suggest',
    )


def _hint(name: str, known: Iterable[str]) -> str:
    if name.partition(":")[0] in SHORT_NAMES or name.count("/") == 1:
        return f"hds model pull {name}"
    return library.nearest(name, known)


def template_digest(header: GgufHeader) -> str | None:
    """SHA-256 of the chat template a file carries."""
    return hashlib.sha256(header.chat_template.encode()).hexdigest() if header.chat_template else None


def fingerprint(path: Path) -> str | None:
    """SHA-256 of a file; remembered by path, size and time of change, as the file may be gigabytes large.

    None: it cannot be read, or is no file but a device or a pipe, which may have no end.
    """
    try:
        known = path.stat()
        if not stat.S_ISREG(known.st_mode):
            return None
        key = f"{path.resolve()}|{known.st_size}|{known.st_mtime_ns}"
        if (kept := remembered.get("models.json", key)) is not None:
            return kept
        with path.open("rb") as stream:
            digest = _digest(stream, known.st_size)
    except (OSError, ValueError, RuntimeError):
        return None
    remembered.put("models.json", key, digest)
    return digest


def fingerprints(spec: ModelSpec) -> tuple[str | None, str | None]:
    """The checksums of a model's file and of its adapter's; None: there is no such file."""
    return fingerprint(spec.path), fingerprint(spec.lora) if spec.lora else None


def _digest(stream: BinaryIO, size: int) -> str:
    """SHA-256 of the first `size` bytes."""
    digest = hashlib.sha256()
    while size > 0 and (data := stream.read(min(size, _BLOCK))):
        digest.update(data)
        size -= len(data)
    return digest.hexdigest()
