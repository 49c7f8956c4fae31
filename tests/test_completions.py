"""Tab in real shells: commands, flags, models, sources, runs and collections; never a command of a file's name."""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from hds_cli import completion, shells
from tests.conftest import ROOT, Hds, command

SCRIPTS = {name: ROOT / "completions" / file for name, file in shells.FILES.items()}
EVIL = "$(touch evil)"


@pytest.fixture
def full(home: Path, tmp_path: Path) -> Path:
    """A home with runs, a collection and a pulled model; some names are made to be executed."""
    for age, name in enumerate(("7f3kq2", "7f9999", "abc234", EVIL, "`touch evil`", ";touch evil;", "x y")):
        run = home / "data" / "runs" / f"{name}.jsonl"
        run.parent.mkdir(parents=True, exist_ok=True)
        run.write_text("")
        os.utime(run, (0, 1_000_000 + age))
        (home / "data" / "models" / name).mkdir(parents=True)
    (home / "data" / "models" / "Tiny-Q4_K_M").mkdir()
    (home / "data" / "collections").mkdir()
    (home / "data" / "collections" / "notes.sqlite").write_text("")
    (home / "config").mkdir()
    (home / "config" / "config.toml").write_text("[profile.fast]\ntop_k = 1\n")
    return home


@pytest.mark.parametrize(
    ("words", "there"),
    [
        (["hi"], ["history"]),
        (["ask", "--dial"], ["--dialect"]),
        (["ask", "--dialect", ""], ["chat", "guided", "hds", "starter", "tools"]),
        (["ask", "--dialect=g"], ["--dialect=guided"]),
        (["ask", "-m", "Tiny"], ["Tiny-Q4_K_M"]),
        (["ask", "-m", "st"], ["starter"]),
        (["ask", "-q", "-s", "no"], ["notes"]),
        (["ask", "-s", "wiki"], ["wikipedia"]),
        (["history", "sh"], ["show"]),
        (["history", "show", "7f"], ["7f9999", "7f3kq2"]),
        (["history", "show", "--jsonl", "ab"], ["abc234"]),
        (["index", "info", "n"], ["notes"]),
        (["model", "pull", "hds:Q4"], ["hds:Q4_K_S", "hds:Q4_K_M"]),
        (["model", "convert", ".", "--type", "Q8"], ["Q8_0"]),
        (["config", "set", "searx"], ["searxng.url"]),
        (["--profile", "f"], ["fast"]),
        (["--profile", "fast", "doc"], ["doctor"]),
        (["completions", "z"], ["zsh"]),
        (["history", "show", "zzz"], []),
        (["nonsense", ""], []),
        (["config", "path", ""], []),
    ],
)
def test_what_can_stand_at_the_cursor(full: Path, words: Sequence[str], there: list[str]) -> None:
    """Exactly what fits, options with values and flags before it included."""
    assert [value for value, _ in completion.candidates(words) if not value.startswith(":")] == there


def test_a_run_is_offered_with_its_question_the_newest_first(full: Path) -> None:
    """Notices may stand before it; what a terminal would obey is left out; damage leaves the id."""
    runs = full / "data" / "runs"
    notice, asked = (
        '{"event": "notice", "message": "m"}\n',
        '{"event": "run_started", "question": "Who\\u001b[31m painted\\tit?"}\n',
    )
    for age, (name, text) in enumerate({"9aaaaa": notice + asked, "9bbbbb": "{{{\n", "9ccccc": asked}.items()):
        (runs / f"{name}.jsonl").write_text(text)
        os.utime(runs / f"{name}.jsonl", (0, 2_000_000 + age))
    offered = completion.candidates(["history", "show", "9"])
    assert offered == [("9ccccc", "Who [31m painted it?"), ("9bbbbb", ""), ("9aaaaa", "Who [31m painted it?")]


def test_a_name_that_a_shell_could_execute_is_never_offered(full: Path) -> None:
    """Of runs and of models; a blank, a quote, a dollar or a semicolon is enough."""
    for words in (["history", "show", ""], ["ask", "-m", ""], ["model", "remove", ""]):
        offered = [value for value, _ in completion.candidates(words)]
        assert len(offered) > 1
        assert not [value for value in offered if set(value) & set(" $`;()")]


