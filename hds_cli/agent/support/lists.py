"""Names that a list answer lacks, and pages that only led to others: both read from the question and the queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from hds_cli.agent.support.claims import Names, claim, pieces
from hds_cli.agent.support.words import is_content, stem, words
from hds_cli.types import Passage

_NONE = Names(frozenset(), frozenset())
_LEAST = 3  # names that make a list
_QUESTION = 2_000  # characters of a question in which an enumeration is looked for
_ROOM = 12  # passages that are looked at for what led to others


def lacking(text: str, question: str, queries: Sequence[str]) -> tuple[int, list[str]] | None:
    """How many names were asked for, and those that an answer does not mention; None: it is no list of them.

    Example: of a question for five capitals and an answer with four of the countries, `(5, ["Vanuatu"])`.
    """
    present = set(words(text))
    for asked in (listed(question), *of_queries(queries)):
        missing = [name for name, name_words in asked.items() if not all(word in present for word in name_words)]
        named = len(asked) - len(missing)
        if missing and named >= 2 and 2 * named >= len(asked):
            return len(asked), missing
    return None


def listed(question: str) -> dict[str, tuple[str, ...]]:
    """The names of the longest enumeration of a question: as it is written -> its words."""
    best: dict[str, tuple[str, ...]] = {}
    run: dict[str, tuple[str, ...]] = {}
    question = question[:_QUESTION]
    known = _NONE.with_names(claim(question, _NONE).names)
    for piece in [*pieces(question.rstrip("?？ .")), ""]:
        item_claim = claim(piece, known)
        if names := item_claim.names:
            run[item_claim.shown[" ".join(names[-1])]] = names[-1]
            continue
        best = run if len(run) > len(best) else best
        run = {}
    return best if len(best) >= _LEAST else {}


def of_queries(queries: Iterable[str]) -> list[dict[str, tuple[str, ...]]]:
    """The names of queries that differ in their names alone: `capital of Peru`, `capital of Chile`, …"""
    queries = list(queries)
    capital = (word for query in queries for word in query.split() if word[:1].isupper())
    known = _NONE.with_names(tuple(words(word)) for word in capital)
    groups: dict[frozenset[str], dict[str, tuple[str, ...]]] = defaultdict(dict)
    for query in queries:
        query_claim = claim(query, known, short=True)
        if len(query_claim.names) == 1:
            name = query_claim.names[0]
            groups[frozenset((*query_claim.terms, *query_claim.rest))][query_claim.shown[" ".join(name)]] = name
    return sorted((group for group in groups.values() if len(group) >= _LEAST), key=len, reverse=True)


def led_to(read: Sequence[tuple[str, Passage]], cited: set[int], question: str) -> list[Passage]:
    """Passages that no part of an answer rests on, but whose names were asked for later: they led to the others."""
    known = set(words(question))
    leading: dict[int, Passage] = {}
    queries = list(dict.fromkeys(query for query, _ in read))
    first = {passage.n: query for query, passage in reversed(read)}  # the query that brought each passage
    for query, passage in read:
        if passage.n in cited or passage.n in leading or len(leading) >= _ROOM:
            continue
        later = queries[queries.index(query) + 1 :]
        new = {
            word for query_text in later for name in claim(query_text, _NONE, short=True).names for word in name
        } - known
        present = {word for word in words(passage.text) if is_content(word)}
        resting = {stem(word) for n, other in first.items() if n in cited and other in later for word in words(other)}
        if any(word in present and stem(word) in resting for word in new - set(words(query))):
            leading[passage.n] = passage
    return list(leading.values())
