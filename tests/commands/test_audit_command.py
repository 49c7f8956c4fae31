"""`hds audit` and `hds history verify`, as they are typed: saved runs judged, and looked for in what is kept."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from hds_cli import events
from hds_cli.config import Settings
from hds_cli.desk.rechecking import rechecked
from hds_cli.run_state import RunState
from hds_cli.types import ModelInfo
from tests.conftest import Hds
from tests.contract.schemas import validate

QUESTION = "What are the capitals of Norway, Sweden and Finland?"
BLOCK = (
    "<think>\nt\n</think>\n\n<|begin_search_queries|>\ncapital of Norway;\ncapital of Sweden\n<|end_search_queries|>"
)
ANSWER = (
    "x\n</think>\n\nThe capital of Norway is Oslo [1]. That of Sweden is Stockholm [2].\n\n\\boxed{Oslo, Stockholm}"
)
PAGES = {"norway": "Oslo", "sweden": "Stockholm", "finland": "Helsinki"}


@pytest.fixture
def asked(hds: Hds, tmp_path: Path, script: Callable[..., str]) -> Hds:
    """A run over a collection, with a ledger that a rule kept."""
    notes = tmp_path / "notes"
    notes.mkdir()
    for name, capital in PAGES.items():
        (notes / f"{name}.md").write_text(f"# {name.title()}\n\nThe capital of {name.title()} is {capital}.\n")
    assert hds("index", "add", str(notes)).returncode == 0
    done = hds(
        "ask", "-n", "-e", "scripted", "-m", script(BLOCK, ANSWER), "-s", "notes", "--offline", "--top-k", "1",
        "--no-verify", QUESTION, env={"HDS_LEDGER": "show"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return hds


def test_an_audit_by_rule_reads_the_ledger_of_the_run(asked: Hds) -> None:
    """Two of three; the third was never looked for."""
    done = asked("audit", "last", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    validate(document)
    (run,) = document["runs"]
    assert run["by"] == "ledger"
    assert [(held["constraint"], held["state"]) for held in run["conditions"]] == [
        ("Norway", "verified"), ("Sweden", "verified"), ("Finland", "unchecked"),
    ]  # fmt: skip
    assert [(failure["mode"], failure["turn"]) for failure in run["failures"]] == [("premature_exit", 2)]
    assert document["means"]["shares"]["verified"] == 66.7
    text = asked("audit", "last", "last")
    assert text.stdout.splitlines()[2].split("\t")[1:4] == ["unchecked", "", "Finland"]
    assert "premature exit: answered before it was looked for" in text.stderr
    assert "2 runs: verified 66.7 %" in text.stderr
    assert asked("audit", "last", "-q").stderr == ""


def test_an_audit_by_a_model_asks_it_turn_by_turn(asked: Hds, script: Callable[..., str]) -> None:
    """One that was named; it finds what the answer takes for true."""
    found = {"candidate": "", "constraint": "C1", "obj": True, "quote": "The capital of Norway is Oslo"}
    belief = {"candidate": "", "constraint": "C2", "per": True, "quote": "That of Sweden is Stockholm"}
    lines = [
        {"constraints": ["the capital of Norway", "the capital of Sweden"]}, {"entries": [found]},
        {"status": {}, "beliefs": [belief]},
    ]  # fmt: skip
    model = script(*map(json.dumps, lines))
    (run,) = json.loads(asked("audit", "-e", "scripted", "-m", model, "last", "--json").stdout)["runs"]
    assert (run["by"], [held["state"] for held in run["conditions"]]) == ("model", ["verified", "assumed"])
    assert [failure["mode"] for failure in run["failures"]] == ["bare_assertion"]


def test_a_model_that_writes_nothing_of_use_is_named(asked: Hds, script: Callable[..., str]) -> None:
    """The audit is the rule's then, and says so."""
    done = asked("audit", "-e", "scripted", "-m", script(*["nothing"] * 4), "last", "--json")
    (run,) = json.loads(done.stdout)["runs"]
    assert run["by"] != "model"
    assert "the model found fewer than two conditions, or wrote what could not be read" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [([], 2, "which runs"), (["nothere"], 2, "no run"), (["--rule", "-m", "x", "last"], 2, "--rule asks no model")],
)
def test_what_cannot_be_audited_is_said(asked: Hds, arguments: list[str], code: int, says: str) -> None:
    """With the next thing to type."""
    done = asked("audit", *arguments)
    assert done.returncode == code
    assert says in done.stderr
    assert "hint:" in done.stderr


