"""A method that has a verifier read what strings could not prove, and grades it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from hds_cli.agent.methods.base import Method
from hds_cli.agent.notebook import Notebook
from hds_cli.agent.verdict import Verdict, Warned, regraded
from hds_cli.agent.verifying import Verifier, asks, compare, self_contained
from hds_cli.errors import HdsError, ModelMissing

SECONDS = 5.0


class Verified(Method):
    """Asks a verifier about the units of an answer that strings neither prove nor work out.

    Args:
        opened: opens the verifier; called only when there is something to ask.
        limit: seconds that it may take, its loading included.
        wanted: it was asked for, so that one that is not installed is worth a warning.
    """

    name = "verify"

    def __init__(self, opened: Callable[[], Verifier], limit: float = SECONDS, *, wanted: bool = False) -> None:
        self._opened, self._limit, self._wanted = opened, limit, wanted
        self.seconds = limit + 15.0  # loading cannot be cut short

    def judged(self, verdict: Verdict, book: Notebook) -> Verdict:
        """The verdict with grades `verified` and `contradicted`, and the probability of each unit that was read."""
        if verdict.status == "partial" or not any(map(asks, verdict.support)):
            return verdict
        until = time.monotonic() + self._limit
        passage_of = {citation.n: citation.passage or citation.n for citation in verdict.citations}
        support = [replace(s, marks=tuple(passage_of.get(n, n) for n in s.marks)) for s in verdict.support]
        claims = self_contained([s.text for s in support], book.question)
        passages = [passage for _, passage in book.read]
        try:
            compared = compare(support, claims, passages, self._opened, lambda: time.monotonic() > until or book.late())
        except HdsError as exc:
            if isinstance(exc, ModelMissing) and not self._wanted:
                return verdict
            return replace(verdict, warnings=(*verdict.warnings, Warned("verify", f"not verified: {exc.message}")))
        graded = [
            replace(new, marks=old.marks) if new.level != old.level else replace(old, probability=new.probability)
            for old, new in zip(verdict.support, compared.support, strict=True)
        ]
        verdict = regraded(verdict, graded, book)
        if compared.left:
            asked = sum(map(asks, support))
            left = f"not verified: {compared.left} of {asked} parts, {self._why(book.late(), time.monotonic() > until)}"
            verdict = replace(verdict, warnings=(*verdict.warnings, Warned("verify", left)))
        return verdict

    def _why(self, run_is_late: bool, late: bool) -> str:
        """Why parts were left: the run's time and the verifier's own are told apart."""
        if run_is_late:
            return "the run's time was over"
        if late:
            return f"the verifier's own {self._limit:g} s were over (verify_timeout sets them)"
        return "there is more to compare than it takes"
