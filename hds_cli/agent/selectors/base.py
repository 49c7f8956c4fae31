"""The selector's door: `Selector`, and the `Reading` and `Budget` it is called with."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from hds_cli.types import Page, Passage

Count = Callable[[str], int]


def about_tokens(text: str) -> int:
    """Tokens of a text where nobody can count them: four characters each."""
    return len(text) // 4 + 1


def never() -> bool:
    """For a choice that nobody waits for."""
    return False


@dataclass(frozen=True)
class Reading:
    """A query and its pages, in the order of the search."""

    query: str
    pages: Sequence[Page]


@dataclass(frozen=True)
class Budget:
    """The bounds of what the model reads in a turn.

    Attributes:
        tokens: for the whole turn.
        passages: for one query; one that was shown before does not count.
        words: of a passage, at most.
        count: the tokens of a text.
        shown: address and text of the passages that the model has read in this run.
        late: true once the run wants the choice as it is: what was not looked at by then is left out.
    """

    tokens: int
    passages: int = 12
    words: int = 250
    count: Count = about_tokens
    shown: Collection[tuple[str, str]] = frozenset()
    late: Callable[[], bool] = never

    def price(self, passage: Passage) -> int:
        """The tokens that a passage takes, with its number and what stands before its text."""
        return self.count(passage.text) + self.count(f"{passage.title}: {passage.heading}") + 8


class Chosen(list[Passage]):
    """The passages chosen for one query; `dropped`: those that were weighed against them and left out."""

    def __init__(self, passages: Iterable[Passage] = (), dropped: Iterable[Passage] = ()) -> None:
        super().__init__(passages)
        self.dropped = list(dropped)


class Selector(Protocol):
    """The interface of an entry point of `hds.selectors.v2`."""

    def __call__(self, question: str, readings: Sequence[Reading], budget: Budget) -> Iterable[Iterable[Passage]]:
        """The passages to read for each reading, best first. Each has url and text, and may have a heading.

        A passage must stand in its page word for word. One that does not is left out, as is one over the budget; a
        passage that was shown before is named and not repeated, so it costs next to nothing. A list that is a `Chosen`
        says what was left out, for the tree.
        """
