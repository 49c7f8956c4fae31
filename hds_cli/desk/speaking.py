"""A loaded model and the dialect in which it is spoken to."""

from __future__ import annotations

import hashlib
import stat
from dataclasses import dataclass, replace
from pathlib import Path

from hds_cli.agent.dialects import Dialect, Reader, Speaking, choose_dialect, open_dialect
from hds_cli.agent.protocol import UPSTREAM_PREAMBLE_SHA256
from hds_cli.config import Settings
from hds_cli.desk.reading import open_reader, reads
from hds_cli.engine.base import Engine, ModelSpec, Session
from hds_cli.engine.opening import open_engine
from hds_cli.errors import ConfigError
from hds_cli.types import ModelInfo

_MAX_PROMPT = 1_000_000  # bytes of a file whose digest is asked for: a stranger's journal may name any


@dataclass
class Model:
    """A loaded engine and everything the dialect needs to know."""

    engine: Engine
    spec: ModelSpec
    dialect: str
    preamble: str | None
    info: ModelInfo
    warnings: tuple[str, ...] = ()
    why: str = ""
    reader: Engine | None = None
    """Another model as the reader."""

    def speak(self, session: Session, settings: Settings, reader: Reader | None = None) -> Dialect:
        """A dialect over a new session, for one run."""
        speaking = Speaking(session, self.spec, settings, self.engine.chat_template(), self.preamble, reader)
        return open_dialect(self.dialect, speaking)

    def close(self) -> None:
        """Give the engines back, once nobody uses them any more."""
        for engine in (self.engine, self.reader):
            if engine is not None:
                engine.close()


def load(spec: ModelSpec, settings: Settings, jobs: int | None = None, *, apart: bool = True) -> Model:
    """Load the model and choose its dialect; takes a while for a large one, so it is called in a thread.

    Args:
        jobs: runs at once; None: one, and sessions beside it.
        apart: none of these changes what another writes, at the price of what they could share.

    Raises:
        ModelError: the file is missing or unusable.
    """
    preamble, label, warnings = _preamble(spec, settings)
    sequences = sequences_of(spec, settings, jobs or 1)
    engine = (_warm(spec, settings, sequences) if jobs is None else None) or open_engine(
        spec, settings, sequences=sequences, apart=apart and jobs is not None
    )
    dialect = choose_dialect(
        settings.dialect,
        model_says=spec.dialect,
        file_says=engine.info.dialect,
        has_template=bool(engine.chat_template()),
    )
    info = replace(engine.info, dialect=dialect, prompt=label if dialect in ("hds", spec.dialect) else "builtin")
    why = "" if settings.dialect else getattr(engine, "dialect_reason", "")
    reader = open_reader(settings) if settings.reader_model and reads(info, settings) else None
    return Model(engine, spec, dialect, preamble, info, warnings, why, reader)


def _warm(spec: ModelSpec, settings: Settings, sequences: int) -> Engine | None:
    """The model as another process holds it."""
    from hds_cli.engine.warm.client import open_warm

    return open_warm(spec, settings, sequences=sequences)


def sequences_of(spec: ModelSpec, settings: Settings, jobs: int = 1) -> int:
    """Sessions of full length that are to fit at once: a reader's own and a ledger's take cells too."""
    own_reader = settings.reader == "model" and settings.reader_model is None
    return jobs * (1 + own_reader + (settings.ledger != "off" and able(spec, settings)))


def able(spec: ModelSpec, settings: Settings) -> bool:
    """True for a model that can do small tasks beside its searching; one that plans no reports was not taught them."""
    return spec.outline is None and settings.engine != "scripted"


def _preamble(spec: ModelSpec, settings: Settings) -> tuple[str | None, str, tuple[str, ...]]:
    if settings.prompt_file is None:
        return spec.preamble, spec.name if spec.preamble is not None else "builtin", ()
    path = Path(settings.prompt_file).expanduser()
    try:
        text = path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigError(f"cannot read dialect.hds.prompt_file {path}: {exc}") from exc
    text = known_text(text)
    digest = _digest(text)
    warning = f"{path} is not the text the searcher was trained with (its SHA-256 differs)"
    return text, f"sha256:{digest}", () if digest == UPSTREAM_PREAMBLE_SHA256 else (warning,)


def digest_of(path: Path) -> str | None:
    """The digest under which a prompt's file is kept with a run; None: it cannot be read, or is none of a prompt."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return None
        with path.open("rb") as stream:
            data = stream.read(_MAX_PROMPT + 1)
        return _digest(known_text(data.decode("utf-8"))) if len(data) <= _MAX_PROMPT else None
    except (OSError, ValueError):
        return None


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def known_text(text: str, digest: str = UPSTREAM_PREAMBLE_SHA256) -> str:
    """A prompt's text as it was trained, where a pasted copy differs from it by line ends or a literal `\\n` alone.

    Args:
        digest: SHA-256 of the trained text. A text that cannot be made equal to it stays as it is.
    """
    plain = text.removeprefix("\ufeff").replace("\r\n", "\n")
    for form in (text, plain, plain.replace("\\n", "\n")):
        for end in (form, f"{form.strip()}\n", form.strip()):
            if hashlib.sha256(end.encode()).hexdigest() == digest:
                return end
    return text
