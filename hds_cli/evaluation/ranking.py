"""Scores of a ranked list against graded relevance: recall, nDCG, reciprocal rank. Shares, 0-1.

nDCG as trec_eval and BEIR compute it: linear gains, discount log2(rank + 1) (Järvelin & Kekäläinen 2002).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence


def recall(ranked: Sequence[str], grades: Mapping[str, int], k: int) -> float:
    """The share of the relevant pages (grade above 0) among the first `k`."""
    relevant = {page for page, grade in grades.items() if grade > 0}
    return len(relevant.intersection(ranked[:k])) / len(relevant) if relevant else 0.0


def ndcg(ranked: Sequence[str], grades: Mapping[str, int], k: int) -> float:
    """Discounted gain of the first `k` over that of the best order."""
    best = _gain(sorted((g for g in grades.values() if g > 0), reverse=True)[:k])
    return _gain([max(0, grades.get(page, 0)) for page in ranked[:k]]) / best if best else 0.0


def _gain(grades: Sequence[int]) -> float:
    return sum(grade / math.log2(rank + 1) for rank, grade in enumerate(grades, 1))


def reciprocal_rank(ranked: Sequence[str], grades: Mapping[str, int], k: int) -> float:
    """1 over the place of the first relevant page, if that is among the first `k`."""
    return next((1 / rank for rank, page in enumerate(ranked[:k], 1) if grades.get(page, 0) > 0), 0.0)
