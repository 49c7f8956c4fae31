"""The selector `set`: the model chooses which of the turn's passages together are worth reading.

SetR's selection call (arXiv 2507.06838), selection alone: all passages of the turn in one list, numbered; the model
names those that cover the question. What it names wrongly is left out; every query keeps a passage; without an answer
of use the order of the ranking stands.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from hds_cli.agent.listing import in_turn
from hds_cli.agent.protocol import neutral, one_line
from hds_cli.agent.selectors.base import Budget, Chosen, Reading
from hds_cli.agent.selectors.bm25 import choose as ranked
from hds_cli.agent.selectors.bm25 import is_short
from hds_cli.text import BM25, terms
from hds_cli.text.cutting import pieces
from hds_cli.types import Passage

NAME = "set"
MOST = 20  # passages that the model is shown, as in the paper
_WORDS = 110  # of each, around its best sentence: twenty take under 4k tokens
_TITLE = 120  # characters
_READ = 4000  # characters of an answer
TOKENS = 128
SYSTEM = (
    "You choose passages for a researcher. You answer with one line, their numbers in brackets, such as:\n"
    "### Final Selection: [n] [n]"
)
GRAMMAR = 'root ::= "### Final Selection:" (" [" [0-9] [0-9]? "]")+ "\\n"?\n'
NO_CHOICE = (
    "there is room for one of a query and no more; a larger context (--n-ctx) or budget (--budget), or fewer queries, "
    "give it a choice"
)
_HEAD = re.compile(r"final selection", re.IGNORECASE)
_NUMBER = re.compile(r"\[\s*(\d{1,3})\s*\]")
_BRACKETED = re.compile(r"\[\s*(\d{1,6})\s*\]")

Ask = Callable[[str], str]
"""(a task) -> the model's answer by `GRAMMAR`, or nothing."""


class Setwise:
    """A selector that asks a model once a turn.

    Args:
        ask: may return anything; what is no selection leaves the ranking as it is.
    """

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._told = False
        self.say: Callable[[str], None] = lambda _: None
        """Told once a run why the model did not choose."""

    def __call__(self, question: str, readings: Sequence[Reading], budget: Budget) -> list[Chosen]:
        """The passages that the model chose, and for each query its best one."""
        lists = ranked(question, readings, budget)
        pool = in_turn(lists)[:MOST]
        if len(pool) <= len(readings):
            if is_short(budget, len(readings)) and sum(len(reading.pages) for reading in readings) > len(pool):
                self.tell(NO_CHOICE)
            return [Chosen(passages) for passages in lists]
        chosen = selected(self._ask(task(question, [reading.query for reading in readings], pool)), len(pool))
        if not chosen:
            self.tell("it named no passage")
            return [Chosen(passages) for passages in lists]
        left = {(p.url, p.text) for place, p in enumerate(pool, 1) if place not in chosen}
        return [_without(passages, left) for passages in lists]

    def tell(self, why: str) -> None:
        """Say why the passages stand as they are ranked, the first reason only."""
        if not self._told:
            self._told = True
            self.say(f"the model did not choose the passages ({NAME}), which stand as they are ranked: {why}")


def _without(passages: Sequence[Passage], left: set[tuple[str, str]]) -> Chosen:
    """The passages without those that are left out; the best one stays where it would be all of them."""
    kept = [p for p in passages if (p.url, p.text) not in left] or list(passages[:1])
    return Chosen(kept, [p for p in passages if p not in kept])


def task(question: str, queries: Sequence[str], pool: Sequence[Passage]) -> str:
    """What the model is asked; no text of a page holds a number in brackets."""
    sought = terms(" ".join([question, *queries]))
    # No number in brackets here: `Aside` takes the power from those, as from all that a page could say.
    shown = "\n".join(f"Passage {n}: {_short(passage, sought)}" for n, passage in enumerate(pool, 1))
    return (
        f"Question: {_safe(question)}\nSearches: {_safe('; '.join(queries))}\n\n{len(pool)} passages:\n{shown}\n\n"
        f"Question: {_safe(question)}\n\nChoose the passages that together hold most of what is needed for the "
        "question and the searches, clearly and without saying the same twice. Any number of them."
    )


def _safe(text: str) -> str:
    return _BRACKETED.sub(r"(\1)", neutral(one_line(text)))


def _short(passage: Passage, sought: Sequence[str]) -> str:
    """Title and text of a passage, as many of its sentences from the best one on as it may have words."""
    parts = [passage.text[piece.start : piece.end] for piece in pieces(passage.text, _WORDS)]
    if not parts:
        return _safe(passage.title[:_TITLE])
    scores = BM25(parts).scores(sought)
    first = max(range(len(parts)), key=lambda n: (scores[n], -n))
    words = " ".join(parts[first:]).split()
    before = " ".join(parts[:first]).split()[-max(0, _WORDS - len(words)) :] if len(words) < _WORDS else []
    return f"{_safe(passage.title[:_TITLE])}: {_safe(' '.join([*before, *words[:_WORDS]]))}"


def selected(written: str, count: int) -> set[int]:
    """The numbers of an answer, of `count` passages; empty where it names none that there is."""
    text = written[-_READ:]
    heads = list(_HEAD.finditer(text))
    text = text[heads[-1].end() :] if heads else text
    return {number for found in _NUMBER.finditer(text) if 1 <= (number := int(found[1])) <= count}


__all__ = ["GRAMMAR", "MOST", "NAME", "SYSTEM", "TOKENS", "Ask", "Setwise", "selected", "task"]
