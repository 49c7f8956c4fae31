"""A report: outline, sections at once, one list of sources; stopped anywhere, it goes on where it was."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from hds_cli import events
from hds_cli.agent.loop import Stop
from hds_cli.agent.sections import begun, lowered
from hds_cli.config import Settings
from hds_cli.desk.desk import Desk, desk
from hds_cli.desk.report import report
from hds_cli.engine.base import Generation, ModelSpec, Sampling
from hds_cli.engine.scripted import Line, ScriptedEngine, ScriptedSession
from hds_cli.errors import NoSources, NotUnderstood, SourceError
from hds_cli.render.report import collected
from hds_cli.types import Section
from tests.contract.schemas import validate
from tests.desk.test_desk import PLANETS, Almanac, block

OUTLINE = "Mercury | How long is a year of Mercury?\nVenus | How long is a year of Venus?\nMars | How long is a year of Mars?\n"
QUESTION = "How long are the years of the inner planets?"


class Planner(ScriptedEngine):
    """Plans, and writes for each section what fits the planet its question names; counts what is written at once."""

    def __init__(self, path: Path, said: dict[str, Sequence[str]], pace: float | None) -> None:
        super().__init__(path)
        self.said, self.pace = said, pace
        self.writing, self.most = 0, 0
        self.asked: list[str] = []

    def session(self) -> ScriptedSession:
        return _Told(self, {})


class _Told(ScriptedSession):
    def __init__(self, engine: Planner, calls: dict[str, int]) -> None:
        super().__init__([], engine.info.n_ctx)
        self.engine, self.calls = engine, dict(calls)

    def fork(self) -> ScriptedSession:
        return _Told(self.engine, self.calls)

    def generate(self, *, max_tokens: int, sampling: Sampling = Sampling(), **more: Any) -> Generation:
        prompt = "".join(self.text)
        about = next((name for name in self.engine.said if f"year of {name}?" in prompt), "outline")
        if "You plan a report" in prompt:
            about = "outline"
        call = self.calls[about] = self.calls.get(about, 0) + 1
        self._lines = [*self._lines[: self._next], Line(self.engine.said[about][call - 1], self.engine.pace)]
        self.engine.asked.append(about)
        self.engine.writing += 1
        self.engine.most = max(self.engine.most, self.engine.writing)
        try:
            return super().generate(max_tokens=max_tokens, sampling=sampling, **more)
        finally:
            self.engine.writing -= 1


def said(**other: Sequence[str]) -> dict[str, Sequence[str]]:
    """What is written for each section: a search, then a sentence on its planet and one on Venus, which has one page."""
    made: dict[str, Sequence[str]] = {"outline": [OUTLINE]}
    for name in ("Mercury", "Venus", "Mars"):
        days = PLANETS[name.lower()]
        text = f"Read.\n</think>\n\nThe year of {name} has {days}. The year of Venus has 225 days."
        made[name] = [block(f"year of {name}", "year of Venus"), text]
    return {**made, **other}


Open = Callable[..., AbstractAsyncContextManager[Desk]]


@pytest.fixture
def opened(tmp_path: Path, home: Path) -> Open:
    @asynccontextmanager
    async def made(
        texts: dict[str, Sequence[str]],
        *,
        pace: float | None = None,
        source: Any = None,
        outline: Any = None,
        **more: Any,
    ) -> Any:
        path = tmp_path / "s.jsonl"
        path.write_text(json.dumps({"text": "x"}) + "\n")
        settings = Settings(engine="scripted", model=str(path), cache_dir=str(tmp_path / "pages"), **more)
        async with desk(ModelSpec("s", path, dialect="hds", outline=outline), settings, [source or Almanac()]) as place:
            place.model.engine = Planner(path, texts, pace)
            place._first = place.model.engine.session()
            yield place

    return made


def written(
    opened: Open, texts: dict[str, Sequence[str]] | None = None, **more: Any
) -> tuple[list[events.Event], Planner]:
    """All events of a report, and its engine."""
    options = {name: more.pop(name) for name in ("most", "before", "stop", "attached") if name in more}

    async def go() -> tuple[list[events.Event], Planner]:
        seen: list[events.Event] = []
        async with opened(texts or said(), **more) as place:
            try:
                await report(place, QUESTION, seen.append, **options)
            finally:
                engine = place.model.engine
            return seen, engine  # type: ignore[return-value]

    return asyncio.run(go())


def of(kind: type[Any], run: Sequence[events.Event]) -> list[Any]:
    return [event for event in run if isinstance(event, kind)]


def test_a_report_has_its_sections_in_the_order_of_the_outline(opened: Open) -> None:
    """Each under its heading, with its own searches; every sentence is graded."""
    run, _ = written(opened)
    end = of(events.RunFinished, run)[-1]
    assert [line for line in end.text.splitlines() if line.startswith("#")] == ["## Mercury", "## Venus", "## Mars"]
    assert (end.status, end.exit_code, end.answer) == ("answered", 0, end.text)
    assert {(s.text, s.level) for s in end.support} == {
        (f"The year of {name} has {PLANETS[name.lower()]}.", "quoted") for name in ("Mercury", "Venus", "Mars")
    }
    assert len(end.support) == 6


def test_one_page_is_one_source_of_the_whole_report(opened: Open) -> None:
    """Venus is named in every section, and has one number; marks and quotes of the text use it."""
    run, _ = written(opened)
    end = of(events.RunFinished, run)[-1]
    assert [(c.n, c.title, c.verified) for c in end.citations] == [
        (1, "Mercury", True),
        (2, "Venus", True),
        (3, "Mars", True),
    ]
    quoted = {(q.n, s.text) for s in end.support for q in s.quotes}
    assert (2, "The year of Venus has 225 days.") in quoted
    assert {n for n, text in quoted if "Venus" in text} == {2}


def test_a_passage_has_one_number_in_all_sections(opened: Open) -> None:
    """What two sections read stands under the same number in both; no number means two passages."""
    run, _ = written(opened)
    numbers: dict[int, set[str]] = {}
    for event in of(events.EvidenceSelected, run):
        for passage in event.passages:
            numbers.setdefault(passage.n, set()).add(passage.url)
    assert all(len(urls) == 1 for urls in numbers.values())
    assert len(numbers) == len({next(iter(urls)) for urls in numbers.values()}) == 3


def test_sections_are_written_at_once(opened: Open) -> None:
    """Three sessions of one engine write together, after the outline."""
    run, engine = written(opened, pace=400.0)
    assert engine.most == 3
    turns = {event.turn: event.section for event in of(events.TurnStarted, run)}
    assert sorted(turns) == list(range(1, len(turns) + 1))
    assert sorted(turns.values()) == [0, 1, 1, 2, 2, 3, 3]
    assert [event.t for event in run] == sorted(event.t for event in run)


def test_the_journal_and_the_document_of_a_report_are_those_of_a_run(opened: Open) -> None:
    """Events come back from their lines, the document has its schema and names the sections."""
    run, _ = written(opened)
    again = [events.from_dict(json.loads(events.line(event))) for event in run]
    assert again[1:] == run[1:]  # the settings of the first are lists in JSON
    for event in run:
        validate(json.loads(events.line(event)), "hds.event/1")
    document = json.loads(collected(again).to_json())
    validate(document)
    assert [(one["title"], one["status"]) for one in document["sections"]] == [
        ("Mercury", "answered"), ("Venus", "answered"), ("Mars", "answered"),
    ]  # fmt: skip


def test_a_section_without_an_answer_says_so_in_its_place(opened: Open) -> None:
    """The others stand; a report of which nothing was found is none (exit 3)."""
    nothing = [block("year of Venus"), "x\n</think>\n\n\\boxed{not found}"]
    run, _ = written(opened, said(Venus=nothing))
    end = of(events.RunFinished, run)[-1]
    assert "## Venus\n\n*Not found" in end.text
    assert (end.status, end.exit_code) == ("answered", 0)
    run, _ = written(opened, said(Mercury=nothing, Venus=nothing, Mars=nothing))
    end = of(events.RunFinished, run)[-1]
    assert (end.status, end.exit_code, end.answer, end.citations) == ("unanswered", 3, None, ())


class Broken(Almanac):
    """No answer on Mars."""

    async def search(self, query: str, top_k: int) -> Any:
        if "Mars" in query or "planets" in query:
            raise SourceError("gone")
        return await super().search(query, top_k)


class Dead(Almanac):
    async def search(self, query: str, top_k: int) -> Any:
        raise SourceError("gone")


def test_a_section_whose_sources_fail_does_not_end_the_others(opened: Open) -> None:
    """It says why; when all fail the report fails with that error, and its journal has an end."""
    mars = [block("year of Mars"), "x\n</think>\n\n\\boxed{not found}"]
    run, _ = written(opened, said(Mars=mars), source=Broken())
    end = of(events.RunFinished, run)[-1]
    assert "## Mars\n\n*Not written: no source could be reached" in end.text
    assert end.status == "answered"
    seen: list[events.Event] = []

    async def go() -> None:
        async with opened(said(), source=Dead()) as place:
            await report(place, QUESTION, seen.append)

    with pytest.raises(NoSources):
        asyncio.run(go())
    assert of(events.RunFinished, seen)[-1].status == "failed"


# --- stopped, and gone on with ---------------------------------------------------------------------------------------


def test_a_report_goes_on_after_every_event(opened: Open) -> None:
    """Cut behind any event, it ends as the whole does; what was finished then is not written again."""
    whole, _ = written(opened)
    end = of(events.RunFinished, whole)[-1]
    for cut in range(1, len(whole)):
        kept = whole[:cut]
        before = begun(kept)
        assert before is not None
        done = {e.section for e in of(events.SectionFinished, kept)}
        assert set(before.ends) == done
        turns = {n: len(half.turns) for n, half in before.halves.items()}
        left = said()
        for number, name in enumerate(("Mercury", "Venus", "Mars"), 1):
            left[name] = [] if number in done else left[name][turns.get(number, 0) :]
        if before.sections:
            left["outline"] = []
        run, engine = written(opened, left, before=before)
        again = of(events.RunFinished, run)[-1]
        assert (again.text, again.support) == (end.text, end.support), cut
        assert [(c.n, c.url, c.quote, c.verified) for c in again.citations] == [
            (c.n, c.url, c.quote, c.verified) for c in end.citations
        ], cut
        assert len(engine.asked) == sum(map(len, left.values())), cut
        assert of(events.RunStarted, run)[0].resumes == before.run_id
        twice = begun(run)
        assert twice is not None
        assert twice.whole
        times = [event.t for event in run]
        assert times == sorted(times)


def test_a_stopped_report_shows_what_is_written_and_goes_on(opened: Open) -> None:
    """Stopped with its first section written: exit 6, the section is there; gone on with, only the others are written."""

    async def go() -> list[events.Event]:
        seen: list[events.Event] = []
        stop = Stop()

        def emit(event: events.Event) -> None:
            seen.append(event)
            if isinstance(event, events.SectionFinished):
                stop.request("interrupted")

        slow = said(Venus=["z" * 40_000, "z"], Mars=["z" * 40_000, "z"])
        async with opened(slow, pace=20_000.0) as place:
            await asyncio.wait_for(report(place, QUESTION, emit, stop=stop), 30)
        return seen

    run = asyncio.run(go())
    end = of(events.RunFinished, run)[-1]
    assert (end.status, end.exit_code, end.reason) == ("partial", 6, "interrupted")
    assert "## Mercury\n\nThe year of Mercury has 88 days" in end.text
    assert "## Mars\n\n*Not written" in end.text
    before = begun(run)
    assert before is not None
    assert set(before.ends) == {1}
    again, engine = written(opened, said(outline=[], Mercury=[]), before=before)
    assert sorted(set(engine.asked)) == ["Mars", "Venus"]
    assert of(events.RunFinished, again)[-1].status == "answered"


def test_a_time_limit_ends_a_report_with_what_there_is(opened: Open) -> None:
    """Also while the outline is planned: nothing is begun then."""
    run, _ = written(opened, said(outline=["z" * 100_000]), pace=5_000.0, timeout=0.3)
    end = of(events.RunFinished, run)[-1]
    assert (end.status, end.exit_code, end.reason) == ("partial", 6, "timeout")
    assert of(events.SectionStarted, run) == []
    before = begun(run)
    assert before is not None
    assert (before.sections, before.whole) == ((), False)


# --- the outline -----------------------------------------------------------------------------------------------------


def test_a_model_that_plans_nothing_answers_in_one_section(opened: Open) -> None:
    """With a warning; the question is researched as it is."""
    run, _ = written(opened, said(outline=["none here", block("year of Venus"), "x\n</think>\n\n\\boxed{225 days}"]))
    assert [event.code for event in of(events.Notice, run)][:1] == ["outline"]
    assert of(events.OutlineWritten, run)[0].sections == (Section("Answer", QUESTION),)


def test_a_rule_that_knows_no_sections_is_an_error_with_a_hint(opened: Open) -> None:
    """Exit 3, and the journal says why."""
    with pytest.raises(NotUnderstood) as caught:
        written(opened, outline=lambda question, titles, most: [])
    assert "--report" in str(caught.value.hint)


def test_a_rule_is_asked_with_the_titles_that_were_found(opened: Open) -> None:
    """And its questions are asked as they are, without a word about the report."""
    heard: list[Any] = []

    def rule(question: str, titles: Sequence[str], most: int) -> list[Section]:
        heard.append((question, list(titles), most))
        return [Section("Mars", "How long is a year of Mars?")] * 5

    class Anything(Almanac):
        async def search(self, query: str, top_k: int) -> Any:
            return await super().search("mars" if "planets" in query else query, top_k)

    run, _ = written(opened, outline=rule, source=Anything(), most=2)
    assert heard == [(QUESTION, ["Mars"], 2)]
    assert len(of(events.SectionFinished, run)) == 2


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("# Mars\n\nRed.", "Red."),
        ("## Own\n\nRed.\n\n### Deep", "### Own\n\nRed.\n\n#### Deep"),
        ("Title\n=====\nRed.", "Title\n\nRed."),
        ("```\n# code", "```\n# code\n```"),
        ("~~~\n## x\n~~~\n## y", "~~~\n## x\n~~~\n### y"),
    ],
)
def test_a_section_keeps_below_its_heading(text: str, shown: str) -> None:
    """Its own headings are lower, one that repeats the title is gone, and open code does not swallow what follows."""
    assert lowered(text, "Mars") == shown


def test_settings_of_a_report_are_kept_with_it(opened: Open) -> None:
    """`sections` says that it is one, and how many it may have."""
    run, _ = written(opened, most=4)
    assert of(events.RunStarted, run)[0].sections == 4
    before = begun(run)
    assert before is not None
    assert before.most == 4
