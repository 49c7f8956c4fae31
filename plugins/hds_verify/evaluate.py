"""Figures of a verifier on claims with labels: `python -m hds_verify.evaluate CLAIMS.jsonl PASSAGES.jsonl`.

Claims are rows `{"id", "claim", "label": "supported|contradicted|absent", "kind"}`, passages rows `{"id", "title",
"text"}`. The threshold is never tuned on the claims that are measured: `--tune-on CLAIMS PASSAGES` uses others.
"""

from __future__ import annotations

import argparse
import bisect
import json
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hds_cli import jsons
from hds_cli.agent.support.attribution import attribute
from hds_cli.agent.verifying import Odds, Text
from hds_cli.text import terms
from hds_cli.types import Passage
from hds_verify import ADAPTER, SURE_CONTRADICTED, SURE_SUPPORTED, opened
from hds_verify.kept import Kept

PRECISION = 0.9  # of the grades at the thresholds that are suggested
_NONE = Odds(0.0, 0.0, 0.0)
LABELS = ("supported", "contradicted", "absent")


@dataclass(frozen=True)
class Row:
    """A claim with its label, the probabilities, and what comparing words and values says of it."""

    passage: Text
    claim: str
    label: str
    kind: str
    odds: Odds = _NONE
    level: str = ""

    @property
    def supported(self) -> bool:
        return self.label == "supported"


def read(claims: Path, passages: Path) -> list[Row]:
    """The claims of a set with their passages."""
    texts = {row["id"]: Text(row["title"], row["text"]) for row in rows_of(passages)}
    return [Row(texts[row["id"]], row["claim"], row["label"], row["kind"]) for row in rows_of(claims)]


def rows_of(path: Path) -> list[dict[str, Any]]:
    """The rows of a JSONL file."""
    return [json.loads(line) for line in jsons.lines(path.read_text("utf-8")) if line.strip()]


def judged(rows: Sequence[Row], verifier: Any) -> tuple[list[Row], float]:
    """The rows with probabilities and grades by value, claims of one passage together; and seconds of the verifier."""
    groups: dict[Text, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row.passage].append(row)
    started = time.monotonic()
    odds = verifier.verify(list(groups), [[row.claim for row in group] for group in groups.values()])
    seconds = time.monotonic() - started
    done = []
    for (passage, group), found in zip(groups.items(), odds, strict=True):
        read_passage = [("", Passage("file:p", passage.title, passage.text, n=1))]
        for row, one in zip(group, found, strict=True):
            units = attribute(row.claim, "", read_passage)
            level = units[0].level if len(units) == 1 else ""
            done.append(Row(passage, row.claim, row.label, row.kind, one, level))
    return done, seconds


def auc(scores: Sequence[float], labels: Sequence[bool]) -> float | None:
    """The share of pairs of a true and a false one that are in the right order; ties count half."""
    false = sorted(s for s, label in zip(scores, labels, strict=True) if not label)
    true = [s for s, label in zip(scores, labels, strict=True) if label]
    if not true or not false:
        return None
    right = sum(bisect.bisect_left(false, s) + bisect.bisect_right(false, s) for s in true) / 2
    return right / (len(true) * len(false))


def balanced(scores: Sequence[float], labels: Sequence[bool], threshold: float) -> float | None:
    """Balanced accuracy: the mean of the shares that are right of the true and of the false ones."""
    true = [s >= threshold for s, label in zip(scores, labels, strict=True) if label]
    false = [s < threshold for s, label in zip(scores, labels, strict=True) if not label]
    return (sum(true) / len(true) + sum(false) / len(false)) / 2 if true and false else None


def best_threshold(scores: Sequence[float], labels: Sequence[bool]) -> float:
    """The threshold with the best balanced accuracy."""
    return max(sorted(set(scores)), key=lambda at: balanced(scores, labels, at) or 0.0)


def overlap(row: Row) -> float:
    """The baseline: the share of a claim's words that its passage has."""
    words = terms(row.claim)
    have = set(terms(f"{row.passage.title} {row.passage.text}"))
    return sum(word in have for word in words) / len(words) if words else 0.0


def wrong_by_value(row: Row) -> bool:
    """True where comparing values says that a claim is wrong, before any verifier."""
    return row.level == "contradicted"


