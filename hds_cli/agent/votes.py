"""Answers of several tries at one question: which of them agree, and which is shown. Pure functions.

An answer counts when a part of it has a ground. The largest group of equal answers wins (self-consistency, Wang et al.,
arXiv 2203.11171); of two that are as large the one whose parts are graded better.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from hds_cli.agent.support.values import Value, values
from hds_cli.events import RunFinished
from hds_cli.text import STOPWORDS, fold, terms
from hds_cli.text.language import is_small
from hds_cli.types import Agreement

_COMPARED = 4000  # characters of an answer
_MARK = re.compile(r"\s*\[\d{1,4}\]")
_AND = "and|und|et|y|e|och|og|и|і|και"
_PARTS = re.compile(
    rf";\s*|,\s+(?:(?:{_AND}|or|oder|ou|o|или|ή)\s+)?|\s+(?:{_AND})\s+|\s*\n+\s*(?:[-*+•]\s+|\d{{1,3}}[.)]\s+)?"
)
_ABOUT = re.compile(
    r"(?:[~≈]|\b(?:about|around|approximately|roughly|circa|ca\.|etwa|rund|ungefähr|environ|aproximadamente))\s*\Z",
    re.IGNORECASE,
)
_AGAIN = re.compile(r"\A\s*\([^()]{0,200}\)")
_CAPITAL = re.compile(r"[^\W\d_]\w*")
_JOINING = frozenset("of the de del di da la le van von der y".split())  # within a name: University of Oslo
_ASKING = frozenset(
    "name list give tell find say state compare describe identify can could should may many much".split()
)

Key = frozenset[tuple[str, ...]]


def key_of(answer: str, question: str) -> Key:
    """What two answers that say the same have in common: their parts, each without the words of the question.

    The order of a list makes no difference, nor how a number or a date is written. `Oslo`, `The capital of Norway is
    Oslo [1].` and `oslo` are one answer to a question for the capital of Norway. In a list names of the question stay:
    they say what each part is of. So they do where the question has several: they may be what it is to choose from.
    """
    text = _with_tokens(_MARK.sub("", answer[:_COMPARED]))
    asked = set(terms(question[:_COMPARED]))
    parts = [part for part in _PARTS.split(text) if part.strip(" .")]
    named = {fold(word[0]) for word in _CAPITAL.finditer(text) if word[0][0].isupper()} if len(parts) > 1 else set()
    if len(choice := _names(question[:_COMPARED])) > 1:
        named |= choice
    gone = asked - {term for name in named for term in terms(name)}
    kept = frozenset(tuple(term for term in terms(part) if term not in gone) for part in parts)
    kept -= {()}
    return kept or frozenset(tuple(terms(part)) for part in parts)


def _names(question: str) -> set[str]:
    """The names in a question, those of several words as one; the word that it begins with is none where it asks."""
    names: set[str] = set()
    open_name: list[str] = []
    end = 0
    for word in _CAPITAL.finditer(_with_tokens(question)):
        between, said, end = word.string[end : word.start()].strip(), word[0], word.end()
        if open_name and between:
            names.add(" ".join(open_name))
            open_name = []
        if said[0].isupper() and fold(said) not in STOPWORDS and (names or not _asks(said)):
            open_name.append(fold(said))
        elif fold(said) not in _JOINING:
            names.add(" ".join(open_name))
            open_name = []
    return (names | {" ".join(open_name)}) - {""}


def _asks(word: str) -> bool:
    """True for a word with which a question may begin that is no name."""
    return fold(word) in _ASKING or is_small(word)


def _with_tokens(text: str) -> str:
    """A text whose values are each one word, the same for one value however it is written.

    What stands in parentheses behind a value says it again, or how it was worked out: `258 km (847 - 589)`.
    """
    for value in reversed(values(text)):
        text = f"{_ABOUT.sub('', text[: value.start])} {_token(value)} {_AGAIN.sub('', text[value.end :])}"
    return text


def _token(value: Value) -> str:
    if value.days:
        said = "_".join(map(str, value.days[0]))
    elif value.readings:
        said = f"{value.number:.6g}_{value.dimension}_{value.currency}"
    else:
        said = value.text
    return re.sub(r"\W", "_", f"{value.kind}_{said}_")


def has_ground(end: RunFinished) -> bool:
    """True for an answer of which a part has a ground; one that nobody graded was let pass by its policy."""
    return end.answer is not None and (not end.support or any(not one.weak for one in end.support))


def groups(ends: Mapping[int, RunFinished], question: str) -> list[list[int]]:
    """The tries whose answers have a ground, those that agree together: the largest group first, its best try first.

    Args:
        ends: by the number of the try.
    """
    by_key: dict[Key, list[int]] = {}
    for number in sorted(ends):
        if has_ground(ends[number]):
            by_key.setdefault(key_of(str(ends[number].answer), question), []).append(number)
    ranked = [sorted(group, key=lambda n: (_strength(ends[n]), -n), reverse=True) for group in by_key.values()]
    return sorted(ranked, key=lambda group: (len(group), _strength(ends[group[0]]), -group[0]), reverse=True)


def _strength(end: RunFinished) -> tuple[float, float, int]:
    """How well an answer is graded: share of its parts with a ground, the verifier's mean probability, its sources."""
    support = end.support
    sound = sum(not one.weak for one in support) / len(support) if support else 0.5
    known = [one.probability for one in support if one.probability is not None]
    sure = sum(known) / len(known) if known else 0.5
    return sound, sure, sum(citation.verified for citation in end.citations)


def decided(ends: Mapping[int, RunFinished], question: str, left: int) -> bool:
    """True when `left` further tries cannot change which answer is shown."""
    sizes = [len(group) for group in groups(ends, question)]
    return bool(sizes) and sizes[0] > (sizes[1] if len(sizes) > 1 else 0) + left


def agreement(ends: Mapping[int, RunFinished], question: str, tries: int) -> Agreement | None:
    """How many tries agree, and which of them is shown; None: none of them has an answer with a ground."""
    ranked = groups(ends, question)
    if not ranked:
        return None
    return Agreement(
        agree=len(ranked[0]), of=len(ends), tries=tries, shown=ranked[0][0], with_it=tuple(sorted(ranked[0]))
    )


def others(ends: Mapping[int, RunFinished], question: str) -> list[str]:
    """The answers that were not chosen, one of each group."""
    return [str(ends[group[0]].answer) for group in groups(ends, question)[1:]]


def least_needed(tries: int) -> int:
    """The number of tries without which nothing can be decided."""
    return tries // 2 + 1


def first_end(ends: Iterable[RunFinished]) -> RunFinished | None:
    """The end that is shown where no answer has a ground: one with an answer, else one with a reason, else any."""
    order: Sequence[RunFinished] = sorted(
        ends, key=lambda end: (end.status == "failed", end.answer is None, end.explanation is None)
    )
    return order[0] if order else None


__all__ = ["agreement", "decided", "first_end", "groups", "has_ground", "key_of", "least_needed", "others"]
