"""The LoRA adapters of a loaded model: each is loaded once, and freed with the model."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hds_cli.errors import ModelMissing, ModelUnusable

_HINT = "install the package of the model again"


class Adapters:
    """What was loaded, by file: contexts of the same weights share it, each with a scale of its own.

    Args:
        last_error: what llama.cpp said last.
    """

    def __init__(self, api: Any, model: Any, last_error: Callable[[], str]) -> None:
        self._api, self._model, self._last_error = api, model, last_error
        self._loaded: dict[str, Any] = {}
        self._lock = threading.Lock()

    def at(self, path: Path) -> Any:
        """The adapter in a file; one that has changed since is loaded anew.

        Raises:
            ModelMissing, ModelUnusable: there is no such adapter, or it does not load.
        """
        if not path.exists():
            raise missing(path)
        key = mark(path, None)
        with self._lock:
            if key not in self._loaded:
                self._loaded[key] = self._load(path)
            return self._loaded[key]

    def _load(self, path: Path) -> Any:
        adapter = self._api.llama_adapter_lora_init(self._model, os.fsencode(path))
        if not adapter:
            why = self._last_error() or "no reason given"
            raise ModelUnusable(f"llama.cpp cannot load the adapter {path}: {why}", hint=_HINT)
        return adapter


def missing(path: Path) -> ModelMissing:
    """The error of an adapter that is not there."""
    return ModelMissing(f"there is no adapter {path}", hint=_HINT)


def mark(path: Path, digest: str | None) -> str:
    """A file's checksum; its path, size and time of change when no checksum was made."""
    stat = path.stat()
    return digest or f"{path.resolve()}|{stat.st_size}|{stat.st_mtime_ns}"


__all__ = ["Adapters", "mark", "missing"]
