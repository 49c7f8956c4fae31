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
        ("which has more people, togo or benin", "Togo and Benin"),
        ("capital of peru", "Lima and Quito"),
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
        ("capital of lybia", "lybia: did you mean Libya?"),
        ("capital of guinea bisau", "bisau: did you mean Guinea-Bissau?"),
        ("population of granada", "granada: did you mean Grenada?"),
        ("dominican currency", "did you mean Dominica or Dominican Republic?"),
        ("capital of wakanda", ""),
        ("population of vienna", ""),
    ],
)
def test_a_name_that_is_none_is_asked_back(question: str, hint: str) -> None:
    """A typist's slip is read; others, or a name of two countries, are asked back; what is near to none is refused."""
    made = answer(question)
    assert made is None or (isinstance(made, Unread) and made.hint == hint)
    assert made is not None or not hint


@pytest.mark.parametrize(
    ("word", "meant"),
    [("austrlia", "Australia"), ("kazakstan", "Kazakhstan"), ("morroco", "Morocco"), ("swtizerland", "Switzerland"),
     ("phillipines", "Philippines"), ("columbia", ""), ("tunisi", ""), ("cameron", ""), ("siberia", ""), ("wakanda", ""), ("bavaria", ""), ("rome", ""), ("latveria", "")],
)  # fmt: skip
def test_a_slip_is_read_and_another_place_is_not(word: str, meant: str) -> None:
    """Letters swapped, left out or doubled, and the first one right: Siberia is not Liberia, nor Columbia Colombia."""
    found = names.meant(word)
    assert (found.meant if found else "") == meant


@pytest.mark.parametrize(
    ("question", "shown"),
    [
        ("do spain and italy both border france?", "Yes. Spain borders 5 countries"),
        ("do chile and brazil both border peru and colombia", "No. Chile borders 3 countries"),
        ("are france and spain neighbours", "Yes."),
        ("does italy share a border with vatican city?", "Yes."),
        ("does austria have at least 8 million inhabitants", "Yes. Austria 8,527,230."),
        ("does sweden have at most 10 million people?", "Yes."),
        ("does norway have no more than 5 million people", "No."),
        ("does norway have a population of at least 5 million", "Yes."),
        ("does peru have more than 30 million but fewer than 35 million people", "Yes."),
        ("does peru have more than 31 million but fewer than 35 million people", "No."),
        ("is algeria the largest country in africa", "Yes."),
        ("is hong kong in asia", "Yes."),
        ("is peru in africa", "No."),
        ("is germany larger than all its neighbours?", "No. France comes first"),
        ("do mali, niger and togo use the same currency", "Yes."),
        ("do peru, chile and brazil speak the same language", "No."),
        ("is laos bigger or smaller than cambodia", "Larger. Laos 236,800 square kilometres"),
        ("is georgetown the capital of the cayman islands", "Yes."),
        ("is sydney the capital of australia", "No. The capital of Australia is Canberra."),
        ("is bonn or berlin the capital of germany", "Berlin"),
    ],
)
def test_yes_or_no_is_of_all_that_was_asked(question: str, shown: str) -> None:
    """Each of several subjects, both ends of a range, a name that another page has in other words."""
    made = answer(question)
    assert isinstance(made, Solution)
    assert made.answer.startswith(shown)


@pytest.mark.parametrize(
    "question",
    [
        "does israel border palestine", "does suriname border france", "does a neighbour of spain border italy",
        "does peru border brazil or chile", "is kiev the capital of ukraine", "is ulan bator the capital of mongolia?",
        "is peking the capital of china", "is la paz the capital of bolivia", "is the capital of mongolia ulan bator",
        "is the capital of australia bigger than the capital of austria?", "is kenya as big as france",
        "is chile bigger than ecuador and bolivia", "is russia larger than all its neighbours together",
        "is peru one of the biggest countries in south america", "does peru have more than 30 or less than 20 million people",
        "does norway have more than 6 and less than 7 million people", "do french people speak english", "does switzerland accept euros",
        "is spanish the only official language of peru", "do belgium and france speak the same language",
    ],
)  # fmt: skip
def test_neither_yes_nor_no_is_said_where_it_cannot_be_told(question: str) -> None:
    """Two pages that disagree, a capital that may be spelt otherwise, a capital's size, several to compare with."""
    assert not isinstance(answer(question), Solution)


@pytest.mark.parametrize(
    "question",
    [
        "population of lagos", "population of granada", "capital of styria", "whats the capital of british columbia",
        "population of lagos, nigeria", "how big is tasmania", "area of hokkaido", "capital of moravia",
        "capital of slavonia", "population of georgia, usa", "population of guinea conakry",
    ],
)  # fmt: skip
def test_another_place_is_not_read_as_a_country_that_it_resembles(question: str) -> None:
    """A letter put in or changed makes another name: it is asked back, whether or not a list has it."""
    assert isinstance(answer(question), Unread)


