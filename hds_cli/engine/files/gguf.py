"""The header of a GGUF file, read and checked here before llama.cpp sees the file (GGUF specification, 2 and 3)."""

from __future__ import annotations

import math
import os
import re
import stat
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from hds_cli.errors import ModelMissing, ModelUnusable

_SCALARS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}
_STRING, _ARRAY = 8, 9
_LENGTH = struct.Struct("<Q")
_MAX_STRING = 16 << 20
_MAX_TEXT = 64 << 20  # bytes of all texts that are not in a list
_MAX_STRINGS = 4 << 20  # strings in all lists; the largest vocabularies have an eighth of that, and as many merges
_MAX_ENTRIES, _MAX_TENSORS = 10_000, 200_000
_MAX_DIMENSIONS = 4
# ggml's tensor types: elements and bytes of a block.
_BLOCKS = {
    0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34), 9: (32, 36),
    10: (256, 84), 11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210), 15: (256, 292), 16: (256, 66),
    17: (256, 74), 18: (256, 98), 19: (256, 50), 20: (32, 18), 21: (256, 110), 22: (256, 82), 23: (256, 136),
    24: (1, 1), 25: (1, 2), 26: (1, 4), 27: (1, 8), 28: (1, 8), 29: (256, 56), 30: (1, 2), 34: (256, 54),
    35: (256, 66), 39: (32, 17),
}  # fmt: skip
# llama.cpp's `general.file_type`, the ones in common use.
FILE_TYPES = {0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 7: "Q8_0", 8: "Q5_0", 9: "Q5_1", 10: "Q2_K", 11: "Q3_K_S"} | {
    12: "Q3_K_M", 13: "Q3_K_L", 14: "Q4_K_S", 15: "Q4_K_M", 16: "Q5_K_S", 17: "Q5_K_M", 18: "Q6_K", 32: "BF16"
}  # fmt: skip
# Models trained to call `search` and `visit`: Tongyi DeepResearch, Marco-DeepResearch, LiteResearcher, WebExplorer, ...
_RESEARCHERS = ("deepresearch", "literesearcher", "webexplorer", "websailor", "webshaper")
FILE_TYPE_NUMBERS = {name: number for number, name in FILE_TYPES.items()}
_ABLE = 900_000_000  # parameters from which on a model can hold a conversation of searches


@dataclass(frozen=True)
class GgufHeader:
    """The start of a GGUF file: version, number of tensors, the metadata that is not an array, number of parameters."""

    version: int
    tensors: int
    metadata: dict[str, Any] = field(default_factory=dict)
    parameters: int = 0

    @property
    def quantization(self) -> str | None:
        kind = self.metadata.get("general.file_type")
        return FILE_TYPES.get(kind, f"type {kind}") if kind is not None else None

    @property
    def chat_template(self) -> str | None:
        template = self.metadata.get("tokenizer.chat_template")
        return template if isinstance(template, str) else None

    @property
    def licence(self) -> str | None:
        licence = self.metadata.get("general.license")
        return licence[:100] if isinstance(licence, str) else None

    @property
    def names(self) -> str:
        """The names in the file's metadata."""
        return " ".join(str(v) for k, v in self.metadata.items() if k.startswith("general.") and isinstance(v, str))

    @property
    def looks_like_searcher(self) -> bool:
        """True when the names in the file's metadata say that the model was trained on the search markers."""
        return names_searcher(self.names)

    @property
    def able(self) -> bool:
        """True when the model is large enough to hold a conversation of searches."""
        return self.parameters >= _ABLE


def names_searcher(text: str) -> bool:
    """True when a name is that of the searcher, however its words are joined."""
    return "hybriddeepsearcher" in _joined(text)


def names_tool_caller(text: str) -> bool:
    """True when a name is that of a model trained to research by tool calls, however its words are joined."""
    return any(name in _joined(text) for name in _RESEARCHERS)


def _joined(text: str) -> str:
    return re.sub(r"[-_ .]", "", text.lower())


