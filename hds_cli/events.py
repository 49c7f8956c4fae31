"""The events of a run, as values. The tree, `--json`, `--jsonl` and all else that watches a run use these alone.

`t` is seconds since the run began. `turn` and `query` count from 1; a query is named by the pair. An event becomes a
dictionary with `to_dict` (key `event` first) and comes back with `from_dict`.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import re
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from hds_cli import bounds
from hds_cli.types import (
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
    it writes a report of at most so many; 0: an answer.
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
    """The model begins to write; `forced` when it is made to answer now. `section`: of a report, else 0."""

    turn: int
    forced: bool = False
    section: int = 0


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
    """A query's line is complete. `repeated`: it was asked before in this run and is not searched again."""

    turn: int
    query: int
    text: str
    repeated: bool = False


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
    """The passages that the model is given for one query."""

    turn: int
    query: int
    passages: tuple[Passage, ...]


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
    wrote it, for scoring; `not_searched` are queries that were never searched, or never answered in time.
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


Event = (
    RunStarted
    | RunContinued
    | DocumentAttached
    | Notice
    | TurnStarted
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
)
Emit = Callable[[Event], None]


def event_name(cls: type[Event] | type[_Base]) -> str:
    """`PageFinished` -> `page_finished`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()


_BY_NAME: dict[str, type[Any]] = {event_name(cls): cls for cls in get_args(Event)}
_hints = functools.cache(get_type_hints)
_NAME = re.compile(r"[a-z][a-z_]{0,63}")
_SIGNED = frozenset({"score", "seed", "n_gpu_layers", "n_ctx", "overlap"})  # all others are counts: never negative


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
    event: Event = _build(cls, data)
    return event


def _build(hint: Any, value: Any) -> Any:
    """`value`, which came from JSON, as the type `hint` says; a journal may come from anywhere."""
    kind, parts = get_origin(hint), get_args(hint)
    if dataclasses.is_dataclass(hint) and isinstance(hint, type) and isinstance(value, dict):
        known = {f.name: _hints(hint)[f.name] for f in dataclasses.fields(hint)}
        try:
            return hint(**{name: _field(name, known[name], item) for name, item in value.items() if name in known})
        except TypeError as exc:
            raise ValueError(str(exc)) from exc
    if kind is tuple and isinstance(value, list | tuple):
        return tuple(_build(parts[0], item) for item in value)
    if kind in (Union, types.UnionType):
        return None if value is None and type(None) in parts else _build(parts[0], value)
    if kind is Literal and value in parts:
        return value
    if kind is dict and isinstance(value, dict) and all(map(_in_range, _scalars(value))):
        return dict(value)
    if hint is float and bounds.is_number(value):
        return value
    if hint is int and type(value) is int and bounds.is_number(value):
        return value
    if hint in (str, bool) and type(value) is hint:
        return value
    raise ValueError(f"not {getattr(hint, '__name__', hint)}")


def _field(name: str, hint: Any, value: Any) -> Any:
    built = _build(hint, value)
    if name == "error" and not all(isinstance((built or {}).get(part, ""), str) for part in ("code", "message")):
        raise ValueError("an error says what it is in words")
    if type(built) in (int, float) and name not in _SIGNED:
        most = bounds.MAX_SECONDS if hint is float else bounds.MAX_COUNT
        if not 0 <= built <= most:
            raise ValueError(f"{name} is out of range")
    return built


def _scalars(value: dict[str, Any]) -> Iterator[Any]:
    """The scalars in a value of JSON, however deep."""
    stack: list[Any] = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            stack.extend(item.values())
        elif isinstance(item, list):
            stack.extend(item)
        else:
            yield item


def _in_range(value: Any) -> bool:
    return type(value) not in (int, float) or bounds.is_number(value)
