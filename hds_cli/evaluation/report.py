"""The figures of evaluations as rows of text, side by side; the commands print them, or write them as Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hds_cli.evaluation.compare import Difference

Table = list[list[str]]
Section = tuple[str, list[str], Table]
"""A heading, the header of a table, its rows."""
_LINES: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("correct", ("correct",), "%"),
    ("SQuAD EM", ("squad", "em"), "%"),
    ("SQuAD F1", ("squad", "f1"), "%"),
    ("FanOutQA loose", ("fanout", "loose"), "%"),
    ("FanOutQA strict", ("fanout", "strict"), "%"),
    ("FanOutQA pairs", ("fanout", "pairs"), "%"),
    ("hds_compat EM", ("hds_compat", "em"), "%"),
    ("hds_compat Acc", ("hds_compat", "acc"), "%"),
    ("hds_compat F1", ("hds_compat", "f1"), "%"),
    ("AUC-AT", ("hds_compat", "auc_at"), ""),
    ("AUC-AC", ("hds_compat", "auc_ac"), ""),
    ("AUC-AL", ("hds_compat", "auc_al"), ""),
    ("supporting pages retrieved", ("coverage", "retrieved"), "%"),
    ("supporting pages read", ("coverage", "read"), "%"),
    ("supporting pages cited", ("coverage", "cited"), "%"),
    ("quotes verified", ("verified",), "%"),
    ("graded good and right", ("grades", "good_precision"), "%"),
    ("right and graded good", ("grades", "good_recall"), "%"),
    ("contradicted and wrong", ("grades", "contradicted_precision"), "%"),
    ("wrong and contradicted", ("grades", "contradicted_recall"), "%"),
    ("unanswered", ("unanswered",), "%"),
    ("failed", ("failed",), "questions"),
    ("turns", ("turns",), ""),
    ("searches", ("searches",), ""),
    ("search efficiency", ("search_efficiency",), "F1/search"),
    ("search quality", ("search_quality",), "%"),
    ("tokens written", ("tokens",), ""),
    ("bytes of pages", ("bytes",), ""),
    ("seconds", ("seconds", "total"), "s"),
    ("  model", ("seconds", "model"), "s"),
    ("  searching", ("seconds", "search"), "s"),
    ("  fetching", ("seconds", "fetch"), "s"),
    ("  extracting", ("seconds", "extract"), "s"),
    ("  saved by overlap", ("seconds", "overlap"), "s"),
    ("judged right", ("judge", "right"), "%"),
)
_INTERVALS = {"correct": "correct", "SQuAD EM": "squad em", "SQuAD F1": "squad f1", "hds_compat F1": "hds_compat f1",
              "supporting pages retrieved": "pages retrieved", "turns": "turns", "searches": "searches",
              "tokens written": "tokens", "seconds": "seconds"}  # fmt: skip


def figures(documents: Sequence[Mapping[str, Any]], names: Sequence[str]) -> tuple[list[str], Table]:
    """A table's header and rows: a column for each evaluation (`hds.eval/1`), without figures that none of them has."""
    rows = []
    for label, place, unit in _LINES:
        cells = [_cell(document, label, place) for document in documents]
        if any(cells):
            rows.append([label, *cells, unit])
    return ["", *names, ""], [["questions", *(str(d["n"]) for d in documents), ""], *rows]


def differences(first: str, other: str, compared: Sequence[Difference]) -> Section:
    """A section: how much more `other` has than `first`, question by question, and the verdict on each figure."""
    rows = [
        [d.figure, f"{number(d.interval.mean)} ({number(d.interval.low)} to {number(d.interval.high)})", d.verdict]
        for d in compared
    ]
    return f"{other} minus {first} (paired, 95 %)", ["", "difference", ""], rows


def _cell(document: Mapping[str, Any], label: str, place: Sequence[str]) -> str:
    value: Any = document["metrics"]
    for key in place:
        value = value.get(key) if isinstance(value, Mapping) else None
    if value is None:
        return ""
    bounds = document["intervals"].get(_INTERVALS.get(label, ""))
    shown = number(value)
    return f"{shown} ({number(bounds['low'])}-{number(bounds['high'])})" if bounds else shown


def number(value: float) -> str:
    """Four digits at most, no more than are worth reading."""
    if isinstance(value, int) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def markdown(title: str, sections: Sequence[Section], notes: Sequence[str] = ()) -> str:
    """A Markdown page: each section a heading and a table, then notes."""
    parts = [f"# {_plain(title)}"]
    for heading, header, rows in sections:
        parts.append(f"## {_plain(heading)}\n\n" + markdown_table(header, rows))
    parts += [f"- {_plain(note)}" for note in notes]
    return "\n\n".join(parts) + "\n"


def markdown_table(header: Sequence[str], rows: Table) -> str:
    """A table whose cells cannot end it: bars and line ends are taken out of their power."""
    lines = ["| " + " | ".join(map(_plain, header)) + " |", "|---" * len(header) + "|"]
    return "\n".join([*lines, *("| " + " | ".join(map(_plain, row)) + " |" for row in rows)])


def _plain(text: str) -> str:
    kept = "".join(c if c.isprintable() else " " for c in text)
    return kept.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("`", "\\`").strip()