@pytest.mark.parametrize(
    "question",
    [
        "how many people live in the capital of norway?", "population of peru's capital", "area of the capital of france",
        "which of spain, turkey and portugal has the largest capital", "whose capital is larger, peru or chile",
        "largest african capital", "what is the capital of norway and how many people live there",
        "what is the capital of berlin", "capital of victoria", "lima capital", "dominican currency",
        "how big is the island of madagascar", "which us states border canada", "states of germany",
        "what language do most people in africa speak?", "what do most people speak in belgium and switzerland",
        "how many people speak swahili", "how many people use the euro", "how many people from poland live in germany",
        "how many germans live in austria", "what language do the french speak", "territories of france",
        "around how many people live in kenya", "what country lies between france and spain",
        "what is swaziland called today", "which country is surrounded by senegal", "which country does italy surround",
        "how much money does norway have", "how many coins does japan have", "what are the provinces of canada?",
        "how much is the population of france and germany", "how many languages are spoken in india",
        "capital with the most inhabitants in africa", "capitals of south africa", "seat of government of bolivia",
        "which language is spoken at the border of peru", "who are peru's biggest neighbours",
        "who is on the coins of peru", "how is the capital of peru", "where do people live in peru",
        "what is the capital of peru like", "how do you say money in french",
        "where is the capital of peru", "capital of peru and population of chile", "which big countries border austria",
    ],
)  # fmt: skip
def test_a_fact_of_something_else_is_not_shown(question: str) -> None:
    """The people of a capital, those who speak, the sense of a word: what a rule takes no account of is not read."""
    assert isinstance(answer(question), Unread)


@pytest.mark.parametrize(
    ("question", "shown"),
    [
        ("which country bordering both france and germany is the largest?", "Switzerland"),
        ("capitals of the countries bordering both france and germany",
         "Belgium: Brussels; Luxembourg: Luxembourg; Switzerland: Bern"),
        ("common neighbours of mali and niger", "Algeria and Burkina Faso"),
        ("how many neighbours do germany and france have in common", "3"),
        ("combined population of austria and its neighbours", "185,980,779"),
        ("which neighbours of austria are larger than austria?", "Germany, Hungary and Italy"),
        ("which of france, spain and italy are bigger than germany", "France and Spain"),
        ("which of mali, chad and niger have fewer than 15 million people", "Chad"),
        ("how many countries bordering china have more people than japan?", "3"),
        ("which neighbours of germany have fewer people than denmark", "Luxembourg"),
        ("which countries in africa are larger than algeria", "none of them"),
        ("which of mali, ghana and togo uses the cedi", "Ghana"),
        ("largest country out of namibia, mozambique and zimbabwe", "Namibia"),
        ("population of the largest country in south america", "Brazil: 203,586,000"),
        ("how many people live in the most populous country in africa", "Nigeria: 178,517,000"),
        ("what is the population of peru plus chile", "48,633,229"),
        ("area of the most populous country in africa", "Nigeria: 923,768 square kilometres"),
        ("what are the states that border germany",
         "Austria, Belgium, Czech Republic, Denmark, France, Luxembourg, Netherlands, Poland and Switzerland"),
        ("how many official languages does south africa have?", "11"),
        ("which is the capital of peru: quito, lima or bogota", "Lima"),
        ("please remind us what the capital of peru is", "Lima"),
        ("how many more neighbours does germany have than france", "1"),
        ("whats smaller niger or nigeria and by how much", "Nigeria, by 343,232 square kilometres"),
        ("what are the inhabitants of peru called", "Peruvian"),
        ("largest country in central america", "Nicaragua"),
        ("capital and population of peru's smallest neighbour", "Ecuador: Quito; 15,888,900"),
        ("how big is the biggest neighbour of peru", "Brazil: 8,515,767 square kilometres"),
        ("largest country in africa and how many people live there", "Algeria: 38,700,000"),
        ("does anyone know the capital of bhutan", "Thimphu"),
        ("The country with the capital Ottawa: what is its currency", "Canadian Dollar"),
        ("which nation has lima as its capital", "Peru"),
        ("in which region of africa does chad lie", "Sub-Saharan Africa"),
        ("capital of the democratic republic of congo", "Kinshasa"),
    ],
)  # fmt: skip
def test_an_order_a_sum_and_a_count_are_over_the_right_countries(question: str, shown: str) -> None:
    """Those that border both, a country and its neighbours, those with more than another one."""
    made = answer(question)
    assert isinstance(made, Solution)
    assert made.answer == shown


@pytest.mark.parametrize(
    "question",
    ["which neighbours of austria are bigger than austria and smaller than france", "largest countries in africa",
     "which of these border france: spain, poland, belgium", "which countries border peru and chile",
     "how many countries have more people than peru", "how much bigger is chile than peru",
     "which countries border peru and how many are there", "do peru and chile have common neighbours", "neighbours of the largest country in south america",
     "what languages do belgium and luxembourg have in common", "which neighbours of austria are larger",
     "capital of peru and its neighbours", "is andorra larger than liechtenstein and san marino together"],
)  # fmt: skip
def test_countries_that_cannot_be_told_are_not_counted_or_ordered(question: str) -> None:
    """A range, the first few, a choice, all countries: none of these is cut down to what a rule can do."""
    assert not isinstance(answer(question), Solution)


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
