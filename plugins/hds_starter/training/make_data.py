"""Make trajectories that teach a small model the searcher's protocol, on the evidence that hds itself retrieves.

    python -m hds_starter.training.make_data --samples 2600 --seed 1 --out train.jsonl --valid valid.jsonl

Questions are written from the facts of countryinfo, in many phrasings; every query is really searched in the
collection `world`, and what the pipeline selects is what the model learns to read. `--factbook FILE` adds questions
over the long pages of a `corpus.jsonl` of the World Factbook (public domain), searched in the same way. Countries of
the validation part are never trained on. A line is `{"question", "answer", "kind", "steps", "segments"}` with
`segments` `[text, trusted, learned]`; `ids` and `mask` are the same as tokens.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import hds_starter
from hds_cli.agent import protocol
from hds_cli.agent.evidence import Evidence, turn_budget
from hds_cli.engine.base import Segment
from hds_cli.engine.llama_cpp import LlamaEngine
from hds_cli.search.local import Collection, read_jsonl
from hds_cli.types import Page
from hds_starter import world

TOP_K = 5
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
    names = world._named(info.get("languages"), "languages")
    return world._list(names) if 0 < len(names) < 4 else None


FACTS: dict[str, Fact] = {
    "capital": Fact(
        "capital of {n}",
        "The capital of {n} is {v}",
        ("What is the capital of {t}?", "Capital of {t}?", "capital of {t}", "Which city is the capital of {t}?",
         "Name the capital of {t}.", "What's {t}'s capital?", "what is the capital city of {t}", "{t} capital"),
        ("What are the capitals of {l}?", "Name the capitals of {l}.", "Capitals of {l}?", "Which cities are the capitals of {l}?",
         "What is the capital of each of {l}?", "List the capital cities of {l}.", "I need the capitals of {l}."),
        lambda i: i.get("capital"),
        "capital",
    ),
    "population": Fact(
        "population of {n}",
        "The population of {n} is {v}",
        ("What is the population of {t}?", "How many people live in {t}?", "Population of {t}?", "How populous is {t}?",
         "how many inhabitants does {t} have"),
        ("What are the populations of {l}?", "How many people live in {l}?", "Give the population of each of {l}.",
         "Compare the populations of {l}."),
        lambda i: f"{i['population']:,}" if i.get("population") else None,
        "population",
    ),
    "area": Fact(
        "area of {n}",
        "{n} has an area of {v}",
        ("What is the area of {t}?", "How large is {t}?", "How big is {t}?", "Area of {t} in square kilometres?"),
        ("What are the areas of {l}?", "How large are {l}?", "Give the area of each of {l}."),
        lambda i: f"{i['area']:,.0f} square kilometres" if i.get("area") else None,
        "area",
    ),
    "currency": Fact(
        "currency of {n}",
        "The currency of {n} is the {v}",
        ("What is the currency of {t}?", "Which currency is used in {t}?", "What money do people use in {t}?",
         "Currency of {t}?", "What do you pay with in {t}?"),
        ("What are the currencies of {l}?", "Which currencies are used in {l}?", "Name the currency of each of {l}."),
        _first_currency,
        "currency",
    ),
    "language": Fact(
        "official language of {n}",
        "The official language of {n} is {v}",
        ("What is the official language of {t}?", "Which languages are official in {t}?", "What language is spoken in {t}?",
         "Official languages of {t}?"),
        ("What are the official languages of {l}?", "Which languages are spoken in {l}?"),
        _languages,
        "official language",
    ),
    "calling": Fact(
        "calling code of {n}",
        "The calling code of {n} is {v}",
        ("What is the calling code of {t}?", "Which country code do I dial for {t}?", "Phone code of {t}?"),
        ("What are the calling codes of {l}?", "Which phone codes do {l} have?"),
        lambda i: f"+{i['callingCodes'][0]}" if i.get("callingCodes") else None,
        "calling code",
    ),
    "domain": Fact(
        "internet domain of {n}",
        "The internet domain of {n} is {v}",
        ("What is the internet domain of {t}?", "Which top-level domain does {t} use?", "Internet country code of {t}?"),
        ("What are the internet domains of {l}?", "Which top-level domains do {l} use?"),
        lambda i: i["tld"][0] if i.get("tld") else None,
        "internet domain",
    ),
    "region": Fact(
        "where {n} lies",
        "{n} lies in {v}",
        ("Where is {t}?", "In which part of the world is {t}?", "Which region does {t} lie in?"),
        ("Where are {l}?", "In which regions do {l} lie?"),
        lambda i: i.get("subregion") or None,
        "region",
    ),
    "people": Fact(
        "what the people of {n} are called",
        "The people of {n} are called {v}",
        ("What are the people of {t} called?", "What is the demonym of {t}?", "What do you call someone from {t}?"),
        ("What are the people of {l} called?",),
        lambda i: i.get("demonym") or None,
        "demonym",
    ),
}  # fmt: skip
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


@dataclass
class Trajectory:
    """A question, its turns of (thought, queries), and what is written once everything was read."""

    kind: str
    question: str
    steps: list[tuple[str, list[str]]]
    final: Callable[[Callable[[str], int | None]], tuple[str, str]]
    value_of: dict[str, str] = field(default_factory=dict)  # query -> words its passage must hold


class Maker:
    """Writes trajectories over `names` out of `facts` and retrieves their evidence from `collection`."""

    def __init__(self, engine: LlamaEngine, collection: Collection, names: Sequence[str], seed: int) -> None:
        self.random = random.Random(seed)
        self.engine, self.collection = engine, collection
        self.countries = world.countries()
        self.by_code = {i["ISO"]["alpha3"]: n for n, i in self.countries.items()}
        self.names = [n for n in names if n in self.countries]

    # --- questions -----------------------------------------------------------------------------------------------

    def make(self, kind: str | None = None) -> Trajectory:
        kinds = {"look": 14, "list": 26, "several": 7, "neighbours": 16, "reverse": 8, "bridge": 8, "compare": 11, "most": 2,
                 "unknown": 8}  # fmt: skip
        kind = kind or self.random.choices(list(kinds), list(kinds.values()))[0]
        while True:
            made: Trajectory | None = getattr(self, "_" + kind)()
            if made:
                return made

    def _fact(self, only: Sequence[str] | None = None) -> str:
        pool = {k: w for k, w in WEIGHTS.items() if only is None or k in only}
        return self.random.choices(list(pool), list(pool.values()))[0]

    def _with(self, key: str, count: int) -> list[str]:
        having = [n for n in self.names if FACTS[key].value(self.countries[n])]
        return self.random.sample(having, min(count, len(having)))

    def _the(self, name: str) -> str:
        return f"the {name}" if name in ARTICLE and self.random.random() < 0.7 else name

    def _typed(self, question: str) -> str:
        """As people type: now and then without a capital or the question mark."""
        roll = self.random.random()
        if roll < 0.08:
            return question.lower().rstrip("?")
        return question.rstrip("?") if roll < 0.14 else question

    def _listed(self, names: Sequence[str]) -> str:
        names = [self._the(n) for n in names]
        return f"{', '.join(names[:-1])}{',' if self.random.random() < 0.15 and len(names) > 2 else ''} and {names[-1]}"

    def _look(self) -> Trajectory:
        key = self._fact()
        (name,) = self._with(key, 1)
        question = self.random.choice(FACTS[key].ask).format(t=self._the(name))
        return self._facts("look", self._typed(question), [(key, name)], self.random.choice(ONE))

    def _list(self) -> Trajectory:
        key = self._fact()
        names = self._with(key, self.random.choices([2, 3, 4, 5, 6], [5, 8, 4, 2, 1])[0])
        question = self.random.choice(FACTS[key].ask_many).format(l=self._listed(names))
        return self._facts("list", self._typed(question), [(key, n) for n in names], self.random.choice(MANY))

    def _several(self) -> Trajectory:
        keys = list(dict.fromkeys(self._fact() for _ in range(2)))
        name = self.random.choice(self.names)
        if len(keys) < 2 or not all(FACTS[k].value(self.countries[name]) for k in keys):
            return self._list()
        nouns = f"the {FACTS[keys[0]].noun} and the {FACTS[keys[1]].noun}"
        question = self.random.choice(
            (f"What are {nouns} of {self._the(name)}?", f"Tell me {nouns} of {self._the(name)}.")
        )
        return self._facts("several", question, [(k, name) for k in keys], self.random.choice(MANY))

    def _facts(self, kind: str, question: str, wanted: Sequence[tuple[str, str]], thought: str) -> Trajectory:
        queries = [FACTS[k].query.format(n=n) for k, n in wanted]
        return Trajectory(kind, question, [(thought, queries)], self._stated(wanted, queries))

    def _stated(self, wanted: Sequence[tuple[str, str]], queries: Sequence[str]) -> Callable[..., tuple[str, str]]:
        def final(cite: Callable[[str], int | None]) -> tuple[str, str]:
            said, values = [], []
            for (key, name), query in zip(wanted, queries, strict=True):
                number = cite(query)
                value = FACTS[key].value(self.countries[name])
                if number is None or value is None:
                    said.append(f"Nothing was found on the {FACTS[key].noun} of {name}.")
                    continue
                said.append(f"{FACTS[key].state.format(n=name, v=value)} [{number}].")
                values.append(value)
            return " ".join(said), _joined(values)

        return final

    def _neighbours(self) -> Trajectory | None:
        key = self.random.choices(["capital", "currency", "population"], [8, 1, 1])[0]
        having = [n for n in self.names if 1 <= len(world.borders(self.countries[n], self.by_code)) <= 8]
        name = self.random.choice(having)
        around = world.borders(self.countries[name], self.by_code)
        if len(around) > 5 and self.random.random() < 0.5:
            return None
        if not all(FACTS[key].value(self.countries[n]) for n in around):
            return None
        many = {"capital": "capitals", "currency": "currencies", "population": "populations"}[key]
        t = self._the(name)
        question = self.random.choice((
            f"What are the {many} of the countries that border {t}?", f"Name the {many} of {t}'s neighbours.",
            f"{many.capitalize()} of the neighbouring countries of {t}?", f"What are the {many} of the countries around {t}?",
            f"List the {many} of all countries bordering {t}.", f"Which {many} do the neighbours of {t} have?",
        ))  # fmt: skip
        first = f"countries that border {name}"
        second = [FACTS[key].query.format(n=n) for n in around]
        listed = world._list(around)
        steps = [
            (self.random.choice((f"First I need the neighbours of {name}.", "First I need the neighbours.")), [first]),
            (
                f"{name} borders {listed}. Now their {many}, all at once."
                if len(around) > 1
                else f"{name} borders {listed}.",
                second,
            ),
        ]
        return Trajectory("neighbours", self._typed(question), steps, self._stated([(key, n) for n in around], second))

    def _reverse(self) -> Trajectory:
        (name,) = self._with("capital", 1)
        capital = self.countries[name]["capital"]
        question = self.random.choice((
            f"Which country has the capital {capital}?", f"{capital} is the capital of which country?",
            f"What country is {capital} the capital of?", f"Whose capital is {capital}?",
        ))  # fmt: skip
        query = f"country whose capital is {capital}"

        def final(cite: Callable[[str], int | None]) -> tuple[str, str]:
            number = cite(query)
            return (f"{capital} is the capital of {name} [{number}].", name) if number else ("", NOT_FOUND)

        made = Trajectory("reverse", self._typed(question), [(self.random.choice(ONE), [query])], final)
        made.value_of[query] = f"capital of {name} is {capital}"
        return made

    def _bridge(self) -> Trajectory | None:
        key = self._fact(("population", "area", "currency", "language", "calling"))
        (name,) = self._with(key, 1)
        capital = self.countries[name].get("capital")
        if not capital:
            return None
        of = f"of the country whose capital is {capital}"
        question = self.random.choice((f"What is the {FACTS[key].noun} {of}?", f"Give me the {FACTS[key].noun} {of}."))
        first, second = f"country whose capital is {capital}", FACTS[key].query.format(n=name)
        steps = [
            (f"First I need the country whose capital is {capital}.", [first]),
            (f"{capital} is the capital of {name}. Now its {FACTS[key].noun}.", [second]),
        ]
        made = Trajectory("bridge", self._typed(question), steps, self._stated([(key, name)], [second]))
        made.value_of[first] = f"capital of {name} is {capital}"
        return made

    def _compare(self) -> Trajectory:
        return self._ordering(2, "compare")

    def _most(self) -> Trajectory:
        return self._ordering(self.random.choice((3, 4)), "most")

    def _ordering(self, count: int, kind: str) -> Trajectory:
        key = self.random.choice(("population", "area"))
        names = self._with(key, count)
        most = self.random.random() < 0.65
        if key == "population":
            word = (
                ("more people" if most else "fewer people")
                if count == 2
                else ("the most people" if most else "the fewest people")
            )
        else:
            word = (
                ("a larger area" if most else "a smaller area")
                if count == 2
                else ("the largest area" if most else "the smallest area")
            )
        listed = f"{self._the(names[0])} or {self._the(names[1])}" if count == 2 else self._listed(names)
        question = f"Which has {word}, {listed}?" if count == 2 else f"Which of {listed} has {word}?"
        queries = [FACTS[key].query.format(n=n) for n in names]

        def final(cite: Callable[[str], int | None]) -> tuple[str, str]:
            numbers = {n: int(self.countries[n][key]) for n in names}
            said = []
            for name, query in zip(names, queries, strict=True):
                said.append(f"{name}: {numbers[name]:,} ({_width(numbers[name])}) [{cite(query)}].")
            best = names[0]
            for name in names[1:]:
                said.append(_ordered(best, numbers[best], name, numbers[name]))
                if (numbers[name] > numbers[best]) == most:
                    best = name
            return " ".join(said) + f" So {best} has {word}.", best

        return Trajectory(kind, self._typed(question), [(self.random.choice(MANY), queries)], final)

    def _unknown(self) -> Trajectory:
        if self.random.random() < 0.35:
            key = self._fact(("capital", "population", "currency"))
            name = self.random.choice(NOWHERE)
            question, query = self.random.choice(FACTS[key].ask).format(t=name), FACTS[key].query.format(n=name)
        else:
            name = self.random.choice(self.names)
            question = self.random.choice(UNKNOWN).format(t=self._the(name))
            query = re.sub(r"^(Who is|What is|Who|When|Which|How many|When was) (the )?|\?$", "", question)
        said = self.random.choice(("The results do not say.", "The results do not answer this."))
        made = Trajectory("unknown", question, [(self.random.choice(ONE), [query])], lambda cite: (said, NOT_FOUND))
        made.value_of[query] = ""
        return made

    # --- evidence ------------------------------------------------------------------------------------------------

    def play(self, made: Trajectory) -> dict[str, Any] | None:
        """The trajectory with what hds retrieves for it; None when that does not hold the answer."""
        count = lambda text: self.engine.count([Segment(text)])  # noqa: E731
        evidence = Evidence(made.question, count)
        segments = [(s.text, s.trusted, False) for s in protocol.prompt(made.question, hds_starter.PREAMBLE, "")]
        opened = False
        numbers: dict[str, int | None] = {}
        shown: set[int] = set()
        used = 0
        for thought, queries in made.steps:
            opening = "" if opened else f"{protocol.THINK}\n"
            block = f"{protocol.BEGIN_QUERIES}\n{';'.join(f'{chr(10)}{q}' for q in queries).strip()}\n"
            segments.append((f"{opening}{thought}\n{protocol.END_THINK}\n\n{block}{protocol.END_QUERIES}", False, True))
            opened = True
            pages = [(query, self._pages(query)) for query in queries]
            budget = turn_budget(
                hds_starter.N_CTX,
                hds_starter.N_CTX - used - 512,
                hds_starter.EVIDENCE_PASSAGES,
                hds_starter.EVIDENCE_TOKENS,
            )
            found = evidence.select(pages, budget)
            segments += [
                (s.text, s.trusted, False)
                for s in protocol.results_block(list(zip(queries, found, strict=True)), shown)
            ]
            for query, passages in zip(queries, found, strict=True):
                shown |= {p.n for p in passages}
                words = made.value_of.get(query)
                hits = [p.n for p in passages if words is None or words in p.full]
                numbers[query] = hits[0] if hits else None
            used = sum(len(text) for text, _, _ in segments) // 4
        said, answer = made.final(numbers.get)
        if not answer or (answer != NOT_FOUND and not self._covers(answer, evidence)):
            return None
        ready = (
            self.random.choice(("I have what I need.", "The results answer this."))
            if answer != NOT_FOUND
            else "Nothing fits."
        )
        close = f"{ready}\n{protocol.END_THINK}\n\n{said}\n\n{protocol.BOX}{answer}}}"
        segments += [(close, False, True), (protocol.TURN_END, True, True)]
        return {
            "question": made.question,
            "answer": answer,
            "kind": made.kind,
            "steps": [q for _, q in made.steps],
            "segments": segments,
        }

    def _covers(self, answer: str, evidence: Evidence) -> bool:
        text = " ".join(p.full for p in evidence.passages)
        return all(part.strip() in text for part in re.split(r", |; | and ", answer) if not part.endswith("kilometres"))

    def _pages(self, query: str) -> list[Page]:
        results = self.collection.search(query, TOP_K)
        if self.random.random() < 0.08:
            results = results[1:] + results[:1]  # the best page is not always first
        return [page for r in results if (page := self.collection.read(r.url))]

    def tokens(self, segments: Sequence[tuple[str, bool, bool]]) -> tuple[list[int], list[int]]:
        """Token ids, and 1 where the model is to learn what it writes."""
        ids: list[int] = []
        mask: list[int] = []
        for text, trusted, learned in segments:
            piece = self.engine.tokenize([Segment(text, trusted)])
            ids += piece
            mask += [int(learned)] * len(piece)
        return ids, mask


class FactbookMaker(Maker):
    """Look-ups and lists over the long pages of the World Factbook: the same questions, other evidence."""

    PATTERNS = {
        "capital": re.compile(r"### Capital\n\nname: ([^\n;(]+?)(?:\n| \()"),
        "area": re.compile(r"### Area\n\n\| total \| ([\d,]+ sq km)"),
        "domain": re.compile(r"Internet country code: (\.\w\w)\b"),
        "peak": re.compile(r"\| highest point \| ([A-Z][^\d|(\n]{3,40}?) [\d,]+ m"),
    }
    STATES = {
        "capital": FACTS["capital"],
        "area": FACTS["area"],
        "domain": FACTS["domain"],
        "peak": Fact(
            "highest point of {n}", "The highest point of {n} is {v}",
            ("What is the highest point of {t}?", "Which mountain is the highest in {t}?"),
            ("What are the highest points of {l}?", "What is the highest point of each of {l}?"), lambda i: None, "highest point",
        ),
    }  # fmt: skip

    def __init__(
        self, engine: LlamaEngine, collection: Collection, names: Sequence[str], seed: int, corpus: Path
    ) -> None:
        super().__init__(engine, collection, names, seed)
        self.values: dict[str, dict[str, str]] = {key: {} for key in self.PATTERNS}
        for document in read_jsonl(corpus, collection.name):
            name = document.title.removesuffix(" (World Factbook)")
            for key, pattern in self.PATTERNS.items():
                if name in self.names and (found := pattern.search(document.text)):
                    self.values[key][name] = found[1].strip()

    def make(self, kind: str | None = None) -> Trajectory:
        key = self.random.choice(list(self.PATTERNS))
        fact = self.STATES[key]
        count = self.random.choices([1, 2, 3, 4], [4, 2, 2, 1])[0]
        names = self.random.sample(sorted(self.values[key]), count)
        queries = [fact.query.format(n=n) for n in names]
        ask = fact.ask if count == 1 else fact.ask_many
        listed = self._listed(names) if count > 1 else ""
        question = self.random.choice(ask).format(t=self._the(names[0]), l=listed)

        def final(cite: Callable[[str], int | None]) -> tuple[str, str]:
            values = [self.values[key][n] for n in names]
            said = [
                f"{fact.state.format(n=n, v=v)} [{cite(q)}]."
                for n, v, q in zip(names, values, queries, strict=True)
                if cite(q)
            ]
            return " ".join(said), _joined(values) if len(said) == count else ""

        made = Trajectory(
            "factbook", self._typed(question), [(self.random.choice(ONE if count == 1 else MANY), queries)], final
        )
        for name, query in zip(names, queries, strict=True):
            made.value_of[query] = self.values[key][name]
        return made


def _joined(values: Sequence[str]) -> str:
    if len(values) < 2 or any("," in v or " and " in v for v in values):
        return "; ".join(values)
    return world._list(list(values))


def _width(number: int) -> str:
    return f"{len(str(number))} digits"


def _ordered(a: str, x: int, b: str, y: int) -> str:
    """Two numbers ordered as one does on paper: by length, then digit by digit from the left."""
    left, right = str(x), str(y)
    if len(left) != len(right):
        sign = "more" if len(left) > len(right) else "fewer"
        return f"{a} has {sign} digits than {b}."
    for p, q in zip(left, right, strict=True):
        if p != q:
            sign = ">" if p > q else "<"
            return f"Same length, first difference {p} {sign} {q}: {a} {sign} {b}."
    return f"{a} = {b}."


def split(names: Sequence[str], held_out: int = 50) -> tuple[list[str], list[str]]:
    """Countries to train on and to validate with; the same for every seed."""
    shuffled = sorted(names)
    random.Random(7).shuffle(shuffled)
    return shuffled[held_out:], shuffled[:held_out]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--samples", type=int, default=2600)
    parser.add_argument("--valid-samples", type=int, default=150)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("train.jsonl"))
    parser.add_argument("--valid", type=Path, default=Path("valid.jsonl"))
    parser.add_argument("--factbook", type=Path, help="corpus.jsonl of the World Factbook")
    parser.add_argument("--factbook-share", type=float, default=0.12)
    args = parser.parse_args()
    engine = LlamaEngine(hds_starter.model(), n_ctx=512)
    train, valid = split(list(world.countries()))
    with tempfile.TemporaryDirectory() as folder:
        pages = Collection("world", Path(folder), create=True)
        pages.update(world.documents(), "training")
        book = Collection("factbook", Path(folder), create=True) if args.factbook else None
        if book:
            book.update(read_jsonl(args.factbook, "factbook"), "training")
        for names, count, out, seed in (
            (train, args.samples, args.out, args.seed),
            (valid, args.valid_samples, args.valid, 99),
        ):
            makers = [Maker(engine, pages, names, seed)]
            if book:
                makers.append(FactbookMaker(engine, book, names, seed, args.factbook))
            _write(makers, count, out, random.Random(seed), args.factbook_share)


def _write(makers: Sequence[Maker], count: int, out: Path, choose: random.Random, share: float) -> None:
    tokens = 0
    with out.open("w", encoding="utf-8") as file:
        written = 0
        while written < count:
            maker = makers[-1] if choose.random() < share else makers[0]
            row = maker.play(maker.make())
            if row is None:
                continue
            row["ids"], row["mask"] = maker.tokens(row["segments"])
            tokens += len(row["ids"])
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
            written += 1
    print(f"{out}: {count} trajectories, {tokens / count:.0f} tokens each")


if __name__ == "__main__":
    main()
