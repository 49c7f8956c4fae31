"""A message is its text, its headline and its units."""

import time

import pytest

from hds_cli.agent.support.message import in_order, message, renumbered, units
from hds_cli.text.sentences import sentences


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("It rises 86 m. It was built late.", ["It rises 86 m.", "It was built late."]),
        ("Open 7 a.m. to 3 a.m. daily. Closed on Monday.", ["Open 7 a.m. to 3 a.m. daily.", "Closed on Monday."]),
        ("J. R. R. Tolkien wrote it. G. Stanley Hall did not.", ["J. R. R. Tolkien wrote it.", "G. Stanley Hall did not."]),
        ("Mr. Smith lives in St. Louis. He sings.", ["Mr. Smith lives in St. Louis.", "He sings."]),
        ("Version 3.13.1 is out. Is it? Yes!", ["Version 3.13.1 is out.", "Is it?", "Yes!"]),
        ("Am 3. Dezember 2024 kam er, z. B. per Bahn. Dann ging er.", ["Am 3. Dezember 2024 kam er, z. B. per Bahn.", "Dann ging er."]),
        ("Он родился в 1951 г. в Москве. Потом уехал.", ["Он родился в 1951 г. в Москве.", "Потом уехал."]),
        ("Γεννήθηκε το 44 π.Χ. στην Αθήνα. Πέθανε;", ["Γεννήθηκε το 44 π.Χ. στην Αθήνα.", "Πέθανε;"]),
        ("これは文です。次の文です！", ["これは文です。", "次の文です！"]),
        ("他是北京人。他1951年出生。", ["他是北京人。", "他1951年出生。"]),
        ("هل هذا صحيح؟ نعم.", ["هل هذا صحيح؟", "نعم."]),
        ("यह पहला है। यह दूसरा है।", ["यह पहला है।", "यह दूसरा है।"]),
        ("Born in 1951. [3] Died in 1990.[4][5] Buried.", ["Born in 1951. [3]", "Died in 1990.[4][5]", "Buried."]),
    ],
)  # fmt: skip
def test_sentences_end_where_they_end(text: str, parts: list[str]) -> None:
    """Abbreviations, initials, ordinals and units end no sentence; the marks behind a full stop belong to it."""
    assert sentences(text) == parts


def test_a_message_has_its_box_in_place() -> None:
    """The whole message is kept, without the heading of the answer; the last box is the headline."""
    made = message("It is Lima [1].\n\n**Final Answer:**\n\\boxed{\\text{Lima}}")
    assert (made.text, made.headline, made.raw) == ("It is Lima [1].\n\nLima", "Lima", "\\text{Lima}")


def test_a_message_without_a_box_is_kept_whole() -> None:
    """No box: nothing is thrown away, and there is no headline."""
    made = message("# Rivers\n\nThe Nile is longest [2].")
    assert (made.text, made.headline) == ("# Rivers\n\nThe Nile is longest [2].", None)


def test_the_units_are_sentences_items_and_rows() -> None:
    """Headings, code, rules and lead-ins are no units; rows know their columns, items their heading."""
    text = (
        "# Moons\n\nThese have some:\n\n- **Mars:** two [1]\n- Jupiter – 95 [2, 3]. It is big.\n\n"
        "| Planet | Radius |\n|---|---|\n| Mars | 3,390 km [4] |\n\n---\n\n```\nx = 1\n```\nSaturn has *rings*. [5]"
    )
    made = units(message(text).text)
    assert [(u.text, u.marks) for u in made] == [
        ("Mars: two", (1,)),
        ("Jupiter – 95.", (2, 3)),
        ("It is big.", ()),
        ("Mars; 3,390 km", (4,)),
        ("Saturn has rings.", (5,)),
    ]
    assert made[0].context == "These have some"
    assert made[3].label == "Mars"
    assert "Radius" in made[3].context


def test_units_know_where_they_stand() -> None:
    """A unit is a stretch of the message, so that a mark can be set behind it."""
    text = "One is here [1]. Two are there.\n\n- Three [2]"
    assert [text[u.start : u.end] for u in units(text)] == ["One is here [1].", "Two are there.", "Three [2]"]


def test_marks_are_numbered_in_the_order_of_the_text() -> None:
    """Marks get numbers from 1 in the order in which they stand; one without a passage is removed and reported."""
    numbers = in_order([7, 3, 7])
    assert renumbered("A [7]. B [3] [9].", numbers) == ("A [1]. B [2].", [9])


def test_a_hostile_message_takes_no_long_time() -> None:
    """Units of a message of any form are found in time that grows with its length."""
    for piece in ("| a ", "- ", "**", "[1]", "a. ", "# x\n", "(", "[", "| - |\n", "1) x\n", "A.B.", "`", "_x "):
        started = time.process_time()
        units(piece * (60_000 // len(piece)))
        assert time.process_time() - started < 5, piece


def test_a_day_alone_on_its_line_is_no_list_item() -> None:
    """The number is a part of the date; in a list it is the number of its item."""
    (unit,) = units("14. Oktober 2024 [1]")
    assert (unit.text, unit.item) == ("14. Oktober 2024", False)
    assert [unit.item for unit in units("1. Osprey\n2. Mai 2020\n3. Swan")] == [True, True, True]
