"""`hds_compat`: the scores of the searcher's published evaluation, with their quirks, so that numbers can be compared.

Follows the evaluation code of HybridDeepSearcher (arXiv 2508.19113): punctuation stays on its token, accuracy is a
substring, a dictionary of answers is its Python text, AUC-AL is scaled by 500. `scores` has the honest ones. All
figures are percentages (0-100) unless said otherwise.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

from hds_cli.agent.protocol import BEGIN_QUERIES, END_QUERIES

NO_DATE = "DATE: NA"  # stands for a missing gold answer of MedBrowseComp
TURN_BINS = range(1, 11)
CALL_BINS = range(2, 17)
TOKEN_BINS = range(300, 1501, 300)
_AUC_AL_SCALE = 500
_DROPPED = ("begin{aligned}", "end{aligned}", "\\", "&", "{", "}", "(", ")", ":", '"', "'", ".", ",", ";", "!", "?")
_BLOCK = re.compile(re.escape(BEGIN_QUERIES) + ".*?" + re.escape(END_QUERIES), re.DOTALL)


@dataclass(frozen=True, slots=True)
class Compat:
    """Exact match, accuracy (the gold answer is part of the prediction) and F1 of one answer."""

    em: float = 0.0
    acc: float = 0.0
    f1: float = 0.0


@dataclass(frozen=True, slots=True)
class Effort:
    """One output: its F1 and what it took. `turns` and `calls` as `count_turns` and `count_calls` count them."""

    f1: float
    turns: int
    calls: int
    tokens: int


@dataclass(frozen=True, slots=True)
class Accumulated:
    """F1 that is reached within so many turns, calls, tokens (bin -> F1), and the means of these curves."""

    f1: float
    turns: dict[int, float]
    calls: dict[int, float]
    tokens: dict[int, float]
    auc_at: float
    auc_ac: float
    auc_al: float


def normalise(text: str) -> str:
    """Lower case and single blanks; articles and punctuation stay."""
    return " ".join(text.lower().split())


def compat(prediction: str, gold: object, *, fan_out: bool = False) -> Compat:
    """The scores of one prediction against one gold answer.

    Args:
        gold: a text; a dictionary or list counts as its Python text; None as `DATE: NA`.
        fan_out: clean the tokens as is done for FanOutQA.
    """
    predicted, meant = normalise(prediction), normalise(NO_DATE if gold is None else str(gold))
    return Compat(
        100.0 * (predicted == meant), 100.0 * (meant in predicted), _f1(predicted.split(), meant.split(), fan_out)
    )


def best_compat(prediction: str, golds: Sequence[object], *, fan_out: bool = False) -> Compat:
    """The best of each score over alternative gold answers."""
    scores = [compat(prediction, gold, fan_out=fan_out) for gold in golds] or [Compat()]
    return Compat(max(c.em for c in scores), max(c.acc for c in scores), max(c.f1 for c in scores))


def _f1(predicted: list[str], meant: list[str], fan_out: bool) -> float:
    if fan_out:
        predicted, meant = _cleaned(predicted), _cleaned(meant)
    common = (Counter(predicted) & Counter(meant)).total()
    if not common:
        return 0.0
    precision, recall = common / len(predicted), common / len(meant)
    return 100.0 * (2 * precision * recall) / (precision + recall)


def _cleaned(tokens: Iterable[str]) -> list[str]:
    cleaned = []
    for token in tokens:
        for dropped in _DROPPED:
            token = token.replace(dropped, "")
        if token:
            cleaned.append(token)
    return cleaned


def count_calls(history: Sequence[str], searches: Sequence[int]) -> int:
    """Searches of the turns that hold a block of queries.

    Args:
        history: what the model wrote, turn by turn.
        searches: queries of each turn, for the turns that searched.
    """
    return sum(count for text, count in zip(history, searches, strict=False) if _BLOCK.search(text))


def count_turns(history: Sequence[str], searches: Sequence[int]) -> int:
    """Distinct texts among the turns that searched: a turn that repeats another to the letter does not count."""
    return len(set(history[: len(searches)]))


def accumulated(efforts: Sequence[Effort]) -> Accumulated:
    """F1 over effort: an output counts from the bin on that its turns (1-10), calls (2-16), tokens (300-1,500) fit in.

    Tokens are floored to 300. `auc_at` and `auc_ac` are means over the bins, `auc_al` is the mean times 500.
    """
    turns = _curve([(e.f1, _clamp(e.turns, TURN_BINS)) for e in efforts], TURN_BINS)
    calls = _curve([(e.f1, _clamp(e.calls, CALL_BINS)) for e in efforts], CALL_BINS)
    tokens = _curve([(e.f1, _clamp(e.tokens, TOKEN_BINS) // 300 * 300) for e in efforts], TOKEN_BINS)
    f1 = fmean(e.f1 for e in efforts) if efforts else 0.0
    at, ac, al = (fmean(curve.values()) for curve in (turns, calls, tokens))
    return Accumulated(f1, turns, calls, tokens, at, ac, al * _AUC_AL_SCALE)


def _clamp(value: int, bins: range) -> int:
    return max(bins[0], min(value, bins[-1]))


def _curve(points: Sequence[tuple[float, int]], bins: range) -> dict[int, float]:
    return {b: sum(f1 for f1, needed in points if needed <= b) / len(points) if points else 0.0 for b in bins}
