"""Every script is found and read."""

from __future__ import annotations

from pathlib import Path

from tests.benchmarks.scripts import measure


def test_questions_in_eighteen_scripts_find_and_read_their_pages(tmp_path: Path) -> None:
    """Nineteen of twenty at least, and in no language less than four of five."""
    counts = measure(tmp_path)
    number = sum(count[1] for count in counts.values())
    assert number >= 200
    assert len({count[0] for count in counts.values()}) >= 12
    assert sum(count[3] for count in counts.values()) >= 0.95 * number
    assert all(read >= 0.8 * asked for _, asked, _, read in counts.values())
