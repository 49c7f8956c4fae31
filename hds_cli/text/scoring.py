"""BM25 over a small pool of texts, and how alike two of them are."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Sequence

from hds_cli.text.folding import lone_letter, terms


class BM25:
    """Okapi BM25 with Lucene's always-positive idf over a small pool of texts.

    SQLite's bm25() is used for collections; here a term that stands in most of a dozen texts must still count, and
    there its idf is cut to almost nothing.

    Args:
        texts: texts, or their terms; each is let go of once it is counted.
        only: the terms that will be asked for; of the others nothing is kept. None: any may be.
    """

    def __init__(
        self,
        texts: Iterable[str | Sequence[str]],
        k1: float = 1.2,
        b: float = 0.75,
        only: Collection[str] | None = None,
    ) -> None:
        kept = _Kept(only) if only is not None else None
        self._counts: list[Counter[str]] = []
        lengths: list[int] = []
        for text in texts:
            own = terms(text) if isinstance(text, str) else text
            lengths.append(len(own))
            self._counts.append(Counter(own if kept is None else filter(kept, own)))
        mean = sum(lengths) / len(lengths) if lengths else 1.0
        self._norm = [k1 * (1 - b + b * n / (mean or 1.0)) for n in lengths]
        self._k1 = k1

    def scores(self, query: Iterable[str]) -> list[float]:
        """One score a text, for the terms of a query."""
        idf = {term: self._idf(n) for term in self._sought(query) if (n := sum(term in c for c in self._counts))}
        return [
            sum(weight * c[t] * (self._k1 + 1) / (c[t] + norm) for t, weight in idf.items() if t in c)
            for c, norm in zip(self._counts, self._norm, strict=True)
        ]

    def _idf(self, texts: int) -> float:
        return math.log(1 + (len(self._counts) - texts + 0.5) / (texts + 0.5))

    def _sought(self, query: Iterable[str]) -> list[str]:
        """The terms; for a lone letter of a script without blanks between words, the pairs that it is in too."""
        sought = dict.fromkeys(query)
        for letter in [term for term in sought if lone_letter(term)]:
            pairs = (t for c in self._counts for t in c if t.startswith(letter) or t.endswith(letter))
            sought |= dict.fromkeys(pairs)
        return list(sought)


class _Kept:
    """True for a term that may be asked for: one of `only`, or a pair that one of its lone letters is in."""

    def __init__(self, only: Collection[str]) -> None:
        self._only, self._letters = frozenset(only), tuple(filter(lone_letter, only))

    def __call__(self, term: str) -> bool:
        return term in self._only or (
            bool(self._letters) and (term.startswith(self._letters) or term.endswith(self._letters))
        )


def overlap(a: Iterable[str], b: Iterable[str]) -> float:
    """Jaccard overlap of two collections of terms."""
    left, right = set(a), set(b)
    return len(left & right) / len(left | right) if left or right else 0.0
