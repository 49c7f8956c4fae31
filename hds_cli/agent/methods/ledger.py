"""LiveLedger (arXiv 2602.07549): the conditions of the question, and after each turn what the pages say of them.

The model is shown what is still open, below the results of a turn; with `gate`, an answer that leaves conditions open
is given back to it, at most twice. Only the question makes conditions: a page can settle one, never add one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from hds_cli import events
from hds_cli.agent import conditions, protocol
from hds_cli.agent.aside import Aside, counted
from hds_cli.agent.asserted import asserted
from hds_cli.agent.conditions import Call
from hds_cli.agent.dialects import Written
from hds_cli.agent.ledger import WHOLE, Entry, Ledger
from hds_cli.agent.listing import in_turn
from hds_cli.agent.methods.base import Method
from hds_cli.agent.methods.reading import ToRead, evidence_task, stands
from hds_cli.agent.named import by_rule
from hds_cli.agent.notebook import Notebook
from hds_cli.agent.verdict import Verdict, Warned
from hds_cli.agent.verifying import Text, Verifier, heeding
from hds_cli.engine.base import Counter, Segment, Session
from hds_cli.errors import HdsError
from hds_cli.types import Condition, Passage

T = TypeVar("T")
SECONDS = 60.0  # for the calls of one turn
_VERIFYING = 5.0  # seconds
_MOST_PARTS, _MOST_SAID = 60, 3  # parts of an answer that are compared with the ledger, and lines on them
_MOST_VERIFIED = 2000  # characters of a passage


class LiveLedger(Method):
    """Keeps the ledger of one run.

    Args:
        aside: asks the model; None: it cannot do it, and a rule keeps the ledger.
        session: the one that `aside` asks in.
        counter: of the run; gets the tokens of every call.
        gate: an answer with open conditions is given back.
        verifier: opens what may object to an entry; None: nothing does.
        before: the ledger of the run that is gone on with.
        limit: seconds that the calls of one turn may take.

    `affords` says whether so many tokens may be read for a call; what is not afforded is left to the rule, or to a
    later turn.
    """

    name = "ledger"

    def __init__(
        self,
        aside: Aside | None,
        session: Session | None = None,
        counter: Counter | None = None,
        *,
        gate: bool = False,
        verifier: Callable[[], Verifier] | None = None,
        before: events.LedgerUpdated | None = None,
        limit: float = SECONDS,
    ) -> None:
        self._aside, self._session, self._counter = aside, session, counter
        self._gate, self._verifier, self._limit = gate, verifier, limit
        self.seconds = limit + _VERIFYING + 15.0  # for the rules, and what cannot be cut short
        self._asks = aside is not None and (before is None or before.by == "model")
        self._restored = before is not None
        self._ledger = Ledger.restored(before.conditions, before.rows) if before and self._asks else None
        self._seen = self._turn = 0
        self._to_read = ToRead()
        self._stopped = False
        self.affords: Callable[[int], bool] = lambda tokens: True

    def abort(self) -> None:
        """End the call that is being made; no further one is made."""
        self._stopped = True
        if self._session is not None:
            self._session.abort()

    def close(self) -> None:
        """Give back what its session holds."""
        self._stopped = True
        if self._aside is not None:
            self._aside.close()

    # --- the moments of a run ----------------------------------------------------------------------------------------

    def began(self, question: str, book: Notebook) -> None:
        """Split the question into its conditions; a question with fewer than two has no ledger."""
        self._seen = len(book.read)
        if self._ledger is not None:
            return
        self._to_read.add(_by_turns(book.read))  # of an earlier run, or of documents: behind what a turn finds
        if self._asks:
            found = self._asked(conditions.extract(question))
            self._asks = found is not None
            if found is not None:
                self._ledger = Ledger(found) if len(found) > 1 else None
        if not self._asks:
            self._ledger = by_rule(question, book.queries, [passage for _, passage in book.read])
        if self._ledger is not None and not self._restored:
            self._tell(0, self._ledger.best())

    def read(self, turn: int, book: Notebook) -> Sequence[Segment]:
        """Note what the passages of this turn settle, and tell the model what is open."""
        new = _by_turns(book.read[self._seen :])
        self._seen, self._turn = len(book.read), turn
        missed = 0
        if not self._asks:
            self._ledger = by_rule(book.question, book.queries, [passage for _, passage in book.read])
        elif self._ledger is not None:
            missed = self._note(self._ledger, book.question, new)
        if self._ledger is None:
            return ()
        candidate = self._ledger.best()
        self._tell(turn, candidate, missed=missed)
        return list(_notes(self._ledger, candidate))

    def may_end(self, written: Written, book: Notebook) -> str | None:
        """The conditions that no page settles for the answer, as a reason to search on."""
        if not self._gate or self._ledger is None:
            return None
        ledger = self._ledger
        is_open = any(ledger.open(name) for name in ledger.candidates or [WHOLE])
        if self._asks and is_open and self._to_read.due(ledger):
            missed = self._note(ledger, book.question, ())  # what was read already may settle it: cheaper than a turn
            self._tell(self._turn, ledger.best(), missed=missed)
        found = [ledger.best()] if written.gave_up else ledger.named(written.answer or "", written.message)
        wrong = [_about(ledger, name, ledger.refuted(name)) for name in found if ledger.refuted(name)]
        left = [_about(ledger, name, ledger.open(name)) for name in found if ledger.open(name)]
        if not wrong and not left:
            return None
        said = [f"A page denies: {'; '.join(wrong)}."] if wrong else []
        said += [f"No page that was read says yet: {'; '.join(left)}."] if left else []
        return " ".join([*said, "Search for this before you answer."])

    def judged(self, verdict: Verdict, book: Notebook) -> Verdict:
        """The ledger for the candidate that the answer names; a warning where a condition of it is not verified."""
        ledger = self._ledger
        if ledger is None:
            missing = "has one condition only" if self._asks else "lists no things that searches were made for"
            self.say(events.Notice, level="info", code="no_ledger", message=f"no ledger: the question {missing}")
        if ledger is None or verdict.status == "failed":
            return verdict
        text = "\n".join(part for part in (verdict.text, verdict.answer, verdict.explanation) if part)
        named = ledger.named(verdict.answer or "", text)
        candidate = min(named, key=lambda name: len(ledger.verified(name))) if text else ledger.best()
        assumed = []
        for number in ledger.open(candidate):
            said = asserted(ledger.conditions[number - 1], text)
            if said is not None and said.holds:
                assumed.append(Condition(ledger.conditions[number - 1], "assumed", said.quote, "", candidate))
        self._tell(self._turn, candidate, assumed)
        if verdict.answer is None:
            return verdict
        verdict = replace(verdict, warnings=(*verdict.warnings, *_in_other_words(ledger, candidate, verdict)))
        refuted, left = ledger.refuted(candidate), ledger.open(candidate)
        if not refuted and not left:
            return verdict
        count = len(ledger.conditions)
        parts = [f"{len(ledger.verified(candidate))} of {count} conditions of the question are verified"]
        parts += [f"denied: {_texts(ledger, refuted)}"] if refuted else []
        parts += [f"open: {_texts(ledger, left)}"] if left else []
        return replace(verdict, warnings=(*verdict.warnings, Warned("ledger", "; ".join(parts))))

    def _tell(self, turn: int, candidate: str, assumed: Sequence[Condition] = (), *, missed: int = 0) -> None:
        assert self._ledger is not None
        self.say(
            events.LedgerUpdated, turn=turn, conditions=self._ledger.conditions, rows=(*self._ledger.rows(), *assumed),
            candidate=candidate, by="model" if self._asks else "rule", missed=missed,
        )  # fmt: skip

    # --- the calls ---------------------------------------------------------------------------------------------------

    def _note(self, ledger: Ledger, question: str, passages: Sequence[Passage]) -> int:
        """Take in what the model finds in passages; returns the number of its quotes that stand in none."""
        self._to_read.add(passages)
        read = self._to_read.due(ledger)
        if not read:
            return 0
        task = evidence_task(ledger, question, read, self._to_read.not_entered)
        claims = self._asked(conditions.evidence(task, len(ledger.conditions)))
        if claims is None:
            return 0
        entries, missed = self._to_read.entries(claims, read)
        for entry in self._undisputed(entries, ledger, read):
            ledger.put(entry)
        self._to_read.done(read, ledger)
        return missed

    def _asked(self, call: Call[T]) -> T | None:
        """What the model's answer says; None: the call failed twice, took too long, or is not afforded."""
        if self._aside is None or self._session is None or self._stopped:
            return None
        if not self.affords(call.size):
            return None
        until = time.monotonic() + self._limit
        late = heeding(lambda: self._stopped or time.monotonic() > until, self._session)
        with counted(self._session, self._counter), late:
            return call.asked(self._aside)

    def _undisputed(self, entries: Sequence[Entry], ledger: Ledger, passages: Sequence[Passage]) -> list[Entry]:
        """The entries of which the verifier is not sure that their passage says the opposite."""
        if self._verifier is None or not entries or self._stopped:
            return list(entries)
        until = time.monotonic() + _VERIFYING
        by_url = {(p.url, e): p for e in entries for p in passages if p.url == e.url and stands(e.quote, p)}
        try:
            verifier = self._verifier()
            texts = [Text(by_url[e.url, e].title, by_url[e.url, e].text[:_MOST_VERIFIED]) for e in entries]
            claims = [[_claim(ledger, entry)] for entry in entries]
            answers = verifier.verify(texts, claims, lambda: self._stopped or time.monotonic() > until)
        except HdsError:  # it is not installed, or unusable: the quotes stand for themselves
            self._verifier = None
            return list(entries)
        kept = []
        for entry, (odds,) in zip(entries, answers, strict=True):
            against = odds and (
                odds.contradicted >= verifier.sure_contradicted if entry.holds
                else odds.supported >= verifier.sure_supported
            )  # fmt: skip
            if not against:
                kept.append(entry)
        return kept


