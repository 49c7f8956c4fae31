"""What tests of the installed command share."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.ahead import environment
from tests.conftest import Hds, ran


@pytest.fixture(scope="session")
def norway(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a collection of one page, made once by the command; for copies, never to be written."""
    folder = tmp_path_factory.mktemp("norway")
    (folder / "notes").mkdir()
    (folder / "notes" / "norway.md").write_text("# Norway\n\nThe capital of Norway is Oslo.\n")
    (folder / "notes" / "skip.bin").write_bytes(b"\0" * 10)
    done = ran(["index", "add", str(folder / "notes")], None, environment(folder / "home"))
    assert (done.returncode, "1 added" in done.stderr) == (0, True), done.stderr
    return folder / "home"


@pytest.fixture
def ready(hds: Hds, home: Path, norway: Path) -> Hds:
    """The command with a home that has a collection of one page."""
    shutil.copytree(norway, home)
    return hds
