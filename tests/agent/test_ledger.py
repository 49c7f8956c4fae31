"""The ledger of a run: its conditions, what settles them, and what an answer that leaves some open is told."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from hds_cli import events
from hds_cli.agent import conditions
from hds_cli.agent import protocol as p
from hds_cli.agent.aside import Aside
from hds_cli.agent.asserted import asserted
from hds_cli.agent.dialects import Written
from hds_cli.agent.ledger import Entry, Ledger
from hds_cli.agent.methods.ledger import LiveLedger
from hds_cli.agent.methods.reading import evidence_task
from hds_cli.agent.named import by_rule
from hds_cli.agent.verdict import Verdict
from hds_cli.agent.verifying import Odds
from hds_cli.engine.scripted import ScriptedEngine, ScriptedSession
from hds_cli.errors import ModelMissing
from hds_cli.run_state import RunState
from hds_cli.types import Citation, Passage, Support

from .test_methods import QUESTION, block, box, play, queries

CONDITIONS = ["the composer of Rusalka", "Rusalka was first performed on a certain day"]
COMPOSER = {"candidate": "", "constraint": "C1", "obj": True, "quote": "an opera by Antonín Dvořák"}
PREMIERE = {"candidate": "", "constraint": "C2", "obj": True, "quote": "first given on 31 March 1901"}


def written(name: str, found: object) -> str:
    return json.dumps({name: found}, ensure_ascii=False)


def kept(tmp_path: Path, *texts: str, **options: object) -> LiveLedger:
    """A ledger whose model writes these texts, one a call."""
    path = tmp_path / "ledger.jsonl"
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    session = ScriptedEngine(path).session()
    return LiveLedger(Aside(session, None), session, **options)  # type: ignore[arg-type]


def ledgers(seen: Sequence[events.Event]) -> list[events.LedgerUpdated]:
    return [event for event in seen if isinstance(event, events.LedgerUpdated)]


def states(seen: Sequence[events.Event]) -> list[str]:
    return [row.state for row in RunState.of(seen).ledger]


def test_the_model_is_shown_what_is_open_and_the_end_says_so(tmp_path: Path) -> None:
    """Two conditions, one settled: the note stands in the results block, the warning under the answer."""
    method = kept(tmp_path, written("constraints", CONDITIONS), written("entries", [COMPOSER]))
    finished, seen, text = play(tmp_path, [block("rusalka composer"), box("Antonín Dvořák")], method)
    assert finished.status == "answered"
    assert queries(seen) == ["rusalka composer"]
    assert f"Still open: {CONDITIONS[1]}.\n{p.END_RESULTS}" in text
    assert [event.turn for event in ledgers(seen)] == [0, 1, 1]
    assert states(seen) == ["verified", "unchecked"]
    row = RunState.of(seen).ledger[0]
    assert (row.quote, row.url) == ("an opera by Antonín Dvořák", "m:rusalka")
    said = [event.message for event in seen if isinstance(event, events.Notice) and event.code == "ledger"]
    assert said == [f"1 of 2 conditions of the question are verified; open: {CONDITIONS[1]}"]


def test_an_answer_that_leaves_a_condition_open_is_given_back(tmp_path: Path) -> None:
    """The run stops early; with the gate it searches the open condition, and ends with both verified."""
    method = kept(
        tmp_path, written("constraints", CONDITIONS), written("entries", [COMPOSER]), written("entries", [PREMIERE]),
        gate=True,
    )  # fmt: skip
    script = [block("rusalka composer"), box("Antonín Dvořák"), block("premiere"), box("Dvořák, 31 March 1901")]
    finished, seen, text = play(tmp_path, script, method)
    assert queries(seen) == ["rusalka composer", "premiere"]
    assert f"No page that was read says yet: {CONDITIONS[1]}. Search for this before you answer." in text
    assert (finished.status, finished.answer) == ("answered", "Dvořák, 31 March 1901")
    assert states(seen) == ["verified", "verified"]
    assert not [event for event in seen if isinstance(event, events.Notice) and event.code == "ledger"]


def test_an_answer_is_not_lost_by_being_given_back(tmp_path: Path) -> None:
    """The model gives up when it is sent back: what it answered before stands."""
    entries = written("entries", [COMPOSER])
    method = kept(tmp_path, written("constraints", CONDITIONS), entries, gate=True)
    script = [block("rusalka composer"), box("Antonín Dvořák"), box("not found"), box("not found")]
    finished, _, _ = play(tmp_path, script, method)
    assert (finished.status, finished.answer) == ("answered", "Antonín Dvořák")


def test_a_quote_that_stands_in_no_page_settles_nothing(tmp_path: Path) -> None:
    """Neither one that was made up, nor a single word, nor one for a condition that there is not."""
    made_up = COMPOSER | {"quote": "composed by Bedřich Smetana"}
    lone, strange = PREMIERE | {"quote": "Rusalka"}, PREMIERE | {"constraint": "C7"}
    method = kept(tmp_path, written("constraints", CONDITIONS), written("entries", [made_up, lone, strange]))
    _, seen, _ = play(tmp_path, [block("rusalka"), box("Antonín Dvořák")], method)
    assert states(seen) == ["unchecked", "unchecked"]
    assert ledgers(seen)[1].missed == 2


def test_what_a_page_denies_is_named_first(tmp_path: Path) -> None:
    """A refuted condition reopens the search as an open one does."""
    method = kept(
        tmp_path, written("constraints", CONDITIONS), written("entries", [COMPOSER | {"obj": False}]),
        written("entries", []), gate=True,
    )  # fmt: skip
    script = [block("rusalka composer"), box("Smetana"), block("premiere"), *[box("Smetana")] * 2]
    _, seen, text = play(tmp_path, script, method)
    assert f"A page denies: {CONDITIONS[0]}. No page that was read says yet: {CONDITIONS[1]}." in text
    assert states(seen) == ["refuted", "unchecked"]


@pytest.mark.parametrize(("level", "word"), [("unsourced", "no page has"), ("contradicted", "says otherwise")])
def test_a_grade_and_the_ledger_do_not_differ_without_a_word(tmp_path: Path, level: str, word: str) -> None:
    """Verified by a quote that was found, weak by its words: the reader is told where the model reads it."""
    _, method, book = told(tmp_path, [CANDIDATE])
    book.read.append(("q", ORE))
    method.read(1, book)
    weak = Support("Narvik is a port for iron ore.", level)  # type: ignore[arg-type]
    sound = Support("It is a port for iron ore, Narvik.", "quoted")
    cited = (Citation(1, ORE.url, ORE.title, "Iron ore is shipped", True, None, 1),)
    verdict = Verdict("answered", 0, answer="Narvik", text="Narvik …", support=(weak, sound), citations=cited)
    said = [warning.message for warning in method.judged(verdict, book).warnings]
    assert f"{word}" in said[0]
    assert said[0].endswith("but the ledger has it from [1] “Iron ore is shipped from Narvik”")
    assert len(said) == 2  # and the count of what is open


def test_a_question_with_one_condition_has_no_ledger(tmp_path: Path) -> None:
    """No note to the model, no further call, and whoever asked for a ledger is told that there is none."""
    method = kept(tmp_path, written("constraints", CONDITIONS[:1]), gate=True)
    finished, seen, text = play(tmp_path, [block("rusalka"), box("Antonín Dvořák")], method)
    assert finished.status == "answered"
    assert ledgers(seen) == []
    assert "Ledger" not in text
    said = [event.message for event in seen if isinstance(event, events.Notice) and event.code == "no_ledger"]
    assert said == ["no ledger: the question has one condition only"]


def test_a_malformed_call_is_made_once_more_and_then_left(tmp_path: Path) -> None:
    """The complaint is told; two failures leave the question to the rule, and here it lists nothing."""
    right = written("constraints", CONDITIONS)
    method = kept(tmp_path, "I think there are two.", right, "none", "{}")
    finished, seen, _ = play(tmp_path, [block("rusalka"), box("Antonín Dvořák")], method)
    assert finished.status == "answered"
    assert states(seen) == ["unchecked", "unchecked"]
    method = kept(tmp_path, "no", "{}", gate=True)
    finished, seen, _ = play(tmp_path, [block("rusalka"), box("Antonín Dvořák")], method)
    assert (finished.status, ledgers(seen)) == ("answered", [])


def test_a_page_adds_no_condition(tmp_path: Path) -> None:
    """The first call reads the question alone, and what a page orders is at most a quote."""
    order = PREMIERE | {"quote": "first given on 31 March 1901", "constraint": "C3"}
    added = json.dumps({"entries": [order], "constraints": ["the answer names a bank account"]})
    method = kept(tmp_path, written("constraints", CONDITIONS), added, added)
    session = method._session
    _, seen, _ = play(tmp_path, [block("premiere"), box("Antonín Dvořák")], method)
    assert [event.conditions for event in ledgers(seen)] == [tuple(CONDITIONS)] * 3
    assert session is not None


class Sure:
    """A verifier that is sure of the opposite of everything."""

    sure_supported = sure_contradicted = 0.9

    def verify(self, passages: object, claims: Sequence[Sequence[str]], late: object) -> list[list[Odds]]:
        return [[Odds(0.01, 0.98, 0.01) for _ in of] for of in claims]

    def close(self) -> None: ...


def test_an_entry_that_the_verifier_denies_stays_open(tmp_path: Path) -> None:
    """Its quote stands in the page, and says something else; a verifier that is not installed changes nothing."""
    texts = written("constraints", CONDITIONS), written("entries", [COMPOSER])
    script = [block("rusalka composer"), box("Antonín Dvořák")]
    _, seen, _ = play(tmp_path, script, kept(tmp_path, *texts, verifier=Sure))
    assert states(seen) == ["unchecked", "unchecked"]

    def missing() -> Sure:
        raise ModelMissing("there is none")

    _, seen, _ = play(tmp_path, script, kept(tmp_path, *texts, verifier=missing))
    assert states(seen) == ["verified", "unchecked"]


def test_a_condition_that_the_answer_takes_for_true_is_assumed(tmp_path: Path) -> None:
    """It says so, and no page does."""
    method = kept(tmp_path, written("constraints", CONDITIONS), written("entries", [COMPOSER]))
    said = "Rusalka was first performed on a certain day in Prague."
    _, seen, _ = play(tmp_path, [block("rusalka composer"), box("Antonín Dvořák", said)], method)
    assert states(seen) == ["verified", "assumed"]
    assert RunState.of(seen).ledger[1].quote == said


def test_a_run_that_goes_on_keeps_its_ledger(tmp_path: Path) -> None:
    """No second call for the conditions, and what was verified stays so."""
    rows = Ledger(CONDITIONS)
    rows.put(Entry("", 1, True, "an opera by Antonín Dvořák", "m:rusalka"))
    before = events.LedgerUpdated(turn=1, conditions=tuple(CONDITIONS), rows=rows.rows(), by="model")
    method = kept(tmp_path, written("entries", [PREMIERE]), before=before)
    _, seen, _ = play(tmp_path, [block("premiere"), box("Dvořák")], method)
    assert [event.turn for event in ledgers(seen)] == [1, 1]
    assert states(seen) == ["verified", "verified"]


class Shown(Aside):
    """A model that finds nothing in the passages it is shown, and notes them; `fails`: calls that have no answer."""

    def __init__(self, session: ScriptedSession, fails: int = 0) -> None:
        super().__init__(session, None)
        self.read: list[list[str]] = []
        self._fails = fails

    def ask(self, system: str, task: str, *args: object, **options: object) -> str:
        if system == conditions.EXTRACT:
            return written("constraints", CONDITIONS)
        self.read.append(re.findall(r"^\d+\. (\w+):", task, re.MULTILINE))
        return "" if len(self.read) <= self._fails else written("entries", [])


def reading(tmp_path: Path, fails: int = 0, before: Sequence[tuple[str, Passage]] = ()) -> tuple[Shown, Any, Any]:
    """A model that is shown passages; a function that has the ledger read a turn; the notebook."""
    path = tmp_path / "none.jsonl"
    path.write_text("")
    session = ScriptedEngine(path).session()
    shown = Shown(session, fails)
    book = SimpleNamespace(read=list(before), queries=[], question=QUESTION)
    method = LiveLedger(shown, session)
    method.began(QUESTION, book)  # type: ignore[arg-type]
    return shown, lambda turn: method.read(turn, book), book  # type: ignore[arg-type]


def passages(query: str, count: int) -> list[tuple[str, Passage]]:
    return [(query, Passage(f"m:{query}{n}", f"{query}{n}", f"Text {n} of {query}.")) for n in range(count)]


def test_every_query_of_a_wide_turn_is_read_and_the_rest_in_the_next(tmp_path: Path) -> None:
    """Four queries of five passages: three of each at once, then what the next turn found, then the other eight."""
    shown, read, book = reading(tmp_path)
    book.read += [one for query in "abcd" for one in passages(query, 5)]
    read(1)
    book.read += passages("e", 2)
    read(2)
    read(3)
    assert shown.read == [
        [f"{query}{n}" for n in range(3) for query in "abcd"],
        ["e0", "e1", *(f"{query}{n}" for n in (3, 4) for query in "abcd")],
    ]


def test_few_long_passages_are_shown_longer_than_many() -> None:
    """The words of a call are shared among the passages that it reads."""
    ledger = Ledger(["it has a bridge of 1932", "it lies by the sea"])
    long = Passage("https://e.example/a", "A", " ".join(f"word{n}." for n in range(900)))
    alone = evidence_task(ledger, "Which town?", [long])
    beside = evidence_task(ledger, "Which town?", [long] * 12)
    assert alone.count("word") > 800
    assert beside.count("word") / 12 < 200


def test_all_sections_of_a_passage_are_shown_where_they_fit() -> None:
    """Also those that share no word with the conditions, which may be in another language."""
    ledger = Ledger(["er ist ein Hafen", "er liegt an einem Fjord"])
    text = "## Contents\n\n- History\n\n## History\n\nA port of 1902.\n\n## Geography\n\nIt lies on the Ofotfjord."
    assert "## Geography It lies on the Ofotfjord." in evidence_task(ledger, "Welcher?", [Passage("m:a", "A", text)])
    long = f"{text} It has a harbour. ## End\n\n{'It is far. ' * 900}"
    assert "Ofotfjord" in evidence_task(ledger, "Welcher?", [Passage("m:a", "A", long)])


def test_what_was_known_before_is_read_behind_what_a_turn_finds(tmp_path: Path) -> None:
    """The passages of an earlier run or of documents would fill the first call by themselves."""
    shown, read, book = reading(tmp_path, before=passages("old", 20))
    book.read += passages("new", 3)
    read(1)
    assert shown.read[0] == ["new0", "new1", "new2", *(f"old{n}" for n in range(9))]


def test_what_a_call_without_an_answer_was_shown_is_shown_again(tmp_path: Path) -> None:
    """It was late, or twice of no use: its passages are still unread."""
    shown, read, book = reading(tmp_path, fails=1)
    book.read += passages("a", 2)
    read(1)
    read(2)
    read(3)
    assert shown.read == [["a0", "a1"], ["a0", "a1"]]


class Told(Aside):
    """A model that writes entries call by call, and keeps its tasks."""

    def __init__(self, session: ScriptedSession, *entries: list[dict[str, object]]) -> None:
        super().__init__(session, None)
        self.tasks: list[str] = []
        self._entries = list(entries)

    def ask(self, system: str, task: str, *args: object, **options: object) -> str:
        if system == conditions.EXTRACT:
            return written("constraints", PORT)
        self.tasks.append(task)
        return written("entries", self._entries.pop(0) if self._entries else [])


PORT = ["it is a port for iron ore", "it was founded in 1902"]
FOUNDED = Passage("m:a", "Towns of the coast", "Narvik was founded in 1902. Mosjøen was founded in 1875.")
ELSEWHERE = [(f"q{n}", Passage(f"m:x{n}", f"X{n}", f"Town {n} was founded in 18{n:02}.")) for n in range(11)]
ORE = Passage("m:b", "Ofoten line", "Iron ore is shipped from Narvik, a port.")
CANDIDATE = {"candidate": "Narvik", "constraint": "C1", "obj": True, "quote": "Iron ore is shipped from Narvik"}


def told(tmp_path: Path, *entries: list[dict[str, object]], **options: object) -> tuple[Told, LiveLedger, Any]:
    path = tmp_path / "none.jsonl"
    path.write_text("")
    session = ScriptedEngine(path).session()
    model, book = Told(session, *entries), SimpleNamespace(read=[], queries=[], question="Which port?")
    method = LiveLedger(model, session, **options)  # type: ignore[arg-type]
    method.began("Which port for iron ore was founded in 1902?", book)  # type: ignore[arg-type]
    return model, method, book


def test_a_passage_from_before_its_candidate_was_known_is_read_again(tmp_path: Path) -> None:
    """Only a passage of turn 1 settles what is open for a candidate of turn 2: it is read beside those of turn 3."""
    date = {"candidate": "Narvik", "constraint": "C2", "obj": True, "quote": "Narvik was founded in 1902"}
    model, method, book = told(tmp_path, [], [CANDIDATE], [date])
    for turn, found in enumerate(
        [[("q", FOUNDED), *ELSEWHERE], [("q", ORE)], passages("new", 1), passages("on", 1)], 1
    ):
        book.read += found
        notes = method.read(turn, book)
    assert FOUNDED.text not in model.tasks[1]
    assert re.findall(r"^\d+\. ([^:]+):", model.tasks[2], re.MULTILINE) == ["new0", "Towns of the coast"]
    assert FOUNDED.text not in model.tasks[3]  # once for a candidate
    assert "2 of 2 conditions" in notes[0].text


def test_passages_that_are_read_again_take_no_more_room_than_a_call_has(tmp_path: Path) -> None:
    """Twenty of which each names the candidate: four are read again, and all that a call reads stays twelve."""
    model, method, book = told(tmp_path, [], [], [CANDIDATE])
    known = [("q", Passage(f"m:{n}", f"T{n}", f"Narvik, number {n}, was founded in 1902.")) for n in range(20)]
    for turn, found in enumerate([known[:12], known[12:], [("q", ORE)], passages("new", 20), []], 1):
        book.read += found
        method.read(turn, book)
    read = re.findall(r"^\d+\. (\w+):", model.tasks[3], re.MULTILINE)
    assert read[:8] == [f"new{n}" for n in range(8)]
    assert len(read) == 12
    assert re.findall(r"^\d+\. (new\w+):", model.tasks[4], re.MULTILINE) == [f"new{n}" for n in range(8, 20)][:8]


def test_an_answer_is_given_back_only_after_what_was_read_is_read_again(tmp_path: Path) -> None:
    """The last search brought the candidate; what is open for it stands in a passage of the first one."""
    date = {"candidate": "Narvik", "constraint": "C2", "obj": True, "quote": "Narvik was founded in 1902"}
    model, method, book = told(tmp_path, [], [CANDIDATE], [date], gate=True)
    for turn, found in enumerate([[("q", FOUNDED)], [("q", ORE)]], 1):
        book.read += found
        method.read(turn, book)
    assert method.may_end(Written("", answer="Narvik"), book) is None
    assert len(model.tasks) == 3


def test_the_model_is_told_which_quotes_stand_in_no_page(tmp_path: Path) -> None:
    """A line each in the next call, where the passage that they are like is read again; then no more."""
    wrong = {"candidate": "Narvik", "constraint": "C2", "obj": True, "quote": "Narvik has been founded in 1902"}
    model, method, book = told(tmp_path, [wrong, *[wrong | {"quote": "made up " + "x" * 200}] * 8], [])
    for turn, found in enumerate([[("q", FOUNDED)], [("q", ORE)], passages("new", 1)], 1):
        book.read += found
        method.read(turn, book)
    *_, tail = model.tasks[1].partition("Not entered last time, as the quote stands in no passage:\n")
    lines = tail.partition("\n\n")[0].split("\n")
    assert lines[0] == "- Narvik, C2: Narvik has been founded in 1902"
    assert len(lines) == 5
    assert max(map(len, lines)) < 150
    assert FOUNDED.text in tail
    assert "Not entered" not in model.tasks[0] + model.tasks[2]


# --- without a model -------------------------------------------------------------------------------------------------

LIST = "What are the capitals of Peru, Chile, Bolivia and Ecuador?"
READ = [
    Passage("m:peru", "Peru", "Peru is a country. Its capital is Lima."),
    Passage("m:chile", "Chile", "Santiago is the capital of Chile."),
    Passage("m:bolivia", "Bolivia", "Bolivia exports tin and gas."),
]


def test_a_rule_keeps_the_list_of_a_question() -> None:
    """Two of four: a page that names the thing and not what is asked of it settles nothing."""
    ledger = by_rule(LIST, (), READ)
    assert ledger is not None
    assert ledger.conditions == ("Peru", "Chile", "Bolivia", "Ecuador")
    assert [ledger.conditions[n - 1] for n in ledger.open("")] == ["Bolivia", "Ecuador"]
    assert [row.quote for row in ledger.rows()] == ["Its capital is Lima.", "Santiago is the capital of Chile."]
    assert by_rule("Who wrote Dracula?", (), READ) is None


def test_a_name_in_passing_settles_nothing() -> None:
    """The line on the coast of Lithuania says nothing of Latvia, which another line of the passage names."""
    text = "Land boundaries: Latvia 544 km; Poland 100 km\nCoastline: 90 km"
    ledger = by_rule("How long are the coastlines of Lithuania, Latvia and Poland?", (), [
        Passage("m:lt", "Lithuania", text, heading="Geography"),
    ])  # fmt: skip
    assert ledger is not None
    assert [(row.constraint, row.quote) for row in ledger.rows()] == [("Lithuania", "Coastline: 90 km")]


def test_a_rule_takes_the_list_from_the_queries_where_the_question_has_none() -> None:
    """`capital of Peru`, `capital of Chile`, … are queries of one kind."""
    names = ("Peru", "Chile", "Bolivia")
    ledger = by_rule("Which Andean capital is highest?", [f"capital of {name}" for name in names], READ)
    assert ledger is not None
    assert (ledger.conditions, ledger.open("")) == (names, [3])


def test_without_a_model_the_gate_holds_a_list_together(tmp_path: Path) -> None:
    """What was not read on is named to the model."""
    method = LiveLedger(None, gate=True)
    method.say = lambda kind, **values: None
    book = type("Book", (), {"question": LIST, "queries": [], "read": [("q", passage) for passage in READ]})()
    method.began(LIST, book)
    assert [note.text for note in method.read(1, book)] == [
        "Ledger: 2 of 4 conditions of the question are verified.", "Verified: Peru; Chile.",
        "Still open: Bolivia; Ecuador.",
    ]  # fmt: skip
    reason = method.may_end(Written("", answer="Lima and Santiago"), book)
    assert reason == "No page that was read says yet: Bolivia; Ecuador. Search for this before you answer."


# --- the parts -------------------------------------------------------------------------------------------------------


def test_candidates_are_one_by_their_names() -> None:
    """Case, dashes and a longer form make no second candidate; a condition of the whole counts for each."""
    ledger = Ledger(["a", "b", "c"])
    for name, number, holds in (
        ("Saint-Étienne", 1, True),
        ("SAINT ÉTIENNE", 2, True),
        ("", 3, True),
        ("Lyon", 1, False),
    ):
        ledger.put(Entry(name, number, holds, "q", "u"))
    assert ledger.candidates == ["Saint-Étienne", "", "Lyon"]
    assert (ledger.best(), ledger.open("Saint-Étienne"), ledger.refuted("Lyon")) == ("Saint-Étienne", [], [1])
    assert ledger.named("It is Saint-Étienne.") == ["Saint-Étienne"]
    assert ledger.named("It is Paris.") == [""]
    assert not ledger.put(Entry("Lyon", 4, True, "q", "u"))
    assert Ledger.restored(ledger.conditions, ledger.rows()).rows() == ledger.rows()


def test_a_later_entry_takes_the_place_of_an_earlier_one() -> None:
    """A page that contradicts another is the newer word; there is room for so many candidates."""
    ledger = Ledger(["a", "b"])
    ledger.put(Entry("x", 1, True, "q", "u"))
    ledger.put(Entry("x", 1, False, "r", "v"))
    assert [row.state for row in ledger.rows()] == ["refuted"]
    assert [ledger.put(Entry(f"candidate {n}", 1, True, "q", "u")) for n in range(20)].count(True) == 11


@pytest.mark.parametrize(
    ("condition", "plan", "said"),
    [
        (
            "die Brücke wurde 1932 eröffnet",
            "Ich muss prüfen, ob die Brücke 1932 eröffnet wurde.",
            "Die Brücke wurde 1932 eröffnet.",
        ),
        ("el puente se abrió en 1932", "Quizá el puente se abrió en 1932.", "El puente se abrió en 1932."),
        (
            "le pont a été ouvert en 1932",
            "Il faut vérifier que le pont a été ouvert en 1932.",
            "Le pont a été ouvert en 1932.",
        ),
        ("il ponte fu aperto nel 1932", "Forse il ponte fu aperto nel 1932.", "Il ponte fu aperto nel 1932."),
    ],
)
def test_a_plan_is_none_in_other_languages_either(condition: str, plan: str, said: str) -> None:
    assert asserted(condition, plan) is None
    found = asserted(condition, said)
    assert found is not None
    assert found.holds


@pytest.mark.parametrize(
    ("said", "means"),
    [
        ("The bridge was opened in 1932.", True),
        ("The bridge was not opened in 1932.", False),
        ("I need to check whether the bridge was opened in 1932.", None),
        ("Was the bridge opened in 1932?", None),
        ("The bridge was opened in 1931.", None),
        ("The bridge is long.", None),
    ],
)
def test_a_belief_is_neither_a_plan_nor_a_question(said: str, means: bool | None) -> None:
    """Nor what has another figure."""
    found = asserted("the bridge was opened in 1932", f"Something else. {said}")
    assert (found.holds if found else None) is means


def test_conditions_that_say_the_same_are_one() -> None:
    """Four words of five in common are too many; blanks and markers go, and what the question does not mention."""
    found = ["it lies on  a river", "It lies on a river", "<|im_start|>it is a capital", 7, "x", "the author of Emma"]
    asked = "Which capital lies on a river?"
    kept = conditions.constraints(written("constraints", found), asked)
    assert kept == ["it lies on a river", "‹|im_start|›it is a capital"]
