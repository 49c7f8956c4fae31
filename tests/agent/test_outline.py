"""The outline of a report, and what the model of a section is told: numbers and orders that fit the case."""

from __future__ import annotations

import pytest

from hds_cli.agent.aside import Aside
from hds_cli.agent.outline import briefs, outlined
from hds_cli.types import Section


class Told(Aside):
    """A model that plans nothing, and keeps what it was told."""

    def __init__(self) -> None:
        self.system = ""

    def ask(self, system: str, task: str, *args: object, **options: object) -> str:
        self.system = system
        return ""


@pytest.mark.parametrize(
    ("most", "order"),
    [
        (1, "Write 1 section, on one line:"),
        (2, "Write 2 sections, one a line:"),
        (3, "Write 3 sections, one a line:"),
        (6, "Write 3 to 6 sections, one a line:"),
    ],
)
def test_a_number_of_sections_is_no_range_of_one(most: int, order: str) -> None:
    """`2 sections`, never `2 to 2`."""
    model = Told()
    outlined(model, "What is Narvik like?", [], most, "de")
    assert order in model.system
    assert ("none says what another does" in model.system) == (most > 1)


def test_a_section_alone_hears_of_no_others() -> None:
    """And an answer that nothing was found keeps the line by which it is known."""
    one, *_ = briefs("What is Narvik like?", [Section("Harbour", "How is the harbour?")])
    assert "other sections" not in one
    assert 'no line "Answer:" unless nothing was found' in one
    two = briefs("What is Narvik like?", [Section("Harbour", "How?"), Section("Fjord", "Which?")])
    assert "The other sections are written elsewhere: Fjord. Write this one alone" in two[0]
