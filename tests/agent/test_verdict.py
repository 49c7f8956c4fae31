"""What becomes of what a model wrote: it is shown and graded (`mark`), or refused where no page supports it (`refuse`)."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from hds_cli.agent.dialects import Written
from hds_cli.agent.evidence import Evidence
from hds_cli.agent.notebook import Notebook
from hds_cli.agent.support.lists import lacking
from hds_cli.agent.verdict import mark, policy, refuse
from hds_cli.plugins import PluginError
from hds_cli.types import Page, Passage

SWITZERLAND = ("Switzerland", "Switzerland is a country in central Europe. The capital of Switzerland is Bern.")
POLAND = (
    "Poland",
    "Poland borders Germany. The capital of Poland is Warsaw. Exports go to Germany, Switzerland and France.",
)
HARBOUR = ("Kelmar", "Kelmar is a port town. In 2021 it had 2,500,000 inhabitants. The pier is 142 metres long.")


def book(question: str, *pages: tuple[str, str], queries: Sequence[str] = ("q",)) -> Notebook:
    """A notebook whose run has read one passage of each page, the n-th under the number n."""
    stored = {f"https://p{n}.example": Page(f"https://p{n}.example", text=text) for n, (_, text) in enumerate(pages, 1)}
    made = Notebook(question, Evidence(question, len), stored.get)
    for n, (title, text) in enumerate(pages, 1):
        made.note(queries[(n - 1) % len(queries)], [Passage(f"https://p{n}.example", title, text, n)])
    return made


def said(message: str, answer: str | None = None, *, gave_up: bool = False) -> Written:
    return Written("", (), message if answer is None else answer, message, message=message, gave_up=gave_up)


def test_a_message_is_shown_with_its_grades_and_its_sources_in_its_own_order() -> None:
    """Sources are numbered from 1 as they stand in the text; each knows the passage that it is in the run."""
    message = "The capital of Poland is Warsaw [2]. The capital of Switzerland is Bern [1].\n\n\\boxed{\\text{Warsaw}}"
    verdict = mark(said(message), book("Capitals?", SWITZERLAND, POLAND))
    assert (verdict.status, verdict.exit_code, verdict.answer) == ("answered", 0, "Warsaw")
    assert verdict.text == "The capital of Poland is Warsaw [1]. The capital of Switzerland is Bern [2].\n\nWarsaw"
    assert [(c.n, c.passage, c.title, c.verified) for c in verdict.citations] == [
        (1, 2, "Poland", True),
        (2, 1, "Switzerland", True),
    ]
    assert [(s.level, s.marks) for s in verdict.support] == [("quoted", (1,)), ("quoted", (2,)), ("quoted", ())]


def test_a_weak_part_is_shown_and_named() -> None:
    """What no page says does not hide the rest: exit 0, and the value is named."""
    verdict = mark(said("The pier is 142 m long [1]. It cost 7,000 crowns [1]."), book("Pier?", HARBOUR))
    assert (verdict.exit_code, verdict.unsupported) == (0, ("It cost 7,000 crowns.",))
    assert [w.message for w in verdict.warnings] == ["no page says: 7,000 crowns"]


def test_a_source_that_does_not_say_it_is_shown_by_its_nearest_words() -> None:
    """Not by how its passage begins, which shares nothing with what it was named for."""
    verdict = mark(said("Bern is the capital of Switzerland [1]. The pier cost 7,000 crowns [2]."),
                   book("Pier?", SWITZERLAND, HARBOUR))  # fmt: skip
    assert [c.quote for c in verdict.citations] == [
        "The capital of Switzerland is Bern.", "The pier is 142 metres long.",
    ]  # fmt: skip
    assert all(citation.verified for citation in verdict.citations)


def test_a_mark_of_no_passage_is_removed_and_told() -> None:
    """`[9]`, which was never read, is in no source and not in the text."""
    verdict = mark(said("The pier is 142 m long [9]."), book("Pier?", HARBOUR))
    assert verdict.text == "The pier is 142 m long."
    assert verdict.warnings[0].code == "citation_removed"


@pytest.mark.parametrize(
    "message", ["It had 500,000 inhabitants.", "The mayor is Ludmila Harrach [1].", "Somebody did something."]
)
def test_no_ground_at_all_is_no_answer_but_the_text_is_kept(message: str) -> None:
    """No unit has any ground: exit 3, and what was written stays in `text`."""
    verdict = mark(said(message), book("Inhabitants?", HARBOUR, queries=["Kelmar inhabitants"]))
    assert (verdict.status, verdict.exit_code, verdict.answer) == ("unanswered", 3, None)
    assert verdict.text


def test_what_the_model_says_of_its_failure_is_kept() -> None:
    """A model that found nothing is no answer; its reason is shown."""
    verdict = mark(said("The pages do not say when it was built.", "not found", gave_up=True), book("When?", HARBOUR))
    assert (verdict.exit_code, verdict.reason, verdict.text) == (
        3,
        "not_found",
        "The pages do not say when it was built.",
    )


def test_nothing_read_is_no_answer() -> None:
    """Without any passage there is no ground."""
    assert mark(said("Bern."), book("Capital?")).reason == "no_evidence"


def test_a_stopped_run_says_that_it_is_partial() -> None:
    """Exit 6, with what was written."""
    verdict = mark(said("The pier is 142 m long [1]."), book("Pier?", HARBOUR), "timeout")
    assert (verdict.status, verdict.exit_code, verdict.reason) == ("partial", 6, "timeout")
    assert verdict.answer


def test_a_page_that_led_to_the_others_is_listed_last() -> None:
    """The page that names what was asked for later is a source of its own kind."""
    pages = (("Borders of Austria", "Austria borders Switzerland."), SWITZERLAND)
    asked = ["countries that border Austria", "capital of Switzerland"]
    verdict = mark(
        said("The capital of Switzerland is Bern [2]."), book("Capitals around Austria?", *pages, queries=asked)
    )
    assert [(c.n, c.title, c.led_to) for c in verdict.citations] == [
        (1, "Switzerland", False),
        (2, "Borders of Austria", True),
    ]


def test_a_list_says_what_it_lacks() -> None:
    """Names of the question, or of queries of one pattern, that an answer of several does not mention."""
    question = "What are the capitals of Kenya, Ghana, Nepal and Fiji?"
    assert lacking("Kenya: Nairobi; Ghana: Accra; Fiji: Suva", question, []) == (4, ["Nepal"])
    assert lacking(
        "Peru: Lima, Austria: Vienna", "Capitals?", ["Peru capital", "Chile capital", "Austria capital"]
    ) == (3, ["Chile"])
    assert lacking("Kenya", "Which of Kenya, Ghana, Nepal and Fiji is largest?", []) is None


def test_the_policy_is_chosen_by_name() -> None:
    """`refuse` for the model that was made for it, `mark` for every other."""
    assert policy("refuse") is refuse
    assert policy(None) is policy("mark") is mark


def test_refuse_shows_no_answer_that_no_page_supports() -> None:
    """A part with a ground beside it does not help an answer that has none; the message stays to be looked at."""
    read = book("How long is the pier?", HARBOUR)
    wrong = refuse(said("The pier stands in Kelmar [1].\n\n\\boxed{977 m}", "977 m"), read)
    assert (wrong.status, wrong.exit_code, wrong.reason, wrong.answer) == ("unanswered", 3, "unsupported", None)
    assert "977 m" in (wrong.text or "")
    right = refuse(said("The pier is 142 m long [1].\n\n\\boxed{142 m}", "142 m"), read)
    assert (right.exit_code, right.answer) == (0, "142 m")


def test_a_policy_that_nobody_has_is_an_error() -> None:
    """The name is given, and where the known ones are listed."""
    with pytest.raises(PluginError, match="strict"):
        policy("strict")


@pytest.mark.parametrize(
    "absent",
    [
        "The pages do not say when the Zaltbrug bridge was built.",
        "No source mentions a price.",
        "Die Seiten nennen keinen Preis.",
        "Les pages ne disent pas quand le pont fut construit.",
        "The passages give no number of inhabitants for 2024.",
    ],
)
def test_what_the_pages_do_not_say_is_no_claim_without_a_source(absent: str) -> None:
    """It is no part of what is graded; by itself it is no answer."""
    question = "How long is the pier, and how many lived there in 2024?"
    verdict = mark(said(f"The pier is 142 metres long [1]. {absent}"), book(question, HARBOUR))
    assert [s.level for s in verdict.support] == ["quoted"]
    assert (verdict.exit_code, verdict.warnings) == (0, ())
    alone = mark(said(absent), book(question, HARBOUR))
    assert (alone.status, alone.reason, alone.answer) == ("unanswered", "not_found", None)


@pytest.mark.parametrize(
    ("claim", "level"),
    [
        ("The pages do not say it, but the pier was built in 1871.", "missing"),
        ("No page says that 9,999 ships landed.", "missing"),
        ("The pier is not 142 metres long.", "unsourced"),
    ],
)
def test_a_claim_beside_what_is_not_said_is_judged(claim: str, level: str) -> None:
    """One that turns, one with a value of its own, one that only negates."""
    verdict = mark(said(f"Kelmar is a port town [1]. {claim}"), book("What of the pier?", HARBOUR))
    assert verdict.support[1].level == level


def test_a_mark_of_the_wrong_passage_names_the_right_one() -> None:
    """The grade stays, the text and the sources name the passage that says it, and the reader is told."""
    message = "The capital of Poland is Warsaw [1][9]. The capital of Switzerland is Bern [1]."
    verdict = mark(said(message), book("Capitals?", SWITZERLAND, POLAND))
    assert verdict.text == "The capital of Poland is Warsaw [1]. The capital of Switzerland is Bern [2]."
    assert [(c.n, c.title) for c in verdict.citations] == [(1, "Poland"), (2, "Switzerland")]
    assert [(s.level, s.marks) for s in verdict.support] == [("quoted", (1,)), ("quoted", (2,))]
    assert ("citation_corrected", "Poland says what Switzerland was named for") in [
        (w.code, w.message) for w in verdict.warnings
    ]


def test_a_mark_that_is_right_or_that_nothing_says_stays() -> None:
    """Only what another passage says word for word is put right."""
    message = "Warsaw is the capital of Poland [2]. The capital of Switzerland is Oslo [2]."
    verdict = mark(said(message), book("Capitals?", SWITZERLAND, POLAND))
    assert verdict.text == message.replace("[2]", "[1]")
    assert "citation_corrected" not in [w.code for w in verdict.warnings]


def test_a_headline_that_a_quoted_sentence_states_has_its_ground() -> None:
    """`1873` alone has no word of the question; the sentence below it says what it is."""
    kansas = ("University of Kansas", "Its school was founded in 1891, although degrees were awarded as early as 1873.")
    message = "\\boxed{1873}\n\nDegrees were awarded as early as 1873 [1]."
    verdict = mark(said(message, "1873"), book("When did it start issuing them?", kansas))
    assert [s.level for s in verdict.support] == ["quoted", "quoted"]
