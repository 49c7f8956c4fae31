"""The first and the last message of a conversation: the question as it is put, and the answer as it is read."""

from __future__ import annotations

from collections.abc import Sequence

from hds_cli.agent import protocol
from hds_cli.agent.dialects import QueryResult, Written, says_nothing
from hds_cli.agent.headline import with_headline
from hds_cli.engine.base import Generation
from hds_cli.events import RunContinued
from hds_cli.types import Passage


def asked(question: str, continued: RunContinued | None, today: str | None) -> str:
    """The question with the day, and with what was asked before."""
    whole = protocol.follow_up(question, continued.exchanges) if continued else question
    day = f"Today is {today}.\n" if today else ""
    return f"{day}{'' if continued else 'Question: '}{protocol.neutral(whole)}"


def known_before(documents: Sequence[Passage], continued: RunContinued | None) -> list[QueryResult]:
    """What the model reads before it searches: the evidence of an earlier run, and attached documents."""
    known: list[QueryResult] = [(f.query, f.passages) for f in (continued.findings if continued else ())]
    return [*known, ("attached document", documents)] if documents else known


def answered(thought: str, text: str, generation: Generation) -> Written:
    """The last message of a run, with its headline first and in its box."""
    message, headline = with_headline(text)
    answer = headline or message or None
    return Written(
        thought, (), answer, "", generation.reason, generation.tokens, text,
        says_nothing(headline) if headline else says_nothing(answer), message,
    )  # fmt: skip
