"""The starter's dialect: the searcher's protocol with checked steps, and what else its adapter was taught to write.

A question in words that the adapter was taught is the model's from the first query to the answer, and looked over by
rule at its end. Another one that can be read by rule (`asking.py`) is planned and worked out by rule, over the same
searches; where the pages are none that the rules know, the model takes it over with what was read.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from hds_cli.agent import protocol
from hds_cli.agent.dialects import Hooks, QueryResult, Speaking, Written
from hds_cli.agent.hds import HdsDialect
from hds_cli.engine.base import Segment
from hds_cli.events import RunContinued
from hds_cli.text import normalise
from hds_cli.types import Passage
from hds_starter import calculation
from hds_starter.asking import asked
from hds_starter.forms import Asked
from hds_starter.further import is_taught
from hds_starter.told import Facts
from hds_starter.working import Need, Solution, thought, work

NOTHING = "nothing was found on "
"""As the adapter was taught to say of one part of a list."""


class StarterDialect(HdsDialect):
    """Leaves ordering and adding to `calculation`; its lists and single values are mended from its own sentences."""

    name = "starter"
    older = True
    stops = (calculation.CLOSE,)
    _max_queries = 8
    _plan: Asked | None = None
    _leads = False  # the rules write, and the session waits

    @classmethod
    def over(cls, speaking: Speaking) -> Self:
        dialect = super().over(speaking)
        dialect._max_queries = max(1, speaking.settings.max_queries)
        return dialect

    def start(self, question: str, documents: Sequence[Passage], continued: RunContinued | None = None) -> None:
        """A question made whole is asked by itself, over the documents of the run before it."""
        if continued and continued.whole:
            known = [passage for findings in continued.findings for passage in findings.passages]
            documents, continued = [*known, *documents], None
        reading = asked(question)
        self._plan = reading if isinstance(reading, Asked) and not documents and continued is None else None
        self._leads = self._plan is not None and (bool(self._plan.read_as) or not is_taught(question))
        self._found: list[tuple[str, Passage]] = []
        self._searched: set[str] = set()
        self._turns_led: list[tuple[str, Sequence[QueryResult]]] = []
        self._text = ""
        self._own: Written | None = None
        super().start(question, documents, continued)

    def write(self, hooks: Hooks) -> Written:
        if self._leads:
            led = self._lead(hooks)
            if led is not None:
                return led
            self._hand_over()
        written = super().write(hooks)
        return self._looked_over(written, hooks) if written.answer is not None else written

    def read(self, results: Sequence[QueryResult], notes: Sequence[Segment] = ()) -> None:
        self._keep(results)
        if not self._leads:
            return super().read(results, notes)
        self.asked += [query for query, _ in results]
        self._turns_led.append((self._text, results))

    def replay(self, text: str, results: Sequence[QueryResult]) -> None:
        if self._leads:
            self._text = text
            return self.read(results)
        self._keep(results)
        super().replay(text, results)

    def _keep(self, results: Sequence[QueryResult]) -> None:
        """Remember what was read, and searched, for the rules."""
        self._found += [(query, p) for query, passages in results if not isinstance(passages, str) for p in passages]
        self._searched |= {query for query, passages in results if passages != protocol.NOT_SEARCHED}

    def force(self, hooks: Hooks) -> Written:
        if self._leads:
            step = self._step()
            if isinstance(step, Solution):
                return _answered(step, hooks)
            self._hand_over()
        return super().force(hooks)

    # --- by rule -----------------------------------------------------------------------------------------------------

    def _step(self) -> Need | Solution | None:
        return work(self._plan, Facts(self._found, self._searched)) if self._plan else None

    def _lead(self, hooks: Hooks) -> Written | None:
        """The next turn by rule; None where the pages are not those that the rules know."""
        if self.asked and not Facts(self._found).any:
            return None
        step = self._step()
        if isinstance(step, Solution):
            return _answered(step, hooks)
        return self._search(step, hooks) if isinstance(step, Need) else self._own

    def _search(self, need: Need, hooks: Hooks) -> Written:
        assert self._plan is not None
        said, queries = thought(self._plan, need), need.turn(self._max_queries)
        hooks.thought(said)
        for query in queries:
            hooks.query(query)
        listed = ";\n".join(protocol.neutral(query) for query in queries)
        block = f"{protocol.BEGIN_QUERIES}\n{listed}\n{protocol.END_QUERIES}"
        self._text = f"{protocol.THINK}\n{said}\n{protocol.END_THINK}\n\n{block}"
        return Written(said, queries, text=self._text)

    def _hand_over(self) -> None:
        """Let the model go on, with what was searched and read so far."""
        self._leads, self._plan = False, None
        turns, self._turns_led = self._turns_led, []
        found, known = self._found, self.asked
        self._found, self.asked = [], []
        for text, results in turns:
            super().replay(text, results)
        self._found, self.asked = found, known

    def _looked_over(self, written: Written, hooks: Hooks) -> Written:
        """The model's answer, where it is that of the pages; what they say, or further searches, where it is not."""
        if self._plan is None or not Facts(self._found).any:
            return written
        step = self._step()
        if isinstance(step, Solution):
            return written if step.agrees(written.answer or "") else _answered(step, hooks)
        if isinstance(step, Need):
            self._leads, self._own = True, written
            return self._search(step, hooks)
        return written

    # --- what the adapter was taught -------------------------------------------------------------------------------

    def after_stop(self, text: str) -> str:
        result = calculation.result(text)
        return f" = {result}" if result else ""

    def mended(self, answer: str, explanation: str) -> str:
        return calculation.stated(calculation.collected(answer, explanation), explanation, self.asked)

    def gave_up(self, answer: str | None) -> bool:
        parts = normalise(answer or "").split(";")
        answers = [part for part in parts if not part.strip().startswith(NOTHING)]
        return answer is not None and (not answers or super().gave_up(";".join(answers)))


def _answered(solution: Solution, hooks: Hooks) -> Written:
    """An answer that was worked out by rule, as a turn of the model's would be."""
    hooks.answer(solution.explanation)
    said = f"{solution.step}. {solution.explanation}" if solution.step else solution.explanation
    text = f"{protocol.END_THINK}\n\n{said}\n{protocol.BOX}{solution.answer}}}"
    return Written(solution.step, (), solution.answer, solution.explanation, text=text)


def open_starter(speaking: Speaking) -> StarterDialect:
    """The entry point `starter` of `hds.dialects.v1`."""
    return StarterDialect.over(speaking)
