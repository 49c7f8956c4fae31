"""The methods that the settings ask for, with the model of the desk where they ask one."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from hds_cli.agent.aside import Aside
from hds_cli.agent.methods import refine
from hds_cli.agent.methods.base import Method
from hds_cli.agent.methods.refine import Refine
from hds_cli.agent.selectors import setwise
from hds_cli.agent.selectors.base import Selector
from hds_cli.agent.verifying import heeding
from hds_cli.config import Settings
from hds_cli.desk.speaking import Model, able

_WORDING, _SELECTION = 10.0, 60.0  # seconds that one call may take; the second reads up to 4k tokens


def asking(model: Model, system: str, grammar: str, max_tokens: int, seconds: float) -> Callable[[str], str]:
    """Asks single tasks, each in a session that is closed behind it; empty: no answer in time."""

    def ask(task: str) -> str:
        until = time.monotonic() + seconds
        session = model.engine.session()
        aside = Aside(session, model.engine.chat_template())
        try:
            with heeding(lambda: time.monotonic() > until, session):
                return aside.ask(system, task, grammar, max_tokens, free=True)
        finally:
            aside.close()

    return ask


def selecting(model: Model, settings: Settings) -> Selector | None:
    """The selector that asks the model, where the user chose it."""
    if settings.select != setwise.NAME:
        return None
    return setwise.Setwise(asking(model, setwise.SYSTEM, setwise.GRAMMAR, setwise.TOKENS, _SELECTION))


def chosen(model: Model, settings: Settings) -> Sequence[Method]:
    """The methods of one run beside the verifier."""
    if not settings.refine:
        return ()
    if not able(model.spec, settings):
        return (Refine(),)
    ask = asking(model, refine.SYSTEM, refine.GRAMMAR, refine.TOKENS, _WORDING)
    return (Refine(lambda question, query, issue: ask(refine.task(question, query, issue))),)
