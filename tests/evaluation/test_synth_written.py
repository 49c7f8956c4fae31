"""Questions a model writes are kept only as far as the pages bear them out."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from hds_cli.evaluation.synth.written import WrittenMaker
from hds_cli.types import Document, SearchResult
from tests.conftest import Hds

PAGES = [
    Document("1", "Brunnval", "Brunnval is a small town. It was founded in 1412 by miners who came from the north.", "local://x/1"),
    Document("2", "Kelpa Prize", "The Kelpa Prize was first given in 1950. The ceremony is held in Brunnval every spring.", "local://x/2"),
    Document("3", "River Osk", "The river Osk rises in the hills and flows past Brunnval before it meets the sea.", "local://x/3"),
]  # fmt: skip


class _Says:
    """A model that gives these answers in turn, and remembers what it was asked."""

    def __init__(self, *answers: dict[str, str]) -> None:
        self._answers: Iterator[dict[str, str]] = iter(answers)
        self.tasks: list[str] = []

    def ask(self, system: str, task: str, grammar: str, max_tokens: int = 300) -> str:
        self.tasks.append(task)
        return json.dumps(next(self._answers))


def _nothing(query: str, top_k: int) -> Sequence[SearchResult]:
    return []


def _seed(hybrid: bool) -> random.Random:
    """A seed under which the entity drawn is Brunnval, and the question hybrid or not."""
    for n in range(1000):
        rng = random.Random(n)
        if rng.choice(PAGES).title == "Brunnval":
            rng.sample([0, 1], min(2, rng.randint(2, 4)))
            if (rng.random() >= 0.5) == hybrid:
                return random.Random(n)
    raise AssertionError


GOOD = ({"characteristic": "hosts a ceremony each spring"}, {"characteristic": "lies on a river that rises in hills"})
QUESTION = {"question": "Which town hosts a ceremony each spring and lies on a river that rises in hills?"}


def test_a_parallel_question_needs_the_pages_that_name_the_entity() -> None:
    """Its gold pages are those two; the model was shown what they say."""
    model = _Says(*GOOD, QUESTION)
    draft = WrittenMaker(PAGES, _nothing, model, 0).candidate(_seed(False))
    assert draft is not None
    assert (draft.answer, draft.kind, set(draft.gold)) == ("Brunnval", "parallel-written", {"Kelpa Prize", "River Osk"})
    assert any("ceremony is held in Brunnval" in task for task in model.tasks)


def test_a_hybrid_question_ends_on_the_entitys_own_page() -> None:
    """The seed question loses the name; its answer stands on the page."""
    model = _Says(*GOOD, QUESTION, {"question": "When was Brunnval founded?", "answer": "1412"})
    draft = WrittenMaker(PAGES, _nothing, model, 0).candidate(_seed(True))
    assert draft is not None
    assert (draft.answer, draft.last) == ("1412", "Brunnval")
    assert "Brunnval" not in draft.question


@pytest.mark.parametrize(
    "answers",
    [
        ({"characteristic": "hosts a ceremony in Brunnval"}, GOOD[1]),  # names the entity
        (GOOD[0], {"characteristic": "has it on its river"}),  # a pronoun
        ({"characteristic": "Kelpa"}, GOOD[1]),  # one name is no characteristic
        ({"characteristic": "exports timber and wool overseas"}, GOOD[1]),  # the passage says nothing of it
        (*GOOD, {"question": "Where is the town of Brunnval?"}),  # the question names it
        (*GOOD, {"question": "Which one has all of them?"}),  # it uses none of the characteristics
        (*GOOD, QUESTION, {"question": "When was Brunnval founded?", "answer": "1999"}),  # the page does not say so
        (*GOOD, QUESTION, {"question": "When was it founded?", "answer": "1412"}),  # the seed does not name it
    ],
)
def test_what_does_not_hold_is_thrown_away(answers: tuple[dict[str, str], ...]) -> None:
    """A name that is given away, a pronoun, an answer that stands nowhere."""
    assert WrittenMaker(PAGES, _nothing, _Says(*answers), 0).candidate(_seed(True)) is None


def test_a_question_that_one_search_answers_is_rejected() -> None:
    """All of its pages among the first results: no question."""

    def finds(query: str, top_k: int) -> list[SearchResult]:
        return [SearchResult(d.url, d.title) for d in PAGES]

    class Always(_Says):
        def ask(self, system: str, task: str, grammar: str, max_tokens: int = 300) -> str:
            if "characteristic that" in task:
                return json.dumps(GOOD[0] if "Kelpa" in task else GOOD[1])
            return json.dumps(
                QUESTION if "which thing" in task else {"question": "When was Brunnval founded?", "answer": "1412"}
            )

    from hds_cli.evaluation.synth.make import SynthError

    with pytest.raises(SynthError, match="no more than 0"):
        next(WrittenMaker(PAGES, finds, Always(), 0).rows(0, set()))
    assert next(WrittenMaker(PAGES, _nothing, Always(), 0).rows(0, set()))["answers"]


def test_the_command_writes_with_the_model_of_ones_choice(hds: Hds, tmp_path: Path, script: Any) -> None:
    """`-m` and `-e`: a scripted model that writes nothing of use is said, not waited for."""
    corpus = tmp_path / "corpus.jsonl"
    corpus.write_text("".join(json.dumps({"title": d.title, "text": d.text}) + "\n" for d in PAGES))
    assert hds("index", "add", str(corpus), "--name", "towns").returncode == 0
    model = script(*(["{}"] * 400))
    out = hds("synth", "--collection", "towns", "-n", "1", "-e", "scripted", "-m", model, "-o", str(tmp_path / "q"))
    assert out.returncode == 2
    assert "no more than 0 questions" in out.stderr
