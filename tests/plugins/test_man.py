"""Manual pages: found and rendered by the machine's own programs, through the installed command."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hds_cli.config import Settings, SourceSettings
from hds_cli.errors import ConfigError
from hds_cli.types import Page, SearchResult
from hds_man import Entry, best, listed_in, programs
from tests.conftest import Hds
from tests.plugins.test_zim import with_source

Make = Callable[..., Settings]
PAGE = """.TH SALTPAN 1 "2026-01-01" "Test" "Test Commands"
.SH NAME
saltpan \\- dry seawater into salt
.SH SYNOPSIS
.B saltpan
[\\fB\\-\\-wind\\fR]
.SH DESCRIPTION
The program \\fBsaltpan\\fR dries seawater under the sun, and with the option below also by the wind, until nothing is left but well-formed crystals of salt.
.SH OPTIONS
.TP
\\fB\\-w\\fR, \\fB\\-\\-wind\\fR
Use the wind as well.
"""
BLOCK = "<think>\nOne thing.\n</think>\n\n<|begin_search_queries|>\ndry seawater\n<|end_search_queries|>"
ANSWER = "done\n</think>\n\n\\boxed{the wind}"


@pytest.fixture
def pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: Path) -> Path:
    """A folder of manual pages, and no other."""
    if shutil.which("man") is None:
        pytest.skip("no man here (apt install man-db)")
    folder = tmp_path / "man"
    for name, section, text in (
        ("saltpan", "1", PAGE),
        ("brine", "5", PAGE.replace("saltpan", "brine").replace("dry seawater into salt", "a format for salt water")),
        ("salt_pinch", "3", PAGE.replace("saltpan", "salt_pinch").replace("dry seawater into salt", "a pinch of salt")),
    ):
        (folder / f"man{section}").mkdir(parents=True, exist_ok=True)
        (folder / f"man{section}" / f"{name}.{section}").write_text(text)
    monkeypatch.setenv("MANPATH", str(folder))
    return folder


def whatis(folder: Path) -> None:
    """Make the database that apropos reads."""
    program = shutil.which("mandb")
    if program is None:
        pytest.skip("no mandb here (apt install man-db)")
    subprocess.run([program, "--create", "--quiet", str(folder)], check=True, capture_output=True)
    if not programs.output(["apropos", "-l", "--", "seawater"]):
        pytest.skip("this mandb does not index folders of users")


def search(settings: Make, query: str) -> list[SearchResult]:
    found: list[SearchResult] = with_source("man", settings(offline=True), lambda source: source.search(query, 5))
    return found


def read(settings: Make, url: str) -> Page | None:
    page: Page | None = with_source("man", settings(offline=True), lambda source: source.read(url))
    return page


def test_a_page_is_found_by_what_it_is_about(pages: Path, settings: Make) -> None:
    """apropos's database: names and descriptions."""
    whatis(pages)
    found = search(settings, "how to dry the seawater")
    assert (found[0].url, found[0].title, found[0].snippet) == (
        "man:saltpan(1)",
        "saltpan(1)",
        "dry seawater into salt",
    )
    assert [r.title for r in search(settings, "salt")][-1] == "salt_pinch(3)"
    assert search(settings, "zeppelin") == []


def test_without_a_database_names_are_found(pages: Path, settings: Make) -> None:
    """From the folders of the search path."""
    assert [r.url for r in search(settings, "what does saltpan do")] == ["man:saltpan(1)"]
    assert search(settings, "zeppelin") == []


def test_a_page_is_plain_text_with_headings(pages: Path, settings: Make) -> None:
    """Rendered by man: no overstriking, no breaks inside a sentence, sections as headings."""
    page = read(settings, "man:saltpan(1)")
    assert page is not None
    assert page.text.startswith("## NAME\nsaltpan - dry seawater into salt")
    assert "## OPTIONS\n-w, --wind" in page.text
    assert "until nothing is left but well-formed crystals of salt." in page.text
    assert "\x08" not in page.text
    assert "SALTPAN(1)" not in page.text


