"""The ledger of a run in words: the conditions of its question, and how far each is settled."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hds_cli.types import Condition, ConditionState

WORDS: dict[ConditionState, str] = {
    "verified": "verified", "refuted": "refuted", "assumed": "assumed", "unchecked": "open"
}  # fmt: skip
SIGNS: dict[ConditionState, str] = {"verified": "+", "refuted": "-", "assumed": "~", "unchecked": "?"}


def counts(rows: Sequence[Condition]) -> str:
    """How many conditions are verified, and for which answer: `2 of 5 conditions verified (Tromsø)`."""
    candidate = next((row.candidate for row in rows if row.candidate), "")
    verified = sum(row.state == "verified" for row in rows)
    return f"{verified} of {len(rows)} conditions verified" + (f" ({candidate})" if candidate else "")


def lines(rows: Sequence[Condition]) -> Iterator[str]:
    """The counts, and what is not verified."""
    yield counts(rows)
    yield from (f"{WORDS[row.state]}: {row.constraint}" for row in rows if row.state != "verified")
