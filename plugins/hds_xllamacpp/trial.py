"""The child that tries a model with xllamacpp: `python -m hds_xllamacpp.trial FILE` (see `hds_cli.engine.trial`)."""

from __future__ import annotations

from pathlib import Path

from hds_cli.engine import trial
from hds_cli.engine.remote.llama_server import LlamaServerEngine
from hds_cli.types import ModelInfo
from hds_xllamacpp.server import Server


class _Tried(LlamaServerEngine):
    def __init__(self, path: Path) -> None:
        self._server = Server(path, n_ctx=trial.N_CTX, n_threads=1, n_gpu_layers=0)  # which ends with its last name
        wire = self._server.wire(trial.N_CTX)
        super().__init__(wire, wire.ask("/props"), ModelInfo("trial", n_ctx=trial.N_CTX))


if __name__ == "__main__":
    trial.child(_Tried)
