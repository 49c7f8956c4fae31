"""A ledger without a model: the things that a question or its queries name side by side, and which were read on.

`What are the capitals of Peru, Chile and Bolivia?` has three conditions. One is verified by a passage that names the
thing and has at least half of the other words that are asked for (`capital`); nothing is ever refuted by rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hds_cli.agent.ledger import MOST_CONDITIONS, WHOLE, Entry, Ledger
from hds_cli.agent.support.lists import listed, of_queries
from hds_cli.agent.support.placing import clip
from hds_cli.agent.support.words import is_content, stem, words
from hds_cli.text.sentences import sentences
from hds_cli.types import Passage

_LOOKED_AT = 400  # passages
_MOST_ASKED = 12  # words of a question, beside the names


def by_rule(question: str, queries: Sequence[str], passages: Sequence[Passage]) -> Ledger | None:
    """The ledger of what a question names; None where it, and its queries, list no three things."""
    asked_for = _named(question, queries)
    if asked_for is None:
        return None
    names, asked = asked_for
    ledger = Ledger(list(names))
    left = dict(enumerate(list(names.values())[:MOST_CONDITIONS], 1))
    for passage in passages[:_LOOKED_AT]:
        stems = {stem(word) for word in words(passage.full)}
        present = set(words(passage.full))
        if 2 * len(asked & stems) < len(asked):
            continue
        for number, name in list(left.items()):
            if all(word in present for word in name):
                ledger.put(Entry(WHOLE, number, True, _quote(passage, name, asked), passage.url))
                del left[number]
    return ledger


def _named(question: str, queries: Sequence[str]) -> tuple[dict[str, tuple[str, ...]], set[str]] | None:
    """The names that stand side by side, and the stems of the words that are asked for of each."""
    if found := listed(question):
        return found, _asked([question], found)
    groups = of_queries(queries)
    if not groups:
        return None
    names = {word for name in groups[0].values() for word in name}
    of_group = [query for query in queries if names & set(words(query))]
    return groups[0], _asked(of_group, groups[0])


def _asked(texts: Iterable[str], found: dict[str, tuple[str, ...]]) -> set[str]:
    names = {word for name in found.values() for word in name}
    asked = [word for text in texts for word in words(text) if is_content(word) and word not in names]
    return {stem(word) for word in dict.fromkeys(asked[:_MOST_ASKED])}


def _quote(passage: Passage, name: Sequence[str], asked: set[str]) -> str:
    """The sentence of a passage that has most of a name and of what is asked for."""
    said = sentences(passage.text) or [passage.text]
    stems = [{stem(word) for word in words(sentence)} for sentence in said]
    best = max(
        range(len(said)), key=lambda place: (len(asked & stems[place]), len(stems[place] & set(map(stem, name))))
    )
    return clip(said[best].strip(), 0)
