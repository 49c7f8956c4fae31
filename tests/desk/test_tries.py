"""Several tries at one question: the answer of most, an early end, and nothing lost by an error or Ctrl-C in one."""

from __future__ import annotations

import asyncio
import io
import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hds_cli import events
from hds_cli.agent.loop import Stop
from hds_cli.agent.tried import tried_so_far
from hds_cli.config import Settings
from hds_cli.desk import tries
from hds_cli.desk.desk import Desk, desk
from hds_cli.engine.base import Generation, ModelSpec, Sampling
from hds_cli.engine.scripted import Line, ScriptedEngine, ScriptedSession
from hds_cli.errors import ModelUnusable, NoSources, SourceError
from hds_cli.render.agreeing import line
from hds_cli.render.html import to_html
from hds_cli.render.markdown import to_markdown
from hds_cli.render.report import collected
from hds_cli.render.tree import View, tree_lines
from hds_cli.render.word import to_docx
from tests.contract.schemas import validate
from tests.desk.test_desk import Almanac, block

QUESTION = "How long is the year of the planet that was looked for?"
BROKEN = "broken"


def said(name: str, days: str, words: str = "") -> list[str]:
    return [block(f"year of {name}"), f"Read.\n</think>\n\n{words}\n\n\\boxed{{{days}}}"]


MARS, VENUS = said("Mars", "687 days"), said("Venus", "225 days")
NOTHING = [block("year of Venus"), "x\n</think>\n\n\\boxed{not found}"]
UNGROUNDED = said("Mars", "999 towers")


class Seeded(ScriptedEngine):
    """Writes for each seed its own lines; `BROKEN` is a model that fails."""

    def __init__(self, path: Path, said: Mapping[int, Sequence[str]], pace: float | None) -> None:
        super().__init__(path)
        self.said, self.pace = said, pace
        self.asked: list[int] = []
        self.warmth: dict[int, float] = {}

    def session(self) -> ScriptedSession:
        return _Told(self)


class _Told(ScriptedSession):
    def __init__(self, engine: Seeded) -> None:
        super().__init__([], engine.info.n_ctx)
        self.engine, self.calls = engine, 0

    def fork(self) -> ScriptedSession:
        return _Told(self.engine)

    def generate(self, *, sampling: Sampling = Sampling(), **more: Any) -> Generation:
        seed = sampling.seed // 100_000
        lines = self.engine.said[seed]
        text = lines[min(self.calls, len(lines) - 1)]
        if text == BROKEN:
            raise ModelUnusable("the model broke")
        self.calls += 1
        self._lines = [*self._lines[: self._next], Line(text, self.engine.pace)]
        self.engine.asked.append(seed)
        self.engine.warmth[seed] = sampling.temperature
        return super().generate(sampling=sampling, **more)


Open = Callable[..., AbstractAsyncContextManager[Desk]]


@pytest.fixture
def opened(tmp_path: Path, home: Path) -> Open:
    @asynccontextmanager
    async def made(
        texts: Mapping[int, Sequence[str]], *, pace: float | None = None, source: Any = None, **more: Any
    ) -> Any:
        path = tmp_path / "s.jsonl"
        path.write_text(json.dumps({"text": "x"}) + "\n")
        spec = ModelSpec("s", path, dialect="hds", temperature=more.pop("warm", None))
        settings = Settings(engine="scripted", model=str(path), cache_dir=str(tmp_path / "pages"), **more)
        async with desk(spec, settings, [source or Almanac()]) as place:
            place.model.engine = Seeded(path, texts, pace)
            place._first = place.model.engine.session()
            yield place

    return made


def tried(opened: Open, *texts: Sequence[str], **more: Any) -> tuple[list[events.Event], Seeded]:
    """All events of a run of so many tries, and its engine; an error that ends it is raised behind its last event."""
    options = {name: more.pop(name) for name in ("before", "stop", "count") if name in more}
    count = options.pop("count", len(texts))

    async def go() -> tuple[list[events.Event], Seeded]:
        seen: list[events.Event] = []
        async with opened(dict(enumerate(texts)), **more) as place:
            await tries.answer(place, QUESTION, seen.append, tries=count, **options)
            return seen, place.model.engine  # type: ignore[return-value]

    return asyncio.run(go())


def of(kind: type[Any], run: Sequence[events.Event]) -> list[Any]:
    return [event for event in run if isinstance(event, kind)]


