"""The run as a Word document (.docx), through python-docx: headings, lists, tables, and links to the sources.

Every string is a stranger's: it is cleaned and set as text; addresses become links only when they are http or https.
"""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from hds_cli.errors import HdsError
from hds_cli.render import agreeing, answer, grounds, ledger, outcomes
from hds_cli.render.document import RunDocument
from hds_cli.render.message import parsed
from hds_cli.render.quotes import further_quotes, references
from hds_cli.render.text import clean, link_target, one_line, safe_url
from hds_cli.run_state import QueryState, RunState, TurnState

if TYPE_CHECKING:
    from docx.document import Document

_ILLEGAL = re.compile("[\ufffe\uffff]")  # no characters of XML; what else is none, `clean` replaces
_DEEPEST = 3  # lists in lists that are indented
_CODE = "Consolas"
_INDENT = 18  # points


def to_docx(document: RunDocument) -> bytes:
    """The file's bytes.

    Raises:
        HdsError: python-docx is not installed.
    """
    try:
        from docx import Document
    except ImportError:
        raise HdsError(
            "Word documents need the package python-docx", code="missing_package", hint='pip install "hds-cli[docx]"'
        ) from None
    state = document.state
    paper = _Paper(Document(), {citation.n for citation in answer.citations(state)})
    paper.describe(one_line(state.question), state.started.started_at if state.started else "")
    paper.heading(one_line(state.question) or "A run of hds", 0)
    for number, one in enumerate(state.sections.values(), 1):
        outcome = outcomes.section(one)
        place = paper.paragraph()
        paper.run(place, f"{number}. ")
        paper.inner_link(place, one_line(one.section.title), f"section_{number}")
        paper.run(place, f" ({outcome})" if outcome else "")
    _answer(paper, state)
    _sources(paper, state)
    if state.ledger:
        paper.heading("Ledger", 1)
        for line in ledger.lines(state.ledger):
            paper.run(paper.paragraph(indent=1), one_line(line))
    _found(paper, state)
    out = io.BytesIO()
    paper.document.save(out)
    return out.getvalue()


def _answer(paper: _Paper, state: RunState) -> None:
    finished, headline = state.finished, answer.bare(state)
    if finished is None or not headline:
        for line in answer.nothing(state) or ["The run failed before an answer was found."]:
            paper.run(paper.paragraph(), line)
        return
    text = grounds.signed(clean(finished.text or headline).strip(), finished.support)
    if not finished.text and finished.explanation and finished.explanation != headline:
        text += f"\n\n{clean(finished.explanation).strip()}"
    paper.message(text, sections=bool(state.sections))
    if finished.status == "partial":
        paper.run(paper.paragraph(), grounds.partial(finished.reason), italic=True)
    if finished.support:
        paper.run(paper.paragraph(), grounds.counts(finished.support), italic=True)
    for line in grounds.reasons(finished.support):
        paper.run(paper.paragraph(indent=1), one_line(line))


def _sources(paper: _Paper, state: RunState) -> None:
    cited = answer.citations(state)
    if cited:
        paper.heading("Sources", 1)
    for citation in cited:
        place = paper.paragraph(bookmark=f"source_{citation.n}")
        paper.run(place, f"[{citation.n}] ")
        paper.run(place, f"{one_line(citation.title)} ", bold=True)
        if target := link_target(citation.url):
            paper.link(place, target, target)
        else:
            paper.run(place, one_line(state.source_of(citation.url)) or safe_url(citation.url))
        doubt = "" if citation.verified else " (this quote was not found in the stored page)"
        for quote in [citation.quote, *further_quotes(citation, state)]:
            if quote:
                paper.run(paper.paragraph(indent=1), f"“{one_line(quote)}”{doubt}", italic=True)
                doubt = ""


def _found(paper: _Paper, state: RunState) -> None:
    paper.heading("How it was found", 1)
    _queries(paper, state.queries if not state.tries else _of(state.turns_of(0)))
    for one in state.tries.values():
        says = agreeing.says(one, state)
        paper.run(paper.paragraph(), f"{one_line(agreeing.label(one))}{f' ({says})' if says else ''}")
        _queries(paper, _of(state.turns_of(one.number)))
    if state.finished:
        paper.run(paper.paragraph(), answer.summary(state), italic=True)


def _queries(paper: _Paper, queries: Iterable[QueryState]) -> None:
    for query in queries:
        paper.run(paper.paragraph(indent=1), f"{one_line(outcomes.name(query))}: {one_line(outcomes.query(query))}")


def _of(turns: Iterable[TurnState]) -> Iterator[QueryState]:
    return (query for turn in turns for query in turn.queries.values())


