"""What the installed llama.cpp is, found out in a process of its own: one that was built for another processor ends it.

A build uses the instructions of the machine that it was made on, or made for; where a processor lacks one of them, the
system ends the process that reaches it (SIGILL), and nothing can be caught.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hds_cli.engine.llama.devices import Device
from hds_cli.errors import ModelUnusable
from hds_cli.keys import without_secrets

_SECONDS = 60.0  # a driver of a GPU may take long the first time
_MAX_BYTES = 1 << 20
ILLEGAL = (-4, 132, 0xC000001D)
"""How an illegal instruction ends a process: on POSIX, with a shell in between, on Windows."""
_INSTRUCTIONS = {"avx": "AVX", "avx2": "AVX2", "fma": "FMA", "f16c": "F16C", "bmi2": "BMI2", "avx512f": "AVX512"}
_INSTALL = "pip install --force-reinstall --no-cache-dir --no-binary llama-cpp-python llama-cpp-python"
HERE = f"CMAKE_ARGS=-DGGML_NATIVE=on {_INSTALL}"
"""Builds llama.cpp for this very processor."""
CUDA, METAL = f"CMAKE_ARGS=-DGGML_CUDA=on {_INSTALL}", f"CMAKE_ARGS=-DGGML_METAL=on {_INSTALL}"
"""Builds llama.cpp for an NVIDIA card, and for Apple's graphics."""


@dataclass(frozen=True)
class Build:
    """The llama.cpp that is installed: its version, whether layers can go to a GPU, what it uses of the processor."""

    version: str
    gpu_offload: bool
    features: tuple[str, ...]
    devices: tuple[Device, ...]

    @property
    def gpus(self) -> tuple[Device, ...]:
        return tuple(device for device in self.devices if device.is_gpu)


def probed(command: tuple[str, ...] = ()) -> Build:
    """Import llama.cpp in a process of its own, and ask it what it is.

    Args:
        command: what is run in place of that process, for tests.

    Raises:
        ModelUnusable: it does not load, or ends that process; the message says why.
    """
    code, output = child(command or (sys.executable, "-P", "-m", __name__))
    with contextlib.suppress(ValueError, KeyError, TypeError, AttributeError):
        said = json.loads(output)
        if "error" in said:
            raise ModelUnusable(str(said["error"])[:500], hint=str(said["hint"])[:300])
        devices = tuple(Device(**one) for one in said["devices"])
        return Build(str(said["version"]), bool(said["gpu_offload"]), tuple(map(str, said["features"])), devices)
    raise broken(code, "when it is loaded")


def child(command: tuple[str, ...], seconds: float = _SECONDS) -> tuple[int, bytes]:
    """Run a process without keys and core files; how it ended, and the beginning of what it wrote.

    Raises:
        ModelUnusable: it does not end.
    """
    environment = without_secrets(os.environ) | {"GGML_NO_BACKTRACE": "1"}
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment,
            timeout=seconds, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise ModelUnusable(f"llama.cpp does not load in {seconds:.0f} s", hint=HERE) from None
    except OSError as exc:
        raise ModelUnusable(f"no process could be started to load llama.cpp: {exc.strerror}") from exc
    return done.returncode, done.stdout[:_MAX_BYTES]


def broken(code: int, when: str, hint: str = HERE) -> ModelUnusable:
    """The error of a process that ended in llama.cpp: why, as a sentence, and the next thing to type.

    Args:
        code: as `subprocess` has it.
        when: the moment, as the sentence goes on.
        hint: what to type where an instruction is missing.
    """
    if code not in ILLEGAL:
        return ModelUnusable(f"llama.cpp crashes {when} ({ending(code)})", hint=HERE)
    lacks = missing(flags())
    needs = f"this build needs {', '.join(lacks)}" if lacks else "this build was made for another processor"
    lack = "which this processor lacks: " if lacks else ""
    return ModelUnusable(f"{needs}, {lack}llama.cpp ends {when} (illegal instruction)", hint=hint)


def ending(code: int) -> str:
    """How a process ended: by which signal, or with which code."""
    if code < 0:
        return signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
    return f"exit {code}"


def missing(known: frozenset[str]) -> list[str]:
    """The instructions that builds use and a processor with these flags lacks; none where its flags are not known.

    AVX512 is named only where all others are there: builds for it are rare.
    """
    if not known:
        return []
    lacks = [name for flag, name in _INSTRUCTIONS.items() if flag not in known]
    return [name for name in lacks if name != "AVX512"] or lacks


def unused(build: Build, known: frozenset[str]) -> list[str]:
    """The instructions that make a difference, that the processor has, and that the build does not use."""
    return [
        name for flag, name in _INSTRUCTIONS.items() if flag in ("avx2", "fma") and flag in known
        and name not in build.features
    ]  # fmt: skip


def flags() -> frozenset[str]:
    """The flags of this processor; none where the system does not tell."""
    with contextlib.suppress(OSError), Path("/proc/cpuinfo").open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if line.startswith("flags"):
                return frozenset(line.partition(":")[2].split())
    return frozenset()


def _found() -> dict[str, Any]:
    """The child: what llama.cpp says of itself."""
    from hds_cli.engine.llama.api import build_info, load_api
    from hds_cli.engine.llama.devices import devices

    try:
        known = build_info()
    except ModelUnusable as exc:
        return {"error": exc.message, "hint": exc.hint}
    return {
        "version": known["version"], "gpu_offload": known["gpu_offload"], "features": str(known["features"]).split(),
        "devices": [dataclasses.asdict(device) for device in devices(load_api())],
    }  # fmt: skip


__all__ = ["HERE", "ILLEGAL", "Build", "broken", "child", "ending", "flags", "missing", "probed", "unused"]

if __name__ == "__main__":
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.stdout.write(json.dumps(_found()))
    sys.stdout.flush()
    os._exit(0)  # leaves out what llama.cpp tidies up
