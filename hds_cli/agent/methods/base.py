"""The door for methods: five moments of a run, in time order, each a hook that does nothing unless it is overridden."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hds_cli.agent.dialects import Written
from hds_cli.agent.notebook import Notebook
from hds_cli.agent.verdict import Verdict
from hds_cli.engine.base import Segment
from hds_cli.types import Page


class Method:
    """Watches one run. A hook that raises, or takes longer than `seconds`, costs the method the rest of the run."""

    name: str = "method"
    seconds: float = 20.0
    say: Callable[..., None] = staticmethod(lambda kind, **values: None)
    """Emits an event of a kind with the run's time, from any thread; set when the run begins."""

    def began(self, question: str, book: Notebook) -> None:
        """Called when the question is known and nothing was searched yet."""

    def searched(self, query: str, pages: Sequence[Page]) -> str | None:
        """Called when a query's pages were read. May return another wording, which is searched in the same turn."""
        return None

    def read(self, turn: int, book: Notebook) -> Sequence[Segment]:
        """Called when a turn's passages were chosen. Returns lines that the model reads below them."""
        return ()

    def may_end(self, written: Written, book: Notebook) -> str | None:
        """Called when the model has answered, at most twice a run. May return a reason to search on, for the model."""
        return None

    def judged(self, verdict: Verdict, book: Notebook) -> Verdict:
        """Called when the answer was judged. May return the verdict that takes its place."""
        return verdict