def test_completing_loads_neither_the_parser_nor_a_model(full: Path) -> None:
    """What makes it quick."""
    code = (
        "import sys; sys.argv = ['hds', '__complete', 'zsh', 'hds', 'history', 'show', '7f'];"
        "from hds_cli.entry import main; main();"
        "print([m for m in ('typer', 'rich', 'httpx', 'llama_cpp', 'importlib.metadata') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "7f9999\t\n7f3kq2\t\n[]\n"


def test_a_folder_that_is_not_there_completes_to_nothing(home: Path) -> None:
    """And nothing is made by asking."""
    assert completion.candidates(["history", "show", "7"]) == []
    assert not home.exists()


@pytest.mark.parametrize("shell", SCRIPTS)
def test_the_script_of_the_command_is_the_file(hds: Hds, shell: str) -> None:
    """`hds completions SHELL` prints what `completions/` holds."""
    assert hds("completions", shell).stdout == SCRIPTS[shell].read_text()


class Terminal:
    """A shell on a pseudo-terminal: keys go in, what it shows comes out."""

    def __init__(self, arguments: Sequence[str], folder: Path, **more: str) -> None:
        environment = {**os.environ, "TERM": "dumb", "PATH": f"{Path(command()).parent}:{os.environ['PATH']}", **more}
        self.pid, self.file = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            os.execvpe(arguments[0], list(arguments), environment)

    def keys(self, text: str) -> None:
        os.write(self.file, text.encode())

    def until(self, words: str, seconds: float = 30) -> str:
        """What is shown until `words` are."""
        shown, end = "", time.monotonic() + seconds
        while words not in shown and time.monotonic() < end:
            if select.select([self.file], [], [], 0.2)[0]:
                shown += os.read(self.file, 65536).decode("utf-8", "replace").replace("\a", "")
        assert words in shown, shown
        return shown

    def close(self) -> None:
        os.kill(self.pid, 9)
        os.waitpid(self.pid, 0)
        os.close(self.file)


def need(shell: str) -> str:
    found = shutil.which(shell)
    if found is None:
        pytest.skip(f"{shell} is not installed here")
    return found


LINES = [
    ("hds hist", "hds history "),
    ("hds ask --max-tu", "hds ask --max-turns "),
    ("hds history show 7f3", "7f3kq2"),
    ("hds ask -m Tiny", "Tiny-Q4_K_M"),
    ("hds ask -s note", "notes"),
    ("hds index info no", "notes"),
    ("hds model pull hds:Q5", "hds:Q5_K_M"),
    ("hds index add ./a-fol", "a-folder"),
    ("hds ask -m ./q", "./qwen.gguf"),
    ("hds ask -m ./a-fo", "a-folder/"),
]


@pytest.mark.parametrize(
    ("shell", "arguments", "load"),
    [
        ("bash", ["--norc", "--noprofile", "-i"], "PS1='> '; source {script}\n"),
        (
            "zsh",
            ["-f", "-i"],
            "PS1='> '; unsetopt zle_bracketed_paste; autoload -Uz compinit; compinit -u -D; source {script}\n",
        ),
    ],
)
def test_tab_completes_in_a_real_shell(full: Path, tmp_path: Path, shell: str, arguments: list[str], load: str) -> None:
    """Keys typed into an interactive shell; the line it then shows has the whole word."""
    (tmp_path / "a-folder").mkdir()
    (tmp_path / "qwen.gguf").write_text("")
    (tmp_path / "quotes.txt").write_text("")
    terminal = Terminal([need(shell), *arguments], tmp_path)
    terminal.keys(load.format(script=SCRIPTS[shell]))
    terminal.keys("echo re''ady\n")
    terminal.until("ready")
    for typed, shown in LINES:
        terminal.keys(typed + "\t")
        terminal.until(shown)
        terminal.keys("\x15")  # the line is wiped
    terminal.keys("hds history show \t\t")
    terminal.until("7f9999")
    terminal.keys("\x15echo do''ne\n")
    terminal.until("done")
    terminal.keys("hds ask --thinking \t\t")
    shown = terminal.until("full")
    terminal.keys("\x15echo thi''s\n")
    shown += terminal.until("this")
    assert re.search(r"off\s+--", shown) is None, "a value without a description has none"
    terminal.close()
    assert not (tmp_path / "evil").exists()


def test_fish_completes(full: Path, tmp_path: Path) -> None:
    """Fish tells itself what it would complete to."""
    fish = need("fish")
    (tmp_path / "a-folder").mkdir()
    (tmp_path / "qwen.gguf").write_text("")
    (tmp_path / "quotes.txt").write_text("")
    for typed, shown in LINES:
        wanted = shown.split()[-1]
        environment = {**os.environ, "PATH": f"{Path(command()).parent}:{os.environ['PATH']}", "HOME": str(tmp_path)}
        line = f"source {SCRIPTS['fish']}; complete -C '{typed}'"
        done = subprocess.run(
            [fish, "--no-config", "-c", line], capture_output=True, text=True, check=True, env=environment, cwd=tmp_path
        )
        assert wanted in done.stdout, (typed, done.stdout, done.stderr)
        assert "quotes.txt" not in done.stdout
    assert not (tmp_path / "evil").exists()


def test_powershell_completes(full: Path, tmp_path: Path) -> None:
    """PowerShell tells itself, too."""
    pwsh = need("pwsh")
    line = f". {SCRIPTS['powershell']}; (TabExpansion2 'hds history show 7f3' 20).CompletionMatches.CompletionText"
    environment = {**os.environ, "PATH": f"{Path(command()).parent}:{os.environ['PATH']}"}
    done = subprocess.run([pwsh, "-NoProfile", "-c", line], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.strip() == "7f3kq2"
