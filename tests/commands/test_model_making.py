"""`hds model pull` of a repository without GGUF files, `convert` and `quantize`: from weights to a model that is asked."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hds_cli.engine.files.gguf import read_header
from hds_cli.engine.files.known import SHORT_NAMES
from tests.conftest import Hds, command
from tests.engine import checkpoints as made
from tests.engine import tiny
from tests.engine.hub_server import COMMIT, Hub, Repo

SHARD = "model-0000{}-of-00003.safetensors"


@pytest.fixture
def files(tmp_path: Path) -> dict[str, bytes]:
    """A repository of three files of weights, which a quantization of blocks of 256 fits."""
    config = made.config(hidden_size=256, intermediate_size=512, head_dim=64)
    folder = made.write(tmp_path / "repository", config, shards=3)
    (folder / "model.safetensors.index.json").write_text("{}")
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def hub(files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Hub]:
    mamba = files | {"config.json": json.dumps(made.config() | {"architectures": ["MambaForCausalLM"]}).encode()}
    repos = {"own/searcher": Repo(files), "dayoon/HybridDeepSearcher": Repo(files), "own/mamba": Repo(mamba)}
    hub = Hub(repos)
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    yield hub
    hub.shutdown()
    hub.server_close()


def folder(home: Path, name: str = "searcher-Q4_K_M") -> Path:
    return home / "data" / "models" / name


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name != ".lock")


def fetched(hub: Hub) -> list[str]:
    """The files of weights that were asked for, in order."""
    return [path.rpartition("/")[2] for method, path, *_ in hub.requests if method == "GET" and ".safetensors" in path]


def test_a_repository_of_weights_becomes_a_model_that_is_asked(hub: Hub, hds: Hds, home: Path) -> None:
    """Downloaded, checked, converted, quantized; the weights are gone; its names and licence are in the file."""
    done = hds("model", "pull", "own/searcher")
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert "it is made here of safetensors" in done.stderr
    assert "names no checksum" not in done.stderr
    assert names_in(folder(home)) == ["model.json", "searcher-Q4_K_M.gguf"]
    assert all(path.stat().st_mode & 0o077 == 0 for path in folder(home).glob("*.gguf"))
    header = read_header(folder(home) / "searcher-Q4_K_M.gguf")
    assert (header.quantization, header.licence) == ("Q4_K_M", "apache-2.0")
    assert header.metadata["general.source.huggingface.repository"] == "own/searcher"
    info = json.loads(hds("model", "info", "searcher-Q4_K_M", "--json").stdout)
    assert (info["repo"], info["revision"], info["made"], info["checked"]) == ("own/searcher", COMMIT, "Q4_K_M", True)
    spoken = ["--dialect", "hds", "--max-turns", "1", "--n-ctx", "512", "--threads", "1", "--timeout", "20"]
    asked = hds(
        "ask", "--offline", "-m", "searcher-Q4_K_M", *spoken, "--json", "capital?", env={"HDS_MAX_TOKENS": "64"}
    )
    model = json.loads(asked.stdout)["model"]
    assert (model["quantization"], model["engine"]) == ("Q4_K_M", "llama_cpp")
    assert "is here already" in hds("model", "pull", "own/searcher:q4_k_m").stderr


def test_the_searcher_has_a_short_name_and_is_spoken_to_as_it_was_trained(hub: Hub, hds: Hds, home: Path) -> None:
    """`hds` means dayoon/HybridDeepSearcher; its metadata, file name and record say so; the reason is told."""
    assert hds("model", "pull", "hds:Q8_0").returncode == 0
    info = json.loads(hds("model", "info", "HybridDeepSearcher-Q8_0", "--json").stdout)
    assert (info["repo"], info["quantization"], info["dialect"]) == ("dayoon/HybridDeepSearcher", "Q8_0", "hds")
    assert info["dialect_reason"] == "its metadata name HybridDeepSearcher"
    told = json.loads(hds("doctor", "--offline", "--json", env={"HDS_MODEL": "hds:Q8_0"}).stdout)
    assert any("spoken to in hds: its metadata name" in finding["message"] for finding in told["findings"])


def test_a_line_that_breaks_at_half_is_gone_on_with(hub: Hub, hds: Hds, home: Path, tmp_path: Path) -> None:
    """What was downloaded whole is not asked for again, and of the rest only the missing bytes."""
    config = made.config(hidden_size=256, intermediate_size=512, head_dim=64, vocab_size=50_000)
    files = {path.name: path.read_bytes() for path in made.write(tmp_path / "large", config, shards=3).iterdir()}
    hub.repos["own/searcher"].files = files
    hub.cut = [10**9] * 6 + [len(files[SHARD.format(3)]) * 2 // 3, *[0] * 9]  # small files, two of weights, then
    broken = hds("model", "pull", "own/searcher")
    assert (broken.returncode, "are kept" in broken.stderr) == (4, True), broken.stderr
    assert "unfinished: pull it again" in hds("model", "list").stdout
    kept = next((folder(home) / ".source").glob(".*.part")).stat().st_size
    hub.cut, before = [], len(hub.requests)
    assert hds("model", "pull", "own/searcher").returncode == 0
    again = [(path.rpartition("/")[2], range_) for _, path, range_, _ in hub.requests[before:] if "safetensors" in path]
    assert again == [(SHARD.format(3), f"bytes={kept}-")]
    assert names_in(folder(home)) == ["model.json", "searcher-Q4_K_M.gguf"]


def killed(step: str, file: int) -> list[str]:
    """A pull that dies in a step, when the file of weights of that number is gone."""
    code = (
        "import os; from hds_cli import paths; from hds_cli.engine.files import hub\n"
        "def told(step, done, of):\n"
        f"    gone = not (paths.models_dir() / 'searcher-Q4_K_M/.source/{SHARD.format(file)}').exists()\n"
        f"    if step.startswith({step!r}) and gone: os._exit(9)\n"
        "hub.download(hub.plan('own/searcher'), told)\n"
    )
    return [sys.executable, "-c", code]


@pytest.mark.parametrize(("step", "file", "again"), [("converting", 2, []), ("quantizing", 3, [])])
def test_a_making_that_was_killed_is_gone_on_with(
    hub: Hub, hds: Hds, home: Path, step: str, file: int, again: list[str]
) -> None:
    """Nothing is downloaded twice, though weights were deleted as they were used up; the result is the same."""
    assert subprocess.run(killed(step, file), check=False).returncode == 9
    assert not (folder(home) / f".source/{SHARD.format(1)}").exists()
    assert hds("model", "info", "searcher-Q4_K_M").returncode == 4
    before = len(fetched(hub))
    assert hds("model", "pull", "own/searcher").returncode == 0
    assert fetched(hub)[before:] == again
    assert hds("model", "pull", "dayoon/HybridDeepSearcher").returncode == 0
    ours, whole = (
        read_header(next(folder(home, n).glob("*.gguf"))) for n in ("searcher-Q4_K_M", "HybridDeepSearcher-Q4_K_M")
    )
    assert ours.parameters == whole.parameters
    assert names_in(folder(home)) == ["model.json", "searcher-Q4_K_M.gguf"]


@pytest.mark.parametrize("file", [SHARD.format(2), "tokenizer.json", "tokenizer_config.json"])
def test_a_wrong_checksum_is_an_error_and_the_file_goes(hub: Hub, hds: Hds, home: Path, file: str) -> None:
    """Of weights by SHA-256, of small files by git's; the next attempt fetches that one alone."""
    hub.repos["own/searcher"].told[file] = "0" * (64 if file != "tokenizer_config.json" else 40)
    done = hds("model", "pull", "own/searcher")
    assert (done.returncode, f"{file} has another checksum" in done.stderr) == (4, True)
    assert not (folder(home) / ".source" / file).exists()
    assert not list(folder(home).rglob("*.gguf"))
    hub.repos["own/searcher"].told.clear()
    assert hds("model", "pull", "own/searcher").returncode == 0


