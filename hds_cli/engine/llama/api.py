"""llama-cpp-python's low-level module: the only file that imports it. Its log is kept, not printed."""

from __future__ import annotations

import ctypes
import os
import re
from importlib.util import find_spec
from typing import Any

from hds_cli.errors import ModelMissing, ModelUnusable

_INSTALL = "pip install llama-cpp-python"
_INSTEAD = "hds ask -e xllamacpp …   or, from now on: hds config set engine xllamacpp"
_ERROR = 4  # GGML_LOG_LEVEL_ERROR


class Log:
    """Keeps llama.cpp's last words of error instead of printing them."""

    def __init__(self, api: Any) -> None:
        self._lines: list[str] = []
        self._callback = api.llama_log_callback(self._take)
        api.llama_log_set(self._callback, None)

    def _take(self, level: int, text: bytes, _: Any) -> None:
        if level >= _ERROR and (line := text.decode("utf-8", "replace").strip()):
            self._lines = [*self._lines[-9:], line]

    def clear(self) -> None:
        self._lines = []

    def last(self) -> str:
        """The first of the last errors: later ones only say that it failed."""
        return self._lines[0] if self._lines else ""


class StopFlag:
    """A byte that llama.cpp looks at between the operations of a batch: once set, the batch ends unfinished.

    llama.cpp asks a function of C about a thousand times a token. A function of Python would take the interpreter's
    lock each time. `strlen` of the byte and a zero behind it answers as well: 0 is false, 1 is true.
    """

    def __init__(self, api: Any) -> None:
        self._byte = ctypes.create_string_buffer(2)
        self._data = ctypes.cast(self._byte, ctypes.c_void_p)
        if os.name == "posix":
            self._callback = ctypes.cast(ctypes.CDLL(None).strlen, api.ggml_abort_callback)
        else:
            self._callback = api.ggml_abort_callback(lambda _: self._byte.raw[0] != 0)

    def watch(self, api: Any, context: Any) -> None:
        """Make `context` look at this flag."""
        api.llama_set_abort_callback(context, self._callback, self._data)

    def set(self) -> None:
        self._byte[0] = b"\1"

    def clear(self) -> None:
        self._byte[0] = b"\0"


_log: Log | None = None


def quiet(api: Any) -> Log:
    """The log of the process, empty: llama.cpp holds one callback, which must outlive every model."""
    global _log
    if _log is None:
        _log = Log(api)
    _log.clear()
    return _log


def check_installed() -> None:
    """See whether the package is there, without importing it.

    Raises:
        ModelMissing: it is not.
    """
    if find_spec("llama_cpp") is None:
        raise ModelMissing("llama-cpp-python is not installed", hint=_INSTEAD if find_spec("xllamacpp") else _INSTALL)


def load_api() -> Any:
    """The module.

    Raises:
        ModelMissing: it is not installed.
        ModelUnusable: it does not load.
    """
    check_installed()
    try:
        import llama_cpp.llama_cpp as api
    except (ImportError, OSError, RuntimeError) as exc:
        raise ModelUnusable(
            f"llama-cpp-python does not load: {exc}", hint="pip install --force-reinstall llama-cpp-python"
        ) from exc
    api.llama_backend_init()
    return api


def build() -> str:
    """The version of llama-cpp-python, without importing it."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("llama-cpp-python")
    except PackageNotFoundError:
        return "unknown"


def build_info() -> dict[str, str | bool]:
    """The llama.cpp that is installed: version, whether layers can go to a GPU, and what it was built for.

    Raises:
        ModelUnusable: it does not load.
    """
    api = load_api()
    features = api.llama_print_system_info().decode("utf-8", "replace")
    return {
        "version": build(),
        "gpu_offload": bool(api.llama_supports_gpu_offload()),
        "features": " ".join(re.findall(r"(\w+) = 1", features)),
    }
