"""Sections into one report, and a report's events into what was left to do: pure functions.

Every section was a run of its own, with sources numbered for itself; a page has one number in the report.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from hds_cli import events
from hds_cli.agent.dialects import Written
from hds_cli.agent.earlier import DONE, Resumed, pages, resumed
from hds_cli.agent.notebook import Notebook
from hds_cli.agent.support.message import renumbered
from hds_cli.agent.verdict import Policy, Verdict, mark
from hds_cli.run_state import RunState
from hds_cli.types import Citation, Egress, Page, Passage, Quote, Seconds, Section, Support, Usage

_HEADING = re.compile(r"^ {0,3}(#{1,6})(?=[ \t])", re.MULTILINE)
_UNDERLINED = re.compile(r"^ {0,3}(?:=+|-+)[ \t]*$\n?", re.MULTILINE)
_CODE = re.compile(r"(^ {0,3}(?:```.*?(?:^ {0,3}```|\Z)|~~~.*?(?:^ {0,3}~~~|\Z)))", re.MULTILINE | re.DOTALL)
_FENCE = re.compile(r"[ >]*(`{3,}|~{3,})")


def graded(judge: Policy) -> Policy:
    """The policy `judge` for a section: an answer that it lets pass as it is has every sentence of it graded, too."""

    def judged(written: Written, book: Notebook, stopped: str | None) -> Verdict:
        verdict = judge(written, book, stopped)
        if verdict.answer is None or verdict.text is not None:
            return verdict
        said = verdict.explanation or ""
        message = said if _has(said, verdict.answer) else "\n\n".join(filter(None, (f"{verdict.answer}.", said)))
        whole = mark(replace(written, answer=verdict.answer, message=message), book, stopped)
        if whole.answer is None:
            return verdict
        return replace(
            verdict, text=whole.text, support=whole.support, citations=whole.citations, unsupported=whole.unsupported
        )

    return judged


def _has(text: str, answer: str) -> bool:
    parts = re.split(r";\s*|,\s+(?:and\s+)?|\s+and\s+", answer.strip(" ."))
    return all(part in text for part in parts)


@dataclass(frozen=True)
class Begun:
    """A report that was stopped: its outline, the ends of its written sections, and what the others had come to.

    `sections` is empty where it was stopped before its outline. `events` happened and are not repeated: their last turn
    is `turns`, and `passages` were read. `documents` is what was read of those that came with the question.
    """

    run_id: str
    question: str
    most: int
    sections: tuple[Section, ...] = ()
    ends: Mapping[int, events.RunFinished] = field(default_factory=dict)
    halves: Mapping[int, Resumed] = field(default_factory=dict)
    events: tuple[events.Event, ...] = ()
    elapsed: float = 0.0
    documents: tuple[Page, ...] = ()
    turns: int = 0
    passages: tuple[Passage, ...] = ()

    @property
    def whole(self) -> bool:
        """True when nothing is left to do."""
        return bool(self.sections) and len(self.ends) == len(self.sections)


def begun(run: Iterable[events.Event]) -> Begun | None:
    """The state of a report from its events; None when the run wrote none."""
    kept = list(run)
    state = RunState.of(kept)
    if state.started is None or not state.started.sections:
        return None
    ends = {
        n: one.end
        for n, one in state.sections.items()
        if one.end is not None and one.end.status in DONE and one.started is not None
    }
    halves: dict[int, Resumed] = {}
    done = {turn.number for turn in state.turns.values() if turn.section in ends or turn.section == 0}
    for number, one in state.sections.items():
        if number not in ends and one.started is not None:
            half, turns = _half(kept, state, number)
            if half.turns:
                halves[number] = half
                done |= turns
    begun_sections = {*ends, *halves}
    again = [e for e in kept if _is_kept(e, done, begun_sections, ends)] if state.sections else []
    known = RunState.of(again)
    return Begun(
        state.started.run_id, state.question, state.started.sections,
        tuple(one.section for one in state.sections.values()), ends, halves, tuple(again),
        again[-1].t if again else 0.0, tuple(pages(p for d in state.documents for p in d.passages).values()),
        max(known.turns, default=0), tuple(known.passages),
    )  # fmt: skip


def _half(run: Sequence[events.Event], state: RunState, section: int) -> tuple[Resumed, set[int]]:
    """A section that was begun, as a run by itself whose turns count from 1; the numbers of its finished turns."""
    local = {turn.number: n for n, turn in enumerate(state.turns_of(section), 1)}
    assert state.started is not None
    own: list[events.Event] = [replace(state.started, question=state.sections[section].section.question)]
    for event in run:
        if isinstance(event, events.DocumentAttached) and event.section == section:
            own.append(event)
        elif (turn := getattr(event, "turn", 0)) in local:
            own.append(at_turn(event, local[turn]))
    half = replace(resumed(own), events=(), elapsed=0.0)
    return half, {number for number, n in local.items() if n <= len(half.turns)}


def at_turn(event: events.Event, number: int) -> events.Event:
    """An event of a turn, as one of another."""
    changes: dict[str, Any] = {"turn": number}
    return replace(event, **changes)


def _is_kept(event: events.Event, turns: set[int], begun: set[int], ends: Iterable[int]) -> bool:
    if isinstance(event, events.OutlineWritten):
        return True
    if isinstance(event, events.SectionStarted | events.DocumentAttached):
        return event.section in begun
    if isinstance(event, events.SectionFinished):
        return event.section in ends
    return getattr(event, "turn", 0) in turns


# --- one report -------------------------------------------------------------------------------------------------------


def composed(sections: Sequence[Section], ends: Mapping[int, events.RunFinished], stopped: str | None) -> Verdict:
    """The verdict on a report: its sections below each other, a page once among the sources.

    Args:
        ends: by the number of the section, which counts from 1; one without an end was never begun.
        stopped: why the report was stopped early (`timeout`, `interrupted`), if it was.
    """
    sources = _Sources()
    blocks: list[str] = []
    support: list[Support] = []
    for number, section in enumerate(sections, 1):
        end = ends.get(number)
        blocks += [f"## {section.title}", _body(section, end, stopped, sources, support)]
    answered = [end for end in ends.values() if end.answer is not None]
    text = "\n\n".join(blocks)
    status, code = ("partial", 6) if stopped else ("answered", 0) if answered else ("unanswered", 3)
    return Verdict(
        status, code, stopped or (None if answered else "not_found"),  # type: ignore[arg-type]
        answer=text if answered else None, text=text if answered else None, citations=sources.listed(),
        support=tuple(support), unsupported=tuple(part for end in answered for part in end.unsupported),
    )  # fmt: skip


def _body(
    section: Section, end: events.RunFinished | None, stopped: str | None, sources: _Sources, support: list[Support]
) -> str:
    """The text of a section below its title; what it rests on is added to the sources and the support."""
    if end is None:
        return "*Not written: the report was stopped before this section.*"
    if end.answer is None:
        if end.status == "partial":
            return "*Not written: the report was stopped while this section was researched.*"
        return f"*{_why(end)}*"
    numbers = {old: sources.number(old) for old in sources.take(end.citations)}
    for one in end.support:
        quotes = tuple(Quote(numbers[q.n], q.quote) for q in one.quotes if q.n in numbers)
        marks = tuple(dict.fromkeys(numbers[n] for n in one.marks if n in numbers))
        support.append(replace(one, marks=marks, quotes=quotes))
    text = _twice(renumbered(lowered(end.text or end.answer, section.title), numbers)[0])
    return text + ("\n\n*Stopped early: this section is not whole.*" if end.status == "partial" else "")


def _why(end: events.RunFinished) -> str:
    """The reason why a section has no text."""
    if end.status == "failed":
        return f"Not written: {' '.join((end.explanation or 'it failed').split())[:300]}."
    return "Not found: no page that was read answers this."


def lowered(text: str, title: str) -> str:
    """A section's text whose own headings stand below its title, without one that repeats it."""
    parts = _CODE.split(text)
    for place in range(0, len(parts), 2):
        body = _UNDERLINED.sub("\n", parts[place])
        parts[place] = _HEADING.sub(lambda sign: "#" * min(6, max(3, len(sign[1]) + 1)), body)
    lines = _closed("".join(parts).strip()).split("\n")
    if lines[0].startswith("#") and lines[0].strip("# \t*").casefold() == title.casefold():
        del lines[0]
    return "\n".join(lines).strip()


