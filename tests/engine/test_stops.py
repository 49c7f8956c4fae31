"""When a model's text ends without its saying so."""

from __future__ import annotations

import pytest

from hds_cli.engine.llama.stops import repeats


@pytest.mark.parametrize(
    ("text", "looping"),
    [
        ("Austria and " * 6, True),
        ("It borders " + "Slovakia 49,037; " * 8, True),
        ("Austria and " * 5, False),
        ("Austria and " * 9 + "Italy", False),
        ("capital of Norway;\ncapital of Sweden;\ncapital of Finland;\ncapital of Peru;\ncapital of Chad;\ncapital of Mali", False),
        ("| name | figure |\n|" + "-" * 300, False),
        (" " * 400, False),
        ("| 0.00 | 0.00 | 0.00 |\n", False),
    ],
)  # fmt: skip
def test_repeating_is_told_from_lists_and_rules(text: str, looping: bool) -> None:
    assert repeats(text) is looping


def test_a_long_text_is_looked_at_only_at_its_end() -> None:
    """What was repeated before and was gone on from is no loop."""
    assert not repeats("again and " * 50 + "then it went on to something else entirely, as a text does. " * 2)
