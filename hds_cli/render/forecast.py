"""What the moving tree says of the model and of the time to come; estimates are rounded, and none is made up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hds_cli.run_state import RunState, TurnState

if TYPE_CHECKING:
    from rich.text import Text

    from hds_cli.render.rows import View

_LEAST_TOKENS = 64  # that are read: fewer are read at once
_PATIENCE = 3.0  # seconds into a run before it is said how long it may take
_MOST_SECONDS = 24 * 3600.0


def reading(turn: TurnState) -> str:
    """`reading 1,240 tokens, 4 s` while the model reads so much before it writes; else empty."""
    if turn.reading is None or turn.to_read < _LEAST_TOKENS:
        return ""
    seconds = turn.read_seconds
    expected = f", {seconds:.0f} s" if seconds is not None and 1 <= seconds < _MOST_SECONDS else ""
    return f"reading {turn.to_read:,} tokens{expected}"


def speed(turn: TurnState) -> str:
    """`41 tok/s` while the model writes; empty while it does not, and where that is not known."""
    if turn.reading is not None or turn.written is not None or not turn.per_second:
        return ""
    return f"{turn.per_second:.0f} tok/s" if turn.per_second >= 10 else f"{turn.per_second:.1f} tok/s"


def lines(state: RunState, view: View) -> list[Text]:
    """The line below a tree that moves: how far the run has come."""
    from rich.text import Text

    said = status(state, view.now) if view.live else ""
    return [Text(view.signs.show(said, view.room), style="dim")] if said else []


def status(state: RunState, now: float) -> str:
    """`turn 2 of at most 10, about 3 min left`; empty for a report and for several tries, and in the first seconds."""
    turn = next(reversed(state.turns.values()), None)
    if (
        turn is None
        or state.started is None
        or state.finished
        or state.started.sections
        or state.tries
        or now < _PATIENCE
    ):
        return ""
    most = state.started.settings.get("max_turns")
    parts = [] if turn.forced or type(most) is not int else [f"turn {turn.number} of at most {most:,}"]
    if turn.seconds_left is not None and turn.seconds is None:
        parts.append(about(turn.seconds_left - (now - turn.started)))
    return ", ".join(filter(None, parts))


def about(seconds: float) -> str:
    """`about 3 min left`, `about 40 s left`; empty when the time is over, or nearly: nobody knows then."""
    if not 5 <= seconds < _MOST_SECONDS:
        return ""
    if seconds < 90:
        return f"about {5 * round(seconds / 5):.0f} s left"
    return f"about {seconds / 60:.0f} min left"


__all__ = ["about", "lines", "reading", "speed", "status"]
