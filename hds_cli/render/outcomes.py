"""Outcomes of turns, queries, searches and pages in a few words, for documents of a run that is over."""

from __future__ import annotations

from hds_cli.render import words
from hds_cli.render.text import one_line
from hds_cli.run_state import NOT_NEEDED, PageState, QueryState, SearchState, SectionState, TurnState

_TITLES = 4
_SECTIONS = {"answered": "", "unanswered": "not found", "partial": "stopped", "failed": "failed"}


def turn(state: TurnState) -> str:
    """The thought of a turn, or what it did; untrusted text."""
    if state.thought.strip():
        return state.thought
    return "answers with what there is" if state.forced else "searches" if state.queries else "answers"


def section(state: SectionState, *, live: bool = False) -> str:
    """What became of a section of a report, or of a try; empty for one that is written."""
    if state.end is not None:
        return "not needed" if state.end.reason == NOT_NEEDED else _SECTIONS[state.end.status]
    if live:
        return "" if state.started is not None else "waits"
    return "stopped" if state.started is not None else "not begun"


def search(state: SearchState) -> str:
    """The outcome of one source's search; untrusted text."""
    if state.error:
        return state.error.get("message") or words.reason(state.error.get("code"))
    return "given up" if state.finished is None else "answered"


def name(state: QueryState) -> str:
    """The text of a query, and that it puts another in other words; untrusted text."""
    return f"in other words: {state.text}" if state.rewords else state.text


def query(state: QueryState) -> str:
    """The sources of a query, its results and the time of its search; the names are untrusted text."""
    if state.repeated:
        return "asked before"
    if not state.searches:
        return "not searched" if state.passages is None else words.count(len(state.passages), "passage")
    read = sum(page.ok for page in state.pages.values())
    if len(state.errors) == len(state.searches):
        brought = "failed"
    elif state.searching and not state.results:
        brought = "given up"
    else:
        brought = words.count(read, "page") if read else "no page" if state.results else "no results"
    return f"{', '.join(state.searches)} · {brought} · {words.duration(state.seconds)}"


def dropped(state: QueryState) -> str:
    """`2 passages left out: Norway, Oslo`; the titles are untrusted text. Empty for none."""
    if not state.dropped:
        return ""
    titles = list(dict.fromkeys(one_line(passage.title, 60) for passage in state.dropped))
    more = f" and {len(titles) - _TITLES} more" if len(titles) > _TITLES else ""
    return f"{words.count(len(state.dropped), 'passage')} left out: {', '.join(titles[:_TITLES])}{more}"


def page(state: PageState) -> str:
    """`42 kB, 0.3 s`, `cached`, or why it was not read."""
    if state.status is None:
        return "given up"
    if state.cached:
        return "cached"
    if not state.ok:
        return words.reason(state.reason)
    took = words.duration(state.seconds)
    return f"{words.size(state.bytes)}, {took}" if state.bytes else took
