"""Published figures on the sets that `hds eval` reads, with their conditions: to compare with, not to claim.

HybridDeepSearcher (arXiv 2508.19113, ICLR 2026), main table: F1 as `hds_compat` counts it, and accuracy as a model
judged it.
"""

from __future__ import annotations

from collections.abc import Mapping

CONDITIONS = (
    "published with Qwen3-8B (fine-tuned, bf16) as searcher and Qwen3-32B as a second model that reads the pages, web "
    "search by Jina, at most 10 turns; accuracy there is a model's judgement"
)
# Format -> (questions, F1, accuracy by a judging model) of HDS-8B, and F1 of the best other searcher in that table.
HDS_8B: Mapping[str, tuple[str, float, float, float]] = {
    "musique": ("MuSiQue", 31.2, 35.1, 29.7),
    "fanoutqa": ("FanOutQA", 44.1, 20.0, 28.2),
    "frames": ("FRAMES", 39.1, 54.0, 35.8),
    "medbrowsecomp": ("MedBrowseComp", 19.8, 30.4, 19.2),
    "browsecomp": ("BrowseComp-50", 17.2, 16.0, 5.7),
}


def note(format_name: str) -> str | None:
    """One sentence on what was published for sets of this format; None where nothing was."""
    if format_name not in HDS_8B:
        return None
    name, f1, acc, other = HDS_8B[format_name]
    return f"{name}: HDS-8B F1 {f1}, judged accuracy {acc}; next best F1 {other} ({CONDITIONS})"
