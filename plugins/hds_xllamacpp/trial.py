"""The child that tries a model with xllamacpp: `python -m hds_xllamacpp.trial FILE` (see `hds_cli.engine.trial`)."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from hds_cli.engine.base import Segment
from hds_cli.engine.trial import GRAMMAR, confine, sample
from hds_cli.errors import HdsError


def main(path: Path) -> int:
    """Load the file, cut texts into tokens, evaluate and write a few, free and by grammar."""
    from hds_cli.engine.remote.llama_server import LlamaServerEngine
    from hds_cli.types import ModelInfo
    from hds_xllamacpp.server import Server

    confine(path.stat().st_size)
    try:
        server = Server(path, n_ctx=256, n_threads=1, n_gpu_layers=0)  # which ends with its last name
        wire = server.wire(256)
        engine = LlamaServerEngine(wire, wire.ask("/props"), ModelInfo("trial", n_ctx=256))
        engine.count([Segment(sample(), True), Segment(sample(), False)])
        engine.chat_template()
        session = engine.session()
        session.append([Segment("Hello, Oslo! 1 + 1 = 2; où, 東京.\n")])
        session.generate(max_tokens=2)
        session.generate(max_tokens=2, grammar=GRAMMAR)
    except (HdsError, MemoryError, ValueError) as exc:
        sys.stdout.write(json.dumps({"error": getattr(exc, "message", None) or f"{type(exc).__name__}: {exc}"}))
        return 1
    return 0


if __name__ == "__main__":
    code = main(Path(sys.argv[1]))
    sys.stdout.flush()
    os._exit(code)  # leaves out llama.cpp's cleaning up, which is not part of the trial
