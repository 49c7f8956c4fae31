"""`hds audit`: what do the answers of saved runs rest on, and how did they go wrong?"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hds_cli import config
from hds_cli.commands import _options, _print
from hds_cli.commands._flags import Flags, with_flags
from hds_cli.errors import UsageError

if TYPE_CHECKING:
    from hds_cli.agent.audit import Audit, Failure, Means

SCHEMA = "hds.audit/1"
_MODES = {
    "bare_assertion": "believed, and no page says it",
    "overlooked_refutation": "a page denies it, and it was answered all the same",
    "premature_exit": "answered before it was looked for",
    "stagnation": "nothing new from here on, and something was open",
}
_BY = {
    "model": "by a model", "ledger": "by the ledger it kept", "list": "by rule, from a list",
    "answer": "by rule, from its answer",
}  # fmt: skip


@with_flags("model", "engine", "n_ctx", "n_threads", "n_gpu_layers", "offline")
def audit(
    runs: Annotated[list[str] | None, typer.Argument(metavar="RUN…", help="Ids, 'last', or FILEs of export.")] = None,
    *,
    flags: Flags,
    rule: Annotated[bool, typer.Option("--rule", help="By rule, whatever model there is.")] = False,
    json_: _options.Json = False,
    quiet: _options.Quiet = False,
) -> None:
    """Say of saved runs what was verified, assumed, refuted and left unchecked, and how each went wrong.

    With a model that can do it, evidence and belief are read turn by turn; without one, the ledger that the run kept
    (`hds ask --ledger`) is read, or what its question lists, or the sentences of its answer.

    hds audit last

    hds audit --rule 7f3kq2 k2m4xp

    hds audit -m qwen3-8b last --json
    """
    if not runs:
        raise UsageError("which runs are audited?", hint="hds audit last")
    if rule and (flags.get("model") or flags.get("engine")):
        raise UsageError("--rule asks no model", hint="hds audit --rule last")
    from hds_cli.agent.audit import means

    asked = bool(flags.get("model") or flags.get("engine"))
    audits = _audited(runs, config.load(flags), rule=rule, asked=asked)
    for one in audits if asked else ():
        if one.by != "model":
            _print.say(f"{one.run_id}: the model found fewer than two conditions, or wrote what could not be read")
    over = means(audits)
    _print.result(SCHEMA, _document(audits, over), _table(audits), as_json=json_)
    sys.stdout.flush()
    if not json_:
        for line in _said(audits, over):
            _print.say(line, quiet=quiet)


def _audited(runs: Sequence[str], settings: config.Settings, *, rule: bool, asked: bool) -> list[Audit]:
    """The audits in the order of the runs.

    Raises:
        HdsError: a run cannot be read, or the model is missing.
    """
    from hds_cli.agent.looks import audit_of
    from hds_cli.commands._progress import Progress
    from hds_cli.commands._saved import events_of
    from hds_cli.desk.auditing import auditor
    from hds_cli.run_state import RunState

    states = [RunState.of(events_of(name)) for name in runs]
    if rule:
        return [audit_of(state) for state in states]
    with auditor(settings, asked=asked) as aside, Progress("runs audited", len(states)) as progress:
        audits = []
        for done, state in enumerate(states, 1):
            audits.append(audit_of(state, aside))
            progress.to(done)
    return audits


def _document(audits: Sequence[Audit], over: Means) -> dict[str, Any]:
    return {
        "runs": [
            {
                "run_id": one.run_id,
                "question": one.question,
                "status": one.status,
                "answer": one.answer,
                "by": one.by,
                "candidate": one.candidate,
                "conditions": [
                    {
                        "constraint": held.constraint,
                        "state": held.state,
                        "quote": held.quote or None,
                        "url": held.url or None,
                        "turn": held.turn or None,
                    }
                    for held in one.conditions
                ],
                "failures": [
                    {"mode": f.mode, "turn": f.turn, "constraint": f.constraint or None, "quote": f.quote or None}
                    for f in one.failures
                ],
                "shares": one.shares,
                "sound": one.sound,
            }
            for one in audits
        ],
        "means": {"runs": over.runs, "shares": over.shares, "failed": over.failed, "modes": over.modes},
    }


def _table(audits: Sequence[Audit]) -> _print.Table:
    """A row a condition, then a row a failure: run, state or mode, turn, condition, quote, page."""
    rows = []
    for one in audits:
        rows += [
            [one.run_id, h.state, str(h.turn or ""), h.constraint, h.quote, h.url] for h in one.conditions
        ]  # fmt: skip
        rows += [[one.run_id, _mode(f), str(f.turn), f.constraint, f.quote, ""] for f in one.failures]
    return _print.Table(["run", "state", "turn", "condition", "quote", "page"], rows)


def _mode(failure: Failure) -> str:
    return failure.mode.replace("_", " ")


def _said(audits: Sequence[Audit], over: Means) -> Iterator[str]:
    """What each failure means, once, and the means over the runs."""
    for one in audits:
        modes = ", ".join(dict.fromkeys(_mode(f) for f in one.failures))
        verdict = "sound" if one.sound else modes or "nothing to audit"
        yield f"{one.run_id}: {verdict} ({_BY[one.by]})"
    seen = dict.fromkeys(f.mode for one in audits for f in one.failures)
    yield from (f"{mode.replace('_', ' ')}: {_MODES[mode]}" for mode in seen)
    if over.runs > 1:
        shares = ", ".join(f"{state} {share:g} %" for state, share in over.shares.items())
        yield f"{over.runs} runs: {shares}; with a failure {over.failed:g} %"
