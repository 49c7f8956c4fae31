"""The reading of a ledger's evidence calls: what is still to be read, what is worth reading again, what is entered.

A condition may be settled by a passage that was read before anybody knew the candidate. Such a passage is read once
more beside the new ones, when it names the candidate and shares words with a condition that is open for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from hds_cli.agent import conditions, protocol
from hds_cli.agent.conditions import Claimed
from hds_cli.agent.ledger import WHOLE, Entry, Ledger, name_key
from hds_cli.agent.listing import in_turn
from hds_cli.text import cut_passages, has_words, overlap, quote_words, size_of, terms
from hds_cli.types import Passage

_MOST_READ, _WORDS = 12, 150  # passages that a call reads, and words of each where it reads so many
_MOST_AGAIN, _MOST_KEPT = 4, 200  # of these, passages that were read before; and as many are remembered
_MOST_TOLD, _MOST_SHOWN = 5, 120  # quotes without a page that the model is told, and characters of each
_LEAST_QUOTE = 2  # words
_HALF = (
    0.5  # of the words of a quote without a page: a passage that shares them is the one it was taken from; not tuned
)


@dataclass
class _Read:
    """A passage that a call has read; `known`: the keys of the candidates that were known by then."""

    passage: Passage
    words: str
    terms: frozenset[str]
    known: set[str] = field(default_factory=set)


class ToRead:
    """The passages that evidence calls still have to read, those that they read, and the quotes that stand in none."""

    def __init__(self) -> None:
        self._waiting: list[Passage] = []
        self._read: dict[tuple[str, str], _Read] = {}
        self.not_entered: list[Claimed] = []
        """The claims of the last call whose quote stands in no page."""

    def add(self, passages: Sequence[Passage]) -> None:
        """Take passages that are to be read, before those that wait already."""
        self._waiting = in_turn([[*passages, *self._waiting]])

    def due(self, ledger: Ledger) -> list[Passage]:
        """The passages of the next call: new ones, and behind them those that are worth reading again."""
        waiting = {(p.url, p.text) for p in self._waiting}
        again = [one for one in self._again(ledger) if (one.url, one.text) not in waiting][:_MOST_AGAIN]
        return [*self._waiting[: _MOST_READ - len(again)], *again]

    def done(self, read: Sequence[Passage], ledger: Ledger) -> None:
        """Note that a call has read passages, and which candidates the ledger knows now."""
        keys = {(p.url, p.text) for p in read}
        self._waiting = [p for p in self._waiting if (p.url, p.text) not in keys]
        known = {name_key(name) for name in ledger.candidates}
        for passage in read:
            one = self._read.pop((passage.url, passage.text), None)
            one = one or _Read(passage, quote_words(passage.full), frozenset(terms(passage.full)))
            one.known |= known
            self._read[passage.url, passage.text] = one
        for old in list(self._read)[: max(0, len(self._read) - _MOST_KEPT)]:
            del self._read[old]

    def entries(self, claims: Sequence[Claimed], read: Sequence[Passage]) -> tuple[list[Entry], int]:
        """The entries of claims whose quote stands in a passage that was read, and the number of the others."""
        found = [(claimed, entry_of(claimed, read)) for claimed in claims if claimed.holds is not None]
        self.not_entered = [claimed for claimed, entry in found if entry is None]
        return [entry for _, entry in found if entry is not None], len(self.not_entered)

    def _again(self, ledger: Ledger) -> list[Passage]:
        """Passages that were read: those that wrong quotes were taken from, then the best ones for what is open."""
        taken = [one for claimed in self.not_entered[:_MOST_TOLD] if (one := self._taken_from(claimed.quote))]
        worth: dict[tuple[str, str], int] = {}
        for name in ledger.candidates:
            key, open_now = name_key(name), ledger.open(name)
            if name == WHOLE or not open_now:
                continue
            sought = set(terms(" ".join(ledger.conditions[n - 1] for n in open_now))) - set(terms(name))
            for place, one in self._read.items():
                if key not in one.known and (shared := len(sought & one.terms)) and has_words(one.words, name):
                    worth[place] = max(shared, worth.get(place, 0))
        best = sorted(worth, key=lambda place: -worth[place])
        return in_turn([[*(one.passage for one in taken), *(self._read[place].passage for place in best)]])

    def _taken_from(self, quote: str) -> _Read | None:
        """The passage that shares most words with a quote, half of them or more."""
        sought = set(terms(quote))
        best = max(self._read.values(), key=lambda one: len(sought & one.terms), default=None)
        return best if best and sought and len(sought & best.terms) >= _HALF * len(sought) else None


def evidence_task(
    ledger: Ledger, question: str, passages: Sequence[Passage], not_entered: Sequence[Claimed] = ()
) -> str:
    """The task of the evidence call: the question, the ledger as it stands, and the passages that are read.

    Args:
        not_entered: claims of the call before whose quote stands in no passage.
    """
    known = "\n".join(f"- {row.candidate or 'the answer'}: {row.constraint}: {row.state}" for row in ledger.rows())
    sought = terms(" ".join([*ledger.conditions, *ledger.candidates]))
    read = passages[:_MOST_READ]
    words = _MOST_READ * _WORDS // max(1, len(read))
    numbered = [f"{n}. {_clipped(passage, sought, words)}" for n, passage in enumerate(read, 1)]
    return (
        f"Question: {question}\n\nConditions:\n{conditions.listed(ledger.conditions)}\n\n"
        f"Ledger:\n{known or 'empty'}\n\n{_told(not_entered)}Passages:\n" + "\n\n".join(numbered)
    )


def _told(claims: Sequence[Claimed]) -> str:
    """What of the last answer was not entered, a line each."""
    if not claims:
        return ""
    lines = [
        f"- {claimed.candidate or 'the answer'}, C{claimed.condition}: {_cut(claimed.quote)}"
        for claimed in claims[:_MOST_TOLD]
    ]
    return "Not entered last time, as the quote stands in no passage:\n" + "\n".join(lines) + "\n\n"


def _cut(quote: str) -> str:
    return quote if len(quote) <= _MOST_SHOWN else f"{quote[:_MOST_SHOWN]}…"


def _clipped(passage: Passage, sought: Sequence[str], words: int) -> str:
    """A passage under its title; of one longer than that the part that shares most words with the conditions."""
    parts = [passage.text]
    if size_of(passage.text) > words:  # its sections together, as far as they fit: no heading ends a part
        parts = [cut.text for cut in cut_passages(passage.text, words, words)] or parts
    best = max(parts, key=lambda part: overlap(terms(part), sought))
    return f"{passage.title}: {protocol.one_line(best)}"


def entry_of(claimed: Claimed, passages: Sequence[Passage]) -> Entry | None:
    """The entry of a claim whose quote stands in one of the passages; None: it stands in none."""
    if claimed.holds is None:
        return None
    for passage in passages:
        if stands(claimed.quote, passage):
            return Entry(claimed.candidate, claimed.condition, claimed.holds, claimed.quote, passage.url)
    return None


def stands(quote: str, passage: Passage) -> bool:
    """True when a quote of a few words stands in a passage, each word after the other."""
    if len(quote_words(quote).split()) < _LEAST_QUOTE:
        return False
    return has_words(quote_words(protocol.neutral(passage.full)), quote)


__all__ = ["ToRead", "entry_of", "evidence_task", "stands"]
