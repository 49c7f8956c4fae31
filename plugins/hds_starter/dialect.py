"""The starter's dialect: the searcher's protocol with checked steps, and what else its adapter was taught to write."""

from __future__ import annotations

from collections.abc import Sequence

from hds_cli.agent.dialects import Speaking
from hds_cli.agent.hds import HdsDialect
from hds_cli.events import RunContinued
from hds_cli.text import normalise
from hds_cli.types import Passage
from hds_starter import calculation

NOTHING = "nothing was found on "
"""As the adapter was taught to say of one part of a list."""


class StarterDialect(HdsDialect):
    """Leaves ordering and adding to `calculation`; its lists and single values are mended from its own sentences."""

    name = "starter"
    older = True
    stops = (calculation.CLOSE,)

    def start(self, question: str, documents: Sequence[Passage], continued: RunContinued | None = None) -> None:
        """A question made whole is asked by itself, over the documents of the run before it."""
        if continued and continued.whole:
            known = [passage for findings in continued.findings for passage in findings.passages]
            documents, continued = [*known, *documents], None
        super().start(question, documents, continued)

    def after_stop(self, text: str) -> str:
        result = calculation.result(text)
        return f" = {result}" if result else ""

    def mended(self, answer: str, explanation: str) -> str:
        return calculation.stated(calculation.collected(answer, explanation), explanation, self.asked)

    def gave_up(self, answer: str | None) -> bool:
        parts = normalise(answer or "").split(";")
        answers = [part for part in parts if not part.strip().startswith(NOTHING)]
        return answer is not None and (not answers or super().gave_up(";".join(answers)))


def open_starter(speaking: Speaking) -> StarterDialect:
    """The entry point `starter` of `hds.dialects.v1`."""
    return StarterDialect.over(speaking)
