"""The audit of saved runs: journals made by hand, one for each way of going wrong, and each is told for that alone."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from hds_cli import events as e
from hds_cli.agent.aside import Aside
from hds_cli.agent.audit import MODES, Audit, means
from hds_cli.agent.looks import audit_of
from hds_cli.agent.protocol import neutral
from hds_cli.commands.audit import _said
from hds_cli.engine.scripted import ScriptedEngine
from hds_cli.errors import UsageError
from hds_cli.run_state import RunState
from hds_cli.types import Agreement, Citation, Condition, ModelInfo, Passage, Quote, SearchResult, Support

QUESTION = "Which town lies on the river Aue and has a bridge of 1932?"
RIVER, BRIDGE = "it lies on the river Aue", "it has a bridge of 1932"
SAYS = {
    "river": Passage("m:river", "Lindow", "Lindow lies on the river Aue.", 1),
    "bridge": Passage("m:bridge", "Bridges", "Lindow has a bridge of 1932.", 2),
    "denied": Passage("m:denied", "Bridges", "The bridge of Lindow was built in 1877.", 3),
    "other": Passage("m:other", "Mills", "There are four mills.", 4),
}
HOLDS = {
    "river": Condition(RIVER, "verified", "Lindow lies on the river Aue", "m:river", "Lindow"),
    "bridge": Condition(BRIDGE, "verified", "Lindow has a bridge of 1932", "m:bridge", "Lindow"),
    "denied": Condition(BRIDGE, "refuted", "was built in 1877", "m:denied", "Lindow"),
}


def journal(turns: Sequence[tuple[str, str]], answer: str | None, text: str = "", *, kept: bool = True) -> RunState:
    """A run of turns (what was thought, what was read), and its answer; `kept`: with a ledger after each turn."""
    run: list[e.Event] = [e.RunStarted(run_id="r1", question=QUESTION, sources=("m",), model=ModelInfo(name="m"))]
    rows: list[Condition] = []
    for number, (thought, read) in enumerate(turns, 1):
        run += [e.TurnStarted(turn=number), e.Thought(turn=number, text=thought)]
        run.append(e.QueryProposed(turn=number, query=1, text=f"query {number} on {read}"))
        found = (SearchResult(SAYS[read].url, SAYS[read].title),)
        run.append(e.SearchFinished(turn=number, query=1, source="m", seconds=0.1, results=found))
        run.append(e.EvidenceSelected(turn=number, query=1, passages=(SAYS[read],)))
        rows = [*rows, HOLDS[read]] if read in HOLDS else rows
        if kept:
            run.append(e.LedgerUpdated(turn=number, conditions=(RIVER, BRIDGE), rows=tuple(rows), by="model"))
        run.append(e.TurnFinished(turn=number, seconds=0.1, written="t"))
    last = len(turns) + 1
    run += [e.TurnStarted(turn=last), e.TurnFinished(turn=last, seconds=0.1, written=text)]
    status = "answered" if answer else "unanswered"
    run.append(e.RunFinished(status=status, answer=answer, explanation=None, text=text or answer))  # type: ignore[arg-type]
    return RunState.of([e.from_dict(json.loads(e.line(event))) for event in run])


SOUND = journal([("I look.", "river"), ("Now the bridge.", "bridge")], "Lindow")
WRONG = {
    "bare_assertion": (
        journal([("I look.", "river"), ("Lindow has a bridge of 1932, I know that.", "other")], "Lindow"), 2,
    ),
    "overlooked_refutation": (journal([("I look.", "river"), ("Now the bridge.", "denied")], "Lindow"), 2),
    "premature_exit": (journal([("I look.", "river")], "Lindow"), 2),
    "stagnation": (journal([("I look.", "river"), ("More.", "other"), ("More.", "other")], "Lindow"), 2),
}  # fmt: skip


def modes(audit: Audit) -> set[str]:
    return {failure.mode for failure in audit.failures}


@pytest.mark.parametrize("mode", MODES)
def test_each_way_of_going_wrong_is_told_for_itself_alone(mode: str) -> None:
    """With the turn in which it happened."""
    state, turn = WRONG[mode]
    audit = audit_of(state)
    assert modes(audit) == {mode}
    assert {failure.turn for failure in audit.failures} == {turn}
    assert audit.by == "ledger"
    assert not audit.sound


def test_a_sound_run_has_no_failure() -> None:
    """Both conditions verified, each with its quote, its page and its turn."""
    audit = audit_of(SOUND)
    assert (audit.sound, audit.candidate) == (True, "Lindow")
    assert [(held.state, held.url, held.turn) for held in audit.conditions] == [
        ("verified", "m:river", 1), ("verified", "m:bridge", 2),
    ]  # fmt: skip
    assert audit.shares == {"verified": 100.0, "refuted": 0.0, "assumed": 0.0, "unchecked": 0.0}


def test_the_four_states_and_their_means() -> None:
    """Every run counts once; one without an answer is unchecked as a whole."""
    audits = [audit_of(state) for state, _ in WRONG.values()]
    assert [audit.conditions[1].state for audit in audits] == ["assumed", "refuted", "unchecked", "unchecked"]
    over = means([*audits, audit_of(SOUND)])
    assert over.shares == {"verified": 60.0, "refuted": 10.0, "assumed": 10.0, "unchecked": 20.0}
    assert (over.runs, over.failed) == (5, 80.0)
    assert over.modes == dict.fromkeys(MODES, 20.0)
    assert means([]).runs == 0


def test_a_run_without_an_answer_ended_too_early_or_stood_still() -> None:
    """Standing still needs three turns, and something that was known before."""
    early = audit_of(journal([("I look.", "river")], None))
    assert (modes(early), early.shares["unchecked"]) == ({"premature_exit"}, 100.0)
    still = audit_of(journal([("a", "river"), ("b", "other"), ("c", "other"), ("d", "other")], None))
    assert [(failure.mode, failure.turn) for failure in still.failures] == [("stagnation", 2)]
    nothing = audit_of(journal([("a", "other"), ("b", "other"), ("c", "other")], None))
    assert modes(nothing) == {"premature_exit"}
    assert modes(audit_of(RunState())) == {"premature_exit"}


def test_what_changes_late_is_no_standstill() -> None:
    """The third ledger has a condition more."""
    audit = audit_of(journal([("a", "other"), ("b", "other"), ("c", "river")], "Lindow"))
    assert modes(audit) == {"premature_exit"}


def test_a_run_without_a_ledger_is_audited_by_its_sentences() -> None:
    """What is quoted is verified, what no page says is assumed, what one denies is refuted."""
    state = journal([("I look.", "river"), ("More.", "bridge")], "Lindow", kept=False)
    assert state.finished is not None
    support = (
        Support("Lindow lies on the river Aue.", "quoted", (1,), (Quote(1, "Lindow lies on the river Aue."),)),
        Support("It has nine bridges.", "missing", missing=("nine",)),
        Support("One is of 1999.", "contradicted", quotes=(Quote(2, "Lindow has a bridge of 1932."),)),
    )
    citations = (Citation(1, "m:river", "Lindow", "q", True), Citation(2, "m:bridge", "Bridges", "q", True))
    finished = e.RunFinished(
        status="answered", answer="Lindow", explanation=None, support=support, citations=citations
    )  # fmt: skip
    state.apply(finished)
    audit = audit_of(state)
    assert audit.by == "answer"
    assert [(held.state, held.turn) for held in audit.conditions] == [("verified", 1), ("assumed", 3), ("refuted", 2)]
    assert modes(audit) == {"bare_assertion", "overlooked_refutation"}


def from_document(support: tuple[Support, ...], answer: str = "Lindow lies on the river Aue.") -> RunState:
    """A run that answered from a document without a search."""
    cited = (Citation(1, "file:letter", "Letter", "Lindow lies on the river Aue.", True),)
    letter = Passage("file:letter", "Letter", "Lindow lies on the river Aue.", 1)
    return RunState.of([
        e.RunStarted(run_id="r1", question="Where does Lindow lie?", sources=("m",), model=ModelInfo(name="m")),
        e.DocumentAttached(url="file:letter", title="Letter", passages=(letter,)),
        e.TurnStarted(turn=1), e.TurnFinished(turn=1, seconds=0.1, written=answer),
        e.RunFinished(
            status="answered", answer=answer, explanation=None, text=answer, support=support, citations=cited
        ),
    ])  # fmt: skip


def test_an_answer_from_a_document_is_audited_without_a_search() -> None:
    """What the document says is verified in the only turn; what it does not say is asserted."""
    quote = (Quote(1, "Lindow lies on the river Aue."),)
    said = Support("Lindow lies on the river Aue.", "quoted", (1,), quote)
    audit = audit_of(from_document((said,)))
    assert (audit.sound, [(held.state, held.turn) for held in audit.conditions]) == (True, [("verified", 1)])
    audit = audit_of(from_document((said, Support("It has nine bridges.", "missing", missing=("nine",)))))
    assert [held.state for held in audit.conditions] == ["verified", "assumed"]
    assert modes(audit) == {"bare_assertion"}


def test_of_what_nobody_checked_nothing_is_said() -> None:
    """No condition: the run is not sound, did nothing wrong, and is left out of the means."""
    nothing = audit_of(from_document(()))
    assert (nothing.sound, nothing.empty, nothing.failures) == (False, True, ())
    searched = audit_of(journal([("I look.", "river")], "Lindow", kept=False))
    assert (searched.sound, searched.empty) == (False, True)
    over = means([nothing, audit_of(SOUND)])
    assert (over.runs, over.shares["verified"], over.failed) == (1, 100.0, 0.0)
    assert list(_said([nothing], means([nothing]))) == ["r1: nothing to audit (by rule, from its answer)"]


def tries(agreed: Agreement | None) -> RunState:
    """Two tries whose turns are counted through: the first, which lost, asserted and read nothing that settles."""
    run: list[e.Event] = [
        e.RunStarted(run_id="r1", question="Where does Lindow lie?", sources=("m",), model=ModelInfo(name="m"), tries=2)
    ]
    for turn, read in ((1, "other"), (2, "river"), (3, "other"), (4, "")):
        section = 1 if turn in (1, 3) else 2
        run += [e.TurnStarted(turn=turn, section=section), e.Thought(turn=turn, text="I look.")]
        if read:
            run.append(e.QueryProposed(turn=turn, query=1, text=f"query {turn}"))
            run.append(e.EvidenceSelected(turn=turn, query=1, passages=(SAYS[read],)))
        run.append(e.TurnFinished(turn=turn, seconds=0.1, written="t"))
    text = "Lindow lies on the river Aue."
    run.append(e.RunFinished(
        status="answered", answer=text, explanation=None, text=text, agreement=agreed,
        support=(Support(text, "quoted", (1,), (Quote(1, text),)), Support("It has nine bridges.", "missing")),
        citations=(Citation(1, "m:river", "Lindow", text, True),),
    ))  # fmt: skip
    return RunState.of(run)


def test_of_several_tries_the_shown_one_is_audited() -> None:
    """Neither its turns nor its failures are those of a try that lost; without a shown one there is nothing to say."""
    agreed = Agreement(agree=1, of=2, tries=2, shown=2, with_it=(2,))
    audit = audit_of(tries(agreed))
    assert [(held.state, held.turn) for held in audit.conditions] == [("verified", 2), ("assumed", 4)]
    assert [(failure.mode, failure.turn) for failure in audit.failures] == [("bare_assertion", 4)]
    with pytest.raises(UsageError, match="agree on no answer"):
        audit_of(tries(None))


# --- by a model ------------------------------------------------------------------------------------------------------


def written(tmp_path: Path, *values: object) -> Aside:
    path = tmp_path / "audit.jsonl"
    path.write_text("".join(json.dumps({"text": json.dumps(value)}) + "\n" for value in values))
    return Aside(ScriptedEngine(path).session(), None)


def entry(condition: str, holds: bool, quote: str, name: str = "obj") -> dict[str, object]:
    return {"candidate": "Lindow", "constraint": condition, name: holds, "quote": quote}


def test_a_model_makes_two_passes_over_each_turn(tmp_path: Path) -> None:
    """Conditions, then evidence and belief; a quote that stands nowhere counts for neither."""
    state = journal(
        [("I look.", "river"), ("Lindow has a bridge of 1932, I know that.", "other")], "Lindow", kept=False
    )
    aside = written(
        tmp_path, {"constraints": [RIVER, BRIDGE]},
        {"entries": [entry("C1", True, "lies on the river Aue"), entry("C2", True, "a bridge of 1932")]},
        {"status": {"Lindow": "active"}, "beliefs": [entry("C2", True, "has a bridge of 1932", "per")]},
        {"entries": []},
        {"status": {}, "beliefs": [entry("C1", False, "does not lie on it", "per")]},
    )  # fmt: skip
    audit = audit_of(state, aside)
    assert audit.by == "model"
    assert [held.state for held in audit.conditions] == ["verified", "assumed"]
    assert [(f.mode, f.turn, f.quote) for f in audit.failures] == [("bare_assertion", 2, "has a bridge of 1932")]


def test_a_rejected_candidate_is_not_what_was_answered(tmp_path: Path) -> None:
    """The model's last word on it, and an answer without any other candidate: the run ended too early."""
    aside = written(
        tmp_path, {"entries": [entry("C1", True, "lies on the river Aue")]},
        {"status": {"Lindow": "rejected"}, "beliefs": []},
    )  # fmt: skip
    audit = audit_of(journal([("I look.", "river")], "Lindow"), aside)
    assert modes(audit) == {"premature_exit"}