def test_a_model_that_cannot_be_converted_is_refused_before_its_weights_are_fetched(hub: Hub, hds: Hds) -> None:
    """One small file tells."""
    done = hds("model", "pull", "own/mamba")
    assert (done.returncode, "its architecture is MambaForCausalLM" in done.stderr) == (4, True)
    assert fetched(hub) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"tokenizer.json": None}, "no tokenizer.json"),
        ({SHARD.format(2): None}, "of 3 files of weights 2"),
        ({"config.json": b"x" * (2 << 20)}, "config.json is too large"),
        ({"config.json": b"["}, "cannot be converted"),
        ({SHARD.format(1): b"<html>"}, "not a usable safetensors file"),
        ({"../../model.safetensors": b"x", SHARD.format(1): None, SHARD.format(2): None, SHARD.format(3): None}, "no GGUF file"),
    ],
)  # fmt: skip
def test_a_repository_that_is_not_whole_is_one_line_and_a_hint(
    hub: Hub, hds: Hds, home: Path, change: dict[str, bytes | None], words: str
) -> None:
    """Nothing leaves its folder, and nothing that looks like a model stays."""
    files = {**hub.repos["own/searcher"].files, **change}
    hub.repos["own/searcher"].files = {name: data for name, data in files.items() if data is not None}
    done = hds("model", "pull", "own/searcher")
    assert done.returncode == 4, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(home.rglob("*.gguf"))


