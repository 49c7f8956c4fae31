"""The model that audits saved runs: the user's, where it is one that can do small tasks; else a rule does it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from hds_cli.agent.aside import Aside
from hds_cli.config import Settings
from hds_cli.desk.speaking import able
from hds_cli.engine.opening import find_model, open_engine


@contextlib.contextmanager
def auditor(settings: Settings, *, asked: bool) -> Iterator[Aside | None]:
    """The model as an auditor; None: a rule audits.

    Args:
        asked: the user named the model for this, so that a scripted one will do.

    Raises:
        ModelError: the model is missing or unusable.
    """
    if settings.model is None and settings.engine == "llama_cpp":
        yield None  # nobody chose a model: the starter was not taught this
        return
    spec = find_model(settings)
    if not (able(spec, settings) or (asked and settings.engine == "scripted")):
        yield None
        return
    engine = open_engine(spec, settings)
    try:
        aside = Aside(engine.session(), engine.chat_template(), seed=settings.seed)
        try:
            yield aside
        finally:
            aside.close()
    finally:
        engine.close()
