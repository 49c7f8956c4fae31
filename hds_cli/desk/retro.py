"""A saved run made shorter: turns are left out while the model still gives the same grounded answer.

The idea is Retro-Search (arXiv 2504.04383): of what a run did, what did not matter is taken out, and the shorter run is
one to learn from. Nothing is searched or fetched: what is left of the run is put back as it was read, and the model
answers again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hds_cli import events
from hds_cli.agent import protocol, votes
from hds_cli.agent.earlier import DoneTurn, Resumed, resumed
from hds_cli.agent.evidence import Numbers
from hds_cli.agent.hds import HdsDialect
from hds_cli.agent.loop import Stop
from hds_cli.desk.desk import Desk, Part
from hds_cli.engine.recording import Recording, ended
from hds_cli.errors import HdsError, UsageError
from hds_cli.run_state import RunState


@dataclass(frozen=True)
class Shorter:
    """A run with fewer turns and the same answer; `segments` are its pieces, as `hds train` reads them."""

    run_id: str
    question: str
    answer: str
    turns: int
    turns_before: int
    queries_saved: int
    tokens_saved: int
    segments: list[list[object]]

    def to_dict(self) -> dict[str, Any]:
        """A line for `hds train`."""
        return {
            "id": self.run_id, "question": self.question, "answer": self.answer, "segments": self.segments,
            "turns": self.turns, "turns_before": self.turns_before,
            "saved": {"queries": self.queries_saved, "tokens": self.tokens_saved},
        }  # fmt: skip


async def shortened(place: Desk, run: Sequence[events.Event]) -> Shorter | None:
    """The run without every turn that its answer does not need; None when it needs all of them.

    Args:
        place: with the model of the run, and no source.

    Raises:
        UsageError: the run has no grounded answer, or is of a kind that is not trained on.
        HdsError: the model fails.
    """
    state, before = RunState.of(run), resumed(run)
    _check(state, before)
    assert state.finished is not None
    wanted = votes.key_of(str(state.finished.answer), state.question)
    turns, best = list(before.turns), None
    for place_of in reversed(range(len(before.turns))):
        tried = [turn for turn in turns if turn is not before.turns[place_of]]
        if not tried:
            break
        answered = await _answered(place, before, tried)
        if answered is None:
            continue
        end, recording = answered
        if votes.has_ground(end) and votes.key_of(str(end.answer), state.question) == wanted:
            turns, best = tried, (end, recording)
    if best is None:
        return None
    end, recording = best
    gone = [turn for turn in before.turns if turn not in turns]
    return Shorter(
        before.run_id, state.question, str(end.answer), len(turns), len(before.turns),
        sum(len(turn.queries) for turn in gone),
        state.finished.usage.prompt_tokens + state.finished.usage.generated_tokens
        - place.model.engine.count(recording.segments),
        ended(recording.row, protocol.TURN_END),
    )  # fmt: skip


def _check(state: RunState, before: Resumed) -> None:
    """Raises UsageError when a run cannot be made shorter."""
    hint = "hds history list"
    if state.finished is None or not votes.has_ground(state.finished) or state.finished.status != "answered":
        raise UsageError(f"the run {before.run_id} has no answer with a ground", hint=hint)
    if state.sections or state.tries or before.continued:
        raise UsageError(f"the run {before.run_id} is a report, several tries, or goes on from another", hint=hint)


async def _answered(
    place: Desk, before: Resumed, turns: Sequence[DoneTurn]
) -> tuple[events.RunFinished, Recording] | None:
    """The answer to a run that had these turns alone, and the record of it; None: it searches on, or has none.

    Raises:
        UsageError: the model does not speak the searcher's protocol.
    """
    written = {turn.written for turn in turns} | {turn.written.removesuffix(protocol.END_QUERIES) for turn in turns}
    session = await place.session()
    dialect = place.model.speak(session, place.settings)
    if not isinstance(dialect, HdsDialect):
        session.close()
        raise UsageError(
            f"hds train reads runs in the searcher's protocol, and this model is spoken to in {dialect.name}",
            hint="a run of a model with the dialect hds",
        )
    recording = Recording(session, written, (*dialect.stops, "}"))
    stop, forced = Stop(), False

    def heard(event: events.Event) -> None:
        nonlocal forced
        forced = forced or (isinstance(event, events.TurnStarted) and event.forced)
        if isinstance(event, events.QueryProposed):  # it is not the shorter run that is looked for
            stop.request("searched")
            recording.close()

    part = Part(Numbers(), recording, changes={"max_turns": len(turns) + 1, "timeout": None})
    again = Resumed(before.run_id, before.question, tuple(turns), before.documents)
    try:
        end = await place.answer(before.question, heard, before=again, part=part, stop=stop)
    except HdsError as exc:
        if exc.exit_code == 4:
            raise
        return None
    return None if stop.reason or forced or end.answer is None else (end, recording)


__all__ = ["Shorter", "shortened"]
