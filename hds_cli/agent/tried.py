"""What a run of several tries had come to, read from its events, for a run that goes on with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from hds_cli import events
from hds_cli.run_state import RunState
from hds_cli.types import Passage

_FINAL = ("answered", "unanswered")


@dataclass(frozen=True)
class Tried:
    """A run of several tries that was stopped: the ends of those that came to one; `events` happened already."""

    run_id: str
    question: str
    tries: int
    ends: Mapping[int, events.RunFinished] = field(default_factory=dict)
    events: tuple[events.Event, ...] = ()
    elapsed: float = 0.0
    turns: int = 0
    passages: tuple[Passage, ...] = ()
    whole: bool = False


def tried_so_far(run: Sequence[events.Event]) -> Tried | None:
    """What a run of several tries had come to; None when it was another kind of run, or continued one."""
    state = RunState.of(run)
    if state.started is None or not state.tries or state.continued or state.documents:
        return None
    ends = {n: one.end for n, one in state.tries.items() if one.end is not None and one.end.status in _FINAL}
    turns = {turn.number for turn in state.turns.values() if turn.section in ends}
    kept = tuple(
        event
        for event in run
        if getattr(event, "turn", 0) in turns or (isinstance(event, events.TryFinished) and event.number in ends)
    )
    whole = state.finished is not None and state.finished.status in _FINAL
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
    )
