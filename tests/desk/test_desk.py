"""One desk, several questions at once: what is shared, and what each run has for itself."""

from __future__ import annotations

import asyncio
import json
import os
import threading
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from hds_cli import events
from hds_cli.agent.loop import Stop
from hds_cli.config import Settings
from hds_cli.desk.desk import Desk, desk
from hds_cli.engine.base import ModelSpec
from hds_cli.engine.scripted import ScriptedSession
from hds_cli.errors import ModelUnusable
from hds_cli.types import Page, SearchResult
from tests.fetch.web import Web, answer, web

PLANETS = {"mercury": "88 days", "venus": "225 days", "mars": "687 days", "jupiter": "4,333 days"}
ANSWER = "Read.\n</think>\n\nIts year has 687 days [1].\n\n\\boxed{687 days}"
Open = Callable[..., AbstractAsyncContextManager[Desk]]


def block(*queries: str) -> str:
    lines = ";\n".join(queries)
    return f"<think>\nt\n</think>\n\n<|begin_search_queries|>\n{lines}\n<|end_search_queries|>"


class Almanac:
    """Years of planets; a query finds the planet it names. With a `server` its pages are fetched from there."""

    name, needs_network = "almanac", False

    def __init__(self, server: Web | None = None) -> None:
        self.server = server

    async def search(self, query: str, top_k: int) -> list[SearchResult]:
        base = self.server.url if self.server else "planet:"
        return [SearchResult(f"{base}/{name}", name.title()) for name in PLANETS if name in query.lower()]

    async def read(self, url: str) -> Page | None:
        name = url.rpartition("/")[2]
        return None if self.server else Page(url, title=name.title(), text=text(name), status="cached")


def text(name: str) -> str:
    return f"{name.title()} is a planet. The year of {name.title()} has {PLANETS[name]}."


@pytest.fixture
def opened(tmp_path: Path, home: Path) -> Open:
    def made(*lines: str, source: Almanac | None = None, pace: float | None = None, jobs: int = 2, **more: object) -> (
        AbstractAsyncContextManager[Desk]
    ):  # fmt: skip
        path = tmp_path / "s.jsonl"
        rows = [{"text": line} | ({"chars_per_second": pace} if pace else {}) for line in lines]
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        settings = Settings(engine="scripted", model=str(path), cache_dir=str(tmp_path / "pages"), **more)
        return desk(ModelSpec("s", path, dialect="hds"), settings, [source or Almanac()], jobs=jobs)

    return made


def test_two_runs_at_once_do_not_disturb_each_other(opened: Open) -> None:
    """Each reads its own evidence from the first line of the script on, and they take the time of one."""

    async def go() -> tuple[list[events.RunFinished], float]:
        async with opened(block("year of Mars"), ANSWER, pace=250.0) as place:
            seen: list[list[events.Event]] = [[], []]
            began = time.monotonic()
            runs = [place.answer(f"How long is {n} year on Mars?", seen[n].append) for n in range(2)]
            finished = await asyncio.gather(*runs)
            assert [e.question for run in seen for e in run if isinstance(e, events.RunStarted)] == [
                "How long is 0 year on Mars?", "How long is 1 year on Mars?",
            ]  # fmt: skip
            return finished, time.monotonic() - began

    finished, seconds = asyncio.run(go())
    assert [f.answer for f in finished] == ["687 days"] * 2
    assert finished[0].usage.generated_tokens == finished[1].usage.generated_tokens
    assert seconds < 1.7 * max(f.usage.seconds.total for f in finished)


