"""Feedback (`--prf`): a second search of a collection by what the best passages of the first one say; off by default.

The terms of the best passages that are rare in the collection are searched with the query, and the ranks of both
searches fused (pseudo-relevance feedback, after CollectiveKD, arXiv 2205.03273). Where the second search finds
other documents altogether it has drifted off, and the first one stands. No network, no model.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from hds_cli import databases
from hds_cli.search import ranking
from hds_cli.search.embeddings import fused
from hds_cli.search.query import Query, search_terms
from hds_cli.search.ranking import Candidate

DEPTH = 10  # documents of each search that are compared and fused, more where more are asked for
SHARE = 1.0  # of the second search's ranks; 0.05 to 0.3 bring no new page among the ten (musique_train100)
PASSAGES, COUNTED, TERMS = 3, 40, 10  # passages read, terms of them that are counted and that are searched
LEAST_OVERLAP = 0.2  # of the first ten documents
SECONDS = 3.0  # the time that the second search may take before the first one stands
_READ, _TITLE = 2000, 200  # characters of a passage and its title
_LONGEST = 40  # characters of a term


def widened(db: sqlite3.Connection, query: Query, first: Sequence[Candidate], top_k: int) -> list[Candidate]:
    """The `top_k` documents of a search and of a second one with the terms of its best passages.

    Args:
        first: what the query found, best first: at least `DEPTH` documents where there are so many.
    """
    kept = list(first[:top_k])
    try:
        with databases.limited(db, SECONDS):
            more = _terms(db, query, first[:PASSAGES])
            if not more:
                return kept
            asked = replace(query, terms=(*query.terms, *more), text=" ".join([query.text, *more]))
            second = ranking.best(db, asked, max(DEPTH, top_k))
    except sqlite3.OperationalError:
        return kept
    before, after = [one.doc for one in first], [one.doc for one in second]
    if drifted(before, after):
        return kept
    known = {one.doc: one for one in (*second, *first)}
    return [known[doc] for doc in fused(before, after, SHARE)[:top_k]]


def drifted(before: Sequence[int], after: Sequence[int]) -> bool:
    """True when the first ten documents of two searches have too little in common."""
    most = min(DEPTH, len(before))
    return len({*before[:DEPTH]} & {*after[:DEPTH]}) < LEAST_OVERLAP * most


def shares(text: str) -> dict[str, float]:
    """The share that each term has in the beginning of a text; digits alone and single characters are none."""
    found = Counter(search_terms(text[:_READ]))
    total = max(1, found.total())
    return {term: n / total for term, n in found.items() if _tells(term)}


def _tells(term: str) -> bool:
    least = 3 if term.isascii() else 2
    return least <= len(term) <= _LONGEST and not term.isdigit()


def _terms(db: sqlite3.Connection, query: Query, passages: Sequence[Candidate]) -> list[str]:
    """The terms that tell some passages from the rest of the collection: frequent in them, rare in it, not asked for.

    Terms of one sentence are not made one, as CollectiveKD makes them: that lost on hotpotqa_train100, musique_train100
    and fanoutqa_synth.
    """
    weight: Counter[str] = Counter()
    for one in passages:
        weight.update(shares(f"{one.title[:_TITLE]}. {one.text[:_READ]}"))
    new = sorted((term for term in weight if term not in query.terms), key=lambda term: (-weight[term], term))
    total = db.execute("SELECT max(id) FROM cuts").fetchone()[0] or 0
    points = {term: weight[term] * ranking.rarity(total, ranking.holding(db, term)) for term in new[:COUNTED]}
    return sorted(points, key=lambda term: (-points[term], term))[:TERMS]
