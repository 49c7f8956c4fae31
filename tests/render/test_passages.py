"""Passages in an answer's place, whatever their addresses are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hds_cli.render.passages import lines
from hds_cli.types import Citation


def shown(url: str, line: int | None = None) -> str:
    return list(lines([Citation(1, url, "Lease", "Rent: 870.", True, context="Flat.\nRent: 870.\nCat.", line=line)]))[1]


def test_the_sentence_is_marked_among_its_neighbours() -> None:
    """Its own line has the sign; the others are indented."""
    citation = Citation(1, "https://lease.example/a", "Lease", "Rent: 870.", True, context="Flat.\nRent: 870.\nCat.")
    assert list(lines([citation])) == [
        "", "[1] Lease (https://lease.example/a)", "    Flat.", "  > Rent: 870.", "    Cat.",
    ]  # fmt: skip


@pytest.mark.parametrize("url", ["file://[x", "file:///a%00b", "file:///" + "a/" * 5000, "file:////x\x1b[2J", "::"])
def test_no_address_of_a_stranger_ends_the_answer(url: str) -> None:
    """An imported run may hold any; nothing of it reaches the terminal as a control."""
    assert "\x1b" not in shown(url, 3)


def test_a_file_is_named_from_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its line; whole where the folder is another one, or gone."""
    monkeypatch.chdir(tmp_path)
    url = (tmp_path / "a b.md").as_uri()
    assert shown(url, 7) == "[1] Lease (a b.md:7)"
    assert shown("file:///else/where.md", 7) == "[1] Lease (/else/where.md:7)"
    (tmp_path / "gone").mkdir()
    os.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert shown(url) == f"[1] Lease ({tmp_path}/a b.md)"
