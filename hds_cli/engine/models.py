"""GGUF files: what they are called, where they lie, what their header says, their checksum."""

from __future__ import annotations

import hashlib
import json
import os
import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from hds_cli import paths
from hds_cli.engine import library
from hds_cli.engine.base import ModelSpec
from hds_cli.engine.known import SHORT_NAMES
from hds_cli.errors import ModelMissing, ModelUnusable
from hds_cli.plugins import entry_points, make

GROUP = "hds.models.v1"
_SCALARS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}
_STRING, _ARRAY = 8, 9
_MAX_STRING = 16 << 20
# llama.cpp's `general.file_type`, the ones in common use.
_FILE_TYPES = {0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 7: "Q8_0", 8: "Q5_0", 9: "Q5_1", 10: "Q2_K", 11: "Q3_K_S"} | {
    12: "Q3_K_M", 13: "Q3_K_L", 14: "Q4_K_S", 15: "Q4_K_M", 16: "Q5_K_S", 17: "Q5_K_M", 18: "Q6_K", 32: "BF16"
}  # fmt: skip


@dataclass(frozen=True)
class GgufHeader:
    """The start of a GGUF file: version, number of tensors, and the metadata that is not an array."""

    version: int
    tensors: int
    metadata: dict[str, Any] = field(default_factory=dict)

    @property
    def quantization(self) -> str | None:
        kind = self.metadata.get("general.file_type")
        return _FILE_TYPES.get(kind, f"type {kind}") if kind is not None else None

    @property
    def chat_template(self) -> str | None:
        template = self.metadata.get("tokenizer.chat_template")
        return template if isinstance(template, str) else None

    @property
    def looks_like_searcher(self) -> bool:
        """Trained on the search markers, going by the names its file carries."""
        said = " ".join(str(v) for k, v in self.metadata.items() if k.startswith("general.") and isinstance(v, str))
        flat = said.lower().replace("-", "").replace("_", "").replace(" ", "")
        return "hybriddeepsearcher" in flat


class _Reader:
    """Reads GGUF values; every length is checked against the file before anything is allocated."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self.stream, self.size = stream, size

    def take(self, count: int) -> bytes:
        if count < 0 or self.stream.tell() + count > self.size:
            raise ValueError("it ends too early")
        return self.stream.read(count)

    def scalar(self, kind: int) -> Any:
        form = _SCALARS.get(kind)
        if form is None:
            raise ValueError(f"it has a value of the unknown type {kind}")
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def string(self) -> str:
        length = self.scalar(10)
        if length > _MAX_STRING:
            raise ValueError("a text in its header is too long")
        return self.take(length).decode("utf-8", "replace")

    def value(self, kind: int) -> Any:
        if kind == _STRING:
            return self.string()
        if kind != _ARRAY:
            return self.scalar(kind)
        item, count = self.scalar(4), self.scalar(10)
        if item == _STRING:
            for _ in range(min(count, self.size)):
                length = self.scalar(10)
                self.take(0)
                self.skip(length)
        elif item in _SCALARS:
            self.skip(count * struct.calcsize(_SCALARS[item]))
        else:
            raise ValueError("it has an array of an unknown type")
        return None

    def skip(self, count: int) -> None:
        if self.stream.tell() + count > self.size:
            raise ValueError("it ends too early")
        self.stream.seek(count, os.SEEK_CUR)


def read_header(path: Path) -> GgufHeader:
    """Read and check the start of a GGUF file (GGUF specification, versions 2 and 3) before llama.cpp sees it.

    Raises:
        ModelMissing: there is no such file.
        ModelUnusable: it cannot be read, is something else, or is cut off.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as stream:
            return _header(_Reader(stream, size))
    except FileNotFoundError:
        raise ModelMissing(f"there is no model file {path}", hint="hds ask -m PATH/TO/MODEL.gguf …") from None
    except IsADirectoryError:
        raise ModelUnusable(f"{path} is a folder, not a GGUF file") from None
    except OSError as exc:
        raise ModelUnusable(f"cannot read {path}: {exc.strerror}") from exc
    except ValueError as exc:
        raise ModelUnusable(f"{path} is not a usable GGUF file: {exc}", hint="download it again") from exc


