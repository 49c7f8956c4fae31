"""A model written as GGUF, tensor by tensor, in pieces of some megabytes; what was written is gone on with."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from hds_cli.engine.files.convert.safetensors import SIZES, Stored
from hds_cli.engine.files.convert.source import HEAD, Source
from hds_cli.engine.files.gguf import FILE_TYPE_NUMBERS
from hds_cli.errors import ModelUnusable

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

KINDS = ("F32", "F16", "BF16")
"""The types of files that are not quantized."""
_ALIGN = 32  # GGUF's default
_PIECE = 16 << 20  # elements that are converted at once: 64 MB as F32
_MOST_PAIRED = 1 << 27  # elements of a tensor whose rows change places, which is held whole

Progress = Callable[[int, int], None]
"""(bytes written, bytes in all)"""


class UsedUp(Exception):
    """What an earlier attempt made of the weights is gone or was made otherwise, and so are the weights."""


@dataclass(frozen=True)
class Target:
    """A tensor of the GGUF file: its name, its type there, and where it comes from (or its numbers, if it is made)."""

    name: str
    kind: str
    source: Stored | None
    paired: int = 0
    made: tuple[float, ...] = ()

    @property
    def shape(self) -> tuple[int, ...]:
        return self.source.shape if self.source else (len(self.made),)

    @property
    def bytes(self) -> int:
        if self.source is None:
            return 4 * len(self.made)
        return self.source.bytes // SIZES[self.source.dtype] * SIZES[self.kind]


def targets(source: Source, kind: str) -> list[Target]:
    """The tensors of the file, in the order in which they are written: that of the files they come from.

    Args:
        kind: the type of the weights; those of one dimension are F32, as llama.cpp adds and multiplies them.
    """
    import gguf

    shape = source.architecture
    names = gguf.get_tensor_name_map(
        {arch_name: arch for arch, arch_name in gguf.MODEL_ARCH_NAMES.items()}[shape.name], shape.layers
    )
    listed = []
    if factors := shape.rope.factors(shape.head):
        listed.append(Target("rope_freqs.weight", "F32", None, made=tuple(factors)))
    for tensor in source.tensors:
        name = names.get_name(tensor.name, try_suffixes=(".weight", ".bias"))
        assert name is not None, tensor.name  # every tensor of these architectures has one
        own = kind if len(tensor.shape) > 1 else "F32"
        listed.append(Target(name, own, tensor, shape.paired_heads(tensor.name)))
    return listed


def write(source: Source, kind: str, part: Path, progress: Progress, used: Callable[[Path], None] | None = None) -> int:
    """Write the file `part`, going on where an earlier attempt at the same ended; returns its bytes.

    Args:
        kind: F32, F16 or BF16.
        used: called with a file of weights when nothing of it is needed any more, and all of it is on the disk.

    Raises:
        UsedUp: weights that are missing in `part` are not there any more.
        ModelUnusable: a number does not fit into `kind`, or a file of weights is shorter than it was.
        OSError: as reading and writing do.
    """
    listed = targets(source, kind)
    head = _header(source, kind, listed, part.with_name(part.name + ".head"))
    ends = [len(head)]
    for target in listed:
        ends.append(ends[-1] + target.bytes + -target.bytes % _ALIGN)
    with open(part, "a+b") as file:
        file.seek(0)
        if file.read(len(head)) != head:
            file.truncate(0)
            file.write(head)
        size = file.seek(0, os.SEEK_END)
        for place, target in enumerate(listed):
            if size < ends[place + 1]:
                if target.source and target.source.path.name.endswith(HEAD):
                    raise UsedUp
                file.truncate(ends[place])
                for piece in _pieces(target):
                    file.write(piece.data)
                    progress(file.tell(), ends[-1])
                file.write(bytes(-target.bytes % _ALIGN))
            following = listed[place + 1].source if place + 1 < len(listed) else None
            if target.source and (following is None or following.path != target.source.path):
                file.flush()
                os.fsync(file.fileno())
                if used:
                    used(target.source.path)
        file.truncate(ends[-1])
    return ends[-1]


def _header(source: Source, kind: str, listed: list[Target], path: Path) -> bytes:
    """The bytes before the weights, as the gguf package writes them (by way of the file `path`)."""
    import gguf
    import numpy as np

    writer = gguf.GGUFWriter(path, source.architecture.name)
    try:
        _describe(writer, source, kind)
        for target in listed:
            raw = gguf.GGMLQuantizationType[target.kind]
            writer.add_tensor_info(target.name, target.shape, np.dtype(np.float32), target.bytes, raw_dtype=raw)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_ti_data_to_file()
        writer.close()
        head = path.read_bytes()
    finally:
        path.unlink(missing_ok=True)
    return head + bytes(-len(head) % _ALIGN)


def _describe(writer: Any, source: Source, kind: str) -> None:
    """The metadata: names, licence, shape, vocabulary, template."""
    origin, vocabulary = source.origin, source.vocabulary
    writer.add_string("general.type", "model")
    writer.add_string("general.name", _plain(origin.name))
    writer.add_string("general.license", _plain(origin.licence or ""))
    if origin.repo:
        writer.add_string("general.source.huggingface.repository", origin.repo)
        writer.add_string(
            "general.source.url", f"https://huggingface.co/{origin.repo}/tree/{origin.revision or 'main'}"
        )
    writer.add_uint32("general.file_type", FILE_TYPE_NUMBERS[kind])
    writer.add_uint32("general.quantization_version", 2)
    for key, value in source.architecture.metadata().items():
        add = {int: writer.add_uint32, float: writer.add_float32, str: writer.add_string}[type(value)]
        add(key, value)
    writer.add_string("tokenizer.ggml.model", "gpt2")
    writer.add_string("tokenizer.ggml.pre", vocabulary.pre)
    writer.add_array("tokenizer.ggml.tokens", vocabulary.tokens)
    writer.add_array("tokenizer.ggml.token_type", vocabulary.kinds)
    writer.add_array("tokenizer.ggml.merges", vocabulary.merges)
    for name, number in source.special.items():
        writer.add_uint32(f"tokenizer.ggml.{name}_token_id", number)
    writer.add_bool("tokenizer.ggml.add_bos_token", source.adds_first)
    writer.add_string("tokenizer.chat_template", source.template or "")


def _plain(text: str) -> str:
    """A name that UTF-8 can hold: folders are called whatever bytes they are called."""
    return text.encode("utf-8", "replace").decode()


def _pieces(target: Target) -> Any:
    """The numbers of a tensor in the type of the file, piece by piece."""
    import numpy as np

    if target.source is None:
        yield np.array(target.made, "<f4")
        return
    stored = target.source
    unit = np.dtype({"F32": "<f4", "F16": "<f2", "BF16": "<u2"}[stored.dtype])
    count = stored.bytes // unit.itemsize
    if target.paired and count > _MOST_PAIRED:
        raise ModelUnusable(f"{stored.name} is too large to be put in llama.cpp's order")
    piece = count if target.paired else _PIECE
    with stored.path.open("rb") as file:
        file.seek(stored.begin)
        for begin in range(0, count, piece):
            numbers = _read(file, unit, min(piece, count - begin), stored)
            if target.paired:
                numbers = paired(numbers.reshape(stored.shape), target.paired).reshape(-1)
            yield _as(numbers, stored, target.kind)


def _read(file: IO[bytes], unit: Any, count: int, stored: Stored) -> Array:
    import numpy as np

    data = file.read(count * unit.itemsize)
    if len(data) != count * unit.itemsize:
        raise ModelUnusable(f"{stored.path} became shorter while it was read")
    return np.frombuffer(data, unit)


def paired(rows: Array, heads: int) -> Array:
    """Rows of q or k of the architecture llama: the halves of each head, which are turned together, in turn."""
    return rows.reshape(heads, 2, rows.shape[0] // heads // 2, *rows.shape[1:]).swapaxes(1, 2).reshape(rows.shape)


def _as(numbers: Array, stored: Stored, kind: str) -> Array:
    """Numbers as they are stored (BF16 as its 16 bits) in another type.

    Raises:
        ModelUnusable: one is too large for F16.
    """
    import gguf
    import numpy as np

    if stored.dtype == kind:
        return numbers
    if stored.dtype == "BF16":  # the upper half of an F32
        numbers = (numbers.astype("<u4") << 16).view("<f4")
    numbers = numbers.astype("<f4", copy=False)
    if kind == "F32":
        return numbers
    if kind == "BF16":
        return np.frombuffer(gguf.quants.quantize(numbers, gguf.GGMLQuantizationType.BF16), "<u2")
    if numbers.size and float(np.abs(numbers).max()) > 65504.0:
        raise ModelUnusable(f"{stored.name} has numbers that F16 cannot hold", hint="--type BF16")
    return numbers.astype("<f2")
