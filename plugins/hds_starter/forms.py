"""A question over countries as it was read: what is done with which facts of which countries."""

from __future__ import annotations

from dataclasses import dataclass

NUMERIC = frozenset({"population", "area", "borders"})
MOST_PAGES = 60  # of one question


@dataclass(frozen=True)
class Set:
    """Countries: by name, those of a region, those that border one, those that have a value, or those of an order.

    `kind`: names, region, around (all of `of`'s neighbours), within (`of` and its neighbours), common (of each of
    `of`), held, best (the first of an order), beyond (those of `of` with more, or less, than `names` or `value`).
    """

    kind: str
    names: tuple[str, ...] = ()
    of: Set | None = None
    key: str = ""
    value: str = ""
    most: bool = True


@dataclass(frozen=True)
class Bound:
    """A number that another one is compared with: `at least 8,000,000` is `most` and `equal`."""

    value: str
    most: bool
    equal: bool = False


@dataclass(frozen=True)
class Asked:
    """A question: what is done with facts of countries.

    `what`: show, list, count, total, gap, best, yes, first (is it the first of an order?), touch (do they border?).

    `keys` are attributes, or `borders`; `other`, `value` and `bounds` are what a yes-or-no question compares with.
    `either`: it asks as well which of two has the more, or the less. `no`: that a page does not say it means no.
    """

    what: str
    of: Set
    keys: tuple[str, ...] = ()
    other: tuple[str, ...] = ()
    value: str = ""
    most: bool = True
    either: bool = False
    no: bool = True
    bounds: tuple[Bound, ...] = ()
    read_as: tuple[str, ...] = ()


@dataclass(frozen=True)
class Unread:
    """A question that the rules do not read, and the line that says why (`hint`), where that can be told."""

    hint: str = ""
    unknown: tuple[str, ...] = ()
