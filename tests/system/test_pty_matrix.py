"""The real `hds ask` in a pseudo-terminal: widths, colours and encodings, with page titles that mean harm."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import shutil
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from rich.cells import cell_len

from tests.ahead import ahead
from tests.conftest import command

WIDTHS = (40, 60, 80, 100, 132, 200)
COLOURS: dict[str, dict[str, str]] = {
    "none": {"TERM": "xterm-256color", "COLORTERM": "truecolor", "NO_COLOR": "1"},
    "16": {"TERM": "xterm"},
    "true": {"TERM": "xterm-256color", "COLORTERM": "truecolor"},
}
ENCODINGS: dict[str, dict[str, str]] = {
    "utf-8": {"LC_ALL": "C.UTF-8"},
    "ascii": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
}
TITLES = [
    "Norway \x1b[2J\x1b]0;PWNED\x07[/x] \u202egnp", "Sweden 瑞典王國的首都是斯德哥爾摩 and its long history",
    "Finland 👩‍👩‍👧 e\u0301\u0302 " + "very " * 30, "Denmark\r\x08\x9b31m\u200e\u2066",
]  # fmt: skip
BLOCK = "<think>\nI look them up, all at once.\n</think>\n\n<|begin_search_queries|>\n{}\n<|end_search_queries|>"
ANSWER = (
    "That is all.\n</think>\n\nThe capital of Norway is Oslo [1].\n\n\\boxed{Oslo, Stockholm, Helsinki and Copenhagen}"
)
# Cursor up, erase to the end of the line or of the screen, hide and show the cursor, wrapping off and on, styles, hyperlinks of the web.
_ALLOWED = re.compile(r"\x1b\[(?:\d+A|[KJ]|\?(?:25|7)[lh]|[\d;]*m)|\x1b\]8;[\w=;]*;?(?:https?://[!-~]*)?\x1b\\")
_COLOUR = re.compile(r"\x1b\[(?:[\d;]*;)?(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])(?:;[\d;]*)?m")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a collection of four pages with such titles, and the script of a model."""
    folder = tmp_path_factory.mktemp("pty")
    capitals = zip(
        ("Norway", "Sweden", "Finland", "Denmark"), ("Oslo", "Stockholm", "Helsinki", "Copenhagen"), TITLES, strict=True
    )
    pages = [
        {"title": t, "text": f"The capital of {land} is {city}.", "url": f"https://x.example/{land}"}
        for land, city, t in capitals
    ]
    (folder / "pages.jsonl").write_text("".join(json.dumps(page) + "\n" for page in pages))
    queries = "\n".join(f"capital of {land}" for land in ("Norway", "Sweden", "Finland", "Denmark", "Norway"))
    script = [{"text": text, "chars_per_second": 400} for text in (BLOCK.format(queries), ANSWER)]
    (folder / "script.jsonl").write_text("\n".join(map(json.dumps, script)))
    done = subprocess.run(
        [command(), "index", "add", str(folder / "pages.jsonl")], env=_env(folder), capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return folder


def _env(folder: Path, **more: str) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HDS_HOME": str(folder / "home"), **more}


def _run(folder: Path, width: int, env: dict[str, str], *flags: str) -> tuple[int, bytes]:
    """Exit code and everything the command writes to a terminal of that width."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    asked = [command(), "ask", "-e", "scripted", "-m", str(folder / "script.jsonl"), "-s", "pages", "--offline", *flags]
    child = subprocess.Popen([*asked, "What are the capitals of Norway, Sweden, Finland and Denmark?"],
                             stdin=theirs, stdout=theirs, stderr=theirs, env=_env(folder, **env), start_new_session=True)  # fmt: skip
    os.close(theirs)
    got, end = b"", time.monotonic() + 60
    while time.monotonic() < end:
        try:
            piece = os.read(ours, 65536)
        except OSError:  # the other side is closed
            break
        if not piece:
            break
        got += piece
    os.close(ours)
    return child.wait(timeout=20), got


def _judged(got: bytes, encoding: str, width: int) -> str:
    """The text without the sequences a terminal may be sent; anything else it would obey, or a line too wide, fails."""
    text = got.decode(encoding)
    assert "Traceback" not in text
    assert all(text.rfind(f"\x1b[?{mode}h") >= text.rfind(f"\x1b[?{mode}l") for mode in (25, 7))
    plain = _ALLOWED.sub("", text)
    stray = re.findall(r"[^\n\r\t -~\xa0-\U0010ffff]|[\u200e\u200f\u202a-\u202e\u2066-\u2069]", plain)
    assert stray == [], stray
    wide = [line for line in re.split(r"[\r\n]+", plain) if cell_len(line) > width]
    assert wide == []
    return plain


@pytest.fixture(scope="module")
def seen(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, home: Path
) -> Iterator[Callable[..., tuple[int, bytes]]]:
    """What each of the 36 terminals is sent; such a run mostly waits for its model's pace."""

    def run(width: int, colour: str, encoding: str) -> tuple[int, bytes]:
        folder = tmp_path_factory.mktemp("terminal")
        shutil.copytree(home, folder, dirs_exist_ok=True)
        return _run(folder, width, COLOURS[colour] | ENCODINGS[encoding], "--timeline")

    with ahead(request, "test_nothing_overflows_and_nothing_stray_is_written", run, at_once=3) as found:
        yield found


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_overflows_and_nothing_stray_is_written(
    seen: Callable[..., tuple[int, bytes]], width: int, colour: str, encoding: str
) -> None:
    """36 terminals: the tree, the answer, its sources and the timeline; the answer is in each."""
    code, got = seen(width=width, colour=colour, encoding=encoding)
    plain = _judged(got, encoding, width)
    assert code == 0, plain
    assert "Oslo, Stockholm" in plain
    assert "the model writes" in plain
    coloured = bool(_COLOUR.search(got.decode(encoding)))
    assert coloured == (colour != "none")


@pytest.mark.parametrize("flags", [["--plain"], ["--no-color"], ["--plain", "--no-color"]])
def test_flags_do_what_the_environment_does(home: Path, flags: list[str]) -> None:
    """`--plain` moves no cursor, `--no-color` writes no colour."""
    code, got = _run(home, 80, COLOURS["true"] | ENCODINGS["utf-8"], *flags)
    assert code == 0
    _judged(got, "utf-8", 10_000 if "--plain" in flags else 80)
    moves = re.search(rb"\x1b\[(\d+A|[KJ]|\?25)", got)
    assert bool(moves) == ("--plain" not in flags)
    assert not _COLOUR.search(got.decode())


@pytest.mark.parametrize("term", ["dumb", "", "unknown"])
def test_a_dumb_terminal_gets_plain_lines(home: Path, term: str) -> None:
    """No cursor moves, no spinner: one line after the other."""
    code, got = _run(home, 80, {"TERM": term} | ENCODINGS["utf-8"])
    assert code == 0
    assert b"\x1b[" not in re.sub(rb"\x1b\[[\d;]*m", b"", got)
    assert "capital of Norway" in got.decode()
    assert not set(got.decode()) & set("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏")
