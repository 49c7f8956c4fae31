"""Hostile text through every sink: nothing a terminal obeys comes out, and nothing raises."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from rich.console import Console
from rich.errors import MarkupError
from rich.table import Table
from rich.text import Text

from hds_cli import events as e
from hds_cli.render import answer, tables, words
from hds_cli.render.document import RunDocument
from hds_cli.render.jsonl import JsonLines
from hds_cli.render.live import LiveTree
from hds_cli.render.plain import PlainLines
from hds_cli.render.tree import View, tree_lines
from hds_cli.run_state import RunState
from hds_cli.types import Citation, ModelInfo, Passage, SearchResult

from .conftest import fixed_console, written
from .test_text import OBEYED

BAD = frozenset(map(chr, OBEYED))


def poisoned(payload: str, *, finished: bool = True) -> list[e.Event]:
    """A run in which every string that comes from outside is the payload."""
    url = f"https://{payload}/{payload}"
    result = SearchResult(url, payload, payload, 1, payload)
    run: list[e.Event] = [
        e.RunStarted(run_id=payload, question=payload, sources=(payload,), model=ModelInfo(payload)),
        e.TurnStarted(turn=1),
        e.ThoughtDelta(turn=1, text=payload),
        e.QueryProposed(turn=1, query=1, text=payload),
        e.SearchStarted(turn=1, query=1, source=payload),
        e.SearchFinished(turn=1, query=1, source=payload, seconds=0.1, results=(result,)),
        e.SearchFinished(turn=1, query=1, source="b", seconds=0.1, error={"code": payload, "message": payload}),
        e.PageRequested(turn=1, query=1, url=url, title=payload),
        e.PageFinished(turn=1, query=1, url=url, title=payload, status="fetched"),
        e.PageFinished(turn=1, query=1, url=payload, title="", status="failed", reason=payload),
        e.EvidenceSelected(turn=1, query=1, passages=(Passage(url, payload, payload, 1),)),
        e.Thought(turn=1, text=payload),
        e.Notice(level="warning", code="x", message=payload),
        e.AnswerDelta(text=payload),
    ]
    cited = (Citation(1, url, payload, payload, True), Citation(2, payload, payload, payload, False))
    end = e.RunFinished(status="answered", answer=f"a{payload}", explanation=payload, citations=cited)
    return [*run, end] if finished else run


def _state(run: list[e.Event]) -> RunState:
    state = RunState()
    for event in run:
        state.apply(event)
    return state


def _tree(payload: str) -> str:
    views = (View(80), View(40, 10, words.signs("ascii")))
    return "\n".join(line.plain for v in views for line in tree_lines(_state(poisoned(payload, finished=False)), v))


def _live(payload: str) -> str:
    console = fixed_console()
    with LiveTree(console, clock=lambda: 0.0) as tree:
        for event in poisoned(payload):
            tree.handle(event)
    return written(console)


def _plain(payload: str) -> str:
    stream = io.StringIO()
    lines = PlainLines(stream)
    for event in poisoned(payload):
        lines.handle(event)
    return stream.getvalue()


def _jsonl(payload: str) -> str:
    stream = io.StringIO()
    for event in poisoned(payload):
        JsonLines(stream).handle(event)
    return stream.getvalue()


def _json(payload: str) -> str:
    document = RunDocument()
    for event in poisoned(payload):
        document.handle(event)
    return document.to_json()


def _text(payload: str) -> str:
    state = _state(poisoned(payload))
    return "\n".join((answer.text(state), answer.bare(state), answer.summary(state)))


def _nothing_found(payload: str) -> str:
    run = [*poisoned(payload, finished=False), e.RunFinished(status="unanswered", answer=None, explanation=None)]
    return answer.text(_state(run))


def _terminal(payload: str) -> str:
    console = fixed_console()
    answer.print_answer(console, _state(poisoned(payload)))
    return written(console)


def _search(payload: str) -> str:
    console = fixed_console()
    result = SearchResult(f"https://{payload}/", payload, payload, 1, payload)
    found = [(payload, [result], [{"source": payload, "code": payload, "message": payload}])]
    tables.print_search(console, found)
    return "\n".join((written(console), tables.search_lines(found).replace("\t", " "), *tables.error_lines(found)))


def _rows(payload: str) -> str:
    console = fixed_console()
    tables.print_rows(console, [payload, "n"], [[payload, payload]], right=1)
    tables.print_pairs(console, [(payload, payload)])
    return written(console) + tables.rows_text([[payload]])


SINKS = [_tree, _live, _plain, _jsonl, _json, _text, _nothing_found, _terminal, _search, _rows]


@pytest.mark.parametrize("sink", SINKS, ids=lambda sink: sink.__name__.strip("_"))
def test_no_sink_lets_a_control_through(sink: Callable[[str], str], hostile: list[str]) -> None:
    """Whatever the payload, each sink writes printable text and no more; and no title raises."""
    for payload in hostile:
        assert not BAD & set(sink(payload)), repr(payload)


def test_raw_text_through_rich_does_leak(hostile: list[str]) -> None:
    """The check above sees the hazard: without `clean`, rich lets most of these payloads out."""
    leaks = 0
    for payload in hostile:
        console = fixed_console()
        console.print(Text(payload))
        leaks += bool(BAD & set(written(console)))
    assert leaks > 60


def test_a_raw_title_does_raise(hostile: list[str]) -> None:
    """F10 without our text: a table of rich takes a str for markup, and several of these titles end the program."""
    raised = 0
    for payload in hostile:
        table = Table()
        table.add_column(payload)
        try:
            Console(file=io.StringIO()).print(table)
        except MarkupError:
            raised += 1
    assert raised >= 3


def test_markup_in_a_title_stays_text() -> None:
    """A title cannot forge a link, colour anything, or raise."""
    for sink in (_tree, _terminal, _search):
        assert "[link=http://evil/]bank[/link]" in sink("[link=http://evil/]bank[/link]").replace("\n", "")
