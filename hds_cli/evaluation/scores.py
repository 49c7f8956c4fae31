"""Honest scores of an answer: SQuAD-normalised EM and F1, FanOutQA loose, strict and pair by pair. Percentages.

SQuAD: Rajpurkar et al. 2016 (lower case, no punctuation, no articles). FanOutQA: Zhu et al. 2024, the share of the
gold strings that the answer holds as whole words (without its lemmatiser), and whether it holds all of them.
"""

from __future__ import annotations

import re
import string
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation + "‘’“”„–—…")
_NUMBER = re.compile(r"[-+]?\d[\d,]*(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class Squad:
    em: float = 0.0
    f1: float = 0.0


@dataclass(frozen=True, slots=True)
class FanOut:
    """`loose`: share of the gold strings held; `strict`: all of them; `pairs`: share of keys with their own value."""

    loose: float = 0.0
    strict: float = 0.0
    pairs: float | None = None


def squad_normalise(text: str) -> str:
    """Text as SQuAD compares it, after NFKC."""
    text = unicodedata.normalize("NFKC", text).lower().translate(_PUNCTUATION)
    return " ".join(_ARTICLES.sub(" ", text).split())


def squad(prediction: str, golds: Sequence[str]) -> Squad:
    """The best EM and the best F1 over alternative gold answers."""
    predicted = squad_normalise(prediction)
    meant = [squad_normalise(gold) for gold in golds]
    return Squad(100.0 * (predicted in meant), max((_token_f1(predicted, gold) for gold in meant), default=0.0))


def _token_f1(predicted: str, meant: str) -> float:
    left, right = predicted.split(), meant.split()
    if not left or not right:
        return 100.0 * (left == right)
    common = (Counter(left) & Counter(right)).total()
    return 200.0 * common / (len(left) + len(right))


def fan_out(prediction: str, gold: object) -> FanOut:
    """The share of a list or dictionary of answers that the prediction holds.

    Args:
        gold: a list of strings, a dictionary (keys and values are wanted), or one value.
    """
    predicted = squad_normalise(prediction)
    items = _strings(gold)
    held = sum(_holds(predicted, squad_normalise(item)) for item in items)
    share = held / len(items) if items else 0.0
    pairs = _pairs(predicted, gold) if isinstance(gold, Mapping) and gold else None
    return FanOut(100.0 * share, 100.0 * (bool(items) and held == len(items)), pairs)


def _strings(gold: object) -> list[str]:
    if isinstance(gold, Mapping):
        return [text for key, value in gold.items() for text in (str(key), *_strings(value))]
    if isinstance(gold, list | tuple):
        return [text for item in gold for text in _strings(item)]
    if isinstance(gold, bool):
        return ["yes" if gold else "no"]
    return [str(gold)]


def _holds(text: str, item: str) -> bool:
    return bool(item) and f" {item} " in f" {text} "


def _pairs(predicted: str, gold: Mapping[object, object]) -> float:
    """The share of keys that are followed by their value before the next key, wherever the pair stands."""
    text = f" {predicted} "
    keys = {squad_normalise(str(key)): value for key, value in gold.items()}
    starts = sorted((text.find(f" {key} "), key) for key in keys if key and f" {key} " in text)
    right = 0
    for place, (start, key) in enumerate(starts):
        end = starts[place + 1][0] if place + 1 < len(starts) else len(text)
        segment = text[start + len(key) + 1 : end + 1]
        right += all(_holds(segment.strip(), squad_normalise(value)) for value in _strings(keys[key]))
    return 100.0 * right / len(keys)


def within(prediction: str, golds: Sequence[str], tolerance: float) -> bool:
    """True when the first number of the prediction is within `tolerance` (a share) of a gold number."""
    predicted = _number(prediction)
    return predicted is not None and any(
        meant is not None and abs(predicted - meant) <= tolerance * abs(meant) for meant in map(_number, golds)
    )


def _number(text: str) -> float | None:
    match = _NUMBER.search(text)
    return float(match[0].replace(",", "")) if match else None