def test_the_answer_of_most_is_shown_with_its_sources(opened: Open) -> None:
    """Two of three say the same; the answer, its grades and its citations are those of one of the two."""
    run, _ = tried(opened, VENUS, MARS, MARS)
    end = of(events.RunFinished, run)[-1]
    assert (end.status, end.exit_code, end.answer) == ("answered", 0, "687 days")
    assert [(c.title, c.verified) for c in end.citations] == [("Mars", True)]
    assert (end.agreement.agree, end.agreement.of, end.agreement.shown, end.agreement.with_it) == (2, 3, 2, (2, 3))
    assert len(of(events.RunStarted, run)) == len(of(events.RunFinished, run)) == 1


def test_it_ends_as_soon_as_the_rest_cannot_change_the_answer(opened: Open) -> None:
    """Two equal answers of three are the majority: the third is never begun."""
    run, engine = tried(opened, MARS, MARS, VENUS)
    assert set(engine.asked) == {0, 1}
    end = of(events.RunFinished, run)[-1]
    assert (end.agreement.agree, end.agreement.of, end.agreement.tries) == (2, 2, 3)
    assert line(collected(run).state) == "2 of 2 tries agree, 1 not needed"


def test_a_try_that_is_still_made_is_ended_when_it_is_not_needed(opened: Open) -> None:
    """Two of five found nothing and two agree: the last, a slow one, is cut, says so, and is not counted."""
    slow = [block("year of Venus"), "z" * 40_000]
    run, _ = tried(opened, NOTHING, NOTHING, MARS, MARS, slow, pace=5_000.0)
    ends = {event.number: event.end for event in of(events.TryFinished, run)}
    assert (ends[5].reason, ends[5].answer) == (tries.NOT_NEEDED, None)
    end = of(events.RunFinished, run)[-1]
    assert (end.status, end.agreement.agree, end.agreement.of) == ("answered", 2, 4)


def test_an_answer_without_a_ground_does_not_count(opened: Open) -> None:
    """Two tries make the same thing up, one has it from a page."""
    run, _ = tried(opened, UNGROUNDED, UNGROUNDED, MARS)
    end = of(events.RunFinished, run)[-1]
    assert (end.answer, end.agreement.agree, end.agreement.of) == ("687 days", 1, 3)
    notice = next(event for event in of(events.Notice, run) if event.code == "agreement")
    assert (notice.level, "do not agree (1 of 3)" in notice.message) == ("warning", True)


def test_equal_votes_are_parted_by_the_grades(opened: Open) -> None:
    """One and one: the answer whose parts all have a ground is shown, whichever was first."""
    weak = said("Venus", "225 days", "The year of Venus has 225 days. It has 9,999 towers.")
    run, _ = tried(opened, weak, said("Mars", "687 days", "The year of Mars has 687 days."))
    assert of(events.RunFinished, run)[-1].answer == "687 days"


def test_tries_without_an_answer_leave_the_others_theirs(opened: Open) -> None:
    """Not found twice, found once: that is shown, with 1 of 3; found by none: no answer, exit 3, no agreement."""
    run, _ = tried(opened, NOTHING, MARS, NOTHING)
    end = of(events.RunFinished, run)[-1]
    assert (end.answer, end.agreement.agree, end.agreement.of) == ("687 days", 1, 3)
    run, _ = tried(opened, NOTHING, NOTHING, NOTHING)
    end = of(events.RunFinished, run)[-1]
    assert (end.status, end.exit_code, end.answer, end.agreement) == ("unanswered", 3, None, None)


def test_an_error_in_one_try_loses_nothing(opened: Open) -> None:
    """The model breaks in the first try: the others decide. It breaks in all: the error, behind an end that says it."""
    run, _ = tried(opened, [BROKEN], MARS, MARS)
    end = of(events.RunFinished, run)[-1]
    assert (end.status, end.answer, end.agreement.agree, end.agreement.of) == ("answered", "687 days", 2, 3)
    assert of(events.TryFinished, run)[0].end.status == "failed"
    seen: list[events.Event] = []

    async def go() -> None:
        async with opened({number: [BROKEN] for number in range(3)}) as place:
            await tries.answer(place, QUESTION, seen.append, tries=3)

    with pytest.raises(ModelUnusable):
        asyncio.run(go())
    assert of(events.RunFinished, seen)[-1].status == "failed"


