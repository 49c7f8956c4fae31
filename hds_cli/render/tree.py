"""The tree of a run as lines of text: question, turns, queries, pages. A pure function of the state and the room given.

Columns are set by hand: a row is a label that gives way, and a right block that ends at the right edge. What does not
fit in the height is folded, finished things first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from hds_cli.render import agreeing, forecast, grounds, ledger, outcomes, words
from hds_cli.render.rows import Pieces, Row, View
from hds_cli.render.text import clean, safe_url
from hds_cli.run_state import PageState, QueryState, RunState, SectionState, TurnState
from hds_cli.types import Condition, Support

if TYPE_CHECKING:
    from rich.text import Text

_TIME = 8
_PAGES = 3
_WEAK = 8  # parts of an answer
_PATIENCE = 3.0  # seconds into a turn before it is said how long the wait can still be
_LEVELS = 6  # folded first to last: pages of past turns, past turns, pages of done queries, done queries, failed, all


def tree_lines(state: RunState, view: View) -> list[Text]:
    """The lines of the tree, each at most `view.width - 1` cells wide and together at most `view.height` lines."""
    if view.loading and state.started is None and view.live:
        return _loading_lines(state, view)
    below = [*forecast.lines(state, view), *_answer_lines(state, view)]
    for level in range(_LEVELS + 1):
        lines = _head(state, view) + list(_flatten(_rows(state, view, level), view)) + _notices(state, view)
        if view.height is None or len(lines) + len(below) <= view.height:
            return lines + below
    height = view.height or 1
    room = max(2, height - len(below))
    return (lines[:1] + lines[len(lines) - room + 1 :] + below)[-max(1, height) :]


def _loading_lines(state: RunState, view: View) -> list[Text]:
    """The model that is being loaded, and for how long."""
    right: Pieces = [(f"  {view.spin}", "cyan"), (f"{words.duration(max(0.0, view.now)):>{_TIME}}", "dim")]
    row = Row(view.signs.show(f"loading {view.loading}"), "", right)
    return [*_notices(state, view), *_flatten([row], view)]


def _head(state: RunState, view: View) -> list[Text]:
    """The question, in up to three lines."""
    from rich.text import Text

    lines = _wrapped(view.signs.show(state.question), view.room)
    if len(lines) > 3:
        lines = [*lines[:2], view.signs.show(f"{lines[2]} {lines[3]}", view.room)]
    return [Text(line, style="bold") for line in lines]


def _wrapped(text: str, width: int) -> list[str]:
    """`text` in lines of at most `width` cells, broken at blanks; only rich knows how wide a character is."""
    from rich.console import Console
    from rich.text import Text

    if not text:
        return []
    console = Console(width=width, color_system=None, _environ={})
    return [line.plain.rstrip() for line in Text(text).wrap(console, width)]


def _answer_lines(state: RunState, view: View) -> list[Text]:
    """The end of the answer while it is written."""
    from rich.text import Text

    if not state.answering.strip() or state.finished or not view.live:
        return []
    lines = _wrapped(view.signs.show(state.answering[-2000:]), view.room)
    most = 4 if view.height is None or view.height > 14 else 1
    return [Text(""), *(Text(line) for line in lines[-most:])]


def _notices(state: RunState, view: View) -> list[Text]:
    """Notices; while the tree moves, the last two, and a line of each."""
    from rich.text import Text

    messages = [("! " if n.level == "warning" else "") + n.message for n in state.notices]
    if view.height is not None:
        lines = [view.signs.show(message, view.room) for message in messages[-2:]]
    else:
        lines = [line for message in messages for line in _wrapped(view.signs.show(message), view.room)]
    return [Text(line, style="dim") for line in lines]


# --- rows ----------------------------------------------------------------------------------------------------------


def _rows(state: RunState, view: View, level: int) -> list[Row]:
    names = [s.source for q in state.queries for s in q.searches.values()]
    longest = max((len(view.signs.show(name)) for name in names), default=0)
    source_width = 0 if view.width < 60 else min(longest, 10 if view.width < 100 else 16)
    rows = [
        _turn_row(turn, n, view, level, source_width, state.deadline(turn)) for n, turn in _numbered(state.turns_of(0))
    ]
    if view.live and state.started and state.started.sections and not (state.sections or state.finished):
        rows.append(Row("the outline", "", [(view.spin, "cyan")]))
    conditions_row = _ledger_row(state.ledger, view, level) if state.ledger else None
    if conditions_row is not None:
        rows.append(conditions_row)
    tries = {n: _try_row(one, state, view, level, source_width) for n, one in state.tries.items()}
    rows += [*(_section_row(one, state, view, level, source_width) for one in state.sections.values()), *tries.values()]
    if rows and view.grades and state.finished and (grades := _grades(state.finished.support, view)):
        shown = state.finished.agreement and tries.get(state.finished.agreement.shown)
        if shown:
            shown.children += grades
        elif state.sections or tries:
            rows.append(replace(grades[0], children=grades[1:]))  # of the whole, not of its last part
        else:
            ([row for row in rows if row is not conditions_row] or rows)[-1].children += grades
    return rows


def _ledger_row(conditions: Sequence[Condition], view: View, level: int) -> Row:
    """The conditions of the question; what is verified is folded first."""
    row = Row(view.signs.show(ledger.counts(conditions)), "dim")
    shown = [one for one in conditions if level < 1 or (level < 4 and one.state != "verified")]
    for one in shown:
        style = "red" if one.state == "refuted" else "dim"
        row.children.append(Row(one.constraint, "", [(f"  {ledger.WORDS[one.state]}", style)]))
    return row


def _numbered(turns: Sequence[TurnState]) -> Iterator[tuple[int, TurnState]]:
    """Turns with their numbers; those of a section of a report count from 1."""
    yield from ((n if turn.section else turn.number, turn) for n, turn in enumerate(turns, 1))


def _section_row(one: SectionState, state: RunState, view: View, level: int, source_width: int) -> Row:
    """A section of a report: one line, below it what is still worked at."""
    turns = state.turns_of(one.number)
    running = one.started is not None and one.ended is None and view.live
    says = outcomes.section(one, live=view.live)
    right: Pieces = [(f"  {says}", "red" if says == "failed" else "dim")] if says else []
    if one.end is not None and view.width >= 70:
        right.insert(0, (words.count(sum(len(turn.queries) for turn in turns), "query", "queries"), "dim"))
    end = view.now if running else one.ended
    if running:
        right.append((f"  {view.spin}", "cyan"))
    seconds = end - one.started if end is not None and one.started is not None else None
    right.append((f"{words.duration(max(0.0, seconds)) if seconds is not None else '':>{_TIME}}", "dim"))
    row = Row(view.signs.show(one.section.title), "", right)
    if running:
        row.children = [
            _turn_row(turn, n, view, level, source_width, state.deadline(turn)) for n, turn in _numbered(turns)
        ]
        if one.answering.strip():
            row.children.append(Row(view.signs.show(one.answering[-2000:]), "dim", tail=True))
    return row


def _try_row(one: SectionState, state: RunState, view: View, level: int, source_width: int) -> Row:
    """A try at the question: one line, below it what is still worked at, and in the end the turns of the one shown."""
    row = _section_row(one, state, view, level, source_width)
    row.label, says = view.signs.show(agreeing.label(one)), agreeing.says(one, state, live=view.live)
    row.right[:-1] = [*(piece for piece in row.right[:-1] if piece[1] == "cyan"), (f"  {says}" if says else "", "dim")]
    if state.finished and state.finished.agreement and state.finished.agreement.shown == one.number:
        turns = _numbered(state.turns_of(one.number))
        row.children = [_turn_row(turn, n, view, level, source_width, None) for n, turn in turns]
    return row


def _grades(support: Sequence[Support], view: View) -> list[Row]:
    """The counts of the grades of an answer, and each weak part with its mark."""
    weak = [part for part in support if part.weak]
    if not weak and len(support) < 2:
        return []
    rows = [Row(grounds.counts(support), "dim")]
    for part in weak[:_WEAK]:
        grade = [(f"  {grounds.WORDS[part.level]}", "dim")]
        rows.append(Row(part.text, "", grade, lead=f"{grounds.sign(part)} "))
    if len(weak) > _WEAK:
        rows.append(Row(f"{len(weak) - _WEAK} more", "dim"))
    return rows


def _turn_row(turn: TurnState, number: int, view: View, level: int, source_width: int, deadline: float | None) -> Row:
    running = turn.seconds is None and view.live
    thought = view.signs.show(turn.thought[-4000:] if running else turn.thought[:4000])
    if not thought:
        thought = (
            "answers with what there is" if turn.forced else "thinks" if running else "" if turn.queries else "answers"
        )
        thought = (forecast.reading(turn) if running else "") or thought
    elif turn.forced:
        thought = f"answers with what there is: {thought}"
    right: Pieces = []
    if turn.passages and view.width >= 70:
        right.append((f"{words.count(turn.passages, 'passage')} read", "dim"))
    if running and deadline is not None and view.width >= 60 and view.now - turn.started >= _PATIENCE:
        right.append((f"  at most {max(0.0, deadline - view.now):.0f} s more", "dim"))
    if running and view.width >= 60 and (speed := forecast.speed(turn)):
        right.append((f"  {speed}", "dim"))
    if running:
        right.append((f"  {view.spin}", "cyan"))
    seconds = turn.seconds if turn.seconds is not None else max(0.0, view.now - turn.started) if view.live else None
    right.append((f"{words.duration(seconds) if seconds is not None else 'stopped':>{_TIME}}", "dim"))
    row = Row(thought, "", right, tail=running and bool(turn.thought), lead=f"{number}  ")
    row.children = _query_rows(turn, view, level, source_width)
    return row


def _query_rows(turn: TurnState, view: View, level: int, source_width: int) -> list[Row]:
    queries = list(turn.queries.values())
    over = turn.seconds is not None
    if queries and over and level >= 2:
        pages = sum(p.ok for q in queries for p in q.pages.values())
        failed = sum(bool(q.errors) for q in queries)
        summary = f"{words.count(len(queries), 'query', 'queries')}, {words.count(pages, 'page')}"
        return [Row(f"{summary}, {failed} with errors" if failed else f"{summary}, done", "dim")]
    keep: list[QueryState] = []
    folded: list[QueryState] = []
    for query in queries:
        done = not query.running and (bool(query.searches) or query.repeated)
        (folded if done and (level >= 5 or (level >= 4 and not query.errors)) else keep).append(query)
    if len(folded) == 1 and level < 5:
        keep, folded = queries, []
    rows = [_query_row(q, view, level, over, source_width) for q in keep]
    if folded:
        failed = sum(bool(q.errors) for q in folded)
        more = f"{len(folded)} more, done" if keep else f"{words.count(len(folded), 'query', 'queries')}, done"
        rows.append(Row(f"{more}, {failed} with errors" if failed else more, "dim"))
    return rows


def _query_row(query: QueryState, view: View, level: int, over: bool, source_width: int) -> Row:
    status, style, time = _query_says(query, view)
    column = view.state_width
    time_width = _TIME if view.width >= 60 else 0
    errors = query.errors
    inline = len(errors) == len(query.searches) == 1 and _cells(status) <= column + time_width
    if errors and len(errors) == len(query.searches) and not inline:
        status = f"{view.signs.cross} failed"
    right: Pieces = []
    if source_width:
        names = view.signs.show(",".join(query.searches), source_width)
        right.append(("  " + names + " " * (source_width - _cells(names)), "dim"))
    if inline:
        column, time_width = column + time_width, 0
    status = view.signs.show(status, column)
    right.append(("  " + status + " " * (column - _cells(status)), style))
    right.append((f"{time:>{time_width}}" if time_width else "", "dim"))
    row = Row(view.signs.show(outcomes.name(query)), "", right)
    if not inline:
        row.children += [
            Row(f"{view.signs.cross} {view.signs.show(s.source)}: {view.signs.show(_error(s.error))}", "red")
            for s in errors
        ]
    hidden = level >= 6 or (not query.running and (level >= 3 or (level >= 1 and over)))
    row.children += [] if hidden else _page_rows(list(query.pages.values()), view)
    if query.dropped and not hidden:
        row.children.append(Row(view.signs.show(outcomes.dropped(query)), "dim"))
    return row


def _error(error: dict[str, str] | None) -> str:
    error = error or {}
    return error.get("message") or words.reason(error.get("code"))


def _query_says(query: QueryState, view: View) -> tuple[str, str, str]:
    """State in words, its style, and the time."""
    pages = list(query.pages.values())
    got, ended = sum(p.ok for p in pages), sum(p.status is not None for p in pages)
    if query.repeated:
        return "asked before", "dim", ""
    if query.running and not view.live:
        return "given up", "dim", ""
    if query.running:
        started = min((s.started for s in query.searches.values()), default=query.proposed)
        status = f"{view.spin} {ended} of {len(pages)}" if pages else f"{view.spin} searching"
        return status, "bold", words.duration(view.now - started) if view.now - started >= 1 else ""
    if not query.searches and query.passages is not None:
        return words.count(len(query.passages), "passage"), "", ""
    if not query.searches:
        return ("waits" if view.live else "not searched"), "dim", ""
    if len(query.errors) == len(query.searches):
        return f"{view.signs.cross} {_error(query.errors[0].error)}", "red", ""
    seconds = query.last - min(s.started for s in query.searches.values())
    if not query.results:
        return "no results", "", words.duration(seconds)
    return (words.count(got, "page") if got else "no page"), "", words.duration(seconds)


def _page_rows(pages: list[PageState], view: View) -> list[Row]:
    """Up to three rows; of more pages the failed and the awaited are shown first, the rest is counted."""
    if len(pages) <= _PAGES:
        return [_page_row(page, view) for page in pages]
    by_need = sorted(range(len(pages)), key=lambda i: (not pages[i].failed, pages[i].status is not None, i))
    chosen = sorted(by_need[: _PAGES - 1])
    rest = [pages[i] for i in sorted(by_need[_PAGES - 1 :])]
    failed, waiting = sum(p.failed for p in rest), sum(p.status is None for p in rest)
    summary = (
        f"{len(rest)} more"
        + (f", {failed} failed" if failed else "")
        + (f", {waiting} {'to come' if view.live else 'given up'}" if waiting else "")
    )
    right: Pieces = []
    if all(p.cached for p in rest):
        right = [("cached", "dim")]
    elif not failed and not waiting:
        right = _weight(sum(p.bytes for p in rest), max(p.seconds for p in rest))
    return [*(_page_row(pages[i], view) for i in chosen), Row(summary, "dim", right)]


def _weight(size: int, seconds: float) -> Pieces:
    return [(f"{words.size(size) if size else '':>8}", "dim"), (f"{words.duration(seconds):>{_TIME}}", "dim")]


def _page_row(page: PageState, view: View) -> Row:
    where = words.host(page.url)
    title = view.signs.show(page.title)
    label = f"{title} {view.signs.dot} {where}" if title and where else title or view.signs.show(safe_url(page.url))
    if page.status is None:
        right = [(view.spin, "cyan")] if view.live else [("given up", "dim")]
    elif page.cached:
        right = [("cached", "dim")]
    elif page.ok:
        right = _weight(page.bytes, page.seconds)
    elif not page.failed:
        right = [(words.reason(page.reason), "dim")]
    else:
        status = f"{view.signs.cross} {words.reason(page.reason)}"
        right = [(view.signs.show(status, view.room // 2), "red")]
    return Row(label, "", right)


# --- layout --------------------------------------------------------------------------------------------------------


def _cells(text: str) -> int:
    from rich.cells import cell_len

    return cell_len(text)


def _flatten(rows: list[Row], view: View, prefix: str = "") -> Iterator[Text]:
    for i, row in enumerate(rows):
        at_end = i == len(rows) - 1
        yield _line(prefix + (view.signs.last if at_end else view.signs.branch), row, view)
        yield from _flatten(row.children, view, prefix + ("   " if at_end else view.signs.down))


def _line(prefix: str, row: Row, view: View) -> Text:
    """Guides, label, right block: the label gives way, then the right block is cut."""
    from rich.text import Text

    line = Text(prefix, style="", no_wrap=True)
    line.stylize("dim")
    left = view.room - _cells(prefix)
    right = Text.assemble(*((clean(text), style) for text, style in row.right))
    if right.cell_len > left - 4:
        right.truncate(max(0, left - 4))
    room = left - right.cell_len - (1 if right.plain else 0)
    room -= len(row.lead)
    label = _tail(row.label, room, view) if row.tail else view.signs.show(row.label, room)
    line.append(row.lead + label, style=row.style)
    if right.plain.strip():
        line.append(" " * max(0, view.room - line.cell_len - right.cell_len))
        line.append_text(right)
    line.rstrip()
    return line


def _tail(label: str, room: int, view: View) -> str:
    """The end of a thought that still grows."""
    if _cells(label) <= room:
        return label
    keep = room - len(view.signs.more)
    start = max(0, len(label) - max(0, keep))
    while start < len(label) and _cells(label[start:]) > keep:
        start += 1
    return f"{view.signs.more}{label[start:].lstrip()}"[: max(0, room)]


__all__ = ["Row", "View", "tree_lines"]
