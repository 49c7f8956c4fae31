"""Evidence: the passages of a turn that the model reads, chosen by a selector, numbered, within a budget of tokens."""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterable, Sequence
from dataclasses import replace

from hds_cli.agent import documents
from hds_cli.agent.documents import Attached
from hds_cli.agent.listing import Selection
from hds_cli.agent.ranked import cuts_of
from hds_cli.agent.selectors.base import Budget, Count, Reading, Selector
from hds_cli.agent.selectors.door import BUILTIN, asked, selector
from hds_cli.text import cut_passages, terms
from hds_cli.text.cutting import behind
from hds_cli.types import Page, Passage

__all__ = ["Budget", "Evidence", "Numbers", "turn_budget"]
_LIKELY_TURNS = 4  # turns of searching among which the room of a run is shared; most runs end before
_LEAST_EXCERPT = 800  # tokens below which a document has no outline, only its best passages
_VISITED = 3000  # tokens of a page that was asked for; not tuned
_NO_ROOM = "no room is left to read what was found"
_REPEAT = 8  # tokens of a passage that is named and not repeated


def turn_budget(
    n_ctx: int,
    room: int,
    passages: int = 12,
    most: int | None = None,
    words: int = 250,
    *,
    turns_left: int = _LIKELY_TURNS,
) -> Budget:
    """The budget of a turn: its share of the room, which is the context that is left beside an answer.

    Args:
        room: tokens.
        passages: for one query.
        most: tokens that are never exceeded.
        words: of a passage.
        turns_left: turns that may still search, this one included.
    """
    share = max(room // max(1, min(turns_left, _LIKELY_TURNS)), min(room, n_ctx // 8))
    return Budget(max(0, min(share, share if most is None else most)), passages, words)


class Numbers:
    """The numbers of passages, from 1, for runs that share them. May be asked from any thread."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], int] = {}
        self._last = 0
        self._lock = threading.Lock()

    def of(self, passage: Passage) -> int:
        """The number of a passage, a new one if it has none."""
        with self._lock:
            return self._known.get((passage.url, passage.text)) or self._take(passage, self._last + 1)

    def keep(self, passage: Passage) -> None:
        """Know a passage of an earlier run by the number it had."""
        with self._lock:
            self._take(passage, passage.n)

    def _take(self, passage: Passage, number: int) -> int:
        self._known[passage.url, passage.text] = number
        self._last = max(self._last, number)
        return number


class Evidence:
    """Numbers the passages of a run and remembers which were shown, so that none is shown twice.

    Args:
        numbers: shared with other runs; None: its own.
    """

    def __init__(
        self, question: str, count: Count, choose: Selector | None = None, numbers: Numbers | None = None
    ) -> None:
        self._question, self._count = question, functools.lru_cache(maxsize=4096)(count)
        self._choose = choose or selector(BUILTIN)
        self._known: dict[tuple[str, str], Passage] = {}
        self._numbers = numbers or Numbers()

    def select(self, queries: Sequence[tuple[str, Sequence[Page]]], budget: Budget) -> list[Selection]:
        """For every (query, its pages in the order of the search) the passages to read.

        Passages of an earlier query or turn keep their number and cost next to nothing.
        """
        readings = [Reading(query, pages) for query, pages in queries]
        budget = replace(budget, count=self._count, shown=frozenset(self._known))
        left = budget.tokens
        chosen = []
        for reading, passages in zip(readings, asked(self._choose, self._question, readings, budget), strict=True):
            kept: dict[int, Passage] = {}
            new = 0
            for passage in passages:
                is_new = (passage.url, passage.text) not in self._known
                price = budget.price(passage) if is_new else _REPEAT
                if price <= left and new + is_new <= budget.passages:
                    numbered = self.add(passage)
                    kept[numbered.n] = numbered
                    new += is_new
                    left -= price
            sought = terms(reading.query)
            of = sum(1 for page in reading.pages for _ in cuts_of(page.text, sought, budget.words, budget.late))
            chosen.append(Selection(kept.values(), of, _NO_ROOM if of and not kept else "", passages.dropped))
        return chosen

    def more(self, number: int, pages: Sequence[Page], budget: Budget) -> Selection:
        """The passages of a page that follow one that was read, as many as a query may have."""
        passage = next((known for known in self._known.values() if known.n == number), None)
        if passage is None or not pages:
            return Selection(why=f"there is no passage {number}")
        page, budget = pages[0], replace(budget, count=self._count)
        tokens = budget.tokens
        following: list[Passage] = []
        begin = behind(page.text, passage.text)
        begin = len(page.text) if begin is None else begin
        for cut in cut_passages(page.text, budget.words, int(0.6 * budget.words), begin=begin):
            next_one = replace(passage, text=cut.text, heading=cut.heading or passage.heading, n=0)
            tokens -= budget.price(next_one)
            if tokens < 0 or len(following) == budget.passages:
                break
            following.append(self.add(next_one))
        return Selection(following, why="" if following else "the page ends there")

    def visit(self, goal: str, pages: Sequence[Page], budget: Budget) -> Selection:
        """The passages of a page that was asked for: all where there is room, else its outline and what fits `goal`."""
        if not pages:
            return Selection()
        budget = replace(budget, count=self._count, tokens=min(budget.tokens, _VISITED))
        passages = documents.whole(pages[0], budget) or documents.excerpt(pages[0], goal, budget)
        of = sum(1 for _ in cuts_of(pages[0].text, terms(goal), budget.words, budget.late))
        nothing_new = all((passage.url, passage.text) in self._known for passage in passages)
        why = "nothing further in this page" if nothing_new else ""
        return Selection((self.add(passage) for passage in passages), max(of, len(passages)), why)

    def attach(self, question: str, page: Page, budget: Budget) -> Attached:
        """A document that came with the question: whole where it fits, else what fits it best."""
        budget = replace(budget, count=self._count)
        passages = documents.whole(page, budget)
        left_out = ""
        if passages is None and budget.tokens < _LEAST_EXCERPT:
            (chosen,) = self.select([(question, [page])], budget)
            passages = list(chosen)
        elif passages is None:
            passages = documents.excerpt(page, question, budget)
        if (shown := sum(len(passage.text) for passage in passages)) < 0.9 * len(page.text):
            left_out = f"of {page.title}, {100 * shown // len(page.text)} % is read: what fits the question best"
        numbered = tuple(self.add(passage) for passage in passages)
        return Attached(numbered, sum(map(budget.price, numbered)), left_out)

    def add(self, passage: Passage) -> Passage:
        """Give a passage its number (an attached document's, say); the same passage keeps the one it has."""
        key = (passage.url, passage.text)
        if key not in self._known:
            self._known[key] = replace(passage, n=self._numbers.of(passage))
        return self._known[key]

    def restore(self, passages: Iterable[Passage]) -> None:
        """Know the passages of an earlier run again, under the numbers they had."""
        for passage in passages:
            self._known[passage.url, passage.text] = passage
            self._numbers.keep(passage)