def test_sources_that_fail_for_every_try_are_the_error_of_the_run(opened: Open) -> None:
    """Exit 5 as for one try."""

    class Dead(Almanac):
        async def search(self, query: str, top_k: int) -> Any:
            raise SourceError("gone")

    with pytest.raises(NoSources):
        tried(opened, MARS, MARS, MARS, source=Dead())


@pytest.mark.parametrize("reason", ["interrupted", "timeout"])
def test_stopped_it_answers_from_what_is_there(opened: Open, reason: str) -> None:
    """Stopped behind its first answer: that is shown, exit 6; nothing more is written, and `--resume` has the rest."""
    stop = Stop()
    seen: list[events.Event] = []

    def emit(event: events.Event) -> None:
        seen.append(event)
        if isinstance(event, events.TryFinished):
            stop.request(reason)

    async def go(texts: dict[int, Sequence[str]], **more: Any) -> None:
        async with opened(texts, pace=20_000.0) as place:
            await asyncio.wait_for(tries.answer(place, QUESTION, emit, tries=3, **more), 30)

    slow = [block("year of Venus"), "z" * 100_000]
    asyncio.run(go({0: slow, 1: MARS, 2: slow}, stop=stop))
    end = of(events.RunFinished, seen)[-1]
    assert (end.status, end.exit_code, end.reason, end.answer) == ("partial", 6, reason, "687 days")
    before = tried_so_far(seen)
    assert before is not None
    assert (set(before.ends), before.whole, before.tries) == ({2}, False, 3)
    run, engine = tried(opened, MARS, [BROKEN], MARS, before=before, count=before.tries)
    again = of(events.RunFinished, run)[-1]
    assert (again.status, again.answer, again.agreement.agree) == ("answered", "687 days", 2)
    assert 1 not in engine.asked
    assert of(events.RunStarted, run)[0].resumes == before.run_id


def test_stopped_before_any_answer_every_try_answers_with_what_it_has(opened: Open) -> None:
    """Ctrl-C while the second turns are written: what was read is answered from."""
    stop = Stop()
    seen: list[events.Event] = []

    def emit(event: events.Event) -> None:
        seen.append(event)
        if isinstance(event, events.TurnStarted) and len(of(events.TurnStarted, seen)) == 4:
            asyncio.get_running_loop().call_later(0.2, stop.request, "interrupted")

    forced = [block("year of Mars"), "z" * 100_000, "687 days}"]

    async def go() -> None:
        async with opened({0: forced, 1: forced}, pace=20_000.0) as place:
            await asyncio.wait_for(tries.answer(place, QUESTION, emit, tries=2, stop=stop), 30)

    asyncio.run(go())
    end = of(events.RunFinished, seen)[-1]
    assert (end.status, end.exit_code, end.answer) == ("partial", 6, "687 days")


@pytest.mark.parametrize("reason", ["interrupted", "timeout"])
def test_a_stop_while_a_try_is_forked_is_not_lost(opened: Open, monkeypatch: pytest.MonkeyPatch, reason: str) -> None:
    """The fork waits for the decoder, and the try is not among the running ones yet: it is not begun."""
    stop = Stop()
    seen: list[events.Event] = []

    async def go() -> Seeded:
        loop = asyncio.get_running_loop()
        fork = _Told.fork

        def slow(session: _Told) -> ScriptedSession:
            loop.call_soon_threadsafe(stop.request, reason)
            time.sleep(0.1)
            return fork(session)

        monkeypatch.setattr(_Told, "fork", slow)
        async with opened({0: MARS, 1: MARS, 2: VENUS}) as place:
            await asyncio.wait_for(tries.answer(place, QUESTION, seen.append, tries=3, stop=stop), 30)
            return place.model.engine  # type: ignore[return-value]

    engine = asyncio.run(go())
    assert engine.asked == []
    end = of(events.RunFinished, seen)[-1]
    assert (end.status, end.answer, end.reason) == ("partial", None, reason)


