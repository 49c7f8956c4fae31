"""What tests of the installed command share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Hds


@pytest.fixture
def ready(hds: Hds, tmp_path: Path) -> Hds:
    """A home with a collection of one page."""
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "norway.md").write_text("# Norway\n\nThe capital of Norway is Oslo.\n")
    assert hds("index", "add", str(tmp_path / "notes")).returncode == 0
    return hds
