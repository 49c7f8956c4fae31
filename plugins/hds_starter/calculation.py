"""Checked steps for what small models get wrong: ordering and adding numbers, and copying a long list.

The starter was taught to write `[[largest: Norway 5,600,000; Sweden 10,500,000` and to stop at `]]`; the run closes the
brackets and writes the result behind them (the calculator of Toolformer, arXiv 2302.04761). Its answer is put together
again from its own cited sentences: a list from several, a single value from one.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from decimal import Decimal

from hds_cli.text import STOPWORDS, has_words, quote_words, terms

CLOSE = "]]"
_OPEN = re.compile(r"\[\[(largest|smallest|sum|difference):\s*([^\[\]]*)\Z")
_NUMBER = re.compile(
    r"(?<![\w.,])([-−]?)(\d[\d,]*(?:\.\d+)?)(?:\s*(thousand|million|billion|trillion)\b)?", re.IGNORECASE
)
_STATED = re.compile(r"([^\[\]]+?)\s*\[\d{1,4}\]\.?")
_SCALE = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}


def result(text: str) -> str | None:
    """What is to stand behind the calculation that `text` ends with: a name, or a number; None when there is none.

    `largest` and `smallest` give the label of the part with that number; of equals, each of them once.
    """
    opening = _OPEN.search(text)
    if opening is None:
        return None
    parts = [(part, number) for part in opening[2].split(";") if (number := _number(part)) is not None]
    if not parts:
        return None
    if opening[1] == "sum":
        return f"{sum((value for _, (_, value) in parts), Decimal(0)):,}"
    if opening[1] == "difference":
        return f"{abs(parts[0][1][1] - parts[-1][1][1]):,}"
    best = (max if opening[1] == "largest" else min)(value for _, (_, value) in parts)
    names = [part[: match.start()].strip(" :=$€£") for part, (match, value) in parts if value == best]
    return " and ".join(dict.fromkeys(names))


def collected(answer: str, explanation: str) -> str:
    """The answer with every value its cited sentences end with, once and in order, where it is a list of them.

    A small model that has said `The capital of Slovenia is Ljubljana [9]. The capital of Switzerland is Bern [10].`
    may lose Bern, or repeat Ljubljana, when it writes the list. An answer that is no such list stays as it is.
    """
    items = re.split(r";\s*" if ";" in answer else r",\s+(?:and\s+)?|\s+and\s+", answer.strip())
    stated: list[tuple[str, str]] = []  # a sentence, and the item it ends with ("": none)
    for match in _STATED.finditer(explanation):
        sentence = match[1].strip(" .\n")
        ends = [item for item in items if item and f" {sentence}".endswith(f" {item}")]
        stated.append((sentence, max(ends, key=len, default="")))
    lost = sum(not item for _, item in stated)
    before = {sentence[: -len(item)].rstrip().rpartition(" ")[2] for sentence, item in stated if item}
    if len(stated) < 3 or lost > 2 or len(stated) - lost < 2 or len(before) != 1:
        return answer
    (word,) = before  # `is`, `lies in`: what stands before every value; "": the sentence is the value
    values = [item or (sentence.rpartition(f" {word} ")[2] if word else sentence) for sentence, item in stated]
    if not all(values) or list(dict.fromkeys(values)) == items:
        return answer
    if ";" in answer:
        return "; ".join(values)
    return f"{', '.join(values[:-1])} and {values[-1]}"


def stated(answer: str, explanation: str, queries: Sequence[str]) -> str:
    """The value that the one cited sentence gives for what a query asked, where the answer is without it.

    A small model may say `The people of Peru are called Peruvian [1].` and answer `Peru`, or miswrite a name. A
    sentence that says anything else than what was asked for changes nothing; nor is an answer touched that is a part of
    the value, a yes or no, or one of several that were asked for: a choice.
    """
    statements = _STATED.findall(explanation)
    chosen = len(queries) > 1 and any(has_words(quote_words(query), answer) for query in queries)
    if len(statements) != 1 or chosen or answer.strip(" .").casefold() in ("yes", "no"):
        return answer
    sentence = re.split(r"(?<=[.!?])\s+", statements[0].strip(" .\n"))[-1]
    values = [value for query in queries if (value := _told(sentence, query))]
    if not values or has_words(quote_words(answer), values[0]) or has_words(quote_words(values[0]), answer):
        return answer
    return values[0]


def _told(sentence: str, query: str) -> str:
    """What a sentence says behind all the terms of a query: `population of Oslo`, `The population of Oslo is 5.`: 5."""
    words, query_terms = sentence.split(), set(terms(query))
    for end in range(len(words)):
        if query_terms <= set(terms(" ".join(words[:end]))):
            return " ".join(itertools.dropwhile(lambda word: word in STOPWORDS, words[end:]))
    return ""


def _number(part: str) -> tuple[re.Match[str], Decimal] | None:
    """The last number of a part (a name may hold another: `Area 51 1,200`)."""
    matches = list(_NUMBER.finditer(part))
    if not matches:
        return None
    match = matches[-1]
    value = Decimal(match[2].replace(",", "")) * _SCALE.get((match[3] or "").casefold(), 1)
    return match, -value if match[1] else value
