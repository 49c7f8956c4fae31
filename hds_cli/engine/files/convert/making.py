"""From a folder of safetensors, or a GGUF file, to a quantized GGUF file: the steps, the room that they take."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from hds_cli import locks, paths
from hds_cli.engine.files.convert.safetensors import cut_behind_header
from hds_cli.engine.files.convert.source import HEAD, Origin, read_source
from hds_cli.engine.files.convert.writing import KINDS, UsedUp, write
from hds_cli.engine.files.library import BUSY
from hds_cli.engine.quantizing import BITS, check_quantization, quantize
from hds_cli.errors import ModelError, ModelUnusable, OutputError, UsageError

DEFAULT = "Q4_K_M"
MB = 1_000_000
_SPARE = 64 << 20  # bytes that stay free on the disk
_WIDE = {"F32": 32.0, "F16": 16.0, "BF16": 16.0} | BITS

Progress = Callable[[str, int, int], None]
"""(step: `converting, MB` or `quantizing, tensors`; done; in all)"""


def check_type(name: str) -> str:
    """The type of a file, quantized or not, as it is spelt.

    Raises:
        UsageError: there is none of this name.
    """
    try:
        return name.upper() if name.upper() in KINDS else check_quantization(name)
    except UsageError as exc:
        raise UsageError(exc.message, hint=f"types: {', '.join((*BITS, *KINDS))}") from None


def made_bytes(weights: int, kind: str) -> int:
    """About the bytes of a file of the type `kind`, made from weights of 16 bits that take `weights` bytes."""
    return int(weights * _WIDE[kind] / 16)


def room_for(weights: Sequence[int], kind: str, *, kept: bool) -> int:
    """The most bytes that lie on the disk while a model is made.

    Args:
        weights: bytes of each file of weights.
        kept: the files of weights stay, and are not counted; else each goes when it was used up.
    """
    whole = sum(weights)
    last = whole + made_bytes(whole, kind) if kind not in KINDS else whole
    return last if kept else max(last, whole + max(weights, default=0))


def check_room(name: str, missing: int, folder: Path) -> None:
    """Look at the disk before anything is written.

    Args:
        missing: bytes that are still to be written into `folder`.

    Raises:
        OutputError: the disk has no room for them.
    """
    free = shutil.disk_usage(folder).free
    if missing + _SPARE > free:
        raise OutputError(
            f"{name} needs {missing / 1e9:.1f} GB more; {folder} has {max(0, free - _SPARE) / 1e9:.1f} GB free",
            code="disk_full",
            hint="hds model list   and   hds model remove NAME, a smaller quantization, or HDS_HOME=OTHER/FOLDER",
        )


def make(
    folder: Path, shards: Sequence[Path], origin: Origin, kind: str, out: Path, progress: Progress,
    *, used_up: bool = False,
) -> None:  # fmt: skip
    """Convert a folder to the file `out`; what an earlier attempt wrote is gone on with.

    Args:
        shards: the files of weights, or what is left of them.
        kind: a quantization, or one of F32, F16 and BF16.
        used_up: delete each file of weights, but for its header, when it was used up.

    Raises:
        ModelError: the folder is not usable, or another process makes the same file.
        OSError: as reading and writing do.
    """
    source = read_source(folder, shards, origin)
    part = unquantized(out)

    def told(done: int, of: int) -> None:
        progress("converting, MB", done // MB, of // MB)

    with _held(part, out.name):
        between = kind if kind in KINDS else source.kind
        try:
            write(source, between, part, told, _delete if used_up else None)
        except ModelUnusable:
            part.unlink(missing_ok=True)
            raise
        except UsedUp:
            for shard in shards:
                shard.with_name(shard.name + HEAD).unlink(missing_ok=True)
            part.unlink(missing_ok=True)
            raise ModelError(
                f"what an earlier attempt left of {origin.name} cannot be gone on with; it was deleted",
                hint="the same command again begins anew",
            ) from None
        if kind in KINDS:
            os.replace(part, out)
        else:
            quantized(part, kind, out, progress)


def unquantized(out: Path) -> Path:
    """The file that `make` leaves beside `out`, for an attempt after this one; to be deleted by who needs none."""
    return out.with_name(f".{out.stem}.unquantized.part")


def quantized(model: Path, kind: str, out: Path, progress: Progress) -> None:
    """Write `out`, the GGUF file `model` with fewer bits a weight.

    Raises:
        ModelError: llama.cpp refuses it, or another process makes the same file.
        OSError: the disk is full.
    """
    part = out.with_name(f".{out.name}.part")
    with _held(part, out.name):
        quantize(model, out, kind, lambda *n: progress("quantizing, tensors", *n))


def _delete(shard: Path) -> None:
    """Keep the header of a file of weights that was used up, which says what an unfinished file holds."""
    if shard.name.endswith(HEAD):
        return
    cut_behind_header(shard, shard.with_name(shard.name + HEAD))
    shard.unlink()


@contextmanager
def _held(part: Path, name: str) -> Iterator[None]:
    """Lock an unfinished file for as long as it is written."""
    private = paths.data_dir() in part.absolute().parents
    with open(part, "ab", opener=paths.opened_private if private else None) as file:
        if not locks.hold(file.fileno()):
            raise ModelError(f"{name} is being made already", hint=BUSY, code="busy")
        yield
