"""F9 in a real terminal: hostile titles leave the clipboard, the title and the screen alone."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

HOSTILE = [
    "\x1b]52;c;SEFDS0VE\x07", "\x1b]0;PWNED\x07", "\x1b]2;PWNED\x1b\\", "\x1b[2J\x1b[H", "\x1b[1A\x1b[2KVerified answer: 42",
    "\x9b2J", "\x9d0;PWNED\x9c", "\x1bc", "\x1b[?1049h", "\x1b[8m", "\x1bP$q\x1b\\", "\u202egnp.exe", "[/bold]", "[link=http://evil.test]x[/link]",
]  # fmt: skip
_SHOW = """
import sys
sys.path.insert(0, {root!r})
from hds_cli.types import SearchResult
from hds_cli.render import tables
from hds_cli.render.consoles import console_for
titles = {titles!r}
raw = {raw!r}
print("BEFORE")
if raw:
    for title in titles: sys.stdout.write(title + "\\n")
else:
    tables.print_search(console_for(sys.stdout), [("q", [SearchResult("https://x.example/" + t, t, t, n, t) for n, t in enumerate(titles, 1)], [])])
print("AFTER")
sys.stdout.flush()
import time; time.sleep(30)
"""
Tmux = Callable[..., str]


@pytest.fixture
def tmux() -> Iterator[Tmux]:
    if shutil.which("tmux") is None:
        pytest.skip("no tmux here")
    name = f"hds-test-{os.getpid()}"  # a server of its own: others may run these tests too

    def call(*args: str) -> str:
        env = {
            k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES")
        }  # readline exports them behind Python
        return subprocess.run(["tmux", "-L", name, *args], capture_output=True, text=True, check=False, env=env).stdout

    yield call
    call("kill-server")


def _show(tmux: Tmux, tmp_path: Path, raw: bool) -> tuple[str, str, str]:
    """(screen, pane title, paste buffer) after the titles were shown."""
    script = tmp_path / "show.py"
    root = str(Path(__file__).resolve().parents[2])
    script.write_text(_SHOW.format(root=root, titles=HOSTILE, raw=raw), encoding="utf-8", errors="surrogatepass")
    tmux("kill-server")
    tmux("-f", "/dev/null", "new-session", "-d", "-x", "100", "-y", "80", "-s", "t", f"{sys.executable} {script}")
    tmux("set-option", "-s", "set-clipboard", "on")
    for _ in range(100):
        time.sleep(0.1)
        screen = tmux("capture-pane", "-p", "-t", "t")
        if "AFTER" in screen:
            break
    return screen, tmux("display-message", "-p", "-t", "t", "#{pane_title}"), tmux("show-buffer")


def test_hostile_titles_leave_the_terminal_alone(tmux: Tmux, tmp_path: Path) -> None:
    """Nothing is erased, no title is set, nothing is put into the clipboard."""
    screen, title, buffer = _show(tmux, tmp_path, raw=False)
    assert "BEFORE" in screen
    assert "AFTER" in screen
    assert "PWNED" not in title
    assert "HACKED" not in buffer


def test_the_same_titles_do_harm_when_they_are_written_raw(tmux: Tmux, tmp_path: Path) -> None:
    """The harness sees the hazard."""
    screen, title, buffer = _show(tmux, tmp_path, raw=True)
    assert "BEFORE" not in screen or "PWNED" in title or "HACKED" in buffer


_PLAY = """
import sys, time
sys.path.insert(0, {root!r})
from hds_cli.render.choose import choose
from hds_cli.render.display import Display
from tests.render.sample import first_turn, second_turn, ending
display = Display(choose(stdout_tty=True, stderr_tty=True, term="xterm"), sys.stdout, sys.stderr)
print("BEFORE")
for event in first_turn() + second_turn(): display.handle(event)
time.sleep({seconds})
for event in ending(): display.handle(event)
display.print_result()
print("AFTER")
sys.stdout.flush()
time.sleep(30)
"""


def _until(tmux: Tmux, words: str) -> str:
    """What the window shows, once it shows the words."""
    for _ in range(150):
        time.sleep(0.1)
        screen = tmux("capture-pane", "-p", "-t", "t")
        if words in screen:
            return screen
    raise AssertionError(screen)


@pytest.mark.parametrize("widths", [("64",), ("130",), ("64", "47", "90")])
def test_window_that_is_resized_mid_run_shows_one_tree(tmux: Tmux, tmp_path: Path, widths: tuple[str, ...]) -> None:
    """Narrower and wider while the tree moves: each time, and in the end, the window shows it once and whole."""
    script = tmp_path / "play.py"
    script.write_text(_PLAY.format(root=str(Path(__file__).resolve().parents[2]), seconds=8))
    tmux("kill-server")
    tmux("-f", "/dev/null", "new-session", "-d", "-x", "100", "-y", "50", "-s", "t", f"{sys.executable} {script}")
    _until(tmux, "capital of Slovakia")
    for width in widths:
        tmux("resize-window", "-t", "t", "-x", width, "-y", "50")
        _shows_one_tree(tmux)
    screen = _until(tmux, "AFTER")
    _shows_one_tree(tmux)
    assert not set(screen) & set("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏")
    assert "BEFORE" in tmux("capture-pane", "-p", "-S", "-", "-t", "t")


@pytest.mark.parametrize(
    ("width", "sizes"),
    [
        (120, ["40x24"]),
        (80, ["40x24", "120x24"]),
        (40, ["80x24", "120x24"]),
        (80, ["80x12", "80x40"]),
        (120, ["119x24", "118x24", "90x24", "82x24"]),
    ],
)
def test_the_scrollback_has_one_tree_whatever_the_window_did(
    tmux: Tmux, tmp_path: Path, width: int, sizes: list[str]
) -> None:
    """Halved, dragged a little or made lower while the tree moves below a full screen: the scrollback has it once, at the end."""
    script = tmp_path / "play.py"
    play = _PLAY.replace('print("BEFORE")', 'print("before\\n" * 60 + "BEFORE")')
    script.write_text(play.format(root=str(Path(__file__).resolve().parents[2]), seconds=6))
    tmux("kill-server")
    tmux("-f", "/dev/null", "new-session", "-d", "-x", str(width), "-y", "24", "-s", "t", f"{sys.executable} {script}")
    _until(tmux, "1  I need the")
    for size in sizes:
        columns, _, rows = size.partition("x")
        tmux("resize-window", "-t", "t", "-x", columns, "-y", rows)
        time.sleep(0.7)
    _until(tmux, "AFTER")
    everything = tmux("capture-pane", "-p", "-J", "-S", "-", "-t", "t")
    for line in ("What are the capitals", "─ 1  I need the", "─ 2  Austria borders", "─ capital of Slova"):
        assert everything.count(line) == 1, everything


def _shows_one_tree(tmux: Tmux) -> None:
    """Soon after a change; what is broken stays broken, as lines that do not change are not written again."""
    for _ in range(40):
        time.sleep(0.1)
        screen = tmux("capture-pane", "-p", "-t", "t")
        if all(
            screen.count(line) == 1 for line in ("What are the capitals", "─ 1  I need the", "─ capital of Slovakia")
        ):
            return
    raise AssertionError(screen)
