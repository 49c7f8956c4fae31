"""From rows to figures: the document `hds.eval/1`. Percentages are 0-100, the rest means a question."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from statistics import fmean
from typing import Any

from hds_cli.evaluation.bootstrap import interval
from hds_cli.evaluation.metrics import Accumulated, Effort, accumulated

SCHEMA = "hds.eval/1"
Row = Mapping[str, Any]
_AREAS = ("auc_at", "auc_ac", "auc_al")
PHASES = ("total", "model", "search", "fetch", "extract", "overlap")
# The figures that are compared, with intervals: name, unit, and the value from a row and its costs (None: unknown).
FIGURES: dict[str, tuple[str, Callable[[Row, Row], float | None]]] = {
    "correct": ("%", lambda row, _: 100.0 * row["correct"]),
    "squad em": ("%", lambda row, _: row["scores"]["squad"]["em"]),
    "squad f1": ("%", lambda row, _: row["scores"]["squad"]["f1"]),
    "hds_compat f1": ("%", lambda row, _: row["scores"]["hds_compat"]["f1"]),
    "pages retrieved": ("%", lambda row, _: row["coverage"]["retrieved"] if row["coverage"] else None),
    "turns": ("", lambda row, _: row["turns"]),
    "searches": ("", lambda row, _: row["searches"]),
    "tokens": ("", lambda row, _: row["tokens"]),
    "seconds": ("s", lambda _, costs: costs["seconds"]["total"] if "seconds" in costs else None),
}


def document(rows: Sequence[Row], costs: Mapping[str, Row], per_question: str) -> dict[str, Any]:
    """The document `hds.eval/1`.

    Args:
        costs: by question id.
        per_question: where the rows are kept.
    """
    curves = curves_of(rows)
    compat = _of(rows, lambda r: r["scores"]["hds_compat"], ("em", "acc", "f1"))
    metrics: dict[str, Any] = {
        "hds_compat": (compat or {}) | {name: round(getattr(curves, name), 3) for name in _AREAS},
        "squad": _of(rows, lambda r: r["scores"]["squad"], ("em", "f1")),
        "fanout": _of(rows, lambda r: r["scores"].get("fanout"), ("loose", "strict", "pairs")),
        "correct": _mean(rows, lambda r: 100.0 * r["correct"]),
        "coverage": _of(rows, lambda r: r["coverage"], ("retrieved", "read", "cited")),
        "turns": _mean(rows, lambda r: r["turns"]),
        "searches": _mean(rows, lambda r: r["searches"]),
        "tokens": _mean(rows, lambda r: r["tokens"]),
        "bytes": _mean(rows, lambda r: r["bytes"]),
        "seconds": _seconds(rows, costs),
        "search_efficiency": _mean(rows, lambda r: r["scores"]["squad"]["f1"] / 100 / max(1, r["searches"])),
        "search_quality": _search_quality(rows),
        "verified": _verified(rows),
        "grades": _grades(rows),
        "unanswered": _mean(rows, lambda r: 100.0 * (r["status"] != "answered")),
        "failed": sum(r["error"] is not None for r in rows),
    }
    return {
        "schema": SCHEMA,
        "n": len(rows),
        "metrics": metrics,
        "intervals": intervals(rows, costs),
        "per_question": per_question,
    }


def curves_of(rows: Sequence[Row]) -> Accumulated:
    """F1 over turns, calls and tokens, as the published evaluation accumulates it."""
    return accumulated(
        [Effort(r["scores"]["hds_compat"]["f1"], **r["compat"]) for r in rows]  # compat: turns, calls, tokens
    )


def intervals(rows: Sequence[Row], costs: Mapping[str, Row]) -> dict[str, dict[str, float]]:
    """The 95 % bootstrap intervals of the figures that are compared."""
    bounds = {}
    for name, (_, of) in FIGURES.items():
        values = [value for row in rows if (value := of(row, costs.get(row["id"], {}))) is not None]
        if values:
            bounds[name] = {k: round(v, 3) for k, v in asdict(interval(values)).items()}
    return bounds


def _mean(rows: Sequence[Row], value: Callable[[Row], float | None]) -> float | None:
    return _rounded([value(row) for row in rows])


def _rounded(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(fmean(known), 3) if known else None


def _of(rows: Sequence[Row], part: Callable[[Row], Row | None], names: Sequence[str]) -> dict[str, float | None] | None:
    """Means of the named figures over the rows that have the part; None when no row has it."""
    parts = [figures for figures in map(part, rows) if figures is not None]
    return {name: _rounded([figures[name] for figures in parts]) for name in names} if parts else None


def _seconds(rows: Sequence[Row], costs: Mapping[str, Row]) -> dict[str, float | None]:
    known = [seconds for r in rows if (seconds := costs.get(r["id"], {}).get("seconds"))]
    return {phase: _rounded([seconds[phase] for seconds in known]) for phase in PHASES}


def _search_quality(rows: Sequence[Row]) -> float | None:
    """SQ of SmartSearch (arXiv 2601.04888): right with good queries only, or wrong with at least one good query.

    A query is good when it found a supporting page that none before it had found; the paper asks a model instead.
    """
    known = [r for r in rows if r["queries_good"] is not None]

    def quality(row: Row) -> float:
        good, total = row["queries_good"]["good"], row["queries_good"]["all"]
        return 100.0 * bool(good == total > 0 if row["correct"] else good > 0)

    return _mean(known, quality)


def _verified(rows: Sequence[Row]) -> float | None:
    """The share of citations whose quote stands in the stored page."""
    total = sum(r["citations"]["n"] for r in rows)
    return round(100.0 * sum(r["citations"]["verified"] for r in rows) / total, 3) if total else None


def _grades(rows: Sequence[Row]) -> dict[str, float | None] | None:
    """Precision and recall of the grades against the gold answers; None where no answer was graded.

    Good grades are right when the answer is; `contradicted` is right when it is not.
    """
    graded = [(row["correct"], row["grades"]) for row in rows if row.get("grades") is not None]
    if not graded:
        return None
    good = [correct for correct, grades in graded if grades["good"]]
    against = [correct for correct, grades in graded if grades["contradicted"]]
    right = sum(bool(correct) for correct, _ in graded)
    wrong = len(graded) - right

    def share(part: int, whole: int) -> float | None:
        return round(100.0 * part / whole, 3) if whole else None

    return {
        "good_precision": share(sum(map(bool, good)), len(good)),
        "good_recall": share(sum(map(bool, good)), right),
        "contradicted_precision": share(sum(not correct for correct in against), len(against)),
        "contradicted_recall": share(sum(not correct for correct in against), wrong),
    }
