"""Pages -> passages -> what the model reads: ranked, without repeats, within a token budget."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from hds_cli.agent.select import Selector, asked
from hds_cli.text import BM25, Cut, cut_passages, named_in, names_in, overlap, terms
from hds_cli.types import Page, Passage

CountTokens = Callable[[str], int]
MAX_PAGE_CHARS = 400_000
_FLOOR = 0.62  # a passage this far below the best of its query is noise
_ALIKE = 0.8


@dataclass(frozen=True)
class Budget:
    """How much a turn may give the model to read: tokens for the whole turn, passages for one query."""

    tokens: int
    passages: int = 4


def turn_budget(n_ctx: int, room: int, passages: int = 4, most: int | None = None) -> Budget:
    """What a turn may read: a quarter of the context, never more than the `room` left beside an answer, or `most`."""
    return Budget(max(0, min(n_ctx // 4, room, room if most is None else most)), passages)


@dataclass(frozen=True)
class _Candidate:
    page: Page
    cut: Cut
    score: float
    terms: frozenset[str]


class Evidence:
    """Numbers the passages of a run and remembers which were shown, so that none is shown twice."""

    def __init__(self, question: str, count: CountTokens, selector: Selector | None = None) -> None:
        self._asked, self._question = question, set(terms(question))
        self._count, self._selector = count, selector
        self._known: dict[tuple[str, str], Passage] = {}
        self._last = 0

    def select(self, queries: Sequence[tuple[str, Sequence[Page]]], budget: Budget) -> list[tuple[Passage, ...]]:
        """For every (query, its pages in the order of the search) the passages to read.

        Queries get equal shares of the budget; what one does not use goes to the next. Passages of an earlier query
        or turn keep their number.
        """
        left = budget.tokens
        chosen = []
        for place, (query, pages) in enumerate(queries):
            share = left // (len(queries) - place)
            pick = self._pick if self._selector is None else self._take
            picked, cost = pick(query, pages, share, budget.passages)
            left -= cost
            chosen.append(picked)
        return chosen

    def add(self, passage: Passage) -> Passage:
        """Give a passage its number (an attached document's, say); the same passage keeps the one it has."""
        key = (passage.url, passage.text)
        if key not in self._known:
            self._last += 1
            self._known[key] = replace(passage, n=self._last)
        return self._known[key]

    def restore(self, passages: Iterable[Passage]) -> None:
        """Know the passages of an earlier run again, under the numbers they had."""
        for passage in passages:
            self._known[passage.url, passage.text] = passage
            self._last = max(self._last, passage.n)

    def _pick(self, query: str, pages: Sequence[Page], tokens: int, most: int) -> tuple[tuple[Passage, ...], int]:
        wanted = terms(query)
        picked: list[Passage] = []
        kept: list[frozenset[str]] = []
        cost = 0
        for candidate in _ranked(query, self._question, pages):
            if len(picked) == most:
                break
            if any(overlap(candidate.terms, other) > _ALIKE for other in kept):
                continue
            text, price = self._fit(candidate, wanted, tokens - cost)
            if not text:
                continue
            passage = Passage(
                candidate.page.url,
                candidate.page.title,
                text,
                heading=candidate.cut.heading,
                score=round(candidate.score, 3),
                fetched_at=candidate.page.fetched_at,
            )
            picked.append(self.add(passage))
            kept.append(candidate.terms)
            cost += price
        return tuple(picked), cost

    def _take(self, query: str, pages: Sequence[Page], tokens: int, most: int) -> tuple[tuple[Passage, ...], int]:
        """What the selector chooses, as far as there is room."""
        assert self._selector is not None
        picked: list[Passage] = []
        cost = 0
        for page, passage in asked(self._selector, self._asked, query, pages, most):
            own = Passage(page.url, page.title, passage.text, heading=passage.heading, fetched_at=page.fetched_at)
            price = self._count(own.full) + 8
            if cost + price <= tokens:
                picked.append(self.add(own))
                cost += price
        return tuple(picked), cost

    def _fit(self, candidate: _Candidate, wanted: Sequence[str], tokens: int) -> tuple[str, int]:
        """The passage, or as many sentences of it around its best one as fit; empty when not even that one does."""
        label = self._count(f"{candidate.page.title}: {candidate.cut.heading}") + 8
        sentences = candidate.cut.sentences
        text = " ".join(sentences)
        price = self._count(text) + label
        if price <= tokens:
            return text, price
        low = high = _best_sentence(candidate, wanted)
        best, best_price = "", 0
        while True:
            text = " ".join(sentences[low : high + 1])
            price = self._count(text) + label
            if price > tokens:
                return best, best_price
            best, best_price = text, price
            # A sentence is read best with the one before it; then those that follow.
            if high + 1 < len(sentences):
                high += 1
            elif low > 0:
                low -= 1
            else:
                return best, best_price


def _best_sentence(candidate: _Candidate, wanted: Sequence[str]) -> int:
    """The place of the sentence that says most; the first one where page and heading are all that is asked for."""
    if set(wanted) <= set(terms(f"{candidate.page.title} {candidate.cut.heading}")):
        return 0
    scores = BM25(candidate.cut.sentences).scores(wanted)
    return max(range(len(scores)), key=lambda i: (scores[i], -i))


def _ranked(query: str, question: set[str], pages: Sequence[Page]) -> list[_Candidate]:
    """The passages worth reading, best first; one about none of the names in the query is not."""
    wanted, names = terms(query), names_in(query)
    pool = []
    for rank, page in enumerate(pages):
        cuts = [
            (cut, set(terms(f"{page.title} {cut.heading} {cut.text}")) if names else set())
            for cut in cut_passages(page.text[:MAX_PAGE_CHARS])
        ]
        on_page = set().union(*(words for _, words in cuts))
        # `Pico Duarte` is more than `Pico`: the page has two words of a name, if it has two; the passage one.
        if not names or any(len(name & on_page) >= min(2, len(name)) for name in names):
            pool += [(rank, page, cut) for cut, words in cuts if not names or any(name & words for name in names)]
    texts = [f"{page.title} {cut.heading} {cut.heading} {cut.text}" for _, page, cut in pool]
    index = BM25(texts)
    by_query, by_question = index.scores(wanted), index.scores(question)
    candidates = []
    for place, (rank, page, cut) in enumerate(pool):
        score = by_query[place] + 0.15 * by_question[place]
        if score > 0:
            # What the query names is meant: a page by its title, a section by its heading.
            score *= 1 + 0.5 * bool(named_in(page.title, wanted)) + 0.25 * bool(named_in(cut.heading, wanted))
            score += 0.5 / (1 + rank)
            candidates.append(_Candidate(page, cut, score, frozenset(terms(texts[place]))))
    candidates.sort(key=lambda c: -c.score)
    return [c for c in candidates if c.score >= _FLOOR * candidates[0].score]
