"""Which of the models that can be pulled fit into this machine's memory."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from hds_cli.engine.files.known import SHORT_NAMES, ShortName

_SHARE = 0.8  # of the memory; the rest is the system's and the pages'
_BESIDE = 0.5  # gigabytes for everything but weights and context
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


def memory_of_machine() -> float:
    """Gigabytes of memory, or of the container's share of it; 0.0 where nobody says."""
    sizes = []
    with suppress(OSError, ValueError, AttributeError):
        sizes.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    for limit in _LIMITS:
        with suppress(OSError, ValueError):
            sizes.append(int(Path(limit).read_text("ascii").strip()))
    return min(sizes, default=0) / 1e9
