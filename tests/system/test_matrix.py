"""Descriptors x locale x signal x size x home: sixty ways to be run, each with its decided exit code, none with a trace.

The answer of the scripted run is Oslo; wherever stdout can be written and nothing stops the run, it is there.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import shlex
import shutil
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.ahead import ahead, environment
from tests.conftest import Hds, command, scripted

pytestmark = pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
BLOCK = "<think>\nt\n</think>\n\n<|begin_search_queries|>\ncapital of Norway\n<|end_search_queries|>"
OSLO = "x\n</think>\n\n\\boxed{Oslo}"
ASK = "ask -e scripted -m {script} -s notes --offline"
PLAIN_C = {"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
STARTS, SECOND_TURN = -2.0, -1.0  # moments, where a row would say seconds: its own parts load; the model writes again
BAD_BYTES = "printf 'caf\\351 \\377\\376 Oslo'"


@dataclass(frozen=True)
class Row:
    """One way to be run.

    Args:
        line: for a shell; `hds` and `{script}` are filled in, `question` follows the options of `ASK`.
        env: on top of the environment; None takes a variable away.
        says: what stdout must hold; None: nothing at all.
        send: signals, each with the seconds (or the moment) before it; the run is then a slow one.
        size: (columns, rows) of a terminal that is stdin, stdout and stderr.
    """

    line: str = f"hds {ASK} question"
    code: int = 0
    says: str | None = "Oslo"
    env: dict[str, str | None] = field(default_factory=dict)
    send: tuple[tuple[float, int], ...] = ()
    size: tuple[int, int] | None = None


def row(redirect: str = "", code: int = 0, says: str | None = "Oslo", more: str = "", **env: str | None) -> Row:
    return Row(f"hds {ASK} {more} question {redirect}", code, says, dict(env))


INT, TERM = signal.SIGINT, signal.SIGTERM
DESCRIPTORS = {
    "stdout closed": row(">&-", 74, None),
    "stdout full": row("> /dev/full", 74, None),
    "stdout null": row("> /dev/null", 0, None),
    "stdout a file": row("> {tmp}/out; code=$?; cat {tmp}/out; exit $code"),
    "stdout a reader that goes": row("| head -0; exit ${{PIPESTATUS[0]}}", 141, None),
    "stderr closed": row("2>&-"),
    "stderr full": row("2> /dev/full", more="-v"),
    "stderr a reader that goes": row("2> >(head -c0)", more="-v"),
    "both closed": row(">&- 2>&-", 74, None),
    "all closed": row("<&- >&- 2>&-", 74, None),
    "stdin closed": row("<&-"),
    "stdin null": row("< /dev/null"),
    "stdin empty": row("< <(true)"),
    "stdin odd bytes": Row(f"{BAD_BYTES} | hds {ASK} question"),
    "stdin latin-1 question": Row(f"printf 'Où est Oslo?' | iconv -t latin1 | hds {ASK}"),
    "stdin NUL": Row(f"printf 'a\\0b' | hds {ASK} question", 2, None),
    "stdin huge": Row(f"head -c 6000000 /dev/zero | tr '\\0' a | hds {ASK} question", 2, None),
    "question of odd bytes": Row(f"hds {ASK} $'caf\\xe9 \\xff?'"),
    "question of NUL-free controls": Row(f"hds {ASK} $'\\x1b[2J \\x07 what?'"),
    "json to a full disk": row("> /dev/full", 74, None, "--json"),
    "jsonl to a full disk": row("> /dev/full", 74, None, "--jsonl"),
    "jsonl to a reader that goes": row("| head -2; exit ${{PIPESTATUS[0]}}", 141, "run_started", "--jsonl"),
    "html to a full disk": row("> /dev/full", 74, None, "-f html"),
    "-o in no folder": row(code=74, says=None, more="-o {tmp}/no/x"),
    "-o on a full device": row(code=74, says=None, more="-o /proc/x"),
    "history to a full disk": Row("hds history list > /dev/full", 0, None),
    "history to a reader that goes": Row(
        f"hds {ASK} -q question; hds history list | head -0; exit ${{{{PIPESTATUS[0]}}}}", 141, "Oslo"
    ),
}
LOCALES = {
    "locale C": row(**PLAIN_C),
    "locale POSIX with its tree": row(more="-v", **PLAIN_C | {"LC_ALL": "POSIX"}),
    "locale that is not there": row(LC_ALL="xx_YY.UTF-8"),
    "no locale at all": row(LC_ALL=None, LANG=None, LC_CTYPE=None),
    "ascii output": row(PYTHONIOENCODING="ascii"),
    "utf-16 output": row(PYTHONIOENCODING="utf-16", says=None),
    "TERM dumb": row(TERM="dumb"),
    "TERM unknown": row(TERM="no-such-terminal"),
    "no TERM": row(TERM=None),
    "NO_COLOR": row(NO_COLOR="1"),
}
HOMES = {
    "no HOME": row(HOME=None, code=2, says=None, HDS_HOME=None),
    "HOME is /dev/null": row(HOME="/dev/null", code=2, says=None, HDS_HOME=None),
    "data that cannot be made": row(
        XDG_DATA_HOME="/proc/none", XDG_CACHE_HOME="/proc/none", HDS_HOME=None, says=None, code=2
    ),
    "a runs folder that is a file": Row(
        "rm -rf {home}/data/runs; mkdir -p {home}/data; touch {home}/data/runs; " + f"hds {ASK} question"
    ),
    "a read-only cache": Row(
        "mkdir -p {home}; rm -rf {home}/cache; ln -s /proc/none {home}/cache; " + f"hds {ASK} question"
    ),
    "a damaged index": Row(
        f"hds {ASK} -q question; head -c 9000 /dev/urandom > {{home}}/cache/runs.sqlite; hds history list"
    ),
    "no working folder": Row(f"mkdir {{tmp}}/gone; cd {{tmp}}/gone; rmdir {{tmp}}/gone; hds {ASK} question"),
    "a home of odd bytes": Row("mv {home} {tmp}/$'h\\xe9'; " + f"HDS_HOME={{tmp}}/$'h\\xe9' hds {ASK} question"),
    "two at once": Row(f"hds {ASK} -q a & hds {ASK} -q b; wait $!"),
}
SIGNALS = {
    "INT while it starts": Row(code=130, says=None, send=((STARTS, INT),)),
    "INT a moment later": Row(code=130, says=None, send=((STARTS, INT), (0.0, INT))),
    "INT in the run": Row(code=6, send=((SECOND_TURN, INT),)),
    "INT twice": Row(code=130, says=None, send=((SECOND_TURN, INT), (0.0, INT))),
    "INT three times": Row(code=130, says=None, send=((SECOND_TURN, INT), (0.0, INT), (0.0, INT))),
    "TERM at once": Row(code=143, says=None, send=((0.05, TERM),)),
    "TERM in the run": Row(code=143, says=None, send=((SECOND_TURN, TERM),)),
    "TERM after INT": Row(code=143, says=None, send=((SECOND_TURN, INT), (0.0, TERM))),
    "HUP in the run": Row(code=129, says=None, send=((SECOND_TURN, signal.SIGHUP),)),
}  # fmt: skip
SIZES = {
    "1 column": row(COLUMNS="1", more="-v"),
    "500 columns": row(COLUMNS="500", more="-v"),
    "COLUMNS that is no number": row(COLUMNS="abc"),
    **{f"a terminal of {w} x {h}": Row(size=(w, h)) for w, h in ((1, 1), (10, 3), (80, 24), (500, 60), (0, 0))},
}
ROWS = DESCRIPTORS | LOCALES | HOMES | SIGNALS | SIZES


def test_there_are_sixty_rows() -> None:
    """The figure that was promised."""
    assert len(ROWS) >= 60


End = tuple[int, str, str]
RUN = "test_every_way_to_be_run_has_its_decided_end"


@pytest.fixture(scope="module")
def ended(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, norway: Path
) -> Iterator[Callable[..., End]]:
    """How each row ends; those with a signal at a moment and those in a terminal have the machine for themselves."""

    def run(name: str) -> End:
        return end_of(ROWS[name], tmp_path_factory.mktemp("row"), norway)

    with ahead(request, RUN, run, alone=lambda name: bool(ROWS[name].send or ROWS[name].size)) as found:
        yield found


@pytest.mark.parametrize("name", ROWS)
def test_every_way_to_be_run_has_its_decided_end(name: str, ended: Callable[..., End]) -> None:
    """The code, the answer where it can be written, one line for an error, never a trace."""
    given = ROWS[name]
    code, out, err = ended(name=name)
    assert "Traceback" not in err + out
    assert "Exception ignored" not in err
    assert (code, given.says is None or given.says in out) == (given.code, True), (out, err)
    assert err.count("error[") <= 1


def end_of(given: Row, folder: Path, norway: Path) -> End:
    """The row run in a folder with a copy of a home; within a minute."""
    home = folder / "home"
    shutil.copytree(norway, home)
    slow = (
        [BLOCK, "z" * 4000, "Oslo}" if len(given.send) == 1 else "z" * 4000]
        if any(after == SECOND_TURN for after, _ in given.send)
        else [BLOCK, OSLO]
    )
    path = scripted(folder / "script.jsonl", *slow, pace=600 if given.send else None)
    line = given.line.format(script=shlex.quote(path), tmp=folder, home=home)
    here = environment(home, PATH=f"{Path(command()).parent}:{os.environ['PATH']}")
    env = {k: v for k, v in (here | given.env).items() if v is not None}
    if given.size:
        return in_terminal(line, env, given.size)
    return in_shell(line, env, given.send, home)


def in_shell(line: str, env: dict[str, str], send: tuple[tuple[float, int], ...], home: Path) -> tuple[int, str, str]:
    exec_line = f"exec {line}" if send else line  # a signal is for the command, not for its shell
    process = subprocess.Popen(
        ["bash", "-c", exec_line], env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    for place, (after, number) in enumerate(send):
        if place == 1 and send[0][0] == SECOND_TURN:  # two signals that are not taken apart are one
            until(lambda: process.poll() is not None or said(home, '"code": "interrupted"') > 0)
        if after == SECOND_TURN:
            until(lambda: turns(home) > 1)
        elif after == STARTS:
            until(lambda: "pydantic_core" in Path(f"/proc/{process.pid}/maps").read_text())
        time.sleep(max(after, 0.05))
        process.send_signal(number)
    out, err = process.communicate(timeout=60)
    code = process.returncode
    return (128 - code if code < 0 else code), out.decode("utf-8", "replace"), err.decode("utf-8", "replace")


def turns(home: Path, but: AbstractSet[Path] = frozenset()) -> int:
    """How often a run has begun to write, by its journal: the furthest one, without some."""
    return said(home, '"event": "turn_started"', but)


def said(home: Path, words: str, but: AbstractSet[Path] = frozenset()) -> int:
    """How often some words stand in a journal, in the one that has most of them."""
    journals = {*(home / "data" / "runs").glob("*.jsonl")} - but
    return max((path.read_text().count(words) for path in journals), default=0)


def until(there: Callable[[], bool]) -> None:
    end = time.monotonic() + 40
    while not there():
        assert time.monotonic() < end
        time.sleep(0.01)


def in_terminal(line: str, env: dict[str, str], size: tuple[int, int]) -> tuple[int, str, str]:
    """The same in a terminal of its own; everything it prints is stdout."""
    child, master = pty.fork()
    if child == 0:
        os.execvpe("bash", ["bash", "-c", f"sleep 0.3; exec {line}"], {**env, "TERM": "xterm"})
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
    said = b""
    end = time.monotonic() + 60
    with contextlib.suppress(OSError):  # the terminal is closed: it is over
        while time.monotonic() < end:
            if select.select([master], [], [], 0.1)[0]:
                said += os.read(master, 65536)
    _, status = os.waitpid(child, 0)
    os.close(master)
    text = said.decode("utf-8", "replace")
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)
    return os.waitstatus_to_exitcode(status), "".join(shown.split()), text


def test_a_warning_tells_that_a_run_is_not_kept(ready: Hds, home: Path, script: Callable[..., str]) -> None:
    """One line, and the answer all the same."""
    (home / "data").mkdir(exist_ok=True)
    (home / "data" / "runs").write_text("")
    done = ready("ask", "-e", "scripted", "-m", script(BLOCK, OSLO), "-s", "notes", "--offline", "q")
    assert done.returncode == 0
    assert done.stdout.startswith("Oslo")
    assert done.stderr.count("not kept in the history") == 1
    assert done.stderr.count("\n") == 1


def test_a_run_that_is_not_to_be_kept_leaves_nothing(ready: Hds, home: Path, script: Callable[..., str]) -> None:
    """`--no-save`."""
    done = ready("ask", "-e", "scripted", "-m", script(BLOCK, OSLO), "-s", "notes", "--no-save", "q")
    assert done.returncode == 0
    assert not (home / "data" / "runs").exists()
