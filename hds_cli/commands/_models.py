"""From settings to a model that is ready to be asked."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

from hds_cli.agent.dialects import Dialect, HdsDialect, chosen
from hds_cli.agent.protocol import UPSTREAM_PREAMBLE_SHA256
from hds_cli.config import Settings
from hds_cli.engine.base import Engine, ModelSpec, Session
from hds_cli.errors import ConfigError, EngineUnknown, ModelMissing, UsageError
from hds_cli.plugins import entry_points, make, mismatch
from hds_cli.types import ModelInfo

ENGINES = ("llama_cpp", "scripted")
GROUP = "hds.engines.v1"
_ENGINE = ("info", "session", "count", "chat_template", "abort", "resume", "close")


@dataclass
class Model:
    """A loaded engine and everything the dialect needs to know."""

    engine: Engine
    spec: ModelSpec
    dialect: str
    preamble: str | None
    info: ModelInfo
    warnings: tuple[str, ...] = ()

    def speak(self, session: Session, settings: Settings) -> Dialect:
        """A dialect over a new session, for one run."""
        temperature = settings.temperature if settings.temperature is not None else self.spec.temperature
        if self.dialect == "guided":
            from hds_cli.agent.guided import GuidedDialect

            return GuidedDialect(
                session, self.engine.chat_template(), temperature=temperature, seed=settings.seed,
                max_queries=settings.max_queries,
            )  # fmt: skip
        return HdsDialect(
            session, preamble=self.preamble, boxed=self.spec.boxed, temperature=temperature,
            max_tokens=settings.max_tokens, seed=settings.seed, calculates=self.spec.calculates,
        )  # fmt: skip


def check(settings: Settings) -> ModelSpec:
    """The model that is meant, without loading it.

    Raises:
        EngineUnknown, ModelMissing, UsageError: what the settings name is not there.
    """
    if settings.engine not in ENGINES:
        return _outside(settings)
    if settings.engine == "scripted":
        if settings.model is None:
            raise UsageError("the scripted engine needs a script", hint="hds ask -e scripted -m FILE.jsonl …")
        path = Path(settings.model).expanduser()
        if not path.exists():
            raise ModelMissing(f"there is no script {path}", hint="hds ask -e scripted -m FILE.jsonl …")
        return ModelSpec(path.stem, path, dialect="hds")
    from hds_cli.engine import models

    return models.resolve(settings.model)


def _outside(settings: Settings) -> ModelSpec:
    """The model of an engine plugin: what its name means, the engine knows."""
    known = entry_points(GROUP)
    if settings.engine not in known:
        names = ", ".join((*ENGINES, *sorted(known)))
        unknown = EngineUnknown(f"there is no engine {settings.engine!r}", hint=f"engines: {names}")
        raise mismatch("engines", settings.engine) or unknown
    return ModelSpec(settings.model or settings.engine, Path(settings.model or ""))


def load(spec: ModelSpec, settings: Settings) -> Model:
    """Load the model; takes a while for a large one, so it is called in a thread.

    Raises:
        ModelError: the file is missing or unusable.
    """
    engine: Engine
    if settings.engine == "scripted":
        from hds_cli.engine.scripted import ScriptedEngine

        engine, searcher, template = ScriptedEngine(spec.path, n_ctx=settings.n_ctx), False, False
    elif settings.engine not in ENGINES:
        engine = make(GROUP, settings.engine, spec, settings, needs=_ENGINE)
        searcher, template = engine.info.dialect == "hds", bool(engine.chat_template())
    else:
        from hds_cli.engine.llama_cpp import LlamaEngine

        if settings.dialect == "guided":
            spec = replace(spec, lora=None)  # the adapter only knows the searcher's protocol
        engine = LlamaEngine(
            spec, n_ctx=settings.n_ctx, n_threads=settings.n_threads, n_gpu_layers=settings.n_gpu_layers
        )
        searcher, template = engine.header.looks_like_searcher, bool(engine.chat_template())
    dialect = chosen(settings.dialect, model_says=spec.dialect, looks_like_searcher=searcher, has_template=template)
    preamble, label, warnings = _preamble(spec, settings)
    info = replace(engine.info, dialect=dialect, prompt=label if dialect == "hds" else "builtin")
    return Model(engine, spec, dialect, preamble, info, warnings)


def _preamble(spec: ModelSpec, settings: Settings) -> tuple[str | None, str, tuple[str, ...]]:
    if settings.prompt_file is None:
        return spec.preamble, spec.name if spec.preamble is not None else "builtin", ()
    path = Path(settings.prompt_file).expanduser()
    try:
        text = path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigError(f"cannot read dialect.hds.prompt_file {path}: {exc}") from exc
    digest = hashlib.sha256(text.encode()).hexdigest()
    warning = f"{path} is not the text the searcher was trained with (its SHA-256 differs)"
    return text, f"sha256:{digest}", () if digest == UPSTREAM_PREAMBLE_SHA256 else (warning,)
