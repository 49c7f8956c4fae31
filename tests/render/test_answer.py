"""The answer as a terminal shows it."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from hds_cli.events import DocumentAttached, RunFinished
from hds_cli.render.answer import nothing, print_answer
from hds_cli.run_state import RunState


@pytest.mark.parametrize(
    "text",
    [
        "The Osprey\n\nThe Osprey has 90 hp, the Swan has 40 hp; both were built in Kelmar.",
        "The Osprey has 90 hp, the Swan has 40 hp; both were built in Kelmar.\n\nThe Osprey",
    ],
)
def test_a_headline_is_shown_once(text: str) -> None:
    """Whether the model begins or ends with it."""
    finished = RunFinished(status="answered", answer="The Osprey", explanation=None, text=text)
    out = io.StringIO()
    print_answer(Console(file=out, width=80), RunState(finished=finished))
    lines = [line.strip() for line in out.getvalue().splitlines()]
    assert lines[0] == "The Osprey"
    assert lines.count("The Osprey") == 1
    assert any(line.startswith("The Osprey has 90 hp") for line in lines)


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("timeout", "Stopped by the time limit before an answer was found."),
        ("budget", "The budget was used up before an answer was found."),
        ("interrupted", "Stopped before an answer was found."),
    ],
)
def test_what_ended_a_run_without_an_answer_is_said(reason: str, said: str) -> None:
    """A limit of the user's is named; Ctrl-C they know of."""
    finished = RunFinished(status="partial", answer=None, explanation=None, reason=reason)
    assert nothing(RunState(finished=finished))[0] == said


def test_a_document_that_says_nothing_was_read_all_the_same() -> None:
    """No page was found, since none was looked for."""
    finished = RunFinished(status="unanswered", answer=None, explanation=None, reason="unsupported")
    document = DocumentAttached(url="stdin:", title="stdin", passages=())
    state = RunState.of([document, finished])
    assert nothing(state)[0] == "No answer: nothing that was read supports one."
    assert nothing(RunState(finished=finished))[0] == "No answer: no page was found."