class Shown(Aside):
    """A model that finds nothing in pages and believes one thing, and keeps what it was asked of a thought."""

    def __init__(self, *believed: object) -> None:
        self.thoughts: list[str] = []
        self._believed = believed

    def ask(self, system: str, task: str, *args: object, **options: object) -> str:
        _, there, thought = neutral(task).partition("Thought:\n")
        self.thoughts += [thought] if there else []
        return json.dumps({"status": {}, "beliefs": self._believed} if there else {"entries": []})


def test_what_was_said_before_the_first_search_is_read_too() -> None:
    """A belief that rests on no page: it stands before what the next turn thought, and counts for its own turn."""
    turns = [("Lindow has a bridge of 1932, I know that.", "river"), ("I look on.", "other")]
    shown = Shown(entry("C2", True, "has a bridge of 1932", "per") | {"candidate": ""})
    audit = audit_of(journal(turns, "Lindow", "Lindow lies there [2]."), shown)
    assert shown.thoughts == ["Lindow has a bridge of 1932, I know that.\nI look on.", "Lindow lies there (2)."]
    assert ("bare_assertion", 1) in [(failure.mode, failure.turn) for failure in audit.failures]
    asked = [
        ("Which town on the river Aue has a bridge of 1932? Lindow has a bridge of 1932.", "river"),
        ("On.", "other"),
    ]
    assert modes(audit_of(journal(asked, "Lindow"))) == {
        "premature_exit"
    }  # by rule: it may be the question, said again


