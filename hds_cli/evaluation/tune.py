"""Searches the pipeline's own options: random search or successive halving, a Pareto front, no win inside the noise.

Successive halving (Jamieson & Talwalkar 2016): all configurations answer a few questions, the better half twice as
many, and so on. The one that comes out is compared with the present settings on questions that were not used to
choose it: the best of many looks better than it is on those it was chosen by.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from hds_cli import paths
from hds_cli.desk.rows import cut_torn_line
from hds_cli.errors import UsageError
from hds_cli.evaluation.bootstrap import Interval, interval, paired
from hds_cli.evaluation.journal import read_lines
from hds_cli.evaluation.questions import Question

SCHEMA = "hds.tune/1"
STRATEGIES = ("halving", "random")
Value = int | float | str | None
SPACE: dict[str, tuple[Value, ...]] = {
    "top_k": (2, 3, 5, 8, 10),
    "max_queries": (1, 2, 4, 8),
    "max_turns": (1, 2, 4, 6, 10),
    "temperature": (None, 0.0, 0.3, 0.6),
}
_FIRST_RUNG = 4  # questions in the first rung, at least


@dataclass(frozen=True)
class Config:
    """The options that a configuration sets over the present settings; the empty one is the present settings."""

    changes: tuple[tuple[str, Value], ...] = ()

    @property
    def key(self) -> str:
        """Short and the same for the same options."""
        return hashlib.sha256(json.dumps(self.changes).encode()).hexdigest()[:16]

    def __str__(self) -> str:
        flags = (f"--{name.replace('_', '-')} {value}" for name, value in self.changes if value is not None)
        return " ".join(flags) or "as set"


@dataclass(frozen=True, slots=True)
class Result:
    """One question by one configuration: F1 in percent, wall-clock seconds, tokens written."""

    f1: float
    seconds: float
    tokens: int


@dataclass(frozen=True)
class Outcome:
    """A configuration, and what it made of the questions it was given, in their order."""

    config: Config
    results: tuple[Result, ...]

    @property
    def f1(self) -> float:
        return fmean(r.f1 for r in self.results)

    @property
    def seconds(self) -> float:
        return fmean(r.seconds for r in self.results)

    @property
    def tokens(self) -> float:
        return fmean(r.tokens for r in self.results)

    def bounds(self) -> Interval:
        """F1 with its 95 % interval."""
        return interval([r.f1 for r in self.results])


@dataclass(frozen=True)
class Tuned:
    """The outcomes tried, the front of those that came furthest, and the winner beside the present settings.

    `gain` is the winner's F1 minus that of the present settings, over questions kept back until then.
    """

    tried: tuple[Outcome, ...]
    front: tuple[Outcome, ...]
    winner: Config
    gain: Interval
    confirmed_on: int

    @property
    def verdict(self) -> str:
        if not self.winner.changes:
            return "nothing that was tried is better than the present settings"
        if not self.gain.excludes_zero:
            return "no difference shown between the best and the present settings"
        return "better than the present settings" if self.gain.mean > 0 else "worse than the present settings"

    def to_dict(self) -> dict[str, Any]:
        """The document `hds.tune/1`."""
        front = {outcome.config.key for outcome in self.front}
        return {
            "schema": SCHEMA,
            "tried": [
                {"options": dict(o.config.changes), "n": len(o.results), "f1": asdict(o.bounds()), "seconds": o.seconds,
                 "tokens": o.tokens, "front": o.config.key in front}
                for o in self.tried
            ],
            "winner": dict(self.winner.changes),
            "gain": asdict(self.gain),
            "confirmed_on": self.confirmed_on,
            "verdict": self.verdict,
        }  # fmt: skip


Evaluate = Callable[[Config, Sequence[Question]], Awaitable[Sequence[Result]]]


def space_of(options: Sequence[str], types: Mapping[str, Callable[[str], Value]]) -> dict[str, tuple[Value, ...]]:
    """`top-k=3,5` and the like as a space; the built-in one when there are none.

    Args:
        types: the settings that may be tuned, and how their values are read.

    Raises:
        UsageError: there is no such setting, or it cannot have such a value.
    """
    space: dict[str, tuple[Value, ...]] = {}
    for option in options:
        name, _, values = option.partition("=")
        field = name.strip().replace("-", "_")
        if field not in types or not values:
            raise UsageError(f"{option!r} names no values of a setting", hint="--option top-k=3,5,8")
        try:
            space[field] = tuple(types[field](value.strip()) for value in values.split(","))
        except ValueError:
            raise UsageError(f"{option!r}: a value is of the wrong kind", hint="--option top-k=3,5,8") from None
    return space or dict(SPACE)


def drawn(space: Mapping[str, Sequence[Value]], trials: int, seed: int) -> list[Config]:
    """The present settings and up to `trials` others, each different, at random."""
    rng = random.Random(seed)
    configs = {Config(): None}
    for _ in range(50 * trials):
        if len(configs) > trials:
            break
        values = {name: rng.choice(list(choices)) for name, choices in sorted(space.items())}
        configs[Config(tuple((name, value) for name, value in values.items() if value is not None))] = None
    return list(configs)


def split(questions: Sequence[Question]) -> tuple[list[Question], list[Question]]:
    """Questions to choose by, and those kept back to confirm with: every second one.

    Raises:
        UsageError: too few for both.
    """
    if len(questions) < 2 * _FIRST_RUNG:
        raise UsageError(f"{len(questions)} questions are too few to tune on", hint=f"at least {2 * _FIRST_RUNG}")
    return list(questions[::2]), list(questions[1::2])


async def tune(questions: Sequence[Question], configs: Sequence[Config], strategy: str, evaluate: Evaluate) -> Tuned:
    """Find the best of the configurations, and say how sure that is."""
    choosing, kept = split(questions)
    rungs = _rungs(len(choosing), len(configs)) if strategy == "halving" else [len(choosing)]
    left, tried = list(configs), dict[str, Outcome]()
    for rung in rungs:
        outcomes = [Outcome(c, tuple(await evaluate(c, choosing[:rung]))) for c in left]
        tried |= {o.config.key: o for o in outcomes}
        best = sorted(outcomes, key=lambda o: (-o.f1, bool(o.config.changes), o.seconds))
        left = [o.config for o in best[: max(1, (len(best) + 1) // 2)]]
    furthest = [o for o in tried.values() if len(o.results) == rungs[-1]]
    winner = left[0]
    gain = await _confirmed(winner, kept, evaluate)
    return Tuned(tuple(tried.values()), tuple(pareto(furthest)), winner, gain, len(kept))


async def _confirmed(winner: Config, kept: Sequence[Question], evaluate: Evaluate) -> Interval:
    if not winner.changes:
        return Interval(0.0, 0.0, 0.0)
    before, after = await evaluate(Config(), kept), await evaluate(winner, kept)
    return paired([r.f1 for r in before], [r.f1 for r in after])


def _rungs(questions: int, configs: int) -> list[int]:
    """Questions a rung: doubling, until one configuration is left or all questions are used."""
    halvings = max(0, (max(1, configs) - 1).bit_length() - 1)
    sizes = [max(_FIRST_RUNG, questions >> n) for n in range(halvings, 0, -1)]
    return [*dict.fromkeys(size for size in sizes if size < questions), questions]


def pareto(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """The outcomes that no other beats, best F1 first.

    One beats another when it is as good in F1, seconds and tokens, and better in one of them.
    """

    def beats(a: Outcome, b: Outcome) -> bool:
        left, right = (-a.f1, a.seconds, a.tokens), (-b.f1, b.seconds, b.tokens)
        return left != right and all(x <= y for x, y in zip(left, right, strict=True))

    front = [o for o in outcomes if not any(beats(other, o) for other in outcomes)]
    return sorted(front, key=lambda o: (-o.f1, o.seconds))


class Cache:
    """Every evaluation that was made, by configuration and question; one file a model, set and corpus.

    Args:
        path: a JSONL file that is appended to; a torn last line is dropped.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        paths.folder_of(path)
        cut_torn_line(path)
        rows = read_lines(path) if path.exists() else []
        self._known = {(r["config"], r["question"]): Result(r["f1"], r["seconds"], r["tokens"]) for r in rows}

    def get(self, config: Config, question: Question) -> Result | None:
        return self._known.get((config.key, question.id))

    def put(self, config: Config, question: Question, result: Result) -> None:
        self._known[config.key, question.id] = result
        line = {"config": config.key, "question": question.id, **asdict(result), "options": dict(config.changes)}
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
