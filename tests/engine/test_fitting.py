"""Which models a machine has memory for."""

from __future__ import annotations

from hds_cli.engine.files.fitting import candidates, memory_of_machine
from hds_cli.engine.files.known import SHORT_NAMES


def test_a_model_fits_with_its_context_and_room_for_the_rest() -> None:
    """A pinned name comes first, the larger one before the smaller."""
    fits = {memory: [c.name for c in candidates(memory) if c.fits] for memory in (4.0, 8.0, 16.0)}
    assert fits[4.0] == ["lfm2.5-1.2b"]
    assert fits[8.0] == ["qwen3-4b", "qwen3.5-4b", "qwen3-4b-2507", "lfm2.5-1.2b"]
    assert fits[16.0][:2] == ["qwen3-8b", "qwen3-4b"]
    assert sorted(fits[16.0]) == sorted(SHORT_NAMES)


def test_the_memory_of_this_machine_is_known() -> None:
    """Some gigabytes, and no more than there are addresses."""
    assert 0.1 < memory_of_machine() < 1e6
