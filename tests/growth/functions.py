"""The functions that texts of strangers go through: found in their modules, called by what their parameters are."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from typing import Any

from hds_cli.agent.support.claims import Names, claim
from hds_cli.agent.support.roles import Bound, Part
from hds_cli.agent.support.values import values
from hds_cli.types import Page, Passage

Call = Callable[[str], Any]
PACKAGES = ("hds_cli.text", "hds_cli.extract", "hds_cli.agent.support")
MODULES = (
    "hds_cli.bounds", "hds_cli.search.query", "hds_cli.search.fusion", "hds_cli.search.feedback", "hds_cli.agent.protocol",
    "hds_cli.agent.ranked", "hds_cli.agent.asserted", "hds_cli.agent.conditions", "hds_cli.agent.ledger", "hds_cli.agent.named",
    "hds_cli.agent.outline", "hds_cli.agent.sections", "hds_cli.fetch.body", "hds_cli.fetch.entry",
    "hds_cli.render.text", "hds_zim.words", "hds_zim.article",
)  # fmt: skip
SHORT = "The walrus sleeps in the harbour of the capital."
QUERY = ("walrus", "harbour", "capital", "2021")

_PROPER = frozenset({"walrus", "harbour", "oslo"})


def _page(text: str) -> Page:
    return Page("https://example.org/a", "https://example.org/a", title=text[:300], text=text)


def _passage(text: str) -> Passage:
    return Passage("https://example.org/a", text[:300], text, 1)


# What a parameter without a default is given, by its annotation.
GIVEN: dict[str, Callable[[str], Any]] = {
    "str": lambda text: text,
    "str | None": lambda text: text,
    "object": lambda text: text,
    "bytes": lambda text: text.encode(),
    "int": lambda text: 1,
    "float": lambda text: 1.0,
    "Iterable[str]": lambda text: QUERY,
    "Sequence[str]": lambda text: QUERY,
    "Collection[str]": lambda text: QUERY,
    "frozenset[str]": lambda text: frozenset(QUERY),
    "set[int]": lambda text: {1},
    "dict[int, int]": lambda text: {1: 2},
    "Page": _page,
    "Sequence[Page]": lambda text: [_page(text)],
    "Sequence[Passage]": lambda text: [_passage(text)],
    "Sequence[tuple[str, Passage]]": lambda text: [("where is the walrus", _passage(text))],
    "Iterable[Sequence[str]]": lambda text: [text.split(" ")],
    "Sequence[tuple[str, ...]]": lambda text: [("walrus",), ("harbour", "capital")],
    "Claim": lambda text: claim(
        "The Walrus led 12 of them, and the Harbour slept in Oslo.", Names(_PROPER, frozenset())
    ),
    "Value": lambda text: values("315 km")[0],
    "Sequence[Value]": values,
    "Bound": lambda text: Bound("did", "led", frozenset(QUERY)),
    "Part": lambda text: Part("walrus", True),
    "list[Row]": lambda text: [text.split(" ")],
}


def functions() -> dict[str, Callable[..., Any]]:
    """Every public function of the modules, by its whole name."""
    names = [*PACKAGES, *MODULES]
    for package in map(importlib.import_module, PACKAGES):
        names += [found.name for found in pkgutil.iter_modules(package.__path__, package.__name__ + ".")]
    made = {}
    for module in map(importlib.import_module, names):
        for name, function in inspect.getmembers(module, inspect.isfunction):
            if function.__module__ == module.__name__ and not name.startswith("_"):
                made[f"{module.__name__}.{name}"] = function
    return made


def automatic(function: Callable[..., Any]) -> list[Call]:
    """Calls of `function` with a text, if what it needs is known and a text is among it; else none.

    One that compares a text with pages is called twice: a long text, and long pages.
    """
    kinds = {
        name: str(parameter.annotation)
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.default is parameter.empty
    }
    texts = {name for name, kind in kinds.items() if kind in ("str", "str | None", "object", "bytes")}
    pages = {name for name, kind in kinds.items() if "Page" in kind or "Passage" in kind or "str]]" in kind}
    if not set(kinds.values()) <= GIVEN.keys() or not texts | pages:
        return []
    return [_called(function, kinds, varied) for varied in (texts, pages) if varied]


def _called(function: Callable[..., Any], kinds: dict[str, str], varied: set[str]) -> Call:
    return lambda text: function(
        **{name: GIVEN[kind](text if name in varied else SHORT) for name, kind in kinds.items()}
    )
