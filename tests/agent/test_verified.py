"""What a verifier makes of the grades of an answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from hds_cli.agent.methods.verified import Verified
from hds_cli.agent.verdict import Verdict, mark, refuse
from hds_cli.agent.verifying import MOST_PAIRS, Odds, Text, self_contained
from hds_cli.errors import ModelMissing, ModelUnusable
from hds_cli.types import Citation
from tests.agent.test_verdict import HARBOUR, POLAND, SWITZERLAND, book, said

YES, NO, UNSURE = Odds(0.95, 0.02, 0.03), Odds(0.03, 0.94, 0.03), Odds(0.4, 0.3, 0.3)
WEAK = "Bern is where the Swiss parliament meets [1]."


class Fake:
    """Says the same of every pair, or what a rule says; counts what it was asked."""

    sure_supported = sure_contradicted = 0.8

    def __init__(self, odds: Odds | Callable[[Text, str], Odds | None] | None) -> None:
        self._odds = odds
        self.asked: list[tuple[Text, str]] = []

    def verify(
        self, passages: Sequence[Text], claims: Sequence[Sequence[str]], late: Callable[[], bool]
    ) -> list[list[Odds | None]]:
        self.asked += [(text, claim) for text, of in zip(passages, claims, strict=True) for claim in of]
        said = self._odds if callable(self._odds) else lambda text, claim: self._odds
        return [[said(text, claim) for claim in of] for text, of in zip(passages, claims, strict=True)]

    def close(self) -> None: ...


def after(message: str, fake: Fake, *pages: tuple[str, str], question: str = "Capitals?") -> tuple[Verdict, Verdict]:
    """The verdict on a message before and after the verifier."""
    read = book(question, *(pages or (SWITZERLAND, POLAND)))
    before = mark(said(message), read)
    return before, Verified(lambda: fake).judged(before, read)


def test_a_unit_that_a_passage_says_in_other_words_is_verified() -> None:
    """With the sentence as its quote, its probability, and no word of warning left."""
    before, verdict = after(f"The capital of Poland is Warsaw [2]. {WEAK}", Fake(YES))
    assert [s.level for s in before.support] == ["quoted", "missing"]
    assert [(s.level, s.probability) for s in verdict.support] == [("quoted", None), ("verified", 0.95)]
    assert before.warnings
    assert not verdict.warnings
    assert not verdict.unsupported
    [quote] = verdict.support[1].quotes
    source = next(c for c in verdict.citations if c.n == quote.n)
    assert source.title == "Switzerland"
    assert quote.quote in SWITZERLAND[1]


def test_a_unit_that_a_passage_denies_is_contradicted() -> None:
    """It is shown as weak, with what the passage says."""
    _, verdict = after(f"The capital of Poland is Warsaw [2]. {WEAK}", Fake(NO))
    assert [s.level for s in verdict.support] == ["quoted", "contradicted"]
    assert verdict.support[1].quotes
    assert verdict.exit_code == 0
    assert verdict.support[1].probability == 0.03


def test_one_passage_that_says_it_outweighs_another_that_does_not() -> None:
    """Two people of one name stand on two pages."""
    _, verdict = after(WEAK, Fake(lambda text, claim: YES if text.title == "Switzerland" else NO))
    assert [s.level for s in verdict.support] == ["verified"]


def test_a_unit_stays_as_it_was_where_the_verifier_is_not_sure() -> None:
    """The probability is said all the same."""
    before, verdict = after(f"The capital of Poland is Warsaw [2]. {WEAK}", Fake(UNSURE))
    assert [s.level for s in verdict.support] == [s.level for s in before.support]
    assert verdict.support[1].probability == 0.4
    assert verdict.warnings == before.warnings


def test_a_number_that_stands_nowhere_is_not_verified() -> None:
    """Values are compared as values; a model that is sure of them changes nothing."""
    before, verdict = after("The pier is 142 m long [1]. It cost 7,000 crowns [1].", Fake(YES), HARBOUR)
    assert [s.level for s in verdict.support] == [s.level for s in before.support] == ["quoted", "missing"]


def test_nothing_is_opened_for_an_answer_that_is_proven() -> None:
    """Quoted and computed units are not asked about."""

    def opened() -> Fake:
        raise AssertionError("nothing is to be verified")

    read = book("Capitals?", SWITZERLAND, POLAND)
    before = mark(said("The capital of Poland is Warsaw [2]."), read)
    assert Verified(opened).judged(before, read) is before


def test_an_answer_that_was_withheld_is_shown_once_it_is_verified() -> None:
    """No unit had a ground; now one has."""
    before, verdict = after(WEAK, Fake(YES))
    assert (before.exit_code, before.reason, before.answer) == (3, "unsupported", None)
    assert (verdict.status, verdict.exit_code, verdict.reason) == ("answered", 0, None)
    assert verdict.answer is not None
    assert "parliament" in verdict.answer


def test_the_policy_refuse_stays_a_refusal() -> None:
    """What it hid stays hidden; the grades are told."""
    read = book("Capitals?", SWITZERLAND, POLAND)
    before = refuse(said(WEAK), read)
    verdict = Verified(lambda: Fake(YES)).judged(before, read)
    assert (verdict.exit_code, verdict.answer) == (before.exit_code, None) == (3, None)


def test_a_page_that_nothing_cited_becomes_a_source() -> None:
    """It is numbered behind the others, and its number stands nowhere else."""
    message = "The capital of Poland is Warsaw [2]. Bern is where the Swiss parliament meets."
    _, verdict = after(message, Fake(lambda text, claim: YES if text.title == "Switzerland" else UNSURE))
    assert [c.title for c in verdict.citations] == ["Poland", "Switzerland"]
    assert [c.n for c in verdict.citations] == [1, 2]
    assert [q.n for q in verdict.support[1].quotes] == [2]


def test_what_there_was_no_time_for_is_said() -> None:
    """The unit stays as it was; that it was the verifier's own time, and what sets it, is said with it."""
    read = book("Capitals?", SWITZERLAND, POLAND)
    before = mark(said(f"The capital of Poland is Warsaw [2]. {WEAK}"), read)
    verdict = Verified(lambda: Fake(None), 1e-9).judged(before, read)
    assert [s.level for s in verdict.support] == [s.level for s in before.support]
    told = "the verifier's own 1e-09 s were over (verify_timeout sets them)"
    assert [w.message for w in verdict.warnings][-1] == f"not verified: 1 of 1 parts, {told}"


