"""This machine's memory, and which of the models that can be pulled fit into it."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from hds_cli.engine.files.fit import Room
from hds_cli.engine.files.known import SHORT_NAMES, ShortName

_SHARE = 0.8  # of the memory; the rest is the system's and the pages'
_BESIDE = 0.5  # gigabytes for everything but weights and context
_USED = "/sys/fs/cgroup"
_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")  # of a container


@dataclass(frozen=True)
class Candidate:
    """A model by its short name, the gigabytes that it needs, and whether this machine has them."""

    name: str
    known: ShortName
    needs: float
    fits: bool


def candidates(memory: float | None = None) -> list[Candidate]:
    """The models with short names: those of a known checksum first, the larger ones before the smaller.

    Args:
        memory: gigabytes of the machine; None: as many as it has.
    """
    room = _SHARE * (memory_of_machine() if memory is None else memory)
    needed = {name: known.gigabytes + known.context + _BESIDE for name, known in SHORT_NAMES.items()}
    order = sorted(SHORT_NAMES.items(), key=lambda entry: (not entry[1].verified, -entry[1].gigabytes))
    return [Candidate(name, known, needed[name], needed[name] <= room) for name, known in order]


def room(gpu: int | None = None) -> Room:
    """The memory of this machine, or of the container's share of it.

    Args:
        gpu: free bytes of a GPU.
    """
    told = _meminfo()
    total = int(memory_of_machine() * 1e9)
    free = told.get("MemAvailable")
    with suppress(OSError, ValueError, KeyError):  # what a container has used, without files that can be given up
        files = dict(line.split() for line in Path(_USED, "memory.stat").read_text("ascii").splitlines())
        used = int(Path(_USED, "memory.current").read_text("ascii")) - int(files["inactive_file"])
        limit = int(Path(_LIMITS[0]).read_text("ascii"))
        free = max(0, limit - used) if free is None else min(free, max(0, limit - used))
    return Room(total + told.get("SwapTotal", 0) if total else None, free, gpu)


def _meminfo() -> dict[str, int]:
    """Bytes, by the names in /proc/meminfo; none on other systems."""
    with suppress(OSError, ValueError, IndexError):
        lines = Path("/proc/meminfo").read_text("ascii").splitlines()
        return {line.partition(":")[0]: int(line.split()[1]) * 1024 for line in lines if line.endswith("kB")}
    return {}


def memory_of_machine() -> float:
    """Gigabytes of memory, or of the container's share of it; 0.0 where nobody says."""
    sizes = []
    with suppress(OSError, ValueError, AttributeError):
        sizes.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    for limit in _LIMITS:
        with suppress(OSError, ValueError):
            sizes.append(int(Path(limit).read_text("ascii").strip()))
    return min(sizes, default=0) / 1e9
