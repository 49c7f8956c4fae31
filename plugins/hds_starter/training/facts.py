"""What is asked about a country, and in which words: facts, how they are searched for, stated and phrased."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hds_starter import world

NOT_FOUND = "not found"
ARTICLE = {"Czech Republic", "Netherlands", "Philippines", "United States", "United Kingdom", "Bahamas", "Maldives"} | {
    "Gambia", "Comoros", "Seychelles", "Solomon Islands", "Dominican Republic", "Central African Republic"
}  # fmt: skip


@dataclass(frozen=True)
class Fact:
    """How one attribute is asked for, searched for and stated; `{n}` is the country, `{v}` the value."""

    query: str
    state: str
    ask: tuple[str, ...]
    ask_many: tuple[str, ...]
    value: Callable[[dict[str, Any]], str | None]
    noun: str


def _first_currency(info: dict[str, Any]) -> str | None:
    names = world._named(info.get("currencies"), "currencies")
    return names[0] if len(names) == 1 else None


def _languages(info: dict[str, Any]) -> str | None:
    names = world.languages_of(info)
    return world._list(names) if 0 < len(names) < 4 else None


FACTS: dict[str, Fact] = {
    "capital": Fact(
        "capital of {n}",
        "The capital of {n} is {v}",
        ("What is the capital of {t}?", "Capital of {t}?", "capital of {t}", "Which city is the capital of {t}?",
         "Name the capital of {t}.", "What's {t}'s capital?", "what is the capital city of {t}", "capital {t}",
         "Which is the capital of {t}?", "{t} capital"),
        ("What are the capitals of {l}?", "Name the capitals of {l}.", "Capitals of {l}?", "Which cities are the capitals of {l}?",
         "Give the capital of each of {l}.", "List the capital cities of {l}.", "I need the capitals of {l}."),
        lambda i: i.get("capital"),
        "capital",
    ),
    "population": Fact(
        "population of {n}",
        "The population of {n} is {v}",
        ("What is the population of {t}?", "How many people live in {t}?", "Population of {t}?", "How populous is {t}?",
         "number of inhabitants of {t}", "How many inhabitants are there in {t}?", "{t} has how many people?",
         "how many inhabitants does {t} have"),
        ("What are the populations of {l}?", "How many people live in {l}?", "Give the population of each of {l}.",
         "Compare the populations of {l}."),
        lambda i: f"{i['population']:,}" if i.get("population") else None,
        "population",
    ),
    "area": Fact(
        "area of {n}",
        "{n} has an area of {v}",
        ("What is the area of {t}?", "How large is {t}?", "How big is {t}?", "How many square kilometres is {t}?",
         "What area does {t} have?", "Area of {t} in square kilometres?"),
        ("What are the areas of {l}?", "How large are {l}?", "Give the area of each of {l}."),
        lambda i: f"{i['area']:,.0f} square kilometres" if i.get("area") else None,
        "area",
    ),
    "currency": Fact(
        "currency of {n}",
        "The currency of {n} is the {v}",
        ("What is the currency of {t}?", "Which currency is used in {t}?", "What money do people use in {t}?",
         "Currency of {t}?", "Which money do you pay with in {t}?", "How do you pay in {t}?", "What is paid with in {t}?",
         "What do you pay with in {t}?"),
        ("What are the currencies of {l}?", "Which currencies are used in {l}?", "Name the currency of each of {l}."),
        _first_currency,
        "currency",
    ),
    "language": Fact(
        "official language of {n}",
        "The official language of {n} is {v}",
        ("What is the official language of {t}?", "Which languages are official in {t}?", "What language is spoken in {t}?",
         "Official language of {t}?", "What do people speak in {t}?", "What do people in {t} speak?", "language of {t}",
         "Which language do people in {t} speak?",
         "Official languages of {t}?"),
        ("What are the official languages of {l}?", "Which languages are spoken in {l}?"),
        _languages,
        "official language",
    ),
    "calling": Fact(
        "calling code of {n}",
        "The calling code of {n} is {v}",
        ("What is the calling code of {t}?", "Which country code do I dial for {t}?", "phone code {t}", "Which phone code does {t} have?",
         "Dialling code of {t}?", "Phone code of {t}?"),
        ("What are the calling codes of {l}?", "Which phone codes do {l} have?"),
        lambda i: f"+{i['callingCodes'][0]}" if i.get("callingCodes") else None,
        "calling code",
    ),
    "domain": Fact(
        "internet domain of {n}",
        "The internet domain of {n} is {v}",
        ("What is the internet domain of {t}?", "Which top-level domain does {t} use?", "country code of {t} on the internet",
         "Top-level domain of {t}?", "web domain of {t}", "Which domain do websites of {t} end in?", "Internet code of {t}?",
         "What is the internet country code of {t}?", "Which internet country code does {t} have?", "Internet country code of {t}?"),
        ("What are the internet domains of {l}?", "Which top-level domains do {l} use?"),
        lambda i: i["tld"][0] if i.get("tld") else None,
        "internet domain",
    ),
    "region": Fact(
        "where {n} lies",
        "{n} lies in {v}",
        ("Where is {t}?", "In which part of the world is {t}?", "Where does {t} lie?", "In which region is {t}?",
         "Which region does {t} lie in?"),
        ("Where are {l}?", "In which regions do {l} lie?"),
        lambda i: i.get("subregion") or None,
        "region",
    ),
    "people": Fact(
        "what the people of {n} are called",
        "The people of {n} are called {v}",
        ("What are the people of {t} called?", "What is the demonym of {t}?", "What is someone from {t} called?",
         "What do you call the people of {t}?", "How do you call a person from {t}?", "A person from {t} is called what?",
         "What are people from {t} called?", "demonym {t}", "What do you call someone from {t}?"),
        ("What are the people of {l} called?",),
        lambda i: i.get("demonym") or None,
        "demonym",
    ),
}  # fmt: skip
# Ways to ask for any fact; `{x}` is its noun.
ASK = ("the {x} of {t}", "Tell me the {x} of {t}.", "What's the {x} of {t}?", "{t}: {x}?", "{t}'s {x}?", "{x} {t}",
       "I want to know the {x} of {t}.", "Do you know {t}'s {x}?", "Look up the {x} of {t}.")  # fmt: skip
ASK_MANY = ("the {x} of {l}", "{x} of {l}?", "Tell me the {x} of {l}.", "For {l}, what is the {x}?", "{l}: {x} of each?",
            "Look up the {x} of {l}.", "I want to know the {x} of {l}.", "For each of {l}: what is the {x}?")  # fmt: skip
WEIGHTS = {
    "capital": 7,
    "population": 3,
    "area": 2,
    "currency": 3,
    "language": 2,
    "calling": 1,
    "domain": 1,
    "region": 1,
    "people": 1,
}

ONE = ("I need one fact.", "One search is enough.", "This is a single fact.", "I look this up.")
MANY = ("These facts are independent, so I search for them together.", "I can look all of these up at once.",
        "Each of them is a search of its own; they can run together.")  # fmt: skip
UNKNOWN = (
    "Who is the president of {t}?", "Who is the prime minister of {t}?", "What is the national anthem of {t}?",
    "What is the highest mountain in {t}?", "Who wrote the constitution of {t}?", "When did {t} become independent?",
    "What is the longest river in {t}?", "How many airports does {t} have?", "Which football club won the league in {t}?",
    "What is the inflation rate of {t}?", "What is the national bird of {t}?", "When was {t} founded?",
)  # fmt: skip
NOWHERE = (
    "Atlantis",
    "Wakanda",
    "Narnia",
    "Freedonia",
    "Ruritania",
    "Genovia",
    "Zubrowka",
    "Elbonia",
    "Sylvania",
    "Latveria",
)
