"""Denials: they belong to a clause, two of them in two clauses do not cancel, and an opposite is one, too."""

from __future__ import annotations

import time

import pytest

from hds_cli.agent.support.attribution import attribute
from hds_cli.agent.support.denying import stand
from hds_cli.types import GOOD_LEVELS, Passage, Support


def graded(message: str, page: str, *, query: str = "", title: str = "") -> tuple[Support, ...]:
    return attribute(message, query, [(query, Passage(url="https://p.example", title=title, text=page, n=1))])


@pytest.mark.parametrize(
    ("page", "said", "denied"),
    [
        ("The AquaLinn is a filter. It does not remove bacteria or viruses, and it does not remove nitrate.",
         "The AquaLinn does not remove bacteria and viruses.", "The AquaLinn removes bacteria and viruses."),
        ("The cats given Renavita did not live longer: the study saw a difference that was not significant.",
         "The cats given Renavita did not live longer.", "The cats given Renavita lived longer."),
        ("The card is valid on buses, trams and ferries, but not on trains of the mountain railway.",
         "The card is valid on buses, trams and ferries.", "The card is valid on trains of the mountain railway."),
        ("The board refused the plan for the new bridge in March.",
         "In March the board refused the plan for the new bridge.", "In March the board accepted the plan for the new bridge."),
        ("Take the tablet after the evening meal with water.",
         "The tablet is taken after the evening meal.", "Take the tablet before the evening meal."),
        ("The backup is enabled by default on new machines.",
         "On new machines the backup is enabled by default.", "On new machines the backup is disabled by default."),
        ("Visitors may not bring dogs into the garden, and the café is not open in winter.",
         "Visitors may not bring dogs into the garden.", "Visitors may bring dogs into the garden."),
        ("Loans can be renewed twice, but not if the book is reserved.",
         "Loans can be renewed twice.", "Loans can be renewed twice if the book is reserved."),
        ("The reading room in Hull is closed on Mondays.",
         "The reading room in Hull is not open on Mondays.", "The reading room in Hull is open on Mondays."),
        ("Tern Island lies in the bay of Hull, east of the Skerries.",
         "Tern Island lies east of the Skerries.", "Tern Island lies west of the Skerries."),
        ("Vesna Kolar won the election in Hull by a narrow margin.",
         "Vesna Kolar won the election by a narrow margin.", "Vesna Kolar won the election by a wide margin."),
        ("Each of the thirteen parishes of Hull formed a council of its own.",
         "Each of the thirteen parishes formed a council.", "Only few of the thirteen parishes formed a council."),
        ("Nobody under 16 may use the archive in Hull.",
         "Nobody under 16 may use the archive in Hull.", "Everybody under 16 may use the archive in Hull."),
        ("Der Filter entfernt keine Bakterien oder Viren, und er entfernt kein Nitrat.",
         "Der Filter entfernt keine Bakterien oder Viren.", "Der Filter entfernt Bakterien und Viren."),
        ("Das Grillen ist im Park am See verboten.", "Im Park am See ist das Grillen verboten.", "Im Park am See ist das Grillen erlaubt."),
        ("Le conseil a refusé le projet du nouveau pont.", "Le conseil a refusé le projet du nouveau pont.",
         "Le conseil a accepté le projet du nouveau pont."),
        ("El comité rechazó la solicitud del museo.", "El comité rechazó la solicitud del museo.",
         "El comité aceptó la solicitud del museo."),
    ],
)  # fmt: skip
def test_what_a_clause_denies_is_no_ground_for_the_contrary(page: str, said: str, denied: str) -> None:
    """The sentence is a ground for what it says, and none for what one of its clauses denies."""
    assert all(s.level in GOOD_LEVELS for s in graded(said, page)), graded(said, page)
    assert all(s.level not in GOOD_LEVELS for s in graded(denied, page)), graded(denied, page)


