"""Tuning: halving spends questions where they matter, the front is right, and noise is called noise."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from hds_cli.errors import UsageError
from hds_cli.evaluation.questions import Question
from hds_cli.evaluation.tune import Cache, Config, Outcome, Result, drawn, pareto, space_of, split, tune
from tests.conftest import Hds
from tests.contract.schemas import validate

QUESTIONS = [Question(f"q{n}", f"{n}?", ("a",)) for n in range(64)]


def _run(gain: Callable[[Config], float], configs: Sequence[Config], strategy: str = "halving"):
    """Each question is right by chance, more often by `gain`; the same luck for every configuration."""
    asked: dict[str, set[str]] = {}

    async def evaluate(config: Config, questions: Sequence[Question]) -> list[Result]:
        asked.setdefault(config.key, set()).update(q.id for q in questions)
        rng = {q.id: random.Random(f"{q.id} {config.key}").random() for q in questions}
        return [Result(100.0 * (rng[q.id] < 0.4 + gain(config)), 1.0, 10) for q in questions]

    return asyncio.run(tune(QUESTIONS, configs, strategy, evaluate)), asked


CONFIGS = drawn({"top_k": (1, 2, 3, 4, 5), "max_turns": (1, 2, 3)}, 7, seed=1)


def test_a_real_gain_is_found_and_named() -> None:
    """One of eight is right almost always: it wins, and the questions kept back confirm it."""
    good = CONFIGS[5]
    found, _ = _run(lambda config: 0.55 * (config == good), CONFIGS)
    assert found.winner == good
    assert found.verdict == "better than the present settings"
    assert found.confirmed_on == 32


def test_no_win_is_claimed_inside_the_noise() -> None:
    """Eight equal configurations, over many draws of luck: the best of them is hardly ever called better."""
    claims = 0
    for seed in range(30):
        configs = [Config(), *(Config((("seed", 100 * seed + n),)) for n in range(1, 8))]
        found, _ = _run(lambda _: 0.0, configs)
        claims += found.verdict == "better than the present settings"
    assert claims <= 3


def test_halving_asks_less_than_everything() -> None:
    """Only the better half goes on; random search asks all of everyone. Nobody chooses by what confirms."""
    found, halved = _run(lambda _: 0.0, CONFIGS)
    _, everything = _run(lambda _: 0.0, CONFIGS, "random")
    assert sum(map(len, halved.values())) < 0.7 * sum(map(len, everything.values()))
    kept = {q.id for q in split(QUESTIONS)[1]}
    losers = [c for c in CONFIGS if c not in (found.winner, Config())]
    assert all(not halved[c.key] & kept for c in losers)


def test_the_front_holds_what_nothing_beats() -> None:
    """Better and slower stays, as good and slower goes."""
    points = {"a": (90.0, 9.0, 50), "b": (50.0, 1.0, 50), "c": (50.0, 2.0, 50), "d": (40.0, 2.0, 10)}
    outcomes = [Outcome(Config((("name", n),)), (Result(*p),)) for n, p in points.items()]
    assert [dict(o.config.changes)["name"] for o in pareto(outcomes)] == ["a", "b", "d"]


def test_what_was_evaluated_is_known_again(tmp_path: Path) -> None:
    """By configuration and question; a torn last line costs one evaluation, not the file."""
    path = tmp_path / "cache.jsonl"
    config = Config((("top_k", 3),))
    Cache(path).put(config, QUESTIONS[0], Result(50.0, 1.5, 7))
    with path.open("a") as file:
        file.write('{"config": "torn')
    again = Cache(path)
    assert again.get(config, QUESTIONS[0]) == Result(50.0, 1.5, 7)
    assert again.get(Config(), QUESTIONS[0]) is None


def test_what_cannot_be_tuned_is_said() -> None:
    """No such setting, no values, a wrong value, too few questions."""
    types = {"top_k": int}
    assert space_of(["top-k=3, 5"], types) == {"top_k": (3, 5)}
    for wrong in ("nope=1", "top-k", "top-k=x"):
        with pytest.raises(UsageError):
            space_of([wrong], types)
    with pytest.raises(UsageError, match="too few"):
        split(QUESTIONS[:5])


def test_the_command_asks_nothing_twice(hds: Hds, home: Path, shared: Path, script: Callable[..., str]) -> None:
    """A second call is answered from the cache, byte for byte; another value of an option is asked."""
    block = "<think>\nt\n</think>\n\n<|begin_search_queries|>\nWho likes Quokkas\n<|end_search_queries|>"
    model = script(block, "x\n</think>\n\n\\boxed{Geneva Durben}")
    arguments = ["tune", str(shared / "data" / "limit_small"), "--limit", "12", "-e", "scripted", "-m", model, "--json"]
    first = hds(*arguments, "--option", "top-k=1,2")
    assert first.returncode == 0, first.stderr
    found = json.loads(first.stdout)
    validate(found, "hds.tune/1")
    assert {json.dumps(tried["options"]) for tried in found["tried"]} == {"{}", '{"top_k": 1}', '{"top_k": 2}'}
    assert found["verdict"].startswith("no") or "present settings" in found["verdict"]
    (cache,) = (home / "data" / "eval" / "tune").glob("*.jsonl")
    lines = cache.read_text()
    assert hds(*arguments, "--option", "top-k=1,2").stdout == first.stdout
    assert cache.read_text() == lines
    bad = hds(*arguments, "--option", "top-k=0")
    assert bad.returncode == 2


def test_each_model_that_was_loaded_is_given_back(
    home: Path, shared: Path, script: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is tried next loads its own: no two are in memory."""
    from hds_cli.cli import run
    from hds_cli.engine.scripted import ScriptedEngine

    held: list[ScriptedEngine] = []
    most: list[int] = []
    session = ScriptedEngine.session

    def opened(engine: ScriptedEngine) -> object:
        held.extend([engine] if engine not in held else [])
        most.append(len(held))
        return session(engine)

    monkeypatch.setattr(ScriptedEngine, "session", opened)
    monkeypatch.setattr(ScriptedEngine, "close", lambda engine: held.remove(engine))
    block = "<think>\nt\n</think>\n\n<|begin_search_queries|>\nWho likes Quokkas\n<|end_search_queries|>"
    model = script(block, "x\n</think>\n\n\\boxed{Geneva Durben}")
    data = str(shared / "data" / "limit_small")
    run(["tune", data, "--limit", "12", "-e", "scripted", "-m", model, "--json", "--option", "top-k=1,2"])
    assert len(most) > 1
    assert (held, set(most)) == ([], {1})
