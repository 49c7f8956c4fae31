"""Evaluations side by side: paired differences over the questions they share, and what can be said of them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from hds_cli.desk.rows import Row
from hds_cli.errors import UsageError
from hds_cli.evaluation import summary
from hds_cli.evaluation.bootstrap import Interval, paired
from hds_cli.evaluation.journal import Journal, costs_of, read_lines, read_results

SCHEMA = "hds.eval.compare/1"
NO_DIFFERENCE = "no difference shown"
_LESS_IS_BETTER = {"turns", "searches", "tokens", "seconds"}


@dataclass(frozen=True)
class Evaluation:
    """The results of one evaluation, read back; rows and costs by question id."""

    name: str
    path: Path
    header: Row
    rows: dict[str, Row]
    costs: dict[str, Row]

    def document(self) -> dict[str, Any]:
        """The evaluation as a document `hds.eval/1`."""
        return summary.document(list(self.rows.values()), self.costs, str(self.path))

    def only(self, ids: Sequence[str]) -> Evaluation:
        """The evaluation restricted to these questions."""
        return Evaluation(self.name, self.path, self.header, {i: self.rows[i] for i in ids}, self.costs)


@dataclass(frozen=True)
class Difference:
    """The difference of another evaluation from the first in one figure; `verdict` claims no more than the interval."""

    figure: str
    interval: Interval
    verdict: str


def read_all(files: Sequence[Path]) -> list[Evaluation]:
    """Several results; those whose files have one name are told apart by their folders."""
    evaluations = [read(path) for path in files]
    names = [one.name for one in evaluations]
    return [replace(one, name=str(one.path)) if names.count(one.name) > 1 else one for one in evaluations]


def read(path: Path) -> Evaluation:
    """The results that `hds eval --results PATH` wrote.

    Raises:
        ResultsError: the file holds no results.
    """
    header, rows = read_results(path)
    costs = read_lines(costs_of(path)) if costs_of(path).exists() else []
    name = path.name.removesuffix(".jsonl")
    return Evaluation(name, path, header, {r["id"]: r for r in rows}, {c["id"]: c for c in costs})


def merge(parts: Sequence[Evaluation], path: Path) -> int:
    """Write the rows of the shards of one evaluation as one; returns how many there are.

    Raises:
        UsageError: they were made otherwise than by `--shard`, or share a question.
        OutputError: the files cannot be written.
    """
    rows = {row_id: row for part in parts for row_id, row in part.rows.items()}
    if len(rows) < sum(len(part.rows) for part in parts):
        raise UsageError("these results share questions", hint="each shard once: --shard 1/4, 2/4, …")
    heads = [{key: value for key, value in part.header.items() if key != "questions"} for part in parts]
    if any(head != heads[0] for head in heads):
        raise UsageError("these results were made in different ways", hint="the same command but for --shard")
    ids = hashlib.sha256("\n".join(rows).encode()).hexdigest()
    head = {**heads[0], "questions": {"n": len(rows), "sha256": ids}}
    head.pop("schema")
    with Journal(path, head).open(resume=False, overwrite=False) as journal:
        for part in parts:
            for row_id, row in part.rows.items():
                journal.append(row, part.costs.get(row_id, {"id": row_id}))
    return len(rows)


def shared(evaluations: Sequence[Evaluation]) -> list[Evaluation]:
    """The evaluations over the questions that all of them asked, in the order of the first.

    Raises:
        UsageError: they were made of different question sets, or share no question.
    """
    digests = {e.header["dataset"]["sha256"] for e in evaluations}
    if len(digests) > 1:
        names = ", ".join(f"{e.name}: {e.header['dataset']['name']}" for e in evaluations)
        raise UsageError(f"these are results of different question sets ({names})", hint="compare results of one set")
    ids = [i for i in evaluations[0].rows if all(i in e.rows for e in evaluations)]
    if not ids:
        raise UsageError("these results have no question in common", hint="the same --limit and --shard for both")
    return [e.only(ids) for e in evaluations]


def differences(first: Evaluation, other: Evaluation, *, seed: int = 0) -> list[Difference]:
    """Each figure of `other` minus that of `first`, question by question, with a 95 % paired bootstrap interval."""
    compared = []
    for figure, (_, of) in summary.FIGURES.items():
        both = [
            (of(row, first.costs.get(i, {})), of(other.rows[i], other.costs.get(i, {})))
            for i, row in first.rows.items()
        ]
        known = [(a, b) for a, b in both if a is not None and b is not None]
        if not known:
            continue
        bounds = paired([a for a, _ in known], [b for _, b in known], seed=seed)
        compared.append(Difference(figure, bounds, _verdict(figure, bounds)))
    return compared


def _verdict(figure: str, bounds: Interval) -> str:
    if not bounds.excludes_zero:
        return NO_DIFFERENCE
    more = bounds.mean > 0
    if figure in _LESS_IS_BETTER:
        return "more" if more else "less"
    return "better" if more else "worse"


def document(evaluations: Sequence[Evaluation]) -> dict[str, Any]:
    """The document `hds.eval.compare/1`: every evaluation's figures, and the differences to the first."""
    first, *others = evaluations
    return {
        "schema": SCHEMA,
        "n": len(first.rows),
        "evaluations": [{"name": e.name, "options": e.header["options"], **e.document()} for e in evaluations],
        "differences": [
            {
                "a": first.name,
                "b": other.name,
                "figures": {
                    d.figure: {k: round(v, 3) for k, v in asdict(d.interval).items()} | {"verdict": d.verdict}
                    for d in differences(first, other)
                },
            }
            for other in others
        ],
    }
