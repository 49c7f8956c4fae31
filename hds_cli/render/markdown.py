"""The run as Markdown with footnotes: CommonMark, and the footnotes of GitHub, Pandoc and most readers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote

from hds_cli.events import RunFinished
from hds_cli.render import agreeing, answer, grounds, outcomes, words
from hds_cli.render.document import RunDocument
from hds_cli.render.ledger import counts
from hds_cli.render.message import safe_markdown
from hds_cli.render.quotes import paragraphs
from hds_cli.render.text import clean, link_target, one_line, safe_url
from hds_cli.run_state import QueryState, RunState, TurnState
from hds_cli.types import Citation

_SPECIAL = re.compile(r"([\\`*_\[\]|~$^])")
_AT_START = re.compile(r"^([#+\-=>:]|\d+(?=[.)]))")


def to_markdown(document: RunDocument) -> str:
    """The run: question, answer with footnotes, the ledger if there is one, how it was found; footnotes last."""
    state = document.state
    blocks = [f"# {escape(state.question) or 'A run of hds'}", *_contents(state), *_answer(state)]
    if ledger := document.to_dict()["ledger"]:
        blocks += ["## Ledger", escape(counts(state.ledger)), "\n".join(_ledger(ledger))]
    if state.turns:
        blocks += ["## How it was found", "\n".join(_found(state))]
    if state.finished:
        blocks.append(f"*{escape(answer.summary(state))}*")
    return "\n\n".join([*blocks, *(_footnote(citation) for citation in answer.citations(state))])


def escape(text: str) -> str:
    """Text of the web on one line, as itself: nothing in it is Markdown or HTML."""
    line = _SPECIAL.sub(r"\\\1", one_line(text)).replace("&", "&amp;").replace("<", "&lt;")
    return _AT_START.sub(lambda sign: f"{sign[1]}\\" if sign[1].isdigit() else f"\\{sign[1]}", line)


def _answer(state: RunState) -> Iterator[str]:
    numbers = {citation.n for citation in answer.citations(state)}
    headline = answer.bare(state)
    if not headline:
        missing = answer.nothing(state) or ["The run failed before an answer was found."]
        yield escape(missing[0])
        if missing[3:]:
            yield "\n".join([escape(missing[2]), "", *(f"- {escape(query[2:])}" for query in missing[3:])])
        return
    finished = state.finished
    if finished and finished.text:
        yield safe_markdown(finished.text, numbers, finished.support)
        yield from _grounds(finished)
        return
    body = paragraphs(headline, numbers)
    body[-1] += sorted(numbers - {piece for line in body for piece in line})
    explanation = clean((finished.explanation if finished else None) or "").strip()
    more = paragraphs(explanation if explanation != headline else "", numbers)
    yield from (_noted(pieces) for pieces in (*body, *more))


def _grounds(finished: RunFinished) -> Iterator[str]:
    """That an answer is not whole, the counts of its grades, and the reason of each weak part."""
    if finished.status == "partial":
        yield f"*{grounds.partial(finished.reason)}*"
    if finished.support:
        yield "\n".join([f"*{grounds.counts(finished.support)}*", *_listed(grounds.reasons(finished.support))])
    if finished.not_searched:
        yield "\n".join(["Not searched:", "", *(f"- {escape(query)}" for query in finished.not_searched)])


def _listed(lines: Iterable[str]) -> Iterator[str]:
    yield from (f"{'' if place else chr(10)}- {escape(line)}" for place, line in enumerate(lines))


def _contents(state: RunState) -> Iterator[str]:
    """The sections of a report, with the addresses that GitHub and Pandoc give to headings."""
    if state.sections:
        yield "\n".join(
            f"{one.number}. [{escape(one.section.title)}](#{_anchor(one.section.title)})"
            + (f" ({outcome})" if (outcome := outcomes.section(one)) else "")
            for one in state.sections.values()
        )


def _anchor(title: str) -> str:
    return quote(re.sub(r"[^\w\- ]", "", one_line(title).lower()).replace(" ", "-"))


def _found(state: RunState) -> Iterator[str]:
    """The turns, those of a report below its sections, those of several tries below each."""
    for turn in state.turns_of(0):
        yield from _turn(turn, turn.number)
    for one in (state.tries or state.sections).values():
        outcome = agreeing.says(one, state) if state.tries else outcomes.section(one)
        name = agreeing.label(one) if state.tries else one.section.title
        yield f"- {escape(name)}" + (f" ({outcome})" if outcome else "")
        for number, turn in enumerate(state.turns_of(one.number), 1):
            yield from (f"    {line}" for line in _turn(turn, number))


def _noted(pieces: Iterable[str | int]) -> str:
    """A paragraph; pieces of text keep the blanks between them and a reference."""
    shown = ""
    for piece in pieces:
        if isinstance(piece, int):
            shown += f"[^{piece}]"
            continue
        before, after = " " * piece[:1].isspace(), " " * piece[-1:].isspace()
        shown += f"{before}{escape(piece)}{after}" if piece.strip() else " "
    return shown.strip()


def _footnote(citation: Citation) -> str:
    quote = f": “{escape(citation.quote)}”" if citation.quote else ""
    doubt = "" if citation.verified else " (this quote was not found in the stored page)"
    doubt = " (led to the others)" if citation.led_to else doubt
    return f"[^{citation.n}]: {_link(citation.url, citation.title)}{quote}{doubt}"


def _link(url: str, title: str) -> str:
    """A link where the scheme allows one, else title and address as text."""
    target = link_target(url)
    if target:
        return f"[{escape(title or target)}](<{target}>)"
    where = escape(safe_url(url))
    return f"{escape(title)} ({where})" if title.strip() and where else where or escape(title)


def _ledger(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    yield "| What the question asks | State | Rests on |"
    yield "|---|---|---|"
    for row in rows:
        quote = f"“{escape(row['quote'])}” " if row["quote"] else ""
        where = _link(row["url"], words.host(row["url"])) if row["url"] else ""
        yield f"| {escape(row['constraint'])} | {escape(row['state'])} | {quote}{where} |"


def _turn(turn: TurnState, number: int) -> Iterator[str]:
    took = words.duration(turn.seconds) if turn.seconds is not None else "stopped"
    yield f"{number}. {escape(outcomes.turn(turn))} ({took})"
    for query in turn.queries.values():
        yield f"    - {escape(outcomes.name(query))}: {escape(outcomes.query(query))}"
        yield from _branches(query)


def _branches(query: QueryState) -> Iterator[str]:
    for search in query.errors:
        yield f"      - {escape(search.source)}: {escape(outcomes.search(search))}"
    if query.dropped:
        yield f"      - {escape(outcomes.dropped(query))}"
    for page in query.pages.values():
        yield f"      - {_link(page.url, page.title)}, {escape(outcomes.page(page))}"
