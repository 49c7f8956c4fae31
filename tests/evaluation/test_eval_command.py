"""`hds eval` as a user runs it: rows that survive a kill, pages of the set alone, nothing sealed in clear."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hds_cli.evaluation.sealed import opened, seal
from tests.conftest import Hds, command
from tests.contract.schemas import validate

BLOCK = "<think>\nt\n</think>\n\n<|begin_search_queries|>\n{}\n<|end_search_queries|>"
ANSWER = "x\n</think>\n\n\\boxed{{{}}}"
CITIES = ["Oslo", "Rome", "Lima", "Bern", "Cairo", "Quito"]


@pytest.fixture
def question_set(tmp_path: Path) -> Path:
    """Six questions over six pages; a scripted model that searches for Oslo is right once."""
    folder = tmp_path / "set"
    folder.mkdir()
    pages = [
        {"title": f"Page {c}", "text": f"The capital city here is {c}. Its river is called the {c}ine."} for c in CITIES
    ]
    rows = [
        {"id": f"q{n}", "question": f"Which city is number {n}?", "answers": [c], "supporting_titles": [f"Page {c}"]}
        for n, c in enumerate(CITIES)
    ]
    for name, content in (("corpus.jsonl", pages), ("questions.jsonl", rows)):
        (folder / name).write_text("".join(json.dumps(row) + "\n" for row in content))
    return folder


@pytest.fixture
def oslo(script: Callable[..., str]) -> list[str]:
    return ["-e", "scripted", "-m", script(BLOCK.format("capital city Oslo"), ANSWER.format("Oslo"))]


def test_the_document_holds_every_metric(hds: Hds, question_set: Path, oslo: list[str], tmp_path: Path) -> None:
    """One of six is right, and found, read and cited its page."""
    out = hds("eval", str(question_set), *oslo, "--json", "--results", str(tmp_path / "r.jsonl"))
    assert out.returncode == 0, out.stderr
    found = json.loads(out.stdout)
    validate(found)
    assert (found["schema"], found["n"], found["per_question"]) == ("hds.eval/1", 6, str(tmp_path / "r.jsonl"))
    metrics = found["metrics"]
    assert metrics["squad"] == {"em": pytest.approx(16.667), "f1": pytest.approx(16.667)}
    assert metrics["hds_compat"]["auc_at"] == pytest.approx(16.667)
    assert metrics["coverage"]["cited"] == pytest.approx(16.667)
    assert (metrics["turns"], metrics["searches"], metrics["unanswered"], metrics["failed"]) == (1, 1, 0, 0)
    assert metrics["verified"] == 100
    assert metrics["seconds"]["total"] > 0
    low, high = found["intervals"]["correct"]["low"], found["intervals"]["correct"]["high"]
    assert low <= 16.667 <= high
    row = json.loads((tmp_path / "r.jsonl").read_text().splitlines()[1])
    assert row["id"] == "q0"
    assert row["correct"]
    assert row["coverage"] == {"retrieved": 100, "read": 100, "cited": 100}
    assert row["compat"]["calls"] == 1
    assert "seconds" not in row


def test_a_kill_and_resume_give_the_same_file(
    hds: Hds, question_set: Path, script: Callable[..., str], tmp_path: Path
) -> None:
    """SIGKILL in the middle, a torn line at the end: with `--resume` the file is byte for byte that of a whole run."""
    slow = script(BLOCK.format("capital city Oslo"), ANSWER.format("Oslo"), pace=200.0)
    arguments = ["eval", str(question_set), "-e", "scripted", "-m", slow]
    whole, cut = tmp_path / "whole.jsonl", tmp_path / "cut.jsonl"
    assert hds(*arguments, "--results", str(whole)).returncode == 0
    running = subprocess.Popen(
        [command(), *arguments, "--results", str(cut)], stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL
    )
    while not cut.exists() or cut.read_text().count("\n") < 3:
        assert running.poll() is None
        time.sleep(0.02)
    os.kill(running.pid, signal.SIGKILL)
    running.wait()
    assert 3 <= cut.read_text().count("\n") < 7
    with cut.open("a") as file:
        file.write('{"id": "q5", "torn')
    assert hds(*arguments, "--results", str(cut)).returncode == 2  # nothing is lost by accident
    assert hds(*arguments, "--results", str(cut), "--resume").returncode == 0
    assert cut.read_bytes() == whole.read_bytes()
    changed = hds(*arguments, "--results", str(cut), "--resume", "--top-k", "2")
    assert changed.returncode == 2
    assert "options" in changed.stderr


def test_several_at_once_give_the_same_file(hds: Hds, question_set: Path, oslo: list[str], tmp_path: Path) -> None:
    """`--jobs` changes when things happen, not what is kept."""
    one, three = tmp_path / "1.jsonl", tmp_path / "3.jsonl"
    assert hds("eval", str(question_set), *oslo, "--results", str(one)).returncode == 0
    assert hds("eval", str(question_set), *oslo, "--results", str(three), "--jobs", "3").returncode == 0
    assert one.read_bytes() == three.read_bytes()


def test_shards_are_put_together(hds: Hds, question_set: Path, oslo: list[str], tmp_path: Path) -> None:
    """Two halves and the whole have the same figures; a half twice is refused."""
    whole, one, two = (str(tmp_path / f"{name}.jsonl") for name in ("whole", "one", "two"))
    found = json.loads(hds("eval", str(question_set), *oslo, "--results", whole, "--json").stdout)
    for name, shard in ((one, "1/2"), (two, "2/2")):
        assert hds("eval", str(question_set), *oslo, "--results", name, "--shard", shard).returncode == 0
    merged = str(tmp_path / "merged.jsonl")
    assert hds("eval", "merge", one, two, "--results", merged).stdout.startswith("6 questions")
    compared = json.loads(hds("eval", "compare", whole, merged, "--json").stdout)
    assert compared["evaluations"][1]["metrics"]["squad"] == found["metrics"]["squad"]
    assert compared["evaluations"][1]["metrics"]["seconds"]["total"] > 0
    assert hds("eval", "merge", one, one, "--results", str(tmp_path / "x.jsonl")).returncode == 2


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_ctrl_c_keeps_what_is_done(hds: Hds, question_set: Path, script: Callable[..., str], tmp_path: Path) -> None:
    """Stopped at the first: exit 130, whole lines, and `--resume` asks only the rest."""
    slow = script(BLOCK.format("capital city Oslo"), ANSWER.format("Oslo"), pace=200.0)
    arguments = ["eval", str(question_set), "-e", "scripted", "-m", slow, "--results", str(tmp_path / "r.jsonl")]
    running = subprocess.Popen(
        [command(), *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL
    )
    while not (tmp_path / "r.jsonl").exists() or (tmp_path / "r.jsonl").read_text().count("\n") < 2:
        assert running.poll() is None
        time.sleep(0.02)
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=20)
    assert running.returncode == 130
    assert b"Traceback" not in said
    kept = (tmp_path / "r.jsonl").read_text()
    assert kept.endswith("\n")
    assert hds(*arguments, "--resume").returncode == 0
    assert (tmp_path / "r.jsonl").read_text().startswith(kept)


def test_what_was_published_is_said_with_its_conditions(hds: Hds, script: Callable[..., str], tmp_path: Path) -> None:
    """For the paper's sets, under the table and in the report; never as a figure of ours."""
    row = {"id": "2hop__1", "question": "Q?", "answer": "A", "answer_aliases": [], "paragraphs": []}
    (tmp_path / "m.jsonl").write_text(json.dumps(row))
    (tmp_path / "corpus.jsonl").write_text(json.dumps({"title": "A", "text": "A is a letter."}))
    model = script("x\n</think>\n\n\\boxed{A}")
    out = hds("eval", str(tmp_path / "m.jsonl"), "-e", "scripted", "-m", model)
    assert "HDS-8B F1 31.2" in out.stderr
    assert "32B" in out.stderr
    assert "31.2" not in out.stdout


