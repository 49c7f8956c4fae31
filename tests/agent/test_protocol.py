"""The searcher's wire format: the reference's golden vectors, and what was mended."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hds_cli.agent import protocol as p
from hds_cli.types import Passage

B, E = p.BEGIN_QUERIES, p.END_QUERIES


@pytest.mark.parametrize(
    ("text", "queries"),
    [
        (f"{B}\nq one;\nq two;\nq three\n{E}", ["q one", "q two", "q three"]),
        (f"{B}\na; b;c\n{E}", ["a", "b", "c"]),
        (f"{B}\na; b\nc;d\n{E}", ["a; b", "c;d"]),
        (f"{B}\r\nq1;\r\nq2\r\n{E}", ["q1", "q2"]),
        (f"{B}\n\n{E}", None),
        ("no markers at all", None),
    ],
)
def test_queries_are_those_of_the_reference(text: str, queries: list[str] | None) -> None:
    """Golden vectors of the authors' parser."""
    assert p.parse_queries(text) == queries


@pytest.mark.parametrize(
    ("text", "queries"),
    [
        (f"{B}\n1. alpha\n2. beta ;\n\n{E}", ["alpha", "beta"]),
        (f"{B}\n ; ; \n{E}", None),
        (f"{B}\nfirst\n{E} and {B}\nsecond\n{E}", ["first"]),
        (f"{B}\nfirst;\nsecond", ["first", "second"]),
        (f"{B}\n- a thing\n* another\n{E}", ["a thing", "another"]),
        (f'{B}\n"exact phrase"\n{E}', ['"exact phrase"']),
        (f'{B}\n"half of a pair\n{E}', ["half of a pair"]),
        (f"{B}\n1. FC Köln founded\n{E}", ["1. FC Köln founded"]),
        (f"{B}\n1. FC Köln founded;\n24: Redemption cast\n{E}", ["1. FC Köln founded", "24: Redemption cast"]),
        (f"{B}\n24: Redemption cast;\n2. Bundesliga 1995\n{E}", ["24: Redemption cast", "2. Bundesliga 1995"]),
        (f"{B}\n(1) a thing\n(2) another\n{E}", ["a thing", "another"]),
        (f"{B}\n1. a thing; 2. another\n{E}", ["a thing", "another"]),
        (f"{B}\n1. one\n2. two\n24: Redemption\n{E}", ["one", "two", "24: Redemption"]),
        (f"{B}\nsame;\nSame \n{E}", ["same"]),
    ],
)
def test_queries_are_mended_where_the_reference_is_weak(text: str, queries: list[str] | None) -> None:
    """Numbering and empty queries go; two blocks, or one without an end, give the first."""
    assert p.parse_queries(text) == queries


@pytest.mark.parametrize(
    ("text", "queries"),
    [
        (f"<think>\nI will use {B} now.\n</think>\n\nDone.", None),
        (f"<think>\nI will use {B} and then {E} now.\n</think>\n\n\\boxed{{x}}", None),
        (f"<think>\nI will use {B} now.\n</think>\n\n{B}\nfirst;\nsecond\n{E}", ["first", "second"]),
        (f"<think>\nBetween {B} and {E}.\n</think>\n\n{B} \t\r\nfirst\n{E}", ["first"]),
        (f"{B}first{E}", None),
    ],
)
def test_a_marker_that_is_named_opens_no_block(text: str, queries: list[str] | None) -> None:
    """A block opens where the marker ends its line."""
    assert p.parse_queries(text) == queries


def test_a_query_is_given_out_as_soon_as_its_line_is_complete() -> None:
    """The first search can leave while the second query is being written."""
    parser = p.QueryParser()
    assert parser.feed(f"thinking {B}\nfirst quer") == []
    assert parser.feed("y;\nsec") == ["first query"]
    assert parser.feed("ond") == []
    assert parser.feed(f"\n{E}") == ["second"]


def test_a_first_line_with_semicolons_waits_for_the_second() -> None:
    """Alone it is a list of queries, with others it is one query."""
    parser = p.QueryParser()
    assert parser.feed(f"{B}\na; b\n") == []
    assert parser.feed("c;d\n") == ["a; b", "c;d"]


@given(st.lists(st.text(alphabet="ab;\n 1.", max_size=12), max_size=8), st.integers(1, 7))
def test_the_stream_gives_what_the_whole_text_gives(lines: list[str], step: int) -> None:
    """However the text is cut into pieces, the queries are the same."""
    text = f"t {B}\n" + "\n".join(lines) + f"\n{E}"
    parser = p.QueryParser()
    found = [query for at in range(0, len(text), step) for query in parser.feed(text[at : at + step])]
    assert found == (p.parse_queries(text) or [])


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (r"\boxed{Paris}", "Paris"),
        ("\\boxed{A}\n\\boxed{B}", "B"),
        (r"\boxed{\text{New York}}", "New York"),
        (r"\boxed{(C)}", "C"),
        (r"\boxed{\frac{1}{2}}", r"\frac{1}{2}"),
        (r"x \boxed{A} y \boxed{B}", "B"),
        (r"\boxed{A} and {b}", "A"),
        ("\\boxed{Par\nis}", "Par\nis"),
        ("no box", None),
        (r"\boxed{open", "open"),
        (r"\boxed{a \} b}", r"a \} b"),
    ],
)
def test_the_answer_is_read_to_its_matching_brace(text: str, answer: str | None) -> None:
    """Golden vectors; where the reference's greedy pattern takes too much or nothing, the balanced reading."""
    assert p.boxed(text) == answer


