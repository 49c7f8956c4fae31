"""The selector `cover`: what `bm25` would have the model read, without what says nothing more.

A greedy cover of the turn's passages, sentence by sentence. A sentence is worth the words of its query that it has; one
that stands in several pages is on none of them and worth nothing, and so is a copy of what is read already. Of each
query the best passage stays whole up to such sentences at its ends, and so do passages on what that one names, which a
question of several steps goes on to; of every other one the stretch around its best sentence is read. No page is left
out but a copy. The constants were tuned on hotpotqa_train100, musique_train100 and fanoutqa_synth.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from hds_cli.agent.selectors.base import Budget, Chosen, Reading
from hds_cli.agent.selectors.bm25 import choose as ranked
from hds_cli.text import overlap, plain_title, quote_words, terms
from hds_cli.text.cutting import Piece, pieces, stretch
from hds_cli.types import Passage

_NEAR = 0.95  # share of the best sentence's worth that a neighbour needs to be read with it
_NAMED = 3  # passages on what the best one names
_FIRST, _AFTER = 0.3, 0.3  # of the best worth: bonus of a passage's first sentence; least of one behind a good one
_TITLE, _QUESTION = 0.3, 0.15  # weight of query words in the title alone, and of words of the question
_ALIKE = 0.8
_COMPARED = 400  # passages of a turn that are compared with each other

Key = tuple[str, str]


@dataclass
class _Sentence:
    """A sentence, or a list with the line above it; `worth` is the share of its query's words that it has.

    `common`: it is a heading, or stands in several pages.
    """

    first: Piece
    last: Piece
    text: str
    terms: frozenset[str]
    worth: float = 0.0
    common: bool = False


@dataclass
class _Pooled:
    """A passage of the turn, with the queries that found it."""

    passage: Passage
    about: frozenset[str]
    queries: set[int] = field(default_factory=set)
    sentences: list[_Sentence] = field(default_factory=list)


def choose(question: str, readings: Sequence[Reading], budget: Budget) -> list[Chosen]:
    """The passages to read for each query, with those that are left out as copies."""
    lists = ranked(question, readings, budget)
    pool = _pooled(lists, budget)
    _weigh(pool.values(), [set(terms(reading.query)) for reading in readings], set(terms(question)))
    whole = {key for passages in lists for key in _whole(passages)}
    kept = {key: _part(one, whole=key in whole, shown=key in budget.shown) for key, one in pool.items()}
    copies = _copies(pool, whole)
    return [
        Chosen(
            [kept[_key(passage)] for place, passage in enumerate(passages) if not place or _key(passage) not in copies],
            [passage for place, passage in enumerate(passages) if place and _key(passage) in copies],
        )
        for passages in lists
    ]


def _key(passage: Passage) -> Key:
    return passage.url, passage.text


def _pooled(lists: Sequence[Sequence[Passage]], budget: Budget) -> dict[Key, _Pooled]:
    pool: dict[Key, _Pooled] = {}
    for number, passages in enumerate(lists):
        for passage in passages:
            if (key := _key(passage)) not in pool:
                about = frozenset(terms(f"{passage.title} {passage.heading}"))
                pool[key] = _Pooled(passage, about, sentences=list(_sentences(passage.text, budget.words)))
            pool[key].queries.add(number)
    return pool


def _sentences(text: str, words: int) -> Iterable[_Sentence]:
    """The sentences of a passage; a list is one with the line that it hangs on, and a table is one."""
    groups: list[list[Piece]] = []
    for piece in pieces(text, words):
        before = groups[-1][-1] if groups else None
        hangs = before is not None and piece.kind in ("item", "row") and (
            before.kind == piece.kind or text[before.start : before.end].rstrip().endswith(":")
        )  # fmt: skip
        if hangs:
            groups[-1].append(piece)
        else:
            groups.append([piece])
    for group in groups:
        said = text[group[0].start : group[-1].end]
        yield _Sentence(group[0], group[-1], " ".join(said.split()), frozenset(terms(said)))


def _weigh(pool: Iterable[_Pooled], sought: Sequence[set[str]], question: set[str]) -> None:
    """Give each sentence its worth: the best over the queries that found its passage."""
    every = [(one, sentence) for one in pool for sentence in one.sentences]
    holding = Counter(term for _, sentence in every for term in sentence.terms)
    pages = Counter(text for text, _ in {(sentence.text, one.passage.url) for one, sentence in every})
    idf = {term: math.log(1 + (len(every) - n + 0.5) / (n + 0.5)) for term, n in holding.items()}
    most = math.log(2 * len(every) + 2)  # of a term that stands nowhere

    def weight(some: Iterable[str]) -> float:
        return sum(idf.get(term, most) for term in some)

    for one, sentence in every:
        sentence.common = sentence.text.startswith("#") or pages[sentence.text] > 1
        if sentence.common:
            continue
        own = sentence.terms
        sentence.worth = max(
            (
                weight(query & own)
                + _TITLE * weight((query & one.about) - own)
                + _QUESTION * weight((question - query) & own)
            )
            / (weight(query) or 1.0)
            for query in (sought[number] for number in one.queries)
        )


def _whole(passages: Sequence[Passage]) -> list[Key]:
    """The best passage of a query, and the first ones on what it names."""
    if not passages:
        return []
    text = f" {quote_words(passages[0].text)} "
    names = [(passage, quote_words(plain_title(passage.title))) for passage in passages[1:]]
    named = [_key(passage) for passage, name in names if len(name) > 3 and f" {name} " in text]
    return [_key(passages[0]), *named[:_NAMED]]


def _part(one: _Pooled, *, whole: bool, shown: bool) -> Passage:
    """The part of a passage that is read: all but its common ends, or the stretch around the best sentence."""
    sentences, passage = one.sentences, one.passage
    if shown or not sentences:
        return passage
    if whole:
        own = [place for place, sentence in enumerate(sentences) if not sentence.common] or [0, len(sentences) - 1]
        low, high = own[0], own[-1]
    else:
        low, high = _around_best([sentence.worth for sentence in sentences])
    if (low, high) == (0, len(sentences) - 1):
        return passage
    return replace(passage, text=stretch(passage.text, sentences[low].first, sentences[high].last))


def _around_best(worth: list[float]) -> tuple[int, int]:
    """The places of the first and last sentence of the stretch around the best one."""
    after = [max(value, _AFTER * worth[place - 1]) if place and value else value for place, value in enumerate(worth)]
    after[0] += _FIRST * max(worth) if worth[0] else 0.0
    low = high = max(range(len(after)), key=lambda place: (after[place], -place))
    least = _NEAR * after[low]
    while least:
        beside = [place for place in (low - 1, high + 1) if 0 <= place < len(after) and after[place] >= least]
        if not beside:
            break
        best = max(beside, key=lambda place: after[place])
        low, high = min(low, best), max(high, best)
    return low, high


def _copies(pool: dict[Key, _Pooled], whole: set[Key]) -> set[Key]:
    """The passages that nearly repeat one of another page, which has all that their page is called after too."""
    kept: list[tuple[str, frozenset[str]]] = []
    copies: set[Key] = set()
    for key, one in list(pool.items())[:_COMPARED]:
        own = frozenset().union(*(sentence.terms for sentence in one.sentences)) | one.about
        if key not in whole and any(
            url != key[0] and one.about <= other and overlap(own, other) > _ALIKE for url, other in kept
        ):
            copies.add(key)
        else:
            kept.append((key[0], own))
    return copies
