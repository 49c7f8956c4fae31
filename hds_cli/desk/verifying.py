"""Opens the verifier that the settings name, once, when an answer has something to verify."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from hds_cli.agent.asked_verifier import AskedVerifier
from hds_cli.agent.methods.base import Method
from hds_cli.agent.methods.verified import SECONDS, Verified
from hds_cli.agent.verifying import BUILTIN, GROUP, NEEDS, Verifier
from hds_cli.config import Settings
from hds_cli.desk.speaking import Model
from hds_cli.engine.base import Engine, ModelSpec
from hds_cli.engine.opening import find_model, open_engine
from hds_cli.errors import ModelUnusable
from hds_cli.plugins import entry_points, make

_ASKED_SECONDS = 60.0  # for a model that was named: it writes its answers
_PATIENCE = 0.3  # seconds
_N_CTX = 2048  # tokens: instructions, a passage, a claim and the answer


class Verifying:
    """The verifier of a desk; nothing is loaded before it is asked.

    Args:
        model: the model of the desk, whose weights a verifier may share; None: there is none.
    """

    def __init__(self, settings: Settings, model: Model | None = None) -> None:
        self._settings, self._model = settings, model
        self._lock = threading.Lock()
        self._opened: Verifier | None = None
        self._own: Engine | None = None
        self._closed = False

    def methods(self) -> Sequence[Method]:
        """What watches a run: the verifier, unless it is turned off."""
        if self._settings.verify is False:
            return ()
        wanted = bool(self._settings.verify or self._settings.verifier)
        usual = SECONDS if self._name in entry_points(GROUP) else _ASKED_SECONDS
        seconds = self._settings.verify_timeout or usual
        return (Verified(self.open, seconds, wanted=wanted),)

    def open(self) -> Verifier:
        """The verifier, loaded with the first call; none is loaded once it was closed.

        Raises:
            HdsError: it is missing, unusable or closed.
        """
        with self._lock:
            if self._closed:
                raise ModelUnusable("the verifier was closed")
            if self._opened is None:
                self._opened = self._load()
            return self._opened

    def close(self) -> None:
        """Give the verifier back, and the model that was loaded for it; one that is still loading is left behind."""
        self._closed = True
        if not self._lock.acquire(timeout=_PATIENCE):
            return
        try:
            self._release()
        finally:
            self._lock.release()

    def _release(self) -> None:
        if self._opened is not None:
            self._opened.close()
        if self._own is not None:
            self._own.close()
        self._opened = self._own = None

    @property
    def _name(self) -> str:
        return self._settings.verifier or BUILTIN

    def _load(self) -> Verifier:
        name = self._name
        if name in entry_points(GROUP):
            verifier: Verifier = make(GROUP, name, self._model.engine if self._model else None, needs=NEEDS)
            return verifier
        engine = "scripted" if name.endswith(".jsonl") else "llama_cpp"
        settings = replace(self._settings, model=name, engine=engine, n_ctx=_N_CTX)
        spec = replace(find_model(settings), lora=None)
        if self._model is not None and _same(self._model.spec, spec):
            return AskedVerifier(self._model.engine)
        self._own = open_engine(spec, settings)
        return AskedVerifier(self._own)


def _same(one: ModelSpec, other: ModelSpec) -> bool:
    """True for the same weights without an adapter."""
    paths = [Path(spec.path) for spec in (one, other)]
    return one.lora is None and all(path.exists() for path in paths) and paths[0].samefile(paths[1])
