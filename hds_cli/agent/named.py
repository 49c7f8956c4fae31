"""A ledger without a model: the things that a question or its queries name side by side, and which were read on.

`What are the capitals of Peru, Chile and Bolivia?` has three conditions. One is verified by a sentence that names the
thing, or stands on a page or under a heading that does, and has at least half of the other words that are asked for
(`capital`); nothing is ever refuted by rule.
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
        said = _Said(passage)
        for number, name in list(left.items()):
            if (quote := said.of(name, asked)) is not None:
                ledger.put(Entry(WHOLE, number, True, clip(quote, 0), passage.url))
                del left[number]
    return ledger


class _Said:
    """The sentences of a passage, each with its words and their stems; what stands above it counts for all."""

    def __init__(self, passage: Passage) -> None:
        above = words(f"{passage.title} {passage.heading}")
        self._above, self._stems = set(above), set(map(stem, above))
        lines = (sentence for line in passage.text.splitlines() for sentence in sentences(line))
        self._sentences = [(text.strip(), set(found := words(text)), set(map(stem, found))) for text in lines]

    def of(self, name: Sequence[str], asked: set[str]) -> str | None:
        """The sentence that says most of what is asked of a thing, and half at least; it or what is above names it."""
        is_above = all(word in self._above for word in name)
        best: tuple[int, str] | None = None
        for text, found, stems in self._sentences:
            if not is_above and not all(word in found for word in name):
                continue
            here = len(asked & stems)
            if 2 * len(asked & (stems | self._stems)) >= len(asked) and (best is None or here > best[0]):
                best = here, text
        return best[1] if best and any(map(str.isalnum, best[1])) else None


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
