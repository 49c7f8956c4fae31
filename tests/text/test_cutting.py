"""Cutting pages: nothing is dropped, borders are kept, sizes hold."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hds_cli.text import Cut, cut_passages, sentences, size_of, statements
from hds_cli.text.cutting import behind, surroundings

PROSE = " ".join(f"Sentence number {n} tells of the harbour and its {n} boats." for n in range(200))
UNBROKEN = {
    "list": "\n".join(f"berth{n} lies at quay {n % 7} and takes ships of class {n % 5}" for n in range(300)),
    "log": "\n".join(f"2024-05-01T10:{n % 60:02} INFO worker={n} job le{n} done" for n in range(400)),
    "json": "\n".join(f"parts[{n}].code: jc{n}" for n in range(400)),
    "deed": "Whereas " + ", and whereas ".join(f"clause number{n} binds the heirs" for n in range(200)) + " hereby",
    "chinese": "".join(f"第{n}号泊位长{n}米，" for n in range(600)),
    "thai": "".join(f"ท่าเรือหมายเลข{n}ยาว{n}เมตร" for n in range(400)),
    "base64": "QUJD" * 5000,
    "one line": " ".join(f"token{n}" for n in range(3000)),
}


def bare(text: str) -> str:
    return re.sub(r"[\s…#]+", "", text)


def whole(text: str, cuts: list[Cut]) -> str:
    return "".join(bare(cut.heading) + bare(cut.text) for cut in cuts)


@pytest.mark.parametrize("name", UNBROKEN)
@pytest.mark.parametrize("most", [90, 250])
def test_a_text_without_borders_is_cut_and_none_of_it_is_lost(name: str, most: int) -> None:
    """Whatever the text: all of it is in some passage, in order, and no passage is too long."""
    text = UNBROKEN[name]
    cuts = list(cut_passages(text, most))
    assert "".join(bare(cut.text) for cut in cuts) == bare(text)
    assert all(size_of(cut.text.strip("… ")) <= most for cut in cuts)
    assert len(cuts) > 3


@given(st.text("ab c.\n#|-*漢ก\u0e31é\u0301!`1:", max_size=300), st.integers(1, 12), st.integers(0, 8))
def test_nothing_is_dropped(text: str, most: int, least: int) -> None:
    """Every character that is no blank or markup of a heading is in a passage; in order."""
    cuts = list(cut_passages(text, most, least))
    letters = iter("".join(bare(cut.heading + cut.text) for cut in cuts))
    assert all(char in letters for char in bare(text))


@given(st.text("ab c.\n#|-*漢é!`", max_size=300), st.integers(1, 12))
def test_a_passage_stands_in_its_page_as_it_is(text: str, most: int) -> None:
    """Line breaks, rows and code are as the page has them; `start` says where."""
    for cut in cut_passages(text, most):
        body = cut.text.removeprefix("… ").removesuffix(" …")
        assert text.startswith(body, cut.start)


def test_passages_are_of_the_size_that_is_asked_for() -> None:
    """Between three fifths of it and all of it, where the page is long enough."""
    page = "\n\n".join(f"## Part {n}\n\n{PROSE[: 300 + 40 * n]}" for n in range(20))
    sizes = [size_of(cut.text) for cut in cut_passages(page, 250, 150)]
    assert all(120 <= size <= 250 for size in sizes[:-1]), sizes


def test_passages_end_where_sentences_do() -> None:
    """And none of them is marked as cut."""
    cuts = list(cut_passages(PROSE, 100))
    assert all(cut.text.endswith(".") and "…" not in cut.text for cut in cuts)


def test_a_cut_inside_a_sentence_is_marked() -> None:
    """By `…` on both sides of it."""
    first, *_, last = cut_passages(UNBROKEN["one line"], 100)
    assert (first.text[0], first.text[-2:], last.text[:2], last.text[-1]) == ("t", " …", "… ", "9")


def test_line_breaks_of_code_and_tables_are_kept() -> None:
    """A function and a table read as they were written; a comment in code is no heading."""
    code = "Use it so:\n\n```python\n# add them\ndef add(a, b):\n    return a + b\n```\n\n| planet | days |\n|---|---|\n| Mars | 687 |"
    (cut,) = cut_passages(code, 250)
    assert (cut.heading, cut.text) == ("", code)
    assert cut.sentences[-2:] == ("planet: days", "Mars: 687")


def test_a_section_is_told_by_its_heading() -> None:
    """One heading stands beside the text; a heading without a text of its own stays in the text of the next."""
    cuts = list(cut_passages("Lead.\n\n## Geology\n\n### Age\n\nIt is old.\n\n## Use\n\nMuch."))
    assert [(cut.heading, cut.text) for cut in cuts] == [
        ("", "Lead."),
        ("Age", "## Geology\n\n### Age\n\nIt is old."),
        ("Use", "Much."),
    ]


def test_small_sections_share_a_passage_where_that_is_asked_for() -> None:
    """Their headings stand inside of it."""
    (cut,) = cut_passages("## Birth\n\n1 May 1901.\n\n## Death\n\n3 June 1980.", 250, 150)
    assert (cut.heading, cut.text) == ("Birth", "1 May 1901.\n\n## Death\n\n3 June 1980.")


def test_a_long_heading_is_not_copied_into_every_passage() -> None:
    """What is stored grows with the text: a line of 300 kB is text, whatever stands before it."""
    text = "# " + "x " * 150_000 + "\n\n" + "\n\n".join(f"Paragraph {n} says little." for n in range(3000))
    cuts = list(cut_passages(text))
    assert sum(len(cut.heading) + len(cut.text) for cut in cuts) < 1.2 * len(text)


def test_wrapped_prose_is_one_sentence_and_a_list_is_many() -> None:
    """Line breaks count where lines did not end for want of room."""
    wrapped = "The keeper of the old lighthouse on the cape walked down\nto the village every morning before the sun rose\nover the bay."
    assert list(statements(wrapped)) == [" ".join(wrapped.split())]
    assert list(statements("Copper 1085\nTin 232\nLead 327")) == ["Copper 1085", "Tin 232", "Lead 327"]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("He went to St. John's. It rained.", 2),
        ("А. С. Пушкин родился в Москве. Он умер в 1837 году.", 2),
        ("本船は三月に着いた。次は四月だ。", 2),
        ("वह दिल्ली गया। वर्षा हुई।", 2),
        ("هل وصل القارب؟ نعم وصل.", 2),
        ("J. R. R. Tolkien wrote it.", 1),
    ],
)
def test_sentences_end_as_their_script_has_it(text: str, number: int) -> None:
    """Full stops of other scripts end sentences, initials do not."""
    assert len(sentences(text)) == number


FLEET = "# Fleet\n\nAll boats of the company.\n\n| Boat | Seats | Built |\n|:---|---:|---|\n" + "".join(
    f"| Swan {n} | {40 + n} | {1950 + n} |\n" for n in range(60)
)


def test_a_passage_that_begins_within_a_table_names_the_columns() -> None:
    """The row of names and its rule stand above the rows, once; where the rows begin is told without them."""
    first, *others = cut_passages(f"{FLEET}\nThe ferry is green.", 80, 48)
    assert first.text.count("| Boat | Seats | Built |") == 1
    assert len(others) > 2
    for cut in others:
        lines = cut.text.split("\n")
        assert lines[:2] == ["| Boat | Seats | Built |", "|:---|---:|---|"]
        assert FLEET[cut.start :].startswith(lines[2])
        assert cut.text.count("Boat") == 1
    assert sum(cut.text.count("| Swan ") for cut in (first, *others)) == 60


def test_rows_without_names_of_columns_are_given_none() -> None:
    """A table without a rule, one behind another, and names that would fill the passage are left as they are."""
    bare = "\n".join(f"| Swan {n} | {40 + n} |" for n in range(60))
    assert all("Swan 0 " not in cut.text for cut in list(cut_passages(bare, 60))[1:])
    wide = "| " + " | ".join(f"name{n}" for n in range(40)) + " |\n|---|\n" + bare
    assert all("name1 " not in cut.text for cut in list(cut_passages(wide, 60))[1:])
    two = FLEET + "\n| Crew | Age |\n|---|---|\n" + bare
    last = list(cut_passages(two, 60))[-1].text
    assert last.startswith("| Crew | Age |\n|---|---|\n| Swan ")
    assert "Seats" not in last


def test_cutting_a_long_table_is_linear() -> None:
    """With names of columns, without, and with a rule in every row."""
    for row in ("| a | 1 |\n", "|---|---|\n", "| a\n"):
        list(cut_passages("| N | M |\n" + row * 1_000, 60))
        started = time.process_time()
        list(cut_passages("| N | M |\n|---|---|\n" + row * 20_000, 60))
        assert time.process_time() - started < 3


def test_a_passage_below_columns_named_again_is_found_in_its_text() -> None:
    """Where it ends; not with names of columns that the text does not have."""
    *_, cut = cut_passages(FLEET, 80, 48)
    assert behind(FLEET, cut.text) == len(FLEET.rstrip())
    assert behind(FLEET, cut.text.replace("Seats", "Guns")) is None
    assert behind(FLEET, "All boats of") == FLEET.index(" the company")
    assert behind(FLEET, "| x |") is behind(FLEET, "no such words") is None


def test_a_quote_is_looked_for_where_its_passage_stands() -> None:
    """The stretch has the heading before the passage, begins and ends at a blank, and is short in a page of megabytes."""
    inside = "Harbour seals rest on the sandbanks at low tide."
    page = "filler words. " * 100_000 + f"\n\n## Haul-out\n\n{inside} Then they swim.\n" + "more filler. " * 100_000
    stretch = surroundings(page, f"… {inside} …")
    assert "## Haul-out" in stretch
    assert inside in stretch
    assert len(stretch) < 2000
    assert f" {stretch.split()[0]} " in page
    assert surroundings("a page", "not there") == "a page"
