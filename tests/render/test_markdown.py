"""The Markdown document, read by a CommonMark parser with footnotes left as they are."""

from __future__ import annotations

import re

import pytest
from markdown_it import MarkdownIt

from hds_cli.render.report import render

from .sample import big_run, whole_run
from .test_html import HOSTILE
from .test_sinks import BAD, poisoned


def _html(text: str) -> str:
    return str(MarkdownIt("commonmark", {"html": True}).enable("table").render(text))


def test_markdown_has_question_answer_footnotes_and_the_way() -> None:
    """The answer names its footnotes; every footnote is a link and a quote; queries and pages are nested lists."""
    text = render("markdown", whole_run())
    assert text.startswith(
        "# What are the capitals of the countries that border Austria?\n\nBerlin and Rome.[^1][^2][^3]\n\n"
    )
    assert "[^2]: [Germany](<https://en.wikipedia.org/wiki/Germany>): “Its capital is Berlin.”" in text
    assert text.endswith("“La capitale è Roma.” (this quote was not found in the stored page)")
    html = _html(text)
    assert html.count("<ol>") == 1
    assert '<li><a href="https://www.britannica.com/place/Berlin">Berlin</a>, 18 kB, 0.3 s</li>' in html


def test_every_footnote_is_named_and_every_name_has_one() -> None:
    """Readers drop a footnote that the text does not name."""
    text = render("markdown", big_run())
    named = set(re.findall(r"\[\^(\d+)\](?!:)", text))
    assert named == set(re.findall(r"^\[\^(\d+)\]:", text, re.MULTILINE))
    assert len(named) == 200


@pytest.mark.parametrize("payload", [*HOSTILE, "# x", "1. x", "- x", "> x", "[a](javascript:x)", "![i](https://t.example/p.gif)",
                                     "<javascript:alert(1)>", "`x`", "a | b", "    code", "---", "***b***", "[^1]: x", "\\"])  # fmt: skip
def test_hostile_text_is_neither_markup_nor_html(payload: str) -> None:
    """Whatever a page is called: no element but ours, no image, no link but to the web."""
    text = render("markdown", poisoned(payload))
    html = _html(text)
    tags = set(re.findall(r"<(/?\w+)", html))
    assert {tag.strip("/") for tag in tags} <= {"h1", "h2", "p", "ol", "ul", "li", "a", "em"}
    assert all(target.startswith("https://") for target in re.findall(r'href="([^"]*)"', html))
    assert html.count("<h1>") == 1
    assert html.count("<h2>") == 1


def test_markdown_holds_nothing_a_terminal_obeys(hostile: list[str]) -> None:
    """It is printed to a terminal too."""
    for payload in hostile:
        assert not set(render("markdown", poisoned(payload))) & BAD
