"""The events of a run, as values. The tree, `--json`, `--jsonl` and all else that watches a run use these alone.

`t` is seconds since the run began. `turn` and `query` count from 1; a query is named by the pair. An event becomes a
dictionary with `to_dict` (key `event` first) and comes back with `from_dict`.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, get_args

from hds_cli import bounds
from hds_cli.from_json import built
from hds_cli.types import (
    Agreement,
    Citation,
    Condition,
    Egress,
    Exchange,
    Findings,
    ModelInfo,
    PageStatus,
    Passage,
    RunStatus,
    SearchResult,
    Section,
    Support,
    Usage,
)

SCHEMA = "hds.run/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Base:
    t: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        return {"event": event_name(type(self)), **dataclasses.asdict(self)}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted(_Base):
    """A run begins: its question, its sources, its model.

    `settings` are those that shape the run, by their names; `continues` and `resumes` name an earlier run. `sections`:
    it writes a report of at most so many; 0: an answer. `tries`: so many runs at the question, whose turns name theirs
    as their section; 0: it is one run.
    """

    run_id: str
    question: str
    sources: tuple[str, ...]
    model: ModelInfo
    offline: bool = False
    seed: int = 0
    started_at: str = ""
    schema: str = SCHEMA
    settings: dict[str, Any] = field(default_factory=dict)
    continues: str | None = None
    resumes: str | None = None
    sections: int = 0
    tries: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunContinued(_Base):
    """The part of a continued run that the model is given; the passages keep their numbers.

    `whole`: the further question as one that stands alone, for a model that was not taught to be asked further.
    """

    run_id: str
    exchanges: tuple[Exchange, ...]
    findings: tuple[Findings, ...]
    whole: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentAttached(_Base):
    """A document came along with the question; `passages` is what the model is given of it (for a section)."""

    url: str
    title: str
    passages: tuple[Passage, ...]
    section: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice(_Base):
    """Something a person should know (`warning`), or may like to (`info`); the run goes on."""

    level: str
    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnStarted(_Base):
    """The model begins to write; `forced` when it is made to answer now. `section`: of a report, else 0.

    `seconds_left`: as long as the run may still take, from how such runs went before; None: that is not known.
    """

    turn: int
    forced: bool = False
    section: int = 0
    seconds_left: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingStarted(_Base):
    """The model begins to read `tokens` tokens, before it writes; `seconds`: what that takes at the speed known."""

    turn: int
    tokens: int
    seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WritingMeasured(_Base):
    """The model has read, and has written so many tokens; `per_second`: its speed, None: not known.

    The first of a turn comes with the first token, and has the speed known from before.
    """

    turn: int
    tokens: int
    per_second: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ThoughtDelta(_Base):
    """A piece of what the model thinks, as it is written."""

    turn: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Thought(_Base):
    """The whole thought of a turn."""

    turn: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryProposed(_Base):
    """A query's line is complete. `repeated`: it was asked before in this run and is not searched again.

    `rewords`: it is not the model's, and puts the query of that number in other words; 0: it is.
    """

    turn: int
    query: int
    text: str
    repeated: bool = False
    rewords: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchStarted(_Base):
    turn: int
    query: int
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchFinished(_Base):
    """A source answered one query; `error` is `{"code", "message"}` when it did not.

    It has `retry_after` too, in seconds, when the source is not asked again before.
    """

    turn: int
    query: int
    source: str
    seconds: float
    results: tuple[SearchResult, ...] = ()
    error: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRequested(_Base):
    turn: int
    query: int
    url: str
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageFinished(_Base):
    """A page is there as text, or `reason` says why not. `seconds` counts waiting, fetching and extracting.

    `held_by` is the source that holds the page itself, such as a collection; empty for a page of the web. `sha256` is
    that of the beginning of its text.
    """

    turn: int
    query: int
    url: str
    status: PageStatus
    title: str = ""
    reason: str | None = None
    bytes: int = 0
    seconds: float = 0.0
    extract_seconds: float = 0.0
    held_by: str = ""
    sha256: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceSelected(_Base):
    """The passages that the model is given for one query; `dropped`: those that were weighed against them and left."""

    turn: int
    query: int
    passages: tuple[Passage, ...]
    dropped: tuple[Passage, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnFinished(_Base):
    """The model has written, and has read what its queries found.

    `written` is what it wrote, to the letter; `cut`: the run was being stopped, so that not all of it may be there;
    `not_searched`: the queries that there was no room or no time for.
    """

    turn: int
    seconds: float
    generated_tokens: int = 0
    written: str = ""
    cut: bool = False
    not_searched: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerDelta(_Base):
    """A piece of the answer, as it is written; of a report a piece of a section."""

    text: str
    section: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFinished(_Base):
    """The end: always emitted, whatever happened. `exit_code` is what the command returns.

    `unsupported`: parts of the answer that no page of the run says. `text` is the model's whole last message as
    Markdown, kept where there is no answer too; `support` grades its units. `raw_answer` is the answer as the model
    wrote it, for scoring; `not_searched` are queries that were never searched, or never answered in time. `agreement`:
    of several tries, how many agree.
    """

    status: RunStatus
    answer: str | None
    explanation: str | None
    citations: tuple[Citation, ...] = ()
    unsupported: tuple[str, ...] = ()
    usage: Usage = field(default_factory=Usage)
    egress: tuple[Egress, ...] = ()
    reason: str | None = None
    exit_code: int = 0
    finished_at: str = ""
    text: str | None = None
    support: tuple[Support, ...] = ()
    raw_answer: str | None = None
    not_searched: tuple[str, ...] = ()
    agreement: Agreement | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerUpdated(_Base):
    """The conditions of the question and what pages said of them until a turn (0: before the first search).

    `rows`: what is known, for each candidate answer; `candidate`: the one of which most is known, at the end the one
    that was answered. `by`: a model or a rule; `missed`: quotes of the model that stand in no page.
    """

    turn: int
    conditions: tuple[str, ...]
    rows: tuple[Condition, ...] = ()
    candidate: str = ""
    by: str = "rule"
    missed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class OutlineWritten(_Base):
    """The sections of a report are known; they are numbered from 1."""

    sections: tuple[Section, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionStarted(_Base):
    """The research for a section of a report begins: a run of its own, whose turns name the section."""

    section: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionFinished(_Base):
    """A section is written, or `end` says why not. Its sources are numbered for itself, the report's for all."""

    section: int
    end: RunFinished


