"""What a text takes for true, by rule: for a run whose ledger no model reads.

A sentence takes a condition for true when it has its figures and most of its words and is neither a question nor a
plan. The words of plans are of five languages; in others a plan may be read as a belief.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from hds_cli.agent.support.words import is_content, negated, stem, words
from hds_cli.text.sentences import sentences

_SHARE = 0.6  # of the words of a condition; not tuned
_MOST, _LONGEST = 400, 20_000  # sentences, and characters of a text
_PLANS = re.compile(
    r"\b(?:need|needs|check|verify|confirm|find|search|look|looking|whether|if|should|must|next|let me|will|going to"
    r"|unclear|unknown|not sure|unsure|maybe|perhaps|possibly|might|could|may|not (?:yet )?(?:found|verified|known)"
    r"|muss|prüfen?|such(?:e|en)|ob|wenn|sollte|vielleicht|unklar|könnte|vérifi(?:e|er)|cherch(?:e|er)|peut-être"
    r"|il faut|dois|devrais|pourrait|verificar|busc(?:o|ar)|quizás?|tal vez|debo|debería|podría"
    r"|verificare|cerc(?:o|are)|forse|devo|dovrei|potrebbe)\b",
    re.IGNORECASE,
)
_QUESTION = re.compile(r"[?？؟]")


class Asserted(NamedTuple):
    """A sentence that takes a condition for true, or for false."""

    holds: bool
    quote: str


def asserted(condition: str, text: str) -> Asserted | None:
    """The last sentence of a text that takes a condition for true or false; None: none does."""
    asked = list(words(condition))
    figures = {word for word in asked if word.isdigit()}
    stems = {stem(word) for word in asked if is_content(word)}
    if not stems | figures:
        return None
    last = None
    said_in = [sentence for line in text[-_LONGEST:].splitlines() for sentence in sentences(line)]
    for sentence in said_in[-_MOST:]:
        said = words(sentence)
        if not figures <= set(said) or _QUESTION.search(sentence) or _PLANS.search(sentence):
            continue
        if len(stems & {stem(word) for word in said}) >= _SHARE * len(stems):
            last = Asserted(negated(sentence) == negated(condition), " ".join(sentence.split()))
    return last


__all__ = ["Asserted", "asserted"]
