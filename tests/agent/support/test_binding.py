"""A value belongs to the name beside it, an act to who did it, a short answer to what was asked."""

import pytest

from hds_cli.agent.support.attribution import attribute
from hds_cli.types import GOOD_LEVELS, Passage

BURUNDI = (
    "Burundi",
    "Land boundaries: total: 1,140 km. Border countries (3): Democratic Republic of the Congo 236 km; Rwanda 315 km; "
    "Tanzania 589 km. The country is landlocked.",
)
UGANDA = (
    "Uganda",
    "Uganda has borders with the Democratic Republic of the Congo (877 km), Kenya (814 km), Rwanda (172 km) and "
    "Tanzania (391 km).",
)
GAME = (
    "Overdrive",
    "Overdrive is a racing game developed by Atari Inc. and published by Midway. Ann Berg wrote its music.",
)
SERIES = (
    "Harbour (TV series)",
    "The first season, set in the fictional town of Ashford, was filmed between July and October 2015 in Sudbury. "
    "President Mohamud later appointed Abdi Shirdon as the new Prime Minister.",
)
BATTING = ("Batting", "Batting hand of Pat Burrell: Right.\n\nBatting hand of Mark Mulder: Left.")
LEADERS = (
    "South Sudan",
    "In 2013, conflict erupted between forces loyal to President Salva Kiir, a Dinka, and forces loyal to Vice "
    "President Riek Machar, a Nuer.",
)
FILM = ("Mr. Smith (film)", "The governor's children want Jefferson Smith (James Stewart), the head of the rangers.")
LANDS = [
    (name, f"Total fertility rate: {rate} children born/woman.") for name, rate in (("Cuba", 1.49), ("Morocco", 2.24))
]
STAFF = [(name, f"Employees in 2022: {count}.") for name, count in (("Amazon", "1,541,000"), ("Microsoft", "221,000"))]


def _good(text: str, *pages: tuple[str, str], question: str = "", queries: tuple[str, ...] = ("",)) -> bool:
    passages = [
        (queries[min(n, len(queries)) - 1], Passage(f"https://example.org/{n}", title, body, n))
        for n, (title, body) in enumerate(pages, 1)
    ]
    return all(support.level in GOOD_LEVELS for support in attribute(text, question, passages))


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("Burundi's border with Tanzania is 589 km long.", "Burundi's border with Tanzania is 315 km long."),
        ("Rwanda 315 km; Tanzania 589 km", "Rwanda 589 km; Tanzania 315 km"),
        ("Rwanda: 315 km; Tanzania: 589 km", "Rwanda: 589 km; Tanzania: 315 km"),
        (
            "It borders Rwanda for 315 km and Tanzania for 589 km.",
            "It borders Rwanda for 589 km and Tanzania for 315 km.",
        ),
        ("Burundi's land boundaries total 1,140 km.", "Burundi's border with Rwanda is 236 km."),
    ],
)
def test_value_of_a_list_belongs_to_the_name_beside_it(right, wrong):
    """A list of names with their values gives each value to its own name, and to no other."""
    assert _good(right, BURUNDI)
    assert not _good(wrong, BURUNDI)


def test_value_in_brackets_belongs_to_the_name_before_it():
    """`Kenya (814 km)` gives nothing to the neighbours of Kenya in the list."""
    assert _good("Uganda's border with Kenya is 814 km.", UGANDA)
    assert not _good("Uganda's border with Kenya is 877 km.", UGANDA)


def test_letters_before_a_number_are_a_name_where_they_are_no_currency():
    """`UAE 609 km` and `US 3,155 km` are a name and its value."""
    oman = ("Oman", "Border countries: Saudi Arabia 658 km; UAE 609 km; US 3,155 km.")
    assert _good("Oman's border with UAE is 609 km long.", oman)
    assert not _good("Oman's border with UAE is 658 km long.", oman)
    assert not _good("US: 658 km; Saudi Arabia: 3,155 km", oman)


def test_bare_value_belongs_to_the_name_that_the_question_has():
    """A value that stands alone is held against the question's name, where the list gives that another one."""
    asked = {"question": "How long is Burundi's border with Tanzania?", "queries": ("Burundi border countries length",)}
    assert _good("589 km", BURUNDI, **asked)
    assert not _good("315 km", BURUNDI, **asked)


