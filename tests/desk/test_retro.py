"""`hds retro`: a turn that the answer does not need is left out, and what is left is a row to train with."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from hds_cli import events
from hds_cli.agent import protocol
from hds_cli.commands import _saved, retro
from hds_cli.config import Settings
from hds_cli.desk.desk import desk
from hds_cli.desk.retro import Shorter, shortened
from hds_cli.engine.base import ModelSpec
from hds_cli.errors import Interrupted, ModelError, UsageError
from tests.conftest import Hds
from tests.desk.test_desk import ANSWER, Almanac, block

QUESTION = "How long is a year on Mars?"
VENUS, MARS = block("year of Venus"), block("year of Mars", "orbit of Mars")


def go(tmp_path: Path, lines: Sequence[str], work: Callable, sources: list[Almanac]) -> object:
    path = tmp_path / "s.jsonl"
    path.write_text("".join(json.dumps({"text": line}) + "\n" for line in lines))
    settings = Settings(engine="scripted", model=str(path), cache_dir=str(tmp_path / "pages"))

    async def opened() -> object:
        async with desk(ModelSpec("s", path, dialect="hds"), settings, sources) as place:
            return await work(place)

    return asyncio.run(opened())


def ran(tmp_path: Path, *lines: str) -> list[events.Event]:
    seen: list[events.Event] = []
    go(tmp_path, lines, lambda place: place.answer(QUESTION, seen.append), [Almanac()])
    return seen


def shorter(tmp_path: Path, run: Sequence[events.Event], *lines: str) -> Shorter | None:
    made = go(tmp_path, lines, lambda place: shortened(place, run), [])
    assert made is None or isinstance(made, Shorter)
    return made


def test_a_turn_that_the_answer_does_not_need_is_left_out(tmp_path: Path, home: Path) -> None:
    """Without Venus the answer is the same; without Mars it has no ground, so that turn stays."""
    made = shorter(tmp_path, ran(tmp_path, VENUS, MARS, ANSWER), ANSWER)
    assert made is not None
    assert (made.turns, made.turns_before, made.queries_saved, made.answer) == (1, 2, 1, "687 days")
    assert made.tokens_saved > 0
    text = "".join(str(piece[0]) for piece in made.segments)
    assert "Mars has 687 days" in text
    assert "Venus" not in text


def test_the_row_is_what_such_a_run_would_have_been(tmp_path: Path, home: Path) -> None:
    """The pieces of a run that never searched for Venus, and what the model wrote is what is learned."""
    made = shorter(tmp_path, ran(tmp_path, VENUS, MARS, ANSWER), ANSWER)
    assert made is not None
    learned = [str(text) for text, _, is_learned in made.segments if is_learned]
    assert learned == [MARS.removesuffix(protocol.END_QUERIES), ANSWER, protocol.TURN_END]
    texts: list[str] = []

    async def plain(place: object) -> None:
        session = await place.session()  # type: ignore[attr-defined]
        from hds_cli.agent.evidence import Numbers
        from hds_cli.desk.desk import Part

        await place.answer(QUESTION, lambda event: None, part=Part(Numbers(), session))  # type: ignore[attr-defined]
        texts.append("".join(session.text))

    go(tmp_path, [MARS, ANSWER], plain, [Almanac()])
    row = "".join(str(piece[0]) for piece in made.segments)
    assert "[2] Mars" in row  # the passage keeps the number it had, as what was written may name it
    assert row.replace("[2]", "[1]") == texts[0] + protocol.TURN_END


def test_a_row_is_read_by_the_trainer(tmp_path: Path, home: Path) -> None:
    """As `{"segments": …}`: no text of a page is trusted or learned."""
    from hds_train.data import _pieces

    made = shorter(tmp_path, ran(tmp_path, VENUS, MARS, ANSWER), ANSWER)
    assert made is not None
    pieces = _pieces(json.loads(json.dumps(made.to_dict())))
    assert all(not (piece.learned or piece.trusted) for piece in pieces if "is a planet" in piece.text)
    assert pieces[-1].learned
    assert pieces[-1].trusted


def test_a_run_that_needs_every_turn_stays_as_it_is(tmp_path: Path, home: Path) -> None:
    """One turn; or an answer that comes out differently; or a model that wants to search again."""
    assert shorter(tmp_path, ran(tmp_path, MARS, ANSWER), ANSWER) is None
    two = ran(tmp_path, VENUS, MARS, ANSWER)
    assert shorter(tmp_path, two, "x\n</think>\n\n\\boxed{225 days}") is None
    assert shorter(tmp_path, two, VENUS, ANSWER) is None


def test_what_cannot_be_made_shorter_is_said(tmp_path: Path, home: Path) -> None:
    """No answer with a ground; several tries."""
    with pytest.raises(UsageError, match="no answer with a ground"):
        shorter(tmp_path, ran(tmp_path, MARS, "x\n</think>\n\n\\boxed{999 towers}"), ANSWER)
    run = ran(tmp_path, VENUS, MARS, ANSWER)
    assert isinstance(run[0], events.RunStarted)
    with pytest.raises(UsageError, match="several tries"):
        shorter(tmp_path, [replace(run[0], tries=2), *run[1:]], ANSWER)


def test_the_command_writes_a_line_for_each_run(hds: Hds, tmp_path: Path, script: Callable[..., str]) -> None:
    """From the history; exit 3 where no run became shorter."""
    (tmp_path / "notes").mkdir()
    for name, days in (("Mars", 687), ("Venus", 225)):
        (tmp_path / "notes" / f"{name}.md").write_text(f"# {name}\n\nThe year of {name} has {days} days.\n")
    assert hds("index", "add", str(tmp_path / "notes")).returncode == 0
    options = ["-e", "scripted", "-s", "notes", "--offline"]
    answer = "Read.\n</think>\n\nThe year of Mars has 687 days.\n\n\\boxed{687 days}"
    done = hds("ask", *options, "-m", script(block("Venus"), block("Mars"), answer), QUESTION)
    assert done.returncode == 0, done.stderr
    made = hds("retro", "last", "-m", script(answer))
    assert made.returncode == 0, made.stderr
    (row,) = map(json.loads, made.stdout.splitlines())
    assert (row["turns"], row["turns_before"], row["answer"]) == (1, 2, "687 days")
    assert "1 turn of 2 left out" in made.stderr
    none = hds("retro", "last", "-m", script("x\n</think>\n\n\\boxed{225 days}"))
    assert (none.returncode, none.stdout) == (3, "")


class Printed:
    """Runs by name instead of saved ones, with what becomes of each."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **ends: BaseException | Shorter | None) -> None:
        self.tried: list[str] = []

        async def shorter(name: str, flags: object) -> Shorter | None:
            self.tried.append(name)
            if isinstance(end := ends[name], BaseException):
                raise end
            return end

        monkeypatch.setattr(retro, "_shorter", shorter)
        monkeypatch.setattr(_saved, "events_of", lambda name: name)

    def __call__(self, *arguments: str) -> Result:
        app = typer.Typer()
        app.command()(retro.retro)
        return CliRunner().invoke(app, arguments)


