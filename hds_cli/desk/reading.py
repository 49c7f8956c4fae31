"""The reader of a run: when there is one, which model it is, and where its sessions come from."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from hds_cli.agent.aside import TOKEN
from hds_cli.agent.dialects import QueryResult, Reader
from hds_cli.agent.reader import ModelReader, Sessions
from hds_cli.config import Settings
from hds_cli.engine.base import Engine, Session
from hds_cli.engine.files import models
from hds_cli.engine.opening import find_model, open_engine
from hds_cli.engine.pace import Pace
from hds_cli.engine.scripted import ScriptedEngine, ScriptedSession
from hds_cli.types import ModelInfo

if TYPE_CHECKING:
    from hds_cli.desk.speaking import Model


def reads(info: ModelInfo, settings: Settings) -> bool:
    """True when passages go to the searcher as a reader's prose: it was trained on that, and the user or a GPU allows.

    A call a query is slow on a processor, so nobody has a reader there who did not ask for it.
    """
    if info.dialect != "hds" or settings.reader == "extract":
        return False
    return settings.reader == "model" or settings.reader_model is not None or _on_gpu(info)


def _on_gpu(info: ModelInfo) -> bool:
    """True when every layer of the model is on a GPU."""
    return bool(info.n_gpu_layers and info.file) and info.n_gpu_layers > _layers(info.file)


@functools.lru_cache(maxsize=8)
def _layers(file: str) -> int:
    """The layers of a model; its header is read once, not for every question."""
    said = models.read_header(Path(file)).metadata
    return int(said.get(f"{said.get('general.architecture')}.block_count", 0))


def unread(info: ModelInfo, settings: Settings) -> str | None:
    """Why there is no reader although the user asked for one."""
    asked = settings.reader == "model" or settings.reader_model is not None
    if not asked or info.dialect == "hds" or settings.reader == "extract":
        return None
    return f"--reader model is for the dialect hds: in the dialect {info.dialect} the model reads the passages itself"


def open_reader(settings: Settings) -> Engine:
    """The engine of `reader_model`.

    Raises:
        ModelError: the file is missing or unusable.
    """
    own = replace(settings, model=settings.reader_model, dialect=None)
    return open_engine(find_model(own), own)


def reader(model: Model, session: Session, settings: Settings) -> ModelReader | None:
    """The reader of one run, if it has one.

    Args:
        session: of the run; its counter gets the tokens that are read.
    """
    if not reads(model.info, settings):
        return None
    engine = model.reader or model.engine
    sessions: Sessions
    if isinstance(engine, ScriptedEngine):
        own = session if model.reader is None else None  # the same script in another role
        sessions = _NextLines(own if isinstance(own, ScriptedSession) else engine.session())
    else:
        sessions = _Forks(engine.session())
    return ModelReader(sessions, engine.chat_template(), seed=settings.seed, counter=session.counter)


def sparing(reader: ModelReader, pace: Pace) -> Reader:
    """A reader that is left out where the run's budget has no room for it: the passages are read then."""
    said = False

    def read(question: str, written: str, results: Sequence[QueryResult]) -> Sequence[QueryResult]:
        nonlocal said
        found = [passages for _, passages in results if passages and not isinstance(passages, str)]
        tokens = sum(len(passage.text) // TOKEN for passages in found for passage in passages)
        if not found or pace.affords(tokens, len(found)):
            return reader(question, written, results)
        if not said:
            reader.say("the budget leaves no room for a reader: the passages are read as they are")
        said = True
        return results

    return read


def both(first: Callable[[], None], second: Callable[[], None]) -> Callable[[], None]:
    """One call after the other."""

    def call() -> None:
        first()
        second()

    return call


class _Forks:
    """Forks of one session. The first of a turn is kept: the next turn's share its beginning, which is evaluated."""

    def __init__(self, session: Session) -> None:
        self._kept = session

    def fork(self) -> Session:
        return self._kept.fork()

    def done(self, sessions: Sequence[Session]) -> None:
        for session in (self._kept, *sessions[1:]) if sessions else ():
            session.close()
        self._kept = sessions[0] if sessions else self._kept

    def close(self) -> None:
        self._kept.close()


class _NextLines:
    """Forks of a scripted session that write its next lines, one each; the session goes on behind them."""

    def __init__(self, session: ScriptedSession) -> None:
        self._session = session

    def fork(self) -> Session:
        forked = self._session.fork()
        self._session.skip()
        return forked

    def done(self, sessions: Sequence[Session]) -> None:
        for session in sessions:
            session.close()

    def close(self) -> None: ...