@dataclass(frozen=True, slots=True, kw_only=True)
class TryFinished(_Base):
    """A try at the question has its end; `number` counts from 1, `seed` is the sampler's."""

    number: int
    seed: int
    end: RunFinished


Event = (
    RunStarted
    | RunContinued
    | DocumentAttached
    | Notice
    | TurnStarted
    | ReadingStarted
    | WritingMeasured
    | ThoughtDelta
    | Thought
    | QueryProposed
    | SearchStarted
    | SearchFinished
    | PageRequested
    | PageFinished
    | EvidenceSelected
    | TurnFinished
    | AnswerDelta
    | RunFinished
    | LedgerUpdated
    | OutlineWritten
    | SectionStarted
    | SectionFinished
    | TryFinished
)
Emit = Callable[[Event], None]


def event_name(cls: type[Event] | type[_Base]) -> str:
    """`PageFinished` -> `page_finished`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()


_BY_NAME: dict[str, type[Any]] = {event_name(cls): cls for cls in get_args(Event)}
_NAME = re.compile(r"[a-z][a-z_]{0,63}")


def line(event: Event) -> str:
    """An event as one line of ASCII, without the line's end; `event` and `t` come first."""
    return json.dumps(event.to_dict(), ensure_ascii=True)


class UnknownEvent(ValueError):
    """An event that another version of hds wrote: to be kept, and skipped."""


def from_dict(data: dict[str, Any]) -> Event:
    """The event that `to_dict` made `data` from. Fields that this version does not know are left out.

    Raises:
        UnknownEvent: an event of a kind that this version does not know.
        ValueError: `data` is no event, lacks a field of it, has one of another type, or a number out of its range.
    """
    name, seconds = data.get("event"), data.get("t", 0.0)
    cls = _BY_NAME.get(name) if isinstance(name, str) else None
    if cls is None:
        if isinstance(name, str) and _NAME.fullmatch(name) and bounds.is_number(seconds, 0, bounds.MAX_SECONDS):
            raise UnknownEvent(f"an event of another version: {name}")
        raise ValueError("not an event")
    event: Event = built(cls, data)
    return event