def figures(rows: Sequence[Row], threshold: float, against: float) -> dict[str, Any]:
    """All figures of a set. `threshold`: of the supported; `against`: of the contradicted."""
    truth = [row.supported for row in rows]
    said = [row.odds.supported for row in rows]
    bag = [overlap(row) for row in rows]

    def caught(row: Row) -> bool:
        return wrong_by_value(row) or (row.odds.contradicted >= against and row.odds.supported < 0.5)

    def share(test: Callable[[Row], bool], chosen: Sequence[Row]) -> float | None:
        return sum(map(test, chosen)) / len(chosen) if chosen else None

    contradicted = [row for row in rows if row.label == "contradicted"]
    supported = [row for row in rows if row.supported]
    kinds: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        kinds[row.kind].append(row)

    def missed(row: Row) -> bool:
        return wrong_by_value(row) or row.odds.supported < threshold

    def right(row: Row) -> bool:
        return (row.odds.supported >= threshold) == row.supported

    return {
        "claims": len(rows),
        "auc": auc(said, truth),
        "balanced_accuracy": balanced(said, truth, threshold),
        "threshold": threshold,
        "best_balanced_accuracy_on_this_set": balanced(said, truth, best_threshold(said, truth)),
        "three_classes": share(lambda row: LABELS[row.odds.index(max(row.odds))] == row.label, rows),
        "contradicted_caught": share(caught, contradicted),
        "contradicted_not_passed": share(missed, contradicted),
        "supported_called_wrong": share(caught, supported),
        "bag_of_words": {
            "auc": auc(bag, truth),
            "best_balanced_accuracy": balanced(bag, truth, best_threshold(bag, truth)),
        },
        "by_kind": {kind: {"n": len(of), "right": share(right, of)} for kind, of in sorted(kinds.items())},
        "calibration": calibration(rows),
        "suggested": {
            "sure_supported": sure(rows, 0, PRECISION),
            "sure_contradicted": sure(rows, 1, PRECISION),
        },
        "at_grades": {
            "verified": _grades(rows, SURE_SUPPORTED, 0),
            "contradicted": _grades(rows, SURE_CONTRADICTED, 1),
        },
    }


def sure(rows: Sequence[Row], place: int, precision: float) -> float | None:
    """The lowest threshold from which on a grade is right for at least `precision` of those that get it.

    Args:
        place: of the label in `LABELS`.
    """
    ranked = sorted(rows, key=lambda row: -row.odds[place])
    right, found = 0, None
    for given, row in enumerate(ranked, 1):
        right += row.label == LABELS[place]
        if right >= precision * given:
            found = row.odds[place]
    return found


def _grades(rows: Sequence[Row], at: float, place: int) -> dict[str, float | None]:
    """Precision and recall of a grade at its threshold in use."""
    label = LABELS[place]
    given = [row for row in rows if row.odds[place] >= at]
    right = sum(row.label == label for row in given)
    return {
        "threshold": at, "given": len(given), "precision": right / len(given) if given else None,
        "recall": right / max(1, sum(row.label == label for row in rows)),
    }  # fmt: skip


def calibration(rows: Sequence[Row], bins: int = 5) -> list[dict[str, float]]:
    """The share of the claims that is supported, by the probability that was said."""
    inside: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        inside[min(bins - 1, int(row.odds.supported * bins))].append(row)
    return [
        {
            "from": place / bins,
            "n": len(of),
            "said": sum(row.odds.supported for row in of) / len(of),
            "are": sum(row.supported for row in of) / len(of),
        }
        for place, of in sorted(inside.items())
    ]


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m hds_verify.evaluate", description=__doc__)
    parser.add_argument("claims", type=Path)
    parser.add_argument("passages", type=Path)
    parser.add_argument("--adapter", type=Path, default=ADAPTER)
    parser.add_argument("--tune-on", type=Path, nargs=2, metavar=("CLAIMS", "PASSAGES"))
    parser.add_argument("--threshold", type=float, help="of the supported; default: 0.5, or what --tune-on gives")
    parser.add_argument("--against", type=float, default=SURE_CONTRADICTED, help="of the contradicted")
    parser.add_argument("--rows", type=Path, help="write each claim with its probabilities there")
    args = parser.parse_args(arguments)
    verifier = opened(args.adapter, kept=Kept("", disk=False))
    threshold = 0.5
    if args.tune_on:
        other, _ = judged(read(*args.tune_on), verifier)
        threshold = best_threshold([row.odds.supported for row in other], [row.supported for row in other])
    rows, seconds = judged(read(args.claims, args.passages), verifier)
    verifier.close()
    found = figures(rows, args.threshold if args.threshold is not None else threshold, args.against)
    found["ms_a_unit"] = 1000 * seconds / len(rows)
    if args.rows:
        args.rows.write_text("".join(json.dumps(_as_dict(row)) + "\n" for row in rows), "utf-8")
    sys.stdout.write(json.dumps(found, indent=1) + "\n")


def _as_dict(row: Row) -> dict[str, Any]:
    return {"claim": row.claim, "label": row.label, "kind": row.kind, "odds": list(row.odds), "level": row.level}


if __name__ == "__main__":
    main()
