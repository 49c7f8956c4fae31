"""Everyday questions over `world`: read by rule, worked out from the pages, or refused; no model is needed for that."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from hds_cli.types import Passage
from hds_starter import names, world
from hds_starter.asking import Asked, Unread, asked
from hds_starter.symbols import read
from hds_starter.told import Facts
from hds_starter.working import Need, Solution, work

QUESTIONS = Path(__file__).with_name("data") / "everyday_world.jsonl"
"""177 questions by hand, gold out of the pages; `half` a: what the rules were made on, b: looked at for the report."""


def rows(*, answerable: bool) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in QUESTIONS.read_text("utf-8").splitlines()]
    return [row for row in lines if (row["kind"] != "unanswerable") == answerable]


@functools.cache
def pages() -> Mapping[str, Passage]:
    return {d.title: Passage(d.url, d.title, d.text, n) for n, d in enumerate(world.documents(), 1)}


def answer(question: str) -> Solution | Unread | None:
    """What the rules make of a question when each search finds the page of its country."""
    reading = asked(question)
    if isinstance(reading, Unread):
        return reading
    searched: list[str] = []
    found: list[tuple[str, Passage]] = []
    for _ in range(12):
        step = work(reading, Facts(found, searched))
        if not isinstance(step, Need):
            return step
        for query in step.turn(8):
            searched.append(query)
            found += [(query, page) for title, page in pages().items() if f" {title} " in f"{query} "]
    raise AssertionError(f"no end: {question}")


def flat(text: str) -> str:
    return re.sub(r"(?<=\d),(?=\d)", "", names.plain(re.sub(r"(?<=\d),(?=\d)", "", text)))


def is_right(row: dict[str, Any], text: str) -> bool:
    words = f" {flat(text)} "
    golds = [[gold] for gold in row["all"]] if row.get("all") else [row["answers"]]
    yes_or_no = re.match(r"(yes|no)\b", text.casefold())
    if yes_or_no and {"yes", "no"} & set(row["answers"]):
        return yes_or_no[1] in row["answers"]
    return all(any(f" {flat(gold)} " in words for gold in one) for one in golds)


def judged(half: str) -> Iterator[tuple[str, str]]:
    """The questions of a half, and what became of each: right, wrong or refused."""
    for row in rows(answerable=True):
        if row["half"] == half:
            made = answer(row["question"])
            shown = made.answer if isinstance(made, Solution) else None
            yield (
                row["question"],
                "refused" if shown is None else "right" if is_right(row, shown) else f"wrong: {shown}",
            )


@pytest.mark.parametrize("half", ["a", "b"])
def test_everyday_questions_are_answered_from_the_pages(half: str) -> None:
    """Nine of ten are right, and none is wrong."""
    results = dict(judged(half))
    assert not {question: result for question, result in results.items() if result.startswith("wrong")}
    assert sum(result == "right" for result in results.values()) >= 0.9 * len(results)


def test_what_the_pages_cannot_answer_is_not_read() -> None:
    """A word that is not understood, a place that is no country, a year: none of these is passed over."""
    read_all_the_same = [row["question"] for row in rows(answerable=False) if isinstance(asked(row["question"]), Asked)]
    assert not [q for q in read_all_the_same if isinstance(answer(q), Solution)]


@pytest.mark.parametrize(
    ("question", "shown"),
    [
        ("does poland border france", "No. Poland borders 7 countries"),
        ("Does Ecuador use the US dollar?", "Yes. The currency of Ecuador is the US Dollar."),
        ("is austria bigger than hungary", "No. Austria 83,871 square kilometres, Hungary 93,030 square kilometres."),
        ("which one has more neighbours, zambia or tanzania", "the same: Zambia and Tanzania have 8 neighbours each"),
        ("capital of the largest neighbour of austria", "Germany: Berlin"),
        ("whats the captial of kazakstan", "Nur-Sultan"),
        (
            "capital and currency of peru and chile",
            "Peru: Lima, Peruvian Sol; Chile: Santiago, Chilean Peso",
        ),
        ("capital of the us", "Washington, D.C."),
        ("tell us the capital of peru", "Lima"),
        ("which countries speak dzongkha", "Bhutan"),
    ],
)
def test_the_form_of_an_answer_is_that_of_the_question(question: str, shown: str) -> None:
    """A yes or no has its ground, a number its unit, a choice its name."""
    made = answer(question)
    assert isinstance(made, Solution)
    assert made.answer.startswith(shown)


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("which countries border both peru and japan", "Brazil"),
        ("what are the neighbours of peru and japan", "Ecuador, Colombia, Brazil, Bolivia and Chile"),
    ],
)
def test_an_answer_without_the_values_of_the_pages_is_not_theirs(question: str, said: str) -> None:
    """That there is none is a value as well: another short answer does not pass for it."""
    made = answer(question)
    assert isinstance(made, Solution)
    assert made.agrees(made.answer)
    assert not made.agrees(said)


def test_each_fact_stands_in_the_explanation_with_its_passage() -> None:
    """The checked step is over numbers of the pages, each with the number of its passage."""
    made = answer("combined population of sweden and denmark")
    assert isinstance(made, Solution)
    assert made.answer == "15,393,271"
    assert made.step == "[[sum: Sweden 9,737,521; Denmark 5,655,750]] = 15,393,271"
    assert re.search(r"The population of Sweden is 9,737,521 \(2014\) \[\d+\]\.", made.explanation)


@pytest.mark.parametrize(
    ("question", "hint"),
    [
        ("capital of congo", "did you mean Democratic Republic of the Congo or Republic of the Congo?"),
        ("capital of latveria", "latveria: did you mean Latvia?"),
        ("capital of wakanda", ""),
        ("population of vienna", ""),
    ],
)
def test_a_name_that_is_none_is_asked_back(question: str, hint: str) -> None:
    """One slip of a letter is read; more, or a name of two countries, is asked back; what is near to none is refused."""
    made = answer(question)
    assert made is None or (isinstance(made, Unread) and made.hint == hint)
    assert made is not None or not hint


@pytest.mark.parametrize(
    ("word", "meant"),
    [("austrlia", "Australia"), ("kazakstan", "Kazakhstan"), ("morroco", "Morocco"), ("swtizerland", "Switzerland"),
     ("siberia", ""), ("wakanda", ""), ("bavaria", ""), ("rome", ""), ("latveria", "")],
)  # fmt: skip
def test_a_slip_is_read_and_another_place_is_not(word: str, meant: str) -> None:
    """One letter in eight, and the first one right: Siberia is not Liberia."""
    found = names.meant(word)
    assert (found.meant if found else "") == meant


def test_a_page_that_says_it_of_another_is_no_source() -> None:
    """Subject and value stand in one sentence of the country's own page."""
    other = Passage("local://world/Peru", "Peru", "The capital of Chile is Lima. Peru borders Chile.", 1)
    assert Facts([("capital of Chile", other)]).get("Chile", "capital") is None
    assert Facts([("capital of Peru", other)]).get("Peru", "capital") is None


@pytest.mark.parametrize(
    "text", ["capital of " * 9000, "+1 " * 9000, "a'" * 9000, "germany, " * 9000, "is " * 9000, ".xy" * 9000]
)
def test_of_a_long_question_only_the_beginning_is_read(text: str) -> None:
    """A question is bounded before it is read, and given up where too much of it is not understood."""
    symbols = read(text)
    assert len(symbols) <= names.MAX_WORDS
    assert sum(symbol.kind == "unknown" for symbol in symbols) <= 6
    assert isinstance(answer(text), Unread | Solution | None)
