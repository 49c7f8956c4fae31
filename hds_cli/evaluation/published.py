"""Published figures on the sets that `hds eval` reads, with their conditions: to compare with, not to claim.

HybridDeepSearcher (arXiv 2508.19113, ICLR 2026), main table: F1 as `hds_compat` counts it, and accuracy as a model
judged it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hds_cli.evaluation.report import Section

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


SETTINGS: Mapping[str, object] = {"max_turns": 10, "temperature": 0.6, "top_k": 5}
"""The published settings (top_k: 10 for BrowseComp-50)."""


def beside(format_name: str, compat: Mapping[str, float | None] | None, judged: float | None) -> Section | None:
    """Our figures beside the published ones, as a section; None: nothing was published for sets of this format.

    Args:
        compat: the figures `hds_compat` of our rows.
        judged: the share that a judging model of ours calls right.
    """
    if format_name not in HDS_8B:
        return None
    name, f1, acc, other = HDS_8B[format_name]
    ours = compat or {}
    rows = [
        ["F1 (hds_compat)", _shown(ours.get("f1")), f"{f1}", f"{other}"],
        ["accuracy by a judging model", _shown(judged), f"{acc}", ""],
        ["accuracy by substring (hds_compat)", _shown(ours.get("acc")), "", ""],
    ]
    return f"{name}: ours beside the published", ["", "here", "HDS-8B", "next best"], rows


def differing(format_name: str, n: int, model: Mapping[str, Any], settings: Mapping[str, Any]) -> list[str]:
    """The conditions of the published figures that differ from ours, a sentence each.

    Args:
        n: questions that were asked.
        model: as the header of the results has it.
        settings: the options of ours, by their names.
    """
    if format_name not in HDS_8B:
        return []
    said = [f"{n} questions were asked here, all of the set there"]
    kind = " ".join(filter(None, (str(model.get("name") or "?"), model.get("quantization"))))
    said.append(f"searcher: {kind} (dialect {model.get('dialect')}) here, Qwen3-8B fine-tuned, bf16 there")
    reader = settings.get("reader_model") or ("the same model" if settings.get("reader") == "model" else None)
    said.append(f"reader: {reader or 'none that was asked for'} here, Qwen3-32B there")
    where = ", ".join(settings.get("source") or ()) or "the pages of the set, or the default sources"
    said.append(f"searched: {where} here, the live web by Jina there")
    published = {**SETTINGS, **({"top_k": 10} if format_name == "browsecomp" else {})}
    for option, there in published.items():
        here = settings.get(option)
        if here != there and not (option == "temperature" and here is None):
            said.append(f"{option}: {here} here, {there} there")
    said.append("accuracy there is a model's judgement (compare it with --judge-model), F1 and substrings are counted")
    return said


def _shown(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"
