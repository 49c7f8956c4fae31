"""Short answers: what the question asks of a name or a value that stands alone, and the sentences that may give it.

A name is held against sentences that bind what was asked for to another one (English), a value against those that fit
the queries better and give another value. That a sentence shares few words with a question says nothing of a name: over
1,800 questions of three collections right and wrong names differ little in it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from hds_cli.agent.support.binding import bound_to_another
from hds_cli.agent.support.claims import Claim, is_entries, is_short
from hds_cli.agent.support.fitting import rivals
from hds_cli.agent.support.ground import Ground, Sentence
from hds_cli.agent.support.message import Unit
from hds_cli.agent.support.roles import Bound, contrary, is_title, part_of_name, says_part
from hds_cli.agent.support.values import same, values
from hds_cli.agent.support.words import content_stems, stem, words

# Tuned on a set of 273 answers by hand, right and wrong, over five collections.
NEARLY = 0.75  # of the best sentence's share: a sentence that gives a value
CLEAR = 0.6  # share of a query from which on its best sentence gives another value
_NAME = 5  # words
_MOST = 24  # queries that are looked at
_LONGEST = 2000  # characters of a question
_ENGLISH = re.compile(r"\b(?:who|whom|whose|what|which|where|when|how)\b", re.IGNORECASE)
_OF_ENGLISH = frozenset("the of and is was".split())
_ROLE = re.compile(
    r"\b(?:who|what|which)\s(?:is|was|are|were)\s(?:the\s)?(?:[\w'’-]{1,20}\s){0,3}?([\w'’-]{2,20})\s(?:of|in|for|at)\b",
    re.IGNORECASE,
)
_OF = re.compile(r"\b([^\W\d_]{3,20}) of (?=[^\W\d_a-zß-öø-ÿ])")
_WHO = re.compile(
    r"\bwho\s(?:had\s|has\s|first\s)?([^\W\d_]{2,20}ed|wrote|won|led|made|built|sang|drew|took|sold|bought|held|ran)\b",
    re.IGNORECASE,
)
_WHERE = re.compile(
    r"^\W*(?:in\s)?(?:where|(?:what|which)\s(?:city|town|country|state|place|village))\s(?:is|was|were|are)\b.{1,200}?\b([^\W\d_]{2,20}ed|born|held|built|made)\W*$",
    re.IGNORECASE,
)


def is_lone(unit: Unit, others: Iterable[Unit]) -> bool:
    """True for a short answer that no other part of the message states."""
    if not (is_short(unit) or _is_name(unit.text)) or unit.item or unit.row or unit.label or is_entries(unit.text):
        return False
    own = set(words(unit.text))
    return not any(other is not unit and own <= set(words(other.text)) for other in others)


def _is_name(text: str) -> bool:
    """True for a few words with capitals, also with a stop: `Tino Corp.`"""
    parts = text.split()
    return len(parts) <= _NAME and all(part[:1].isupper() for part in parts)


class Asked:
    """Compares the sentences that have a short answer with what was asked.

    Args:
        queries: query -> numbers of the passages that were read for it.
    """

    def __init__(self, ground: Ground, queries: Mapping[str, Sequence[int]], question: str) -> None:
        self._ground, self._question = ground, question[:_LONGEST]
        texts = list(dict.fromkeys([*list(queries)[:_MOST], self._question]))
        stems = [frozenset(content_stems(text)) for text in texts]
        self._asked = [one for one in stems if one]
        self._values = values(self._question)
        self._english = bool(_ENGLISH.search(self._question))
        self._acts = _acts(self._question, texts)
        self._best: dict[frozenset[str], tuple[float, list[Sentence]]] = {}

    def of(self, claim: Claim) -> Callable[[Sentence], bool] | None:
        """What tells a sentence that gives a lone answer from one that only has it; None: any may give it."""
        if claim.names and not claim.values:
            if not self._english or any(set(name) <= set(words(self._question)) for name in claim.names):
                return None
            return lambda sentence: self._gives_name(claim, sentence)
        if claim.values and not (claim.names or claim.terms or any(value.worded for value in claim.values)):
            return lambda sentence: self._gives_value(claim, sentence)
        return None

    def _gives_name(self, claim: Claim, sentence: Sentence) -> bool:
        if not _OF_ENGLISH & self._ground.read[sentence.passage].all:
            return True
        if (part := part_of_name(self._question)) is not None:
            return says_part(part, [word for name in claim.names for word in name], sentence.text)
        if any(bound_to_another(claim.names, value, sentence.text) for value in self._values):
            return False
        names = frozenset(word for name in claim.names for word in name)
        return not any(contrary(Bound(kind, act, names), sentence.text) for kind, act in self._acts)

    def _gives_value(self, claim: Claim, sentence: Sentence) -> bool:
        """False where the queries are answered better by sentences with another value."""
        against = False
        for asked in self._asked:
            best, sentences = self._best_of(asked)
            share = len(asked & (sentence.stems | sentence.head.stems)) / len(asked)
            if share >= NEARLY * best:
                return True
            against = against or (best >= CLEAR and any(self._has_rival(claim, other) for other in sentences))
        return not against

    def _has_rival(self, claim: Claim, sentence: Sentence) -> bool:
        others = [v for v in sentence.values if not any(same(v, known) or same(known, v) for known in self._values)]
        if any(same(value, other) for value in claim.values for other in others):
            return False
        return any(rivals(value, other) for value in claim.values for other in others)

    def _best_of(self, asked: frozenset[str]) -> tuple[float, list[Sentence]]:
        """The highest share of a query that a sentence has, and the first sentences that have it."""
        if asked not in self._best:
            best = 0
            found: list[Sentence] = []
            for sentence in self._ground.sentences:
                share = len(asked & (sentence.stems | sentence.head.stems))
                if share > best:
                    best, found = share, []
                if share == best and best and len(found) < _MOST:
                    found.append(sentence)
            self._best[asked] = best / len(asked), found
        return self._best[asked]


def _acts(question: str, texts: Sequence[str]) -> list[tuple[str, str]]:
    """The acts, roles and places that are asked for: (kind, stem), as of `Bound`."""
    acts: list[tuple[str, str]] = []
    if match := _ROLE.search(question):
        acts += [("is", match[1]), ("did", match[1])]
    if match := _WHO.search(question):
        acts.append(("did", match[1]))
        if is_title(stem(words(match[1])[0])):  # `who chaired it` is who was chair
            acts.append(("is", match[1]))
    if match := _WHERE.search(question):
        acts.append(("in", match[1]))
    if not acts or re.match(r"\W*who\b", question, re.IGNORECASE):
        acts += [("is", match[1]) for text in texts for match in list(_OF.finditer(text[:_LONGEST]))[:4]]
    return [(kind, stem(words(word)[0])) for kind, word in dict.fromkeys(acts) if words(word)]
