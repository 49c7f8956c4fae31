"""The manual: made from the command, checked in, right for man, complete, and the help that teaches."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator

import pytest

from hds_cli import manual
from hds_cli.manual import Command
from tests.conftest import ROOT, Hds

TREE = manual.command_tree()
PAGES = manual.pages(TREE)


def leaves(command: Command) -> Iterator[Command]:
    """Every command that does something."""
    if not command.commands:
        yield command
    for sub in command.commands:
        yield from leaves(sub)


def test_what_is_checked_in_is_what_would_be_made() -> None:
    """Pages, completions and their table; `python -m hds_cli.manual` writes them."""
    wrong = [str(path) for path, text in manual.files().items() if (ROOT / path).read_text("utf-8") != text]
    assert wrong == []
    assert {path.name for path in (ROOT / "man").iterdir()} == set(PAGES)


def test_there_is_a_page_for_every_command() -> None:
    """And the one that leads to them."""
    assert set(PAGES) == {"hds.1", *(f"hds-{name}.1" for name in manual.names())}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_every_section_and_every_option(name: str) -> None:
    """NAME to SEE ALSO; no option of the parser is missing."""
    page = PAGES[name]
    sections = re.findall(r"^\.SH (.+)$", page, re.MULTILINE)
    for wanted in (
        "NAME",
        "SYNOPSIS",
        "DESCRIPTION",
        "OPTIONS",
        "EXIT STATUS",
        "ENVIRONMENT",
        "FILES",
        "EXAMPLES",
        "SEE ALSO",
    ):
        assert wanted in sections, wanted
    command = next((c for c in TREE.commands if name == f"hds-{c.words[0]}.1"), TREE)
    for sub in leaves(command) if command.words else [command]:
        for option in sub.options:
            for opt in option.opts:
                assert opt.replace("-", r"\-") in page, opt


@pytest.mark.parametrize("linter", [["mandoc", "-Tlint", "-W", "warning"], ["groff", "-ww", "-man", "-Tutf8", "-z"]])
def test_the_pages_are_clean(linter: list[str]) -> None:
    """For both of the formatters in use."""
    if shutil.which(linter[0]) is None:
        pytest.skip(f"{linter[0]} is not installed here")
    for name in PAGES:
        done = subprocess.run([*linter, str(ROOT / "man" / name)], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), name


def test_nothing_of_a_help_text_is_read_as_roff() -> None:
    """A backslash, a leading dot, a character beyond ASCII."""
    assert manual._esc(".TH \\n … -x") == r"\&.TH \en \[u2026] \-x"
    assert all(page.isascii() for page in PAGES.values())


@pytest.mark.parametrize("command", [TREE, *leaves(TREE)], ids=lambda c: c.name)
def test_every_help_shows_an_example(command: Command) -> None:
    """One that can be typed as it stands: it names the command."""
    assert command.examples, command.help
    assert any(f"hds {' '.join(command.words[:1])}" in example for example in command.examples)
    assert all(option.help for option in command.options)


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["histroy"], "hds history"),
        (["history", "lst"], "hint: hds history list"),
        (["model", "pul"], "pull"),
        (["ask", "--max-turn", "2", "q"], "hint: hds ask --max-turns"),
        (["search", "--sorce", "x", "q"], "--source"),
        (["ask", "-s", "wikipeda", "q"], "wikipedia"),
        (["ask", "-m", "startr", "q"], "starter"),
        (["config", "set", "top-k", "3"], "top_k"),
        (["plugins", "info", "wikipeda"], "wikipedia"),
    ],
)
def test_a_near_miss_is_told_what_was_meant(hds: Hds, args: list[str], words: str) -> None:
    """Commands, flags, sources, models, settings: one line, and a hint that holds the right word."""
    done = hds(*args)
    assert done.returncode in (2, 4)
    assert words in done.stderr
    assert done.stderr.count("\n") == 2
