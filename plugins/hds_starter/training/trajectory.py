"""Trajectories: a question, its turns of queries, the evidence hds retrieves for them, and what is to be written."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import hds_starter
from hds_cli.agent import protocol
from hds_cli.agent.evidence import Evidence, turn_budget
from hds_cli.agent.seams import Piece
from hds_cli.engine.base import Segment
from hds_cli.engine.llama.model import LlamaEngine
from hds_cli.search.local import Collection
from hds_cli.types import Page, Passage
from hds_starter import calculation, reading, world
from hds_starter.training.facts import NOT_FOUND

TOP_K = 5
MAX_SENTENCE = 260  # characters of one that is to be copied
Cite = Callable[[str], "int | None"]


@dataclass(frozen=True)
class Said:
    """The end of a trajectory: what is thought (`work`, maybe with a calculation), said with `[n]`, and answered."""

    text: str
    answer: str
    work: str = ""


@dataclass
class Trajectory:
    """A question, its turns of (thought, queries), and what is written once everything was read.

    `holds`: words that a query's passage must hold to count as its evidence, and the page it must be of ("": any).
    `drop`: titles of pages that are kept from the model, as if no search had found them; `needed`: titles of the pages
    that hold the answer, where `holds` does not name them.
    """

    kind: str
    question: str
    steps: list[tuple[str, list[str]]]
    final: Callable[[Cite], Said]
    holds: dict[str, tuple[str, str]] = field(default_factory=dict)
    drop: frozenset[str] = frozenset()
    needed: Sequence[str] = ()

    def pages(self) -> list[str]:
        """The titles of the pages that its answer needs."""
        return sorted({*self.needed, *(title for _, title in self.holds.values() if title)})


class Player:
    """Retrieves the evidence of trajectories from `collection` as a run would, and writes them down as segments.

    Args:
        valid: use the phrasings kept for validation, and only those.
    """

    def __init__(self, engine: LlamaEngine, collection: Collection, seed: int, *, valid: bool = False) -> None:
        self.random = random.Random(seed)
        self.engine, self.collection, self.valid = engine, collection, valid

    def make(self) -> Trajectory | None:
        """A trajectory to be played; None when the dice gave one that cannot be."""
        raise NotImplementedError

    def pick(self, options: Sequence[str]) -> str:
        """One phrasing: the last one of several is kept for validation."""
        if len(options) < 2:
            return options[0]
        return options[-1] if self.valid else self.random.choice(options[:-1])

    def missing(self, trajectory: Trajectory) -> frozenset[str]:
        """Pages to keep from the model: as often all that its answer needs as some of them."""
        pages = trajectory.pages()
        return frozenset(pages if self.random.random() < 0.5 else self.random.sample(pages, 1 + len(pages) // 3))

    def typed(self, question: str) -> str:
        """As people type: now and then without a capital or the question mark."""
        roll = self.random.random()
        if roll < 0.08:
            return question.lower().rstrip("?")
        return question.rstrip("?") if roll < 0.14 else question

    def play(self, trajectory: Trajectory) -> dict[str, Any] | None:
        """The trajectory with what hds retrieves for it; None when that does not fit what is to be said."""
        evidence = Evidence(trajectory.question, lambda text: self.engine.count([Segment(text)]), reading.choose)
        pieces = [
            Piece(*segment) for segment in protocol.prompt(trajectory.question, hds_starter.PREAMBLE, "", older=True)
        ]
        numbers: dict[str, int | None] = {}
        shown: set[int] = set()
        used = 0
        for turn, (thought, queries) in enumerate(trajectory.steps):
            pieces.append(Piece(_search(thought, queries, first=turn == 0), learned=True))
            selections = evidence.select([(q, self._pages(trajectory, q)) for q in queries], _budget(used))
            block = protocol.results_block(list(zip(queries, selections, strict=True)), shown, older=True)
            pieces += [Piece(*segment) for segment in block]
            for query, passages in zip(queries, selections, strict=True):
                shown |= {p.n for p in passages}
                numbers[query] = next((p.n for p in passages if _holds(p, trajectory.holds.get(query))), None)
            used = sum(len(piece.text) for piece in pieces) // 4
            if trajectory.steps[turn + 1 :] and any(numbers[query] is None for query in queries):
                if not trajectory.drop:
                    return None
                break  # what the next turn would be about was not found
        ending = trajectory.final(numbers.get)
        if not ending.answer:
            return None
        pieces += self._ending(ending)
        return {
            "question": trajectory.question,
            "answer": ending.answer,
            "kind": trajectory.kind,
            "steps": [q for _, q in trajectory.steps],
            "needed": trajectory.pages(),
            "dropped": sorted(trajectory.drop),
            "segments": pieces,
        }

    def _ending(self, ending: Said) -> list[Piece]:
        work = ending.work or (
            "Nothing fits."
            if ending.answer == NOT_FOUND
            else self.random.choice(("I have what I need.", "The results answer this."))
        )
        tail = f"\n{protocol.END_THINK}\n\n{ending.text}\n\n{protocol.BOX}{ending.answer}}}"
        pieces = [Piece(work, learned=True)]
        if (result := calculation.result(work)) is not None:
            # The closing is the model's, the result is the run's.
            pieces = [Piece(work, learned=True), Piece(calculation.CLOSE, learned=True), Piece(f" = {result}")]
        return [*pieces, Piece(tail, learned=True), Piece(protocol.TURN_END, True, True)]

    def _pages(self, trajectory: Trajectory, query: str) -> list[Page]:
        results = self.collection.search(query, TOP_K)
        if self.random.random() < 0.08:
            results = results[1:] + results[:1]  # the best page is not always first
        pages = [page for r in results if (page := self.collection.read(r.url))]
        return [page for page in pages if not any(titled(page.title, name) for name in trajectory.drop)]


def _search(thought: str, queries: Sequence[str], *, first: bool) -> str:
    opening = f"{protocol.THINK}\n" if first else ""
    block = f"{protocol.BEGIN_QUERIES}\n{';'.join(f'{chr(10)}{q}' for q in queries).strip()}\n"
    return f"{opening}{thought}\n{protocol.END_THINK}\n\n{block}{protocol.END_QUERIES}"


def _budget(used: int) -> Any:
    room = hds_starter.N_CTX - used - 512
    return turn_budget(
        hds_starter.N_CTX, room, hds_starter.EVIDENCE_PASSAGES, hds_starter.EVIDENCE_TOKENS,
        words=hds_starter.PASSAGE_WORDS,
    )  # fmt: skip


def _holds(passage: Passage, text_and_title: tuple[str, str] | None) -> bool:
    if text_and_title is None:
        return True
    words, title = text_and_title
    return words in passage.full and titled(passage.title, title)


def titled(title: str, name: str) -> bool:
    """Whether a page is the one of `name`, with or without a word in brackets behind it; "" is any page."""
    return not name or title == name or title.startswith(f"{name} (")


def called(title: str) -> str:
    """A page's title without what stands in brackets behind it: `Red Hill (film)` -> `Red Hill`."""
    return re.sub(r" \([^)]*\)$", "", title)


def unless_missing(first: str, what: str, final: Callable[[Cite], Said]) -> Callable[[Cite], Said]:
    """`final`, or "not found" when the query `first`, on which all others rest, found nothing."""

    def ending(cite: Cite) -> Said:
        return Said(f"The results do not say {what}.", NOT_FOUND) if cite(first) is None else final(cite)

    return ending


def joined(values: Sequence[str]) -> str:
    """Values as an answer: a list in words, or with semicolons where a value has commas of its own."""
    if len(values) < 2 or any("," in v or " and " in v for v in values):
        return "; ".join(values)
    return world._list(list(values))


def counted(operation: str, values: Sequence[tuple[str, str]]) -> str:
    """The calculation as the model is to write it, open at its end: `[[largest: Norway 5,600,000; Sweden …`."""
    return f"[[{operation}: {'; '.join(f'{name} {value}' for name, value in values)}"
