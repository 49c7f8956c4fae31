"""What a run of the installed command costs: the peak memory of its own process, not of those that it starts."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from tests.conftest import command


class Measured(NamedTuple):
    """How a command ended, its own peak memory in bytes, and how long it took in seconds."""

    done: subprocess.CompletedProcess[str]
    peak: int
    seconds: float


def measured(*args: str, env: dict[str, str] | None = None, timeout: float = 240) -> Measured:
    """Run `hds` with `args` in this environment and look at its memory until it ends.

    Args:
        env: on top of it; with a home of its own, no other HDS_ variable is left.
    """
    given = env or {}
    here = {k: v for k, v in os.environ.items() if "HDS_HOME" not in given or not k.startswith("HDS_")}
    began = time.monotonic()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen(
            [command(), *args], stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=here | given
        )
        peak = 0
        try:
            while process.poll() is None:
                peak = max(peak, _high_water(process.pid))
                if time.monotonic() - began > timeout:
                    raise AssertionError(f"hds {' '.join(args)} took longer than {timeout} s")
                time.sleep(0.01)
        finally:
            process.kill()
            process.wait()
        seconds = time.monotonic() - began
        out.seek(0)
        err.seek(0)
        texts = out.read().decode(), err.read().decode()
    return Measured(subprocess.CompletedProcess(args, process.returncode, *texts), peak, seconds)


def _high_water(pid: int) -> int:
    try:
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    except OSError:
        return 0
    return int(found[1]) * 1024 if found else 0
