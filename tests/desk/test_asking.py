"""Single tasks beside a run: they end with it, what they cost is its own, and without an answer it goes on."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from hds_cli import events
from hds_cli.agent.aside import counted, move
from hds_cli.agent.loop import Stop
from hds_cli.config import Settings
from hds_cli.desk import methods
from hds_cli.desk.desk import desk
from hds_cli.desk.methods import Beside, asking
from hds_cli.engine.base import Counter, ModelSpec
from hds_cli.engine.scripted import ScriptedEngine
from hds_cli.errors import ModelError
from tests.desk.test_desk import ANSWER, Almanac, block

Model = Callable[..., Any]


@pytest.fixture
def model(tmp_path: Path) -> Model:
    def made(text: str = "chosen", pace: float | None = None) -> Any:
        path = tmp_path / "asked.jsonl"
        path.write_text(json.dumps({"text": text} | ({"chars_per_second": pace} if pace else {})))
        return SimpleNamespace(engine=ScriptedEngine(path))

    return made


def test_a_call_ends_soon_after_the_run_is_stopped(model: Model) -> None:
    """The answer would take a hundred seconds; the stop comes after a tenth of one."""
    began = time.monotonic()
    ask = asking(model("x" * 1000, 10.0), "s", "", 1000, 60.0, Beside(lambda: time.monotonic() > began + 0.1))
    assert ask("task") == ""
    assert time.monotonic() - began < 10
    assert ask("task") == ""  # and none is begun any more


def test_it_is_told_why_there_is_no_answer(model: Model) -> None:
    """No budget for it, a task that is longer than the context, and an empty answer."""
    said: list[str] = []
    assert asking(model(), "s", "", 10, 60.0, Beside(affords=lambda tokens: False), said.append)("task") == ""
    assert asking(model(), "s", "", 10, 60.0, why=said.append)("task " * 200_000) == ""
    assert asking(model(""), "s", "", 10, 60.0, why=said.append)("task") == ""
    assert ["--budget" in said[0], "--n-ctx" in said[1], said[2]] == [True, True, "it gave no answer of use"]


def test_the_tokens_of_a_call_are_those_of_the_run(model: Model) -> None:
    """All four counts, as far as the engine has them; an answer that is of no use costs the same."""
    run = Counter(prompt=1, evaluated=1)
    assert asking(model("chosen"), "system", "", 100, 60.0, Beside(counter=run))("task") == "chosen"
    assert run.generated == 2
    assert run.prompt > 3
    assert run.prompt + run.generated == run.evaluated + run.reused


def test_counts_are_added_once(model: Model) -> None:
    """What was moved is not there any more, and what a session did before does not count."""
    session = model().engine.session()
    session.counter.prompt = 40
    total = Counter(prompt=2)
    with counted(session, total):
        session.counter.prompt += 5
    spent = Counter(prompt=3, generated=1)
    for _ in range(2):
        move(spent, total)
    assert (total.prompt, total.generated) == (10, 1)


def test_what_the_budget_has_no_room_for_is_not_asked(model: Model) -> None:
    """The tokens are those of the instructions and the task, four characters each."""
    seen: list[int] = []

    def affords(tokens: int) -> bool:
        seen.append(tokens)
        return False

    def none() -> None:
        raise AssertionError("no session is opened")

    opened = SimpleNamespace(engine=SimpleNamespace(session=none))
    assert asking(opened, "s" * 40, "", 9, 60.0, Beside(affords=affords))("t" * 400) == ""  # type: ignore[arg-type]
    assert seen == [110]


@pytest.mark.parametrize("broken", ["session", "chat_template"])
def test_a_model_that_fails_has_no_answer(model: Model, monkeypatch: pytest.MonkeyPatch, broken: str) -> None:
    """No room for another session, or a template that does not render."""

    def fails(self: object) -> None:
        raise ModelError("no room")

    made = model()
    monkeypatch.setattr(ScriptedEngine, broken, fails)
    assert asking(made, "s", "", 9, 60.0)("task") == ""


def ran(tmp_path: Path, lines: Sequence[str], stop: Stop | None = None, **more: Any) -> list[events.Event]:
    path = tmp_path / "s.jsonl"
    path.write_text("".join(json.dumps({"text": line}) + "\n" for line in lines))
    settings = Settings(engine="scripted", model=str(path), cache_dir=str(tmp_path / "pages"), **more)
    seen: list[events.Event] = []

    async def go() -> None:
        async with desk(ModelSpec("s", path, dialect="hds"), settings, [Almanac()]) as place:
            await place.answer("How long is a year on Mars?", seen.append, stop=stop)

    asyncio.run(go())
    return seen


def test_a_run_gives_its_calls_its_stop_its_budget_and_its_count(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the desk makes them, for the selector and for the methods."""
    given: list[Beside] = []
    monkeypatch.setattr(methods, "selecting", lambda model, settings, run: given.append(run))
    monkeypatch.setattr(methods, "chosen", lambda model, settings, run: given.append(run) or ())
    stop = Stop()
    ran(tmp_path, [block("year of Mars"), ANSWER], stop, budget="20k")
    assert len(given) == 2
    for run in given:
        assert run.counter is not None
        assert run.counter.generated > 0
        assert not run.affords(10_000)
        assert not run.late()
    stop.request("interrupted")
    assert all(run.late() for run in given)