def _by_turns(read: Sequence[tuple[str, Passage]]) -> list[Passage]:
    """The passages of each query in turn, as no call reads all of many."""
    by_query: dict[str, list[Passage]] = {}
    for query, passage in read:
        by_query.setdefault(query, []).append(passage)
    return in_turn(by_query.values())


def _claim(ledger: Ledger, entry: Entry) -> str:
    condition = ledger.conditions[entry.condition - 1]
    return condition if entry.candidate == WHOLE else f"{entry.candidate}: {condition}"


def _notes(ledger: Ledger, candidate: str) -> Sequence[Segment]:
    """The ledger as the model reads it: a line a condition, then what is open."""
    count, verified = len(ledger.conditions), ledger.verified(candidate)
    about = f" for {protocol.neutral(candidate)}" if candidate else ""
    lines = [f"Ledger: {len(verified)} of {count} conditions of the question are verified{about}."]
    for name, numbers in (
        ("Verified", verified), ("Denied by a page", ledger.refuted(candidate)), ("Still open", ledger.open(candidate)),
    ):  # fmt: skip
        if numbers:
            lines.append(f"{name}: {_texts(ledger, numbers)}.")
    others = [name for name in ledger.candidates if name not in ("", candidate)]
    if others:
        lines.append(f"Other candidates: {', '.join(f'{name} ({len(ledger.verified(name))})' for name in others[:5])}.")
    return [Segment(protocol.neutral(line)) for line in lines]


