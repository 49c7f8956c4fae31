"""The header of a safetensors file, read and checked before any of its weights are (safetensors format, 0.3 and later).

A file is an unsigned 64-bit length, that many bytes of JSON, and the tensors. Nothing of it is executed.
"""

from __future__ import annotations

import math
import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeGuard

from hds_cli import jsons
from hds_cli.errors import ModelMissing, ModelUnusable

SIZES = {"F32": 4, "F16": 2, "BF16": 2}
"""The types that are read, and the bytes of one element."""
_MAX_HEADER = 16 << 20  # bytes; the largest models have a few megabytes
_MAX_TENSORS = 20_000  # in one file
_MAX_NAME = 300  # characters
_MAX_DIMENSIONS = 4
_LENGTH = struct.Struct("<Q")


@dataclass(frozen=True)
class Stored:
    """A tensor in a file: its type, its shape with the slowest dimension first, and the place of its bytes."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    path: Path
    begin: int
    bytes: int


def read_tensors(path: Path, *, whole: bool = True) -> list[Stored]:
    """The tensors of a safetensors file, in the order of their bytes.

    Args:
        whole: the weights are there; False: the file was cut behind its header.

    Raises:
        ModelMissing: there is no such file.
        ModelUnusable: it is something else, cut off, or its header does not fit its weights.
    """
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            length = _length(file.read(_LENGTH.size), size)
            described = jsons.loads(file.read(length))
        return _tensors(path, described, _LENGTH.size + length, size if whole else None)
    except FileNotFoundError:
        raise ModelMissing(f"there is no file {path}") from None
    except OSError as exc:
        raise ModelUnusable(f"cannot read {path}: {exc.strerror}") from exc
    except ValueError as exc:
        raise ModelUnusable(f"{path} is not a usable safetensors file: {exc}", hint="download it again") from exc


def cut_behind_header(path: Path, to: Path) -> None:
    """Write the header of `path` alone to `to`, in one piece.

    Raises:
        OSError: as reading and writing do.
    """
    with path.open("rb") as file:
        start = file.read(_LENGTH.size)
        start += file.read(_length(start, os.fstat(file.fileno()).st_size))
    part = to.with_name(f".{to.name}.new")
    with part.open("wb") as file:
        file.write(start)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, to)


def _length(start: bytes, size: int) -> int:
    if start.startswith(b"version "):
        raise ValueError("it is a Git LFS pointer; the weights were not downloaded")
    if len(start) < _LENGTH.size:
        raise ValueError("it is too short")
    length = int(_LENGTH.unpack(start)[0])
    if not 2 <= length <= min(_MAX_HEADER, size - _LENGTH.size):
        raise ValueError("its header has no possible length")
    return length


def _tensors(path: Path, described: Any, begin: int, size: int | None) -> list[Stored]:
    if not isinstance(described, dict):
        raise ValueError("its header is no object")
    if len(described) > _MAX_TENSORS:
        raise ValueError(f"it has more than {_MAX_TENSORS} tensors")
    tensors = [_tensor(path, name, said, begin) for name, said in described.items() if name != "__metadata__"]
    tensors.sort(key=lambda tensor: tensor.begin)
    end = begin
    for tensor in tensors:
        if tensor.begin != end:
            raise ValueError("its weights overlap or have gaps")
        end += tensor.bytes
    if size is not None and end != size:
        raise ValueError("it is cut off: the weights are not all there" if end > size else "bytes follow its weights")
    return tensors


def _tensor(path: Path, name: str, said: Any, start: int) -> Stored:
    shown = name[:60]
    if not isinstance(said, dict) or len(name) > _MAX_NAME:
        raise ValueError(f"its tensor {shown!r} is not described as one")
    dtype, shape, offsets = said.get("dtype"), said.get("shape"), said.get("data_offsets")
    if dtype not in SIZES:
        raise ValueError(f"its tensor {shown!r} has the type {str(dtype)[:20]!r}; {', '.join(SIZES)} are read")
    if not _are_sizes(shape) or not 1 <= len(shape) <= _MAX_DIMENSIONS or not _are_sizes(offsets) or len(offsets) != 2:
        raise ValueError(f"its tensor {shown!r} has no possible shape")
    size = math.prod(shape) * SIZES[dtype]
    if not size or offsets[1] - offsets[0] != size:
        raise ValueError(f"its tensor {shown!r} has another size than its shape says")
    return Stored(name, dtype, tuple(shape), path, start + offsets[0], size)


def _are_sizes(values: Any) -> TypeGuard[list[int]]:
    return isinstance(values, list) and all(type(value) is int and 0 <= value < 1 << 48 for value in values)