def test_no_room_for_the_making_is_said_before_anything_is_fetched(hub: Hub, home: Path) -> None:
    """The weights, the file that is made of them and one file of weights more: the most that lies there at once."""
    from hds_cli.engine.files import hub as ours
    from hds_cli.engine.files.hub import Plan, RemoteFile
    from hds_cli.errors import OutputError

    weights = tuple(RemoteFile(SHARD.format(n), hub.url, 10**15, "0" * 64) for n in (1, 2, 3))
    with pytest.raises(OutputError) as raised:
        ours.download(Plan("huge", "own/huge", weights, "own/huge", COMMIT, made="Q4_K_M"))
    assert (raised.value.error_code, raised.value.exit_code) == ("disk_full", 74)
    assert "4000000.0 GB more" in raised.value.message
    assert hub.requests == []


@pytest.mark.parametrize("size", ["2000k", "3300k"])
def test_a_disk_that_fills_up_meanwhile_is_exit_74_and_gone_on_with(
    files: dict[str, bytes], tmp_path: Path, size: str
) -> None:
    """While weights are converted, or quantized: on a file system of that size, which then grows."""
    (tmp_path / "full").mkdir()
    code = (
        "import subprocess, sys; from pathlib import Path; from hds_cli.cli import run\n"
        "from hds_cli.engine.files.convert import making; making._SPARE = -10**9\n"
        f"first = run(['model', 'convert', {str(tmp_path / 'repository')!r}])\n"
        f"subprocess.run(['mount', '-o', 'remount,size=50M', {str(tmp_path / 'full')!r}], check=True)\n"
        f"print(first, run(['model', 'convert', {str(tmp_path / 'repository')!r}]))\n"
        "print(*sorted(p.name for p in Path(sys.argv[1]).rglob('*') if p.is_file() and p.name != '.lock'))\n"
    )
    mount = f'mount -t tmpfs -o size={size} tmpfs "$0" && exec "$@"'
    inside = ["unshare", "-m", "bash", "-c", mount, str(tmp_path / "full")]
    if (
        shutil.which("unshare") is None
        or subprocess.run([*inside, "true"], capture_output=True, check=False).returncode
    ):
        pytest.skip("no file system can be mounted here")
    env = {"HDS_HOME": str(tmp_path / "full"), "PATH": "/usr/bin:/bin:/usr/sbin:/sbin"}
    done = subprocess.run([*inside, sys.executable, "-c", code, str(tmp_path / "full/data/models")], capture_output=True,
                          text=True, env=env, check=False)  # fmt: skip
    assert "No space left on device" in done.stderr
    assert done.stdout.splitlines() == ["74 0", "model.json repository-Q4_K_M.gguf"], done.stderr


def test_two_pulls_at_once_do_not_mix(hub: Hub, hds: Hds, home: Path) -> None:
    """One makes the model; the other says so, or comes when it is there."""
    both = [subprocess.Popen([command(), "model", "pull", "own/searcher"], stderr=subprocess.PIPE) for _ in range(2)]
    said = [process.communicate(timeout=120)[1].decode() for process in both]
    codes = sorted(process.returncode for process in both)
    assert codes in ([0, 0], [0, 4])
    assert codes == [0, 0] or sum("is being pulled already" in text for text in said) == 1
    assert names_in(folder(home)) == ["model.json", "searcher-Q4_K_M.gguf"]
    assert hds("model", "info", "searcher-Q4_K_M").returncode == 0


