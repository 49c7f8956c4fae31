"""A budget plans a run to fit: less is read, the answer comes earlier, and there always is one of what was read."""

from __future__ import annotations

import time

import pytest

from hds_cli import config, events
from hds_cli.agent.accounts import Accounts
from hds_cli.agent.allowance import Allowance
from hds_cli.agent.evidence import Evidence
from hds_cli.agent.hds import HdsDialect
from hds_cli.agent.methods.calling import Methods
from hds_cli.agent.notebook import Notebook
from hds_cli.agent.planning import Plan
from hds_cli.agent.turn import Limits, Searching, Stop
from hds_cli.desk.reading import sparing
from hds_cli.engine.base import Counter
from hds_cli.engine.files.learned import Learned
from hds_cli.engine.pace import Pace, Speeds
from hds_cli.errors import ConfigError
from hds_cli.search.fanout import Fanout
from hds_cli.types import Passage
from tests.agent.test_loop import BOX, Memory, Play, _no_web, block, of, play

__all__ = ["play"]
FAST = Speeds(500.0, 50.0)


def plan(budget: str | None, speeds: Speeds = FAST, spent: int = 0, known: Learned = Learned()) -> tuple[Plan, Pace]:
    pace = Pace(speeds)
    limits = Limits(budget=Allowance.of(budget))
    return Plan(limits, pace, Counter(prompt=spent, evaluated=spent), known), pace


@pytest.mark.parametrize(
    ("text", "seconds", "tokens"),
    [("60s", 60, None), ("5m", 300, None), ("1.5h", 5400, None), ("20k", None, 20_000), ("0.5k", None, 500)],
)
def test_a_budget_is_a_time_or_a_number_of_tokens(text: str, seconds: float | None, tokens: float | None) -> None:
    assert Allowance.of(text) == Allowance(seconds, tokens)
    assert config.load({"budget": text}).budget == text


@pytest.mark.parametrize("text", ["", "60", "0s", "0.00k", "5 m", "-3s", "1e9s", "m", "999999s", "20K", "60s\n"])
def test_what_is_no_budget_is_an_error_that_says_what_one_is(text: str) -> None:
    with pytest.raises(ConfigError) as error:
        config.load({"budget": text})
    assert "60s" in str(error.value.hint)


def test_a_run_of_several_gets_its_part() -> None:
    """Five are left, two at once: three rounds. Tokens are divided among all that are left."""
    time_, tokens = Allowance(seconds=100.0), Allowance(tokens=20_000)
    assert time_.share(taken=10, spent=0, left=5, at_once=2) == Allowance(seconds=30.0)
    assert tokens.share(taken=10, spent=5_000, left=5, at_once=2) == Allowance(tokens=3_000)
    assert time_.share(taken=500, spent=0, left=0, at_once=3) == Allowance(seconds=1.0)


def test_a_run_without_a_budget_is_bounded_by_nothing() -> None:
    free, pace = plan(None)
    assert free.evidence(4, None) is None
    assert free.evidence(4, 900) == 900
    assert free.fits_turn()
    assert pace.most(4096) == 4096
    assert pace.affords(10**6, 8)


def test_a_slower_model_reads_less_in_the_same_time() -> None:
    """A quarter of the speed leaves about a quarter of the tokens."""
    fast, slow = (plan("60s", Speeds(speed, speed / 10))[0].evidence(1, None) for speed in (400.0, 100.0))
    assert fast is not None
    assert slow is not None
    assert 3 < fast / slow < 6


def test_what_is_left_is_shared_among_the_turns_that_it_is_enough_for() -> None:
    """As many turns as get something worth reading; with one turn left all goes to it."""
    much, little = plan("20k")[0], plan("2k")[0]
    assert 4_000 < (much.evidence(4, None) or 0) < 5_000
    assert (much.evidence(1, None) or 0) > 19_000
    assert 600 <= (little.evidence(4, None) or 0) < 1_000
    assert much.evidence(4, 512) == 512


def test_no_turn_is_begun_that_leaves_too_little_for_the_answer() -> None:
    assert plan("2k", spent=1_000)[0].fits_turn()
    spent, _ = plan("2k", spent=1_700)
    assert not spent.fits_turn()
    assert spent.is_spent()
    assert spent.ended(Stop()) == "budget"


def test_what_is_said_of_turns_is_what_is_afforded() -> None:
    """No more than get something worth reading, one where the least fits, none where the answer is due."""
    assert plan(None)[0].afforded(9) == (9, None)
    assert [plan("5k", spent=spent)[0].afforded(9)[0] for spent in (0, 3_000, 4_500, 4_700)] == [6, 2, 1, 0]
    assert plan("5k")[0].afforded(3)[0] == 3
    assert plan("5k")[0].afforded(9, read=3_000)[0] == 2
    turns, tokens = plan("5k")[0].afforded(4)
    assert tokens is not None
    assert turns * (tokens + 120) <= 5_000 - 160


def test_a_rule_that_answers_in_the_place_of_a_slow_model_is_not_hurried() -> None:
    """After a turn for which the model evaluated nothing, further turns cost nothing."""
    slow, _ = plan("4s", Speeds(10.0, 1.0))
    assert not slow.fits_turn()
    slow.took(model=0.1, search=0.1, tokens=0)
    assert slow.fits_turn()


def test_a_call_writes_no_more_tokens_than_are_left() -> None:
    """The answer keeps its part, and a call always gets a few."""
    assert plan("2k", spent=1_000)[1].most(4096) == 840
    assert plan("2k", spent=5_000)[1].most(4096) == 32


