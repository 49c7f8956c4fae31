"""What a cluster does when its workers die, are away for a while, or have no model: Ray itself is played."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import asdict
from types import SimpleNamespace
from typing import Any

import pytest

from hds_cli.config import Settings
from hds_cli.errors import HdsError, ModelError
from hds_cli.types import ModelInfo
from hds_ray import cluster
from hds_ray.cluster import RayCluster

SECONDS = 20.0


class RayError(Exception): ...


class RayActorError(RayError): ...


class ActorDiedError(RayActorError): ...


class ActorUnavailableError(RayActorError): ...


FINE = {"info": asdict(ModelInfo("played")), "said": []}
NO_MODEL = {"error": {"code": "model_missing", "message": "there is no model x", "hint": "pull it"}, "node": "second"}


class Actor:
    """Says of itself what `about` has, one after another and the last for ever; `answer` is what a question brings."""

    def __init__(self, about: list[Any], answer: Callable[[], Any]) -> None:
        self._about, self._answer, self.asked = about, answer, 0
        self.about, self.answer = SimpleNamespace(remote=self._say), SimpleNamespace(remote=self._ask)

    async def _say(self) -> Any:
        said = self._about.pop(0) if len(self._about) > 1 else self._about[0]
        if isinstance(said, Exception):
            raise said
        return said

    async def _ask(self, question: str) -> Any:
        self.asked += 1
        await asyncio.sleep(0.01)
        return self._answer()


class Ray:
    """The package, as far as a cluster uses it, with these actors."""

    exceptions = SimpleNamespace(
        RayError=RayError, RayActorError=RayActorError, ActorUnavailableError=ActorUnavailableError
    )
    util = SimpleNamespace(get_node_ip_address=lambda: "127.0.0.1")

    def __init__(self, *actors: Actor) -> None:
        self._actors, self.begun, self.killed = iter(actors), dict[str, Any](), list[Actor]()

    def init(self, **how: Any) -> None:
        self.begun = how

    def nodes(self) -> list[dict[str, Any]]:
        return [{"Alive": True, "NodeManagerAddress": "127.0.0.1", "Resources": {"CPU": 64}}]

    def remote(self, **_: Any) -> Callable[[type], Any]:
        return lambda _: SimpleNamespace(remote=lambda *_: next(self._actors))

    def kill(self, actor: Actor) -> None:
        self.killed.append(actor)

    def shutdown(self) -> None: ...


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ray]:
    def play(*actors: Actor) -> Ray:
        ray = Ray(*actors)
        monkeypatch.setattr(cluster, "_package", lambda: ray)
        return ray

    monkeypatch.setattr(cluster, "_PAUSE", 0.01)
    monkeypatch.setattr(cluster, "_finished", lambda answer, emit: answer)
    return play


def dies() -> Any:
    raise ActorDiedError


def answered(jobs: int, questions: int) -> list[Any]:
    """What becomes of so many questions that are asked at once."""

    async def run() -> list[Any]:
        async with RayCluster("auto", Settings(), jobs) as answerer:
            asked = (answerer.answer(f"question {n}", lambda _: None) for n in range(questions))
            return await asyncio.wait_for(asyncio.gather(*asked, return_exceptions=True), SECONDS)

    return asyncio.run(run())


def test_when_the_last_worker_is_gone_every_question_ends(played: Callable[..., Ray]) -> None:
    """Those that wait for a worker end too, and so does one that is asked later."""
    played(*(Actor([FINE, ActorDiedError()], dies) for _ in range(2)))
    results = answered(2, 6)
    assert [str(result) for result in results] == ["no worker of the cluster is left"] * 6
    assert all(isinstance(result, HdsError) and result.error_code == "cluster" for result in results)


def test_a_worker_that_is_started_again_goes_on(played: Callable[..., Ray]) -> None:
    """A call to it fails at once until it is there; its question is asked again."""
    deaths = iter([ActorDiedError()])

    def once() -> Any:
        if (death := next(deaths, None)) is not None:
            raise death
        return "answered"

    ray = played(actor := Actor([FINE, ActorUnavailableError(), ActorUnavailableError(), FINE], once))
    assert answered(1, 3) == ["answered"] * 3
    assert actor.asked == 4
    assert ray.killed == [actor]  # once, at the end


def test_a_worker_that_stays_away_counts_as_dead(played: Callable[..., Ray], monkeypatch: pytest.MonkeyPatch) -> None:
    """After a time; nobody waits for it for ever."""
    monkeypatch.setattr(cluster, "_RESTART_SECONDS", 0.05)
    played(Actor([FINE, ActorUnavailableError()], dies))
    assert [str(result) for result in answered(1, 2)] == ["no worker of the cluster is left"] * 2


@pytest.mark.parametrize("back", [NO_MODEL, RayError("no memory")])
def test_a_worker_that_comes_back_without_its_model_is_left_out(played: Callable[..., Ray], back: Any) -> None:
    """It would fail every question at once, and so get most of them."""
    ray = played(good := Actor([FINE], lambda: "answered"), bad := Actor([FINE, back], dies))
    assert answered(2, 8) == ["answered"] * 8
    assert (bad.asked, good.asked) == (1, 8)
    assert ray.killed == [bad, good]


def test_one_node_without_the_model_is_an_error_before_any_question(played: Callable[..., Ray]) -> None:
    """Which names it; nothing is asked, so that no row says "failed"."""
    ray = played(*(actors := [Actor([FINE], dies), Actor([FINE], dies), Actor([NO_MODEL], dies)]))
    with pytest.raises(ModelError, match="second: there is no model x") as caught:
        answered(3, 3)
    assert (caught.value.error_code, caught.value.hint) == ("model_missing", "pull it")
    assert [actor.asked for actor in actors] == [0, 0, 0]
    assert ray.killed == actors


def test_a_worker_that_does_not_start_is_an_error_of_one_line(played: Callable[..., Ray]) -> None:
    """As on a node where hds is not installed."""
    played(
        Actor([FINE], dies), Actor([RayActorError("traceback\nModuleNotFoundError: No module named 'hds_ray'")], dies)
    )
    with pytest.raises(ModelError, match="does not start: traceback ModuleNotFoundError: No module"):
        answered(2, 1)


@pytest.mark.parametrize("jobs", [1, 12])
def test_a_cluster_of_this_machine_has_all_its_cores(
    played: Callable[..., Ray], monkeypatch: pytest.MonkeyPatch, jobs: int
) -> None:
    """And room for every question at once, even where there are fewer."""
    monkeypatch.setattr(cluster, "usable", lambda: 8)
    ray = played(*(Actor([FINE], lambda: "answered") for _ in range(jobs)))

    async def run() -> None:
        async with RayCluster("local", Settings(), jobs):
            assert ray.begun["num_cpus"] == max(jobs, 8)

    asyncio.run(run())
