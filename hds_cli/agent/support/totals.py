"""Totals, averages and counts of the rows of a page: `62.5 km in four stages`, `25 working days in all`, `11 stations`.

Rows are sentences of a passage in a row that begin with the same word, or have the same keys.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Iterator, Sequence

from hds_cli.agent.support.arithmetic import says
from hds_cli.agent.support.claims import Claim
from hds_cli.agent.support.ground import Ground, Sentence, has_word
from hds_cli.agent.support.placing import Judged, Placing
from hds_cli.agent.support.rates import speaks_of_mean, speaks_of_whole
from hds_cli.agent.support.values import Value, same
from hds_cli.agent.support.words import is_content, stem, words

_LEAST, _MOST = 3, 200  # rows
_COLUMNS = 12
_QUOTES = 8
_KEYS = re.compile(r"(?:^|;\s)([^\W\d_][^:;\n]{0,40}):\s")
Row = tuple[Sentence, tuple[Value, ...]]


class Totals:
    """Adds up and counts what the rows of the pages give."""

    def __init__(self, placing: Placing) -> None:
        self._placing, self._ground = placing, placing.ground

    def of(self, claim: Claim) -> Judged | None:
        """The support of a claim with one number that no page gives; None: it has none, or no rows make it."""
        absent = [v for v in claim.values if v.kind == "number" and v.readings and not self._ground.has_value(v)]
        if len(absent) != 1 or claim.negated:
            return None
        value, others = absent[0], [v for v in claim.values if v is not absent[0]]
        whole = speaks_of_whole(claim.text) or speaks_of_mean(claim.text)
        if not (whole or value.dimension or value.currency):
            return None
        for rows in self._groups:
            own = _of_names(claim, rows)
            if len(own) < 2 or not all(_is_given(other, own) for other in others):
                continue
            if _is_about(claim, value, own) and _makes(value, claim, own):
                quotes = tuple(self._placing.quote(sentence, claim) for sentence, _ in own[:_QUOTES])
                return Judged("computed", quotes)
        return None

    @functools.cached_property
    def _groups(self) -> list[list[Row]]:
        return list(_groups(self._ground))


def _groups(ground: Ground) -> Iterator[list[Row]]:
    """The rows of each passage that stand together."""
    for read in ground.read:
        rows: list[Row] = []
        shape: object = None
        for sentence in (ground.sentences[place] for place in read.sentences):
            own = _shape(sentence.text)
            if own is None or own != shape or len(rows) == _MOST:
                if len(rows) >= _LEAST:
                    yield rows
                rows, shape = [], own
            if own is not None:
                rows.append((sentence, tuple(v for v in sentence.values if v.kind == "number" and v.readings)))
        if len(rows) >= _LEAST:
            yield rows


def _shape(text: str) -> object:
    """What a row has in common with those beside it: its keys, or its first word; None: it is none."""
    keys = tuple(_KEYS.findall(text[:2000]))
    if len(keys) > 1:
        return keys[0]
    first = re.match(r"\W{0,6}([^\W\d_]{3,20})\s+(?:no\.\s?)?\d{1,3}\b[^.]{0,60}?[:,–-]", text)
    return stem("".join(words(first[1])[:1])) if first else None


def _of_names(claim: Claim, rows: Sequence[Row]) -> list[Row]:
    """The rows with the names of a claim, of one without all of them."""
    named = [row for row in rows if all(has_word(w, row[0].words) for name in claim.names for w in name)]
    return named or (list(rows) if all(_is_head(name, rows) for name in claim.names) else [])


def _is_given(value: Value, rows: Sequence[Row]) -> bool:
    """True for the number of the rows, and for what each of them gives."""
    if value.kind == "number" and value.readings and value.readings[0] == len(rows):
        return True
    return all(any(same(value, other) for other in sentence.values) for sentence, _ in rows)


def _is_head(name: Sequence[str], rows: Sequence[Row]) -> bool:
    return all(has_word(word, rows[0][0].head.words) for word in name)


def _is_about(claim: Claim, value: Value, rows: Sequence[Row]) -> bool:
    """True for rows that have one of a claim's other words, or the unit of its value for a key."""
    has = rows[0][0].stems | rows[0][0].head.stems
    return any(key in has for key in (*claim.rest, *claim.terms, *map(stem, words(value.text))))


def _makes(value: Value, claim: Claim, rows: Sequence[Row]) -> bool:
    """True for a value that a column adds up to, that is its mean, or that is the number of the rows."""
    if not (value.dimension or value.currency) and value.readings[0] == len(rows):
        behind = [word for word in words(claim.text[value.end : value.end + 40]) if is_content(word)][:2]
        return any(stem(word) in rows[0][0].stems for word in behind)
    for column in _columns(rows):
        sizes = [one.number / value.factor if one.dimension == value.dimension else one.readings[0] for one in column]
        total = sum(sizes)
        if says(value, total / len(sizes) if speaks_of_mean(claim.text) else total):
            return True
    return False


def _columns(rows: Sequence[Row]) -> Iterator[list[Value]]:
    """The values that stand in the same place of all rows, of one unit."""
    for column in itertools.islice(zip(*(stated for _, stated in rows), strict=False), _COLUMNS):
        if len({(one.dimension, one.currency) for one in column}) == 1:
            yield list(column)


__all__ = ["Totals"]
