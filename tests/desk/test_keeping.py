"""The ledger through the desk: a model's beside its own run, a rule's without one, and none at all when it is off."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hds_cli import events
from hds_cli.agent import conditions
from hds_cli.config import Settings
from hds_cli.desk.desk import desk
from hds_cli.desk.keeping import ledger_of
from hds_cli.desk.speaking import load
from hds_cli.desk.verifying import Verifying
from hds_cli.engine.base import ModelSpec
from hds_cli.engine.opening import find_model
from hds_cli.run_state import RunState
from tests.conftest import Hds
from tests.contract.schemas import validate
from tests.engine.test_remote import Served, writes

from .test_desk import Almanac, block

QUESTION = "Which planet has a year of 687 days and is named after a god of war?"
YEAR, GOD = "its year has 687 days", "it is named after a god of war"
FOUND = {"candidate": "Mars", "constraint": "C1", "obj": True, "quote": "The year of Mars has 687 days"}


class Able:
    """A model behind a server: it answers each kind of call by its system text, and counts them."""

    def __init__(self, *turns: str, extracted: str = "", entries: str = "") -> None:
        self.turns, self.calls = list(turns), list[str]()
        self.written = {conditions.EXTRACT: extracted, conditions.EVIDENCE: entries}

    def __call__(self, handler: Any, path: str, body: Any) -> None:
        asked = body["messages"][0]["content"] if "messages" in body else body["prompt"]
        kind = next((system for system in self.written if asked.startswith(system[:60])), "")
        self.calls.append(asked[:60])
        writes(self.written[kind] if kind else self.turns.pop(0))(handler, path, body)


@pytest.fixture
def play(home: Path, tmp_path: Path) -> Iterator[Callable[..., list[events.Event]]]:
    running: list[Served] = []

    def played(able: Able, **more: Any) -> list[events.Event]:
        running.append(Served(able))
        settings = Settings(
            engine="openai", openai_url=running[-1].url, cache_dir=str(tmp_path / "pages"), verify=False, **more
        )
        seen: list[events.Event] = []

        async def go() -> None:
            async with desk(find_model(settings), settings, [Almanac()]) as place:
                await place.answer(QUESTION, seen.append)

        asyncio.run(go())
        return seen

    yield played
    for served in running:
        served.server.shutdown()
        served.server.server_close()


SEARCH = "I look.\n```search\nyear of mars\n```\n"
ANSWER = "Answer: Mars\n\nThe year of Mars has 687 days [1]."
EXTRACTED = json.dumps({"constraints": [YEAR, GOD]})
ENTRIES = json.dumps({"entries": [FOUND]})


def test_a_model_keeps_the_ledger_beside_its_run(play: Callable[..., list[events.Event]]) -> None:
    """Three kinds of call to one server; its tokens count; the answer is given back for what is open, twice."""
    able = Able(SEARCH, ANSWER, ANSWER, ANSWER, extracted=EXTRACTED, entries=ENTRIES)
    seen = play(able, ledger="gate")
    state = RunState.of(seen)
    assert [(row.constraint, row.state, row.candidate) for row in state.ledger] == [
        (YEAR, "verified", "Mars"), (GOD, "unchecked", "Mars"),
    ]  # fmt: skip
    assert state.finished is not None
    assert state.finished.answer == "Mars"
    assert len(able.calls) == 6
    assert [event.by for event in state.ledgers] == ["model"] * 3


def test_nothing_is_asked_when_it_is_off(play: Callable[..., list[events.Event]]) -> None:
    """The default: no call beside the two of the run, no event more, no token more."""
    able = Able(SEARCH, ANSWER)
    seen = play(able)
    assert len(able.calls) == 2
    assert not [event for event in seen if isinstance(event, events.LedgerUpdated)]
    assert RunState.of(seen).ledger == []


def test_a_question_without_two_conditions_costs_one_call(play: Callable[..., list[events.Event]]) -> None:
    """And leaves no trace in the run."""
    able = Able(SEARCH, ANSWER, extracted=json.dumps({"constraints": [YEAR]}))
    seen = play(able, ledger="gate")
    assert len(able.calls) == 3
    assert not [event for event in seen if isinstance(event, events.LedgerUpdated)]


def test_a_budget_without_room_for_the_calls_leaves_the_ledger_to_the_rule(
    play: Callable[..., list[events.Event]],
) -> None:
    """A call would take more than a small part of a thousand tokens, and of twenty thousand it would not."""
    for budget, asked in (("1k", 0), ("20k", 2)):
        able = Able(SEARCH, ANSWER, ANSWER, extracted=EXTRACTED, entries=ENTRIES)
        play(able, ledger="show", budget=budget)
        of_ledger = [call for call in able.calls if any(system.startswith(call) for system in able.written)]
        assert len(of_ledger) == asked, budget


def test_a_budget_of_time_bounds_the_calls_of_a_turn(home: Path) -> None:
    """A quarter of it, and a minute at most; the method's own time is a third of a minute more."""
    served = Served(Able())
    try:
        took = {}
        for budget in ("40s", "1h", None):
            settings = Settings(engine="openai", openai_url=served.url, budget=budget)
            model = load(find_model(settings), settings)
            ledger = ledger_of(model, model.engine.session(), settings, Verifying(settings, model), None)
            took[budget] = ledger.seconds
    finally:
        served.server.shutdown()
        served.server.server_close()
    assert took == {"40s": 30.0, "1h": 80.0, None: 80.0}


