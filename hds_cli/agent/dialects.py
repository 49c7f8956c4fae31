"""Dialects: how hds speaks to a model. The door to every dialect, ours and the plugins'.

A dialect writes into a session what the model reads, and reads what the model writes. It is called from the model's
thread; queries, thoughts and pieces of the answer go to `Hooks` while they are written.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from hds_cli.config import Settings
from hds_cli.engine.base import ChatTemplate, Generation, ModelSpec, Segment, Session, StopReason
from hds_cli.errors import UsageError
from hds_cli.events import RunContinued
from hds_cli.plugins import entry_points, make, mismatch
from hds_cli.text import normalise
from hds_cli.types import Passage

GROUP = "hds.dialects.v1"
_METHODS = ("start", "write", "read", "replay", "force", "make_room")

QueryResult = tuple[str, Sequence[Passage] | str]
"""A query and its passages, or the text that stands in their place: a notice, or a reader's prose."""

Reader = Callable[[str, str, Sequence[QueryResult]], Sequence[QueryResult]]
"""(question, what was written so far, a turn's results) -> the results with prose in place of passages."""

_NO_ANSWER = {
    "",
    "not found",
    "unknown",
    "no answer",
    "none",
    "n/a",
    "not available",
    "cannot be determined",
    "no information",
}


@dataclass(frozen=True)
class Hooks:
    """Called while the model writes, from its thread."""

    query: Callable[[str], None]
    thought: Callable[[str], None]
    answer: Callable[[str], None]


@dataclass(frozen=True)
class Written:
    """One turn of the model: queries, or an answer, or neither when it has to be asked again.

    `text` is the whole turn, as `Dialect.replay` takes it. `message` is everything written for the reader, the box in
    place. `gave_up` is True when the model itself says that it has no answer.
    """

    thought: str
    queries: tuple[str, ...] = ()
    answer: str | None = None
    explanation: str = ""
    reason: StopReason = "eos"
    tokens: int = 0
    text: str = ""
    gave_up: bool = False
    message: str = ""


class Dialect(Protocol):
    """The model's side of a run; used from one thread.

    One may have `afford(turns, tokens)`, too: it is told before each `write` and `read` how many turns may search on,
    and tokens of pages for each (None: what the context allows).
    """

    name: str

    def start(self, question: str, documents: Sequence[Passage], continued: RunContinued | None = None) -> None:
        """Begin a run; `documents` are passages of what the user attached, `continued` is what was asked before."""

    def write(self, hooks: Hooks) -> Written:
        """Let the model write one turn: it plans or answers."""

    def read(self, results: Sequence[QueryResult], notes: Sequence[Segment] = ()) -> None:
        """Give the model the results of its queries; `notes` are lines of the run's methods below them."""

    def replay(self, text: str, results: Sequence[QueryResult]) -> None:
        """Put in a turn of an earlier run, as if `text` had been written and `results` been read now."""

    def force(self, hooks: Hooks) -> Written:
        """Make the model answer now."""

    def make_room(self) -> int:
        """Tokens that may be read now; older results are shortened first where that helps."""


class Briefed:
    """A dialect whose model is told something below the question; searches and grades know the question alone."""

    def __init__(self, dialect: Dialect, brief: str) -> None:
        self.name, self._brief = dialect.name, brief
        self._start = dialect.start
        self.write, self.read, self.replay = dialect.write, dialect.read, dialect.replay
        self.force, self.make_room = dialect.force, dialect.make_room
        self.afford = getattr(dialect, "afford", _heedless)

    def start(self, question: str, documents: Sequence[Passage], continued: RunContinued | None = None) -> None:
        self._start(f"{question}\n\n{self._brief}", documents, continued)


def _heedless(turns: int, tokens: int | None) -> None:
    """Of a dialect that does not ask what is afforded."""


@dataclass(frozen=True)
class Speaking:
    """The ingredients of a dialect: a session of the loaded model, its spec and template, and the user's settings.

    `preamble` is the text of the user's `prompt_file`, or the spec's own; None: the dialect's. `reader` makes prose of
    passages, for a dialect that reads prose.
    """

    session: Session
    spec: ModelSpec
    settings: Settings
    template: ChatTemplate | None = None
    preamble: str | None = None
    reader: Reader | None = None

    @property
    def refuses(self) -> bool:
        """True when an answer that no page supports is not shown. Such an answer has to be short, and in a box."""
        return (self.settings.verdict or self.spec.verdict) not in (None, "mark")

    @property
    def temperature(self) -> float | None:
        """The user's, or what the model was made for; None: the dialect's own."""
        return self.settings.temperature if self.settings.temperature is not None else self.spec.temperature


def check_dialect(name: str | None) -> None:
    """Say before a model is loaded that there is no such dialect.

    Raises:
        UsageError: no dialect is called `name`.
    """
    known = entry_points(GROUP)
    if name is not None and name not in known:
        unknown = UsageError(f"unknown dialect {name!r}", hint=f"dialects: {', '.join(sorted(known))}")
        raise mismatch("dialects", name) or unknown


def open_dialect(name: str, speaking: Speaking) -> Dialect:
    """The dialect called `name`, over a new session, for one run.

    Raises:
        ModelUnusable: the dialect cannot speak to this model.
        UsageError: there is no such dialect, or it does not load.
    """
    check_dialect(name)
    dialect: Dialect = make(GROUP, name, speaking, needs=_METHODS)
    return dialect


def choose_dialect(name: str | None, *, model_says: str | None, file_says: str, has_template: bool) -> str:
    """The name of the dialect: the user's choice, the spec's, the one that fits the model's file."""
    return name or model_says or file_says or ("guided" if has_template else "hds")


def says_nothing(answer: str | None) -> bool:
    """True when an answer, or each of its parts, only says that nothing was found."""
    if answer is None:
        return False
    return all(part.rpartition(": ")[2].strip(" .!") in _NO_ANSWER for part in normalise(answer).split(";"))


def strip_numbers(text: str, known: set[int]) -> tuple[str, list[int]]:
    """`text` without `[n]` that name no passage of the run, and those numbers."""
    unknown: list[int] = []

    def check(match: re.Match[str]) -> str:
        if int(match[1]) in known:
            return match[0]
        unknown.append(int(match[1]))
        return ""

    return re.sub(r"\s*\[(\d{1,4})\]", check, text), unknown


__all__ = [
    "Briefed", "Dialect", "Generation", "Hooks", "QueryResult", "Reader", "Speaking", "Written", "check_dialect",
    "choose_dialect", "open_dialect", "says_nothing", "strip_numbers",
]  # fmt: skip
