"""What a short name of a model means."""

from __future__ import annotations

from pathlib import Path

from hds_cli.engine.files.known import SHORT_NAMES
from hds_cli.engine.files.library import PulledFile, Record, find
from hds_cli.engine.files.reference import Reference, taken_apart

HUB = "https://hub.example"


def test_a_short_name_is_pinned_for_its_default_file_alone() -> None:
    """Another quantization of the repository is taken as it is today."""
    known = SHORT_NAMES["qwen3-4b"]
    pinned = Reference(known.repo, known.revision, "Q4_K_M", known.sha256)
    assert len(known.revision) == 40
    assert taken_apart("qwen3-4b", HUB) == taken_apart("qwen3-4b:Q4_K_M", HUB) == pinned
    assert taken_apart("qwen3-4b:Q8_0", HUB) == Reference(known.repo, "main", "Q8_0")


def test_a_repository_may_name_its_revision() -> None:
    """`owner/repo@revision:quantization`."""
    assert taken_apart("owner/repo@abc:Q6_K", HUB) == Reference("owner/repo", "abc", "Q6_K")


def test_a_pulled_model_is_found_by_its_short_name_with_or_without_the_quantization(home: Path) -> None:
    """`hds` is `hds:Q4_K_M`, whichever was typed; another quantization is another model."""
    record = Record("HybridDeepSearcher-Q4_K_M", "hds", (PulledFile("x.gguf", 1, ""),), "dayoon/HybridDeepSearcher")
    record.folder.mkdir(parents=True)
    record.save()
    assert find("hds") == find("hds:Q4_K_M") == find("HybridDeepSearcher-Q4_K_M") == record
    assert find("hds:Q8_0") is None