def test_what_a_model_writes_there_never_loses_an_answer(play: Callable[..., list[events.Event]]) -> None:
    """Nonsense, nothing, and JSON of another kind: the question is answered all the same."""
    for nonsense in ("", "I would rather not.", "[1, 2]", '{"constraints": 3}', "{" * 2000, '{"entries": [[]]}'):
        seen = play(Able(SEARCH, ANSWER, ANSWER, ANSWER, extracted=nonsense, entries=nonsense), ledger="gate")
        finished = RunState.of(seen).finished
        assert finished is not None
        assert (finished.status, finished.answer) == ("answered", "Mars"), nonsense


def test_a_report_keeps_no_ledger(home: Path, tmp_path: Path) -> None:
    """Its sections are researched for one thing each: a part of something larger has none."""
    from hds_cli.agent.evidence import Numbers
    from hds_cli.desk.desk import Part

    path = tmp_path / "s.jsonl"
    path.write_text(
        "".join(json.dumps({"text": t}) + "\n" for t in (block("mars"), "x\n</think>\n\n\\boxed{687 days}"))
    )
    settings = Settings(engine="scripted", model=str(path), cache_dir=str(tmp_path / "p"), ledger="gate")
    seen: list[events.Event] = []

    async def go() -> None:
        async with desk(ModelSpec("s", path, dialect="hds"), settings, [Almanac()]) as place:
            await place.answer("Years of Venus, Mars and Jupiter?", seen.append, part=Part(Numbers()))

    asyncio.run(go())
    assert not [event for event in seen if isinstance(event, events.LedgerUpdated)]


# --- the installed command -------------------------------------------------------------------------------------------

CAPITALS = "What are the capitals of Norway, Sweden and Finland?"
THOUGHT = "<think>\nI need {0}.\n</think>\n\n<|begin_search_queries|>\ncapital of {0}\n<|end_search_queries|>"
EARLY = "x\n</think>\n\nIt is Oslo [1].\n\n\\boxed{Oslo}"
END = "x\n</think>\n\nOslo [1], Stockholm [2] and Helsinki [3].\n\n\\boxed{Oslo, Stockholm and Helsinki}"


@pytest.fixture
def notes(hds: Hds, tmp_path: Path) -> Hds:
    folder = tmp_path / "notes"
    folder.mkdir()
    for name, capital in (("norway", "Oslo"), ("sweden", "Stockholm"), ("finland", "Helsinki")):
        (folder / f"{name}.md").write_text(f"# {name.title()}\n\nThe capital of {name.title()} is {capital}.\n")
    assert hds("index", "add", str(folder)).returncode == 0
    return hds


def test_a_run_that_stops_early_is_sent_back_and_replays(notes: Hds, script: Callable[..., str]) -> None:
    """Off, show and gate over one script; the journal shows the same ledger again."""
    one = [THOUGHT.format("Norway"), EARLY]
    lines = {"off": one, "show": one, "gate": [*one, THOUGHT.format("Sweden"), EARLY, THOUGHT.format("Finland"), END]}
    documents: dict[str, Any] = {}
    for arm, texts in lines.items():
        done = notes(
            "ask", "-n", "-e", "scripted", "-m", script(*texts), "-s", "notes", "--offline", "--json", "--top-k", "1",
            CAPITALS, *{"off": ["--no-ledger"], "gate": ["--ledger"]}.get(arm, []), env={"HDS_LEDGER": "show"},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        documents[arm] = json.loads(done.stdout)
        validate(documents[arm])
    states = {arm: [row["state"] for row in document["ledger"]] for arm, document in documents.items()}
    assert states == {
        "off": [], "show": ["verified", "unchecked", "unchecked"], "gate": ["verified", "verified", "verified"],
    }  # fmt: skip
    assert documents["gate"]["answer"] == "Oslo, Stockholm and Helsinki"
    again = json.loads(notes("history", "show", "last", "--json").stdout)
    assert again["ledger"] == documents["gate"]["ledger"]
    assert "3 of 3 conditions verified" in notes("history", "export", "last").stdout


def test_a_run_that_is_resumed_has_the_ledger_of_its_finished_turns(
    notes: Hds, script: Callable[..., str], home: Path
) -> None:
    """Killed after its first turn: the second goes on with what the first verified."""
    ask = ["ask", "-n", "-e", "scripted", "-s", "notes", "--offline", "--jsonl", "--top-k", "1"]
    two = "x\n</think>\n\nOslo [1] and Stockholm [2].\n\n\\boxed{Oslo and Stockholm}"
    first = [THOUGHT.format("Norway"), THOUGHT.format("Sweden"), two]
    assert notes(*ask, "-m", script(*first), CAPITALS, env={"HDS_LEDGER": "show"}).returncode == 0
    (journal,) = (home / "data" / "runs").glob("*.jsonl") if (home / "data").exists() else home.rglob("*.jsonl")
    rows = journal.read_text().splitlines(keepends=True)
    end = next(n for n, row in enumerate(rows) if '"event": "turn_finished"' in row)
    journal.write_text("".join(rows[: end + 1]))
    done = notes("ask", "-n", "--jsonl", "-m", script(*first[1:]), "--resume", "last")
    assert done.returncode == 0, done.stderr
    seen = [events.from_dict(json.loads(row)) for row in done.stdout.splitlines()]
    kept = [event for event in seen if isinstance(event, events.LedgerUpdated)]
    assert [event.turn for event in kept] == [0, 1, 2, 2]
    assert [row.state for row in RunState.of(seen).ledger] == ["verified", "verified", "unchecked"]