class _Reader:
    """Reads GGUF values; every length is checked against the file before anything is allocated."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self.stream, self.size, self.at = stream, size, 0
        self._text = self._strings = 0

    def take(self, count: int) -> bytes:
        self._advance(count)
        return self.stream.read(count)

    def scalar(self, kind: int) -> Any:
        form = _SCALARS.get(kind)
        if form is None:
            raise ValueError(f"it has a value of the unknown type {kind}")
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def string(self) -> str:
        length = self.scalar(10)
        self._text += length
        if length > _MAX_STRING or self._text > _MAX_TEXT:
            raise ValueError("a text in its header is too long")
        return self.take(length).decode("utf-8", "replace")

    def value(self, kind: int) -> Any:
        if kind == _STRING:
            return self.string()
        if kind != _ARRAY:
            return self.scalar(kind)
        item, count = self.scalar(4), self.scalar(10)
        if item == _STRING:
            self._skip_strings(count)
        elif item in _SCALARS:
            self.skip(count * struct.calcsize(_SCALARS[item]))
        else:
            raise ValueError("it has an array of an unknown type")
        return None

    def skip(self, count: int) -> None:
        self._advance(count)
        if count < 4096:
            self.stream.read(count)  # far quicker than a seek, which empties the buffer
        else:
            self.stream.seek(count, os.SEEK_CUR)

    def _skip_strings(self, count: int) -> None:
        self._strings += count
        if self._strings > _MAX_STRINGS:
            raise ValueError("a list of texts in its header is too long")
        read, length = self.stream.read, _LENGTH.unpack
        for _ in range(count):
            self._advance(8)
            (size,) = length(read(8))
            self.skip(size)

    def _advance(self, count: int) -> None:
        self.at += count
        if self.at > self.size:
            raise ValueError("it ends too early")


def read_header(path: Path) -> GgufHeader:
    """Read and check the start of a GGUF file (GGUF specification, versions 2 and 3) before llama.cpp sees it.

    Raises:
        ModelMissing: there is no such file.
        ModelUnusable: it cannot be read, is something else, or is cut off.
    """
    try:
        known = path.stat()
        if not stat.S_ISREG(known.st_mode) and not stat.S_ISDIR(known.st_mode):
            raise ValueError("it is a device or a pipe")
        with path.open("rb", buffering=1 << 18) as stream:
            return _header(_Reader(stream, known.st_size))
    except FileNotFoundError:
        raise ModelMissing(f"there is no model file {path}", hint="hds ask -m PATH/TO/MODEL.gguf …") from None
    except IsADirectoryError:
        raise ModelUnusable(f"{path} is a folder, not a GGUF file") from None
    except OSError as exc:
        raise ModelUnusable(f"cannot read {path}: {exc.strerror}") from exc
    except (ValueError, struct.error) as exc:
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
    if tensors > min(_MAX_TENSORS, reader.size // 24) or count > min(_MAX_ENTRIES, reader.size // 12):
        raise ValueError("its header does not fit its size")
    metadata = {}
    for _ in range(count):
        key = reader.string()
        value = reader.value(reader.scalar(4))
        if value is not None:
            metadata[key] = value
    tensor_list = [_tensor(reader) for _ in range(tensors)]
    parameters = sum(elements for _, _, elements in tensor_list)
    alignment = metadata.get("general.alignment", 32)
    if not isinstance(alignment, int) or alignment < 1 or alignment & (alignment - 1) or alignment > 1 << 20:
        raise ValueError("its alignment is wrong")
    begin = -(-reader.at // alignment) * alignment
    for offset, size, _ in tensor_list:
        if offset % alignment:
            raise ValueError("its weights do not lie where they should")
        if begin + offset + size > reader.size:
            raise ValueError("it is cut off: the weights are not all there")
    return GgufHeader(version, tensors, metadata, parameters)


def _tensor(reader: _Reader) -> tuple[int, int, int]:
    """The place of a tensor among the weights, its size in bytes (0: its type is not known here), and its elements."""
    reader.string()
    dimensions = reader.scalar(4)
    if not 1 <= dimensions <= _MAX_DIMENSIONS:
        raise ValueError(f"a tensor has {dimensions} dimensions")
    shape = [reader.scalar(10) for _ in range(dimensions)]
    if min(shape) < 1:
        raise ValueError("a tensor has no elements")
    elements, (block, size) = math.prod(shape), _BLOCKS.get(reader.scalar(4), (1, 0))
    if elements >= 1 << 48:
        raise ValueError("a tensor has more elements than any file holds")
    if shape[0] % block:
        raise ValueError("a row of a tensor is not whole blocks")
    return reader.scalar(10), elements // block * size, elements


def _what_it_is(start: bytes) -> str:
    if start.startswith(b"version https://git-lfs"):
        return "it is a Git LFS pointer; the weights were not downloaded"
    if start.lstrip()[:1] == b"<":
        return "it is a web page; the download did not work"
    return "it does not begin with GGUF"
