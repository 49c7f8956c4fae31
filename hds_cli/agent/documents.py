"""Attached documents: the passages that the model reads, which are all of a document where there is room."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hds_cli.agent.ranked import Ranked, ranked
from hds_cli.agent.selectors.base import Budget
from hds_cli.text import cut_passages
from hds_cli.text.cutting import pieces
from hds_cli.types import Page, Passage

OUTLINE = "Outline"


@dataclass(frozen=True)
class Attached:
    """The passages of a document that the model reads, their tokens, and a line on the rest (empty: there is none)."""

    passages: tuple[Passage, ...]
    tokens: int
    left_out: str = ""


_OUTLINE_SHARE, _BEGINNING_SHARE = 8, 4  # parts of the room
_LEAST = 0.6  # of a passage's size, before a heading begins another


def whole(page: Page, budget: Budget) -> list[Passage] | None:
    """The document in order, or None when it does not fit."""
    if len(page.text) > 12 * budget.tokens:  # no tokenizer packs that much into a token; nothing is counted
        return None
    passages = [
        Passage(page.url, page.title, cut.text, heading=cut.heading, date=page.date)
        for cut in cut_passages(page.text, budget.words, int(_LEAST * budget.words))
    ]
    return passages if sum(map(budget.price, passages)) <= budget.tokens else None


def excerpt(page: Page, question: str, budget: Budget) -> list[Passage]:
    """Of a longer document its outline, its beginning and the passages that fit the question best, in its order.

    Where the question names nothing that stands in it ("Summarise this."), they are taken evenly from all of it.
    """
    outline = _outline(page, budget)
    tokens = budget.tokens - sum(map(budget.price, outline))
    every = ranked(question, question, [page], budget.words, budget.late)
    beginning = sorted(every, key=lambda one: one.place)
    chosen = _fitting(beginning, tokens // _BEGINNING_SHARE, budget)
    tokens -= sum(budget.price(_passage(one)) for one in chosen)
    taken = {one.place for one in chosen}
    rest = sorted((one for one in every if one.place not in taken), key=lambda one: (-one.score, _spread(one.place)))
    chosen += _fitting(rest, tokens, budget)
    return [*outline, *(_passage(one) for one in sorted(chosen, key=lambda one: one.place))]


def _fitting(candidates: Sequence[Ranked], tokens: int, budget: Budget) -> list[Ranked]:
    """The first candidates that fit one after another."""
    fitting = []
    for one in candidates:
        tokens -= budget.price(_passage(one))
        if tokens < 0:
            break
        fitting.append(one)
    return fitting


def _passage(one: Ranked) -> Passage:
    return Passage(
        one.page.url,
        one.page.title,
        one.cut.text,
        heading=one.cut.heading,
        score=round(one.score, 3),
        date=one.page.date,
    )


def _outline(page: Page, budget: Budget) -> list[Passage]:
    """The headings of a document as one passage, as many as fit; none of a document with fewer than two."""
    text = page.text
    lines = [text[piece.start : piece.end].strip() for piece in pieces(text, budget.words) if piece.kind == "heading"]
    room = 4 * budget.tokens // _OUTLINE_SHARE  # characters
    kept: list[str] = []
    for line in lines:
        room -= len(line) + 1
        if room < 0:
            break
        kept.append(line)
    passage = Passage(page.url, page.title, "\n".join(kept), heading=OUTLINE, date=page.date)
    return [passage] if len(kept) > 1 and budget.price(passage) <= budget.tokens // _OUTLINE_SHARE * 2 else []


def _spread(place: int) -> float:
    """Places in an order that is even over all of them: 0, then the middle, then the quarters (van der Corput)."""
    value, part = 0.0, 0.5
    while place:
        place, bit = divmod(place, 2)
        value += bit * part
        part /= 2
    return value
