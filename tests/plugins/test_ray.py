"""`hds batch --ray` on a real Ray of this machine, with two workers. Skipped where ray is not installed."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hds_cli.errors import UsageError
from hds_ray.cluster import threads_each
from tests.conftest import Hds, command
from tests.contract.schemas import validate

BLOCK = "<think>\nt\n</think>\n\n<|begin_search_queries|>\ncapital of Norway\n<|end_search_queries|>"
ANSWER = "x\n</think>\n\n\\boxed{Oslo}"
QUESTIONS = 8


def test_threads_are_shared_out_so_that_all_run_at_once() -> None:
    """As many as fit on every node; too many questions at once are refused with the number that fits."""
    assert threads_each([8], 2, None) == 4
    assert threads_each([8, 4], 3, None) == 4
    assert threads_each([8, 3], 3, None) == 4 - 1
    assert threads_each([2, 2], 2, 2) == 2
    for sizes, jobs, wanted in (([2], 3, None), ([4], 3, 2), ([], 1, None)):
        with pytest.raises(UsageError, match="room for"):
            threads_each(sizes, jobs, wanted)


def test_without_the_package_the_hint_names_it(hds: Hds, script: Callable[..., str]) -> None:
    """Or there is no cluster at that address: one line, exit 2, and nothing is asked."""
    done = hds("batch", "--ray", "127.0.0.1:1", "-e", "scripted", "-m", script(ANSWER), stdin="q\n", timeout=150)
    assert done.returncode == 2
    assert done.stdout == ""
    assert 'pip install "hds-cli[ray]"' in done.stderr or "there is no Ray cluster at 127.0.0.1:1" in done.stderr


@pytest.fixture
def cluster(home: Path, tmp_path: Path) -> Iterator[str]:
    """The address of a Ray with two processors, started as its users do."""
    pytest.importorskip("ray")
    ray = str(Path(sys.executable).with_name("ray"))
    port = 20_000 + os.getpid() % 10_000
    start = [ray, "start", "--head", "--num-cpus=2", "--include-dashboard=false", "--disable-usage-stats",
             f"--port={port}", f"--temp-dir={Path('/tmp') / f'ray{os.getpid()}'}"]  # fmt: skip
    subprocess.run(start, check=True, capture_output=True, timeout=120)
    yield f"127.0.0.1:{port}"
    subprocess.run([ray, "stop", "--force"], check=True, capture_output=True, timeout=60)


@pytest.fixture
def oslo(script: Callable[..., str]) -> list[str]:
    return ["-e", "scripted", "-m", script(BLOCK, ANSWER, pace=40), "-s", "world", "--offline"]


@pytest.fixture
def questions(tmp_path: Path) -> str:
    path = tmp_path / "questions.txt"
    path.write_text("".join(f"Which capital is number {n}?\n" for n in range(1, QUESTIONS + 1)))
    return str(path)


def rows(text: str) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in text.splitlines()]
    for row in found:
        validate(row)
    return found


def workers() -> list[int]:
    """The actors of this machine, by the name that Ray gives their processes."""
    named = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and b"ray::Worker" in (entry / "cmdline").read_bytes():
                named.append(int(entry.name))
        except OSError:
            continue
    return named


def test_two_workers_answer_in_order_and_one_of_them_dies(
    hds: Hds, cluster: str, oslo: list[str], questions: str, tmp_path: Path
) -> None:
    """The same rows as without a cluster; the question of a killed worker is asked again; --resume goes on."""
    out = tmp_path / "answers.jsonl"
    line = [command(), "batch", questions, *oslo, "--ray", cluster, "--jobs", "2", "-o", str(out)]
    with subprocess.Popen(line, stderr=subprocess.PIPE, text=True) as process:
        part = out.with_name("answers.jsonl.part")
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and (not part.exists() or part.read_text().count("\n") < 3):
            time.sleep(0.1)
        both = workers()
        assert len(both) == 2
        os.kill(both[0], signal.SIGKILL)
        _, said = process.communicate(timeout=200)
    assert process.returncode == 0, said
    found = rows(out.read_text())
    assert [row["id"] for row in found] == [str(n) for n in range(1, QUESTIONS + 1)]
    assert {(row["status"], row["answer"]) for row in found} == {("answered", "Oslo")}
    assert len({row["run_id"] for row in found}) == QUESTIONS
    assert f"{QUESTIONS} of {QUESTIONS} questions answered" in said

    again = tmp_path / "again.jsonl"
    kept = out.read_text().splitlines(keepends=True)
    line[-1] = str(again)
    with subprocess.Popen(line, stderr=subprocess.PIPE, text=True) as process:
        part = again.with_name("again.jsonl.part")
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and (not part.exists() or part.read_text().count("\n") < 3):
            time.sleep(0.1)
        process.kill()
    before = [row for row in part.read_text().splitlines()[1:] if row.endswith("}")]
    done = hds(*line[1:], "--resume", timeout=200)
    assert done.returncode == 0, done.stderr
    resumed = rows(again.read_text())
    assert [row["id"] for row in resumed] == [json.loads(row)["id"] for row in kept]
    assert {json.loads(row)["run_id"] for row in before} <= {row["run_id"] for row in resumed}


def test_the_batch_ends_when_no_worker_is_left(
    hds: Hds, cluster: str, oslo: list[str], questions: str, tmp_path: Path
) -> None:
    """Each is killed as often as Ray starts it again; the questions that are left say why they have no answer."""
    out = tmp_path / "answers.jsonl"
    line = [command(), "batch", questions, *oslo, "--ray", cluster, "--jobs", "2", "-o", str(out)]
    with subprocess.Popen(line, stderr=subprocess.PIPE, text=True) as process:
        part, deadline = out.with_name("answers.jsonl.part"), time.monotonic() + 170
        while time.monotonic() < deadline and process.poll() is None:
            if part.exists() and part.read_text().count("\n") >= 2:
                for worker in workers():
                    with contextlib.suppress(OSError):
                        os.kill(worker, signal.SIGKILL)
            time.sleep(0.2)
        process.kill()
        process.communicate(timeout=20)
    found = rows(out.read_text())
    assert [row["id"] for row in found] == [str(n) for n in range(1, QUESTIONS + 1)]
    assert "no worker of the cluster is left" in {row["error"]["message"] for row in found if row["status"] == "failed"}


def test_an_error_of_the_model_is_the_commands_error(hds: Hds, cluster: str, questions: str) -> None:
    """A model that no node has is said once, as without a cluster."""
    done = hds("batch", questions, "--ray", cluster, "-m", "/nowhere/model.gguf", timeout=150)
    assert done.returncode == 4
    assert "hds: error[model_missing]" in done.stderr
    assert done.stdout == ""
    assert hds("batch", questions, "--ray", cluster, "--jobs", "3", timeout=150).returncode == 2