class _Paper:
    """A document that is written from top to bottom.

    Args:
        numbers: the sources that a mark can lead to.
    """

    def __init__(self, document: Document, numbers: set[int]) -> None:
        self.document, self._numbers = document, numbers
        self._bookmarks, self._sections = 0, 0

    def describe(self, title: str, started: str) -> None:
        """The properties of the file."""
        core = self.document.core_properties
        core.title, core.author, core.comments = _text(title)[:255], "", ""
        with contextlib.suppress(ValueError, OverflowError):
            core.created = core.modified = datetime.fromisoformat(started)

    def heading(self, text: str, level: int, bookmark: str = "") -> Any:
        """A heading; level 0 is the title."""
        return self._marked(self.document.add_heading(_text(text), level), bookmark)

    def paragraph(self, *, indent: int = 0, bookmark: str = "") -> Any:
        from docx.shared import Pt

        place = self.document.add_paragraph()
        if indent:
            place.paragraph_format.left_indent = Pt(_INDENT * indent)
        return self._marked(place, bookmark)

    def run(self, place: Any, text: str, *, bold: bool = False, italic: bool = False, code: bool = False) -> Any:
        run = place.add_run(_text(text))
        run.bold, run.italic = bold or None, italic or None
        if code:
            run.font.name = _CODE
        return run

    def link(self, place: Any, text: str, target: str) -> None:
        """A link to the web."""
        from docx.opc.constants import RELATIONSHIP_TYPE

        self._linked(place, text, "r:id", place.part.relate_to(target, RELATIONSHIP_TYPE.HYPERLINK, is_external=True))

    def inner_link(self, place: Any, text: str, bookmark: str, *, raised: bool = False) -> None:
        """A link to a place of the document."""
        self._linked(place, text, "w:anchor", bookmark, raised=raised)

    def _linked(self, place: Any, text: str, name: str, value: str, *, raised: bool = False) -> None:
        from docx.oxml import OxmlElement
        from docx.oxml.ns import qn
        from docx.shared import RGBColor

        run = self.run(place, text)
        run.font.color.rgb, run.font.superscript = RGBColor(0x0B, 0x5A, 0x77), raised or None
        element = OxmlElement("w:hyperlink")
        element.set(qn(name), value)
        place._p.append(element)
        element.append(run._r)

    def _marked(self, place: Any, bookmark: str) -> Any:
        from docx.oxml import OxmlElement
        from docx.oxml.ns import qn

        if bookmark:
            self._bookmarks += 1
            for tag in ("w:bookmarkStart", "w:bookmarkEnd"):
                element = OxmlElement(tag)
                element.set(qn("w:id"), str(self._bookmarks))
                if tag == "w:bookmarkStart":
                    element.set(qn("w:name"), bookmark)
                place._p.append(element)
        return place

    # --- Markdown ------------------------------------------------------------------------------------------------

    def message(self, text: str, *, sections: bool) -> None:
        """A model's message, which is Markdown."""
        tokens = parsed(text)
        lists: list[int | None] = []  # the next number of each list that is open; None: bullets
        bullet, quoted, at = "", 0, 0
        while at < len(tokens):
            token = tokens[at]
            match token.type:
                case "ordered_list_open":
                    lists.append(int(token.attrs.get("start", 1)))
                case "bullet_list_open":
                    lists.append(None)
                case "ordered_list_close" | "bullet_list_close":
                    lists.pop()
                case "list_item_open":
                    bullet = "• " if lists[-1] is None else f"{lists[-1]}. "
                    lists[-1] = None if lists[-1] is None else lists[-1] + 1
                case "blockquote_open":
                    quoted += 1
                case "blockquote_close":
                    quoted -= 1
                case "heading_open":
                    self._headed(token, tokens[at + 1], sections)
                    at += 1
                case "inline":
                    place = self.paragraph(indent=min(_DEEPEST, len(lists)) + quoted)
                    self.run(place, bullet)
                    self._inline(place, token.children)
                    bullet = ""
                case "fence" | "code_block":
                    self.run(self.paragraph(indent=1), token.content.rstrip("\n"), code=True)
                case "table_open":
                    at = self._table(tokens, at)
                case _:
                    pass
            at += 1

    def _headed(self, opening: Any, inline: Any, sections: bool) -> None:
        level = int(opening.tag[1])
        bookmark = ""
        if sections and level == 2 and opening.level == 0:
            self._sections += 1
            bookmark = f"section_{self._sections}"
        self._inline(self.heading("", max(1, level - 1), bookmark), inline.children)

    def _inline(self, place: Any, children: Sequence[Any] | None) -> None:
        bold = italic = False
        target = ""
        for child in children or ():
            match child.type:
                case "strong_open" | "strong_close":
                    bold = child.nesting > 0
                case "em_open" | "em_close":
                    italic = child.nesting > 0
                case "link_open":
                    target = link_target(str(child.attrs.get("href", ""))) or ""
                case "link_close":
                    target = ""
                case "code_inline":
                    self.run(place, child.content, bold=bold, italic=italic, code=True)
                case "softbreak":
                    self.run(place, " ")
                case "hardbreak":
                    self.run(place, "\n")
                case "text" if target:
                    self.link(place, child.content, target)
                case _:
                    self._with_marks(place, child.content, bold, italic)

    def _with_marks(self, place: Any, text: str, bold: bool, italic: bool) -> None:
        for piece in references(text, self._numbers):
            if isinstance(piece, int):
                self.inner_link(place, f"[{piece}]", f"source_{piece}", raised=True)
            else:
                self.run(place, piece, bold=bold, italic=italic)

    def _table(self, tokens: Sequence[Any], at: int) -> int:
        """The table that begins at a token; the place of its last one."""
        rows: list[list[Any]] = []
        while tokens[at].type != "table_close":
            if tokens[at].type == "tr_open":
                rows.append([])
            elif tokens[at].type == "inline":
                rows[-1].append(tokens[at])
            at += 1
        table = self.document.add_table(len(rows), max(map(len, rows), default=1), style="Table Grid")
        for row, cells in zip(table.rows, rows, strict=True):
            for cell, inline in zip(row.cells, cells, strict=False):
                self._inline(cell.paragraphs[0], inline.children)
        self.document.add_paragraph()
        return at


def _text(text: str) -> str:
    return _ILLEGAL.sub("\ufffd", clean(text))


__all__ = ["to_docx"]
