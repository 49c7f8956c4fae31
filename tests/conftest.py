"""Fixtures that several rooms share. Data and tools outside the project are used where they are, never copied."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Run all tests in two processes where pytest-xdist is installed; chosen ones, or with `-n 0`, in this one."""
    option = config.option
    if "PYTEST_XDIST_WORKER" in os.environ or hasattr(config, "workerinput"):  # it is called in those two as well
        return
    if config.args_source is config.ArgsSource.TESTPATHS and getattr(option, "numprocesses", 0) is None:
        option.numprocesses, option.dist = 2, "loadfile"


def pytest_configure() -> None:
    """Give each of several processes of tests a core of its own, so that none is slowed by another."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    if worker and hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[int(worker.removeprefix("gw")) % len(cores)]})


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with question sets and tools: `HDS_SHARED` or `../shared`; without it the test is skipped."""
    folder = Path(os.environ.get("HDS_SHARED", ROOT.parent / "shared"))
    if not folder.is_dir():
        pytest.skip("no shared data here (HDS_SHARED)")
    return folder


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty HDS_HOME, and no other HDS_ variable."""
    for name in list(os.environ):
        if name.startswith("HDS_") and not name.startswith("HDS_SHARED"):
            monkeypatch.delenv(name)
    folder = tmp_path / "home"
    monkeypatch.setenv("HDS_HOME", str(folder))
    return folder


@pytest.fixture
def near_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """`home` with a path that leaves room for the name of a socket, however deep pytest's own folders are."""
    with tempfile.TemporaryDirectory(prefix="hds-") as folder:
        monkeypatch.setenv("HDS_HOME", folder)
        yield Path(folder)


Hds = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def hds(home: Path) -> Hds:
    """Runs the installed command as a user does: its own process, an empty home, nothing on stdin unless given."""

    def run(
        *args: str, stdin: str | bytes | None = None, env: dict[str, str] | None = None, timeout: float = 120
    ) -> subprocess.CompletedProcess[str]:
        return ran(args, stdin, {**os.environ, **(env or {})}, timeout)

    return run


def ran(
    args: Sequence[str], stdin: str | bytes | None, env: dict[str, str], timeout: float = 120
) -> subprocess.CompletedProcess[str]:
    """How the command ended in this environment, nothing on stdin unless given."""
    data = stdin.encode() if isinstance(stdin, str) else stdin
    done = subprocess.run(
        [command(), *args],
        input=data,
        stdin=subprocess.DEVNULL if data is None else None,
        capture_output=True,
        env=env,
        timeout=timeout,
        check=False,
    )
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


def command() -> str:
    """The `hds` of the environment that runs the tests."""
    return str(Path(sys.executable).with_name("hds"))


@pytest.fixture
def script(tmp_path: Path) -> Callable[..., str]:
    """Writes a script for the scripted engine; each text is one call of the model."""

    def write(*texts: str, pace: float | None = None) -> str:
        return scripted(tmp_path / f"script{len(list(tmp_path.glob('script*')))}.jsonl", *texts, pace=pace)

    return write


def scripted(path: Path, *texts: str, pace: float | None = None) -> str:
    """The path of a script with these texts, written at a pace of so many characters a second."""
    rows = [{"text": text} | ({"chars_per_second": pace} if pace else {}) for text in texts]
    path.write_text("\n".join(json.dumps(row) for row in rows))
    return str(path)


class Replica:
    """A running replica web: its address and its request log."""

    def __init__(self, url: str, log: Path) -> None:
        self.url, self._log = url, log
        self.host = url.removeprefix("http://")

    def requests(self, kind: str | None = None) -> list[dict[str, object]]:
        rows = [json.loads(line) for line in self._log.read_text().splitlines() if line.strip()]
        return [row for row in rows if kind is None or row["kind"] == kind]


@pytest.fixture
def replica(shared: Path, tmp_path: Path) -> Iterator[Callable[..., Replica]]:
    """Starts replica webs on loopback: `replica("factbook_fanout", "--latency-ms", "150")`."""
    tool = shared / "tools" / "replica_web.py"
    if not tool.exists():
        pytest.skip("no replica web here")
    running: list[subprocess.Popen[bytes]] = []

    def start(corpus: str, *options: str) -> Replica:
        ready, log = tmp_path / f"ready{len(running)}", tmp_path / f"log{len(running)}.jsonl"
        arguments = [
            "serve",
            str(shared / "data" / corpus),
            "--port",
            "0",
            "--ready-file",
            str(ready),
            "--log",
            str(log),
        ]
        running.append(subprocess.Popen([sys.executable, str(tool), *arguments, *options], stdout=subprocess.DEVNULL))
        for _ in range(600):
            if ready.exists() and ready.read_text().endswith("\n"):
                return Replica(ready.read_text().strip(), log)
            time.sleep(0.1)
        raise AssertionError("the replica web did not start")

    yield start
    for process in running:
        process.terminate()
        process.wait()
