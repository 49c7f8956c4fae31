"""`hds ask --attach`: documents of the user beside the question."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Hds

ANSWER = "I read it.\n</think>\n\nThe bridge was opened in 1931 [1].\n\n\\boxed{1931}"


def test_files_are_read_as_the_index_reads_them(hds: Hds, script: Callable[..., str], tmp_path: Path) -> None:
    """A table and a page of HTML; both can be cited, and the run says which they were."""
    (tmp_path / "bridges.html").write_text(
        "<title>Bridges</title><p>The Corve bridge was opened in 1931 by the county."
    )
    (tmp_path / "tolls.csv").write_text("bridge,toll\nCorve,4 pence\nTeme,6 pence\n")
    files = ["--attach", str(tmp_path / "bridges.html"), "--attach", str(tmp_path / "tolls.csv")]
    done = hds("ask", "--offline", "-e", "scripted", "-m", script(ANSWER), *files, "--jsonl", "When was it opened?")
    events = [json.loads(line) for line in done.stdout.splitlines()]
    attached = [event for event in events if event["event"] == "document_attached"]
    assert done.returncode == 0, done.stderr
    assert [event["title"] for event in attached] == ["Bridges", "tolls"]
    assert "Corve" in attached[1]["passages"][0]["text"]
    assert events[-1]["citations"][0]["url"].endswith("bridges.html")


def test_a_file_without_text_is_an_error_that_names_it(hds: Hds, script: Callable[..., str], tmp_path: Path) -> None:
    """Before the model is loaded."""
    done = hds("ask", "--attach", str(tmp_path / "none.txt"), "-e", "scripted", "-m", script(ANSWER), "q")
    assert done.returncode == 2
    assert "cannot attach" in done.stderr
    assert "none.txt" in done.stderr


def test_a_file_is_named_from_the_folder_where_one_stands(
    hds: Hds, script: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bare name, as people type it: of `--attach`, and of `hds verify` on both sides."""
    monkeypatch.chdir(tmp_path)
    Path("bridge.txt").write_text("The Corve bridge was opened in 1931.")
    done = hds("ask", "--offline", "-e", "scripted", "-m", script(ANSWER), "--attach", "bridge.txt", "When?")
    assert done.returncode == 0, done.stderr
    Path("draft.md").write_text("The Corve bridge was opened in 1931.")
    done = hds("verify", "draft.md", "--against", "bridge.txt", "--offline", "--no-verify")
    assert done.returncode == 0, done.stderr
