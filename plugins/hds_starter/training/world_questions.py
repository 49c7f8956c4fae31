"""Questions over the collection `world`: look-ups, lists, neighbours, reverse and two-step questions, orderings."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from hds_cli.engine.llama.model import LlamaEngine
from hds_cli.search.local import Collection
from hds_starter import world
from hds_starter.training.facts import ARTICLE, ASK, ASK_MANY, FACTS, MANY, NOT_FOUND, NOWHERE, ONE, UNKNOWN, WEIGHTS
from hds_starter.training.trajectory import Cite, Player, Said, Trajectory, counted, joined, unless_missing


class WorldMaker(Player):
    """Trajectories over the countries `names`, out of the facts of countryinfo and the pages made of them."""

    def __init__(
        self, engine: LlamaEngine, collection: Collection, names: Sequence[str], seed: int, *, valid: bool = False
    ) -> None:
        super().__init__(engine, collection, seed, valid=valid)
        self.countries = world.countries()
        self.by_code = {i["ISO"]["alpha3"]: n for n, i in self.countries.items()}
        self.names = [n for n in names if n in self.countries]

    def make(self, kind: str | None = None) -> Trajectory | None:
        kinds = {"look": 26, "list": 22, "several": 9, "neighbours": 14, "borders": 12, "reverse": 10, "bridge": 7, "compare": 12,
                 "most": 12, "unknown": 12}  # fmt: skip
        kind = kind or self.random.choices(list(kinds), list(kinds.values()))[0]
        trajectory: Trajectory | None = getattr(self, "_" + kind)()
        return trajectory

    def _fact(self, only: Sequence[str] | None = None) -> str:
        pool = {k: w for k, w in WEIGHTS.items() if only is None or k in only}
        return self.random.choices(list(pool), list(pool.values()))[0]

    def _with(self, key: str, count: int) -> list[str]:
        having = [n for n in self.names if FACTS[key].value(self.countries[n])]
        return self.random.sample(having, min(count, len(having)))

    def _the(self, name: str) -> str:
        return f"the {name}" if name in ARTICLE and self.random.random() < 0.7 else name

    def _listed(self, names: Sequence[str]) -> str:
        names = [self._the(n) for n in names]
        return f"{', '.join(names[:-1])}{',' if self.random.random() < 0.15 and len(names) > 2 else ''} and {names[-1]}"

    def _look(self) -> Trajectory:
        key = self._fact()
        (name,) = self._with(key, 1)
        question = self.pick([*ASK, *FACTS[key].ask]).format(t=self._the(name), x=FACTS[key].noun)
        return self._facts("look", self.typed(question), [(key, name)], self.random.choice(ONE))

    def _list(self) -> Trajectory:
        key = self._fact()
        names = self._with(key, self.random.choices([2, 3, 4, 5, 6], [5, 8, 4, 2, 1])[0])
        question = self.pick([*ASK_MANY, *FACTS[key].ask_many]).format(l=self._listed(names), x=FACTS[key].noun)
        return self._facts("list", self.typed(question), [(key, n) for n in names], self.random.choice(MANY))

    def _several(self) -> Trajectory:
        keys = list(dict.fromkeys(self._fact() for _ in range(2)))
        name = self.random.choice(self.names)
        if len(keys) < 2 or not all(FACTS[k].value(self.countries[name]) for k in keys):
            return self._list()
        nouns = f"the {FACTS[keys[0]].noun} and the {FACTS[keys[1]].noun}"
        t = self._the(name)
        question = self.pick((
            f"What are {nouns} of {t}?", f"Give me {nouns} of {t}.", f"{t}: {nouns}?", f"I need {nouns} of {t}.",
            f"Look up {nouns} of {t}.", f"{nouns} of {t}", f"Tell me {nouns} of {t}.",
        ))  # fmt: skip
        return self._facts("several", question, [(k, name) for k in keys], self.random.choice(MANY))

    def _facts(self, kind: str, question: str, asked: Sequence[tuple[str, str]], thought: str) -> Trajectory:
        queries = [FACTS[k].query.format(n=n) for k, n in asked]
        return Trajectory(kind, question, [(thought, queries)], self._stated(asked, queries), _holds(asked, queries))

    def _stated(self, asked: Sequence[tuple[str, str]], queries: Sequence[str]) -> Callable[[Cite], Said]:
        def final(cite: Cite) -> Said:
            statements, values = [], []
            for (key, name), query in zip(asked, queries, strict=True):
                number, value = cite(query), FACTS[key].value(self.countries[name])
                if number is None or value is None:
                    statements.append(f"Nothing was found on the {FACTS[key].noun} of {name}.")
                    continue
                statements.append(f"{FACTS[key].state.format(n=name, v=value)} [{number}].")
                values.append(value)
            return Said(" ".join(statements), joined(values) or NOT_FOUND)

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
        question = self.pick((
            f"What are the {many} of the countries that border {t}?", f"Name the {many} of {t}'s neighbours.",
            f"{many.capitalize()} of the neighbouring countries of {t}?", f"What are the {many} of the countries around {t}?",
            f"List the {many} of all countries bordering {t}.", f"What are the {many} of {t}'s neighbouring countries?",
            f"Give me the {many} of all neighbours of {t}.", f"{many} of {t}'s neighbours", f"{t}'s neighbours: their {many}?",
            f"For every country that shares a border with {t}, name the {FACTS[key].noun}.",
            f"Which {many} do the countries next to {t} have?", f"What is the {FACTS[key].noun} of each country bordering {t}?",
            f"Which {many} do the neighbours of {t} have?",
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
        asked = [(key, n) for n in around]
        holds = _holds(asked, second) | {first: (f"{name} borders", name)}
        final = unless_missing(first, f"which countries border {name}", self._stated(asked, second))
        return Trajectory("neighbours", self.typed(question), steps, final, holds)

    def _borders(self) -> Trajectory:
        name = self.random.choice([n for n in self.names if world.borders(self.countries[n], self.by_code)])
        around, t, query = (
            world.borders(self.countries[name], self.by_code),
            self._the(name),
            f"countries that border {name}",
        )
        question = self.pick((
            f"Which countries border {t}?", f"What are the neighbours of {t}?", f"Name the countries that border {t}.",
            f"Neighbouring countries of {t}?", f"countries bordering {t}", f"List the countries that share a border with {t}.",
            f"Who borders {t}?", f"What countries does {t} share a border with?", f"Countries that share a border with {t}?",
            f"Which nations lie next to {t}?", f"{t} borders which countries?", f"Which countries does {t} border?", f"{t}'s neighbours?",
            f"What countries share a border with {t}?",
        ))  # fmt: skip

        def final(cite: Cite) -> Said:
            listed = world._list(around)
            return Said(f"{name} borders {listed} [{cite(query)}].", joined(around))

        return Trajectory(
            "borders", self.typed(question), [(self.random.choice(ONE), [query])],
            unless_missing(query, f"which countries border {name}", final), {query: (f"{name} borders", name)},
        )  # fmt: skip

    def _reverse(self) -> Trajectory:
        (name,) = self._with("capital", 1)
        capital = self.countries[name]["capital"]
        question = self.pick((
            f"Which country has the capital {capital}?", f"{capital} is the capital of which country?",
            f"What country is {capital} the capital of?", f"Of which country is {capital} the capital?",
            f"Name the country whose capital is {capital}.", f"{capital} is the capital city of what country?",
            f"Which country's capital is {capital}?", f"{capital}: capital of which country?",
            f"{capital} is whose capital?", f"Whose capital city is {capital}?", f"whose capital: {capital}",
            f"Which nation has {capital} as its capital?", f"{capital} is the capital of what?", f"country with the capital {capital}", f"Whose capital is {capital}?",
        ))  # fmt: skip
        query = f"country whose capital is {capital}"

        def final(cite: Cite) -> Said:
            return Said(f"{capital} is the capital of {name} [{cite(query)}].", name)

        holds = {query: (f"capital of {name} is {capital}", name)}
        final = unless_missing(query, f"whose capital {capital} is", final)
        return Trajectory("reverse", self.typed(question), [(self.random.choice(ONE), [query])], final, holds)

    def _bridge(self) -> Trajectory | None:
        key = self._fact(("population", "area", "currency", "language", "calling"))
        (name,) = self._with(key, 1)
        capital = self.countries[name].get("capital")
        if not capital:
            return None
        of = f"of the country whose capital is {capital}"
        noun = FACTS[key].noun
        question = self.pick((
            f"What is the {noun} {of}?", f"{capital} is the capital of a country: what is its {noun}?", f"{noun} {of}?",
            f"Tell me the {noun} {of}.", f"The country with the capital {capital}: what is its {noun}?",
            f"What {noun} does the country with the capital {capital} have?", f"Give me the {noun} {of}.",
        ))  # fmt: skip
        first, second = f"country whose capital is {capital}", FACTS[key].query.format(n=name)
        steps = [
            (f"First I need the country whose capital is {capital}.", [first]),
            (f"{capital} is the capital of {name}. Now its {FACTS[key].noun}.", [second]),
        ]
        holds = _holds([(key, name)], [second]) | {first: (f"capital of {name} is {capital}", name)}
        final = unless_missing(first, f"whose capital {capital} is", self._stated([(key, name)], [second]))
        return Trajectory("bridge", self.typed(question), steps, final, holds)

    def _compare(self) -> Trajectory:
        return self._ordering(2, "compare")

    def _most(self) -> Trajectory:
        return self._ordering(self.random.choice((3, 3, 4, 5, 6)), "most")

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
        a, b = (self._the(name) for name in names[:2])
        question = self.pick((
            f"Which has {word}, {listed}?", f"Does {a} or {b} have {word}?", f"{a} or {b}: which one has {word}?",
            f"Which country has {word}, {listed}?", f"Who has {word}: {listed}?", f"{word}: {listed}?",
            f"Between {a} and {b}, which has {word}?",
        ) if count == 2 else (
            f"Which of {listed} has {word}?", f"Of {listed}, which has {word}?", f"{listed}: which of them has {word}?",
            f"Which country has {word}: {listed}?", f"Who has {word}, of {listed}?", f"Name the one with {word}: {listed}.",
            f"Among {listed}, which country has {word}?",
        ))  # fmt: skip
        queries = [FACTS[key].query.format(n=n) for n in names]

        asked = [(key, n) for n in names]
        final = self._best(asked, queries, word, "largest" if most else "smallest")
        holds = {q: (f"{int(self.countries[n][key]):,}", n) for q, n in zip(queries, names, strict=True)}
        return Trajectory(kind, self.typed(question), [(self.random.choice(MANY), queries)], final, holds)

    def _best(
        self, asked: Sequence[tuple[str, str]], queries: Sequence[str], word: str, operation: str
    ) -> Callable[[Cite], Said]:
        def final(cite: Cite) -> Said:
            missing = [(key, n) for (key, n), q in zip(asked, queries, strict=True) if cite(q) is None]
            if missing:
                listed = world._list([n for _, n in missing])
                return Said(f"Nothing was found on the {FACTS[missing[0][0]].noun} of {listed}.", NOT_FOUND)
            numbers = {n: int(self.countries[n][key]) for key, n in asked}
            best = (max if operation == "largest" else min)(numbers, key=lambda n: numbers[n])
            statements = [f"{n}: {v:,} [{cite(q)}]." for (n, v), q in zip(numbers.items(), queries, strict=True)]
            work = counted(operation, [(n, f"{v:,}") for n, v in numbers.items()])
            return Said(f"{' '.join(statements)} {best} has {word}.", best, work)

        return final

    def _unknown(self) -> Trajectory:
        if self.random.random() < 0.35:
            key = self._fact(("capital", "population", "currency"))
            name = self.random.choice(NOWHERE)
            question, query = self.pick(FACTS[key].ask).format(t=name), FACTS[key].query.format(n=name)
        else:
            name = self.random.choice(self.names)
            question = self.random.choice(UNKNOWN).format(t=self._the(name))
            query = re.sub(r"^(Who is|What is|Who|When|Which|How many|When was) (the )?|\?$", "", question)
        refusal = self.random.choice(("The results do not say.", "The results do not answer this."))
        return Trajectory(
            "unknown",
            question,
            [(self.random.choice(ONE), [query])],
            lambda cite: Said(refusal, NOT_FOUND),
            {query: ("\0", "")},
        )


def _holds(asked: Sequence[tuple[str, str]], queries: Sequence[str]) -> dict[str, tuple[str, str]]:
    """What shows that a fact was found: the country's own page; its wording is our own pages'."""
    return {query: ("", name) for (_, name), query in zip(asked, queries, strict=True)}
