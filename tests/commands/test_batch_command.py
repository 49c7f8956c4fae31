"""`hds batch` as a user runs it: in order, resumed after any death, one bad line among good ones."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Hds, command
from tests.contract.schemas import validate

BLOCK = "<think>\nt\n</think>\n\n<|begin_search_queries|>\ncapital of Norway\n<|end_search_queries|>"
ANSWER = "x\n</think>\n\n\\boxed{Oslo}"


@pytest.fixture
def oslo(script: Callable[..., str]) -> list[str]:
    return ["-e", "scripted", "-m", script(BLOCK, ANSWER), "-s", "world", "--offline"]


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    path = tmp_path / "questions.txt"
    path.write_text("".join(f"Which capital is number {n}?\n" for n in range(1, 9)))
    return path


def rows(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_answers_come_in_the_order_of_the_questions(hds: Hds, oslo: list[str], questions: Path) -> None:
    """Each is the document of `ask --json` and says which question it answers; with four at once too."""
    done = hds("batch", str(questions), *oslo, "--jobs", "4")
    assert done.returncode == 0, done.stderr
    found = rows(done.stdout)
    for row in found:
        validate(row)
    assert [row["id"] for row in found] == [str(n) for n in range(1, 9)]
    assert {(row["status"], row["answer"]) for row in found} == {("answered", "Oslo")}
    assert found[2]["question"] == "Which capital is number 3?"
    assert len({row["run_id"] for row in found}) == 8
    assert "8 of 8 questions answered" in done.stderr
    assert rows(hds("batch", str(questions), *oslo, "-q").stdout)[-1]["id"] == "8"


def test_a_line_that_is_no_question_is_said_and_the_rest_is_asked(hds: Hds, oslo: list[str]) -> None:
    """With its number; the exit code says that not all were answered."""
    lines = [
        b'{"question": "One?", "id": "a"}', b'{"question": "Two?", "id": "a"}', b"{", b'{"ask": "x"}', b"", b"\xff\xfe",
        b'{"question": 7}', b'{"question": "x", "id": []}', b"long " * 4000, b"x" * 200_000, b"Last?",
    ]  # fmt: skip
    done = hds("batch", *oslo, stdin=b"\n".join(lines))
    assert [row["id"] for row in rows(done.stdout)] == ["a", "11"]
    said = [line for line in done.stderr.splitlines() if line.startswith("hds: stdin, line ")]
    assert [line.split()[3].rstrip(":") for line in said] == ["2", "3", "4", "6", "7", "8", "9", "10"]
    assert done.returncode == 3


def test_a_question_without_an_answer_is_a_row(hds: Hds, script: Callable[..., str], questions: Path) -> None:
    """The script ends too early: each row says why, and the exit code is 3."""
    done = hds("batch", str(questions), "-e", "scripted", "-m", script(BLOCK), "-s", "world", "--offline")
    assert done.returncode == 3
    found = rows(done.stdout)
    for row in found:
        validate(row)
    assert {(row["status"], row["error"]["code"]) for row in found} == {("failed", "script_ended")}
    assert len(found) == 8


def test_without_questions_it_is_a_wrong_use(hds: Hds, oslo: list[str], tmp_path: Path) -> None:
    assert hds("batch", *oslo, stdin="\n\n").returncode == 2
    assert hds("batch", str(tmp_path / "none"), *oslo).returncode == 2


def test_the_file_is_there_when_all_are(hds: Hds, oslo: list[str], questions: Path, tmp_path: Path) -> None:
    """An old one stays until then, and nothing else is left."""
    out = tmp_path / "out.jsonl"
    out.write_text("old")
    done = hds("batch", str(questions), *oslo, "-o", str(out), "--jobs", "3")
    assert (done.returncode, done.stdout) == (0, "")
    assert [row["id"] for row in rows(out.read_text())] == [str(n) for n in range(1, 9)]
    assert [path.name for path in tmp_path.glob("*out*")] == ["out.jsonl"]


def _started(arguments: list[str], home: Path) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "HDS_HOME": str(home)}
    return subprocess.Popen(
        [command(), *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment,
        start_new_session=True,
    )  # fmt: skip


def _killed_after(rows_wanted: int, part: Path, arguments: list[str], home: Path, number: int) -> tuple[int, str]:
    """Start the command, send the signal when so many rows are kept, and wait for its end."""
    process = _started(arguments, home)
    while process.poll() is None and not (part.exists() and part.read_bytes().count(b"\n") > rows_wanted):
        pass
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    return process.returncode, said.decode()


@pytest.mark.parametrize("jobs", ["1", "3"])
def test_a_kill_loses_and_repeats_nothing(
    hds: Hds, home: Path, script: Callable[..., str], questions: Path, tmp_path: Path, jobs: str
) -> None:
    """What was finished keeps its run; the rest is asked; a torn line is no row."""
    slow = ["-e", "scripted", "-m", script(BLOCK, ANSWER, pace=200), "-s", "world", "--offline", "--jobs", jobs]
    out, part = tmp_path / "out.jsonl", tmp_path / "out.jsonl.part"
    arguments = ["batch", str(questions), *slow, "-o", str(out)]
    code, _ = _killed_after(2, part, arguments, home, signal.SIGKILL)
    assert code == -signal.SIGKILL
    assert not out.exists()
    kept = {row["id"]: row["run_id"] for row in rows(part.read_text())[1:]}
    with part.open("ab") as file:
        file.write(b'{"schema": "hds.run/1", "id": "7", "torn')
    assert hds(*arguments).returncode == 2  # they are not written over unasked
    done = hds(*arguments, "--resume")
    assert done.returncode == 0, done.stderr
    found = rows(out.read_text())
    assert [row["id"] for row in found] == [str(n) for n in range(1, 9)]
    assert {row["id"]: row["run_id"] for row in found if row["id"] in kept} == kept
    assert len(kept) >= 2
    assert not part.exists()


def test_rows_made_in_another_way_are_not_gone_on_with(
    hds: Hds, home: Path, script: Callable[..., str], questions: Path, tmp_path: Path
) -> None:
    slow = ["-e", "scripted", "-m", script(BLOCK, ANSWER, pace=200), "-s", "world", "--offline"]
    out, part = tmp_path / "out.jsonl", tmp_path / "out.jsonl.part"
    arguments = ["batch", str(questions), *slow, "-o", str(out)]
    _killed_after(1, part, arguments, home, signal.SIGTERM)
    other = hds(*arguments, "--resume", "--top-k", "2")
    assert other.returncode == 2
    assert "options" in other.stderr
    assert hds(*arguments, "--overwrite").returncode == 0


def test_ctrl_c_stops_and_says_how_to_go_on(
    hds: Hds, home: Path, script: Callable[..., str], questions: Path, tmp_path: Path
) -> None:
    """What is done stays done."""
    slow = ["-e", "scripted", "-m", script(BLOCK, ANSWER, pace=200), "-s", "world", "--offline", "--jobs", "2"]
    part = tmp_path / "out.jsonl.part"
    arguments = ["batch", str(questions), *slow, "-o", str(tmp_path / "out.jsonl")]
    code, said = _killed_after(1, part, arguments, home, signal.SIGINT)
    assert code == 130
    assert "--resume" in said
    assert len(rows(part.read_text())) >= 2


def test_in_a_pipe_a_resumed_batch_gives_out_all_answers(
    hds: Hds, home: Path, script: Callable[..., str], questions: Path
) -> None:
    """The rows of the run that died are found by the questions; with `--unordered` the old ones come first."""
    slow = ["-e", "scripted", "-m", script(BLOCK, ANSWER, pace=200), "-s", "world", "--offline"]
    arguments = ["batch", str(questions), *slow, "--unordered"]
    process = _started(arguments, home)
    kept: list[Path] = []
    while process.poll() is None and not (kept and kept[0].read_bytes().count(b"\n") > 2):
        kept = list(home.rglob("batch/*.jsonl"))
    process.kill()
    process.wait()
    before = [row["run_id"] for row in rows(kept[0].read_text())[1:]]
    done = hds(*arguments, "--resume")
    found = rows(done.stdout)
    assert [row["run_id"] for row in found][: len(before)] == before
    assert sorted(int(row["id"]) for row in found) == list(range(1, 9))
    assert not kept[0].exists()


def test_a_reader_that_goes_away_ends_it_quietly(hds: Hds, oslo: list[str], questions: Path, home: Path) -> None:
    """`| head -1`: no trace, and not a bug."""
    line = f"{command()} batch {questions} {' '.join(oslo)} -q | head -1"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, timeout=100, check=False)
    assert len(rows(done.stdout)) == 1
    assert "bug" not in done.stderr
