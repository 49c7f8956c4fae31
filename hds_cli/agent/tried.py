"""What a run of several tries had come to, read from its events, for a run that goes on with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from hds_cli import events
from hds_cli.agent.earlier import DONE, Earlier, pages
from hds_cli.run_state import RunState
from hds_cli.types import Page, Passage


@dataclass(frozen=True)
class Tried:
    """A run of several tries that was stopped: the ends of those that came to one; `events` happened already.

    `documents` is what was read of those that came with the question, `continued` the run that it went on from.
    """

    run_id: str
    question: str
    tries: int
    ends: Mapping[int, events.RunFinished] = field(default_factory=dict)
    events: tuple[events.Event, ...] = ()
    elapsed: float = 0.0
    turns: int = 0
    passages: tuple[Passage, ...] = ()
    whole: bool = False
    documents: tuple[Page, ...] = ()
    continued: Earlier | None = None


def tried_so_far(run: Sequence[events.Event]) -> Tried | None:
    """What a run of several tries had come to; None when it was another kind of run."""
    state = RunState.of(run)
    if state.started is None or not state.tries or is_lost(state):
        return None
    ends = {n: one.end for n, one in state.tries.items() if one.end is not None and one.end.status in DONE}
    turns = {turn.number for turn in state.turns.values() if turn.section in ends}
    kept = tuple(
        event
        for event in run
        if getattr(event, "turn", 0) in turns
        or isinstance(event, events.RunContinued | events.DocumentAttached)
        or (isinstance(event, events.TryFinished) and event.number in ends)
    )
    whole = state.finished is not None and state.finished.status in DONE
    passages = tuple(RunState.of(kept).passages)
    elapsed = kept[-1].t if kept else 0.0
    return Tried(
        state.started.run_id,
        state.question,
        len(state.tries),
        ends,
        kept,
        elapsed,
        max(turns, default=0),
        passages,
        whole,
        tuple(pages(passage for document in state.documents for passage in document.passages).values()),
        _earlier(state.continued),
    )


def is_lost(state: RunState) -> bool:
    """True for several tries at a further question that were stopped before they were told of the run they go on."""
    return bool(state.tries and state.started and state.started.continues) and state.continued is None


def _earlier(told: events.RunContinued | None) -> Earlier | None:
    """The run that the tries went on from, as far as they were told of it."""
    return Earlier(told.run_id, told.exchanges, told.findings, whole=told.whole) if told else None
