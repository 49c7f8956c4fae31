"""A saved run looked at turn by turn for its audit: by rule from what was saved, or by a model in two passes.

The passes stay apart, as in the reference: evidence comes from the results of a turn alone, belief from what the model
thought next. A value changes only by a new one. Where an answer of the model cannot be read, a rule makes the audit.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from hds_cli.agent import conditions
from hds_cli.agent.aside import Aside
from hds_cli.agent.asserted import Asserted, asserted
from hds_cli.agent.audit import Audit, Belief, Look, audited
from hds_cli.agent.ledger import MOST_CONDITIONS, WHOLE, Entry, Ledger, name_key
from hds_cli.agent.methods.reading import ToRead, evidence_task
from hds_cli.agent.named import by_rule
from hds_cli.errors import UsageError
from hds_cli.run_state import RunState, TurnState
from hds_cli.text import has_words, quote_words
from hds_cli.types import GOOD_LEVELS, Passage

_MOST_UNITS = 40  # of an answer that are conditions of themselves
_MOST_THOUGHT = 12_000  # characters, of which the beginning and the end are read


def audit_of(state: RunState, aside: Aside | None = None) -> Audit:
    """The audit of a run: by the model of `aside`, else from the ledger that was saved, else by rule.

    A run without a list in its question or queries is audited by the sentences of its answer. One that never searched
    is looked at once, with what it was given to read; of several tries the one that is shown.

    Raises:
        UsageError: of several tries none is shown.
    """
    state = _shown(state)
    if aside is not None and (looks := _by_model(state, aside)):
        return audited(state, looks, "model")
    if state.ledgers:
        return audited(state, _believing(state, _saved(state)), "ledger")
    if looks := _listed(state):
        return audited(state, _believing(state, looks), "list")
    return audited(state, _of_answer(state), "answer")


def _shown(state: RunState) -> RunState:
    """A run with the turns of the try that is shown alone, where it is one of several tries."""
    if not state.tries:
        return state
    agreed = state.finished.agreement if state.finished else None
    if agreed is None:
        run_id = state.started.run_id if state.started else ""
        raise UsageError(
            f"the tries of the run {run_id} agree on no answer that could be audited",
            hint=f"hds history show {run_id}",
        )
    return replace(state, turns={turn.number: turn for turn in state.turns_of(agreed.shown)})


def _searching(state: RunState) -> list[TurnState]:
    return [turn for turn in state.turns.values() if any(query.text for query in turn.queries.values())]


def _looked_at(state: RunState) -> list[TurnState]:
    """The turns after which a run is looked at: those that searched; of one that never did the first."""
    return _searching(state) or list(state.turns.values())[:1]


def _read(turn: TurnState) -> list[Passage]:
    return [passage for query in turn.queries.values() for passage in query.passages or ()]


def _given(state: RunState) -> list[Passage]:
    """What a run had to read before it searched."""
    findings = state.continued.findings if state.continued else ()
    known = [passage for finding in findings for passage in finding.passages]
    return known + [passage for document in state.documents for passage in document.passages]


@dataclass(frozen=True)
class _Said:
    """What a run said between the results of a turn and those of the next one, by the turn that said it."""

    parts: tuple[tuple[int, str], ...]

    @property
    def text(self) -> str:
        return "\n".join(text for _, text in self.parts)

    def turn_of(self, quote: str) -> int:
        """The turn that said a quote; the last one where none did."""
        return next((turn for turn, text in self.parts if has_words(quote_words(text), quote)), self.parts[-1][0])


def _thoughts(state: RunState, *, opening: bool = False) -> Iterator[_Said]:
    """For each turn that is looked at what the next one thought; behind the last one the answer.

    Args:
        opening: what the first one thought before it searched, too: a belief that rests on no page. A rule would take
            the question, which is often said again there, for one.
    """
    turns, looked, searching = list(state.turns.values()), _looked_at(state), bool(_searching(state))
    for turn, following in zip(looked, [*looked[1:], None], strict=False):
        said = [(turn.number, turn.thought)] if opening and searching and turn is looked[0] else []
        if following is not None:
            said.append((following.number, following.thought))
        else:
            final = [other for other in turns if other.number > turn.number or not searching]
            said += [(other.number, other.thought) for other in final]
            number, finished = (final[-1].number if final else turn.number), state.finished
            parts = (finished.text or finished.answer, finished.explanation) if finished else ()
            said.append((number, "\n".join(part for part in parts if part)))
        yield _Said(tuple((number, text.strip()) for number, text in said if text.strip()) or (said[-1],))


# --- by rule ---------------------------------------------------------------------------------------------------------


def _saved(state: RunState) -> list[Look]:
    """The ledgers that were saved, one a turn."""
    by_turn = {event.turn: event for event in state.ledgers}
    last = state.ledgers[-1]
    looks, ledger = [], Ledger(last.conditions)
    for turn in _looked_at(state):
        event = by_turn.get(turn.number) if _searching(state) else last
        if event is not None:
            ledger = Ledger.restored(last.conditions, event.rows)
        looks.append(Look(turn.number, ledger))
    return looks


def _listed(state: RunState) -> list[Look]:
    """A ledger of what the question, or all queries, name side by side, after each turn."""
    queries = [query.text for query in state.queries if query.text]
    passages = _given(state)
    looks = []
    for turn in _looked_at(state):
        passages += _read(turn)
        ledger = by_rule(state.question, queries, passages)
        if ledger is None:
            return []
        looks.append(Look(turn.number, ledger))
    return looks


def _of_answer(state: RunState) -> list[Look]:
    """A ledger of the sentences of the answer: each is asserted, and settled when its passage was read."""
    support = state.finished.support[:_MOST_UNITS] if state.finished else ()
    looked = _looked_at(state)
    if not support or not looked:
        return [Look(turn.number, Ledger(())) for turn in looked]
    first: dict[int, int] = {}
    for turn in looked:
        for passage in _read(turn):
            first.setdefault(passage.n, turn.number)
    urls = {c.n: (c.url, first.get(c.passage or c.n, 0)) for c in state.finished.citations} if state.finished else {}
    looks = []
    for turn in looked:
        ledger = Ledger([one.text for one in support], _MOST_UNITS)
        for number, one in enumerate(support, 1):
            quote = one.quotes[0] if one.quotes else None
            url, since = urls.get(quote.n, ("", 0)) if quote else ("", 0)
            settled = one.level in GOOD_LEVELS or one.level == "contradicted"
            if settled and since <= turn.number:
                ledger.put(Entry(WHOLE, number, one.level in GOOD_LEVELS, quote.quote if quote else "", url))
        looks.append(Look(turn.number, ledger))
    final = max(state.turns)
    looks[-1].beliefs = {
        (WHOLE, number): Belief(Asserted(True, one.text), final) for number, one in enumerate(support, 1)
    }
    return looks


def _believing(state: RunState, looks: list[Look]) -> list[Look]:
    """The looks with what the run's thoughts, and at the end its answer, take for true."""
    known: dict[tuple[str, int], Belief] = {}
    for look, thought in zip(looks, _thoughts(state), strict=False):
        names = look.ledger.candidates or [WHOLE]
        for number, condition in enumerate(look.ledger.conditions, 1):
            said = asserted(condition, thought.text)
            if said is None:
                continue
            turn = thought.turn_of(said.quote)
            about = [name for name in names if name != WHOLE and has_words(quote_words(said.quote), name)]
            for name in about or [WHOLE]:
                known.setdefault((name_key(name), number), Belief(said, turn))
                if known[name_key(name), number].said.holds != said.holds:
                    known[name_key(name), number] = Belief(said, turn)
        look.beliefs = dict(known)
    return looks


