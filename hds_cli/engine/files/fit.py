"""How a model fits a machine, from its header and the memory alone: context, keys and values, layers on a GPU."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from hds_cli.engine.files.gguf import GgufHeader
from hds_cli.engine.files.known import MAX_DEFAULT_CTX
from hds_cli.errors import ModelUnusable

_LEAST_CTX = 4_096  # tokens below which a context that nobody asked for is not cut: a run needs them
_STEP = 512  # tokens
_WORK = 300_000_000  # bytes for compute buffers and the program itself
_GPU_WORK = 700_000_000  # bytes of a GPU for compute buffers and its driver
_BYTES = {"f16": 2.0, "q8_0": 34 / 32}  # of a number among the keys and values
_IN_8_BITS = "keys and values are kept in 8 bits"
_IN_16_BITS = "llama.cpp keeps this model's keys and values in 16 bits only: memory may be short"
_OTHER = ("ssm.", "wkv.", "shortconv.", "full_attention_interval", "attention.kv_lora_rank")
"""Beginnings of keys of models whose layers do not all have keys and values, or smaller ones."""


@dataclass(frozen=True)
class Room:
    """Bytes of memory: `total` of the machine with its swap, `free` that programs can still have, `gpu` of a GPU, free.

    None: nobody says.
    """

    total: int | None = None
    free: int | None = None
    gpu: int | None = None


@dataclass(frozen=True)
class Fit:
    """What a model is loaded with; `kv` is the type of keys and values, `layers` None: as many as load.

    `note` says what was cut, and to which size.
    """

    n_ctx: int
    kv: str = "f16"
    layers: int | None = None
    note: str = ""

    def in_16_bits(self) -> Fit:
        """The same for a model whose keys and values cannot be kept in 8 bits."""
        cut = "" if self.note.startswith(_IN_8_BITS) else self.note
        return replace(self, kv="f16", note="; ".join(filter(None, (cut, _IN_16_BITS))))


@dataclass(frozen=True)
class _Sizes:
    """Bytes of the weights, and of the keys and values of one token in 16 bits. `exact`: the header tells all of it."""

    weights: int
    token: float
    layers: int
    trained: int
    exact: bool

    def of(self, cells: int, kv: str = "f16") -> int:
        return self.weights + int(self.token * _BYTES[kv] / 2 * cells) + _WORK


def fit(
    header: GgufHeader, file_bytes: int, room: Room, *, n_ctx: int | None = None, most_ctx: int | None = None,
    sequences: int = 1, n_gpu_layers: int = -1, most_layers: int | None = None,
) -> Fit:  # fmt: skip
    """The context, the type of keys and values, and the layers on a GPU that suit the memory.

    Keys and values are kept in 16 bits; in 8 where that makes the context fit, and a context that nobody asked for is
    shorter where nothing else helps.

    Args:
        file_bytes: the size of the file, which is the size of its weights.
        n_ctx: the user's own context; it is never cut.
        most_ctx: what the model was made for; None: what it was trained with, at most `MAX_DEFAULT_CTX`.
        sequences: contexts at once.
        n_gpu_layers: the user's own; -1: as many as fit.
        most_layers: more of them are slower, by a bench; None: nobody measured it.

    Raises:
        ModelUnusable: the machine does not have that much memory, whatever is cut.
    """
    sizes = _sizes(header, file_bytes)
    wanted = n_ctx or min(most_ctx or MAX_DEFAULT_CTX, sizes.trained)
    layers = None
    if n_gpu_layers < 0 and room.gpu is not None:
        layers = _layers(sizes, room.gpu, wanted * sequences)
        layers = layers if most_layers is None else min(layers, most_layers)
    on_gpu = (layers if layers is not None else n_gpu_layers if n_gpu_layers >= 0 and room.gpu else 0) > 0
    if on_gpu:  # what does not go to the GPU is a part of this; llama.cpp says if it is too much
        return Fit(wanted, layers=layers)
    least = wanted if n_ctx else min(wanted, _LEAST_CTX)
    if room.total is not None and sizes.of(least * sequences if sizes.exact else 0, "q8_0") > room.total:
        raise _too_large(sizes, least * sequences, room.total)
    if room.free is None or not sizes.exact or sizes.of(wanted * sequences) <= room.free:
        return Fit(wanted, layers=layers)
    if sizes.of(wanted * sequences, "q8_0") <= room.free or n_ctx:
        return Fit(wanted, "q8_0", layers, f"{_IN_8_BITS}: {_free(room.free)}")
    fits = (room.free - sizes.weights - _WORK) / (sizes.token * _BYTES["q8_0"] / 2) / sequences
    tokens = max(least, int(fits) // _STEP * _STEP)
    note = f"the context is {tokens:,} tokens, not {wanted:,}: {_free(room.free)}"
    return Fit(tokens, "q8_0", layers, note)


def needed(header: GgufHeader, file_bytes: int, n_ctx: int | None = None) -> int:
    """Bytes for the weights, the keys and values of one full context (16 bit), and the work around them.

    Args:
        file_bytes: the size of the file, which is the size of its weights.
        n_ctx: context length in tokens; None: what the model was trained with, at most `MAX_DEFAULT_CTX`.
    """
    sizes = _sizes(header, file_bytes)
    return sizes.of(n_ctx or min(MAX_DEFAULT_CTX, sizes.trained))


def _layers(sizes: _Sizes, gpu: int, cells: int) -> int:
    """Layers that fit on a GPU with their keys and values; the output counts as one more."""
    every = sizes.layers + 1
    each = (sizes.weights + sizes.token * cells) / every
    return max(0, min(every, int((gpu - _GPU_WORK) / each)))


def _sizes(header: GgufHeader, file_bytes: int) -> _Sizes:
    heads = max(1, _number(header, "attention.head_count", 1))
    per_head = _number(header, "attention.key_length", _number(header, "embedding_length", 0) // heads)
    layers, groups = _number(header, "block_count", 0), _number(header, "attention.head_count_kv", heads)
    architecture = str(header.metadata.get("general.architecture", ""))
    own = [key.removeprefix(f"{architecture}.") for key in header.metadata]
    exact = layers > 0 and "attention.head_count_kv" in own and not any(key.startswith(_OTHER) for key in own)
    return _Sizes(
        weights=file_bytes, token=2.0 * 2 * layers * groups * per_head, layers=layers,
        trained=_number(header, "context_length", 0) or MAX_DEFAULT_CTX,
        exact=exact,
    )  # fmt: skip


def _number(header: GgufHeader, key: str, default: int) -> int:
    value: Any = header.metadata.get(f"{header.metadata.get('general.architecture')}.{key}")
    return value if isinstance(value, int) and value >= 0 else default


def _free(free: int) -> str:
    return f"{free / 1e9:.1f} GB of memory are free"


def _too_large(sizes: _Sizes, cells: int, total: int) -> ModelUnusable:
    parts = f"{sizes.weights / 1e9:.1f} GB for its weights"
    if sizes.exact:
        parts += f", {sizes.token * _BYTES['q8_0'] / 2 * cells / 1e9:.1f} GB for a context of {cells:,} tokens"
    need = sizes.of(cells if sizes.exact else 0, "q8_0")
    return ModelUnusable(
        f"the model does not fit: it needs {need / 1e9:.1f} GB ({parts}), this machine has {total / 1e9:.1f} GB",
        hint="hds model suggest   says which models fit; a smaller quantization or --n-ctx needs less",
        code="model_too_large",
    )


__all__ = ["Fit", "Room", "fit", "needed"]
