"""Several tries at one question in words: how many agree, and what became of each."""

from __future__ import annotations

from hds_cli.render import outcomes, words
from hds_cli.render.text import one_line
from hds_cli.run_state import RunState, SectionState

_ANSWER = 80  # cells


def line(state: RunState) -> str:
    """`2 of 3 tries agree`; with those that were not needed where there are such. Empty for a run of one try."""
    agreed = state.finished.agreement if state.finished else None
    if agreed is None:
        return ""
    said = f"{agreed.agree} of {words.count(agreed.of, 'try', 'tries')} agree" + ("s" if agreed.of == 1 else "")
    return f"{said}, {agreed.tries - agreed.of} not needed" if agreed.tries > agreed.of else said


def label(one: SectionState) -> str:
    """`try 2: Oslo`; untrusted text."""
    answer = one.end.answer if one.end else None
    return f"{one.section.title}: {one_line(answer, _ANSWER)}" if answer else one.section.title


def says(one: SectionState, state: RunState, *, live: bool = False) -> str:
    """What became of a try: `shown`, `agrees`, `differs`, or why it has no answer."""
    agreed = state.finished.agreement if state.finished else None
    if agreed is not None and one.number == agreed.shown:
        return "shown"
    if agreed is not None and one.number in agreed.with_it:
        return "agrees"
    if one.end is None and state.finished is not None:
        return "not needed" if one.started is None and state.finished.status == "answered" else "not begun"
    if agreed is not None and one.end is not None and one.end.answer is not None:
        return "differs"
    return outcomes.section(one, live=live)
