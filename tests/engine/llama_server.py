"""A real llama.cpp server in a process of its own (the one that xllamacpp carries): `python llama_server.py MODEL`."""

from __future__ import annotations

import atexit
import functools
import os
import subprocess
import sys
from pathlib import Path


@functools.cache
def shared(model: Path) -> str:
    """The address of a server that runs until the tests end."""
    process, address = start(model)
    atexit.register(stop, process)
    return address


def start(model: Path, *, n_ctx: int = 4096, slots: int = 4, key: str = "") -> tuple[subprocess.Popen[str], str]:
    """The process and its address; it ends with `stop`, or when this process does."""
    command = [sys.executable, __file__, str(model), str(n_ctx), str(slots), key]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None
    address = next((line for line in process.stdout if line.startswith("http://")), "")
    return process, address.strip()


def stop(process: subprocess.Popen[str]) -> None:
    """End it: it reads the end of its standard input."""
    assert process.stdin is not None
    process.stdin.close()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def main() -> None:
    import xllamacpp

    model, n_ctx, slots, key = sys.argv[1:]
    params = xllamacpp.CommonParams()
    params.model.path = model
    params.n_ctx, params.n_parallel, params.port = int(n_ctx) * int(slots), int(slots), 0
    params.warmup, params.hostnames = False, ["127.0.0.1"]
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    if key:
        params.api_keys = [key]
    server = xllamacpp.Server(params)
    print(server.listening_address, flush=True)
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main()
