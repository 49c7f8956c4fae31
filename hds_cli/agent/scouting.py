"""The first look at a question before anything is planned: one search for its own words, as a turn of a run."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from hds_cli import events
from hds_cli.agent import protocol
from hds_cli.agent.accounts import Accounts
from hds_cli.agent.evidence import Evidence, Numbers, turn_budget
from hds_cli.agent.loop import Parts
from hds_cli.agent.methods.calling import Methods
from hds_cli.agent.notebook import Notebook
from hds_cli.agent.turn import Limits, Searching, Turn
from hds_cli.threads import in_daemon
from hds_cli.types import Page, Passage

_PASSAGES = 6
_SHARE = 4  # the passages take so large a part of the context at most


async def scouted(
    question: str, attached: Sequence[Page], parts: Parts, limits: Limits, numbers: Numbers, say: Callable[..., None]
) -> tuple[list[Passage], list[str]]:
    """The passages that fit a question best, and the titles of all pages found for it.

    Args:
        attached: documents that came with the question.
        say: emits an event of a kind with the run's time; the look is turn 1.
    """
    evidence = Evidence(question, parts.count, parts.selector, numbers)
    book = Notebook(question, evidence, parts.fanout.page)
    methods = Methods((), lambda message: None)
    turn = Turn(1, Searching(parts.fanout, book, methods, Accounts(parts.counter), limits, parts.stop, say))
    began = time.monotonic()
    say(events.TurnStarted, turn=1)
    say(events.Thought, turn=1, text="A first look, for the outline.")
    query = protocol.clean_query(question)
    if query:
        turn.propose(query)
    found = await turn.pages()
    pages = [page for read in found.values() for page in read]
    room = parts.model.n_ctx // _SHARE
    budget = turn_budget(parts.model.n_ctx, room, min(_PASSAGES, limits.evidence_passages), limits.evidence_tokens)
    chosen = await in_daemon(book.choose, [(query, [*attached, *pages])], budget)
    passages = [passage for selection in chosen for passage in selection]
    if found:
        say(events.EvidenceSelected, turn=1, query=1, passages=tuple(passages))
    say(events.TurnFinished, turn=1, seconds=time.monotonic() - began)
    return passages, [page.title for page in (*attached, *pages)]
