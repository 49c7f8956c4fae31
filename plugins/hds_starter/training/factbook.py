"""Questions over the long pages of the World Factbook: facts, lists, orderings, sums, neighbours, reverse look-ups."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from hds_cli.engine.llama.model import LlamaEngine
from hds_cli.search.local import Collection, read_jsonl
from hds_starter import world
from hds_starter.training.facts import ARTICLE, MANY, NOT_FOUND, ONE
from hds_starter.training.trajectory import Cite, Player, Said, Trajectory, counted, unless_missing


@dataclass(frozen=True)
class Attribute:
    """Where a page says it, how it is searched for and stated, and its words of more and less (numbers only)."""

    pattern: re.Pattern[str]
    query: str
    noun: str
    more: tuple[str, str] = ("", "")
    less: tuple[str, str] = ("", "")
    summed: bool = False
    plural: str = ""

    @property
    def nouns(self) -> str:
        """The noun of several."""
        return self.plural or f"{self.noun}s"


def _of(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


ATTRIBUTES = {
    "capital": Attribute(_of(r"### Capital\n\nname: ([^\n;(]+?)(?:\n| \(|;)"), "capital of {n}", "capital"),
    "domain": Attribute(_of(r"Internet country code: (\.\w\w)\b"), "Internet country code of {n}", "Internet country code"),
    "peak": Attribute(_of(r"\| highest point \| ([A-Z][^\d|(\n]{3,40}?) [\d,]+ m"), "highest point of {n}", "highest point"),
    "area": Attribute(
        _of(r"### Area\n\n\| total ?\| ([\d,]+ sq km)"), "total area of {n}", "total area",
        ("larger", "largest"), ("smaller", "smallest"), summed=True,
    ),
    "population": Attribute(
        _of(r"### Population\n\n\| total \| ([\d,]+)"), "population of {n}", "population",
        ("larger", "largest"), ("smaller", "smallest"), summed=True,
    ),
    "coast": Attribute(
        _of(r"Coastline: ([1-9][\d,.]* km)"), "coastline of {n}", "coastline",
        ("longer", "longest"), ("shorter", "shortest"), summed=True,
    ),
    "age": Attribute(
        _of(r"### Median age\n\n\| total \| ([\d.]+ years)"), "median age of {n}", "median age",
        ("higher", "highest"), ("lower", "lowest"),
    ),
    "life": Attribute(
        _of(r"\| total population \| ([\d.]+ years)"), "life expectancy at birth of {n}", "life expectancy at birth",
        ("higher", "highest"), ("lower", "lowest"), plural="life expectancies at birth",
    ),
    "rail": Attribute(
        _of(r"### Railways\n\ntotal: ([\d,]+ km)"), "railway network of {n}", "railway network",
        ("longer", "longest"), ("shorter", "shortest"), summed=True,
    ),
    "gdp": Attribute(
        _of(r"\| Real GDP per capita 20\d\d \| (\$[\d,]+)"), "real GDP per capita of {n}", "real GDP per capita",
        ("higher", "highest"), ("lower", "lowest"), plural="figures of real GDP per capita",
    ),
}  # fmt: skip
NUMBERS = [key for key, a in ATTRIBUTES.items() if a.more[0]]
SUMS = [key for key, a in ATTRIBUTES.items() if a.summed]
_BORDERS = re.compile(r"border countries: ([^\n]+)")
_BORDER = re.compile(r"([A-Z][^;\d(]+?) (?:\([^)]*\) )?[\d,.]+ km")


class FactbookMaker(Player):
    """Trajectories over the pages of `names`."""

    def __init__(
        self, engine: LlamaEngine, collection: Collection, names: Sequence[str], seed: int, corpus: Path,
        *, valid: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(engine, collection, seed, valid=valid)
        self.values: dict[str, dict[str, str]] = {key: {} for key in ATTRIBUTES}
        self.borders: dict[str, list[str]] = {}
        self.names: list[str] = []
        for document in read_jsonl(corpus, collection.name):
            self._learn(document.title.removesuffix(" (World Factbook)"), document.text, set(names))

    def _learn(self, name: str, text: str, names: set[str]) -> None:
        for key, attribute in ATTRIBUTES.items():
            if match := attribute.pattern.search(text):
                self.values[key][name] = match[1].strip()
        if match := _BORDERS.search(text):
            self.borders[name] = [m[1].strip() for m in _BORDER.finditer(match[1])]
        if name in names:
            self.names.append(name)

    def make(self) -> Trajectory | None:
        kinds = {
            "look": 10,
            "each": 13,
            "compare": 7,
            "among": 8,
            "total": 5,
            "neighbours": 14,
            "borders": 9,
            "bridge": 6,
        }
        kind = self.random.choices(list(kinds), list(kinds.values()))[0]
        trajectory: Trajectory | None = getattr(self, "_" + kind)()
        return trajectory

    def _the(self, name: str) -> str:
        return "the " + name.removeprefix("The ") if name in ARTICLE or name.startswith("The ") else name

    def _some(self, key: str, count: int) -> list[str] | None:
        having = [n for n in self.names if n in self.values[key]]
        return self.random.sample(having, count) if len(having) >= count else None

    def _listed(self, names: Sequence[str]) -> str:
        return world._list([self._the(n) for n in names])

    def _wanted(self, key: str, names: Sequence[str]) -> tuple[list[str], dict[str, tuple[str, str]]]:
        queries = [ATTRIBUTES[key].query.format(n=n) for n in names]
        return queries, {q: (self.values[key][n], n) for q, n in zip(queries, names, strict=True)}

    # --- kinds ---------------------------------------------------------------------------------------------------

    def _look(self) -> Trajectory | None:
        key = self.random.choice(list(ATTRIBUTES))
        names = self._some(key, 1)
        if not names:
            return None
        noun, t = ATTRIBUTES[key].noun, self._the(names[0])
        question = self.pick((
            f"What is {t}'s {noun}?", f"{noun} of {t}?", f"Tell me the {noun} of {t}.", f"{t}: {noun}?",
            f"What's the {noun} of {t}?", f"Look up the {noun} of {t}.", f"I want to know {t}'s {noun}.", f"{noun} {t}",
            f"What is the {noun} of {t}?",
        ))  # fmt: skip
        return self._stated("look", question, key, names, ONE)

    def _each(self) -> Trajectory | None:
        key = self.random.choice(["capital"] * 6 + list(ATTRIBUTES)[1:3] * 2 + NUMBERS)
        names = self._some(key, self.random.choice((2, 3, 3, 4, 4, 5, 6)))
        if not names:
            return None
        noun, many = ATTRIBUTES[key].noun, ATTRIBUTES[key].nouns
        question = self.pick((
            f"Give the {noun} of {self._listed(names)}.", f"For each of {self._listed(names)}: what is the {noun}?",
            f"{noun} of {self._listed(names)}, one by one?", f"List the {noun} of {self._listed(names)}.",
            f"the {noun} of {self._listed(names)}", f"I need the {noun} for {self._listed(names)}.",
            f"{self._listed(names)}: {noun} of each?", f"Tell me the {noun} of {self._listed(names)}.",
            f"What are the {many} of {self._listed(names)}?", f"Name the {many} of {self._listed(names)}.",
            f"What is the {noun} of {self._listed(names)}, each?", f"Find the {noun} of each of {self._listed(names)}.",
            f"{many} of {self._listed(names)}", f"Which {many} do {self._listed(names)} have?",
            f"What are the {many} of these: {self._listed(names)}?", f"each of {self._listed(names)}: {noun}",
            f"What is the {noun} of each of {self._listed(names)}?",
        ))  # fmt: skip
        return self._stated("list", question, key, names, MANY)

    def _stated(self, kind: str, question: str, key: str, names: list[str], thoughts: Sequence[str]) -> Trajectory:
        queries, holds = self._wanted(key, names)

        def final(cite: Cite) -> Said:
            statements, answers = [], []
            for name, query in zip(names, queries, strict=True):
                number = cite(query)
                if number is None:
                    statements.append(f"Nothing was found on the {ATTRIBUTES[key].noun} of {name}.")
                    continue
                value = self.values[key][name]
                statements.append(f"{name}: {value} [{number}].")
                answers.append(value if len(names) == 1 else f"{name}: {value}")
            return Said(" ".join(statements), "; ".join(answers) or NOT_FOUND)

        steps = [(self.random.choice(list(thoughts)), queries)]
        return Trajectory(kind, self.typed(question), steps, final, holds)

    def _compare(self) -> Trajectory | None:
        return self._ordered(2)

    def _among(self) -> Trajectory | None:
        return self._ordered(self.random.choice((3, 4, 4, 5, 6, 6)))

    def _ordered(self, count: int) -> Trajectory | None:
        key = self.random.choice(NUMBERS)
        names = self._some(key, count)
        if not names:
            return None
        most, noun = self.random.random() < 0.55, ATTRIBUTES[key].noun
        comparative, superlative = ATTRIBUTES[key].more if most else ATTRIBUTES[key].less
        a, b = self._the(names[0]), self._the(names[1])
        pair, listed = f"{a} or {b}", self._listed(names)
        question = self.pick((
            f"Whose {noun} is {comparative}, {pair}?", f"{pair}: which one has the {comparative} {noun}?",
            f"Which has the {comparative} {noun}: {pair}?", f"Is the {noun} {comparative} in {a} or in {b}?",
            f"{comparative} {noun}: {pair}?", f"Does {a} or {b} have the {comparative} {noun}?",
            f"Between {a} and {b}, whose {noun} is {comparative}?",
            f"Which country has the {comparative} {noun}, {pair}?",
        ) if count == 2 else (
            f"Which of {listed} has the {superlative} {noun}?", f"{listed}: where is the {noun} {superlative}?",
            f"Of {listed}, whose {noun} is the {superlative}?", f"{superlative} {noun} of {listed}?",
            f"Which country has the {superlative} {noun} of these: {listed}?", f"Whose {noun} is {superlative}: {listed}?",
            f"Name the country with the {superlative} {noun}, out of {listed}.",
            f"Among {listed}, which country has the {superlative} {noun}?",
        ))  # fmt: skip
        queries, holds = self._wanted(key, names)
        final = self._best(key, names, queries, "largest" if most else "smallest")
        kind = "compare" if count == 2 else "most"
        return Trajectory(kind, self.typed(question), [(self.random.choice(MANY), queries)], final, holds)

    def _best(self, key: str, names: Sequence[str], queries: Sequence[str], operation: str) -> Callable[[Cite], Said]:
        def final(cite: Cite) -> Said:
            values = self.values[key]
            missing = [n for n, q in zip(names, queries, strict=True) if cite(q) is None]
            if missing:
                return Said(f"Nothing was found on the {ATTRIBUTES[key].noun} of {world._list(missing)}.", NOT_FOUND)
            order = sorted(names, key=lambda n: _number(values[n]), reverse=operation == "largest")
            if _number(values[order[0]]) == _number(values[order[1]]):
                return Said("", "")
            statements = [f"{n}: {values[n]} [{cite(q)}]." for n, q in zip(names, queries, strict=True)]
            return Said(" ".join(statements), order[0], counted(operation, [(n, values[n]) for n in names]))

        return final

    def _total(self) -> Trajectory | None:
        key = self.random.choice(SUMS)
        names = self._some(key, self.random.choice((2, 2, 3, 3, 4)))
        if not names:
            return None
        noun = ATTRIBUTES[key].noun
        unit = " ".join(self.values[key][names[0]].split()[1:])
        tail = f", in {unit}" if unit else ""
        question = self.pick((
            f"How much is the {noun} of {self._listed(names)} together{tail}?",
            f"Add up the {noun} of {self._listed(names)}{tail}.", f"Sum of the {noun} of {self._listed(names)}{tail}?",
            f"What is the {noun} of {self._listed(names)} taken together{tail}?", f"Total the {noun} of {self._listed(names)}{tail}.",
            f"What does the {noun} of {self._listed(names)} add up to{tail}?",
            f"What is the {noun} of {self._listed(names)} combined{tail}?", f"{self._listed(names)} together: what {noun}{tail}?",
            f"What is the combined {noun} of {self._listed(names)}{tail}?",
        ))  # fmt: skip
        queries, holds = self._wanted(key, names)

        def final(cite: Cite) -> Said:
            if any(cite(q) is None for q in queries):
                return Said(f"The {noun} of one of them was not found.", NOT_FOUND)
            values = [(n, self.values[key][n]) for n in names]
            statements = [f"{n}: {v} [{cite(q)}]." for (n, v), q in zip(values, queries, strict=True)]
            return Said(" ".join(statements), f"{sum(int(_number(v)) for _, v in values):,}", counted("sum", values))

        return Trajectory("sum", self.typed(question), [(self.random.choice(MANY), queries)], final, holds)

    def _neighbours(self) -> Trajectory | None:
        key = self.random.choice([*NUMBERS, "capital"])
        name = self.random.choice(self.names)
        around = self.borders.get(name, [])
        if not 2 <= len(around) <= 8 or any(n not in self.values[key] for n in around):
            return None
        noun, t = ATTRIBUTES[key].noun, self._the(name)
        first, listed = f"countries that border {name}", world._list(around)
        queries, holds = self._wanted(key, around)
        holds[first] = (f"border countries: {around[0]}", name)
        if key == "capital":
            question = self.pick((
                f"Capitals of the countries next to {t}?", f"List the capitals of {t}'s neighbours.",
                f"What is the capital of each neighbour of {t}?", f"What are the capitals of the countries around {t}?", f"The neighbours of {t} have which capitals?",
                f"Name the capital of every country that borders {t}.",
            ))  # fmt: skip
            final = self._stated("list", "", key, around, MANY).final
        else:
            most = self.random.random() < 0.6
            superlative = (ATTRIBUTES[key].more if most else ATTRIBUTES[key].less)[1]
            question = self.pick((
                f"Which neighbour of {t} has the {superlative} {noun}?",
                f"Which of the countries bordering {t} has the {superlative} {noun}?",
                f"Among the neighbours of {t}, whose {noun} is {superlative}?",
                f"{t}'s neighbours: which one has the {superlative} {noun}?",
                f"Which country that borders {t} has the {superlative} {noun}?", f"Whose {noun} is {superlative}, among {t}'s neighbours?",
                f"Of all countries with a border to {t}, name the one with the {superlative} {noun}.",
                f"Which country next to {t} has the {superlative} {noun}?",
                f"Of the countries that share a land border with {t}, which is the one with the {superlative} {noun}?",
            ))  # fmt: skip
            final = self._best(key, around, queries, "largest" if most else "smallest")
        steps = [
            (f"First I need the neighbours of {name}.", [first]),
            (f"{name} borders {listed}. Now the {noun} of each, all at once.", queries),
        ]
        final = unless_missing(first, f"which countries border {name}", final)
        return Trajectory("neighbours", self.typed(question), steps, final, holds)

    def _borders(self) -> Trajectory | None:
        name = self.random.choice(self.names)
        around, query, t = self.borders.get(name, []), f"countries that border {name}", self._the(name)
        if not around:
            return None
        question = self.pick((
            f"Which countries have a land border with {t}?", f"Which countries border {t}?", f"Who borders {t}?",
            f"{t} borders which countries?", f"List the neighbours of {t}.", f"Who are the neighbours of {t}?", f"countries bordering {t}",
            f"{t} shares a land border with which countries?", f"Name all countries that share a border with {t}.",
            f"What are the land borders of {t}?", f"Countries on the border of {t}?", f"What countries border {t} on land?",
            f"Which countries share a land border with {t}?",
        ))  # fmt: skip

        def final(cite: Cite) -> Said:
            return Said(f"{name} borders {world._list(around)} [{cite(query)}].", world._list(around))

        final = unless_missing(query, f"which countries border {name}", final)
        holds = {query: (f"border countries: {around[0]}", name)}
        return Trajectory("borders", self.typed(question), [(self.random.choice(ONE), [query])], final, holds)

    def _bridge(self) -> Trajectory | None:
        key = self.random.choice(("domain", "capital", "population", "area"))
        names = self._some("peak", 1)
        if not names or names[0] not in self.values[key]:
            return None
        name, peak, noun = names[0], self.values["peak"][names[0]], ATTRIBUTES[key].noun
        of = f"the country whose highest point is {peak}"
        question = self.pick((
            f"{peak} is the highest point of a country: what is its {noun}?",
            f"The highest point of a country is {peak}. What is the {noun} of that country?", f"{noun} of {of}?",
            f"What {noun} does the country have where {peak} is the highest point?", f"Tell me the {noun} of the country with the highest point {peak}.",
            f"Give the {noun} of {of}.",
            f"What is the {noun} of {of}?",
        ))  # fmt: skip
        first = f"country whose highest point is {peak}"
        queries, holds = self._wanted(key, [name])
        holds[first] = (peak, name)
        final = self._stated("bridge", "", key, [name], ONE).final
        steps = [
            (f"First I need {of}.", [first]),
            (f"{peak} is in {name}. Now its {noun}.", queries),
        ]
        final = unless_missing(first, f"where {peak} is", final)
        return Trajectory("bridge", self.typed(question), steps, final, holds)


def _number(value: str) -> float:
    match = re.search(r"[\d,]+(?:\.\d+)?", value)
    return float(match[0].replace(",", "")) if match else 0.0
