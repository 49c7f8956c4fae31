"""The first load of an unknown model happens in a process of its own: one that crashes there is refused here.

llama.cpp aborts on some broken files, and an abort cannot be caught (security: a file is data from strangers). A file
that loaded, tokenised and evaluated once is remembered by its SHA-256 and the build of llama.cpp.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from hds_cli.engine.base import Engine, ModelSpec, Segment
from hds_cli.engine.files import remembered
from hds_cli.engine.files.known import FILES
from hds_cli.engine.llama.api import build
from hds_cli.engine.llama.probe import HERE, ILLEGAL, broken, ending
from hds_cli.errors import HdsError, ModelUnusable
from hds_cli.keys import without_secrets

_MEMORY = "models-tried.json"
_VERSION = 1  # version of the trial: a stricter trial raises it, and files are tried again
_SECONDS = 60.0
_BYTES_PER_SECOND = 50e6  # bytes a second of a slow disk, for the first reading of a large file
_ROOM = 8 << 30  # address space beyond twice the file
N_CTX = 256
_GRAMMAR = "root ::= [a-z ]{1,8}"


@dataclass(frozen=True)
class Trial:
    """The process that tries a file with an engine, and what to type when it fails there.

    Args:
        module: it is run with the file's path, and calls `child`.
        package: of the engine; a newer one may know the file.
        illegal: for a build that was made for another processor.
    """

    module: str = "hds_cli.engine.trial"
    package: str = "llama-cpp-python"
    illegal: str = HERE

    @property
    def hint(self) -> str:
        return f"another GGUF file, or pip install --upgrade {self.package}"


def ensure(path: Path, digest: str | None, trial: Trial = Trial(), engine: str = "") -> None:
    """Make sure that the model at `path` was loaded once without a crash, now if need be.

    Args:
        digest: SHA-256 of the file; one of the table in `known.py` needs no trial.
        engine: name and version of what it is tried with; empty: llama-cpp-python's.

    Raises:
        ModelUnusable: llama.cpp crashed, hung, or refused the file.
    """
    if digest is None or digest in FILES:
        return
    key = f"{digest}|{engine or build()}|{_VERSION}"
    if remembered.get(_MEMORY, key) is not None:
        return
    attempt(path, trial)
    remembered.put(_MEMORY, key, "loaded")


def attempt(path: Path, trial: Trial = Trial()) -> None:
    """Load the model once in a process of its own, and have it write a few tokens.

    Raises:
        ModelUnusable: llama.cpp crashed, hung, or refused the file.
    """
    limit = _SECONDS + path.stat().st_size / _BYTES_PER_SECOND
    command = [sys.executable, "-P", "-m", trial.module, str(path)]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment(),
            timeout=limit, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise ModelUnusable(f"llama.cpp does not finish loading {path} ({limit:.0f} s)", hint=trial.hint) from None
    except OSError as exc:
        raise ModelUnusable(f"no process could be started to try {path}: {exc.strerror}") from exc
    if done.returncode == 0:
        return
    if done.returncode in ILLEGAL:
        raise broken(done.returncode, f"on {path}", trial.illegal)
    raise ModelUnusable(_reason(path, done.returncode, done.stdout), hint=trial.hint)


def _reason(path: Path, code: int, output: bytes) -> str:
    """The child's own error, or how the child ended."""
    with contextlib.suppress(ValueError, KeyError, TypeError):
        return str(json.loads(output)["error"])
    return f"llama.cpp crashes on {path} ({ending(code)}); it was tried in a process of its own"


def environment() -> dict[str, str]:
    """The child's environment: no keys, no debugger's backtrace, and no graphics card, whose drivers would not fit."""
    return without_secrets(os.environ) | {
        "CUDA_VISIBLE_DEVICES": "",
        "HIP_VISIBLE_DEVICES": "",
        "GGML_VK_VISIBLE_DEVICES": "",
        "GGML_NO_BACKTRACE": "1",
    }


def child(load: Callable[[Path], Engine]) -> NoReturn:
    """The process: load the file it was given, cut texts into tokens, evaluate and write a few, free and by grammar.

    Args:
        load: loads it with one thread, no GPU and a context of `N_CTX` tokens.
    """
    path = Path(sys.argv[1])
    confine(path.stat().st_size)
    code = 0
    try:
        engine = load(path)
        engine.count([Segment(_sample(), True), Segment(_sample(), False)])
        engine.chat_template()
        session = engine.session()
        session.append([Segment("Hello, Oslo! 1 + 1 = 2; où, 東京.\n")])
        session.generate(max_tokens=2)
        session.generate(max_tokens=2, grammar=_GRAMMAR)
    except (HdsError, MemoryError, ValueError) as exc:
        sys.stdout.write(json.dumps({"error": getattr(exc, "message", None) or f"{type(exc).__name__}: {exc}"}))
        code = 1
    sys.stdout.flush()
    os._exit(code)  # leaves out llama.cpp's cleaning up, which is not part of the trial


def _sample() -> str:
    """Every byte that UTF-8 text can hold: a vocabulary without a token for one of them aborts when it comes up."""
    leads = (
        chr(point) for point in (*range(0x800, 0xD800, 0x1000), 0xE000, 0xF000, *range(0x10000, 0x110000, 0x40000))
    )
    return "".join(map(chr, range(1, 0x800))) + "".join(leads) + "<|im_start|>user\nHello, Oslo!<|im_end|>   1234567890"


def confine(size: int) -> None:
    """No core file, bounded memory, and first to go when the machine runs out of it."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (2 * size + _ROOM, 2 * size + _ROOM))
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")


def _load(path: Path) -> Engine:
    """The model in llama-cpp-python, its vocabulary looked through."""
    from hds_cli.engine.llama.model import LlamaEngine

    engine = LlamaEngine(ModelSpec("trial", path), n_ctx=N_CTX, n_threads=1, n_gpu_layers=0)
    engine.walk_vocabulary()
    return engine


if __name__ == "__main__":
    child(_load)
