"""The devices that this build of llama.cpp can compute on: processor, graphics cards."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hds_cli.engine.llama.api import load_api

_GPUS = (1, 2)  # ggml_backend_dev_type: a GPU with memory of its own, one that shares the machine's
_MOST = 64


@dataclass(frozen=True)
class Device:
    """A device, by the backend that drives it (`CUDA`, `Metal`, `Vulkan`, `CPU`), with its memory in bytes."""

    backend: str
    name: str
    is_gpu: bool
    free: int
    total: int


def devices(api: Any) -> list[Device]:
    """The devices that llama.cpp lists; empty where its libraries do not tell.

    Args:
        api: llama-cpp-python's low-level module. It exports no function of ggml's backends, which its libraries have.
    """
    folder = Path(api.__file__).parent / "lib"
    try:
        registry, base = (ctypes.CDLL(str(_library(folder, name))) for name in ("ggml", "ggml-base"))
        count = min(_MOST, registry.ggml_backend_dev_count())
        return [_device(base, _get(registry, number)) for number in range(count)]
    except (OSError, AttributeError, StopIteration):
        return []


def gpu_memory() -> int | None:
    """Free bytes of the GPUs that layers can go to; None: to none.

    Raises:
        ModelUnusable: llama.cpp does not load.
    """
    api = load_api()
    if not api.llama_supports_gpu_offload():
        return None
    return sum(device.free for device in devices(api) if device.is_gpu) or None


def _library(folder: Path, name: str) -> Path:
    """The library on any system."""
    known = (folder / f"{start}{name}{end}" for start in ("lib", "") for end in (".so", ".dylib", ".dll"))
    return next(path for path in known if path.exists())


def _get(registry: ctypes.CDLL, number: int) -> int | None:
    get = registry.ggml_backend_dev_get
    get.restype, get.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
    found: int | None = get(number)
    return found


def _device(base: ctypes.CDLL, device: int | None) -> Device:
    for function in ("dev_name", "dev_description", "reg_name"):
        call = getattr(base, f"ggml_backend_{function}")
        call.restype, call.argtypes = ctypes.c_char_p, [ctypes.c_void_p]
    base.ggml_backend_dev_backend_reg.restype = ctypes.c_void_p
    base.ggml_backend_dev_backend_reg.argtypes = base.ggml_backend_dev_type.argtypes = [ctypes.c_void_p]
    base.ggml_backend_dev_memory.restype, base.ggml_backend_dev_memory.argtypes = None, [ctypes.c_void_p] * 3
    free, total = ctypes.c_size_t(), ctypes.c_size_t()
    base.ggml_backend_dev_memory(device, ctypes.byref(free), ctypes.byref(total))
    return Device(
        backend=_text(base.ggml_backend_reg_name(base.ggml_backend_dev_backend_reg(device))),
        name=_text(base.ggml_backend_dev_description(device)) or _text(base.ggml_backend_dev_name(device)),
        is_gpu=base.ggml_backend_dev_type(device) in _GPUS,
        free=free.value,
        total=total.value,
    )


def _text(raw: bytes | None) -> str:
    return (raw or b"").decode("utf-8", "replace")[:200]


__all__ = ["Device", "devices", "gpu_memory"]
