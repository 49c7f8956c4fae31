"""Where a warm model listens, which one it is, and whose."""

from __future__ import annotations

import contextlib
import hashlib
import os
import socket
import struct
import sys
from pathlib import Path
from typing import Any

import hds_cli
from hds_cli import paths
from hds_cli.config import Settings
from hds_cli.engine.base import ModelSpec
from hds_cli.engine.files import learned, models
from hds_cli.engine.llama.api import build

SHAPING = ("engine", "model", "dialect", "n_ctx", "n_threads", "n_gpu_layers", "state_size")
"""The settings that a loaded model depends on."""

_PROTOCOL = 1
_ABOUT_MACHINE = ("CUDA_", "GGML_", "GOMP_", "HIP_", "LLAMA_", "OMP_", "ROCR_")  # variables that llama.cpp reads
_LONGEST = 100  # bytes of a socket's path; systems allow 104 to 108
_CONNECT_SECONDS = 1.0


def possible() -> bool:
    """True where there are Unix sockets and owners of files."""
    return os.name == "posix" and hasattr(socket, "AF_UNIX")


def name_of(spec: ModelSpec, settings: Settings, sequences: int) -> str:
    """The name of a loaded model: another one for whatever makes another of it.

    That is this version of hds, Python and llama.cpp, the files as they are now, the settings of `SHAPING`, and those
    that `hds model bench` found.
    """
    said: list[Any] = [
        _PROTOCOL, hds_cli.__version__, hds_cli.__file__, sys.executable, build(), _mark(spec.path),
        _mark(spec.lora) if spec.lora else None, spec.name, spec.dialect, spec.n_ctx, spec.known_as, sequences,
        [getattr(settings, name) for name in SHAPING if name != "model"], _of_bench(spec),
        sorted(item for item in os.environ.items() if item[0].startswith(_ABOUT_MACHINE)),
    ]  # fmt: skip
    return hashlib.sha256(repr(said).encode()).hexdigest()[:16]


def _of_bench(spec: ModelSpec) -> list[int | None]:
    """The settings that a bench found to be best for this model on this machine."""
    best = learned.known(learned.key(*models.fingerprints(spec)))
    return [best.n_threads, best.n_batch, best.n_gpu_layers]


def _mark(path: Path) -> tuple[object, ...]:
    try:
        known = path.stat()
    except OSError:
        return (str(path),)
    return (str(path.resolve()), known.st_size, known.st_mtime_ns, known.st_ino)


def socket_of(name: str) -> Path | None:
    """The path of a model's socket; None: there can be none here."""
    path = paths.run_dir().absolute() / f"{name}.sock"
    return path if possible() and len(os.fsencode(path)) <= _LONGEST else None


def is_own(connected: socket.socket) -> bool:
    """True when the other end is a process of this user; where the system does not tell, the folder has to do."""
    if not hasattr(socket, "SO_PEERCRED"):
        return True
    data = connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return bool(struct.unpack("3i", data)[1] == os.getuid())


def connected(path: Path) -> socket.socket | None:
    """A connection to a process of this user that listens at `path`; None: there is none."""
    if not paths.is_private(path.parent):
        return None
    with contextlib.suppress(OSError):
        end = socket.socket(socket.AF_UNIX)
        try:
            end.settimeout(_CONNECT_SECONDS)
            end.connect(str(path))
            if is_own(end):
                return end
        except OSError:
            pass
        end.close()
    return None
