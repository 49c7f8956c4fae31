"""Bad input: a clear error, the right exit code, nothing lost, no traceback."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.ahead import ahead, environment
from tests.conftest import Hds, command, ran
from tests.fetch.web import answer, web
from tests.system.test_matrix import turns, until

Done = subprocess.CompletedProcess[str]
BLOCK = "<think>\nt\n</think>\n\n<|begin_search_queries|>\ncapital of Norway\n<|end_search_queries|>"
OSLO = "x\n</think>\n\n\\boxed{Oslo}"


@pytest.fixture(scope="module")
def mistaken(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, norway: Path
) -> Iterator[Callable[..., Done]]:
    """The command run with each of the mistakes below, a home for each."""

    def run(args: list[str], stdin: str | bytes | None, **_: object) -> Done:
        home = tmp_path_factory.mktemp("mistaken") / "home"
        shutil.copytree(norway, home)
        return ran(args, stdin, environment(home))

    with ahead(request, "test_a_mistake_is_one_line_and_a_hint", run) as found:
        yield found


@pytest.mark.parametrize(
    ("args", "stdin", "code", "words"),
    [
        (["ask", ""], None, 2, "empty"),
        (["ask"], "", 2, "empty"),
        (["ask"], "   \n ", 2, "empty"),
        (["ask", "x" * 100_000], None, 2, "100,000 characters"),
        (["ask"], "y" * 100_000, 2, "100,000 characters"),
        (["ask", "q"], b"\x00\x01\x02\xff", 2, "not text"),
        (["ask", "-m", "no-such-model", "q"], None, 4, "no model"),
        (["ask", "-m", "/no/such/file.gguf", "q"], None, 4, "no model file"),
        (["ask", "-e", "nope", "q"], None, 2, "no engine"),
        (["ask", "-s", "nope", "q"], None, 2, "no source"),
        (["ask", "--nope", "q"], None, 2, "--nope"),
        (["ask", "--max-turns", "0", "q"], None, 2, "at least 1"),
        (["ask", "--max-turns", "many", "q"], None, 2, "valid integer"),
        (["ask", "--temperature", "9", "q"], None, 2, "between 0 and 2"),
        (["ask", "-f", "pdf", "q"], None, 2, "no format"),
        (["ask", "-f", "text", "--jsonl", "q"], None, 2, "one format"),
        (["ask", "--dialect", "klingon", "q"], None, 2, "dialect"),
        (["ask", "-e", "scripted", "q"], None, 2, "needs a script"),
        (["ask", "--offline", "-s", "searxng", "q"], None, 2, "searxng"),
        (["search"], None, 2, "no query"),
        (["fnord"], None, 2, "no command"),
        (["index", "add", "/no/such/folder"], None, 2, "there is no"),
        (["index", "remove", "nope"], None, 2, "no collection"),
        (["index", "info", "../../etc/passwd"], None, 2, "no collection"),
    ],
)
def test_a_mistake_is_one_line_and_a_hint(
    mistaken: Callable[..., Done], args: list[str], stdin: str | bytes | None, code: int, words: str
) -> None:
    """`hds: error[code]: …`, then the next thing to type; the same as JSON where JSON is asked for."""
    done = mistaken(args=args, stdin=stdin, code=code, words=words)
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    assert words in done.stderr
    assert done.stderr.startswith("hds: error[")
    assert "Traceback" not in done.stderr
    assert done.stderr.count("\n") <= 2


def test_an_error_is_json_where_json_is_asked_for(ready: Hds) -> None:
    """The document `hds.error/1` on stdout."""
    done = ready("ask", "--json", "-m", "nope", "q")
    assert done.returncode == 4
    error = json.loads(done.stdout)
    assert error["schema"] == "hds.error/1"
    assert (error["error"]["code"], error["error"]["exit_code"]) == ("model_missing", 4)


def test_a_file_that_is_no_model_is_refused_before_anything_is_searched(ready: Hds, tmp_path: Path) -> None:
    """Exit 4 and one line."""
    path = tmp_path / "m.gguf"
    path.write_bytes(b"<html>404</html>")
    done = ready("ask", "-m", str(path), "q")
    assert (done.returncode, done.stdout) == (4, "")
    assert "web page" in done.stderr


@pytest.mark.parametrize("text", ["not toml [", 'top_k = "many"', "nonsense = 1", "[searxng]\nurl = 5"])
def test_a_bad_settings_file_is_named(ready: Hds, home: Path, text: str) -> None:
    """With its path, and the setting that was probably meant."""
    (home / "config").mkdir(parents=True)
    (home / "config" / "config.toml").write_text(text)
    done = ready("ask", "q")
    assert done.returncode == 2
    assert "config.toml" in done.stderr


def test_settings_come_from_file_environment_and_flag(ready: Hds, home: Path, script: Callable[..., str]) -> None:
    """Each higher one wins."""
    (home / "config").mkdir(parents=True)
    (home / "config" / "config.toml").write_text('engine = "scripted"\nsource = ["notes"]\nseed = 1\n')
    path = script(BLOCK, OSLO)
    done = ready("ask", "--json", "q", env={"HDS_MODEL": path, "HDS_SEED": "2"})
    assert json.loads(done.stdout)["seed"] == 2
    done = ready("ask", "--json", "--seed", "3", "q", env={"HDS_MODEL": path, "HDS_SEED": "2"})
    assert json.loads(done.stdout)["seed"] == 3


def test_the_output_goes_to_a_file_in_one_piece(ready: Hds, tmp_path: Path, script: Callable[..., str]) -> None:
    """`-o`: nothing on stdout; a folder that is not there is exit 74 and no half file."""
    path = script(BLOCK, OSLO)
    out = tmp_path / "answer.txt"
    done = ready("ask", "-e", "scripted", "-m", path, "-s", "notes", "-o", str(out), "q")
    assert (done.returncode, done.stdout) == (0, "")
    assert out.read_text().startswith("Oslo\n\n[1] Norway <file://")
    done = ready("ask", "-e", "scripted", "-m", path, "-s", "notes", "-o", str(tmp_path / "no" / "x"), "q")
    assert done.returncode == 74
    assert list(tmp_path.glob(".*part")) == []


def test_a_closed_pipe_is_quiet(ready: Hds, home: Path, script: Callable[..., str]) -> None:
    """`| head -1`: no words, no trace."""
    path = script(BLOCK, OSLO)
    line = f"{command()} ask -e scripted -m {path} -s notes --offline --jsonl q | head -1"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False, env={**os.environ})
    assert json.loads(done.stdout)["event"] == "run_started"
    assert done.stderr == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_is_one_line(ready: Hds, script: Callable[..., str]) -> None:
    """Exit 74."""
    path = script(BLOCK, OSLO)
    line = f"{command()} ask -e scripted -m {path} -s notes --offline q > /dev/full"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False)
    assert done.returncode == 74
    assert "could not be written" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_closed_stdout_is_noticed(ready: Hds, script: Callable[..., str]) -> None:
    """The answer is not silently lost."""
    path = script(BLOCK, OSLO)
    line = f"{command()} ask -e scripted -m {path} -s notes --offline q >&-"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False)
    assert done.returncode == 74


def test_any_locale_will_do(ready: Hds, script: Callable[..., str]) -> None:
    """A character the locale lacks is escaped; it ends nothing."""
    path = script(BLOCK, OSLO)
    for env in (
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"PYTHONIOENCODING": "ascii"},
        {"COLUMNS": "1"},
    ):
        done = ready("ask", "-v", "-e", "scripted", "-m", path, "-s", "notes", "Où est Øslo — 東京?", env=env)
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("Oslo")


def begun(path: str, home: Path, writes: int) -> subprocess.Popen[str]:
    """A run of a script, at the moment when its model writes for the `writes`th time, by its journal."""
    args = [command(), "ask", "-e", "scripted", "-m", path, "-s", "notes", "--offline", "q"]
    before = {*(home / "data" / "runs").glob("*.jsonl")}
    process = subprocess.Popen(
        args, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True
    )
    until(lambda: turns(home, before) >= writes)
    return process


def test_ctrl_c_answers_with_what_is_there_and_twice_stops(ready: Hds, home: Path, script: Callable[..., str]) -> None:
    """First: exit 6 with the answer so far. Second: exit 130, at once."""
    path = script(BLOCK, "z" * 4000, "Oslo}", pace=400)
    process = begun(path, home, 2)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out.split("\n")[0]) == (6, "Oslo")
    assert "Traceback" not in err
    process = begun(path, home, 2)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode in (6, 130)
    assert "Traceback" not in err


def test_sigterm_is_143(ready: Hds, home: Path, script: Callable[..., str]) -> None:
    """And says nothing."""
    process = begun(script("z" * 4000, pace=200), home, 1)
    process.terminate()
    _, err = process.communicate(timeout=60)
    assert process.returncode == 143
    assert "Traceback" not in err


def test_offline_and_nothing_that_matches_is_5(ready: Hds, script: Callable[..., str]) -> None:
    """As the contract says."""
    block = BLOCK.replace("capital of Norway", "zzzz qqqq")
    done = ready("ask", "-e", "scripted", "-m", script(block, OSLO), "-s", "notes", "--offline", "q")
    assert done.returncode == 5


@pytest.mark.parametrize("options", ["size=300k", "size=4k", "size=1m,ro"])
def test_a_cache_that_is_full_or_read_only_costs_one_line(options: str, home: Path, tmp_path: Path) -> None:
    """R5.3 on a real file system of that kind (a tmpfs, where one may be mounted): same pages, same exit code."""
    folder = tmp_path / "small"
    folder.mkdir()
    inside = ["unshare", "-m", "bash", "-c", f'mount -t tmpfs -o {options} tmpfs "$0" && exec "$@"', str(folder)]
    if (
        shutil.which("unshare") is None
        or subprocess.run([*inside, "true"], capture_output=True, check=False).returncode
    ):
        pytest.skip("no file system can be mounted here")
    with web() as server:
        for n in range(6):
            server.routes[f"/{n}"] = answer(b"<article><p>" + random.randbytes(40_000).hex().encode() + b" end</p>")
        env = os.environ | {"HDS_CACHE_DIR": str(folder / "pages"), "HDS_FETCH_ALLOW": server.host}
        urls = [f"{server.url}/{n}" for n in range(6)]
        done = subprocess.run(
            [*inside, command(), "fetch", *urls], env=env, capture_output=True, text=True, check=False
        )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(" end") == 6
    assert done.stderr.startswith("hds: page cache: ")
    assert done.stderr.strip().count("\n") == 0
