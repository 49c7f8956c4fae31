"""The whole screen: what goes to which stream, broken streams, a real terminal."""

from __future__ import annotations

import contextlib
import fcntl
import io
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import time
from dataclasses import replace
from pathlib import Path

import pytest
from rich.cells import cell_len

from hds_cli import events as e
from hds_cli.render import answer
from hds_cli.render.choose import Choice
from hds_cli.render.display import Display
from hds_cli.run_state import RunState

from .conftest import fixed_console, written
from .sample import whole_run

ANSWER = """Berlin and Rome.

[1] Austria <world://Austria>
[2] Germany <https://en.wikipedia.org/wiki/Germany>
[3] Italia <https://it.example/>
"""


def shown(choice: Choice, run: list[e.Event]) -> tuple[str, str]:
    """stdout and stderr of a run."""
    out, err = io.StringIO(), io.StringIO()
    display = Display(choice, out, err)
    for event in run:
        display.handle(event)
    display.print_result()
    return out.getvalue(), err.getvalue()


def test_quiet_prints_the_bare_answer_and_nothing_else() -> None:
    """`answer=$(hds ask -q …)` just works."""
    assert shown(Choice("none", "bare", False), whole_run()) == ("Berlin and Rome.\n", "")


def test_text_is_answer_and_sources_on_stdout() -> None:
    """In a pipe: the answer, a blank line, a line a source; stderr only names the source that failed, once."""
    out, err = shown(Choice("warnings", "text", False), whole_run())
    assert (out, err) == (ANSWER, "hds: warning: web: rate limited, again in 4 s\n")


def test_summary_line_tells_turns_searches_pages_and_time() -> None:
    """The last line of stderr, with how many searches ran at the same time."""
    _, err = shown(Choice("plain", "text", True), whole_run())
    said = "3 turns · 6 searches (5 at once) · 5 pages, 2 cached · 3.8 s · 41 tok/s · run 7f3k"
    assert err.splitlines()[-1] in (said, said.replace("·", "-"))


def test_plain_lines_come_in_order_one_an_event() -> None:
    """A terminal that cannot redraw reads the run as calm lines."""
    _, err = shown(Choice("plain", "text", False), whole_run())
    lines = err.splitlines()
    assert lines[0].endswith("asked: What are the capitals of the countries that border Austria?")
    assert "  0.4 s  query 1.1 countries that border Austria" in "\n".join(lines)
    assert any("not read Germany in the atlas" in line and "refused (403)" in line for line in lines)
    assert any(line.endswith("query 2.6 capital of Slovakia: asked before") for line in lines)


def test_unanswered_says_so_and_what_was_looked_for() -> None:
    """No supported answer: that stands in its place, with the queries; `-q` prints nothing."""
    run = [*whole_run()[:-1], e.RunFinished(status="unanswered", answer=None, explanation=None, exit_code=3)]
    out, _ = shown(Choice("none", "text", False), run)
    assert out.startswith("No answer: none of the pages that were read supports one.\n\nLooked for:\n- countries that")
    assert shown(Choice("none", "bare", False), run) == ("", "")


def test_what_no_page_supports_is_told_as_what_the_model_wrote() -> None:
    """It is no answer, and a reader may know it all the same; not where nothing unsupported is to be shown."""
    wrote = "It is 30.60 euros.\n\nThe other costs 47.70."
    end = e.RunFinished(
        status="unanswered", answer=None, explanation=None, exit_code=3, reason="unsupported", text=wrote
    )
    run = [*whole_run()[:-1], end]
    out, _ = shown(Choice("none", "text", False), run)
    said = "supports one. The model wrote: It is 30.60 euros. The other costs 47.70.\n\nLooked for:"
    assert said in out
    assert shown(Choice("none", "bare", False), run)[0] == ""
    first = next(n for n, event in enumerate(run) if isinstance(event, e.RunStarted))
    run[first] = replace(run[first], settings={"verdict": "refuse"})
    assert "The model wrote" not in shown(Choice("none", "text", False), run)[0]


def test_terminal_answer_shows_references_sources_and_quotes() -> None:
    """References before the full stop, a source a line, its sentence beside it, what is not verified named so."""
    state = RunState()
    for event in whole_run():
        state.apply(event)
    console = fixed_console(120)
    answer.print_answer(console, state)
    assert written(console).splitlines() == [
        "Berlin and Rome [1-3].",
        "",
        '[1] Austria  world                                  "Austria borders Germany, Switzerland, Italy."',
        '[2] Germany  https://en.wikipedia.org/wiki/Germany  "Its capital is Berlin."',
        '[3] Italia   https://it.example/                    not verified: "La capitale è Roma."',
    ]


