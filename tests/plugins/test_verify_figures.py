"""The figures of a verifier on claims with labels."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hds_cli.agent.verifying import Odds, Text
from hds_verify import evaluate
from hds_verify.evaluate import Row

PASSAGE = Text("Kelmar", "Kelmar is a port town. In 2021 it had 2,500,000 inhabitants. The pier is 142 metres long.")


class Known:
    """A verifier that knows the answers, but for a doubt."""

    def verify(self, passages: list[Text], claims: list[list[str]]) -> list[list[Odds]]:
        return [[Odds(0.9, 0.05, 0.05) if "port" in claim else Odds(0.2, 0.7, 0.1) for claim in of] for of in claims]


def test_ranking_and_thresholds_are_counted_as_they_are_defined() -> None:
    """Ties count half; a threshold belongs to the true ones."""
    assert evaluate.auc([0.9, 0.4, 0.6, 0.4], [True, True, False, False]) == (1 + 1 + 0 + 0.5) / 4
    assert evaluate.auc([0.9], [True]) is None
    assert evaluate.balanced([0.9, 0.4, 0.6, 0.4], [True, True, False, False], 0.5) == 0.5
    assert evaluate.best_threshold([0.9, 0.7, 0.6, 0.4], [True, True, False, False]) == 0.7


def test_a_suggested_threshold_keeps_its_precision() -> None:
    """Nine of ten are right from it on; None where not even the first is."""
    rows = [
        Row(PASSAGE, "c", "absent" if n in (9, 11, 12) else "supported", "k", Odds(1 - n / 20, 0, 0)) for n in range(13)
    ]
    assert evaluate.sure(rows, 0, 0.9) == pytest.approx(1 - 10 / 20)
    assert evaluate.sure(rows, 1, 0.9) is None


def test_values_are_compared_before_the_verifier_is_believed(tmp_path: Path) -> None:
    """A wrong number is caught by its value; all figures are there, and are JSON."""
    claims = [("Kelmar is a port.", "supported"), ("In 2021 Kelmar had 2,600,000 inhabitants.", "contradicted")]
    text = [json.dumps({"id": "p", "claim": claim, "label": label, "kind": "k"}) for claim, label in claims]
    (tmp_path / "c.jsonl").write_text("\n".join(text))
    (tmp_path / "p.jsonl").write_text(json.dumps({"id": "p", "title": PASSAGE.title, "text": PASSAGE.text}))
    rows, _ = evaluate.judged(evaluate.read(tmp_path / "c.jsonl", tmp_path / "p.jsonl"), Known())
    assert [row.level == "contradicted" for row in rows] == [False, True]
    found = json.loads(json.dumps(evaluate.figures(rows, 0.5, 0.99), allow_nan=False))
    assert found["contradicted_caught"] == 1.0
    assert found["supported_called_wrong"] == 0.0
    assert found["auc"] == found["balanced_accuracy"] == 1.0
    assert [row["n"] for row in found["calibration"]] == [1, 1]
