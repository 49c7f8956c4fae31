"""What becomes of an answer of the starter: subject and value in one sentence, a name for who, two grounds for two."""

from __future__ import annotations

import pytest

from hds_cli.agent.dialects import Written
from hds_cli.agent.evidence import Evidence
from hds_cli.agent.notebook import Notebook
from hds_cli.types import Page, Passage
from hds_starter import world
from hds_starter.verdict import grounded, judge
from tests.agent.test_verdict import HARBOUR, POLAND, SWITZERLAND, book


def test_the_starter_wants_subject_and_value_in_one_sentence() -> None:
    """A page on Poland that names Switzerland somewhere is no source for a capital of Switzerland."""
    read = book("What is the capital of Switzerland?", SWITZERLAND, POLAND)
    wrong = Written("", (), "Warsaw", "The capital of Switzerland is Warsaw [2].")
    assert grounded(wrong, read).exit_code == 3
    right = Written("", (), "Bern", "The capital of Switzerland is Bern [1].")
    assert (grounded(right, read).exit_code, grounded(right, read).answer) == (0, "Bern")


def test_the_starter_wants_a_name_for_who() -> None:
    """A question for a person is not answered by a word that is no name."""
    page = ("Emma", "Emma is a novel by Jane Austen about a young woman.")
    assert grounded(Written("", (), "novel", "Emma is a novel [1]."), book("Who wrote Emma?", page)).exit_code == 3
    assert (
        grounded(Written("", (), "Jane Austen", "Emma is by Jane Austen [1]."), book("Who wrote Emma?", page)).exit_code
        == 0
    )


def test_the_starter_wants_two_grounds_for_one_value() -> None:
    """Of two entries with the same value each needs a sentence of its own."""
    written = Written("", (), "Switzerland: Bern; Poland: Bern", "The capital of Switzerland is Bern [1].")
    verdict = grounded(written, book("Capitals of Switzerland and Poland?", SWITZERLAND, POLAND))
    assert any("Poland" in item for item in verdict.unsupported)


def test_every_mark_of_an_explanation_leads_to_a_source_below_it() -> None:
    """To the passage of the same page that says it; one of a page that is no source is left out."""
    stored = Page("https://p1.example", text=f"Poland lies by the Baltic Sea. {POLAND[1]}")
    read = Notebook("What is the capital of Poland?", Evidence("q", len), {stored.url: stored}.get)
    read.note("q", [Passage(stored.url, "Poland", text, n) for n, text in ((1, stored.text[:30]), (2, POLAND[1]))])
    read.note("q", [Passage("https://p2.example", *SWITZERLAND, 3)])
    verdict = grounded(Written("", (), "Warsaw", "The capital of Poland is Warsaw [1]. It is cold [3]."), read)
    assert [citation.n for citation in verdict.citations] == [2]
    assert verdict.explanation == "The capital of Poland is Warsaw [2]. It is cold."


def test_over_other_pages_the_best_passages_stand_in_the_answers_place() -> None:
    """A right answer is not shown either; a stop keeps its own status and reason."""
    read = book("How long is the pier of Kelmar?", HARBOUR, POLAND)
    right = Written("", (), "142 metres", "The pier is 142 metres long [1].")
    verdict = judge(right, read)
    assert (verdict.status, verdict.exit_code, verdict.reason, verdict.answer) == ("unanswered", 3, "passages", None)
    assert verdict.citations[0].quote == "The pier is 142 metres long."
    assert "142 metres" in verdict.citations[0].context
    assert len(verdict.citations) <= 3
    assert verdict.raw_answer == "142 metres"  # an evaluation scores it
    assert judge(right, read, "timeout").status == "partial"
    assert grounded(right, read).answer == "142 metres"


def world_book(question: str, *titles: str, queries: tuple[str, ...] = ()) -> Notebook:
    """A notebook that has read the pages of these countries whole."""
    documents = {d.title: d for d in world.documents() if d.title in titles}
    stored = {d.url: Page(d.url, title=d.title, text=d.text) for d in documents.values()}
    made = Notebook(question, Evidence(question, len), stored.get)
    for n, title in enumerate(titles, 1):
        made.note(title, [Passage(documents[title].url, title, documents[title].text, n)])
    made.found |= set(stored)
    made.queries += queries
    return made


def test_what_follows_from_the_pages_is_shown_with_a_quote_of_each() -> None:
    """Whatever the model wrote: the answer is that of the facts, and each fact is a quote of its page."""
    read = world_book("which is bigger, kenya or botswana", "Kenya", "Botswana")
    verdict = judge(Written("", (), "Kenya", "Kenya is bigger [1]."), read)
    assert (verdict.exit_code, verdict.answer) == (0, "Botswana")
    assert [c.quote for c in verdict.citations] == [
        "Kenya has an area of 580,367 square kilometres.",
        "Botswana has an area of 582,000 square kilometres.",
    ]
    assert all(c.verified for c in verdict.citations)


def test_the_models_own_words_stand_where_they_say_the_same() -> None:
    """What it was taught it writes itself."""
    read = world_book("What is the capital of Kenya?", "Kenya")
    own = Written("", (), "Nairobi", "Kenya has its capital in Nairobi [1].")
    assert judge(own, read).explanation == own.explanation
    assert judge(Written("", (), "Mombasa", "The capital is Mombasa [1]."), read).answer == "Nairobi"


@pytest.mark.parametrize(
    ("question", "answer", "line"),
    [
        ("who is the president of kenya", "Nairobi", "nothing on: president"),
        ("what was the population of kenya in 1990", "45,010,056", "nothing on: was"),
        ("why is nairobi the capital of kenya", "Nairobi", "does not explain"),
        ("capital of kenia in latveria", "Nairobi", "did you mean Latvia?"),
        ("Was ist die Hauptstadt von Kenia?", "Nairobi", "English alone"),
        ("capital of the neighbours of kenya", "Nairobi", "nothing in them was on"),
    ],
)
def test_an_answer_to_another_question_is_refused_in_one_line(question: str, answer: str, line: str) -> None:
    """What the page says is no answer to a question that names more; the line says what to type next."""
    read = world_book(question, "Kenya", queries=("population of Kenya",))
    verdict = judge(Written("", (), answer, f"The capital of Kenya is {answer} [1]."), read)
    assert (verdict.exit_code, verdict.answer) == (3, None)
    assert verdict.explanation
    assert line in verdict.explanation
    assert "\n" not in verdict.explanation


def test_over_these_pages_a_question_that_is_not_read_is_not_answered() -> None:
    """The model's words stand on the page, and are of something else: prefectures where people were asked for."""
    read = world_book("population of hokkaido", "Japan", queries=("population of Hokkaido",))
    verdict = judge(
        Written("", (), "Aichi, Akita and Hokkaido", "Japan has provinces: Aichi, Akita, Hokkaido [1]."), read
    )
    assert (verdict.exit_code, verdict.answer) == (3, None)


@pytest.mark.parametrize("model", ["Accra", "Tema"])
def test_a_misspelt_name_is_read_and_said(model: str) -> None:
    """One line for the reader; none where the name was written right, or where nothing is answered."""
    own = Written("", (), model, f"The capital of Ghana is {model} [1].")
    verdict = judge(own, world_book("capital of Gahna", "Ghana"))
    assert (verdict.answer, [(w.code, w.message) for w in verdict.warnings]) == (
        "Accra",
        [("asked_as", "asked as: Ghana")],
    )
    assert not judge(own, world_book("capital of Ghana", "Ghana")).warnings
    assert all(w.code != "asked_as" for w in judge(own, world_book("capital of Gahna")).warnings)
