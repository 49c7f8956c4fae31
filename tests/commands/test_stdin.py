"""A document on stdin, and the loop whose lines it would eat."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Hds, command

TEXTS = (
    "<think>\nI look.\n</think>\n\n<|begin_search_queries|>\npainter of Guernica\n<|end_search_queries|>",
    "done\n</think>\n\nPicasso painted it.\n\n\\boxed{Picasso}",
)


@pytest.fixture
def args(hds: Hds, tmp_path: Path, script: Callable[..., str]) -> list[str]:
    notes = tmp_path / "art.txt"
    notes.write_text("The painter of Guernica was Pablo Picasso, in 1937.")
    hds("index", "add", str(notes), "--name", "art", "-q")
    return ["ask", "-q", "-e", "scripted", "-m", script(*TEXTS), "-s", "art"]


def test_a_loop_over_a_file_asks_every_line_with_no_stdin(args: list[str], tmp_path: Path) -> None:
    """Without it the first question takes the others as its document, and says so with -q too."""
    file = tmp_path / "questions"
    file.write_text("one?\ntwo?\nthree?\n")
    for flag, answers, said in (
        ("-n", 3, ""),
        ("", 1, "hds: read 2 lines from stdin as a document (not meant, as in a loop: --no-stdin)\n"),
    ):
        loop = f'while read -r q; do "$0" "$@" {flag} "$q"; done < {file}'
        done = subprocess.run(["sh", "-c", loop, command(), *args], capture_output=True, text=True, check=False)
        assert done.stdout.count("Picasso") == answers
        assert done.stderr == said


@pytest.mark.parametrize("document", ["", "\n\n", "  "])
def test_an_empty_stdin_costs_nothing(hds: Hds, args: list[str], document: str) -> None:
    """The answer, and no word on a document."""
    done = hds(*args, "who?", stdin=document)
    assert (done.returncode, done.stdout, done.stderr) == (0, "Picasso\n", "")


def test_a_dash_and_no_stdin_contradict_each_other(hds: Hds, args: list[str]) -> None:
    """Exit 2."""
    assert hds(*args, "-n", "-", stdin="who?").returncode == 2
