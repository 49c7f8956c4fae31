"""From what the model wrote and what it read to the end of a run: a pure function, with a policy.

Who supports what is found in `citations.py`; here is only decided what follows from it.
"""

from __future__ import annotations

from dataclasses import dataclass

from hds_cli.agent.citations import Support, support
from hds_cli.agent.dialects import Written, strip_numbers
from hds_cli.agent.notebook import Notebook
from hds_cli.types import Citation, RunStatus


@dataclass(frozen=True)
class Warned:
    """Something about an answer that its reader should know."""

    code: str
    message: str


@dataclass(frozen=True)
class Verdict:
    """The end of a run: what is shown, with which sources, and why it is no answer where it is none."""

    status: RunStatus
    exit_code: int
    reason: str | None = None
    answer: str | None = None
    explanation: str | None = None
    citations: tuple[Citation, ...] = ()
    unsupported: tuple[str, ...] = ()
    warnings: tuple[Warned, ...] = ()


def judge(written: Written, book: Notebook, stopped: str | None = None) -> Verdict:
    """The verdict of the policy `refuse`: an answer that no page supports is no answer.

    Args:
        stopped: why the run was stopped early (`timeout`, `interrupted`), if it was.
    """
    without_answer: tuple[RunStatus, int] = ("partial", 6) if stopped else ("unanswered", 3)
    if not book.read and not stopped:
        return Verdict(*without_answer, "no_evidence")
    if written.answer is None or written.gave_up:
        return Verdict(*without_answer, stopped or "not_found")
    explanation, unknown = strip_numbers(written.explanation, book.numbers)
    grounds = support(written.answer, explanation, book.question, book.read, book.page)
    warnings = _warnings(unknown, grounds)
    if not grounds.supported:
        reason = stopped or "unsupported"
        return Verdict(*without_answer, reason, explanation=written.explanation or None, warnings=warnings)
    status, exit_code = without_answer if stopped else ("answered", 0)
    return Verdict(
        status,
        exit_code,
        stopped,
        written.answer,
        explanation or None,
        grounds.citations,
        grounds.unsupported,
        warnings,
    )


def _warnings(unknown: list[int], grounds: Support) -> tuple[Warned, ...]:
    warnings = []
    if unknown:
        numbers = ", ".join(f"[{n}]" for n in sorted(set(unknown)))
        warnings.append(Warned("citation_removed", f"the model cited {numbers}, which no page of this run has"))
    if grounds.unsupported and grounds.supported:
        warnings.append(Warned("unsupported", f"no page says: {', '.join(grounds.unsupported)}"))
    return tuple(warnings)
