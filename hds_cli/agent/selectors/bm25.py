"""The selector `bm25`: the best passages of every page, what stands beside them, and how the best page begins."""

from __future__ import annotations

from collections.abc import Sequence

from hds_cli.agent.ranked import Ranked, ranked
from hds_cli.agent.selectors.base import Budget, Reading
from hds_cli.text import BM25, overlap, terms
from hds_cli.text.cutting import pieces, stretch
from hds_cli.types import Passage

_FLOOR = 0.62  # share of the query's best score; when room is short, a passage below it is noise
_SHORT = 2  # room is short when a query gets fewer passages
_ALIKE = 0.8
_BESIDE, _NEW_PAGE = 0.25, 0.35  # shares of the best score: bonus beside a chosen passage, bonus of a new page
_TOKENS_A_WORD = 1.5
_LOOKED_AT = 200  # candidates of a query


def choose(question: str, readings: Sequence[Reading], budget: Budget) -> list[list[Passage]]:
    """The passages to read for each query; each gets an equal share of the room, and what others leave."""
    turn = _Turn(budget)
    picks = [_Pick(reading, question, turn) for reading in readings]
    short = is_short(budget, len(picks))
    for floor in [_FLOOR, *([] if short else [0.0])]:
        for place, pick in enumerate(picks):
            pick.fill(turn.left // (len(picks) - place), floor)
    for pick in picks:
        pick.fill(turn.left, _FLOOR if short else 0.0, last=True)
    return [pick.chosen for pick in picks]


def is_short(budget: Budget, queries: int) -> bool:
    """True when room is short: not every query may have two passages of full length."""
    return budget.tokens < _SHORT * _TOKENS_A_WORD * budget.words * queries


class _Turn:
    """The room left in a turn, and the passages that the model has read, in this turn or before."""

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self.left = budget.tokens
        self._shown: dict[str, list[str]] = {}
        for url, text in budget.shown:
            self._shown.setdefault(url, []).append(text)

    def shown_as(self, passage: Passage) -> str | None:
        """The text under which the model knows a passage, or nearly all of it; None when it is new."""
        known = self._shown.get(passage.url, ())
        long_enough = 0.7 * len(passage.text)
        return next((text for text in known if len(text) >= long_enough and text in passage.text), None)

    def show(self, passage: Passage, price: int) -> None:
        self.left -= price
        self._shown.setdefault(passage.url, []).append(passage.text)


class _Pick:
    """The passages of one query, chosen one by one until the room or the number is used up."""

    def __init__(self, reading: Reading, question: str, turn: _Turn) -> None:
        self._turn, self._sought = turn, terms(reading.query)
        self._candidates = ranked(reading.query, question, reading.pages, turn.budget.words, turn.budget.late)
        self._best = self._candidates[0].score if self._candidates else 0.0
        self._waiting = self._worth_a_look()
        self._taken: list[Ranked] = []
        self._taken_terms: list[frozenset[str]] = []
        self._new = 0
        self.chosen: list[Passage] = []

    def _worth_a_look(self) -> list[Ranked]:
        """The candidates to weigh: the best ones, the beginning of the best page, and the best one of each page."""
        best = self._candidates[:_LOOKED_AT]
        first: dict[int, Ranked] = {}
        for one in self._candidates:
            first.setdefault(one.rank, one)
        lead = [one for one in self._candidates if best and one.rank == best[0].rank and one.place == 0]
        return list(dict.fromkeys([*best, *lead, *first.values()]))

    def fill(self, tokens: int, floor: float, *, last: bool = False) -> None:
        """Choose passages while `tokens` last, none below `floor` (a share) of the best score.

        A passage is shortened to fit only when it is the query's first, or when `last` says that no other follows.
        """
        while self._new < self._turn.budget.passages and (one := self._next(floor)) is not None:
            own = frozenset(one.terms)
            if not any(overlap(own, other) > _ALIKE for other in self._taken_terms):
                price = self._take(one, tokens, shorten=last or not self.chosen)
                if price is None:
                    return
                tokens -= price
                self._taken_terms.append(own)
            self._waiting.remove(one)

    def _next(self, floor: float) -> Ranked | None:
        """The candidate that is worth most beside those that are taken."""
        most, alone = self._turn.budget.passages, len({one.rank for one in self._waiting}) < 2
        of_page: dict[int, int] = {}
        for one in self._taken:
            of_page[one.rank] = of_page.get(one.rank, 0) + 1
        allowed = [
            one for one in self._waiting
            if (alone or of_page.get(one.rank, 0) < max(1, most // 2))
            and one.score >= floor * self._best
        ]  # fmt: skip
        return max(allowed, key=self._worth, default=None)

    def _worth(self, one: Ranked) -> tuple[float, int, int]:
        bonus = 0.0
        if self._taken:
            top = self._taken[0]
            if (one.rank == top.rank and one.place == 0) or all(other.rank != one.rank for other in self._taken):
                bonus = _NEW_PAGE
            elif any(other.rank == one.rank and abs(other.place - one.place) == 1 for other in self._taken):
                bonus = _BESIDE
        return (one.score + bonus * self._best, -one.rank, -one.place)

    def _take(self, one: Ranked, tokens: int, *, shorten: bool) -> int | None:
        """Choose a candidate, as much of it as fits; returns the tokens it takes, None when there is no room."""
        known = self._turn.shown_as(_passage(one, one.cut.text))
        if known is not None:
            self._taken.append(one)
            self.chosen.append(_passage(one, known))
            return 0
        passage, budget = _passage(one, one.cut.text), self._turn.budget
        if budget.price(passage) > tokens:
            text = fitted(one, self._sought, tokens, budget) if shorten else ""
            if not text:
                return None
            passage = _passage(one, text)
        price = budget.price(passage)
        self._turn.show(passage, price)
        self._taken.append(one)
        self.chosen.append(passage)
        self._new += 1
        return price


def _passage(one: Ranked, text: str) -> Passage:
    return Passage(one.page.url, one.page.title, text, heading=one.cut.heading, score=round(one.score, 3))


def fitted(one: Ranked, sought: Sequence[str], tokens: int, budget: Budget) -> str:
    """As many sentences of a passage around its best one as fit; empty when not even that one does."""
    text = one.cut.text
    parts = list(pieces(text, budget.words))
    low = high = _best_part(one, [text[part.start : part.end] for part in parts], sought)
    best = ""
    while True:
        tried = stretch(text, parts[low], parts[high])
        if budget.price(_passage(one, tried)) > tokens:
            return best
        best = tried
        # The sentences after a sentence explain it best; then the one before it.
        if high + 1 < len(parts):
            high += 1
        elif low > 0:
            low -= 1
        else:
            return best


def _best_part(one: Ranked, parts: Sequence[str], sought: Sequence[str]) -> int:
    """The place of the sentence that says most; the first one where page and heading are all that is asked for."""
    if set(sought) <= set(terms(f"{one.page.title} {one.cut.heading}")):
        return 0
    scores = BM25(parts).scores(sought)
    return max(range(len(scores)), key=lambda n: (scores[n], -n))
