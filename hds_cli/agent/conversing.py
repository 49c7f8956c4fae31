"""What the dialects `chat` and `tools` have in common: a conversation, one corrective turn, the order of a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar, Self

from hds_cli.agent.conversation import BRIEF, Conversation, Results, turns_left
from hds_cli.agent.dialects import Hooks, QueryResult, Speaking, Written
from hds_cli.agent.messages import asked, known_before
from hds_cli.engine.base import ChatTemplate, Sampling, Segment, Session
from hds_cli.events import RunContinued
from hds_cli.text.language import answer_language
from hds_cli.types import Passage


class Conversing:
    """Speaks with a model in one growing conversation of its own chat template.

    A kind of conversation sets its texts (`system` with places for `queries` and `language`, `now`: the demand for an
    answer) and how it is drawn (`heat`, the temperature where none is asked for; top-p and top-k), and writes turns and
    results.

    Args:
        template: the model's chat template.
        temperature: None: `heat`.
        max_turns: as many turns may search; the model is told how many are left. 0: it is not told.
        max_tokens: of one turn.
        thinking: off, brief or full.

    Raises:
        ModelUnusable: the model has no chat template, or one that does not render.
    """

    system: ClassVar[str]
    now: ClassVar[str]
    heat: ClassVar[float]
    top_p: ClassVar[float]
    top_k: ClassVar[int]
    brief: ClassVar[int] = BRIEF  # tokens of a brief thought
    addresses: ClassVar[bool] = False  # results come with the addresses of their pages

    def __init__(
        self,
        session: Session,
        template: ChatTemplate | None,
        *,
        temperature: float | None = None,
        seed: int = 0,
        max_queries: int = 8,
        max_turns: int = 0,
        max_tokens: int = 4096,
        today: str | None = None,
        thinking: str = "brief",
        language: str | None = None,
    ) -> None:
        self._today, self._turns_left, self._searched, self._corrected = today, max_turns, False, False
        heat = self.heat if temperature is None else temperature
        self._talk = Conversation(
            session, template, self.system.format(queries=max_queries, language=answer_language(language)),
            max_tokens=max_tokens, today=today, thinking=thinking, brief=self.brief, cut=self._cut,
            sampling=Sampling(heat, self.top_p, self.top_k, seed=seed),
        )  # fmt: skip
        self._results = Results(addresses=self.addresses)
        self._afforded, self._left_line = max_turns, ""

    @classmethod
    def opened(cls, speaking: Speaking) -> Self:
        """The dialect of one run, as an entry point of `hds.dialects.v1` makes it."""
        settings = speaking.settings
        return cls(
            speaking.session, speaking.template, temperature=speaking.temperature, seed=settings.seed,
            max_queries=settings.max_queries, max_turns=settings.max_turns, max_tokens=settings.max_tokens,
            today=settings.today, thinking=settings.thinking, language=settings.language,
        )  # fmt: skip

    def start(self, question: str, documents: Sequence[Passage], continued: RunContinued | None = None) -> None:
        self._talk.say("user", asked(question, continued, self._today))
        if known := known_before(documents, continued):
            self._searched = True
            self._give_known(known)

    def write(self, hooks: Hooks) -> Written:
        written = self._turn(hooks)
        if written.reason != "aborted" and not written.queries and (correction := self._correction()):
            self._talk.say("user", correction)
            again = self._turn(hooks)
            written = replace(again, tokens=written.tokens + again.tokens)
        self._turns_left -= 1
        return written

    def afford(self, turns: int, tokens: int | None) -> None:
        """So many turns may still search, as the run's budget has it."""
        self._afforded = turns

    def force(self, hooks: Hooks) -> Written:
        self._talk.unsay(self._left_line)  # no turn is left, whatever the results said
        self._talk.say("user", self.now)
        return self._turn(hooks, final=True)

    def make_room(self) -> int:
        """The tokens left beside an answer. Below an eighth of the context, old messages shrink to their short form."""
        return self._talk.make_room()

    def replay(self, text: str, results: Sequence[QueryResult]) -> None:
        self._turns_left -= 1
        self._talk.calls += 1
        self._replay(text)
        self.make_room()  # the original run made room at this place
        self.read(results)

    def _left(self) -> list[str]:
        """A line on how many turns may still search; none where nobody counts, or none is left."""
        lines = turns_left(min(self._turns_left, self._afforded))
        self._left_line = "".join(lines)
        return lines

    def _search_first(self, text: str) -> str:
        """`text`, once, where nothing was searched; else nothing."""
        if self._searched or self._corrected:
            return ""
        self._corrected = True
        return text

    # --- a kind of conversation ----------------------------------------------------------------------------------

    def read(self, results: Sequence[QueryResult], notes: Sequence[Segment] = ()) -> None:
        """Give a turn's results, and the notes of methods behind them."""
        raise NotImplementedError

    def _turn(self, hooks: Hooks, *, final: bool = False) -> Written:
        """Have the model write; `final`: an answer."""
        raise NotImplementedError

    @staticmethod
    def _cut(text: str) -> list[Segment]:
        """The segments of a message's text; none of it is trusted."""
        return [Segment(text)]

    def _correction(self) -> str:
        """What is said to a turn without queries, which is then written again; empty: it stands."""
        raise NotImplementedError

    def _replay(self, text: str) -> None:
        """A turn that the model wrote before."""
        raise NotImplementedError

    def _give_known(self, known: Sequence[QueryResult]) -> None:
        """What is known before the first search."""
        raise NotImplementedError
