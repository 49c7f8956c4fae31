"""`clean` and its family: nothing a terminal obeys gets through, and honest text is left alone."""

from __future__ import annotations

import random
import subprocess
import sys

import pytest
from rich.cells import cell_len

from hds_cli.render.text import clean, clip, link, link_target, one_line, safe_url

OBEYED = [
    *range(0x00, 0x09), *range(0x0B, 0x20), *range(0x7F, 0xA0), 0x61C, 0x200E, 0x200F, *range(0x2028, 0x202F),
    *range(0x2060, 0x2070), 0xFEFF, *range(0xFFF9, 0xFFFC), *range(0xE0000, 0xE1000), *range(0xD800, 0xE000),
]  # fmt: skip


def test_clean_lets_no_obeyed_code_point_through() -> None:
    """Every control, bidi mark, invisible operator, tag character and lone surrogate is shown or dropped."""
    text = clean("".join(map(chr, OBEYED)))
    assert not set(map(ord, text)) & set(OBEYED)
    assert clean("\x1b[31m") == "\u241b[31m"
    assert clean("a\r\nb\tc\x9bd\u202ee") == "a\nb\tc\ufffdde"


@pytest.mark.parametrize(
    "text", ["שלום עולם", "مرحبا بالعالم", "नमस्ते दुनिया", "👩‍👩‍👧 family", "naïve café", "日本語", "a\tb\nc"]
)
def test_clean_leaves_natural_language_alone(text: str) -> None:
    """Right-to-left scripts, joined emoji and accents come out as they went in."""
    assert clean(text) == text


def test_clean_works_on_pieces_as_on_the_whole(hostile: list[str]) -> None:
    """A sequence cut across two pieces of a stream is caught like a whole one."""
    chance = random.Random(7)
    for payload in hostile:
        cut = chance.randrange(len(payload) + 1)
        assert clean(payload[:cut]) + clean(payload[cut:]) == clean(payload)


@pytest.mark.parametrize("width", [0, 1, 2, 5, 9, 40])
def test_one_line_never_is_wider_than_asked(hostile: list[str], width: int) -> None:
    """However wide its characters, a line fits its cells and has no line break in it."""
    for payload in [*hostile, "日本語日本語 hello", "e\u0301" * 50]:
        line = one_line(payload, width)
        assert cell_len(line) <= width
        assert "\n" not in line


def test_clip_marks_what_was_cut() -> None:
    """A cut line ends with the mark; a line that fits is untouched."""
    assert clip("capital of Hungary", 10) == "capital o…"
    assert clip("capital of Hungary", 10, "...") == "capital..."
    assert clip("日本語日本語", 7) == "日本語…"
    assert clip("short", 5) == "short"


def test_safe_url_is_ascii_and_in_full(hostile: list[str]) -> None:
    """A foreign host is punycode, everything else percent-encoded; nothing of a web address is hidden."""
    assert safe_url("https://münchen.de/ä?x=[1]") == "https://xn--mnchen-3ya.de/%C3%A4?x=%5B1%5D"
    assert safe_url("http://[::1]:80/a") == "http://[::1]:80/a"
    assert safe_url("https://user@é.com:8080/x%20y") == "https://user@xn--9ca.com:8080/x%20y"
    for payload in hostile:
        for url in (f"https://{payload}.example/", f"https://example.org/{payload}"):
            assert safe_url(url).isascii()
            assert safe_url(url).isprintable()


def test_only_web_addresses_become_links() -> None:
    """javascript:, file: and names are shown, never linked; a link's target is what is shown."""
    for url in ("javascript:alert(1)", "file:///etc/passwd", "[stdin]", "http:///x", "world://Austria"):
        assert link_target(url) is None
        assert not link(url).spans
    assert link_target("https://bank.example/\x1b\\") == "https://bank.example/%1B%5C"


def test_text_loads_no_rich_until_it_is_needed() -> None:
    """Importing text, jsonl and document costs nothing of rich: `hds --version` stays fast."""
    code = (
        "import sys, hds_cli.render.text, hds_cli.render.jsonl, hds_cli.render.document, hds_cli.render.choose;"
        "print([m for m in sys.modules if m.split('.')[0] == 'rich'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
