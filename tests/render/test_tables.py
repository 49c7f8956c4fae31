"""Search results and other rows, for people and for pipes."""

from __future__ import annotations

import json

from hds_cli.render import tables
from hds_cli.types import SearchResult

from .conftest import fixed_console, written

FOUND: list[tables.Found] = [
    (
        "capital of Italy",
        [
            SearchResult("https://it.example/", "Italia", "Its capital is\nRome.", 1, "web"),
            SearchResult("https://rome.example/", "Rome\tthe city", "", 2, "web"),
        ],
        [],
    ),
    ("capital of Atlantis", [], [{"source": "web", "code": "timeout", "message": "no answer in 8 s"}]),
]


def test_search_in_a_pipe_is_one_tabbed_line_a_result() -> None:
    """`rank<TAB>title<TAB>url<TAB>snippet`, whatever stands in them; several queries are named; failures go to stderr."""
    first, second = "1\tItalia\thttps://it.example/\tIts capital is Rome.", "2\tRome the city\thttps://rome.example/"
    assert tables.search_lines(FOUND) == f"# capital of Italy\n{first}\n{second}"
    assert tables.search_lines(FOUND[:1]) == f"{first}\n{second}"
    assert tables.error_lines(FOUND) == ["web: no answer in 8 s, for capital of Atlantis"]


def test_search_document_has_the_keys_of_its_schema() -> None:
    """`hds.search/1`, exactly."""
    document = json.loads(json.dumps(tables.search_dict(FOUND)))
    assert list(document) == ["schema", "queries"]
    assert document["schema"] == "hds.search/1"
    assert set(document["queries"][0]) == {"text", "results", "errors"}
    assert set(document["queries"][0]["results"][0]) == {"url", "title", "snippet", "source", "rank"}
    assert document["queries"][1]["errors"] == [{"source": "web", "code": "timeout", "message": "no answer in 8 s"}]


def test_search_on_a_terminal_is_drawn_as_pictured() -> None:
    """Rank, title and source on a line, address and snippet below, failures where they happened."""
    console = fixed_console(50)
    tables.print_search(console, FOUND)
    assert written(console).splitlines() == [
        "capital of Italy",
        "  1  Italia                                   web",
        "     https://it.example/",
        "     Its capital is Rome.",
        "  2  Rome the city                            web",
        "     https://rome.example/",
        "",
        "capital of Atlantis",
        "  no results",
        "  ✗ web: no answer in 8 s",
    ]


def test_rows_are_aligned_and_long_cells_wrap() -> None:
    """Figures to the right; nothing is cut away."""
    console = fixed_console(30)
    tables.print_rows(console, ["name", "pages"], [["world", "250"], ["x" * 40, "7"]], right=1)
    lines = written(console).splitlines()
    assert lines[1].split() == ["world", "250"]
    assert "".join(lines).count("x") == 40
    assert tables.rows_text([["a b", "c\td"]]) == "a b\tc d"
    tables.print_pairs(console, [("documents", "250"), ("size", "1.2 MB")])
    assert written(console).splitlines()[-2].rstrip() == "documents  250"
