"""`hds doctor`: each thing that is wrong is found, with what to do about it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from hds_cli.commands import _checkup
from hds_cli.config import Settings
from hds_cli.engine.base import ModelSpec
from hds_cli.engine.files import fitting, learned
from hds_cli.engine.files.fit import Room, needed
from hds_cli.engine.files.gguf import read_header
from hds_cli.engine.files.models import fingerprint
from hds_cli.engine.llama.devices import Device
from hds_cli.engine.llama.probe import Build
from hds_cli.errors import ModelUnusable
from tests.conftest import Hds
from tests.engine import tiny
from tests.engine.test_fitting import FILE, GB, QWEN8B


def findings(hds: Hds, *args: str, **env: str) -> tuple[int, list[dict[str, Any]]]:
    done = hds("doctor", "--json", *args, env=env)
    document = json.loads(done.stdout)
    assert document["schema"] == "hds.doctor/1"
    assert document["ok"] == (done.returncode == 0)
    assert all(f["hint"] for f in document["findings"] if f["state"] != "ok")
    return done.returncode, document["findings"]


def about(found: list[dict[str, Any]], area: str) -> dict[str, Any]:
    """The worst finding of an area."""
    order = ["fail", "warn", "ok"]
    return min((f for f in found if f["area"] == area), key=lambda f: order.index(f["state"]))


@pytest.fixture
def model(tmp_path: Path) -> str:
    return str(tiny.write(tmp_path / "tiny.gguf"))


@pytest.fixture
def notes(hds: Hds, tmp_path: Path) -> None:
    """A collection, so that there is something to search in."""
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "norway.md").write_text("# Norway\n\nThe capital is Oslo.\n")
    assert hds("index", "add", str(tmp_path / "notes")).returncode == 0


def test_a_machine_that_is_in_order_is_exit_0(hds: Hds, model: str, notes: None) -> None:
    """Every area is looked at; offline, no source of the network is asked."""
    code, found = findings(hds, "--offline", HDS_MODEL=model, HDS_SOURCE="notes")
    assert code == 0, found
    areas = {f["area"] for f in found}
    assert areas == {
        "python",
        "settings",
        "llama.cpp",
        "model",
        "disk",
        "cache",
        "keys",
        "sources",
        "plugins",
        "terminal",
    }
    assert about(found, "sources")["message"] == "notes answers"
    assert "llama-cpp-python" in about(found, "llama.cpp")["message"]


def test_the_dialect_has_its_reason_and_a_larger_model_than_the_starter_its_name(hds: Hds, notes: None) -> None:
    """Both are lines of `hds doctor`; the model named is one that fits."""
    _, found = findings(hds, "--offline", HDS_MODEL="starter", HDS_SOURCE="notes")
    said = [finding["message"] for finding in found if finding["area"] == "model"]
    assert "it is spoken to in starter: the model was made for it" in said
    assert "hds model suggest" in said[-1] or "hds model suggest" in said[-2]


@pytest.fixture
def other_build(tmp_path: Path) -> Callable[[str], str]:
    """A llama_cpp in place of the installed one; returns the path that leads to it."""

    def made(source: str) -> str:
        package = tmp_path / "other" / "llama_cpp"
        package.mkdir(parents=True)
        (package / "__init__.py").write_text("")
        (package / "llama_cpp.py").write_text(source)
        return str(package.parent)

    return made


def test_a_build_for_another_processor_is_a_sentence(
    hds: Hds, model: str, notes: None, other_build: Callable[[str], str]
) -> None:
    """An instruction that is missing ends the process that imports it, not the doctor; the rest is looked at too."""
    path = other_build("import os, signal\nos.kill(os.getpid(), signal.SIGILL)\n")
    code, found = findings(hds, "--offline", HDS_MODEL=model, HDS_SOURCE="notes", PYTHONPATH=path)
    finding = about(found, "llama.cpp")
    assert (code, finding["state"]) == (1, "fail")
    assert "illegal instruction" in finding["message"]
    assert "GGML_NATIVE=on pip install" in finding["hint"]
    assert about(found, "sources")["state"] == "ok"


def test_a_build_that_does_not_import_says_why(
    hds: Hds, model: str, notes: None, other_build: Callable[[str], str]
) -> None:
    path = other_build("raise OSError('libcudart.so.12: cannot open shared object file')\n")
    code, found = findings(hds, "--offline", HDS_MODEL=model, HDS_SOURCE="notes", PYTHONPATH=path)
    assert (code, about(found, "llama.cpp")["state"]) == (1, "fail")
    assert "libcudart.so.12" in about(found, "llama.cpp")["message"]


def test_a_missing_model_is_exit_1(hds: Hds, notes: None) -> None:
    """And says which."""
    code, found = findings(hds, "--offline", HDS_MODEL="/no/such.gguf", HDS_SOURCE="notes")
    assert (code, about(found, "model")["state"]) == (1, "fail")
    assert "/no/such.gguf" in about(found, "model")["message"]


def test_a_broken_settings_file_is_exit_1_with_its_line(hds: Hds, home: Path) -> None:
    """The rest that needs settings is not guessed at."""
    (home / "config").mkdir(parents=True)
    (home / "config" / "config.toml").write_text("\nnonsense = 1\n")
    code, found = findings(hds, "--offline")
    assert (code, "line 2" in about(found, "settings")["message"]) == (1, True)


def test_keys_that_others_may_read_are_exit_1(hds: Hds, home: Path, model: str, notes: None) -> None:
    """With the command that closes the file; the key is not shown."""
    (home / "config").mkdir(parents=True)
    (home / "config" / "keys.toml").write_text('brave = "brave-0123456789"\n')
    (home / "config" / "keys.toml").chmod(0o644)
    code, found = findings(hds, "--offline", HDS_MODEL=model, HDS_SOURCE="notes")
    assert (code, about(found, "keys")["state"]) == (1, "fail")
    assert "chmod 600" in about(found, "keys")["hint"]
    assert "0123456789" not in json.dumps(found)


class _Instance(BaseHTTPRequestHandler):
    """A SearXNG whose settings do not allow JSON."""

    def do_GET(self) -> None:
        self.send_response(403)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None: ...


def test_a_searxng_without_json_is_told_how_to_give_it(hds: Hds, model: str, notes: None) -> None:
    """A warning while another source works; a failure when it is the one that is asked for."""
    server = HTTPServer(("127.0.0.1", 0), _Instance)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}"
    code, found = findings(hds, HDS_MODEL=model, HDS_SEARXNG_URL=url)
    assert (code, about(found, "sources")["state"]) == (0, "warn")
    assert "formats: [html, json]" in about(found, "sources")["message"]
    code, found = findings(hds, HDS_MODEL=model, HDS_SEARXNG_URL=url, HDS_SOURCE="searxng,notes")
    assert (code, about(found, "sources")["state"]) == (1, "fail")
    server.shutdown()


def test_a_source_without_its_key_is_named(hds: Hds, model: str, notes: None) -> None:
    """As it was asked for, it is exit 1."""
    code, found = findings(hds, HDS_MODEL=model, HDS_SOURCE="brave,notes")
    assert code == 1
    assert "HDS_BRAVE_API_KEY" in json.dumps(about(found, "sources"))


def test_offline_refuses_what_needs_the_network_without_asking_it(hds: Hds, model: str, notes: None) -> None:
    """No request reaches the instance."""
    code, found = findings(
        hds, "--offline", HDS_MODEL=model, HDS_SOURCE="searxng", HDS_SEARXNG_URL="http://127.0.0.1:9"
    )
    assert (code, "needs the network" in about(found, "sources")["message"]) == (1, True)


def test_an_encoding_without_the_signs_is_a_warning(hds: Hds, model: str, notes: None) -> None:
    """With the variable that helps."""
    env = {"PYTHONIOENCODING": "latin-1", "HDS_MODEL": model, "HDS_SOURCE": "notes"}
    code, found = findings(hds, "--offline", **env)
    assert (code, about(found, "terminal")["state"]) == (0, "warn")


def test_a_pipe_gets_a_line_a_finding(hds: Hds, model: str, notes: None) -> None:
    """State, area, message, hint, between tabs."""
    done = hds("doctor", "--offline", env={"HDS_MODEL": model, "HDS_SOURCE": "notes"})
    assert all(line.split("\t")[0] in ("ok", "warn", "fail") for line in done.stdout.splitlines())
    assert len(done.stdout.splitlines()) >= 10


def test_the_memory_a_model_needs_follows_from_its_header(tmp_path: Path) -> None:
    """Weights, 16-bit keys and values of the whole context, and a rest."""
    path = tiny.write(tmp_path / "m.gguf")
    size = path.stat().st_size
    one = needed(read_header(path), size, 1000)
    assert needed(read_header(path), size, 2000) - one == 1000 * 2 * 2 * 1 * tiny.EMBEDDING
    assert needed(read_header(path), size) == needed(read_header(path), size, 512)


def test_a_model_that_a_gpu_holds_needs_no_memory_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is cut and nothing is warned of; without the GPU, or with no layers for it, both."""
    monkeypatch.setattr(fitting, "room", lambda gpu=None: Room(64 * GB, 6 * GB, gpu))

    def said(gpu: int | None, layers: int = -1) -> tuple[str, str]:
        (finding,) = _checkup._fits(QWEN8B, FILE, Settings(n_gpu_layers=layers), None, gpu)
        return finding.state, finding.message

    assert said(24 * GB) == ("ok", "it needs 7.7 GB, 37 layers on a GPU with 24.0 GB free")
    assert said(None)[0] == said(24 * GB, layers=0)[0] == "warn"
    assert "the context is" in said(None)[1]


