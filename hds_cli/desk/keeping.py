"""The ledger of a run: whether a model or a rule keeps it, and the session in which the model is asked."""

from __future__ import annotations

from hds_cli import events
from hds_cli.agent.allowance import Allowance
from hds_cli.agent.aside import Aside
from hds_cli.agent.earlier import Earlier, Resumed
from hds_cli.agent.methods.ledger import SECONDS, LiveLedger
from hds_cli.config import Settings
from hds_cli.desk.speaking import Model, able
from hds_cli.desk.verifying import Verifying
from hds_cli.engine.base import Session
from hds_cli.errors import HdsError

_SHARE = 0.25  # of a budget of time that the calls of one turn may take at most; not tuned


def ledger_of(
    model: Model, session: Session, settings: Settings, verifying: Verifying, before: Earlier | Resumed | None
) -> LiveLedger:
    """The ledger of one run, in a session beside the run's; by rule where the model was not taught small tasks.

    Args:
        session: of the run; its counter gets the tokens of the calls.
        before: the run that is gone on with; one that is resumed has its ledger already.
    """
    earlier = before.events if isinstance(before, Resumed) else ()
    kept = [event for event in earlier if isinstance(event, events.LedgerUpdated)]
    gate, last = settings.ledger == "gate", kept[-1] if kept else None
    if not able(model.spec, settings):
        return LiveLedger(None, gate=gate, before=last)
    try:
        own = model.engine.session()
        aside = Aside(own, model.engine.chat_template(), seed=settings.seed)
    except HdsError:  # no room for it, or a template that does not render: a rule can do it
        return LiveLedger(None, gate=gate, before=last)
    verifier = None if settings.verify is False else verifying.open
    budget = Allowance.of(settings.budget)
    limit = min(SECONDS, _SHARE * budget.seconds) if budget is not None and budget.seconds is not None else SECONDS
    return LiveLedger(aside, own, session.counter, gate=gate, verifier=verifier, before=last, limit=limit)
