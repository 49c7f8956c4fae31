"""From settings to a loaded engine: the one door to every engine, ours and the plugins'."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from hds_cli.config import Settings
from hds_cli.engine.base import Engine, ModelSpec
from hds_cli.engine.shelf import Shelf
from hds_cli.errors import EngineUnknown, ModelMissing, UsageError
from hds_cli.plugins import entry_points, load, make, mismatch

if TYPE_CHECKING:
    from hds_cli.engine.files.fit import Room
    from hds_cli.engine.files.learned import Learned
    from hds_cli.engine.llama.model import LlamaEngine

ENGINES = ("llama_cpp", "openai", "scripted")
GROUP = "hds.engines.v2"
_ENGINE = ("info", "session", "count", "chat_template", "close")


def find_model(settings: Settings) -> ModelSpec:
    """The model that the settings name, without loading it.

    Raises:
        EngineUnknown, ModelMissing, UsageError: what the settings name is not there.
    """
    if settings.engine not in ENGINES:
        return _of_plugin(settings)
    if settings.engine == "openai":
        from hds_cli.engine.remote.opening import spec_of

        return spec_of(settings)
    if settings.engine == "scripted":
        if settings.model is None:
            raise UsageError("the scripted engine needs a script", hint="hds ask -e scripted -m FILE.jsonl …")
        path = Path(settings.model).expanduser()
        if not path.exists():
            raise ModelMissing(f"there is no script {path}", hint="hds ask -e scripted -m FILE.jsonl …")
        return ModelSpec(path.stem, path, dialect="hds")
    from hds_cli.engine.files import models

    return models.resolve(settings.model)


def _of_plugin(settings: Settings) -> ModelSpec:
    """The model of an engine plugin: only that engine knows what the name means.

    A factory that has a function `find(settings) -> ModelSpec` says it; else the name is handed on as it is.
    """
    known = entry_points(GROUP)
    if settings.engine not in known:
        names = ", ".join((*ENGINES, *sorted(known)))
        unknown = EngineUnknown(f"there is no engine {settings.engine!r}", hint=f"engines: {names}")
        raise mismatch("engines", settings.engine) or unknown
    if (find := getattr(load(GROUP, settings.engine), "find", None)) is not None:
        spec: ModelSpec = find(settings)
        return spec
    return ModelSpec(settings.model or settings.engine, Path(settings.model or ""))


def open_engine(spec: ModelSpec, settings: Settings, *, sequences: int = 1, apart: bool = False) -> Engine:
    """Load the model; takes a while for a large one, so it is called in a thread.

    Args:
        sequences: sessions of full length that are to fit at once. More of them, or longer ones, cost time, not memory.
        apart: what a session writes is to depend on no other, at the price of sharing (`LlamaEngine`).

    Raises:
        ModelError: the file is missing or unusable.
    """
    if settings.engine == "scripted":
        from hds_cli.engine.scripted import ScriptedEngine

        return ScriptedEngine(spec.path, n_ctx=settings.n_ctx)
    if settings.engine == "openai":
        from hds_cli.engine.remote.opening import open_remote

        return open_remote(settings)
    if settings.dialect not in (None, spec.dialect):
        spec = replace(spec, lora=None)  # the adapter was trained for that dialect only
    if settings.engine not in ENGINES:
        engine: Engine = make(GROUP, settings.engine, spec, settings, needs=_ENGINE)
        return engine
    return open_llama(
        spec, n_ctx=settings.n_ctx, n_threads=settings.n_threads, n_gpu_layers=settings.n_gpu_layers,
        sequences=sequences, apart=apart, shelf=Shelf.standard(settings.state_size) if settings.state_size else None,
    )  # fmt: skip


def open_llama(
    spec: ModelSpec, *, n_ctx: int | None = None, n_threads: int | None = None, n_gpu_layers: int = -1,
    sequences: int = 1, apart: bool = False, shelf: Shelf | None = None, room: Room | None = None,
    best: Learned | None = None,
) -> LlamaEngine:  # fmt: skip
    """A GGUF model: its header read, its checksum made, an unknown file tried in a process of its own, then loaded.

    What is not given suits the memory, and is what a bench found to be best as far as memory and cores allow it.

    Args:
        room: memory; None: this machine's.
        best: what a bench found; None: what is known of this model.

    Raises:
        ModelError: the file is missing or unusable, or does not fit.
    """
    from hds_cli.engine import trial
    from hds_cli.engine.files import fitting, learned, models
    from hds_cli.engine.files.fit import fit
    from hds_cli.engine.llama.api import check_installed
    from hds_cli.engine.llama.devices import gpu_memory
    from hds_cli.engine.llama.model import LlamaEngine
    from hds_cli.engine.llama.thread_count import usable

    check_installed()
    header = models.read_header(spec.path)  # a fault in the header is seen here, without starting a process
    digest, adapter = models.fingerprints(spec)
    best = best or learned.known(learned.key(digest, adapter))
    threads = n_threads or (best.n_threads and min(best.n_threads, usable()))
    fitted = fit(
        header, spec.path.stat().st_size, room or fitting.room(gpu_memory()), n_ctx=n_ctx, most_ctx=spec.n_ctx,
        sequences=sequences, n_gpu_layers=n_gpu_layers, most_layers=best.n_gpu_layers,
    )  # fmt: skip
    trial.ensure(spec.path, digest)
    return LlamaEngine(
        spec, n_ctx=fitted.n_ctx, n_threads=threads, gives_way=not n_threads,
        n_gpu_layers=n_gpu_layers, sequences=sequences, apart=apart, shelf=shelf, sha256=digest, lora_sha256=adapter,
        fitted=fitted, n_batch=best.n_batch,
    )  # fmt: skip
