"""A question of a set, as every loader gives it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from hds_cli.text import normalise


@dataclass(frozen=True, slots=True)
class Support:
    """A page that holds part of the answer; its title or its address may be empty."""

    title: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """A gold sub-question and its answer, and the title of the page that holds it."""

    question: str
    answer: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """One question with its gold answers.

    `gold` is what `hds_compat` compares with (alternatives); `answers` are the same as text. `wanted` is a list or
    dictionary when all of it is asked for. `key` seals what is stored of the question (BrowseComp).
    """

    id: str
    text: str
    answers: tuple[str, ...]
    gold: tuple[object, ...] = ()
    wanted: Any = None
    fan_out: bool = False
    tolerance: float | None = None
    kind: str = ""
    support: tuple[Support, ...] = ()
    steps: tuple[Step, ...] = ()
    key: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Dataset:
    """A question set: `digest` is the SHA-256 of its file, `corpus` the pages that lie beside it.

    `brings_pages`: there is no such file, but its rows hold paragraphs.
    """

    name: str
    format: str
    path: Path
    digest: str
    questions: tuple[Question, ...]
    corpus: Path | None = None
    brings_pages: bool = False


def page_keys(title: str, url: str) -> set[str]:
    """The keys of a page, its title and its address: two mentions of one page share a key."""
    keys = {normalise(title)} if title.strip() else set()
    if "://" in url:
        parts = urlsplit(url)
        keys.add(f"{parts.netloc.removeprefix('www.')}{unquote(parts.path).rstrip('/')}".casefold())
    return keys


def as_text(gold: object) -> str:
    """A gold answer as a person would write it: `a: b, c: d` for a dictionary, `a, b` for a list."""
    if isinstance(gold, Mapping):
        return ", ".join(f"{key}: {as_text(value)}" for key, value in gold.items())
    if isinstance(gold, list | tuple):
        return ", ".join(map(as_text, gold))
    if isinstance(gold, bool):
        return "yes" if gold else "no"
    return str(gold)
