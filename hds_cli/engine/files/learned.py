"""What this machine learned of a model: its speed, how its runs go, and the settings that a bench found to be best.

One file for each model (by its checksum) and machine, in the data directory. A file that is damaged or cannot be
written only costs what was learned.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import hashlib
import json
import os
import platform
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hds_cli import bounds, paths

SCHEMA = "hds.learned/1"
_WEIGHT = 0.5  # of a new measurement against what was known
_MAX_BYTES = 1 << 16
EVERY_LAYER = 10_000
"""`n_gpu_layers` of a model that was fastest with as many as fit."""
_MEASURED = ("reading", "writing", "turns", "turn_seconds", "search_seconds", "end_seconds")


@dataclass(frozen=True)
class Learned:
    """Facts about one model on one machine; None: not known.

    `reading` and `writing` are tokens a second. `turns` are those of a run, the answer's included; `turn_seconds` is
    what the model takes for one, `search_seconds` what its searches take, `end_seconds` is from the answer to the end.
    `n_threads`, `n_batch` and `n_gpu_layers` are the best that a bench found; the first and the last are used as far as
    the machine has cores and memory for them.
    """

    reading: float | None = None
    writing: float | None = None
    turns: float | None = None
    turn_seconds: float | None = None
    search_seconds: float | None = None
    end_seconds: float | None = None
    n_threads: int | None = None
    n_batch: int | None = None
    n_gpu_layers: int | None = None


def key(sha256: str | None, adapter: str | None, *, engine: str = "llama_cpp") -> str | None:
    """The checksum of a model with its adapter in an engine, from those of their files; None: nothing is kept of it."""
    parts = [sha256, adapter, None if engine == "llama_cpp" else engine]
    given = [part for part in parts if part is not None]
    return sha256 if sha256 is None or len(given) == 1 else hashlib.sha256(" ".join(given).encode()).hexdigest()


def known(digest: str | None) -> Learned:
    """What was learned of the model with this checksum."""
    if digest is None:
        return Learned()
    try:
        with file_of(digest).open("rb") as stream:
            said = json.loads(stream.read(_MAX_BYTES))
    except (OSError, ValueError, RecursionError):
        return Learned()
    if not isinstance(said, dict) or said.get("schema") != SCHEMA:
        return Learned()
    return Learned(**{f.name: _right(f.name, said.get(f.name)) for f in dataclasses.fields(Learned)})


def _right(name: str, value: Any) -> Any:
    """A value of the file, or None where it is none that could have been measured."""
    if name == "n_gpu_layers":
        return value if type(value) is int and 0 <= value <= EVERY_LAYER else None
    if name.startswith("n_"):
        return value if type(value) is int and 1 <= value <= 1 << 16 else None
    return float(value) if bounds.is_number(value, 0, bounds.MAX_COUNT) and (value > 0 or "second" in name) else None


def learn(digest: str | None, measured: Learned) -> None:
    """Take in what a run or a bench measured; settings replace what was known, speeds and times move towards it."""
    if digest is None:
        return
    before = known(digest)
    values = {name: value for name, value in dataclasses.asdict(measured).items() if value is not None}
    for name in _MEASURED:
        if name in values and (old := getattr(before, name)) is not None:
            values[name] = old + _WEIGHT * (values[name] - old)
    _write(digest, replace(before, **values))


def _write(digest: str, learned: Learned) -> None:
    path = file_of(digest)
    rounded = {k: round(v, 3) if isinstance(v, float) else v for k, v in dataclasses.asdict(learned).items()}
    document = {"schema": SCHEMA, "sha256": digest, "machine": machine(), **rounded}
    with contextlib.suppress(OSError):
        paths.private_dir(path.parent)
        part = path.with_suffix(f".{os.getpid()}.part")
        paths.write_private(part, json.dumps(document, indent=1) + "\n")
        os.replace(part, path)


def file_of(digest: str) -> Path:
    """The file on one model."""
    machine_id = hashlib.sha256(json.dumps(machine(), sort_keys=True).encode()).hexdigest()
    return paths.data_dir() / "machines" / machine_id[:12] / f"{digest[:16]}.json"


@functools.cache
def machine() -> dict[str, Any]:
    """What makes one machine as fast as another: processor, cores, graphics cards. No name and no number of its own."""
    return {"processor": _processor(), "cores": os.cpu_count() or 1, "graphics": _graphics()}


def _processor() -> str:
    with contextlib.suppress(OSError), Path("/proc/cpuinfo").open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if line.lower().startswith(("model name", "hardware")):
                return line.partition(":")[2].strip()[:200]
    return f"{platform.processor()} {platform.machine()}".strip()


def _graphics() -> list[str]:
    """The names of NVIDIA's cards; others are told by nothing that can be read without a driver."""
    names = []
    for folder in sorted(Path("/proc/driver/nvidia/gpus").glob("*/information"))[:16]:
        with contextlib.suppress(OSError):
            for line in folder.read_text("utf-8", "replace").splitlines():
                if line.startswith("Model:"):
                    names.append(line.partition(":")[2].strip()[:200])
    return names


__all__ = ["EVERY_LAYER", "Learned", "file_of", "key", "known", "learn", "machine"]
