"""Folders as collections, through the command and beside git itself."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from hds_cli.search import folder
from hds_cli.search.updating import Kept, Stamped
from hds_cli.types import Document
from tests.conftest import Hds

TEXT = folder.Choice(lambda name: name.endswith(".txt"))


def write(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"text of {name}")


@pytest.mark.skipif(shutil.which("git") is None, reason="no git here")
def test_what_git_ignores_is_passed_over(tmp_path: Path) -> None:
    """Nested files, negations, folders, patterns with a slash: the same files as `git ls-files` lists."""
    write(tmp_path, "a.txt", "b.log.txt", "keep.log.txt", "build/x.txt", "sub/build/y.txt", "sub/b.log.txt", "sub/only.txt",
          "sub/deep/z.txt", "top/only.txt", "doc/a.txt", "doc/b/a.txt", "with space/é.txt")  # fmt: skip
    (tmp_path / ".gitignore").write_text(
        "*.log.txt\n!keep.log.txt\nbuild/\n/top/only.txt\ndoc/*.txt\n# a comment\n\\\n"
    )
    (tmp_path / "sub" / ".gitignore").write_text("!b.log.txt\nonly.txt\ndeep\n")
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    listed = subprocess.run(
        ["git", "-C", str(tmp_path), "ls-files", "-z", "--others", "--exclude-standard", "*.txt"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    found = [str(file.path.relative_to(tmp_path)) for file in folder.look(tmp_path, TEXT).files]
    assert sorted(found) == sorted(listed.split("\0")[:-1])
    assert [f.path.name for f in folder.look(tmp_path / "sub", TEXT).files] == ["b.log.txt"]


def test_a_file_that_was_not_touched_is_not_read(tmp_path: Path) -> None:
    """Size and time as stored: its document is kept; another time: it is read."""
    write(tmp_path, "a.txt", "b.txt")
    found = folder.look(tmp_path, TEXT).files
    os.utime(tmp_path / "b.txt", ns=(1, 1))
    read: list[Path] = []

    def reader(paths: list[Path]) -> list[Document | str]:
        read.extend(paths)
        return [Document(str(p), p.stem, p.read_text(), p.as_uri()) for p in paths]

    stamps = {str(file.path): file.stamp for file in found}
    made = list(folder.items(folder.look(tmp_path, TEXT).files, stamps, reader, print))
    assert [type(item) for item in made] == [Kept, Stamped]
    assert read == [tmp_path / "b.txt"]


def test_links_pipes_and_hidden_files_are_no_documents(tmp_path: Path) -> None:
    """A pipe would hang, a link to a folder may go round."""
    write(tmp_path, "a.txt", ".hidden/x.txt", ".h.txt")
    os.mkfifo(tmp_path / "pipe.txt")
    (tmp_path / "round").symlink_to(tmp_path)
    (tmp_path / "gone.txt").symlink_to(tmp_path / "nowhere")
    assert [file.path.name for file in folder.look(tmp_path, TEXT).files] == ["a.txt"]


def test_the_command_follows_a_folder(tmp_path: Path, hds: Hds) -> None:
    """Added, changed, removed and untouched; what cannot be read is a line on stderr, and stdout stays empty."""
    notes = tmp_path / "notes"
    write(notes, "a.txt", "sub/b.txt", "c.txt")
    (notes / "bin.txt").write_bytes(b"\0\1\2")
    (notes / "big.txt").write_bytes(b"x" * (20 << 20) + b"x")
    (notes / "m.md").write_text("---\ntitle: A head\ndate: 2020-02-03\n---\nzebras\n")
    done = hds("index", "add", str(notes))
    assert (done.returncode, done.stdout) == (0, "")
    assert "4 added, 0 changed, 0 removed, 0 unchanged" in done.stderr
    assert "bin.txt: binary, not text" in done.stderr
    assert "big.txt: larger than 20 MiB" in done.stderr
    (notes / "a.txt").write_text("now about lions")
    (notes / "c.txt").unlink()
    assert "0 added, 1 changed, 1 removed, 2 unchanged" in hds("index", "add", str(notes)).stderr
    found = hds("search", "--offline", "-s", "notes", "zebras before:2021").stdout
    assert "A head" in found
    assert hds("index", "add", str(tmp_path / "nothing")).returncode == 2
