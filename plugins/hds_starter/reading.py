"""The starter's selector: the few short passages that its adapter was trained to read.

A passage has at most 90 words and one section; one about none of the names in a query is left out, since the adapter
was taught to say then that nothing was found. Tuned on the factbook.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass

from hds_cli.agent.selectors.base import Budget, Reading
from hds_cli.text import BM25, STOPWORDS, Cut, cut_passages, named_in, overlap, statements, terms
from hds_cli.types import Page, Passage

MAX_PAGE_CHARS = 400_000
_FLOOR = 0.62  # a passage this far below the best of its query is noise
_ALIKE = 0.8


@dataclass(frozen=True)
class _Candidate:
    page: Page
    heading: str
    sentences: tuple[str, ...]
    score: float
    terms: frozenset[str]


def choose(question: str, readings: Sequence[Reading], budget: Budget) -> list[list[Passage]]:
    """The entry point `starter` of `hds.selectors.v2`: equal shares of the room for the queries of a turn."""
    left = budget.tokens
    chosen = []
    for place, reading in enumerate(readings):
        passages, cost = _pick(question, reading, left // (len(readings) - place), budget)
        left -= cost
        chosen.append(passages)
    return chosen


def _pick(question: str, reading: Reading, tokens: int, budget: Budget) -> tuple[list[Passage], int]:
    sought = terms(reading.query)
    picked: list[Passage] = []
    kept: list[frozenset[str]] = []
    cost = 0
    for candidate in _ranked(reading, set(terms(question)), budget.words):
        if len(picked) == budget.passages:
            break
        if any(overlap(candidate.terms, other) > _ALIKE for other in kept):
            continue
        passage = _fitted(candidate, sought, tokens - cost, budget)
        if passage is not None:
            picked.append(passage)
            kept.append(candidate.terms)
            cost += budget.price(passage)
    return picked, cost


def _fitted(one: _Candidate, sought: Sequence[str], tokens: int, budget: Budget) -> Passage | None:
    """The passage, or as many sentences of it around its best one as fit; None when not even that one does."""
    passage = _passage(one, one.sentences)
    if budget.price(passage) <= tokens:
        return passage
    low = high = _best_sentence(one, sought)
    best = None
    while True:
        tried = _passage(one, one.sentences[low : high + 1])
        if budget.price(tried) > tokens:
            return best
        best = tried
        # A sentence is read best with the one before it; then those that follow.
        if high + 1 < len(one.sentences):
            high += 1
        elif low > 0:
            low -= 1
        else:
            return best


def _passage(one: _Candidate, sentences: Sequence[str]) -> Passage:
    text = " ".join(sentences)
    return Passage(one.page.url, one.page.title, text, heading=one.heading, score=round(one.score, 3))


def _best_sentence(one: _Candidate, sought: Sequence[str]) -> int:
    """The place of the sentence that says most; the first one where page and heading are all that is asked for."""
    if set(sought) <= set(terms(f"{one.page.title} {one.heading}")):
        return 0
    scores = BM25(one.sentences).scores(sought)
    return max(range(len(scores)), key=lambda i: (scores[i], -i))


def _cuts(page: Page, words: int) -> list[tuple[Cut, tuple[str, ...]]]:
    cuts = cut_passages(page.text[:MAX_PAGE_CHARS], words, longest=4 * words)
    parted = ((cut, tuple(statements(cut.text, 4 * words, headings=False))) for cut in cuts)
    return [(cut, sentences) for cut, sentences in parted if sentences]


def _ranked(reading: Reading, question: set[str], words: int) -> list[_Candidate]:
    """The passages worth reading, best first; one about none of the names in the query is not."""
    sought, names = terms(reading.query), names_in(reading.query)
    pool = []
    for rank, page in enumerate(reading.pages):
        cuts = [
            (cut, sentences, set(terms(f"{page.title} {cut.heading} {' '.join(sentences)}")) if names else set())
            for cut, sentences in _cuts(page, words)
        ]
        on_page = set().union(*(has for _, _, has in cuts))
        # `Pico Duarte` is more than `Pico`: the page has two words of a name, if it has two; the passage one.
        if not names or any(len(name & on_page) >= min(2, len(name)) for name in names):
            pool += [
                (rank, page, cut, sentences)
                for cut, sentences, has in cuts
                if not names or any(name & has for name in names)
            ]
    texts = [f"{page.title} {cut.heading} {cut.heading} {' '.join(sentences)}" for _, page, cut, sentences in pool]
    index = BM25(texts)
    by_query, by_question = index.scores(sought), index.scores(question)
    candidates = []
    for place, (rank, page, cut, sentences) in enumerate(pool):
        score = by_query[place] + 0.15 * by_question[place]
        if score > 0:
            # What the query names is meant: a page by its title, a section by its heading.
            score *= 1 + 0.5 * bool(named_in(page.title, sought)) + 0.25 * bool(named_in(cut.heading, sought))
            score += 0.5 / (1 + rank)
            candidates.append(_Candidate(page, cut.heading, sentences, score, frozenset(terms(texts[place]))))
    candidates.sort(key=lambda c: -c.score)
    return [c for c in candidates if c.score >= _FLOOR * candidates[0].score]


def names_in(query: str) -> list[set[str]]:
    """The terms of each name in a query, a run of capitalised words; a lone first word counts when no other does."""
    words = re.findall(r"\w+", query)
    capital = [word[:1].isupper() and word.casefold() not in STOPWORDS for word in words]
    runs = [
        [words[place] for place, _ in run]
        for is_name, run in itertools.groupby(enumerate(capital), lambda item: item[1])
        if is_name
    ]
    if len(runs) > 1 and capital[:2] == [True, False]:
        del runs[0]
    return [set(terms(" ".join(run))) for run in runs]
