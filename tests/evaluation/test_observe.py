"""The row of one run: what of the model's words is scored."""

from __future__ import annotations

import pytest

from hds_cli.evaluation.observe import Observer
from hds_cli.evaluation.questions import Question
from hds_cli.events import RunFinished


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