def test_the_layers_that_a_bench_found_to_be_best_are_those_that_are_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As a model is loaded with them: fewer than fit where more are slower, none where the processor is faster."""
    monkeypatch.setattr(fitting, "room", lambda gpu=None: Room(64 * GB, 32 * GB, gpu))
    monkeypatch.setenv("HDS_HOME", str(tmp_path / "home"))
    spec = ModelSpec("m", tiny.write(tmp_path / "m.gguf"))

    def said() -> str:
        (finding,) = _checkup._fits(QWEN8B, FILE, Settings(), None, 24 * GB, _checkup._most_layers(spec))
        return finding.message

    assert said() == "it needs 7.7 GB, 37 layers on a GPU with 24.0 GB free"
    learned.learn(learned.key(fingerprint(spec.path), None), learned.Learned(n_gpu_layers=20))
    assert said() == "it needs 7.7 GB, 20 layers on a GPU with 24.0 GB free (more are slower, by hds model bench)"
    learned.learn(learned.key(fingerprint(spec.path), None), learned.Learned(n_gpu_layers=learned.EVERY_LAYER))
    assert said() == "it needs 7.7 GB, 37 layers on a GPU with 24.0 GB free"
    learned.learn(learned.key(fingerprint(spec.path), None), learned.Learned(n_gpu_layers=0))
    assert said() == "it needs 7.7 GB, 32.0 GB of memory are free"


def test_the_memory_of_gpus_is_what_was_probed(monkeypatch: pytest.MonkeyPatch) -> None:
    cards = tuple(Device("CUDA", "card", is_gpu, 3 * GB, 8 * GB) for is_gpu in (True, True, False))
    for offload, memory in ((True, 6 * GB), (False, None)):
        monkeypatch.setattr(_checkup, "_build", lambda offload=offload: Build("1", offload, (), cards))
        assert _checkup._gpu_memory() == memory

    def broken() -> Build:
        raise ModelUnusable("it does not load")

    monkeypatch.setattr(_checkup, "_build", broken)
    assert _checkup._gpu_memory() is None, "that it does not load is a finding of its own"