@pytest.mark.parametrize(
    "url",
    ["man:-P(1)", "man:--pager=touch(1)", "man:../../etc/passwd(1)", "man:/etc/passwd(1)", "man:a b(1)", "man:x;id(1)",
     "man:$(id)(1)", "man:saltpan(1 -P id)", "man:saltpan(-P)", "man:saltpan", "man:nope(1)", "https://example.org/", "man:saltpan(1)\n"],
)  # fmt: skip
def test_an_address_is_a_name_and_a_section_and_nothing_else(url: str, pages: Path, settings: Make) -> None:
    """Neither options, paths nor anything of a shell get through."""
    assert read(settings, url) is None


def test_the_users_pager_and_options_are_not_run(
    pages: Path, settings: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MANPAGER, PAGER, MANOPT and LESSOPEN may hold commands; none of them is passed on."""
    trace = tmp_path / "trace"
    for name in ("MANPAGER", "PAGER", "LESSOPEN"):
        monkeypatch.setenv(name, f"sh -c 'touch {trace}; cat'")
    monkeypatch.setenv("MANOPT", f"-P 'touch {trace}'")
    assert read(settings, "man:saltpan(1)") is not None
    assert not trace.exists()


def test_a_question_is_answered_from_a_manual_page(hds: Hds, pages: Path, script: Callable[..., str]) -> None:
    """Offline, by the installed command, with a quote of the page."""
    whatis(pages)
    args = [
        "ask",
        "--offline",
        "-s",
        "man",
        "-e",
        "scripted",
        "-m",
        script(BLOCK, ANSWER),
        "--json",
        "What else dries seawater?",
    ]
    done = hds(*args)
    assert done.returncode == 0, done.stdout + done.stderr
    run = json.loads(done.stdout)
    assert [(c["url"], c["verified"]) for c in run["citations"]] == [("man:saltpan(1)", True)]


def test_lines_of_apropos_are_read_as_man_db_and_mandoc_write_them() -> None:
    """Several names, subsections, and lines that are none."""
    said = "ls (1)               - list directory contents\nbzcmp, bzdiff(1) - compare\nprintf (3posix) - print\n-P (1) - x\nnothing appropriate\n"
    assert list(listed_in(said)) == [
        Entry("ls", "1", "list directory contents"), Entry("bzcmp", "1", "compare"), Entry("printf", "3posix", "print")
    ]  # fmt: skip


def test_a_command_goes_before_a_function_of_its_name() -> None:
    """printf(1) before printf(3); the name counts more than the description."""
    entries = [Entry("printf", "3", "print"), Entry("printf", "1", "print"), Entry("other", "1", "about printf")]
    assert [e.url for e in best(entries, ["printf"], 5)] == ["man:printf(1)", "man:printf(3)", "man:other(1)"]


def test_a_language_is_a_language_code(settings: Make) -> None:
    """It becomes an option of man."""
    for wrong in ("-P id", "de; id", "DE", "../x"):
        made = settings(sources={"man": SourceSettings(language=wrong)})
        with pytest.raises(ConfigError, match="language"):
            with_source("man", made, lambda source: source)


def test_without_man_it_is_said(settings: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A configuration error with what to install."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match="no program man") as caught:
        with_source("man", settings(), lambda source: source)
    assert caught.value.hint == "apt install man-db"


def test_a_program_that_hangs_or_fails_says_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is given up after a while; what a failing program wrote is not believed."""
    for name, body in (("slow", "sleep 30 | cat"), ("fails", "echo wrong; exit 3")):
        (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(programs, "SECONDS", 0.3)
    said: dict[str, Any] = {name: programs.output([name]) for name in ("slow", "fails", "missing")}
    assert set(said.values()) == {""}
