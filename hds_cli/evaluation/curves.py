"""F1 over effort: what is right within so many turns, calls, tokens, seconds. As numbers, as text, as a picture."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from typing import Any

from hds_cli.errors import HdsError
from hds_cli.evaluation.compare import Evaluation
from hds_cli.evaluation.summary import curves_of

Curve = list[tuple[float, float]]
AXES = ("turns", "calls", "tokens", "seconds")
_STEPS = 12
_BAR = 16
_EIGHTHS = " ▏▎▍▌▋▊▉█"


def curves(evaluations: Sequence[Evaluation]) -> dict[str, list[Curve]]:
    """For every axis one curve an evaluation: (at most this much of it, F1 in percent).

    Turns, calls and tokens in the bins of `hds_compat`; seconds in steps that reach to the slowest question.
    """
    by_axis: dict[str, list[Curve]] = {axis: [] for axis in AXES}
    for evaluation in evaluations:
        bins = curves_of(list(evaluation.rows.values()))
        for axis in ("turns", "calls", "tokens"):
            by_axis[axis].append([(float(x), y) for x, y in getattr(bins, axis).items()])
    spent = [_spent(e) for e in evaluations]
    longest = max((seconds for points in spent for seconds, _ in points), default=0.0)
    step = _nice(longest / _STEPS) if longest else 1.0
    edges = [step * n for n in range(1, max(1, math.ceil(longest / step)) + 1)]
    by_axis["seconds"] = [[(edge, _within(points, edge)) for edge in edges] for points in spent]
    return by_axis


def _spent(evaluation: Evaluation) -> list[tuple[float, float]]:
    return [
        (seconds["total"], row["scores"]["hds_compat"]["f1"])
        for i, row in evaluation.rows.items()
        if (seconds := evaluation.costs.get(i, {}).get("seconds"))
    ]


def _within(points: Sequence[tuple[float, float]], edge: float) -> float:
    return sum(f1 for seconds, f1 in points if seconds <= edge) / len(points) if points else 0.0


def _nice(step: float) -> float:
    """The next of 1, 2, 5 times a power of ten."""
    power = float(10 ** math.floor(math.log10(step)))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= step)


def text(by_axis: Mapping[str, Sequence[Curve]], names: Sequence[str]) -> list[tuple[str, list[str], list[list[str]]]]:
    """For every axis a title, a header and rows: the bin, and F1 with a bar for each evaluation."""
    top = max((y for lines in by_axis.values() for curve in lines for _, y in curve), default=0.0) or 1.0
    tables = []
    for axis, lines in by_axis.items():
        rows = [
            [f"{edge:g}", *(f"{curve[place][1]:5.1f} {_bar(curve[place][1] / top)}" for curve in lines)]
            for place, (edge, _) in enumerate(lines[0])
        ]
        tables.append((f"F1 within so many {axis}", [axis, *names], rows))
    return tables


def _bar(share: float) -> str:
    eighths = round(share * _BAR * 8)
    return _EIGHTHS[8] * (eighths // 8) + (_EIGHTHS[eighths % 8] if eighths % 8 else "")


def picture(by_axis: Mapping[str, Sequence[Curve]], names: Sequence[str], suffix: str) -> bytes:
    """Draw the curves; the content of a PNG or SVG file.

    Args:
        suffix: of the file's name: `.png` or `.svg`.

    Raises:
        PlotError: matplotlib is not installed, or the name ends otherwise.
    """
    kind = suffix.lower().removeprefix(".")
    if kind not in ("png", "svg"):
        raise PlotError(f"curves are drawn as PNG or SVG, not as {suffix or 'a file without a suffix'}",
                        hint="--curves curves.svg")  # fmt: skip
    try:
        from matplotlib import rc_context
        from matplotlib.figure import Figure
    except ImportError as exc:
        raise PlotError("drawing needs matplotlib", hint='pip install "hds-cli[eval]"') from exc
    with rc_context({"svg.hashsalt": "hds", "text.usetex": False, "text.parse_math": False}):
        figure = Figure(figsize=(9, 6.5), layout="constrained")
        axes: Any = figure.subplots(2, 2, sharey=True)
        for axis, (name, lines) in zip(axes.flat, by_axis.items(), strict=True):
            for label, curve in zip(names, lines, strict=True):
                axis.step([x for x, _ in curve], [y for _, y in curve], where="post", label=label.lstrip("_"))
            axis.set_xlabel(f"at most so many {name}")
            axis.set_ylabel("F1 (%)")
            axis.set_ylim(bottom=0)
            axis.grid(alpha=0.3)
        axes.flat[0].legend()
        drawn = io.BytesIO()
        figure.savefig(drawn, format=kind, metadata={"Date": None} if kind == "svg" else None)
    return drawn.getvalue()


class PlotError(HdsError):
    """A picture that cannot be drawn."""

    code = "plot"
    exit_code = 2
