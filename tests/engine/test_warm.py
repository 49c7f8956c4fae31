"""A model that another process keeps loaded (`keep_warm`, `hds serve`): found, shared by nobody, and never in the way."""

from __future__ import annotations

import os
import signal
import socket
import stat
import struct
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import hds_cli
from hds_cli import config, locks, paths
from hds_cli.config import Settings
from hds_cli.engine.base import Engine, ModelSpec, Segment
from hds_cli.engine.files import learned, models
from hds_cli.engine.opening import open_engine
from hds_cli.engine.warm import place
from hds_cli.engine.warm import server as warm_server
from hds_cli.engine.warm.client import WarmEngine, open_warm
from hds_cli.engine.warm.retiring import retire
from hds_cli.engine.warm.server import Client, Server
from hds_cli.errors import ConfigError, ModelMissing, ModelUnusable
from tests.engine import test_contract as contract
from tests.engine import tiny

pytestmark = pytest.mark.skipif(os.name != "posix", reason="Unix sockets and owners of files")
LETTERS = "root ::= [a-z ] root"


@pytest.fixture
def home(near_home: Path) -> Path:
    return near_home


@pytest.fixture
def settings(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """Settings with a tiny model that is kept warm; what was started ends with the test, and runs the code of the tests."""
    monkeypatch.setenv("PYTHONPATH", str(Path(hds_cli.__file__).parents[1]))
    tiny.write(tmp_path / "tiny.gguf")
    yield Settings(model=str(tmp_path / "tiny.gguf"), n_ctx=512, n_threads=1, keep_warm="1m")
    for path in paths.run_dir().glob("*.sock"):
        if (pid := pid_of(path)) not in (None, os.getpid()):
            os.kill(pid, signal.SIGKILL)


def spec_of(settings: Settings) -> ModelSpec:
    return ModelSpec("tiny", Path(str(settings.model)))


def warm(settings: Settings) -> WarmEngine | None:
    return open_warm(ModelSpec("tiny", Path(str(settings.model))), settings, sequences=1)


def at_work(settings: Settings) -> WarmEngine:
    engine = warm(settings)
    assert engine is not None
    return engine


def socket_of(settings: Settings) -> Path:
    path = place.socket_of(place.name_of(spec_of(settings), settings, 1))
    assert path is not None
    return path


def pid_of(path: Path) -> int | None:
    """The process that listens there, as Linux tells it."""
    end = place.connected(path)
    if end is None or not hasattr(socket, "SO_PEERCRED"):
        return None
    with end:
        return int(struct.unpack("3i", end.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0])


def until(true: Callable[[], bool], limit: float = 30) -> bool:
    deadline = time.monotonic() + limit
    while time.monotonic() < deadline:
        if true():
            return True
        time.sleep(0.05)
    return False


def test_the_next_command_finds_the_model(settings: Settings) -> None:
    """The first one starts the process; a later one writes the same in it, and evaluates nothing again."""
    texts, pids = [], set()
    for _ in range(3):
        engine = at_work(settings)
        session = engine.session()
        session.append([Segment("What is it?")])
        texts.append(session.generate(max_tokens=20, grammar=LETTERS).text)
        evaluated = session.counter.evaluated
        engine.close()
        pids.add(pid_of(socket_of(settings)))
    assert len(pids) == 1
    assert len(set(texts)) == 1
    assert evaluated == 0


def test_it_is_for_nobody_else(settings: Settings) -> None:
    """The socket is 0600 in a folder that is 0700."""
    at_work(settings).close()
    path = socket_of(settings)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_second_command_loads_its_own(settings: Settings) -> None:
    """While one is served there is none for another, and afterwards there is."""
    first = at_work(settings)
    assert warm(settings) is None
    first.close()
    at_work(settings).close()


def test_without_the_setting_none_is_started(settings: Settings) -> None:
    """But one that is there is used; `0` uses none."""
    cold = replace(settings, keep_warm=None)
    assert warm(cold) is None
    at_work(settings).close()
    at_work(cold).close()
    assert warm(replace(settings, keep_warm="0")) is None


@pytest.mark.parametrize("value", ["soon", "10 minutes", "-1m", "1d", ""])
def test_a_time_that_is_none_is_said(home: Path, value: str) -> None:
    """With the settings file and its line."""
    (home / "config").mkdir(parents=True)
    (home / "config" / "config.toml").write_text(f'keep_warm = "{value}"\n')
    with pytest.raises(ConfigError, match="keep_warm"):
        config.load({})


def test_whatever_makes_another_model_makes_another_name(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings, files, their times, the machine's variables and hds's own version; nothing else does."""
    spec = spec_of(settings)
    names = [place.name_of(spec, settings, 1)]
    assert place.name_of(spec, replace(settings, top_k=9, keep_warm="2h", offline=True), 1) == names[0]
    learned.learn(learned.key(models.fingerprint(spec.path), None), learned.Learned(writing=9.0))
    assert place.name_of(spec, settings, 1) == names[0]
    learned.learn(learned.key(models.fingerprint(spec.path), None), learned.Learned(n_batch=128))
    names.append(place.name_of(spec, settings, 1))
    for changed in ({"n_ctx": 1024}, {"state_size": 0.0}, {"n_threads": 2}, {"n_gpu_layers": 0}, {"dialect": "guided"}):
        names.append(place.name_of(spec, replace(settings, **changed), 1))  # type: ignore[arg-type]
    names.append(place.name_of(spec, settings, 2))
    names.append(place.name_of(replace(spec, lora=spec.path), settings, 1))
    names.append(place.name_of(replace(spec, name="other"), settings, 1))
    os.utime(spec.path, (1, 1))
    names.append(place.name_of(spec, settings, 1))
    tiny.write(spec.path, seed=1)
    names.append(place.name_of(spec, settings, 1))
    monkeypatch.setenv("GGML_SOMETHING", "1")
    names.append(place.name_of(spec, settings, 1))
    monkeypatch.setattr(hds_cli, "__version__", "99")
    names.append(place.name_of(spec, settings, 1))
    assert len(set(names)) == len(names)


def test_a_changed_file_is_loaded_anew_and_the_old_one_ends(settings: Settings) -> None:
    """The next command has the new weights, and one model is in memory, not two."""
    at_work(settings).close()
    old = socket_of(settings)
    tiny.write(Path(str(settings.model)), seed=1)
    engine = at_work(settings)
    assert socket_of(settings) != old
    assert until(lambda: not old.exists())
    engine.close()


def test_the_old_one_has_ended_before_the_new_one_is_loaded(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its process is gone, and its memory with it; one that serves somebody is not waited for."""
    at_work(settings).close()
    lock = os.open(socket_of(settings).with_suffix(".lock"), os.O_RDWR)
    other, loaded = replace(settings, n_ctx=1024), []

    def opens(*args: Any, **more: Any) -> Engine:
        loaded.append(locks.hold(lock))
        return open_engine(*args, **more)

    monkeypatch.setattr(warm_server, "open_engine", opens)
    assert not locks.hold(lock)
    Server(spec_of(other), other, sequences=1, keep=60).clear()
    assert loaded == [True]
    os.close(lock)
    engine = at_work(settings)
    lock = os.open(socket_of(settings).with_suffix(".lock"), os.O_RDWR)
    Server(spec_of(other), other, sequences=1, keep=60).clear()
    assert loaded == [True, False]
    assert engine.count([Segment("still there")]) > 0
    engine.close()
    os.close(lock)


def test_how_the_model_fits_the_memory_is_said_of_a_warm_one_too(tmp_path: Path) -> None:
    """As the engine itself notes it."""
    model = contract.llama_tiny(tmp_path, 256)
    model.notes = ("the context is shorter",)  # type: ignore[attr-defined]
    assert contract.warm(tmp_path, 256, lambda *_: model).notes == model.notes  # type: ignore[attr-defined]
    model.close()


def test_a_stop_that_comes_too_late_ends_nothing_else(settings: Settings) -> None:
    """The text it meant was whole: what the session writes next is written."""
    engine = at_work(settings)
    session = engine.session()
    session.append([Segment("x")])
    session.generate(max_tokens=5, grammar=LETTERS)
    session._tell("stop")
    session.append([Segment("y")])
    made = session.generate(max_tokens=5, grammar=LETTERS)
    assert (made.reason, made.tokens) == ("length", 5)
    engine.close()


def test_a_command_that_is_killed_leaves_the_model_to_the_next(settings: Settings) -> None:
    """In the middle of a text without an end."""
    at_work(settings).close()
    code = f"""
        from pathlib import Path
        from hds_cli.config import Settings
        from hds_cli.engine.base import *
        from hds_cli.engine.warm.client import open_warm
        settings = Settings(model={settings.model!r}, n_ctx=512, n_threads=1, keep_warm="1m")
        session = open_warm(ModelSpec("tiny", Path(settings.model)), settings, sequences=1).session()
        session.append([Segment("x")])
        while True:
            session.generate(max_tokens=500, grammar={LETTERS!r}, on_text=lambda text: print("text", flush=True))
            session.rewrite(0, [Segment("x")])
    """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "text\n"
        before = pid_of(socket_of(settings))
        process.kill()
    at_work(settings).close()
    assert pid_of(socket_of(settings)) == before


def test_a_process_that_dies_is_one_error_and_the_next_command_works(settings: Settings) -> None:
    """What was being written ends at once, and says how to go on."""
    engine = at_work(settings)
    session = engine.session()
    session.append([Segment("x")])
    pid = pid_of(socket_of(settings))
    assert pid is not None
    with pytest.raises(ModelUnusable, match="ended while it was at work") as error:
        session.generate(max_tokens=500, grammar=LETTERS, on_text=lambda _: os.kill(pid, signal.SIGKILL))
    assert "--resume" in str(error.value.hint)
    assert socket_of(settings).exists()
    for call in (session.fork, engine.session, lambda: engine.count([Segment("x")])):
        with pytest.raises(ModelUnusable):
            call()
    session.abort()
    session.close()
    at_work(settings).close()


def test_a_process_that_hangs_holds_nobody(settings: Settings) -> None:
    """A command that comes loads its own; one that waits for text can be stopped."""
    engine = at_work(settings)
    pid = pid_of(socket_of(settings))
    assert pid is not None
    session = engine.session()
    os.kill(pid, signal.SIGSTOP)
    try:
        threading.Timer(0.5, session.abort).start()
        began = time.monotonic()
        assert session.generate(max_tokens=5).reason == "aborted"
        assert time.monotonic() - began < 15
        assert warm(settings) is None
    finally:
        os.kill(pid, signal.SIGCONT)
    engine.close()


def test_a_verifier_reads_the_same_logits(settings: Settings) -> None:
    """From the model that is loaded; what it is asked to give up ends, and a text that is too long is an error."""
    from hds_cli.engine.opening import open_llama

    here, there = open_llama(spec_of(settings), n_ctx=512, n_threads=1), at_work(settings)
    text = [Segment("Oslo is a city."), Segment("<s>", True)]
    assert there.tokenize(text) == here.tokenize(text)
    beginning, ending = here.tokenize(text), here.tokenize([Segment("yes")])
    scorers = [engine.scorer(None) for engine in (here, there)]
    logits = [scorer.logits(beginning, [ending, ending[:1]], [1, 2, 3]) for scorer in scorers]
    assert logits[0] == logits[1]
    with pytest.raises(ModelUnusable, match="too long"):
        scorers[1].logits(beginning * 200, [ending], [1])
    scorers[1].abort()
    with pytest.raises(TimeoutError):
        scorers[1].logits(ending, [beginning], [1])
    scorers[1].resume()
    assert scorers[1].logits(beginning, [ending], [1])[0][0] == logits[0][0][0]
    with pytest.raises(ModelMissing):
        there.scorer(Path("/nowhere/adapter.gguf"))
    for scorer in scorers:
        scorer.close()
    here.close()
    there.close()
    at_work(settings).close()


def test_it_ends_when_nobody_asks(settings: Settings) -> None:
    """After the time that the last command gave; the socket goes with it."""
    at_work(replace(settings, keep_warm="1s")).close()
    assert until(lambda: not socket_of(settings).exists())


def test_it_ends_when_it_is_told(settings: Settings) -> None:
    """`hds serve --stop`: once nobody is served."""
    engine = at_work(settings)
    assert retire(paths.run_dir()) == 1
    assert engine.count([Segment("still there")]) > 0
    engine.close()
    assert until(lambda: not socket_of(settings).exists())


@pytest.mark.parametrize("fault", ["serving", "renewing"])
def test_a_process_that_fails_between_two_commands_ends(
    fault: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not busy for ever: who was served sees the end, and its socket goes."""

    def fails(*_: object) -> None:
        raise RuntimeError("no more threads")

    server = Server(spec_of(settings), settings, sequences=1, keep=60)
    ended = threading.Thread(target=server.run, daemon=True)
    ended.start()
    monkeypatch.setattr(*((Client, "run") if fault == "serving" else (server._engine, "renew")), fails)
    if (engine := warm(replace(settings, keep_warm=None))) is not None:
        engine.close()
    ended.join(10)
    assert not ended.is_alive()
    assert not server.path.exists()


def test_a_model_that_does_not_load_is_the_commands_own_error(settings: Settings) -> None:
    """Nothing is started that stays, and nothing is said here."""
    Path(str(settings.model)).write_bytes(b"GGUF")
    assert warm(settings) is None
    assert list(paths.run_dir().glob("*.sock")) == []


def test_a_folder_that_is_open_to_others_is_not_used(settings: Settings) -> None:
    """Who could put a socket there could answer in the model's place."""
    at_work(settings).close()
    paths.run_dir().chmod(0o755)
    assert warm(settings) is None
    assert place.connected(socket_of(settings)) is None
    paths.run_dir().chmod(0o700)


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only root can be somebody else")
@pytest.mark.skipif(not hasattr(socket, "SO_PEERCRED"), reason="the system does not tell who is at the other end")
def test_another_users_process_is_refused(home: Path, tmp_path: Path) -> None:
    """Even at a socket in the user's own folder."""
    folder = paths.private_dir(paths.run_dir())
    code = f"""
        import os, socket
        listener = socket.socket(socket.AF_UNIX)
        listener.bind({str(folder / "x.sock")!r})
        os.setuid(65534)
        listener.listen()
        print("ready", flush=True)
        end, _ = listener.accept()
        print(end.recv(1), flush=True)
    """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        assert place.connected(folder / "x.sock") is None
        assert process.stdout.readline() == "b''\n"


def test_a_model_that_does_not_load_leaves_nothing_behind(settings: Settings) -> None:
    """No lock file, which the next attempt would have to take over."""
    Path(str(settings.model)).write_bytes(b"GGUF")
    with pytest.raises(ModelUnusable):
        Server(spec_of(settings), settings, sequences=1, keep=60)
    assert list(paths.run_dir().iterdir()) == []