def _header(reader: _Reader) -> GgufHeader:
    if reader.size == 0:
        raise ValueError("it is empty")
    magic = reader.take(4)
    if magic != b"GGUF":
        raise ValueError(_what_it_is(magic + reader.stream.read(60)))
    version, tensors, count = reader.scalar(4), reader.scalar(10), reader.scalar(10)
    if version not in (2, 3):
        raise ValueError(f"GGUF version {version} is not supported (2 and 3 are)")
    # Every entry takes at least a dozen bytes: larger counts are lies.
    if tensors * 24 > reader.size or count * 12 > reader.size:
        raise ValueError("its header does not fit its size")
    metadata = {}
    for _ in range(count):
        key = reader.string()
        value = reader.value(reader.scalar(4))
        if value is not None:
            metadata[key] = value
    last = 0
    for _ in range(tensors):
        reader.string()
        for _ in range(min(reader.scalar(4), 8)):
            reader.scalar(10)
        reader.scalar(4)
        last = max(last, reader.scalar(10))
    if reader.stream.tell() + last > reader.size:
        raise ValueError("it is cut off: the weights are not all there")
    return GgufHeader(version, tensors, metadata)


def _what_it_is(start: bytes) -> str:
    if start.startswith(b"version https://git-lfs"):
        return "it is a Git LFS pointer; the weights were not downloaded"
    if start.lstrip()[:1] == b"<":
        return "it is a web page; the download did not work"
    return "it does not begin with GGUF"


def resolve(name: str | None) -> ModelSpec:
    """The model that is meant: the name of an installed or pulled one, or a path to a GGUF file; none: the starter.

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
        return ModelSpec(name=record.name, path=record.path)
    path = Path(name).expanduser()
    if path.exists() or path.suffix == ".gguf" or os.sep in name:
        return ModelSpec(name=path.stem, path=path)
    known = [*installed, *(record.name for record in library.pulled())]
    raise ModelMissing(f"there is no model {name!r}", hint=_hint(name, known))


def _installed(name: str) -> ModelSpec:
    spec: ModelSpec = make(GROUP, name, needs=("name", "path"))
    return spec


def _no_model() -> ModelMissing:
    return ModelMissing(
        "no model is set up, and the starter is not installed",
        hint='pip install "hds-cli[starter]"   or   hds model pull hds:Q4_K_M (5.0 GB)',
    )


def _hint(name: str, known: Iterable[str]) -> str:
    if name.partition(":")[0] in SHORT_NAMES or name.count("/") == 1:
        return f"hds model pull {name}"
    return library.nearest(name, known)


def template_digest(header: GgufHeader) -> str | None:
    """SHA-256 of the chat template a file carries."""
    return hashlib.sha256(header.chat_template.encode()).hexdigest() if header.chat_template else None


def fingerprint(path: Path) -> str | None:
    """SHA-256 of a file; remembered by path, size and time of change, as the file may be gigabytes large."""
    try:
        stat = path.stat()
    except OSError:
        return None
    key = f"{path.resolve()}|{stat.st_size}|{stat.st_mtime_ns}"
    memory = paths.cache_dir() / "models.json"
    try:
        known = json.loads(memory.read_text("utf-8"))
        if isinstance(known, dict) and isinstance(known.get(key), str):
            return str(known[key])
    except (OSError, ValueError):
        known = {}
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    try:
        paths.private_dir(memory.parent)
        part = memory.with_suffix(f".{os.getpid()}.part")
        part.write_text(json.dumps((known if isinstance(known, dict) else {}) | {key: digest}), "utf-8")
        os.replace(part, memory)
    except OSError:
        pass  # a read-only home only costs the memory of it
    return digest
