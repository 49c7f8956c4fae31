"""The ledger of a run, wherever a run is shown: tree, lines, JSON, Markdown, HTML, Word."""

from __future__ import annotations

import io
import json

import pytest

from hds_cli import events as e
from hds_cli.render.document import RunDocument
from hds_cli.render.html import to_html
from hds_cli.render.markdown import to_markdown
from hds_cli.render.plain import PlainLines
from hds_cli.render.tree import View, tree_lines
from hds_cli.run_state import RunState
from hds_cli.types import Condition

from .sample import ending, first_turn, second_turn

BORDER, PEAK, TONGUE = "borders <Austria>", "has a peak over 4000 m", "speaks *three* languages"
FIRST = e.LedgerUpdated(t=0.9, turn=1, conditions=(BORDER, PEAK, TONGUE))
LAST = e.LedgerUpdated(
    t=2.45, turn=2, conditions=(BORDER, PEAK, TONGUE), candidate="Italy", by="model",
    rows=(
        Condition(BORDER, "verified", "Italy borders Austria", "https://it.example/", "Italy"),
        Condition(PEAK, "refuted", "a peak of 504 m", "https://de.example/", "Germany"),
        Condition(TONGUE, "assumed", "It speaks three.", "", "Italy"),
    ),
)  # fmt: skip
RUN = [*first_turn(), FIRST, *second_turn(), LAST, *ending()]


def document() -> RunDocument:
    whole = RunDocument()
    for event in RUN:
        whole.handle(e.from_dict(json.loads(e.line(event))))
    return whole


def test_the_last_ledger_stands_for_the_candidate_that_was_answered() -> None:
    """What is known of another candidate is not in it; a condition of which nothing is known is unchecked."""
    rows = document().to_dict()["ledger"]
    assert [(row["state"], row["quote"], row["url"]) for row in rows] == [
        ("verified", "Italy borders Austria", "https://it.example/"), ("unchecked", None, None),
        ("assumed", "It speaks three.", None),
    ]  # fmt: skip
    assert {row["candidate"] for row in rows} == {"Italy"}
    assert RunDocument().to_dict()["ledger"] == []


def test_the_tree_folds_what_is_verified_first() -> None:
    """All conditions with room, the open ones with less, the counts alone with none."""
    state = RunState.of(RUN)
    whole = [line.plain for line in tree_lines(state, View(80, live=False))]
    place = next(n for n, line in enumerate(whole) if "1 of 3 conditions verified (Italy)" in line)
    assert [line.split()[-1] for line in whole[place + 1 : place + 4]] == ["verified", "open", "assumed"]
    assert "<Austria>" in whole[place + 1]
    folded = [line.plain for line in tree_lines(state, View(80, height=14, live=False))]
    assert not any("<Austria>" in line for line in folded)
    assert any("1 of 3 conditions verified" in line for line in folded)
    assert not any("conditions" in line.plain for line in tree_lines(RunState.of(first_turn()), View(80)))


@pytest.mark.parametrize(
    ("render", "row"), [(to_markdown, "borders &lt;Austria>"), (to_html, "borders &lt;Austria&gt;")]
)
def test_documents_have_a_table_of_it(render: object, row: str) -> None:
    """Text of the question stays text."""
    page = render(document())  # type: ignore[operator]
    assert "1 of 3 conditions verified (Italy)" in page.replace("\\", "")
    assert row in page
    assert "Italy borders Austria" in page


def test_plain_lines_and_word_name_what_is_open() -> None:
    """One line a turn; a list in the document."""
    out = io.StringIO()
    lines = PlainLines(out)
    for event in RUN:
        lines.handle(event)
    assert f"1 of 3 conditions verified (Italy); open: {PEAK}; assumed: {TONGUE}" in out.getvalue()
    docx = pytest.importorskip("docx", reason="python-docx is not installed (extra docx)")
    from hds_cli.render.word import to_docx

    texts = [paragraph.text for paragraph in docx.Document(io.BytesIO(to_docx(document()))).paragraphs]
    assert f"open: {PEAK}" in texts
