"""Lines for other programs: a search by a template, runs for fzf, the address of a source."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Hds

TEXTS = (
    "<think>\nOf a language.\n</think>\n\n<|begin_search_queries|>\nwho designed Lua\n<|end_search_queries|>",
    "done\n</think>\n\nRoberto Ierusalimschy designed Lua [1].\n\n\\boxed{Roberto Ierusalimschy}",
)


@pytest.fixture
def notes(hds: Hds, tmp_path: Path) -> None:
    rows = (
        '{"title": "Lua", "text": "Lua was designed by Roberto Ierusalimschy.", "url": "https://lua.example/about"}\n'
    )
    (tmp_path / "c.jsonl").write_text(rows)
    assert hds("index", "add", str(tmp_path / "c.jsonl"), "--name", "languages", "-q").returncode == 0


def test_a_template_makes_the_lines_of_a_search(notes: None, hds: Hds) -> None:
    """Every field; tabs and line ends as they are written; what is no field is an error that names the fields."""
    done = hds("search", "-s", "languages", "-f", "{rank}\\t{url}\\t{title} {x", "Lua")
    assert done.stdout == "1\thttps://lua.example/about\tLua {x\n"
    every = hds("search", "-s", "languages", "-f", "{query}|{source}|{snippet}", "designed Lua").stdout
    assert every == "designed Lua|languages|Lua was designed by Roberto Ierusalimschy.\n"
    wrong = hds("search", "-s", "languages", "-f", "{link}", "Lua")
    assert (wrong.returncode, "{url} {title} {snippet}" in wrong.stderr) == (2, True)


def test_several_queries_are_named_in_a_pipe(notes: None, hds: Hds) -> None:
    """One is not: its lines are results only."""
    one = hds("search", "-s", "languages", "Lua").stdout
    assert one == "1\tLua\thttps://lua.example/about\tLua was designed by Roberto Ierusalimschy.\n"
    assert hds("search", "-s", "languages", "Lua", "Roberto").stdout == f"# Lua\n{one}\n# Roberto\n{one}"


def test_runs_are_lines_for_fzf_and_a_source_is_an_address(notes: None, hds: Hds, script: Callable[..., str]) -> None:
    """Id and question; in a pipe `open` prints, and a number that is not there is named with those that are."""
    hds("ask", "-q", "-e", "scripted", "-m", script(*TEXTS), "-s", "languages", "Who designed Lua?")
    (line,) = hds("history", "list", "--oneline").stdout.splitlines()
    run, _, question = line.partition(" ")
    assert question == "Who designed Lua?"
    assert hds("open", "1").stdout == "https://lua.example/about\n"
    assert hds("open", "1", run, "--print").stdout == "https://lua.example/about\n"
    wrong = hds("open", "3")
    assert (wrong.returncode, "its sources: 1" in wrong.stderr) == (2, True)


def test_a_conversation_in_a_pipe_asks_further(
    notes: None, hds: Hds, home: Path, tmp_path: Path, script: Callable[..., str]
) -> None:
    """Answers, the commands with /, a mistake that ends nothing; the second run continues the first."""
    again = (TEXTS[0].replace("who designed", "designer of"), TEXTS[1])
    saved = tmp_path / "answer.md"
    commands = f"/sources\n/open 1\n/save {saved}\n/open 9\n/nonsense\n/help"
    said = f"Who designed Lua?\n{commands}\n\nAnd who else?\n/quit\nnever asked\n"
    done = hds("chat", "-e", "scripted", "-m", script(*TEXTS, *again), "-s", "languages", stdin=said)
    assert done.returncode == 0
    assert done.stdout.count("Roberto Ierusalimschy\n") == 2
    assert "[1] Lua <https://lua.example/about>\n" in done.stdout
    assert "/quit          end" in done.stdout
    assert "the answer has no source 9" in done.stderr
    assert "/nonsense is no command (/help names them)" in done.stderr
    assert "Roberto Ierusalimschy" in saved.read_text()
    journals = [path.read_text() for path in (home / "data" / "runs").glob("*.jsonl")]
    assert len(journals) == 2
    assert sum('"run_continued"' in journal for journal in journals) == 1
