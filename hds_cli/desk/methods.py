"""The methods that the settings ask for, with the model of the desk where they ask one."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from hds_cli.agent.aside import TOKEN, Aside, counted, move
from hds_cli.agent.methods import refine
from hds_cli.agent.methods.base import Method
from hds_cli.agent.methods.refine import Refine
from hds_cli.agent.selectors import setwise
from hds_cli.agent.selectors.base import never
from hds_cli.agent.selectors.door import BUILTIN
from hds_cli.agent.verifying import heeding
from hds_cli.config import Settings
from hds_cli.desk.speaking import Model, able
from hds_cli.engine.base import Counter, ModelSpec
from hds_cli.errors import HdsError, ScriptEnded

_NO_BUDGET = "the budget has no room for it; a larger one helps (--budget)"
_WORDING, _SELECTION = 10.0, 60.0  # seconds that one call may take; the second reads up to 4k tokens


@dataclass(frozen=True)
class Beside:
    """The run that single tasks are asked beside.

    `late` is true once nobody waits for an answer; `affords` says whether so many tokens may be read for one; `counter`
    gets the tokens of every call.
    """

    late: Callable[[], bool] = never
    affords: Callable[[int], bool] = lambda tokens: True
    counter: Counter | None = None


def asking(
    model: Model, system: str, grammar: str, max_tokens: int, seconds: float, run: Beside = Beside(),
    why: Callable[[str], None] = lambda _: None,
) -> Callable[[str], str]:  # fmt: skip
    """Asks single tasks, each in a session that is closed behind it; empty: no answer in time, or the model failed.

    Args:
        why: told the reason why there is no answer.
    """

    def ask(task: str) -> str:
        until = time.monotonic() + seconds
        tokens = (len(system) + len(task)) // TOKEN
        if run.late():
            return ""
        if not run.affords(tokens):
            why(_NO_BUDGET)
            return ""
        try:
            session = model.engine.session()
        except HdsError as exc:  # no room for it: what asks does without
            why(exc.message)
            return ""
        try:
            if tokens + max_tokens > session.n_ctx > 0:
                why(f"its context of {session.n_ctx} tokens is too small for them; a larger one helps (--n-ctx)")
                return ""
            late = heeding(lambda: run.late() or time.monotonic() > until, session)
            with counted(session, run.counter), late:
                said = Aside(session, model.engine.chat_template()).ask(system, task, grammar, max_tokens, free=True)
            if not said:
                why(f"it did not answer in {seconds:g} s" if time.monotonic() > until else "it gave no answer of use")
            return said
        except ScriptEnded:
            raise
        except HdsError as exc:  # the server is gone, or the template does not render
            why(exc.message)
            return ""
        finally:
            session.close()

    return ask


def selects(spec: ModelSpec, settings: Settings) -> str:
    """The name of the selector that the user chose, or of the one that suits the model."""
    return settings.select or spec.select or BUILTIN


def selecting(model: Model, settings: Settings, run: Beside = Beside()) -> setwise.Setwise | None:
    """The selector that asks the model, where that one was chosen."""
    if selects(model.spec, settings) != setwise.NAME:
        return None
    ask = asking(
        model, setwise.SYSTEM, setwise.GRAMMAR, setwise.TOKENS, _SELECTION, run, why=lambda why: chooser.tell(why)
    )
    chooser = setwise.Setwise(ask)
    return chooser


def chosen(model: Model, settings: Settings, run: Beside = Beside()) -> Sequence[Method]:
    """The methods of one run beside the verifier."""
    if not settings.refine:
        return ()
    if not able(model.spec, settings):
        return (Refine(),)
    spent = Counter()  # the model may be writing while a query is put in other words, and is timed by its counter

    def settle() -> None:
        if run.counter is not None:
            move(spent, run.counter)

    ask = asking(model, refine.SYSTEM, refine.GRAMMAR, refine.TOKENS, _WORDING, replace(run, counter=spent))
    return (Refine(lambda question, query, issue: ask(refine.task(question, query, issue)), settle),)
