"""How many threads evaluate a batch, on machines that are made up: no step waits, and no other process is started."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from hds_cli.engine.base import ModelSpec, Segment
from hds_cli.engine.llama.model import LlamaEngine
from hds_cli.engine.llama.thread_count import Others, ThreadCount, usable
from tests.engine import tiny


class Machine:
    """Cores, processes that hold some of them, and a model whose steps crawl when its threads do not find room.

    `says`: the system tells how many cores others use. `growth`: by which each step is longer than the one before.
    """

    def __init__(self, cores: int, busy: int = 0, *, says: bool = True, growth: float = 1.0) -> None:
        self.cores, self.busy, self._says, self._growth = cores, busy, says, growth
        self.now, self._size, self.steps = 0.0, 1.0, list[int]()

    def clock(self) -> float:
        return self.now

    def free(self) -> float | None:
        used = self.steps[-1] if self.steps else 0
        return self.cores - self._between(used) if self._says else None

    def _between(self, threads: int) -> float:
        """The cores that others get: they share with the model's threads when there are too few."""
        return float(min(self.busy, self.cores - threads + 0.5 * min(self.busy, threads)))

    def seconds(self, threads: int) -> float:
        alone = 0.014 / threads**0.5
        return self._size * (alone if threads + self.busy <= self.cores or threads == 1 else 0.3)

    def run(self, pace: ThreadCount, seconds: float, tokens: int = 1) -> float:
        """Steps for so long; steps a second."""
        began, count = self.now, 0
        while self.now < began + seconds:
            threads = pace.next()
            took = tokens * self.seconds(threads)
            self.steps.append(threads)
            self.now += took
            self._size *= self._growth
            count += 1
            pace.took(tokens, took)
        return count / (self.now - began)


def pace_on(machine: Machine, most: int | None = None) -> ThreadCount:
    return ThreadCount(most or machine.cores, machine.free, machine.clock)


@pytest.mark.parametrize("growth", [1.0, 1.003])
def test_alone_all_threads_work_all_the_time(growth: float) -> None:
    """Also while the text grows, and each step takes a little longer."""
    machine = Machine(4, growth=growth)
    machine.run(pace_on(machine), 30)
    assert set(machine.steps) == {4}


@pytest.mark.parametrize("says", [True, False])
def test_beside_a_process_that_comes_and_goes(says: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside it at least 0.8 of what one thread reaches, after it all threads again."""
    monkeypatch.setattr(os, "getloadavg", lambda: (0.0, 0.0, 0.0))
    machine = Machine(2, says=says)
    pace = pace_on(machine)
    alone = machine.run(pace, 5)
    assert alone == pytest.approx(1 / machine.seconds(2), rel=0.05)
    machine.busy = 1
    assert machine.run(pace, 60) >= 0.8 / 0.014
    machine.busy = 0
    machine.run(pace, 31)
    assert machine.run(pace, 5) >= 0.97 * alone


@pytest.mark.parametrize("says", [True, False])
def test_a_machine_that_is_busy_from_the_start(says: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first step already gives way."""
    monkeypatch.setattr(os, "getloadavg", lambda: (2.0, 2.0, 2.0))
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    machine = Machine(2, busy=1, says=says)
    rate = machine.run(pace_on(machine), 60)
    assert machine.steps[0] == 1
    assert rate >= 0.8 / 0.014


def test_of_many_cores_only_those_in_use_are_left_to_others() -> None:
    """Three busy processes on sixteen cores leave thirteen threads."""
    machine = Machine(16)
    pace = pace_on(machine)
    machine.run(pace, 5)
    machine.busy = 3
    machine.run(pace, 10)
    assert machine.steps[-1] == 13


@pytest.mark.parametrize(("cores", "busy"), [(8, 4), (64, 50)])
def test_cores_that_the_model_may_not_use_are_there_for_others(cores: int, busy: int) -> None:
    """Four threads of eight cores, or a container's share of four of 64: what others do beside them costs none."""
    machine = Machine(cores, busy)
    machine.run(pace_on(machine, most=4), 10)
    assert set(machine.steps) == {4}
    machine.busy = cores - 2
    machine.run(pace_on(machine, most=4), 10)
    assert machine.steps[-1] == 2


def test_slow_steps_for_another_reason_cost_no_threads() -> None:
    """Where fewer threads are no quicker, all of them work on."""
    machine = Machine(4)
    pace = pace_on(machine)
    machine.run(pace, 2)
    machine._size = 5.0  # a long prompt has been read meanwhile
    machine.run(pace, 2)
    machine.steps.clear()
    machine.run(pace, 20)
    assert machine.steps.count(4) > 0.95 * len(machine.steps)


def test_one_core_has_one_thread() -> None:
    machine = Machine(1, busy=2)
    machine.run(pace_on(machine), 5)
    assert set(machine.steps) == {1}


def test_the_load_is_that_of_other_processes() -> None:
    """This one's own work does not count."""
    others = Others()
    if others.free() is None:
        pytest.skip("this system does not say")
    began, worked = time.monotonic(), time.process_time()
    while time.monotonic() < began + 0.5:
        pass
    free = others.free()
    own = (time.process_time() - worked) / (time.monotonic() - began)
    assert free is not None
    assert own - 0.15 <= free <= (os.cpu_count() or 1)


@pytest.mark.parametrize("text", ["", "cpu", "cpu a b c d e f g h", "intr 1 2 3 4 5 6 7 8\n", "cpu  -1 0 0"])
def test_a_file_that_says_nothing_is_none(text: str, tmp_path: Path) -> None:
    stat = tmp_path / "stat"
    stat.write_text(text)
    others = Others(stat)
    time.sleep(0.11)
    assert others.free() is None
    assert Others(tmp_path / "none").free() is None


@pytest.mark.parametrize("given", [None, 3])
def test_a_number_that_is_given_is_kept_to(given: int | None, tmp_path: Path) -> None:
    """Whatever else the machine does; without one the context has what its count says."""
    path = tiny.write(tmp_path / "tiny.gguf")
    engine = LlamaEngine(ModelSpec("tiny", path), n_ctx=128, n_threads=given)
    session = engine.session()
    session.append([Segment("The Nile is long.")])
    session.generate(max_tokens=4)
    decoder = engine._decoder
    assert decoder is not None
    threads = engine._api.llama_n_threads(decoder._context)
    if given:
        assert (threads, decoder._count) == (given, None)
    else:
        assert decoder._count is not None
        assert threads == decoder._count.threads <= usable()
    engine.close()


def test_usable_cores_are_at_least_one_and_no_more_than_there_are() -> None:
    assert 1 <= usable() <= (os.cpu_count() or 1)