def test_ranges_join_neighbours() -> None:
    """`[1-3, 5]`, and two neighbours stay two."""
    assert answer.ranges([3, 1, 2, 5]) == "[1-3, 5]"
    assert answer.ranges([1, 2]) == "[1, 2]"
    assert answer.ranges([]) == ""


def _broken_pipe() -> io.TextIOWrapper:
    reader, writer = os.pipe()
    os.close(reader)
    return os.fdopen(writer, "w", encoding="utf-8", newline="\n")


def _full_disk() -> io.TextIOWrapper:
    return os.fdopen(os.open("/dev/full", os.O_WRONLY), "w", encoding="utf-8", newline="\n")


def _drop(stream: io.TextIOWrapper) -> None:
    """Close a stream whose buffer can no longer be written."""
    with contextlib.suppress(OSError):
        stream.close()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("output", ["terminal", "text", "json", "jsonl", "bare"])
def test_closed_pipe_and_full_disk_reach_the_caller(output: str) -> None:
    """stdout that cannot be written raises, whatever the format; the command decides the exit code."""
    for stream, error in ((_broken_pipe(), BrokenPipeError), (_full_disk(), OSError)):
        with pytest.raises(error):
            _run_through(Choice("none", output, False), stream)  # type: ignore[arg-type]
        _drop(stream)


def _run_through(choice: Choice, stream: io.TextIOWrapper) -> None:
    display = Display(choice, stream, None)
    for event in whole_run():
        display.handle(event)
    display.print_result()


def test_closed_stdout_raises_and_closed_stderr_does_not() -> None:
    """No stdout: an error at once. A stderr that breaks ends the progress, not the run."""
    with pytest.raises(OSError, match="descriptor"):
        Display(Choice("none", "text", False), None, None)
    for progress in ("plain", "live"):
        out, err = io.StringIO(), _broken_pipe()
        display = Display(Choice(progress, "text", True), out, err)  # type: ignore[arg-type]
        for event in whole_run():
            display.handle(event)
        display.print_result()
        assert out.getvalue() == ANSWER
        _drop(err)


PLAY = """
import sys, time
from hds_cli.render.choose import choose
from hds_cli.render.display import Display
from tests.render.sample import whole_run, first_turn, second_turn
display = Display(choose(stdout_tty=True, stderr_tty=True, term="xterm"), sys.stdout, sys.stderr)
endless = len(sys.argv) > 1
try:
    for event in (first_turn() + second_turn() if endless else whole_run()):
        display.handle(event)
        time.sleep(0.02)
    if endless:
        time.sleep(30)
finally:
    display.close()
display.print_result()
"""


def _in_terminal(width: int, encoding: str, *arguments: str, height: int = 24, interrupt: bool = False) -> str:
    """What a process writes to a real terminal of that size."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
    root = Path(__file__).parents[2]
    env = {"PATH": os.environ["PATH"], "TERM": "xterm", "PYTHONIOENCODING": encoding, "PYTHONPATH": str(root)}
    child = subprocess.Popen([sys.executable, "-c", PLAY, *arguments], stdin=theirs, stdout=theirs, stderr=theirs,
                             env=env, cwd=root, start_new_session=True)  # fmt: skip
    os.close(theirs)
    got = b""
    sent = False
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:
            break
        if not piece:
            break
        got += piece
        if interrupt and not sent and b"Slovakia" in got:
            time.sleep(0.1)
            child.send_signal(signal.SIGINT)
            sent = True
    child.wait(timeout=20)
    os.close(ours)
    return got.decode(encoding if encoding != "ascii" else "latin-1")


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
@pytest.mark.parametrize("width", [40, 63, 80, 200])
def test_live_tree_in_a_real_terminal_overflows_nowhere(width: int, encoding: str) -> None:
    """No line of any frame is wider than the terminal, no control but cursor moves and styles, the cursor comes back."""
    got = _in_terminal(width, encoding)
    assert got.rfind("\x1b[?25h") > got.rfind("\x1b[?25l") >= 0
    links = re.sub(r"\x1b\]8;[^\x1b]*\x1b\\", "", got)
    frames = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", links)
    assert "\x1b" not in frames
    tree = frames[: frames.index("Berlin and Rome [1")]  # addresses below it are shown in full, however long
    for line in re.split(r"[\r\n]+", tree):
        assert cell_len(line) <= width - 1
    if encoding == "ascii":
        assert frames.isascii()


def test_ctrl_c_gives_the_terminal_back() -> None:
    """Interrupted in the middle: the cursor is shown, the tree stays, and nothing spins in it."""
    got = _in_terminal(80, "utf-8", "endless", interrupt=True)
    assert got.rfind("\x1b[?25h") > got.rfind("\x1b[?25l") >= 0
    assert "given up" in got
    assert "KeyboardInterrupt" in got