# --- by a model ------------------------------------------------------------------------------------------------------


def _by_model(state: RunState, aside: Aside) -> list[Look]:
    """Two calls a turn; none where there are fewer than two conditions, or an answer of the model is not read."""
    saved = [event for event in state.ledgers if event.by == "model"]
    found = list(saved[-1].conditions[:MOST_CONDITIONS]) if saved else conditions.extract(state.question).asked(aside)
    if not found or len(found) < 2:
        return []
    count, ledger = len(found), Ledger(found)
    beliefs: dict[tuple[str, int], Belief] = {}
    status: dict[str, str] = {}
    looks: list[Look] = []
    to_read = ToRead()
    for turn, said in zip(_looked_at(state), _thoughts(state, opening=True), strict=True):
        to_read.add([*_read(turn), *([] if looks else _given(state))])
        if not _note(ledger, state.question, to_read, aside):
            return []
        thought = _cut(said.text)
        task = (
            f"Question: {state.question}\n\nConditions:\n{conditions.listed(found)}\n\n"
            f"Candidates: {'; '.join(name for name in ledger.candidates if name) or 'none yet'}\n\nThought:\n{thought}"
        )
        believed = conditions.belief(task, count).asked(aside) if thought.strip() else conditions.Beliefs({}, [])
        if believed is None:
            return []
        for claimed in believed.claimed:
            if claimed.holds is not None and has_words(quote_words(thought), claimed.quote):
                belief = Belief(Asserted(claimed.holds, claimed.quote), said.turn_of(claimed.quote))
                beliefs[name_key(claimed.candidate), claimed.condition] = belief
        status |= {name_key(name): said for name, said in believed.status.items()}
        rejected = frozenset(name for name, said in status.items() if said == "rejected")
        copied = Ledger.restored(found, ledger.rows())
        looks.append(Look(turn.number, copied, dict(beliefs), rejected))
    return looks


def _note(ledger: Ledger, question: str, to_read: ToRead, aside: Aside) -> bool:
    """The evidence pass over the results of a turn; False where the model's answer could not be read."""
    read = to_read.due(ledger)
    if not read:
        return True
    task = evidence_task(ledger, question, read, to_read.not_entered)
    claims = conditions.evidence(task, len(ledger.conditions)).asked(aside)
    for entry in to_read.entries(claims or (), read)[0]:
        ledger.put(entry)
    to_read.done(read, ledger)
    return claims is not None


def _cut(text: str) -> str:
    """The beginning and the end of a long thought."""
    half = _MOST_THOUGHT // 2
    return text if len(text) <= _MOST_THOUGHT else f"{text[:half]}\n…\n{text[-half:]}"


__all__ = ["audit_of"]