@pytest.mark.parametrize("wanted", [True, False])
def test_a_verifier_that_is_not_installed_is_missed_only_by_who_asked_for_it(wanted: bool) -> None:
    """One that is broken is told to everybody."""

    def missing() -> Fake:
        raise ModelMissing("not installed")

    def broken() -> Fake:
        raise ModelUnusable("damaged")

    read = book("Capitals?", SWITZERLAND, POLAND)
    before = mark(said(f"The capital of Poland is Warsaw [2]. {WEAK}"), read)
    told = Verified(missing, wanted=wanted).judged(before, read).warnings[len(before.warnings) :]
    assert [w.message for w in told] == (["not verified: not installed"] if wanted else [])
    told = Verified(broken, wanted=wanted).judged(before, read).warnings[len(before.warnings) :]
    assert [w.message for w in told] == ["not verified: damaged"]


def test_a_short_answer_is_read_behind_its_question() -> None:
    """A sentence stands alone, unless it begins with a word for what the one before is about."""
    texts = ["Bern", "The capital is Bern.", "It lies on the Aare.", "Italy is near."]
    assert self_contained(texts, "What is the capital?") == [
        "What is the capital? Bern",
        "The capital is Bern.",
        "The capital is Bern. It lies on the Aare.",
        "Italy is near.",
    ]


def test_many_units_and_passages_are_a_bounded_number_of_pairs() -> None:
    """A long answer over many pages costs no more than the limit."""
    pages = [(f"Town {n}", f"Town {n} lies by the sea, and the people trade in fish and salt.") for n in range(60)]
    message = "\n\n".join(f"The folk of Town {n} sell herring to strangers." for n in range(400))
    fake = Fake(UNSURE)
    _, verdict = after(message, fake, *pages)
    assert 0 < len(fake.asked) <= MOST_PAIRS + 3
    assert [w.message for w in verdict.warnings][-1].endswith("parts, there is more to compare than it takes")
    assert all(len(text.text.split()) <= 260 for text, _ in fake.asked)


def test_the_likeliest_passage_is_read_first_and_ends_the_search() -> None:
    """Further ones only for a unit that it does not say; no passage is read twice."""
    pages = [(f"Page {n}", f"Bern has a bridge over the Aare, number {n}.") for n in range(4)]
    message = (
        "Folk cross the Aare in Bern on a bridge made of stone [2].\n\nTall towers rise beside the Aare in Bern [2]."
    )
    sure, unsure = Fake(YES), Fake(lambda text, claim: YES if "Tall" in claim else UNSURE)
    after(message, sure, *pages)
    after(message, unsure, *pages)
    assert [text.title for text, _ in sure.asked] == ["Page 1", "Page 1"]
    assert sorted(text.title for text, claim in unsure.asked if "Folk" in claim) != ["Page 1"]
    assert [text.title for text, claim in unsure.asked if "Tall" in claim] == ["Page 1"]
    assert len(set(unsure.asked)) == len(unsure.asked)


def test_a_source_that_only_led_to_others_becomes_one_that_a_part_rests_on() -> None:
    """It keeps its number."""
    read = book("Capitals?", SWITZERLAND, POLAND)
    before = mark(said(f"The capital of Poland is Warsaw [2]. {WEAK.replace(' [1]', '')}"), read)
    leading = Citation(2, "https://p1.example", "Switzerland", "q", True, None, 1, led_to=True)
    before = replace(before, citations=(*before.citations, leading))
    verdict = Verified(lambda: Fake(lambda text, claim: YES if text.title == "Switzerland" else UNSURE)).judged(
        before, read
    )
    assert [(c.n, c.led_to) for c in verdict.citations] == [(1, False), (2, False)]
