"""`-o` and what else writes a file: what is there is kept what it was."""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from hds_cli import databases
from tests.conftest import Hds, command

TEXTS = (
    "<think>\nOf a metal.\n</think>\n\n<|begin_search_queries|>\nmelting point of zinc\n<|end_search_queries|>",
    "done\n</think>\n\nZinc melts at 419.5 °C.\n\n\\boxed{419.5 °C}",
)


@pytest.fixture
def ask(hds: Hds, home: Path, tmp_path: Path, script: Callable[..., str]) -> list[str]:
    """The arguments of a question that is answered with `419.5 °C`."""
    notes = tmp_path / "zinc.txt"
    notes.write_text("The melting point of zinc is 419.5 °C, as every handbook of metals says.")
    assert hds("index", "add", str(notes), "--name", "metals", "-q").returncode == 0
    return ["ask", "-q", "-e", "scripted", "-m", script(*TEXTS), "-s", "metals", "When does zinc melt?"]


def test_a_file_is_replaced_in_one_piece_and_keeps_its_mode(hds: Hds, ask: list[str], tmp_path: Path) -> None:
    """0600 stays 0600; nothing else is left beside it."""
    folder = tmp_path / "out"
    folder.mkdir()
    file = folder / "answer.txt"
    file.write_text("old\n")
    file.chmod(0o600)
    inode = file.stat().st_ino
    assert hds(*ask, "-o", str(file)).returncode == 0
    assert file.read_text() == "419.5 °C\n"
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.stat().st_ino != inode
    assert os.listdir(folder) == ["answer.txt"]


def test_a_link_is_followed_even_one_to_nowhere(hds: Hds, ask: list[str], tmp_path: Path) -> None:
    """The link stays a link."""
    link = tmp_path / "link"
    link.symlink_to("target.txt")
    hds(*ask, "-o", str(link))
    assert link.is_symlink()
    assert (tmp_path / "target.txt").read_text() == "419.5 °C\n"


def test_a_pipe_and_a_device_are_written_to(hds: Hds, ask: list[str], tmp_path: Path) -> None:
    """Neither becomes a file."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = subprocess.Popen(["cat", str(pipe)], stdout=subprocess.PIPE, text=True)
    assert hds(*ask, "-o", str(pipe)).returncode == 0
    assert reader.communicate(timeout=20)[0] == "419.5 °C\n"
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert hds(*ask, "-o", "/dev/null").returncode == 0
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)
    full = hds(*ask, "-o", "/dev/full")
    assert (full.returncode, "cannot write /dev/full" in full.stderr) == (74, True)


@pytest.mark.parametrize("name", ["-", "/dev/stdout", "/dev/fd/1"])
def test_a_dash_and_the_names_of_stdout_are_stdout(hds: Hds, ask: list[str], tmp_path: Path, name: str) -> None:
    """Also where stdout is a file that is appended to."""
    assert hds(*ask, "-o", name).stdout == "419.5 °C\n"
    log = tmp_path / "log"
    log.write_text("first\n")
    with log.open("a") as stream:
        subprocess.run([command(), *ask, "-o", name], stdin=subprocess.DEVNULL, stdout=stream, check=True)
    assert log.read_text() == "first\n419.5 °C\n"
    assert not Path("-").exists()


def test_what_cannot_be_written_is_74_and_stays_as_it_was(hds: Hds, ask: list[str], tmp_path: Path) -> None:
    """A folder, and a folder that is not there."""
    for output in (tmp_path, tmp_path / "nowhere" / "x"):
        done = hds(*ask, "-o", str(output))
        assert (done.returncode, f"cannot write {output}" in done.stderr) == (74, True)


def test_every_command_that_writes_does_it_so(hds: Hds, ask: list[str], tmp_path: Path) -> None:
    """Exports of the cache, of a run, as a document and as a bundle."""
    hds(*ask)
    for number, args in enumerate(
        (["cache", "export"], ["history", "export", "last", "-o"], ["history", "export", "last", "--bundle"])
    ):
        target, link = tmp_path / f"{number}.jsonl", tmp_path / f"link{number}.jsonl"
        target.write_text("old")
        target.chmod(0o640)
        link.symlink_to(target)
        assert hds(*args, str(link)).returncode == 0
        assert link.is_symlink()
        assert target.stat().st_mode & 0o777 == 0o640
        assert target.read_bytes() != b"old"


def test_new_files_of_hds_are_closed_to_others_whatever_the_umask(home: Path, tmp_path: Path) -> None:
    """Everything below a new HDS_HOME, under `umask 000`."""
    notes = tmp_path / "n.txt"
    notes.write_text("Gallium melts in the hand.")
    lines = f"umask 000; H={command()}; $H config set top_k 4; $H index add {notes} --name g; $H search -s g hand; $H history list"
    subprocess.run(["sh", "-c", lines], check=True, capture_output=True)
    assert home.stat().st_mode & 0o777 == 0o700
    folders = [path for path in home.rglob("*") if path.is_dir()]
    assert {path.stat().st_mode & 0o077 for path in folders} == {0}
    assert {path.stat().st_mode & 0o077 for path in home.rglob("*") if path.is_file()} == {0}


def test_a_new_database_is_closed_to_others_whatever_the_umask(tmp_path: Path) -> None:
    """Whoever opens it: pages, notes, what was verified."""
    old = os.umask(0)
    try:
        with closing(databases.connect(tmp_path / "new.sqlite", busy=1)) as db:
            db.execute("CREATE TABLE t (a)")
    finally:
        os.umask(old)
    assert (tmp_path / "new.sqlite").stat().st_mode & 0o777 == 0o600
