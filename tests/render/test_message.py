"""A model's message in reports: its Markdown is kept, nothing in it has power, weak parts are seen with their reason."""

from __future__ import annotations

import time

import pytest

from hds_cli.render import grounds
from hds_cli.render.message import safe_markdown, to_html
from hds_cli.types import Quote, Support

TEXT = "The **tower** is 330 m tall [1]. It was *built* in 1885 [1].\n\n| City | People |\n|---|---|\n| Oria | 7 [2] |"
SUPPORT = (
    Support("The tower is 330 m tall.", "quoted", (1,), (Quote(1, "The tower is 330 metres tall."),)),
    Support("It was built in 1885.", "contradicted", (1,), (Quote(1, "built in 1887"),), ("1885",)),
    Support("Oria; 7", "missing", (2,), (), ("7",)),
)


def test_counts_are_one_line() -> None:
    """Each grade that is there, in its words."""
    assert grounds.counts(SUPPORT) == "3 parts: 1 quoted, 1 contradicted, 1 in no page"
    assert grounds.counts(()) == ""


def test_a_sign_stands_behind_each_weak_part() -> None:
    """Behind its marks and before the full stop; a part in a table within its row."""
    signed = grounds.signed(TEXT, SUPPORT)
    assert "It was *built* in 1885 [1] [!]." in signed
    assert "| Oria | 7 [2] [?] |" in signed
    assert signed.count("[?]") + signed.count("[!]") == 2


def test_the_reason_of_a_weak_part_is_said() -> None:
    """The quote against it, or what no page says."""
    assert list(grounds.reasons(SUPPORT)) == [
        "[!] It was built in 1885: [1] says “built in 1887”",
        "[?] Oria; 7: no page says 7",
    ]


def test_html_keeps_the_markdown_and_underlines_what_is_weak() -> None:
    """Tables and emphasis are rendered, marks lead to sources, weak words carry the reason."""
    made = to_html(TEXT, {1, 2}, SUPPORT)
    assert "<strong>tower</strong>" in made
    assert "<table>" in made
    assert '<a href="#source-1" id="ref-1"' in made
    assert '<span class="weak" title="[1] says “built in 1887”">It was </span><em><span class="weak"' in made
    assert made.count("<span") == made.count("</span>")


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "[a](javascript:alert(1))", "[a](JaVaScRiPt:x)",
        "[a](data:text/html,x)", "![p](https://t.example/pixel.png)", "[a]: javascript:x\n\n[a]", "<javascript:alert(1)>",
        "`<b>`", "\ue0000\ue003<b>\ue001", "[a](https://e.example/\"onmouseover=alert(1))", "&lt;script&gt;",
    ],
)  # fmt: skip
def test_nothing_in_a_message_has_power(text: str) -> None:
    """No tag, no image, no address but the web's, neither in HTML nor in Markdown."""
    made = to_html(text, {1}, (Support(text, "missing"),))
    assert not any(
        tag in made.lower() for tag in ("<script", "<img", "<b>", 'href="javascript', 'href="data', 'onmouseover="')
    )
    kept = safe_markdown(text, {1}, ())
    assert "](javascript" not in kept.lower()
    assert "](data" not in kept
    assert "![" not in kept
    assert "<" not in kept.replace("`<b>`", "")


def test_footnotes_are_those_of_the_sources() -> None:
    """A mark that has a source is its footnote; another one is text."""
    assert safe_markdown("A [1]. B [7].", {1}, ()) == "A[^1]. B \\[7\\]."


def test_hostile_markdown_takes_no_long_time() -> None:
    """Brackets, tables and quotes without an end are rendered in bounded time."""
    for piece in ("[", "[a](", "](", "(", "**", "<", "`", "[1]", "![", "| a |\n", "> ", "- "):
        started = time.process_time()
        to_html(piece * 3000, {1}, ())
        safe_markdown(piece * 3000, {1}, ())
        assert time.process_time() - started < 10, piece
