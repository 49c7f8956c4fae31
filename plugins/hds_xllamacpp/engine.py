"""A GGUF model behind the server: its header read, its checksum made, an unknown file tried in a process of its own."""

from __future__ import annotations

import itertools
import os
import struct
from pathlib import Path
from typing import Any

from hds_cli.config import Settings
from hds_cli.engine import state, trial
from hds_cli.engine.base import ModelSpec
from hds_cli.engine.files import models
from hds_cli.engine.remote.llama_server import LlamaServerEngine, LlamaServerSession
from hds_cli.errors import ModelMissing
from hds_cli.types import ModelInfo
from hds_xllamacpp.server import SLOTS, Server, build, installed

MAX_DEFAULT_CTX = 16_384
_SEQUENCES = 2  # sessions of full length that fit at once


class Xllamacpp(LlamaServerEngine):
    """llama.cpp's own server in this process (package xllamacpp, which needs no compiler).

    The entry point of `hds.engines.v2`.

    Raises:
        ModelMissing: there is no such file, or the package is not installed.
        ModelUnusable: the file is not a GGUF file, is cut off, or llama.cpp does not support it.
    """

    def __init__(self, spec: ModelSpec, settings: Settings) -> None:
        if not installed():
            raise ModelMissing("the engine xllamacpp is not installed", hint='pip install "hds-cli[xllamacpp]"')
        header = models.read_header(spec.path)
        if spec.lora is not None and not spec.lora.exists():
            raise ModelMissing(f"there is no adapter {spec.lora}")
        digest = models.fingerprint(spec.path)
        trial.ensure(spec.path, digest, module="hds_xllamacpp.trial", engine=f"xllamacpp {build()}")
        said = header.metadata
        trained = int(said.get(f"{said.get('general.architecture')}.context_length") or MAX_DEFAULT_CTX)
        n_ctx = settings.n_ctx or min(spec.n_ctx or MAX_DEFAULT_CTX, trained)
        self._server = Server(
            spec.path, lora=spec.lora, n_ctx=n_ctx * _SEQUENCES, n_threads=settings.n_threads or os.cpu_count() or 1,
            n_gpu_layers=settings.n_gpu_layers,
        )  # fmt: skip
        dialect, self.dialect_reason = models.dialect_of(header, spec)
        info = ModelInfo(
            name=spec.name, file=str(spec.path), sha256=digest, quantization=header.quantization, engine="xllamacpp",
            dialect=dialect, n_ctx=n_ctx, n_gpu_layers=max(0, settings.n_gpu_layers),
            lora=models.fingerprint(spec.lora) if spec.lora else None,
        )  # fmt: skip
        self._slots = itertools.cycle(range(SLOTS))
        wire = self._server.wire(n_ctx * _SEQUENCES)
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