def searching(limits: Limits = Limits()) -> Searching:
    """What a plan changes of the searching of a turn."""
    fanout = Fanout([Memory()], _no_web, top_k=5)
    book = Notebook("?", Evidence("?", len), fanout.page)
    return Searching(fanout, book, Methods((), print), Accounts(Counter()), limits, Stop(), lambda *_: None)


def test_searching_gets_half_of_the_time_that_is_left() -> None:
    assert plan("20s")[0].searching(searching(), 1).limits.turn_timeout == pytest.approx(8.4, abs=0.3)
    assert plan("1s")[0].searching(searching(), 1).limits.turn_timeout == 1
    assert plan("9m")[0].searching(searching(), 1).limits.turn_timeout == Limits.turn_timeout


def test_few_tokens_are_few_pages() -> None:
    """What cannot be read is not fetched; there are never more pages than were asked for."""
    for budget, pages in (("1k", 3), ("0.3k", 1), ("90k", 5), (None, 5)):
        waits = searching()
        plan(budget)[0].searching(waits, 1)
        assert waits.fanout.top_k == pages, budget


def test_the_time_left_is_that_of_runs_before() -> None:
    """Two more turns of 4 s, a search of 1 s between them, and 2 s for the verdict."""
    known = Learned(turns=3.0, turn_seconds=4.0, search_seconds=1.0, end_seconds=2.0)
    assert plan(None, known=known)[0].seconds_left(2) == pytest.approx(2 * 4 + 1 + 2)
    assert plan(None, known=known)[0].seconds_left(9) == pytest.approx(4 + 2)
    assert plan("5s", known=known)[0].seconds_left(1) == pytest.approx(5, abs=0.2)
    assert plan(None)[0].seconds_left(1) is None


def test_a_reader_is_left_out_where_the_budget_has_no_room_for_it() -> None:
    said: list[str] = []
    reader = _Reader(said)
    results = [("q", [Passage("u", "t", "word " * 400)])] * 4
    for budget, reads in (("20k", True), ("3k", False)):
        _, pace = plan(budget)
        assert (sparing(reader, pace)("?", "", results) == "prose") is reads  # type: ignore[arg-type]
    assert len(said) == 1
    unknown, pace = plan("5m", Speeds())
    assert sparing(reader, pace)("?", "", results) == results, "the speed is not known yet"  # type: ignore[arg-type]
    assert unknown.fits_turn()


def test_a_run_with_a_large_budget_is_the_run_without_one(play: Play) -> None:
    texts = [block("composer of Carmen"), BOX]
    plain, _, _ = play(texts)
    timed, _, _ = play(texts, limits=Limits(budget=Allowance.of("10m")))
    assert (timed.status, timed.answer, timed.exit_code, timed.citations) == (
        plain.status, plain.answer, plain.exit_code, plain.citations,
    )  # fmt: skip


def test_a_run_whose_tokens_are_spent_answers_with_what_it_read(play: Play) -> None:
    """The second search would not leave enough: the answer is asked for, and says that it is partial."""
    first = block("composer of Carmen", thought="word " * 200)
    finished, seen, _ = play([first, "Bizet}"], limits=Limits(budget=Allowance.of("0.9k")))
    assert (finished.status, finished.answer, finished.reason, finished.exit_code) == ("partial", "Bizet", "budget", 6)
    assert [turn.forced for turn in of(seen, events.TurnStarted)] == [False, True]
    assert any(notice.code == "budget" for notice in of(seen, events.Notice))


class Asking(HdsDialect):
    """A dialect that asks what is afforded, and keeps it."""

    def afford(self, turns: int, tokens: int | None) -> None:
        self.afforded = [*getattr(self, "afforded", []), turns]


def test_a_dialect_is_told_what_is_afforded_before_it_writes_and_reads(play: Play) -> None:
    """Without a budget the turns that are left; under one none, where the next thing is the answer."""
    said: dict[str | None, list[int]] = {}
    for budget, last in ((None, BOX), ("0.9k", "Bizet}")):
        made: list[Asking] = []
        first = block("composer of Carmen", thought="word " * 200)
        limits = Limits(max_turns=4, budget=Allowance.of(budget))
        play([first, last], limits=limits, dialect_of=lambda s, made=made: made.append(Asking(s)) or made[0])
        said[budget] = made[0].afforded
    assert said[None] == [4, 3, 3]
    assert said["0.9k"][-1] == 0


def test_a_model_that_turns_slow_is_stopped_in_time_for_the_answer(play: Play) -> None:
    """It would think for half a minute; the run ends soon after its 6 s, with an answer."""
    texts = [block("composer of Carmen", thought="x"), "word " * 4000, "Bizet}"]
    began = time.monotonic()
    finished, _, _ = play(texts, limits=Limits(budget=Allowance.of("6s")), pace=600.0)
    assert time.monotonic() - began < 6 * 1.25 + 9
    assert (finished.status, finished.answer, finished.reason) == ("partial", "Bizet", "budget")


def test_a_source_that_never_answers_gets_half_of_the_time(play: Play) -> None:
    """Without a budget a turn waits 20 s for it."""
    texts = [block("composer of Carmen"), BOX]
    began = time.monotonic()
    finished, _, _ = play(texts, Memory(), Memory("slow", delay=60.0), limits=Limits(budget=Allowance.of("8s")))
    assert time.monotonic() - began < 12
    assert finished.answer == "Bizet"


class _Reader:
    def __init__(self, said: list[str]) -> None:
        self.say = said.append

    def __call__(self, *_: object) -> str:
        return "prose"
