"""Asks the questions of a set, one after another or several at once; a question that fails is one row."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from hds_cli import events
from hds_cli.desk.batch import each, failure_of
from hds_cli.evaluation.journal import Journal
from hds_cli.evaluation.observe import Count, Observer, Row
from hds_cli.evaluation.questions import Question

Answer = Callable[[str, events.Emit], Awaitable[object]]


@dataclass(frozen=True)
class Asker:
    """Someone who answers one question at a time: what `hds ask` would, and how its model counts tokens."""

    answer: Answer
    count: Count


async def run(
    questions: Sequence[Question],
    askers: Sequence[Asker],
    journal: Journal,
    on_row: Callable[[Row], None] = lambda _: None,
) -> None:
    """Ask what the journal does not hold yet, as many questions at once as there are askers, and order the results.

    Args:
        on_row: called with each row as it is kept.
    """
    free = list(askers)

    async def work(question: Question) -> None:
        asker = free.pop()
        row, costs = await ask(question, asker)
        free.append(asker)
        journal.append(row, costs)
        on_row(row)

    await each([q for q in questions if q.id not in journal.rows], work, len(askers))
    journal.finish([q.id for q in questions])


async def ask(question: Question, asker: Asker) -> tuple[Row, Row]:
    """One question: its row and its costs. What goes wrong is part of the row."""
    observer = Observer(question, asker.count)
    error = await failure_of(asker.answer(question.text, observer.handle))
    return observer.row(error), observer.costs()