def _in_other_words(ledger: Ledger, candidate: str, verdict: Verdict) -> list[Warned]:
    """A word on each weak part of an answer that states what the ledger has from a page, in the words of that page.

    The grade compares strings; the entry is a reading of the model, whose quote was found. They may differ.
    """
    cited = {citation.url: f"[{citation.n}] " for citation in reversed(verdict.citations)}
    said = []
    for part in [one for one in verdict.support[:_MOST_PARTS] if one.weak]:
        for number in ledger.verified(candidate):
            entry, stated = ledger.entry(candidate, number), asserted(ledger.conditions[number - 1], part.text)
            if entry is not None and stated is not None and stated.holds:
                source = f"{cited.get(entry.url, '')}“{entry.quote}”"
                told = "another page says otherwise" if part.level == "contradicted" else "no page has these words"
                said.append(f"{part.text.rstrip('. ')}: {told}, but the ledger has it from {source}")
                break
    return [Warned("ledger", line) for line in said[:_MOST_SAID]]


def _about(ledger: Ledger, candidate: str, numbers: Sequence[int]) -> str:
    texts = _texts(ledger, numbers)
    return f"of {candidate}: {texts}" if candidate else texts


def _texts(ledger: Ledger, numbers: Sequence[int]) -> str:
    return "; ".join(ledger.conditions[number - 1].rstrip(". ") for number in numbers)


__all__ = ["LiveLedger"]