def row(answer: str) -> Shorter:
    return Shorter("id", "Q", answer, 1, 2, 1, 100, [])


@pytest.mark.parametrize("last", [ModelError("the server is gone"), KeyboardInterrupt()])
def test_rows_that_are_made_outlive_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, last: BaseException
) -> None:
    """On stdout, and in a file, which is there although the command fails; the first error is the command's."""
    file = tmp_path / "rows.jsonl"
    for output in ((), ("-o", str(file))):
        command = Printed(monkeypatch, a=row("one"), b=UsageError("no"), c=last, d=row("two"))
        done = command("a", "b", "c", "d", *output)
        went_on = not isinstance(last, KeyboardInterrupt)
        assert command.tried == ["a", "b", "c", *(["d"] if went_on else [])]
        assert isinstance(done.exception, ModelError if went_on else Interrupted)
        rows = [
            json.loads(line) for line in (file.read_text() if output else done.stdout).splitlines() if line[0] == "{"
        ]
        assert [one["answer"] for one in rows] == (["one", "two"] if went_on else ["one"])


def test_a_file_stays_as_it_was_when_nothing_was_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every run failed, so there are no rows that could take its place."""
    file = tmp_path / "rows.jsonl"
    file.write_text("mine")
    done = Printed(monkeypatch, a=ModelError("gone"), b=ModelError("gone"))("a", "b", "-o", str(file))
    assert isinstance(done.exception, ModelError)
    assert file.read_text() == "mine"