@pytest.mark.parametrize(
    "row",
    [
        {
            "answer_aliases": [],
            "paragraphs": [
                {"idx": 0, "title": "Page Oslo", "paragraph_text": "The capital city is Oslo.", "is_supporting": True}
            ],
        },
        {"supporting_facts": [["Page Oslo", 0]], "context": [["Page Oslo", ["The capital city ", "is Oslo."]]]},
        {
            "supporting_facts": {"title": ["Page Oslo"], "sent_id": [0]},
            "context": {"title": ["Page Oslo"], "sentences": [["The capital city is Oslo."]]},
        },
    ],
    ids=["musique", "hotpotqa", "columns"],
)
def test_paragraphs_in_the_rows_are_the_pages(hds: Hds, oslo: list[str], row: dict[str, Any], tmp_path: Path) -> None:
    """MuSiQue and HotpotQA as published, with nothing beside the file: their own paragraphs are searched, offline."""
    (tmp_path / "set.jsonl").write_text(json.dumps({"id": "1", "question": "Which city?", "answer": "Oslo", **row}))
    out = hds("eval", str(tmp_path / "set.jsonl"), *oslo, "--json", "--offline")
    assert json.loads(out.stdout)["metrics"]["coverage"] == {"retrieved": 100, "read": 100, "cited": 100}


def test_a_question_that_fails_is_one_row(
    hds: Hds, question_set: Path, script: Callable[..., str], tmp_path: Path
) -> None:
    """The script ends after the search: each question fails, each has its row, the exit code says so."""
    out = hds(
        "eval",
        str(question_set),
        "-e",
        "scripted",
        "-m",
        script(BLOCK.format("Oslo")),
        "--results",
        str(tmp_path / "r.jsonl"),
    )
    rows = [json.loads(line) for line in (tmp_path / "r.jsonl").read_text().splitlines()[1:]]
    assert out.returncode == 3
    assert [row["error"]["code"] for row in rows] == ["script_ended"] * 6
    assert rows[0]["searches"] == 1


