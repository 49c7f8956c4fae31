"""The gold decomposition of a question as a small program, and the oracle that runs it over given pages only.

A step finds the page that a description fits, takes a value or a list off a page, or combines what steps before it
found. `of` counts steps from 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from hds_cli.evaluation.synth.facts import PageFacts

Op = Literal["find", "value", "items", "largest", "smallest", "common"]


@dataclass(frozen=True, slots=True)
class Step:
    """One step: `turn` is when it can be done (0: nothing to look up), `title` the page that holds its answer."""

    op: Op
    answer: str
    question: str = ""
    title: str = ""
    turn: int = 0
    of: tuple[int, ...] = ()
    attr: str = ""
    verb: str = ""
    value: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The step as a dictionary, without empty fields."""
        return {key: value for key, value in asdict(self).items() if value not in ("", 0, ()) or key == "answer"}


def from_dict(data: Mapping[str, Any]) -> Step:
    """The step that `to_dict` made `data` from."""
    return Step(**{**data, "of": tuple(data.get("of", ()))})


def solve(program: Sequence[Step], pages: Sequence[PageFacts]) -> str | None:
    """The answer that the program gives with these pages alone; None when a step cannot be done."""
    by_title = {page.title: page for page in pages}
    values: list[str | tuple[str, ...] | None] = []
    for step in program:
        values.append(_do(step, [values[place] for place in step.of], by_title))
    last = values[-1] if values else None
    return last if isinstance(last, str) else None


def _do(step: Step, before: Sequence[Any], pages: Mapping[str, PageFacts]) -> str | tuple[str, ...] | None:
    if any(value is None for value in before):
        return None
    if step.op == "find":
        attribute = (step.attr, step.value)
        fits = [page.title for page in pages.values() if attribute in {(f.attr, f.value) for f in page.facts}]
        return fits[0] if len(fits) == 1 else None
    if step.op in ("value", "items"):
        return _taken(step, pages.get(before[0]))
    if step.op == "common":
        shared = set(before[0]).intersection(*before[1:])
        return shared.pop() if len(shared) == 1 else None
    return _extreme(step, [pages[title] for title in before if title in pages], len(before))


def _taken(step: Step, page: PageFacts | None) -> str | tuple[str, ...] | None:
    if page is None:
        return None
    if step.op == "items":
        return next((r.items for r in page.relations if (r.verb, r.nouns) == (step.verb, step.attr)), None)
    return next((f.value for f in page.facts if f.attr == step.attr), None)


def _extreme(step: Step, pages: Sequence[PageFacts], number: int) -> str | None:
    values = [
        (fact.number, page.title)
        for page in pages
        for fact in page.facts
        if fact.attr == step.attr and fact.number is not None
    ]
    if len(values) < number:
        return None
    return (max if step.op == "largest" else min)(values)[1]