def test_a_thought_that_goes_straight_to_the_queries_is_closed() -> None:
    """Golden vector of the repair step."""
    assert p.close_thought(f"<think>\nfoo\n\n{B}\nq1;\nq2\n{E}") == f"<think>\nfoo\n</think>\n\n{B}\nq1;\nq2\n{E}"
    assert p.close_thought(f"<think>\nfoo\n</think>\n\n{B}\nq\n{E}") == f"<think>\nfoo\n</think>\n\n{B}\nq\n{E}"


def test_a_forced_answer_ends_as_in_the_reference() -> None:
    """Golden vector: after results the opened thought is closed and the box begun."""
    written = f"{p.BEGIN_RESULTS}\nx\n{p.END_RESULTS}\n\n<think>\n"
    whole = p.without_markers(written) + p.forced_answer(p.without_markers(written))
    assert whole.endswith(f"{p.END_RESULTS}\n\n<think>\n</think>\n\n**Final Answer:**\n\\boxed{{")


def test_the_message_is_put_together_as_in_the_reference() -> None:
    """One user turn, the literal double braces, the question last; our own words in place of the authors'."""
    text = "".join(s.text for s in p.prompt("Q?"))
    assert text.startswith("<|im_start|>user\n")
    assert (
        "\nYou should provide your final answer in the format \\boxed{{YOUR_ANSWER}}.\n\nPlease answer the question: Q?"
        in text
    )
    assert text.endswith("<|im_end|>\n<|im_start|>assistant\n")
    assert hashlib.sha256(p.PREAMBLE.encode()).hexdigest() != p.UPSTREAM_PREAMBLE_SHA256


def test_results_go_back_in_the_order_of_the_queries_and_are_not_repeated() -> None:
    """Passages carry their numbers; one that stands above is only named; nothing found is said."""
    one, two = Passage("u1", "One", "First text.", 1), Passage("u2", "Two", "Second\ntext.", 2)
    text = "".join(
        s.text for s in p.results_block([("q1", (one,)), ("q2", (one, two)), ("q3", ()), ("q4", p.REPEATED)])
    )
    assert text == (
        f"\n\n{p.BEGIN_RESULTS}\nq1: [1] One: First text.\nq2: [1] (see above) [2] Two: Second text.\n"
        f"q3: {p.NOTHING_FOUND}\nq4: {p.REPEATED}\n{p.END_RESULTS}\n\n<think>\n"
    )


def test_a_model_that_was_trained_so_reads_a_line_a_passage() -> None:
    """The starter's layout."""
    text = "".join(s.text for s in p.results_block([("q", (Passage("u", "One", "Text.", 1),))], older=True))
    assert text == f"\n\n{p.BEGIN_RESULTS}\nq:\n[1] One: Text.\n{p.END_RESULTS}\n\n<think>\n"


def test_prose_goes_back_as_in_the_reference() -> None:
    """`QUERY: paragraph`, a line a query, between the markers and before an opened thought."""
    text = "".join(s.text for s in p.results_block([("q1", "A is B."), ("q2", "C is D. E is F.")]))
    assert text == f"\n\n{p.BEGIN_RESULTS}\nq1: A is B.\nq2: C is D. E is F.\n{p.END_RESULTS}\n\n<think>\n"


DELIMITERS = [B, E, p.BEGIN_RESULTS, p.END_RESULTS, p.THINK, p.END_THINK, "<|im_start|>", "<|im_end|>", "<|endoftext|>", "\\boxed{",
              "[1]", "[INST]", "<s>", "</s>", "<start_of_turn>"]  # fmt: skip
DISGUISES = {
    "plain": lambda s: s,
    "full width": lambda s: (
        s.replace("<", "＜").replace(">", "＞").replace("|", "｜").replace("\\", "＼").replace("[", "［")
    ),
    "zero width": lambda s: s[:1] + "\u200b" + s[1:],
    "soft hyphen": lambda s: s[:2] + "\u00ad" + s[2:],
    "tag characters": lambda s: s[:1] + "\U000e0041" + s[1:],
    "spaces": lambda s: s[:1] + " " + s[1:],
    "upper case": str.upper,
    "bidi": lambda s: "\u202e" + s,
    "control": lambda s: s[:1] + "\x08" + s[1:],
    "twice": lambda s: s + s,
    "nested": lambda s: s[:1] + s + s[1:],
}


@pytest.mark.parametrize("disguise", DISGUISES)
@pytest.mark.parametrize("delimiter", DELIMITERS)
def test_no_disguised_delimiter_of_a_page_survives(delimiter: str, disguise: str) -> None:
    """Markers, chat tokens, think tags, passage numbers and boxes in page text open and close nothing."""
    text = p.neutral(f"before {DISGUISES[disguise](delimiter)} after")
    assert delimiter.lower() not in text.lower()
    assert "<|" not in text
    assert p.parse_queries(text) is None
    assert p.boxed(text) is None
    assert p.neutral(text) == text


def test_a_number_in_brackets_keeps_both_halves() -> None:
    """Of a page, or of a thought that an audit reads, which names the passages it rests on."""
    assert p.neutral("It lies there [2], [ 17 ] and [3][4].") == "It lies there (2), ( 17 ) and (3)(4)."


def test_ordinary_text_is_left_as_it_is() -> None:
    """Comparisons, brackets and backslashes of normal prose are no delimiters."""
    text = "If a < b and c > d, then [sic] x[i] = C:\\temp; 5 <= 6."
    assert p.neutral(text) == text