def test_calls_that_cannot_be_read_leave_the_audit_to_the_rule(tmp_path: Path) -> None:
    """Nothing is said in the name of a model that wrote nothing of use."""
    state = WRONG["premature_exit"][0]
    audit = audit_of(state, written(tmp_path, *["nothing"] * 4))
    assert replace(audit, by="") == replace(audit_of(state), by="")
    assert audit.by == "ledger"
    bare = journal([("I look.", "river")], "Lindow", kept=False)
    assert audit_of(bare, written(tmp_path, "no", "no")).by == "answer"


def test_a_model_reads_the_document_of_a_run_that_never_searched(tmp_path: Path) -> None:
    """One look, at what the document says and at what was thought and answered."""
    aside = written(
        tmp_path, {"constraints": ["it is Lindow", "it lies on the river Aue"]},
        {"entries": [entry("C2", True, "lies on the river Aue", "obj")]},
        {"status": {"Lindow": "active"}, "beliefs": [entry("C1", True, "Lindow lies", "per")]},
    )  # fmt: skip
    audit = audit_of(from_document(()), aside)
    assert (audit.by, [held.state for held in audit.conditions]) == ("model", ["assumed", "verified"])


def test_a_saved_ledger_of_any_length_is_cut(tmp_path: Path) -> None:
    """A journal may come from anywhere: what the model is asked has no more conditions than a ledger keeps."""
    state = journal([("I look.", "river")], "Lindow")
    state.ledgers[-1] = replace(state.ledgers[-1], conditions=tuple(f"condition {n}" for n in range(500)))
    asked: list[str] = []

    class Listening(Aside):
        def ask(self, system: str, task: str, grammar: str | None = None, *rest: object, **more: object) -> str:
            asked.append(f"{task}\n{grammar}")
            return ""

    script = tmp_path / "script.jsonl"
    script.write_text('{"text": ""}\n')
    audit_of(state, Listening(ScriptedEngine(script).session(), None))
    assert asked
    assert "condition 11" in asked[0]
    assert not any("condition 12" in task for task in asked)
