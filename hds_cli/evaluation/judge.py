"""A model as a judge of answers, reported apart: the published "Acc" of HDS is one (a 32B model's), no substring."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from hds_cli.desk.rows import cut_torn_line
from hds_cli.evaluation.journal import read_lines
from hds_cli.evaluation.sealed import opened

SCHEMA = "hds.eval.judge/1"
_SYSTEM = (
    "You compare an answer with the correct one. They agree when they name the same thing or the same figure, in "
    "whatever words or order; an answer that lacks a part of the correct one, or adds something that contradicts it, "
    "does not agree. Answer with A if they agree, with B if not."
)
_GRAMMAR = 'root ::= "A" | "B"'


class Asks(Protocol):
    """The model's side of a judge (`hds_cli.agent.aside.Aside`)."""

    def ask(self, system: str, task: str, grammar: str, max_tokens: int = 300, fallback: str = "") -> str: ...


def judge(
    rows: Mapping[str, Mapping[str, Any]],
    model: Asks,
    name: str,
    path: Path,
    on_row: Callable[[], None] = lambda: None,
) -> dict[str, Any]:
    """Judge every row; an unanswered one is wrong without asking. Verdicts are kept in `path`, and not asked for again.

    Args:
        name: of the judging model; kept verdicts of another model are dropped.
    """
    known = _known(path, name)
    with path.open("a", encoding="utf-8") as file:
        for row_id, row in rows.items():
            verdict = known.get(row_id)
            if verdict is None or verdict["prediction"] != _mark(row):
                known[row_id] = {"id": row_id, "prediction": _mark(row), "right": _right(row, model)}
                file.write(json.dumps(known[row_id]) + "\n")
                file.flush()
            on_row()
    right = sum(known[row_id]["right"] for row_id in rows)
    return {"model": name, "right": round(100.0 * right / len(rows), 3) if rows else None}


def _right(row: Mapping[str, Any], model: Asks) -> bool:
    answered: Mapping[str, Any] = json.loads(opened(row["sealed"], row["canary"])) if "sealed" in row else row
    if not answered["prediction"]:
        return False
    answers = " / or: ".join(answered["answers"])
    task = f"Question: {answered['question']}\nCorrect answer: {answers}\nAnswer to judge: {answered['prediction']}"
    return model.ask(_SYSTEM, task, _GRAMMAR, 2, fallback="B").strip() == "A"


def _mark(row: Mapping[str, Any]) -> str:
    """A digest of the prediction, which ties a verdict to it without revealing it."""
    text = row.get("sealed") or row["prediction"] or ""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _known(path: Path, name: str) -> dict[str, dict[str, Any]]:
    cut_torn_line(path)
    lines = read_lines(path) if path.exists() else []
    if not lines or lines[0] != {"schema": SCHEMA, "model": name}:
        path.write_text(json.dumps({"schema": SCHEMA, "model": name}) + "\n", encoding="utf-8")
        return {}
    return {line["id"]: line for line in lines[1:]}
