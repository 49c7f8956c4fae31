"""The door for methods: five moments of a run, in time order, each a hook that does nothing unless it is overridden."""

from __future__ import annotations

from collections.abc import Sequence

from hds_cli.agent.dialects import Written
from hds_cli.agent.notebook import Notebook
from hds_cli.agent.verdict import Verdict
from hds_cli.engine.base import Segment
from hds_cli.types import Page


class Method:
    """Watches one run. A hook that raises, or takes longer than `seconds`, costs the method the rest of the run."""

    name: str = "method"
    seconds: float = 20.0

    def began(self, question: str, book: Notebook) -> None:
        """The question is known; nothing was searched yet."""

    def searched(self, query: str, pages: Sequence[Page]) -> str | None:
        """A query was searched and its pages were read; another wording of it, to be searched in the same turn."""
        return None

    def read(self, turn: int, book: Notebook) -> Sequence[Segment]:
        """A turn's passages were chosen; lines that the model reads below them."""
        return ()

    def may_end(self, written: Written, book: Notebook) -> str | None:
        """The model has answered; a reason to search further, which the model reads. Asked at most twice a run."""
        return None

    def judged(self, verdict: Verdict, book: Notebook) -> Verdict:
        """The answer was judged; the verdict that takes its place."""
        return verdict
