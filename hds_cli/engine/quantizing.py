"""A GGUF file written anew with fewer bits a weight, by llama.cpp's own `llama_model_quantize`.

It runs in a process of its own: a call of C cannot be interrupted, and llama.cpp aborts on some broken files.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hds_cli.engine.files.gguf import FILE_TYPE_NUMBERS
from hds_cli.engine.files.models import read_header
from hds_cli.engine.llama.probe import ending
from hds_cli.engine.trial import Trial, confine, environment
from hds_cli.errors import ModelUnusable, UsageError

BITS = {
    "Q2_K": 3.0, "Q3_K_S": 3.6, "Q3_K_M": 4.0, "Q3_K_L": 4.3, "Q4_0": 4.6, "Q4_1": 5.1, "Q4_K_S": 4.7, "Q4_K_M": 4.9,
    "Q5_0": 5.6, "Q5_1": 6.1, "Q5_K_S": 5.6, "Q5_K_M": 5.7, "Q6_K": 6.6, "Q8_0": 8.6,
}  # fmt: skip
"""The quantizations, and the bits that a weight takes in a model of some billions (rounded up)."""
_FROM = ("F32", "F16", "BF16", "Q8_0")  # what may be quantized: of fewer bits, a second rounding costs too much
_ROWS = 256 << 20  # bytes of a tensor that llama.cpp holds at once
_LITTLE = 1 << 20  # bytes: less was free when a full disk ended it
_MADV_DONTNEED = 4
_STEP = re.compile(r"\[\s*(\d+)/\s*(\d+)\]")  # of its log: tensor n of all


def check_quantization(name: str) -> str:
    """The quantization as it is spelt.

    Raises:
        UsageError: there is none of this name.
    """
    if name.upper() not in BITS:
        raise UsageError(f"there is no quantization {name!r}", hint=f"quantizations: {', '.join(BITS)}")
    return name.upper()


def quantize(model: Path, out: Path, name: str, progress: Callable[[int, int], None]) -> None:
    """Write the model quantized to `out`, in one piece.

    Args:
        name: one of `BITS`.
        progress: called with (tensors done, tensors in all).

    Raises:
        ModelUnusable: the file cannot be read, is quantized already, or llama.cpp refuses it.
        OSError: as writing does.
    """
    header = read_header(model)
    if header.quantization not in _FROM:
        raise ModelUnusable(
            f"{model} is quantized already ({header.quantization})",
            hint=f"one of the type {', '.join(_FROM)} is needed",
        )
    part = out.with_name(f".{out.name}.part")
    command = [sys.executable, "-P", "-m", "hds_cli.engine.quantizing", str(model), str(part), name]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment()
    )
    try:
        error = _followed(process, progress)
        code = process.wait()
        if code and shutil.disk_usage(out.parent).free < _LITTLE:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        if code:
            said = error or f"llama.cpp ended with {ending(code)}"
            raise ModelUnusable(f"{model} was not quantized: {said}", hint=Trial().hint)
        with part.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(part, out)
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe:
                pipe.close()
        part.unlink(missing_ok=True)


def _followed(process: subprocess.Popen[bytes], progress: Callable[[int, int], None]) -> str:
    """Tell of the child's progress until it ends; returns its last words of error."""
    error = ""
    for line in process.stdout or ():
        try:
            said = json.loads(line)
        except ValueError:
            continue
        if "error" in said:
            error = str(said["error"])
        else:
            progress(int(said["done"]), int(said["of"]))
    return error


def main(model: str, out: str, name: str) -> int:
    """The child. It ends when its parent does: then its standard input is closed."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    confine(Path(model).stat().st_size)
    from hds_cli.engine.llama.api import load_api

    api = load_api()
    errors: list[str] = []

    def heard(level: int, text: bytes, _: Any) -> None:
        line = text.decode("utf-8", "replace").strip()
        if step := _STEP.search(line):
            _let_go(model)
            _tell(done=int(step[1]), of=int(step[2]))
        elif level >= 4 and line:
            errors.append(line)

    callback = api.llama_log_callback(heard)
    api.llama_log_set(callback, None)
    params = api.llama_model_quantize_default_params()
    params.nthread, params.allow_requantize = os.cpu_count() or 1, True
    params.ftype = FILE_TYPE_NUMBERS[name]
    if hasattr(params, "max_buf_size"):  # llama-cpp-python 0.3.36 and later
        params.max_buf_size = _ROWS
    if failed := api.llama_model_quantize(os.fsencode(model), os.fsencode(out), params):
        _tell(error=errors[-1] if errors else f"llama.cpp says {failed}")
    return int(bool(failed))


def _let_go(path: str) -> None:
    """Take what was read of a mapped file out of this process's memory: each of its tensors is read once (Linux)."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        libc, real = ctypes.CDLL(None), os.path.realpath(path)
        for line in Path("/proc/self/maps").read_text("utf-8", "surrogateescape").splitlines():
            if line.endswith(real):
                begin, end = (int(place, 16) for place in line.split()[0].split("-"))
                libc.madvise(ctypes.c_void_p(begin), ctypes.c_size_t(end - begin), _MADV_DONTNEED)


def _tell(**said: Any) -> None:
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(1)


if __name__ == "__main__":
    code = main(*sys.argv[1:])
    sys.stdout.flush()
    os._exit(code)