def test_an_error_before_the_first_try_ends_the_run_too(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """No session to begin from: the error, behind an end that says it."""
    seen: list[events.Event] = []

    async def broken(place: Desk) -> Any:
        raise ModelUnusable("the model broke")

    async def go() -> None:
        async with opened({0: MARS, 1: MARS}) as place:
            monkeypatch.setattr(Desk, "session", broken)
            await tries.answer(place, QUESTION, seen.append, tries=2)

    with pytest.raises(ModelUnusable):
        asyncio.run(go())
    assert isinstance(seen[-1], events.RunFinished)
    assert (seen[-1].status, seen[-1].explanation) == ("failed", "the model broke")


def test_tries_differ_in_seed_and_in_temperature_where_the_first_takes_the_likeliest_word(opened: Open) -> None:
    """A model made for temperature 0 would write the same text every time."""
    _, engine = tried(opened, VENUS, MARS, MARS, warm=0.0)
    assert engine.warmth == {0: 0.0, 1: 0.7, 2: 0.7}
    _, engine = tried(opened, VENUS, MARS, MARS, temperature=0.3)
    assert set(engine.warmth.values()) == {0.3}


def test_a_passage_has_one_number_in_all_tries(opened: Open) -> None:
    """What two tries read stands under the same number in both, and turns are counted through."""
    run, _ = tried(opened, MARS, VENUS, MARS)
    numbers: dict[int, set[str]] = {}
    for event in of(events.EvidenceSelected, run):
        for passage in event.passages:
            numbers.setdefault(passage.n, set()).add(passage.url)
    assert sorted(numbers) == [1, 2]
    assert all(len(urls) == 1 for urls in numbers.values())
    turns = [event.turn for event in of(events.TurnStarted, run)]
    assert sorted(turns) == list(range(1, len(turns) + 1))
    assert [event.t for event in run] == sorted(event.t for event in run)


def test_usage_is_the_sum_of_the_tries(opened: Open) -> None:
    """Tokens of all of them, also of those that are not shown."""
    run, _ = tried(opened, VENUS, MARS, MARS)
    ends = [event.end for event in of(events.TryFinished, run)]
    whole = of(events.RunFinished, run)[-1].usage
    assert whole.generated_tokens == sum(end.usage.generated_tokens for end in ends) > 0


def test_journal_document_tree_markdown_and_html_show_the_tries(opened: Open) -> None:
    """Events come back from their lines; every form says how many agree, and what the others said."""
    run, _ = tried(opened, VENUS, MARS, MARS)
    again = [events.from_dict(json.loads(events.line(event))) for event in run]
    for event in run:
        validate(json.loads(events.line(event)), "hds.event/1")
    record = collected(again)
    document = json.loads(record.to_json())
    validate(document)
    assert document["agreement"]["agree"] == 2
    assert [(one["n"], one["answer"], one["agrees"]) for one in document["tries"]] == [
        (1, "225 days", False), (2, "687 days", True), (3, "687 days", True),
    ]  # fmt: skip
    tree = "\n".join(line.plain for line in tree_lines(record.state, View(100, live=False)))
    assert "try 1: 225 days" in tree
    assert "differs" in tree
    assert "shown" in tree
    assert "year of Mars" in tree
    for text in (to_markdown(record), to_html(record)):
        assert "2 of 3 tries agree" in text
        assert "try 1: 225 days" in text
        assert "differs" in text


def test_a_word_document_shows_the_tries_and_what_was_put_in_other_words(opened: Open) -> None:
    """Each try with its outcome and its queries below it, as in the other documents."""
    docx = pytest.importorskip("docx")
    run, _ = tried(opened, VENUS, MARS, MARS)
    asked = (n for n, event in enumerate(run) if isinstance(event, events.QueryProposed) and "Venus" in event.text)
    at = next(asked)  # tries go on beside each other: which of them asks first is not said
    run[at] = replace(run[at], rewords=1)
    paper = docx.Document(io.BytesIO(to_docx(collected(run))))
    text = [paragraph.text for paragraph in paper.paragraphs]
    assert any("2 of 3 tries agree" in line for line in text)
    assert [line for line in text if line.startswith("try ")] == [
        "try 1: 225 days (differs)", "try 2: 687 days (shown)", "try 3: 687 days (agrees)",
    ]  # fmt: skip
    assert text[text.index("try 1: 225 days (differs)") + 1].startswith("in other words: year of Venus: ")


def test_one_try_is_a_run_as_it_always_was(opened: Open) -> None:
    """Without `--rollouts` nothing of this is in the stream or in the document but an empty list and a null."""

    async def go() -> list[events.Event]:
        seen: list[events.Event] = []
        async with opened({0: MARS}) as place:
            await place.answer(QUESTION, seen.append)
        return seen

    run = asyncio.run(go())
    assert of(events.TryFinished, run) == []
    document = collected(run).to_dict()
    assert (document["tries"], document["agreement"]) == ([], None)
    assert tried_so_far(run) is None