def test_what_is_kept_of_a_run_neither_holds_the_loop_nor_loses_an_answer(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file may be written meanwhile, and the process that has the model may have died since the last word."""
    called: list[tuple[str, bool]] = []

    def keep(_: ScriptedSession) -> None:
        called.append(("keep", threading.current_thread() is threading.main_thread()))

    def drop(_: ScriptedSession) -> None:
        called.append(("drop", threading.current_thread() is threading.main_thread()))
        raise ModelUnusable("the process is gone")

    monkeypatch.setattr(ScriptedSession, "keep", keep, raising=False)
    monkeypatch.setattr(ScriptedSession, "drop", drop, raising=False)

    async def go() -> events.RunFinished:
        async with opened(block("year of Mars"), ANSWER) as place:
            return await place.answer("How long is a year on Mars?", lambda _: None, resumable=True)

    assert asyncio.run(go()).answer == "687 days"
    assert called == [("keep", False), ("drop", False)]


class Writes:
    """Hears a run; `again` is set when its model is in the middle of its second text."""

    def __init__(self) -> None:
        self.again = asyncio.Event()
        self._turn = 0

    def hear(self, event: events.Event) -> None:
        if isinstance(event, events.TurnStarted):
            self._turn = event.turn
        if isinstance(event, events.ThoughtDelta) and self._turn == 2:
            self.again.set()


def test_stopping_one_run_ends_only_that_one(opened: Open) -> None:
    """The other writes on at its pace; the stopped one ends at once, in the middle of a sentence."""

    async def go() -> list[events.RunFinished]:
        async with opened(block("year of Mars"), "A long thought. " * 30 + ANSWER, "687 days}", pace=400.0) as place:
            stop = Stop()
            writes = Writes()
            left, right = (
                asyncio.create_task(place.answer("How long is a year?", heard, stop=s))
                for heard, s in ((writes.hear, stop), (lambda _: None, None))
            )
            await writes.again.wait()
            stop.request("interrupted")
            first = await asyncio.wait_for(left, 60)
            assert not right.done()
            return [first, await right]

    stopped, whole = asyncio.run(go())
    assert (stopped.status, stopped.exit_code, stopped.answer) == ("partial", 6, "687 days")
    assert (whole.status, whole.answer) == ("answered", "687 days")


def test_cancelling_one_run_ends_only_that_one(opened: Open) -> None:
    """A caller that gives up leaves no session behind that could write on."""

    async def go() -> events.RunFinished:
        async with opened(block("year of Mars"), "A long thought. " * 30 + ANSWER, pace=400.0) as place:
            writes = Writes()
            left, right = (
                asyncio.create_task(place.answer("How long?", heard)) for heard in (writes.hear, lambda _: None)
            )
            await writes.again.wait()
            left.cancel()
            with pytest.raises(asyncio.CancelledError):
                await left
            return await right

    assert asyncio.run(go()).answer == "687 days"


def test_each_run_counts_the_hosts_that_it_contacted(opened: Open) -> None:
    """Pages that two runs ask for at once are requested once, and counted once: the sum is what the server saw."""
    with web() as server:
        for name in PLANETS:
            body = f"<html><title>{name}</title><body><article><p>{text(name)} {'More on it. ' * 30}</p></article>"
            server.routes[f"/{name}"] = answer(body.encode())

        async def go() -> list[events.RunFinished]:
            lines = block("year of Mars", "year of Venus"), ANSWER
            async with opened(*lines, source=Almanac(server), fetch_allow=(server.host,)) as place:
                both = await asyncio.gather(*(place.answer("How long?", lambda _: None) for _ in range(2)))
                return [*both, await place.answer("And again?", lambda _: None)]

        finished = asyncio.run(go())
        assert [f.answer for f in finished] == ["687 days"] * 3
        assert sorted(server.paths()) == ["/mars", "/venus"]
        counted = [sum(host.requests for host in f.egress) for f in finished]
        assert sum(counted) == len(server.seen)
        assert counted[2] == 0
        assert sum(host.bytes for f in finished for host in f.egress) > 600


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="resident memory is read from /proc")
def test_a_thousand_questions_leave_nothing_behind(opened: Open) -> None:
    """Memory over 1,000 questions on one desk stays flat within 5 MiB."""

    async def go() -> float:
        async with opened(block("year of Mars"), ANSWER) as place:
            for n in range(1_100):
                assert (await place.answer("How long is a year?", lambda _: None)).exit_code == 0
                if n == 100:
                    before = _resident()
            return _resident() - before

    assert asyncio.run(go()) < 5


def _resident() -> float:
    """MiB."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / (1 << 20)
