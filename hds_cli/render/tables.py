"""Results of `hds search` and other rows: a table on a terminal, tab-separated lines in a pipe."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hds_cli.render import words
from hds_cli.render.text import link, one_line, safe_url, to_text
from hds_cli.types import SearchResult

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

SEARCH_SCHEMA = "hds.search/1"
Found = tuple[str, Sequence[SearchResult], Sequence[dict[str, Any]]]
"""One query's text, its results, and its errors as `{"source", "code", "message"}`, maybe with `retry_after`."""


def search_dict(answers: Sequence[Found]) -> dict[str, Any]:
    """The document `hds.search/1`."""
    return {
        "schema": SEARCH_SCHEMA,
        "queries": [
            {
                "text": text,
                "results": [
                    {"url": r.url, "title": r.title, "snippet": r.snippet, "source": r.source, "rank": r.rank}
                    for r in results
                ],
                "errors": [{"source": "", "code": "", "message": ""} | dict(e) for e in errors],
            }
            for text, results, errors in answers
        ],
    }


def search_lines(answers: Sequence[Found]) -> str:
    """`rank<TAB>title<TAB>url<TAB>snippet` lines; several queries are named, each by a line `# QUERY`."""
    blocks = []
    for text, results, _ in answers:
        lines = [f"{r.rank}\t{one_line(r.title)}\t{safe_url(r.url)}\t{one_line(r.snippet)}".rstrip() for r in results]
        if lines:
            blocks.append("\n".join([f"# {one_line(text)}", *lines] if len(answers) > 1 else lines))
    return "\n\n".join(blocks)


def error_lines(answers: Sequence[Found]) -> list[str]:
    """One line for each source that failed, for stderr."""
    return [
        one_line(f"{e.get('source', '')}: {e.get('message') or words.reason(e.get('code'))}, for {text}")
        for text, _, errors in answers
        for e in errors
    ]


def print_search(console: Console, answers: Sequence[Found]) -> None:
    """For every query its results: rank, title, source, and below them address and snippet.

    Raises:
        OSError: the output could not be written.
    """
    from rich.text import Text

    signs = words.signs(console.encoding)
    for place, (text, results, errors) in enumerate(answers):
        if place:
            console.print()
        console.print(Text(signs.show(text), style="bold"))
        for result in results:
            for line in _result_lines(result, console.width - 1, signs):
                console.print(line, soft_wrap=True)
        if not results:
            console.print(Text("  no results", style="dim"))
        for error in errors:
            error_line = (
                f"{signs.cross} {error.get('source', '')}: {error.get('message') or words.reason(error.get('code'))}"
            )
            console.print(Text("  " + signs.show(error_line), style="red"))


def _result_lines(result: SearchResult, width: int, signs: words.Signs) -> list[Text]:
    from rich.text import Text

    source = signs.show(result.source, max(16, width // 3))
    room = max(10, width - 6 - Text(source).cell_len)
    head = Text(f"{result.rank:>3}  ").append(signs.show(result.title, room))
    if source:
        head.append(" " * max(1, width - head.cell_len - Text(source).cell_len)).append(source, "dim")
    lines = [head, Text("     ").append_text(link(result.url, "dim"))]
    if snippet := signs.show(result.snippet, max(10, width - 5)):
        lines.append(Text("     ").append(snippet))
    return lines


def rows_text(rows: Sequence[Sequence[str]]) -> str:
    """Rows as tab-separated lines for a pipe, without their header."""
    return "\n".join("\t".join(one_line(cell) for cell in row) for row in rows)


def print_rows(console: Console, header: Sequence[str], rows: Sequence[Sequence[str]], *, right: int = 0) -> None:
    """A calm table without lines: a dim header, columns two blanks apart, cells that wrap rather than vanish.

    Args:
        right: how many of the last columns are figures, set to the right.
    """
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False, show_edge=False)
    for place, name in enumerate(header):
        table.add_column(to_text(name), justify="right" if place >= len(header) - right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(to_text(one_line(cell)) for cell in row))
    console.print(table)


def print_pairs(console: Console, pairs: Sequence[tuple[str, str]]) -> None:
    """Names and values, a pair a line, values aligned."""
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False, pad_edge=False, show_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in pairs:
        table.add_row(to_text(one_line(name)), to_text(one_line(value)))
    console.print(table)