def _browsecomp(path: Path) -> Path:
    row: dict[str, Any] = {
        "problem": seal("Which city is it, secretly?", "can"),
        "answer": seal("Oslo", "can"),
        "canary": "can",
    }
    path.write_text(json.dumps(row) + "\n")
    return path


def test_browsecomp_is_stored_nowhere_in_clear(
    hds: Hds, home: Path, question_set: Path, oslo: list[str], tmp_path: Path
) -> None:
    """Not in the rows, the history, the output: question and answer are in no file below the home, and on no stream."""
    sealed = _browsecomp(tmp_path / "bc.jsonl")
    results = home / "r.jsonl"
    out = hds("eval", str(sealed), "--corpus", str(question_set / "corpus.jsonl"), *oslo, "--results", str(results))
    assert out.returncode == 0, out.stderr
    assert "secretly" not in out.stdout + out.stderr
    row = json.loads(results.read_text().splitlines()[1])
    assert row["correct"]
    assert json.loads(opened(row["sealed"], row["canary"]))["prediction"] == "Oslo"
    for file in home.rglob("*"):
        assert not file.is_file() or b"secretly" not in file.read_bytes(), file
    assert "Oslo" not in results.read_text()


def test_the_sequential_arm_asks_one_query_a_turn(
    hds: Hds, question_set: Path, script: Callable[..., str], tmp_path: Path
) -> None:
    """Side by side: the same script, its second query dropped."""
    model = script(BLOCK.format("capital city Oslo;\nriver of Rome"), ANSWER.format("Oslo"))
    out = hds(
        "eval",
        str(question_set),
        "-e",
        "scripted",
        "-m",
        model,
        "--sequential",
        "--json",
        "--results",
        str(tmp_path / "r.jsonl"),
    )
    found = json.loads(out.stdout)
    assert (found["metrics"]["searches"], found["sequential"]["metrics"]["searches"]) == (2, 1)
    assert found["metrics"]["coverage"]["retrieved"] >= found["sequential"]["metrics"]["coverage"]["retrieved"]
    assert (tmp_path / "r.sequential.jsonl").exists()


def test_a_judge_is_reported_apart(
    hds: Hds, question_set: Path, oslo: list[str], script: Callable[..., str], tmp_path: Path
) -> None:
    """Another model says right to the first four; its verdicts are kept and not asked for again."""
    judge = script("A", "A", "A", "A", "B", "B")
    arguments = ["eval", str(question_set), *oslo, "--results", str(tmp_path / "r.jsonl"), "--json"]
    found = json.loads(hds(*arguments, "--judge-model", judge).stdout)["metrics"]
    assert found["judge"]["right"] == pytest.approx(66.667)
    assert found["squad"]["em"] == pytest.approx(16.667)
    again = hds(*arguments, "--resume", "--judge-model", judge)
    assert json.loads(again.stdout)["metrics"]["judge"] == found["judge"]
    assert len((tmp_path / "r.judge.jsonl").read_text().splitlines()) == 7


def test_only_a_flag_takes_the_place_of_the_sets_pages(hds: Hds, question_set: Path, oslo: list[str]) -> None:
    """A source that is set for one's own questions does not: the pages of the set are what it is asked over."""
    env = {"HDS_SOURCE": "cache"}
    ours = json.loads(hds("eval", str(question_set), *oslo, "--json", env=env).stdout)
    theirs = json.loads(hds("eval", str(question_set), *oslo, "-s", "cache", "--json").stdout)
    assert ours["metrics"]["coverage"]["retrieved"] > 0
    assert theirs["metrics"]["coverage"]["retrieved"] == 0


def test_quiet_leaves_the_figures_alone(hds: Hds, question_set: Path, oslo: list[str]) -> None:
    """`-q`: the table on stdout, nothing on stderr."""
    out = hds("eval", str(question_set), *oslo, "-q")
    assert out.stderr == ""
    assert "SQuAD F1\t16.7 (" in out.stdout


def test_the_report_is_markdown(hds: Hds, question_set: Path, oslo: list[str], tmp_path: Path) -> None:
    """`-o report.md`: a heading and a table, nothing on stdout."""
    out = hds("eval", str(question_set), *oslo, "-o", str(tmp_path / "report.md"))
    text = (tmp_path / "report.md").read_text()
    assert out.stdout == ""
    assert text.startswith("# set\n")
    assert "| SQuAD F1 | 16.7 (" in text


def test_every_setting_of_ask_is_a_flag_here() -> None:
    """None is forgotten when `hds ask` gets another."""
    from inspect import signature

    from hds_cli import config
    from hds_cli.commands import eval as evaluation
    from hds_cli.commands.ask import ask

    named = {field.name for field in config.fields()}
    assert named & set(signature(ask).parameters) <= set(signature(evaluation.run).parameters)