def test_key_with_another_value_is_no_ground():
    """`Batting hand of Pat Burrell: Right` does not say that he batted left."""
    assert _good("Pat Burrell batted right, Mark Mulder left.", BATTING)
    assert not _good("Pat Burrell batted left, Mark Mulder left.", BATTING)


def test_lone_names_before_a_predicate_are_said_of_by_it():
    """In `A batted right-handed, while B and C batted left-handed` the last clause is said of B, too."""
    pages = ("Batting", BATTING[1] + "\n\nBatting hand of Corey Patterson: Left.")
    assert _good("Pat Burrell batted right-handed, while Mark Mulder and Corey Patterson batted left-handed.", pages)


@pytest.mark.parametrize(
    ("right", "wrong", "page"),
    [
        ("Overdrive was developed by Atari.", "Overdrive was developed by Midway.", GAME),
        ("Midway published Overdrive.", "Midway developed Overdrive.", GAME),
        ("The first season was filmed in Sudbury.", "The first season was filmed in Ashford.", SERIES),
        ("The president was Mohamud.", "The president was Abdi Shirdon.", SERIES),
        ("Mr. Smith's first name is Jefferson.", "Mr. Smith's first name is James.", FILM),
    ],
)
def test_act_belongs_to_who_did_it(right, wrong, page):
    """A sentence that binds an act, a role, a place or a part of a name to another name is no ground."""
    assert _good(right, page)
    assert not _good(wrong, page)


def test_what_is_said_of_two_is_not_said_crosswise():
    """Two names with what is said of each, in the wrong order, have no ground in a sentence that has all words."""
    assert _good("Salva Kiir is a Dinka, whereas Riek Machar is a Nuer.", LEADERS)
    assert not _good("Riek Machar is a Dinka, whereas Salva Kiir is a Nuer.", LEADERS)


@pytest.mark.parametrize(
    ("right", "wrong", "question", "query", "page"),
    [
        ("Sudbury", "Ashford", "Where was the first season of Harbour filmed?", "Harbour first season filmed", SERIES),
        ("Mohamud", "Abdi Shirdon", "Who was in charge of the land?", "president of Somalia appointed", SERIES),
        ("Atari Inc.", "Midway.", "Who developed Overdrive?", "Overdrive racing game developed", GAME),
        ("Jefferson", "James", "What is Mr. Smith's first name?", "Mr. Smith film governor", FILM),
    ],
)
def test_short_answer_has_the_role_that_was_asked_for(right, wrong, question, query, page):
    """A bare name is held against the question: who did it, who is it, where was it, which part of a name."""
    assert _good(right, page, question=question, queries=(query,))
    assert not _good(wrong, page, question=question, queries=(query,))


def test_bare_year_needs_the_sentence_that_answers_a_query():
    """A year of a sentence that fits no query gives way to one whose sentence fits."""
    page = (
        "Namibia",
        "In 1946 South Africa refused to surrender Namibia. A referendum was held in South Africa in 1960.",
    )
    asked = {
        "question": "When did it refuse to surrender Namibia?",
        "queries": ("South Africa refused to surrender Namibia",),
    }
    assert _good("1946", page, **asked)
    assert not _good("1960", page, **asked)


def test_highest_is_compared_with_the_values_of_the_others():
    """A bare name for a superlative is held against the values that the pages give for all that were named."""
    asked = {
        "question": "Which of Cuba and Morocco has the highest fertility rate?",
        "queries": ("Cuba fertility rate", "Morocco fertility rate"),
    }
    assert _good("Morocco", *LANDS, **asked)
    assert not _good("Cuba", *LANDS, **asked)


def test_most_of_a_sentence_is_compared_with_the_values_of_the_others():
    """A sentence that says what has the most is held against them, too, and so is its bare value."""
    asked = {
        "question": "How many employees did the company with the most employees have in 2022?",
        "queries": ("Amazon employees 2022", "Microsoft employees 2022"),
    }
    assert _good("Amazon had the most employees, 1,541,000.", *STAFF, **asked)
    assert not _good("Microsoft had the most employees, 221,000.", *STAFF, **asked)
    assert _good("1,541,000", *STAFF, **asked)
    assert not _good("221,000", *STAFF, **asked)
