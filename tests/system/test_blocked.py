"""Ctrl-C while a source's plugin holds up the event loop, as plugins that call blocking code do."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Hds, command
from tests.system.outside import on_path

PLUGIN = '''
import os, pathlib, re, sqlite3, time

ENDLESS = "with recursive c(x) as (select 1 union all select x + 1 from c) select count(*) from c"

def sleep():
    time.sleep(60)

def compute():
    while True:
        pass

def match():  # keeps the interpreter's lock
    re.match("(a+)+$", "a" * 40 + "b")

def query():  # looks for no signals
    sqlite3.connect(":memory:").execute(ENDLESS).fetchall()

def insist():
    while True:
        try:
            time.sleep(60)
        except Exception:
            pass

class Blocking:
    """Blocks."""
    name, needs_network = "blocking", False
    def __init__(self, *context):
        pass
    async def search(self, query, top_k):
        pathlib.Path(os.environ["BLOCKED"]).touch()
        globals()[os.environ["HOW"]]()
        return []
'''
TEXTS = (
    "<think>\nTwo things.\n</think>\n\n<|begin_search_queries|>\nmelting point of zinc\nboiling point of zinc\n<|end_search_queries|>",
    "done\n</think>\n\nNothing.\n\n\\boxed{unknown}",
)


class Terminal:
    """`hds` on a terminal of its own, up to the moment when its source blocks."""

    def __init__(self, folder: Path, how: str, *args: str) -> None:
        on_path(folder / "plugin", "hds-blocking", PLUGIN, [("hds.sources.v1", "blocking", "Blocking")])
        blocked = folder / "blocked"
        env = os.environ | {
            "PYTHONPATH": str(folder / "plugin"), "HOW": how, "BLOCKED": str(blocked), "TERM": "xterm-256color"
        }  # fmt: skip
        self._here, there = pty.openpty()
        self._written: list[bytes] = []
        self.process = subprocess.Popen(
            [command(), *args], stdin=subprocess.DEVNULL, stdout=there, stderr=there, env=env, start_new_session=True
        )
        os.close(there)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        while not blocked.exists():
            assert self.process.poll() is None, self.text
            time.sleep(0.02)
        time.sleep(0.3)

    def interrupt(self) -> float:
        self.process.send_signal(signal.SIGINT)
        return time.monotonic()

    def end(self, seconds: float = 45) -> int:
        try:
            return self.process.wait(seconds)
        finally:
            self.process.kill()
            self._reader.join(2)

    @property
    def text(self) -> str:
        return b"".join(self._written).decode()

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self._here, 65536)
            except OSError:
                return
            if not data:
                return
            self._written.append(data)


@pytest.fixture
def asked(home: Path, tmp_path: Path, script: Callable[..., str]) -> Callable[[str], Terminal]:
    model = script(*TEXTS)
    return lambda how: Terminal(tmp_path, how, "ask", "-e", "scripted", "-m", model, "-s", "blocking", "About zinc?")


@pytest.mark.parametrize("how", ["sleep", "compute", "match"])
def test_the_first_ctrl_c_ends_the_call_that_blocks_and_gives_the_answer_so_far(
    asked: Callable[[str], Terminal], hds: Hds, how: str
) -> None:
    """Exit 6, said on the screen, the run saved with its end, the cursor back."""
    terminal = asked(how)
    began = terminal.interrupt()
    assert terminal.end() == 6
    assert time.monotonic() - began < 40  # the call would block for longer; benchmarks/interrupt.py has the figure
    assert "stopping" in terminal.text
    assert terminal.text.rindex("\x1b[?25h") > terminal.text.rindex("\x1b[?25l")
    assert "\tpartial\t" in hds("history", "list").stdout


@pytest.mark.parametrize("how", ["insist", "query"])
def test_the_second_ctrl_c_ends_the_process(asked: Callable[[str], Terminal], hds: Hds, home: Path, how: str) -> None:
    """130 though nothing can end the call itself; what was done is saved, the cursor is back."""
    terminal = asked(how)
    terminal.interrupt()
    time.sleep(0.5)
    assert terminal.process.poll() is None
    terminal.interrupt()
    assert terminal.end() == 130
    assert terminal.text.rindex("\x1b[?25h") > terminal.text.rindex("\x1b[?25l")
    journal = next((home / "data" / "runs").glob("*.jsonl")).read_text()
    assert journal.endswith("\n")
    assert '"query_proposed"' in journal


@pytest.mark.parametrize(("how", "presses"), [("sleep", 1), ("compute", 1), ("match", 1), ("insist", 1), ("query", 2)])
def test_a_search_without_a_model_stops_at_the_first_ctrl_c(home: Path, tmp_path: Path, how: str, presses: int) -> None:
    """130 and one line; C code that looks for no signals takes a second one."""
    terminal = Terminal(tmp_path, how, "search", "-s", "blocking", "zinc")
    for _ in range(presses):
        began = terminal.interrupt()
        time.sleep(1 if presses > 1 else 0)  # two that are not taken apart are one
    assert terminal.end() == 130
    assert time.monotonic() - began < 40  # the call would block for longer; benchmarks/interrupt.py has the figure
    assert "Traceback" not in terminal.text
