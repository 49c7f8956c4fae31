"""What happens in a run, as values. The tree, `--json`, `--jsonl` and whatever watches a run are made from these alone.

`t` is seconds since the run began. `turn` and `query` count from 1; a query is named by the pair. An event becomes a
dictionary with `to_dict` (key `event` first) and comes back with `from_dict`.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, get_args

from hds_cli.types import Citation, Egress, ModelInfo, PageStatus, Passage, RunStatus, SearchResult, Seconds, Usage

SCHEMA = "hds.run/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Base:
    name: ClassVar[str] = ""
    t: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        return {"event": event_name(type(self)), **dataclasses.asdict(self)}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted(_Base):
    """A run begins: what was asked, of which sources, with which model."""

    run_id: str
    question: str
    sources: tuple[str, ...]
    model: ModelInfo
    offline: bool = False
    seed: int = 0
    started_at: str = ""
    schema: str = SCHEMA


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice(_Base):
    """Something a person should know (`warning`), or may like to (`info`); the run goes on."""

    level: str
    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnStarted(_Base):
    """The model begins to write; `forced` when it is made to answer now."""

    turn: int
    forced: bool = False


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
    """A source answered one query; `error` is `{"code", "message"}` when it did not."""

    turn: int
    query: int
    source: str
    seconds: float
    results: tuple[SearchResult, ...] = ()
    error: dict[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRequested(_Base):
    turn: int
    query: int
    url: str
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageFinished(_Base):
    """A page is there as text, or `reason` says why not. `seconds` counts waiting, fetching and extracting."""

    turn: int
    query: int
    url: str
    status: PageStatus
    title: str = ""
    reason: str | None = None
    bytes: int = 0
    seconds: float = 0.0
    extract_seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceSelected(_Base):
    """What the model is given to read for one query."""

    turn: int
    query: int
    passages: tuple[Passage, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnFinished(_Base):
    turn: int
    seconds: float
    generated_tokens: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerDelta(_Base):
    """A piece of the answer, as it is written."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFinished(_Base):
    """The end: always emitted, whatever happened. `exit_code` is what the command returns.

    `unsupported`: items of the answer that no page of the run holds.
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


Event = (
    RunStarted
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
)
Emit = Callable[[Event], None]


def event_name(cls: type[Event] | type[_Base]) -> str:
    """`PageFinished` -> `page_finished`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()


_BY_NAME: dict[str, type[Any]] = {event_name(cls): cls for cls in get_args(Event)}
_NESTED: dict[str, type[Any]] = {
    "results": SearchResult,
    "passages": Passage,
    "citations": Citation,
    "egress": Egress,
}


def from_dict(data: dict[str, Any]) -> Event:
    """The event that `to_dict` made `data` from.

    Raises:
        ValueError: `data` names no event of this version, or lacks a field of it.
    """
    data = dict(data)
    cls = _BY_NAME.get(str(data.pop("event", "")))
    if cls is None:
        raise ValueError("not an event of this version")
    known = {f.name for f in dataclasses.fields(cls)}
    values = {key: value for key, value in data.items() if key in known}
    for key, item in _NESTED.items():
        if key in values:
            values[key] = tuple(item(**entry) for entry in values[key])
    if cls is RunStarted:
        values |= {"sources": tuple(values["sources"]), "model": ModelInfo(**values["model"])}
    if cls is RunFinished:
        values["unsupported"] = tuple(values.get("unsupported", ()))
        usage = dict(values["usage"])
        values["usage"] = Usage(**usage | {"seconds": Seconds(**usage["seconds"])})
    try:
        event: Event = cls(**values)
    except TypeError as exc:
        raise ValueError(str(exc)) from exc
    return event
