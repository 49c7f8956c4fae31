"""The audit of a saved run (the Epistemic Ledger of arXiv 2602.07549): what its answer rests on, and how it went wrong.

For each condition of the question, evidence (what pages say) and belief (what the run takes for true) are two columns:
verified and refuted come from pages alone; what is believed without a page is assumed; the rest is unchecked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

from hds_cli.agent.asserted import Asserted
from hds_cli.agent.ledger import Ledger, name_key
from hds_cli.run_state import RunState
from hds_cli.types import ConditionState

Mode = Literal["bare_assertion", "overlooked_refutation", "premature_exit", "stagnation"]
MODES: tuple[Mode, ...] = get_args(Mode)
_STILL = 3  # turns after which a ledger that does not change stagnates, as in the reference


@dataclass(frozen=True)
class Belief:
    """What a run takes for true (or not) of a condition, and the turn in which it said so."""

    said: Asserted
    turn: int


@dataclass
class Look:
    """A run after one of its turns: what pages had said, what it believed, and the candidates that it had rejected."""

    turn: int
    ledger: Ledger
    beliefs: dict[tuple[str, int], Belief] = field(default_factory=dict)
    rejected: frozenset[str] = frozenset()

    def belief(self, candidate: str, number: int) -> Belief | None:
        """The belief on a condition for a candidate, or for the answer as a whole."""
        return self.beliefs.get((name_key(candidate), number)) or self.beliefs.get(("", number))


@dataclass(frozen=True)
class Held:
    """A condition as the run left it. `turn`: in which it was settled or believed; 0: in none."""

    constraint: str
    state: ConditionState
    quote: str = ""
    url: str = ""
    turn: int = 0


@dataclass(frozen=True)
class Failure:
    """A way in which a run went wrong, and the turn in which it did; `constraint` is empty where all are meant."""

    mode: Mode
    turn: int
    constraint: str = ""
    quote: str = ""


@dataclass(frozen=True)
class Audit:
    """The audit of one run. `by`: `model`, `ledger` (the one that was saved), `list` or `answer` (both by rule)."""

    run_id: str
    question: str
    status: str
    answer: str | None
    by: str
    candidate: str
    conditions: tuple[Held, ...]
    failures: tuple[Failure, ...]

    @property
    def shares(self) -> dict[str, float]:
        """The share of the conditions in each state, in percent; without an answer all of them are unchecked."""
        states = [held.state for held in self.conditions] if self.answer else ["unchecked"]
        count = len(states) or 1
        return {state: round(100 * states.count(state) / count, 1) for state in get_args(ConditionState)}

    @property
    def sound(self) -> bool:
        """True when every condition is verified, and nothing went wrong; one without conditions is not known to be."""
        return bool(self.conditions) and not self.failures

    @property
    def empty(self) -> bool:
        """True where there was nothing to audit: no condition, and nothing that went wrong."""
        return not (self.conditions or self.failures)


def audited(state: RunState, looks: Sequence[Look], by: str) -> Audit:
    """The audit of a run.

    Args:
        looks: the run after each turn that searched.
        by: who kept the ledger.
    """
    finished, started = state.finished, state.started
    answer = finished.answer if finished else None
    said = (finished.text if finished else None) or ""
    last = looks[-1] if looks else None
    final_turn = max(state.turns, default=0)
    named = last.ledger.named(answer, said) if last and answer else []
    active = [name for name in named if last and name_key(name) not in last.rejected]
    candidate = max(active, key=lambda name: len(last.ledger.verified(name))) if last and active else ""
    if last is None or not answer:
        stalled = _stagnation(looks, [last.ledger.best()]) if last else None
        failures = [stalled or Failure("premature_exit", final_turn)]
    elif not active:
        failures = [Failure("premature_exit", final_turn)]
    else:
        failures = [failure for name in active for failure in _failures(looks, name, final_turn)]
        if stalled := _stagnation(looks, active):
            failures = [failure for failure in failures if failure.mode != "premature_exit"] + [stalled]
    held = tuple(_held(looks, candidate)) if last else ()
    return Audit(
        started.run_id if started else "", state.question, finished.status if finished else "stopped", answer, by,
        candidate, held, tuple(sorted(failures, key=lambda failure: (failure.turn, MODES.index(failure.mode)))),
    )  # fmt: skip


def _held(looks: Sequence[Look], candidate: str) -> list[Held]:
    """The conditions for the candidate that was answered; one that the run takes for false does not count."""
    last, rows = looks[-1], []
    for number, text in enumerate(last.ledger.conditions, 1):
        entry, belief = last.ledger.entry(candidate, number), last.belief(candidate, number)
        if belief is not None and not belief.said.holds:
            continue
        if entry is not None:
            state: ConditionState = "verified" if entry.holds else "refuted"
            rows.append(Held(text, state, entry.quote, entry.url, _since(looks, candidate, number)))
        elif belief is not None:
            rows.append(Held(text, "assumed", belief.said.quote, turn=belief.turn))
        else:
            rows.append(Held(text, "unchecked"))
    return rows


def _failures(looks: Sequence[Look], candidate: str, final_turn: int) -> list[Failure]:
    """What went wrong with a candidate that was answered, condition by condition."""
    last, found = looks[-1], list[Failure]()
    for number, text in enumerate(last.ledger.conditions, 1):
        entry, belief = last.ledger.entry(candidate, number), last.belief(candidate, number)
        if entry is not None and not entry.holds:
            found.append(Failure("overlooked_refutation", _since(looks, candidate, number), text, entry.quote))
        elif entry is None and belief is not None and belief.said.holds:
            found.append(Failure("bare_assertion", belief.turn, text, belief.said.quote))
        elif entry is None:
            found.append(Failure("premature_exit", final_turn, text))
    return found


def _since(looks: Sequence[Look], candidate: str, number: int) -> int:
    """The turn from which on a condition was settled as it is at the end."""
    settled = looks[-1].ledger.entry(candidate, number)
    turn = looks[-1].turn
    for look in reversed(looks):
        entry = look.ledger.entry(candidate, number)
        if entry is None or settled is None or entry.holds != settled.holds:
            break
        turn = look.turn
    return turn


def _stagnation(looks: Sequence[Look], candidates: Sequence[str]) -> Failure | None:
    """The first turn of a standstill: for three ledgers nothing changed for a candidate, and something was open.

    The ledgers before the last one are compared with the last; a candidate of which nothing was ever known does not
    stand still. Of beliefs, those on open conditions count: an answer repeats what is verified.
    """
    if len(looks) < _STILL:
        return None
    for name in candidates:
        final = _standing(looks[-1], name)
        is_open = any(entry is None for entry, _ in final)
        if not is_open or all(entry is None for entry, _ in final):
            continue
        same = 0
        while same < len(looks) and _standing(looks[-1 - same], name) == final:
            same += 1
        if same >= _STILL:
            return Failure("stagnation", looks[len(looks) - same + 1].turn)
    return None


def _standing(look: Look, candidate: str) -> list[tuple[bool | None, bool | None]]:
    """For each condition what pages say, and where they say nothing what is believed."""
    out: list[tuple[bool | None, bool | None]] = []
    for number in range(1, len(look.ledger.conditions) + 1):
        entry, belief = look.ledger.entry(candidate, number), look.belief(candidate, number)
        out.append((entry.holds, None) if entry else (None, belief.said.holds if belief else None))
    return out


@dataclass(frozen=True)
class Means:
    """Means over runs, in percent: of the shares, and of the runs with a failure (each mode, and any)."""

    runs: int
    shares: dict[str, float]
    failed: float
    modes: dict[str, float]


def means(audits: Sequence[Audit]) -> Means:
    """The means over audits; a run counts once, however many conditions it has, one with nothing to audit never."""
    audits = [audit for audit in audits if not audit.empty]
    count = len(audits) or 1
    shares = {
        state: round(sum(audit.shares[state] for audit in audits) / count, 1) for state in get_args(ConditionState)
    }
    modes: dict[str, float] = {
        mode: round(100 * sum(any(f.mode == mode for f in audit.failures) for audit in audits) / count, 1)
        for mode in MODES
    }
    return Means(len(audits), shares, round(100 * sum(not audit.sound for audit in audits) / count, 1), modes)


__all__ = ["MODES", "Audit", "Belief", "Failure", "Held", "Look", "Means", "audited", "means"]