def test_every_quote_and_checksum_stands_until_something_changes(asked: Hds, tmp_path: Path) -> None:
    """Exit 0 over the same pages; 7 once a page says something else, or is gone."""
    done = asked("history", "verify", "last", "--json")
    document = json.loads(done.stdout)
    validate(document)
    kinds = {check["kind"] for check in document["checks"]}
    assert (done.returncode, kinds) == (0, {"quote", "page"}), done.stdout
    assert {check["state"] for check in document["checks"]} == {"same"}
    page = tmp_path / "notes" / "norway.md"
    page.write_text(page.read_text().replace("Oslo", "Bergen"))
    assert asked("index", "add", str(tmp_path / "notes")).returncode == 0
    done = asked("history", "verify", "last")
    assert done.returncode == 7
    changed = [row.split("\t")[:3] for row in done.stdout.splitlines() if row.startswith("changed")]
    assert ["changed", "quote", "The capital of Norway is Oslo."] in changed
    assert {row[1] for row in changed} == {"quote", "page"}
    assert asked("index", "remove", "notes").returncode == 0
    done = asked("history", "verify", "last")
    assert done.returncode == 7
    assert {row.split("\t")[0] for row in done.stdout.splitlines()} == {"gone"}
    assert "0 same, 0 changed" in done.stderr


def test_the_model_and_the_prompt_of_a_run_are_compared_too(home: Path, tmp_path: Path) -> None:
    """By their digests; a file that is not there any more is gone."""
    model, prompt = tmp_path / "m.gguf", tmp_path / "prompt.txt"
    model.write_bytes(b"weights")
    prompt.write_text("Search.\n")
    info = ModelInfo(
        "m", str(model), hashlib.sha256(b"weights").hexdigest(),
        prompt=f"sha256:{hashlib.sha256(prompt.read_bytes()).hexdigest()}",
    )  # fmt: skip
    started = events.RunStarted(
        run_id="r", question="q", sources=(), model=info, settings={"prompt_file": str(prompt)}
    )  # fmt: skip

    def states() -> list[tuple[str, str]]:
        found = asyncio.run(rechecked(RunState.of([started]), Settings(cache_dir=str(tmp_path / "pages"))))
        return [(one.kind, one.state) for one in found]

    assert states() == [("model", "same"), ("prompt", "same")]
    model.write_bytes(b"other weights")
    prompt.unlink()
    assert states() == [("model", "changed"), ("prompt", "gone")]


@pytest.mark.parametrize("kind", ["device", "pipe", "folder", "unreadable", "huge", "no path"])
def test_a_journal_that_names_no_model_and_no_prompt_holds_nothing_up(
    home: Path, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a stranger's journal names as its files: what is no file, or no prompt, is gone, and soon."""
    named = {"device": "/dev/zero", "no path": "a\0b"}.get(kind, str(tmp_path / "named"))
    if kind == "pipe":
        os.mkfifo(named)
    elif kind == "folder":
        Path(named).mkdir()
    elif kind in ("unreadable", "huge"):
        Path(named).write_bytes(b"x" * 1_000_001)
    if kind == "unreadable":

        def refused(self: Path, *arguments: object, **more: object) -> None:
            raise PermissionError(13, "denied", str(self))

        monkeypatch.setattr(Path, "open", refused)
    info = ModelInfo("m", named if kind != "huge" else "", "0" * 64, prompt=f"sha256:{'0' * 64}")
    started = events.RunStarted(run_id="r", question="q", sources=(), model=info, settings={"prompt_file": named})

    async def checked() -> list[tuple[str, str]]:
        settings = Settings(cache_dir=str(tmp_path / "pages"))
        return [
            (one.kind, one.state) for one in await asyncio.wait_for(rechecked(RunState.of([started]), settings), 20)
        ]

    found = asyncio.run(checked())
    assert found == [("model", "gone"), ("prompt", "gone")][kind == "huge" :]