def test_a_short_name_is_compared_with_its_known_checksum(hub: Hub, hds: Hds, home: Path) -> None:
    """Another file under the pinned revision is refused before it is fetched; other quantizations are the hub's word."""
    known = SHORT_NAMES["qwen3-4b"]
    file = {f"Qwen3-4B-{kind}.gguf": b"x" for kind in ("Q4_K_M", "Q8_0")}
    hub.repos[known.repo] = Repo(file, commit=known.revision)
    done = hds("model", "pull", "qwen3-4b", "--yes")
    assert (done.returncode, "error[checksum]" in done.stderr) == (4, True)
    assert hub.gets() == []
    hub.repos[known.repo].told["Qwen3-4B-Q4_K_M.gguf"] = str(known.sha256)
    lied = hds("model", "pull", "qwen3-4b", "--yes")
    assert (lied.returncode, "another checksum than the server says" in lied.stderr) == (4, True)
    assert not list(home.rglob("*.gguf"))


def test_a_folder_is_converted_where_it_lies(hds: Hds, home: Path, files: dict[str, bytes], tmp_path: Path) -> None:
    """Its files stay; the model is among the others, or where `-o` says."""
    source = tmp_path / "repository"
    assert hds("model", "convert", str(source), "--type", "q6_k").returncode == 0
    assert hds("model", "info", "repository-Q6_K").returncode == 0
    assert {path.name for path in source.iterdir()} == set(files)
    out = tmp_path / "out.gguf"
    assert hds("model", "convert", str(source), "--type", "F16", "-o", str(out)).returncode == 0
    assert read_header(out).quantization == "F16"
    small = hds("model", "quantize", str(out), "-o", str(tmp_path / "small.gguf"))
    assert (small.returncode, read_header(tmp_path / "small.gguf").quantization) == (0, "Q4_K_M")
    assert hds("model", "quantize", str(out)).returncode == 0
    assert "out-Q4_K_M" in hds("model", "list").stdout
    assert sorted(path.name for path in tmp_path.glob("*gguf*")) == ["out.gguf", "small.gguf"]
    assert not list(tmp_path.glob(".*.part"))


def test_one_file_of_weights_is_converted_with_what_lies_beside_it(hds: Hds, tmp_path: Path) -> None:
    """Named itself, not its folder."""
    made.write(tmp_path / "tiny")
    file, out = tmp_path / "tiny" / "model.safetensors", tmp_path / "out.gguf"
    assert hds("model", "convert", str(file), "--type", "BF16", "-o", str(out)).returncode == 0
    assert read_header(out).quantization == "BF16"


@pytest.mark.parametrize(
    ("arguments", "exit_code", "words"),
    [
        (["convert", "none"], 4, "there is no none"),
        (["convert", "."], 4, "holds no model.safetensors"),
        (["convert", "tiny.gguf"], 2, "is a GGUF file already"),
        (["convert", "tiny", "--type", "Q9"], 2, "no quantization 'Q9'"),
        (["convert", "tiny", "-o", "no/where.gguf"], 2, "there is no folder"),
        (["quantize", "none.gguf"], 4, "there is no model file"),
        (["quantize", "tiny.gguf", "--type", "F16"], 2, "no quantization 'F16'"),
        (["quantize", "tiny.gguf", "-o", "tiny.gguf"], 2, "read and written at once"),
        (["quantize", "starter"], 4, "is quantized already (Q4_1)"),
        (["quantize", "page.gguf"], 4, "web page"),
    ],
)
def test_what_cannot_be_made_is_one_line_and_a_hint(
    hds: Hds, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], exit_code: int, words: str
) -> None:
    """Nothing is left behind."""
    monkeypatch.chdir(tmp_path)
    made.write(tmp_path / "tiny")
    tiny.write(tmp_path / "tiny.gguf")
    (tmp_path / "page.gguf").write_text("<html>")
    before = sorted(path.name for path in tmp_path.iterdir())
    done = hds("model", *arguments)
    assert (done.returncode, words in done.stderr) == (exit_code, True), done.stderr
    assert "Traceback" not in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "home") == before
