"""What is counted about a claim and a passage, and how it is weighed."""

from __future__ import annotations

import random
import time

import pytest

from hds_cli.agent.verifying import Text

facts = pytest.importorskip("hds_verify.facts")

PIER = Text(
    "Kelmar",
    "Kelmar built its pier in 1904, and the lighthouse of the town was built in 1921. The pier is 142 metres long. "
    "The pier is not open in winter. Anna Holt designed the lighthouse.",
)


@pytest.mark.parametrize(
    ("claim", "name", "count"),
    [
        ("The pier of Kelmar is 150 metres long.", "wrong", 1.0),
        ("The pier of Kelmar is 142 metres long.", "wrong", 0.0),
        ("The pier of Kelmar is more than 140 metres long.", "wrong", 0.0),
        ("The pier was built 17 years before the lighthouse.", "derived", 1.0),
        ("The pier was built 12 years before the lighthouse.", "derived", 0.0),
        ("The pier was built before the lighthouse.", "ordered", 1.0),
        ("The lighthouse was built before the pier.", "ordered", -1.0),
        ("The lighthouse was not built before the pier.", "ordered", 1.0),
        ("The pier was followed by the lighthouse.", "ordered", 1.0),
        ("The pier is nice.", "ordered", 0.0),
    ],
)
def test_each_fact_is_counted(claim: str, name: str, count: float) -> None:
    """By value and by direction; nothing is counted where there is nothing."""
    assert getattr(facts.Read(PIER).facts(claim), name) == count


def test_an_empty_passage_and_claim_have_no_facts() -> None:
    """Nor does a claim of signs alone."""
    for claim in ("", "…", "A"):
        assert set(facts.Read(Text("", "")).facts(claim)) == {0.0}


def test_facts_move_what_the_model_says_and_it_stays_a_probability() -> None:
    """The order of the labels is that of the logits."""
    logits = [2.0, 1.0, 0.5]
    read = facts.Read(PIER)
    right, wrong = (
        facts.weighed(logits, read.facts(f"The {one} was built before the {other}."))
        for one, other in (("pier", "lighthouse"), ("lighthouse", "pier"))
    )
    assert sum(right) == pytest.approx(1) == sum(wrong)
    assert right.supported > wrong.supported
    assert right.contradicted < wrong.contradicted


def test_hostile_texts_take_bounded_time() -> None:
    """Long runs of digits, capitals, comparisons and nothing else."""
    for piece in (
        "1900 ",
        "A",
        "before ",
        "more than ",
        "9" * 50 + ".",
        "three years ",
        "Aa bb. ",
        "(",
        "than a more ",
    ):
        text = piece * (2_000_000 // len(piece))
        begun = time.process_time()
        facts.Read(Text(text, text)).facts(text)
        assert time.process_time() - begun < 20


def test_turned_claims_differ_in_one_thing() -> None:
    """Another number, two names changed for each other, the other direction; an equal claim is never made."""
    turns = pytest.importorskip("hds_verify.training.turns")
    passage = "Anna Holt met Ida Brandt in 1904. The pier is 142 metres long. It is longer than the mole."

    def made(claim: str, label: str) -> list[tuple[str, str, str]]:
        return list(turns.turned(claim, label, passage, random.Random(1)))

    [(text, label, kind)] = made("The pier is 142 metres long.", "supported")
    assert (label, kind) == ("contradicted", "number")
    assert text.startswith("The pier is ")
    assert "142" not in text
    assert ("Ida Brandt painted Anna Holt.", "contradicted", "swap") in made(
        "Anna Holt painted Ida Brandt.", "supported"
    )
    assert made("Anna Holt and Ida Brandt were painters.", "supported") == []
    assert made("The pier was built after the mole.", "contradicted") == [
        ("The pier was built before the mole.", "supported", "order")
    ]
    assert made("Nothing is said of it.", "absent") == []


def test_fitted_weights_are_those_that_made_the_labels() -> None:
    """Labels drawn with known weights give them back; a model that knows nothing is not believed."""
    np = pytest.importorskip("numpy")
    fit = pytest.importorskip("hds_verify.training.fit")
    rng = np.random.default_rng(1)
    count, known = 4000, np.array([[2.0, -1.0, -1.0], [0.0, 1.0, -1.0]])
    counted = rng.integers(-1, 2, (count, 2)).astype(float)
    odds = np.exp(counted @ known)
    labels = np.eye(3)[[rng.choice(3, p=row / row.sum()) for row in odds]]
    alone = fit.weights(counted, labels)
    assert np.abs(alone - known).max() < 0.3
    noise = np.log(rng.dirichlet([1.0, 1.0, 1.0], count))
    trust, *_, share = fit.beliefs(noise, counted @ alone, labels)
    assert abs(trust) < 0.1
    assert abs(share - 1) < 0.1
