"""Questions from facts, after HDS-QA (arXiv 2508.19113): parallel-hop, and hybrid by substitution into a seed.

Parallel-hop: several pages, each named by a characteristic only, together lead to one answer: what all of them name,
or which of them has most of something. Hybrid: that question stands for its answer in a simple question about it.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace

from hds_cli.evaluation.synth.facts import Fact
from hds_cli.evaluation.synth.pool import Pool, alike
from hds_cli.evaluation.synth.program import Step

_MARGIN = 1.05  # the winner of a comparison is at least so much larger
_WORDS = {2: "two", 3: "three", 4: "four", 5: "five"}


@dataclass(frozen=True)
class Draft:
    """A composed question. `phrase` names its answer in words that fit into another question."""

    kind: str
    question: str
    answer: str
    program: tuple[Step, ...]
    phrase: str = ""

    @property
    def gold(self) -> tuple[str, ...]:
        """The titles of the pages it needs."""
        return tuple(dict.fromkeys(step.title for step in self.program if step.title))

    @property
    def last(self) -> str | None:
        """The page that a hybrid question ends on."""
        return self.program[-1].title or None


def compose(pool: Pool, rng: random.Random) -> Draft | None:
    """One try: a question, or None when the drawn pages give no question."""
    make = rng.choice(_KINDS) if pool.relations else _comparison
    draft = make(pool, rng)
    if draft is None or rng.random() < 0.5:
        return draft
    return _hybrid(pool, draft, rng)


def _comparison(pool: Pool, rng: random.Random) -> Draft | None:
    """A comparison: which of several described pages has the largest or smallest value of an attribute."""
    if not pool.numbers or len(pool.describing) < 5:
        return None
    attr, op = rng.choice(pool.numbers), rng.choice(("largest", "smallest"))
    titles = rng.sample(sorted(pool.describing), rng.randint(3, 5))
    values = [fact for title in titles if (fact := pool.value(title, attr)) and fact.number is not None]
    described = _described(pool, titles, rng)
    if len(values) < len(titles) or described is None:
        return None
    order = sorted(values, key=lambda f: f.number or 0.0, reverse=op == "largest")
    best, second = order[0].number or 0.0, order[1].number or 0.0
    if min(best, second) <= 0 or max(best, second) / min(best, second) < _MARGIN:
        return None
    n, finds = len(titles), _finds(pool, described)
    taken = [_value(fact, place, turn=2) for place, fact in enumerate(values)]
    last = Step("largest" if op == "largest" else "smallest", order[0].title, of=tuple(range(n)), attr=attr)
    listed = _listed([_describe(pool, fact) for fact in described], "or")
    question = f"Which of these {_WORDS[n]} has the {op} {attr}: {listed}?"
    phrase = f"that one of these {_WORDS[n]} which has the {op} {attr} ({listed})"
    return Draft("comparison", question, order[0].title, (*finds, *taken, last), phrase)


def _common(pool: Pool, rng: random.Random) -> Draft | None:
    """A question for what several described pages all name: `borders … and borders …`."""
    kind = rng.choice(pool.relations)
    answer = rng.choice(sorted(pool.pages))
    naming = [t for t in sorted(pool.describing) if t != answer and _names(pool, t, kind, answer)]
    if len(naming) < 2:
        return None
    titles = rng.sample(naming, min(len(naming), rng.randint(2, 4)))
    lists = [relation.items for title in titles if (relation := pool.relation(title, kind))]
    described = _described(pool, titles, rng)
    if described is None or set(lists[0]).intersection(*lists[1:]) != {answer}:
        return None
    if any(alike(fact.value, answer) for fact in described):
        return None
    verb, nouns = kind
    n = len(titles)
    taken = [
        Step("items", "; ".join(items), f"{nouns} that {title} {verb}", title, 2, (place,), attr=nouns, verb=verb)
        for place, (title, items) in enumerate(zip(titles, lists, strict=True))
    ]
    last = Step("common", answer, of=tuple(range(n, 2 * n)))
    among = _listed([f"those that {_describe(pool, fact)} {verb}" for fact in described], "and")
    program = (*_finds(pool, described), *taken, last)
    noun = _noun(nouns)
    return Draft("common", f"Which {noun} is among {among}?", answer, program, f"the {noun} that is among {among}")


_KINDS: tuple[Callable[[Pool, random.Random], Draft | None], ...] = (_comparison, _common, _common)


def _hybrid(pool: Pool, draft: Draft, rng: random.Random) -> Draft | None:
    """A simple question about the draft's answer, in which the draft's question stands in place of the answer."""
    used = {step.attr for step in draft.program}
    facts = [f for f in pool.pages[draft.answer].facts if f.attr not in used and len(f.value.split()) <= 6]
    facts = [f for f in facts if not alike(f.value, draft.answer)]
    if not facts:
        return None
    fact = rng.choice(facts)
    last = replace(_value(fact, len(draft.program) - 1, turn=3), title=draft.answer)
    question = f"What {fact.verb} the {fact.attr} of {draft.phrase}?"
    return Draft(f"hybrid-{draft.kind}", question, fact.value, (*draft.program, last))


def _names(pool: Pool, title: str, kind: tuple[str, str], item: str) -> bool:
    relation = pool.relation(title, kind)
    return relation is not None and item in relation.items


def _described(pool: Pool, titles: list[str], rng: random.Random) -> list[Fact] | None:
    """One characteristic for each page; None when a characteristic gives another page's name away."""
    chosen = [rng.choice(pool.describing[title]) for title in titles]
    if any(alike(fact.value, title) for fact in chosen for title in titles):
        return None
    return chosen


def _finds(pool: Pool, described: list[Fact]) -> list[Step]:
    return [
        Step("find", f.title, f"{pool.noun} whose {f.attr} {f.verb} {f.value}", f.title, 1,
             attr=f.attr, verb=f.verb, value=f.value)
        for f in described
    ]  # fmt: skip


def _value(fact: Fact, place: int, turn: int) -> Step:
    return Step("value", fact.value, f"{fact.attr} of {fact.title}", fact.title, turn, (place,), attr=fact.attr)


def _describe(pool: Pool, fact: Fact) -> str:
    return f"the {pool.noun} whose {fact.attr} {fact.verb} {fact.value}"


def _noun(nouns: str) -> str:
    return nouns[:-3] + "y" if nouns.endswith("ies") else nouns.removesuffix("s")


def _listed(parts: list[str], word: str) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} {word} {parts[-1]}"