@pytest.mark.parametrize(
    ("claim", "sentence"),
    [
        ("He lives in Rome.", "He is not British, and he lives in Rome."), ("It removes chlorine.", "It removes chlorine, but no nitrate."),
        ("The plan was not accepted by the board.", "The board refused the plan."), ("It can be booked.", "It can be booked without a fee."),
        ("It was opened in 1950.", "It was not opened until 1950."), ("Prices rose in 1990.", "Prices rose in 1990, but prices fell in 1991."),
        ("The concert took place after the war.", "The concert took place after the war, not before the war."),
    ],
)  # fmt: skip
def test_a_denial_in_another_clause_denies_nothing(claim: str, sentence: str) -> None:
    """What is denied beside a claim leaves it as it is."""
    assert not stand(claim, sentence).denies


def test_the_sentence_that_denies_is_shown() -> None:
    """A claim that a sentence with its name denies is contradicted, with that sentence."""
    page = "The Belmont Bridge opened in 1951. The Belmont Bridge is not open to heavy lorries, and it has no toll."
    (support,) = graded("The Belmont Bridge is open to heavy lorries.", page)
    assert support.level == "contradicted"
    assert "not open to heavy lorries" in support.quotes[0].quote


def test_a_yes_to_what_the_page_denies_is_contradicted() -> None:
    """A yes rests on the other parts of the answer only where they do not say no."""
    page = "The AquaLinn 3 is a filter. The AquaLinn 3 does not remove viruses. The AquaLinn 3 removes chlorine."
    asked = "Does the AquaLinn 3 remove viruses?"
    for yes in ("Yes", "Yes, it removes viruses."):
        assert graded(f"{yes}\n\nThe AquaLinn 3 does not remove viruses.", page, query=asked)[0].level == "contradicted"
    assert graded("No\n\nThe AquaLinn 3 does not remove viruses.", page, query=asked)[0].level == "computed"
    chlorine = "Does the AquaLinn 3 remove chlorine?"
    assert graded("Yes\n\nThe AquaLinn 3 removes chlorine.", page, query=chlorine)[0].level == "computed"


def test_long_sentences_are_compared_in_bounded_time() -> None:
    """Thousands of clauses and denials in a claim and a sentence."""
    for piece in ("not ", "no, ", "a or ", "refused not, ", "neither nor ", ";", "( "):
        started = time.process_time()
        stand(piece * 3_000, piece * 4_000)
        assert time.process_time() - started < 2, piece


@pytest.mark.parametrize(
    ("claim", "sentence", "good"),
    [
        (
            "Renavita may be given together with meloxicam.",
            "Do not give Renavita together with pain-killers of that group (for example meloxicam) unless a vet says so.",
            False,
        ),
        ("All three filters removed the germs.", "None of the three filters removed the germs.", False),
        ("None of the three filters removed the germs.", "None of the three filters removed the germs.", True),
        (
            "The Duo was the only jug whose lid did not leak.",
            "The Duo was the only jug whose lid leaked. It was not dear.",
            False,
        ),
        (
            "Harbours that paid do not keep the old price until their year ends.",
            "Harbours that paid keep the old price until their year ends.",
            False,
        ),
        ("The tunnel was not opened until 1950.", "The tunnel was opened in 1950.", True),
        ("The tunnel was opened in 1950.", "The tunnel was not opened until 1950.", True),
        (
            "The gallery opened in 1950 and did not close in the war.",
            "The gallery opened in 1950. It did not close in the war.",
            True,
        ),
    ],
)
def test_what_a_denial_reaches(claim: str, sentence: str, good: bool) -> None:
    """Its examples in brackets, what stands behind `none of`, no sentence beside it, and `until` where both have it."""
    passage = Passage("https://example.org/a", "Notes", sentence, n=1)
    (support,) = attribute(claim, "", [("", passage)])
    assert (support.level in GOOD_LEVELS) is good, support
