"""Hostile text for every sink, and a console that is the same everywhere."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from hds_cli.render.consoles import SafeConsole

from .chromium import Chromium, found

ESCAPES = [
    "\x1b]0;PWNED\x07", "\x1b]52;c;SEFDS0VE\x07", "\x1b[1A\x1b[2KVerified answer: 42", "\x1b[31mred", "\x1bc", "\x9b31m",
    "\x9d0;PWNED\x9c", "a\rb", "a\x08b", "\x7f", "abc\u202edcba", "\u2066x\u2069", "\u200e\u200f\u061c", "\ufeff",
    "\u2028\u2029", "\U000e0041\U000e007f", "\ud800", "\udfff", "\u2060\u2064", "\ufff9a\ufffab\ufffb", "[/bold]", "[/]",
    "x [/nope] y", "[link=http://evil/]bank[/link]", ":bomb:", "http://a/\x1b\\b", "\x1bP1;2|x\x1b\\", "\x0e\x0f",
]  # fmt: skip


def payloads() -> list[str]:
    """Escape sequences of our own, every code point below 0xA0, and the naughty strings where they are there."""
    found = ESCAPES + [f"a{chr(point)}b" for point in range(0xA0)]
    shared = Path(os.environ.get("HDS_SHARED_DATA") or Path(__file__).parents[2] / ".." / "shared" / "data")
    naughty = shared / "hostile_blns" / "blns.json"
    return found + (json.loads(naughty.read_text("utf-8")) if naughty.is_file() else [])


def fixed_console(width: int = 80, height: int = 24, *, terminal: bool = False, encoding: str = "utf-8") -> Console:
    """A console of a given size without colour and without an environment; what was written is in `console.file`."""
    stream = io.TextIOWrapper(
        io.BytesIO(), encoding=encoding, errors="backslashreplace", newline="\n", write_through=True
    )
    return SafeConsole(file=stream, width=width, height=height, color_system=None, force_terminal=terminal, markup=False,
                       emoji=False, highlight=False, _environ={})  # fmt: skip


def written(console: Console) -> str:
    """What a fixed console was given to write."""
    stream = console.file
    assert isinstance(stream, io.TextIOWrapper)
    raw = stream.buffer
    assert isinstance(raw, io.BytesIO)
    return raw.getvalue().decode(stream.encoding)


@pytest.fixture(scope="session")
def hostile() -> list[str]:
    return payloads()


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    """A real headless browser; skipped where there is none."""
    binary = found()
    if binary is None:
        pytest.skip("no Chromium here")
    browser = Chromium(binary, tmp_path_factory.mktemp("chromium"))
    yield browser
    browser.close()
