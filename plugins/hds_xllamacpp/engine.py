"""A GGUF model behind the server: its header read, its checksum made, an unknown file tried in a process of its own."""

from __future__ import annotations

import contextlib
import itertools
import struct
from pathlib import Path
from typing import Any

from hds_cli.config import Settings
from hds_cli.engine import state, trial
from hds_cli.engine.base import ModelSpec
from hds_cli.engine.files import models
from hds_cli.engine.files.fit import Fit, Room, fit
from hds_cli.engine.files.fitting import room
from hds_cli.engine.files.gguf import GgufHeader
from hds_cli.engine.llama.adapters import missing
from hds_cli.engine.llama.thread_count import usable
from hds_cli.engine.remote.llama_server import LlamaServerEngine, LlamaServerSession
from hds_cli.errors import ModelMissing, ModelUnusable
from hds_cli.types import ModelInfo
from hds_xllamacpp.server import SLOTS, Server, build, gpu_memory, installed

_TRIAL = trial.Trial("hds_xllamacpp.trial", package="xllamacpp", illegal="hds ask -e llama_cpp …")
_SEQUENCES = 2  # sessions of full length that fit at once, where the memory allows it without a cut


class Xllamacpp(LlamaServerEngine):
    """llama.cpp's own server in this process (package xllamacpp, which needs no compiler).

    The entry point of `hds.engines.v2`.

    Raises:
        ModelMissing: there is no such file, or the package is not installed.
        ModelUnusable: the file is not a GGUF file, is cut off, does not fit, or llama.cpp does not support it.
    """

    def __init__(self, spec: ModelSpec, settings: Settings) -> None:
        if not installed():
            raise ModelMissing("the engine xllamacpp is not installed", hint='pip install "hds-cli[xllamacpp]"')
        header = models.read_header(spec.path)
        if spec.lora is not None and not spec.lora.exists():
            raise missing(spec.lora)
        digest, adapter = models.fingerprints(spec)
        trial.ensure(spec.path, digest, _TRIAL, f"xllamacpp {build()}")
        memory = room(gpu_memory())
        fitted, sequences = _fitted(header, spec, settings, memory)
        layers = settings.n_gpu_layers if fitted.layers is None else fitted.layers
        n_ctx = fitted.n_ctx
        self._server = Server(
            spec.path, lora=spec.lora, n_ctx=n_ctx * sequences, n_threads=settings.n_threads or usable(),
            n_gpu_layers=layers, kv=fitted.kv,
        )  # fmt: skip
        self.notes = _notes(fitted, self._server.kv)
        dialect, self.dialect_reason = models.dialect_of(header, spec)
        info = ModelInfo(
            name=spec.name, file=str(spec.path), sha256=digest, quantization=header.quantization, engine="xllamacpp",
            dialect=dialect, n_ctx=n_ctx, n_gpu_layers=0 if memory.gpu is None else layers,
            lora=adapter,
        )  # fmt: skip
        self._slots = itertools.cycle(range(SLOTS))
        wire = self._server.wire(n_ctx * sequences)
        super().__init__(wire, wire.ask("/props"), info)

    def session(self) -> XllamacppSession:
        return XllamacppSession(self, self._wire, self.info.n_ctx)

    def slot_state(self, slot: int) -> bytes:
        """What a slot has evaluated: its tokens, and the model's state behind them."""
        return self._server.slot_state(self._wire, slot)

    def restore(self, held: bytes) -> int | None:
        """Put what `slot_state` gave into a slot; returns which."""
        slot = next(self._slots)
        return slot if self._server.restore(self._wire, slot, held) else None

    @staticmethod
    def find(settings: Settings) -> ModelSpec:
        """The model that the settings name, as for llama.cpp in this process."""
        return models.resolve(settings.model)

    def identity(self) -> dict[str, Any]:
        info, engine = self.info, f"xllamacpp {build()}"
        return {"model": info.sha256 or info.file, "adapter": info.lora, "build": engine, "n_ctx": info.n_ctx}

    def close(self) -> None:
        super().close()
        self._server.close()


def _fitted(header: GgufHeader, spec: ModelSpec, settings: Settings, memory: Room) -> tuple[Fit, int]:
    """How the model fits, and the sessions of full length at once: one rather than a shorter or coarser context.

    Raises:
        ModelUnusable: the machine does not have that much memory, whatever is cut.
    """

    def of(sequences: int) -> Fit:
        return fit(
            header, spec.path.stat().st_size, memory, n_ctx=settings.n_ctx, most_ctx=spec.n_ctx,
            sequences=sequences, n_gpu_layers=settings.n_gpu_layers,
        )  # fmt: skip

    one = of(1)
    with contextlib.suppress(ModelUnusable):
        if of(_SEQUENCES) == one:
            return one, _SEQUENCES
    return one, 1


def _notes(fitted: Fit, kv: str) -> tuple[str, ...]:
    """What was cut; `kv` is the type of keys and values that the model allowed."""
    if kv != fitted.kv:
        kept = "this model's keys and values are kept in 16 bits only: memory may be short"
        return (f"the context is {fitted.n_ctx:,} tokens, and {kept}",)
    return (fitted.note,) if fitted.note else ()


class XllamacppSession(LlamaServerSession):
    """Holds token ids, and is saved with the state of the slot that wrote last."""

    _engine: Xllamacpp

    def save(self, path: Path) -> None:
        tokens = struct.pack(f"<Q{len(self.tokens)}i", len(self.tokens), *self.tokens)
        held = b"" if self.slot is None else self._engine.slot_state(self.slot)
        state.write(path, self._engine.identity(), tokens + held)

    def load(self, path: Path) -> bool:
        body = state.read(path, self._engine.identity())
        if body is None:
            return False
        (size,) = struct.unpack_from("<Q", body)
        self.tokens = list(struct.unpack_from(f"<{size}i", body, 8))
        if held := body[8 + 4 * size :]:
            self.slot = self._engine.restore(held)
        return True
