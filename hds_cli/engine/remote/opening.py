"""From the settings to a model behind a server: what speaks there, and which model it has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any

from hds_cli import bounds
from hds_cli.config import Settings
from hds_cli.engine.base import Engine, ModelSpec
from hds_cli.engine.files.gguf import names_searcher
from hds_cli.engine.remote.wire import HINT, Refused, Wire
from hds_cli.errors import ModelMissing, UsageError
from hds_cli.keys import api_key
from hds_cli.types import ModelInfo

KEY = "openai"
_N_CTX = 4096  # where neither the server nor the user says; Ollama's and LM Studio's own default
_SIZES = ("n_ctx", "max_model_len", "loaded_context_length", "context_length", "max_context_length")
_SHOWN = 5  # names of models in a hint


def spec_of(settings: Settings) -> ModelSpec:
    """What the settings name; the server is not asked yet.

    Raises:
        UsageError: nothing elsewhere is to be reached.
        ConfigError: the address is none.
    """
    wire = Wire(settings.openai_url)
    if settings.offline and not wire.local:
        raise UsageError(
            f"the model's server {wire.host} is not on this machine, and --offline reaches nothing else",
            hint="HDS_OPENAI_URL=http://127.0.0.1:8080, or without --offline",
        )
    return ModelSpec(settings.model or wire.host, Path())


def open_remote(settings: Settings, *, silence: float | None = None) -> Engine:
    """Ask the server what it is.

    Raises:
        ModelUnusable: it cannot be reached, or does not speak the interface.
        ModelMissing: it has no such model.
    """
    wire = Wire(settings.openai_url, api_key(KEY), **({} if silence is None else {"silence": silence}))
    props = _props(wire)
    models = _models(wire)
    if not models:
        raise ModelMissing(f"the model's server {wire.host} has no model", hint=HINT)
    entry = _chosen(models, settings.model or "")
    size = _size(props.get("default_generation_settings") or {}) or _size(entry) or _size(entry.get("meta") or {})
    n_ctx = min(settings.n_ctx or size or _N_CTX, size or bounds.MAX_COUNT)
    name = str(entry["id"])[:200]
    shown = PurePath(name).stem if name.endswith(".gguf") else name
    dialect = "hds" if names_searcher(name) else "chat"
    info = ModelInfo(name=shown, engine="openai", n_ctx=n_ctx, dialect=dialect)
    if props:
        from hds_cli.engine.remote.llama_server import LlamaServerEngine

        return LlamaServerEngine(wire, props, info)
    from hds_cli.engine.remote.completions import CompletionEngine

    return CompletionEngine(wire, str(entry.get("owned_by")), info)


def is_elsewhere(settings: Settings) -> str | None:
    """The host of the server where that is another machine, as its address says."""
    wire = Wire(settings.openai_url)
    return None if wire.local else wire.host


def _props(wire: Wire) -> dict[str, Any]:
    """What a llama-server says of itself; empty for any other server."""
    try:
        answer = wire.ask("/props")
    except Refused as exc:
        if exc.status in (401, 403) or 300 <= exc.status < 400:
            raise
        return {}
    known = isinstance(answer, dict) and isinstance(answer.get("default_generation_settings"), dict)
    return answer if known else {}


def _models(wire: Wire) -> list[dict[str, Any]]:
    answer = wire.ask("/v1/models")
    data = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(data, list):
        raise ModelMissing(f"the model's server {wire.host} does not say which models it has", hint=HINT)
    return [entry for entry in data if isinstance(entry, dict) and isinstance(entry.get("id"), str)]


def _chosen(models: Sequence[dict[str, Any]], name: str) -> dict[str, Any]:
    """The model of that name, or of that file; the first for no name."""
    for entry in models:
        path = PurePath(entry["id"])
        if name in ("", entry["id"], path.name, path.stem):
            return entry
    shown = ", ".join(str(entry["id"])[:80] for entry in models[:_SHOWN])
    raise ModelMissing(f"the model's server has no {name!r}", hint=f"-m NAME, one of: {shown}")


def _size(entry: object) -> int:
    """The context length that an object of the server names; 0: none."""
    if not isinstance(entry, Mapping):
        return 0
    return next((size for name in _SIZES if (size := bounds.count(entry.get(name)))), 0)


__all__ = ["KEY", "is_elsewhere", "open_remote", "spec_of"]
