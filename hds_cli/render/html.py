"""The run as one self-contained HTML page: no script, nothing loaded from anywhere, and a policy that says so.

Every string passes `clean` and Jinja's autoescape; addresses become links only when they are http or https.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import hds_cli
from hds_cli.render import agreeing, answer, grounds, ledger, message, outcomes, words
from hds_cli.render.document import RunDocument
from hds_cli.render.quotes import further_quotes, marked, paragraphs
from hds_cli.render.text import clean, link_target, one_line, safe_url
from hds_cli.render.timeline import KINDS, Bar, Lane, Timeline, packed, ticks, timeline
from hds_cli.run_state import RunState
from hds_cli.types import Citation

if TYPE_CHECKING:
    from jinja2 import Environment, Template
    from markupsafe import Markup

_ROWS = 12  # rows of bars in a lane; with more of them all are thinner
_REFERENCES = 12  # more of them after an answer are one link to all sources
_OPEN_PAGES = 40  # a run with more pages shows them folded


def to_html(document: RunDocument) -> str:
    """The report of a run, schema-free and complete in one string."""
    state = document.state
    line = timeline(state)
    style = _style()
    return _template().render(
        state=state,
        run=document.to_dict(),
        style=style,
        style_hash=_hash(style),
        answer=_answer(state),
        sources=[_source(citation, state) for citation in answer.citations(state)],
        summary=answer.summary(state),
        conditions=ledger.counts(state.ledger),
        counts=grounds.counts(state.finished.support if state.finished else ()),
        reasons=list(grounds.reasons(state.finished.support if state.finished else ())),
        time=line,
        lanes=[_lane(lane, line) for lane in line.lanes],
        axis=[(f"{_share(t, line):.3f}%", f"{t:g} s") for t in ticks(line.seconds)],
        kinds=KINDS,
        open_pages=sum(len(query.pages) for query in state.queries) <= _OPEN_PAGES,
        version=hds_cli.__version__,
    )


@cache
def _style() -> str:
    return files("hds_cli.render").joinpath("templates/report.css").read_text("utf-8")


def _hash(style: str) -> str:
    """The name of the style sheet in the Content-Security-Policy (CSP level 3, hash sources)."""
    return "sha256-" + base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()


@cache
def _template() -> Template:
    return _environment().get_template("report.html.j2")


def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("hds_cli.render"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: clean(value) if isinstance(value, str) and not isinstance(value, Markup) else value,
    )
    environment.filters |= {
        "duration": words.duration, "size": words.size, "reason": words.reason, "count": words.count,
        "line": one_line, "address": safe_url, "target": link_target, "host": words.host,
        "page_says": outcomes.page, "query_says": outcomes.query, "search_says": outcomes.search,
        "section_says": outcomes.section, "query_name": outcomes.name, "turn_says": outcomes.turn,
        "dropped": outcomes.dropped, "try_label": agreeing.label, "try_says": agreeing.says, "trusted": Markup,
    }  # fmt: skip
    return environment


# --- the answer ------------------------------------------------------------------------------------------------------


def _answer(state: RunState) -> dict[str, Any]:
    """Answer and explanation in paragraphs of text and references, or what stands in their place."""
    numbers = {citation.n for citation in answer.citations(state)}
    headline = answer.bare(state)
    explanation = clean((state.finished.explanation if state.finished else None) or "").strip()
    body, more = paragraphs(headline, numbers), paragraphs(explanation if explanation != headline else "", numbers)
    rest = sorted(numbers - {piece for line in body for piece in line}) if body else []
    many = answer.ranges(rest) if len(rest) > _REFERENCES else ""
    if body and not many:
        body[-1] += rest
    return {
        "message": _message(state, numbers) if headline else None,
        "body": body,
        "many": many,
        "explanation": more,
        "missing": [] if headline else answer.nothing(state),
    }


def _message(state: RunState, numbers: set[int]) -> Markup | None:
    """The whole message, where the run kept one: made safe by `message.to_html`."""
    from markupsafe import Markup

    finished = state.finished
    if finished is None or not finished.text:
        return None
    return Markup(message.to_html(finished.text, numbers, finished.support, sections=bool(state.sections)))


def _source(citation: Citation, state: RunState) -> dict[str, Any]:
    passage = state.passage(citation.passage or citation.n)
    text = citation.context or (passage.text if passage and passage.url == citation.url else citation.quote)
    return {
        "citation": citation,
        "pieces": marked(text, citation.quote),
        "heading": passage.heading if passage else "",
        "further": further_quotes(citation, state),
        "source": state.source_of(citation.url),
    }


# --- the timeline ----------------------------------------------------------------------------------------------------


def _lane(lane: Lane, line: Timeline) -> dict[str, Any]:
    """A lane with its bars in rows; places as shares of the width, heights in pixels."""
    rows = packed(lane, line.seconds / 400)
    bar, gap = (9, 3) if len(rows) <= _ROWS else (4, 2)  # pixels
    step = bar + gap
    wait = next((wait for wait, _ in line.waits if wait.what == f"turn {lane.turn}"), None)
    return {
        "label": lane.label,
        "model": lane.query is None,
        "height": max(1, len(rows)) * step + gap,
        "bar_height": bar,
        "rects": [_rect(b, place * step + gap, line) for place, row in enumerate(rows) for b in row],
        "shade": _rect(wait, 0, line) if wait and any(b.late for b in lane.bars) else None,
        "bars": lane.bars,
    }


def _rect(bar: Bar, top: int, line: Timeline) -> dict[str, Any]:
    width = max(0.25, _share(bar.end, line) - _share(bar.start, line))
    left = min(_share(bar.start, line), 100 - width)
    return {"bar": bar, "x": f"{left:.3f}%", "y": top, "width": f"{width:.3f}%"}


def _share(t: float, line: Timeline) -> float:
    return 100 * t / line.seconds
