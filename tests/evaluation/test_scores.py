"""The honest scores: punctuation and articles do not matter, a dictionary is compared pair by pair."""

from __future__ import annotations

import pytest

from hds_cli.evaluation.scores import fan_out, squad, within


def test_squad_ignores_articles_punctuation_and_case() -> None:
    """What `hds_compat` counts as wrong because of a comma is right here."""
    assert squad("The Paris, France.", ["paris france"]).em == 100
    assert squad("Paris, France", ["Paris"]).f1 == pytest.approx(66.667, abs=1e-3)


def test_an_answer_without_words_is_right_only_for_such_a_gold() -> None:
    """No division by zero, no score for nothing."""
    assert squad("", ["Paris"]).f1 == 0
    assert squad("Paris", []).f1 == 0


def test_a_dictionary_is_compared_pair_by_pair() -> None:
    """The order of the pairs does not matter, mixing up the values does."""
    gold = {"Pat Burrell": "Right", "Mark Mulder": "Left"}
    assert fan_out("Mark Mulder: Left; Pat Burrell: Right", gold).pairs == 100
    swapped = fan_out("Mark Mulder: Right; Pat Burrell: Left", gold)
    assert swapped.pairs == 0
    assert swapped.strict == 100  # which is why the pairs are looked at
    assert fan_out("Mark Mulder: Left", gold).loose == 50


def test_a_list_is_loose_by_its_share_and_strict_only_whole() -> None:
    """Whole words only: `Chad` is not in `Chadwick`."""
    found = fan_out("Chadwick and Peru", ["Chad", "Peru"])
    assert (found.loose, found.strict, found.pairs) == (50, 0, None)


def test_a_number_within_the_tolerance_is_right() -> None:
    """A sum of rounded figures need not be the gold figure to the digit."""
    assert within("about 1,005 km", ["1000 km"], 0.01)
    assert not within("1,020", ["1000"], 0.01)
    assert not within("unknown", ["1000"], 0.01)