def _closed(text: str) -> str:
    """A text without code that is left open: it would swallow the sections behind it."""
    fence = ""
    for line in text.splitlines():
        if mark := _FENCE.match(line):
            if not fence:
                fence = mark[1]
            elif mark[1].startswith(fence) and not line.strip(" \t`~"):
                fence = ""
    return f"{text}\n{fence}" if fence else text


def _twice(text: str) -> str:
    """`[1][1]`, where two passages of one page were named, as `[1]`."""
    return re.sub(r"(\[\d{1,4}\])(?:\s*\1)+", r"\1", text)


class _Sources:
    """The sources of a report in the order in which its text first names them."""

    def __init__(self) -> None:
        self._by_url: dict[str, Citation] = {}
        self._led: dict[str, Citation] = {}
        self._taken: dict[int, str] = {}

    def take(self, citations: Sequence[Citation]) -> list[int]:
        """Take in the sources of a section; the numbers it names them by."""
        self._taken = {}
        for citation in citations:
            citation = replace(citation, passage=citation.passage or citation.n)
            if citation.led_to:
                self._led.setdefault(citation.url, citation)
                continue
            self._taken[citation.n] = citation.url
            known = self._by_url.get(citation.url)
            if known is None:
                self._by_url[citation.url] = replace(citation, n=len(self._by_url) + 1)
            elif citation.verified and not known.verified:
                self._by_url[citation.url] = replace(citation, n=known.n)
        return list(self._taken)

    def number(self, own: int) -> int:
        """The number in the report of what the section taken in last calls `own`."""
        return self._by_url[self._taken[own]].n

    def listed(self) -> tuple[Citation, ...]:
        """All of them; those that only led to others come last."""
        led = [citation for url, citation in self._led.items() if url not in self._by_url]
        return (*self._by_url.values(), *(replace(c, n=n) for n, c in enumerate(led, len(self._by_url) + 1)))


def summed(ends: Iterable[events.RunFinished], seconds: float) -> tuple[Usage, tuple[Egress, ...]]:
    """The usage of the runs of a report, which took `seconds` together, and the hosts that they contacted."""
    ends = list(ends)
    tokens: dict[str, Any] = {
        name: sum(getattr(end.usage, name) for end in ends)
        for name in ("prompt_tokens", "evaluated_tokens", "reused_tokens", "generated_tokens")
    }
    by_kind = {
        kind: round(sum(getattr(end.usage.seconds, kind) for end in ends), 3)
        for kind in ("model", "search", "fetch", "extract")
    }
    hosts: dict[str, tuple[int, int]] = {}
    for end in ends:
        for host in end.egress:
            requests, size = hosts.get(host.host, (0, 0))
            hosts[host.host] = requests + host.requests, size + host.bytes
    overlap = round(max(0.0, sum(by_kind.values()) - seconds), 3)
    usage = Usage(**tokens, seconds=Seconds(total=round(seconds, 3), overlap=overlap, **by_kind))
    return usage, tuple(Egress(name, *counts) for name, counts in sorted(hosts.items()))


__all__ = ["Begun", "at_turn", "begun", "composed", "graded", "lowered", "summed"]
