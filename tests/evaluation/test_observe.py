"""The row of one run: what of the model's words is scored."""

from __future__ import annotations

from typing import Any

import pytest

from hds_cli.evaluation.observe import Observer
from hds_cli.evaluation.questions import Question
from hds_cli.evaluation.summary import document
from hds_cli.events import RunFinished
from hds_cli.types import Level, Support


@pytest.mark.parametrize(
    ("finished", "correct"),
    [
        ({"answer": "142 metres", "raw_answer": "142 m"}, True),
        ({"answer": None, "raw_answer": "142 m", "reason": "passages"}, True),
        ({"answer": None, "raw_answer": "142 m", "reason": "unsupported"}, False),
        ({"answer": None, "raw_answer": None, "reason": "passages"}, False),
    ],
)
def test_the_answer_is_scored_as_the_model_wrote_it(finished: dict[str, str | None], correct: bool) -> None:
    """Also that of a model of whose words only passages are shown; a refused one is not."""
    observer = Observer(Question("q1", "How long is the pier?", ("142 m",)), len)
    observer.handle(RunFinished(status="answered", explanation=None, **finished))
    row = observer.row()
    assert bool(row["correct"]) is correct


def test_grades_are_measured_where_gold_answers_exist() -> None:
    """Precision and recall of good grades, and of contradicted ones; an answer without grades counts for neither."""

    def row(prediction: str, *levels: Level) -> dict[str, Any]:
        observer = Observer(Question("q1", "How long is the pier?", ("142 m",)), len)
        support = tuple(Support("x", level) for level in levels)
        observer.handle(RunFinished(status="answered", answer=prediction, explanation=None, support=support))
        return dict(observer.row())

    rows = [
        row("142 m", "quoted", "verified"), row("142 m", "unsourced"), row("142 m"),
        row("12 km", "quoted"), row("12 km", "contradicted"), row("142 m", "contradicted"),
    ]  # fmt: skip
    assert document(rows, {}, "f")["metrics"]["grades"] == {
        "good_precision": 50.0, "good_recall": 33.333, "contradicted_precision": 50.0, "contradicted_recall": 50.0
    }  # fmt: skip
    assert document(rows[2:3], {}, "f")["metrics"]["grades"] is None
